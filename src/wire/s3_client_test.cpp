#include "base/file.h"
#include "wire/aws_dialect.h"
#include "wire/client.h"
#include "wire/scripted_transport.h"

#include <gtest/gtest.h>

namespace vouch::wire {
namespace {

// S3 as botocore has it: redirects between regions, errors under status 200, one bucket a host.
class S3ClientTest : public ::testing::Test {
 protected:
  S3ClientTest() {
    auto opened = Models::open({fs::path{VOUCH_SOURCE_DIR} / ".deps/botocore/botocore/data"});
    models = std::make_unique<Models>(std::move(opened).value());
  }
  Outcome run(ScriptedTransport& transport, Call call, std::vector<Page>* pages = nullptr) {
    if (!aws) aws = std::make_unique<AwsDialect>(*models, settings, credentials, clock);
    if (!client) client = std::make_unique<Client>(*aws, transport, clock);
    Outcome outcome;
    client->call(
        std::move(call),
        [&](Page page) {
          if (pages) pages->push_back(std::move(page));
        },
        [&](const Outcome& ended) { outcome = ended; });
    client->run();
    return outcome;
  }

  std::unique_ptr<Models> models;
  Settings settings;
  FixedCredentials credentials{{"ID", "secret", {}, std::nullopt, "test"}};
  FixedClock clock{parse_instant("2026-11-24T00:00:00Z").value()};
  std::unique_ptr<AwsDialect> aws;
  std::unique_ptr<Client> client;
};

constexpr const char* kVersioning =
    R"(<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status></VersioningConfiguration>)";

TEST_F(S3ClientTest, FollowsABucketToItsRegionAndRemembersIt) {
  ScriptedTransport transport{[](const HttpRequest& request, std::size_t) {
    if (request.url.find("eu-west-1") != std::string::npos) return ScriptedTransport::Reply{answer_with(200, kVersioning)};
    return ScriptedTransport::Reply{
        answer_with(301, "<Error><Code>PermanentRedirect</Code></Error>", {{"x-amz-bucket-region", "eu-west-1"}})};
  }};
  const Call call{"s3", "GetBucketVersioning", "us-east-1", json::object{{"Bucket", "my-bucket"}}};
  EXPECT_EQ(run(transport, call).heard, Heard::ok);
  EXPECT_EQ(run(transport, call).requests, 1U);
  EXPECT_EQ(transport.requests.at(0).url, "https://my-bucket.s3.us-east-1.amazonaws.com/?versioning");
  EXPECT_EQ(transport.requests.at(2).url, "https://my-bucket.s3.eu-west-1.amazonaws.com/?versioning");
  EXPECT_NE(find_header(transport.requests.at(2).headers, "Authorization")->find("/eu-west-1/s3/"), std::string::npos);
}

TEST_F(S3ClientTest, ABucketInTwoRegionsAtOnceFailsInsteadOfCircling) {
  ScriptedTransport transport{[](const HttpRequest&, std::size_t) {
    return ScriptedTransport::Reply{
        answer_with(301, "<Error><Code>PermanentRedirect</Code></Error>", {{"x-amz-bucket-region", "eu-west-1"}})};
  }};
  const auto outcome = run(transport, {"s3", "GetBucketVersioning", "us-east-1", json::object{{"Bucket", "my-bucket"}}});
  EXPECT_EQ(outcome.heard, Heard::failed);
  EXPECT_EQ(outcome.code, "PermanentRedirect");
  EXPECT_EQ(outcome.requests, 2U);
}

TEST_F(S3ClientTest, AnErrorUnderASuccessfulStatusIsRetried) {
  ScriptedTransport transport{[](const HttpRequest&, std::size_t nth) {
    return ScriptedTransport::Reply{answer_with(
        200, nth == 1 ? "<?xml version=\"1.0\"?>\n<Error><Code>InternalError</Code><Message>m</Message></Error>" : kVersioning)};
  }};
  std::vector<Page> pages;
  const auto outcome = run(transport, {"s3", "GetBucketVersioning", "us-east-1", json::object{{"Bucket", "b-1"}}}, &pages);
  EXPECT_EQ(outcome.requests, 2U);
  EXPECT_EQ(pages.at(0).value, Json(json::object{{"Status", "Enabled"}}));
}

TEST_F(S3ClientTest, BucketNamesThatNoCertificateCoversAreAddressedByPath) {
  ScriptedTransport transport{[](const HttpRequest&, std::size_t) { return ScriptedTransport::Reply{answer_with(200, kVersioning)}; }};
  run(transport, {"s3", "GetBucketVersioning", "us-east-1", json::object{{"Bucket", "dotted.name"}}});
  EXPECT_EQ(transport.requests.at(0).url, "https://s3.us-east-1.amazonaws.com/dotted.name?versioning");
}

TEST_F(S3ClientTest, AnAddressAsEndpointTakesBucketsAsPathsAndNoNamesBeforeIt) {
  settings.environment["AWS_ENDPOINT_URL"] = "http://127.0.0.1:5000";
  ScriptedTransport transport{[](const HttpRequest&, std::size_t) { return ScriptedTransport::Reply{answer_with(200, kVersioning)}; }};
  run(transport, {"s3", "GetBucketVersioning", "us-east-1", json::object{{"Bucket", "my-bucket"}}});
  run(transport, {"s3control", "GetPublicAccessBlock", "us-east-1", json::object{{"AccountId", "123456789012"}}});
  EXPECT_EQ(transport.requests.at(0).url, "http://127.0.0.1:5000/my-bucket?versioning");
  EXPECT_EQ(transport.requests.at(1).url, "http://127.0.0.1:5000/v20180820/configuration/publicAccessBlock");
}

TEST_F(S3ClientTest, GlobalServicesAreSignedForTheirOwnRegion) {
  ScriptedTransport transport{[](const HttpRequest&, std::size_t) { return ScriptedTransport::Reply{answer_with(500, "")}; }};
  run(transport, {"iam", "ListUsers", "eu-central-1", json::object()});
  EXPECT_EQ(transport.requests.at(0).url, "https://iam.amazonaws.com/");
  EXPECT_NE(find_header(transport.requests.at(0).headers, "Authorization")->find("/us-east-1/iam/"), std::string::npos);
}

}  // namespace
}  // namespace vouch::wire
