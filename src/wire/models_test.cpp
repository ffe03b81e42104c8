#include "wire/models.h"

#include "base/file.h"
#include "wire/endpoint.h"
#include "wire/pace.h"
#include "wire/paginate.h"
#include "wire/profile.h"
#include "wire/test_models.h"

#include <gtest/gtest.h>

namespace vouch::wire {
namespace {

const fs::path kData = fs::path{VOUCH_SOURCE_DIR} / ".deps/botocore/botocore/data";

TEST(EmbeddedModels, HaveWhatVouchItselfAsks) {
  auto models = Models::open().value();
  for (const auto& [service, operation] : {std::pair{"sts", "GetCallerIdentity"},
                                           {"sts", "AssumeRole"},
                                           {"ec2", "DescribeRegions"},
                                           {"sso", "GetRoleCredentials"},
                                           {"sso-oidc", "CreateToken"},
                                           {"account", "ListRegions"}})
    EXPECT_TRUE(models.operation(service, operation)) << service << ":" << operation;
  EXPECT_TRUE(find_array(models.partitions(), "partitions"));
}

TEST(EmbeddedModels, AreTheSameWhenReadBackFromTheirText) {
  auto models = Models::open().value();
  auto again = Models::from_text(models.text()).value();
  EXPECT_EQ(again.digest(), models.digest());
  EXPECT_EQ(again.embedded_services(), models.embedded_services());
  EXPECT_TRUE(again.operation("sts", "GetCallerIdentity"));
}

TEST(EmbeddedModels, AnOperationTheyLackComesFromADirectoryOrIsAnError) {
  auto alone = Models::open().value();
  const auto missing = alone.operation("sts", "DecodeAuthorizationMessage");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::not_found);
  EXPECT_EQ(alone.operation("../../etc", "X").error().code, Errc::usage);
  auto with_data = Models::open({kData}).value();
  EXPECT_TRUE(with_data.operation("sts", "DecodeAuthorizationMessage"));
  EXPECT_EQ(with_data.operation("sts", "NoSuchOperation").error().code, Errc::not_found);
  EXPECT_EQ(with_data.operation("no-such-service", "X").error().code, Errc::not_found);
}

TEST(Models, DamagedTextIsRefused) {
  const auto text = test_models_text();
  EXPECT_TRUE(Models::from_text(text));
  for (const auto& damaged :
       {std::string{}, text.substr(0, text.size() - 1), text + "x\n", text.substr(text.find('\n') + 1), std::string{"{}\n"}})
    EXPECT_FALSE(Models::from_text(damaged));
}

TEST(Models, TextProtocolsArePreferredToCbor) {
  auto models = Models::open({kData}).value();
  EXPECT_EQ(models.service("cloudwatch").value()->protocol, Protocol::json);
  EXPECT_EQ(models.service("iam").value()->protocol, Protocol::query);
  EXPECT_EQ(models.service("cloudwatchomni").value()->protocol, Protocol::cbor);
}

TEST(Models, EveryServiceOfBotocoreLoadsAndEveryPaginatorIsUnderstood) {
  auto models = Models::open({kData}).value();
  std::size_t services = 0, operations = 0, paginators = 0;
  for (const auto& entry : fs::directory_iterator{kData}) {
    if (!entry.is_directory()) continue;
    auto fresh = Models::open({kData}).value();  // one at a time: together they would not fit
    const auto service = fresh.service(entry.path().filename().string());
    ASSERT_TRUE(service) << entry.path() << " " << (service ? "" : service.error().message);
    ++services;
    operations += (*service)->operations.size();
    for (const auto& [name, operation] : (*service)->operations) {
      if (!operation->paginator) continue;
      ++paginators;
      for (const auto& expression : operation->paginator->output_tokens) EXPECT_TRUE(Path::parse(expression)) << name << " " << expression;
      const auto& more = operation->paginator->more_results;
      EXPECT_TRUE(more.empty() || Path::parse(more)) << name;
    }
  }
  EXPECT_GT(services, 400U);
  EXPECT_GT(operations, 12000U);  // of 20,027: an embedded service shows no more than what the catalogue asks of it
  EXPECT_GT(paginators, 2000U);
}

TEST(Path, ReadsTheSliverOfJmesPathThatPaginatorsUse) {
  const auto value = parse_json(R"({"a":{"b":"deep"},"list":[{"k":"first"},{"k":"last"}],"empty":"","no":false})").value();
  const auto at = [&](std::string_view expression) {
    const auto* found = Path::parse(expression).value().find(value);
    return found ? canonical(*found).value() : "nothing";
  };
  EXPECT_EQ(at("a.b"), "\"deep\"");
  EXPECT_EQ(at("list[-1].k"), "\"last\"");
  EXPECT_EQ(at("list[0].k"), "\"first\"");
  EXPECT_EQ(at("list[2].k"), "nothing");
  EXPECT_EQ(at("empty || list[-1].k"), "\"last\"");
  EXPECT_EQ(at("missing || a.b"), "\"deep\"");
  EXPECT_EQ(at("missing"), "nothing");
  for (const char* text : {"", "a..b", "[0]", "a[x]", "a[0", "a b", "a[*]", "a || ", "length(a)", "a.", "'x'"})
    EXPECT_FALSE(Path::parse(text)) << text;
}

TEST(PagingMembers, AreTokensAndNeverContents) {
  auto models = Models::open({kData}).value();
  const auto members = [&](std::string_view service, std::string_view operation) {
    return paging_members(*models.operation(service, operation).value().second);
  };
  EXPECT_EQ(members("iam", "ListUsers"), (std::vector<std::string>{"IsTruncated", "Marker"}));
  EXPECT_EQ(members("s3", "ListObjects"), (std::vector<std::string>{"IsTruncated", "Marker", "MaxKeys", "NextMarker"}));
  EXPECT_EQ(members("iam", "GetUser"), std::vector<std::string>{});
}

TEST(Endpoints, ConfiguredOnesWinInTheirOrder) {
  auto models = Models::open({kData}).value();
  const auto& service = *models.service("logs").value();
  Settings settings;
  settings.config =
      parse_ini(
          "[default]\nservices = mine\nendpoint_url = http://four\n[services mine]\ncloudwatch_logs =\n  endpoint_url = http://three\n")
          .value();
  EXPECT_EQ(configured_endpoint(service, settings), "http://three");
  settings.environment["AWS_ENDPOINT_URL"] = "http://two";
  EXPECT_EQ(configured_endpoint(service, settings), "http://two");
  settings.environment["AWS_ENDPOINT_URL_CLOUDWATCH_LOGS"] = "http://one";
  EXPECT_EQ(configured_endpoint(service, settings), "http://one");
  settings.environment["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true";
  EXPECT_EQ(configured_endpoint(service, settings), "");
}

TEST(Endpoints, PartitionsOfRegionsKnownAndNew) {
  const auto models = Models::open().value();
  for (const auto& [region, partition] : {std::pair{"eu-central-1", "aws"},
                                          {"cn-north-1", "aws-cn"},
                                          {"us-gov-west-1", "aws-us-gov"},
                                          {"eu-west-9", "aws"},
                                          {"cn-east-7", "aws-cn"},
                                          {"nowhere", "aws"}})
    EXPECT_EQ(partition_of(models, region), partition) << region;
  EXPECT_EQ(global_region(models, "aws"), "us-east-1");
  EXPECT_EQ(global_region(models, "aws-us-gov"), "us-gov-west-1");
}

TEST(Ini, ReadsWhatTheAwsToolsRead) {
  const auto ini = parse_ini(
                       "# c\n[default]\nRegion = eu-west-1 \n; c\n[profile \"two words\"]\nkey=a=b\ns3 =\n  addressing_style = "
                       "path\n\n[default]\noutput: json\n")
                       .value();
  EXPECT_EQ(ini.at("default").at("region"), "eu-west-1");
  EXPECT_EQ(ini.at("default").at("output"), "json");
  EXPECT_EQ(ini.at("profile two words").at("key"), "a=b");
  EXPECT_EQ(ini.at("profile two words").at("s3.addressing_style"), "path");
  for (const char* text : {"key = value\n", "[open\n", "[s]\nno delimiter\n"}) {
    const auto bad = parse_ini(text);
    ASSERT_FALSE(bad) << text;
    EXPECT_EQ(bad.error().code, Errc::malformed);
    EXPECT_NE(bad.error().message.find("line "), std::string::npos);
  }
}

TEST(Ini, AProfileThatDoesNotExistIsAnError) {
  const auto settings =
      Settings::load({{"AWS_CONFIG_FILE", "/nonexistent"}, {"AWS_SHARED_CREDENTIALS_FILE", "/nonexistent"}, {"AWS_PROFILE", "ops"}});
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().code, Errc::config);
  EXPECT_TRUE(Settings::load({{"AWS_CONFIG_FILE", "/nonexistent"}, {"AWS_SHARED_CREDENTIALS_FILE", "/nonexistent"}}));
}

TEST(Pace, FallsWhenThrottledAndGrowsBack) {
  Pace pace;
  Duration now{};
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(pace.wait(now), Duration{});
    pace.sent(now);
    now.micros += 10'000;
  }
  pace.throttled(now);
  EXPECT_TRUE(pace.is_limited());
  EXPECT_NEAR(pace.rate(), 70, 2);
  const auto after_first = pace.rate();
  pace.throttled(now);  // of the same flock
  EXPECT_EQ(pace.rate(), after_first);
  EXPECT_GT(pace.wait(now), Duration{});
  for (int i = 0; i < 90 && pace.is_limited(); ++i) {
    now.micros += 1'000'000;
    static_cast<void>(pace.wait(now));
  }
  EXPECT_FALSE(pace.is_limited());
}

}  // namespace
}  // namespace vouch::wire
