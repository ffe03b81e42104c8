#include "wire/credentials.h"

#include "base/file.h"
#include "wire/credential_formats.h"
#include "wire/models.h"
#include "wire/scripted_transport.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace vouch::wire {
namespace {

const Instant kNow = parse_instant("2026-11-24T00:00:00Z").value();
constexpr const char* kLater = "2026-11-24T01:00:00Z";

std::string assumed(std::string_view operation, std::string_view id, std::string_view expires = kLater) {
  return fmt::format(
      "<{0}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{0}Result><Credentials><AccessKeyId>{1}</AccessKeyId>"
      "<SecretAccessKey>hush</SecretAccessKey><SessionToken>tok</SessionToken><Expiration>{2}</Expiration></Credentials>"
      "</{0}Result></{0}Response>",
      operation, id, expires);
}

std::string metadata(std::string_view id, std::string_view expires = kLater) {
  return fmt::format(R"({{"Code":"Success","AccessKeyId":"{}","SecretAccessKey":"hush","Token":"tok","Expiration":"{}"}})", id, expires);
}

class Chain : public ::testing::Test {
 protected:
  Chain() { environment = {{"HOME", folder.path().string()}, {"AWS_EC2_METADATA_DISABLED", "true"}}; }
  void file(const char* name, std::string_view text) {
    const auto path = folder.path() / name;
    ASSERT_TRUE(make_directory(path.parent_path()));
    ASSERT_TRUE(write_file(path, text, Sync::no, 0600));
  }
  CredentialChain& chain(std::string_view profile = {}) {
    auto settings = Settings::load(environment, profile);
    EXPECT_TRUE(settings) << (settings ? "" : settings.error().message);
    chain_ = std::make_unique<CredentialChain>(std::move(settings).value(), transport, models);
    return *chain_;
  }
  Result<Credentials> get(std::string_view profile = {}) { return chain(profile).get(kNow); }
  std::string id(std::string_view profile = {}) {
    const auto found = get(profile);
    return found ? found->access_key_id : "error: " + found.error().message;
  }

  TemporaryDirectory folder;
  Environment environment;
  Models models = Models::open().value();
  ScriptedTransport::Script script = [](const HttpRequest&, std::size_t) {
    return ScriptedTransport::Reply{std::unexpected(Error{Errc::unreachable, "nobody"})};
  };
  ScriptedTransport transport{[this](const HttpRequest& request, std::size_t nth) { return script(request, nth); }};
  std::unique_ptr<CredentialChain> chain_;
};

TEST_F(Chain, NothingConfiguredSaysWhatWasTried) {
  const auto found = get();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::not_found);
  EXPECT_NE(found.error().message.find("environment"), std::string::npos);
}

TEST_F(Chain, TheEnvironmentComesFirstUnlessAProfileIsAskedFor) {
  environment.insert({{"AWS_ACCESS_KEY_ID", "ENV"}, {"AWS_SECRET_ACCESS_KEY", "s"}, {"AWS_SESSION_TOKEN", "t"}});
  file(".aws/credentials", "[ops]\naws_access_key_id = OPS\naws_secret_access_key = s\n");
  EXPECT_EQ(id(), "ENV");
  EXPECT_EQ(id("ops"), "OPS");
}

TEST_F(Chain, HalfAKeyIsAnErrorAndNotTheNextProvider) {
  environment["AWS_ACCESS_KEY_ID"] = "ENV";
  file(".aws/credentials", "[default]\naws_access_key_id = OTHER\naws_secret_access_key = s\n");
  EXPECT_EQ(get().error().code, Errc::config);
}

TEST_F(Chain, SharedFileThenConfigFile) {
  file(".aws/config", "[default]\naws_access_key_id = CONFIG\naws_secret_access_key = s\n");
  EXPECT_EQ(id(), "CONFIG");
  file(".aws/credentials", "[default]\naws_access_key_id = SHARED\naws_secret_access_key = s\naws_session_token = t\n");
  EXPECT_EQ(id(), "SHARED");
}

TEST_F(Chain, AssumesTheRoleOfAProfile) {
  file(".aws/credentials", "[base]\naws_access_key_id = BASE\naws_secret_access_key = s\n");
  file(".aws/config",
       "[profile ops]\nrole_arn = arn:aws:iam::1:role/ops\nsource_profile = middle\nexternal_id = ext\nrole_session_name = "
       "me\nduration_seconds = 900\n"
       "region = eu-west-1\n[profile middle]\nrole_arn = arn:aws:iam::1:role/middle\nsource_profile = base\n");
  script = [](const HttpRequest& request, std::size_t) {
    return ScriptedTransport::Reply{
        answer_with(200, assumed("AssumeRole", request.body.find("middle") != std::string::npos ? "MIDDLE" : "OPS"))};
  };
  const auto found = get("ops");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->access_key_id, "OPS");
  EXPECT_EQ(to_string(found->expires.value()), kLater);
  ASSERT_EQ(transport.requests.size(), 2U);
  EXPECT_NE(find_header(transport.requests[0].headers, "Authorization")->find("BASE/"), std::string::npos);
  EXPECT_NE(find_header(transport.requests[1].headers, "Authorization")->find("MIDDLE/"), std::string::npos);
  EXPECT_EQ(transport.requests[1].url, "https://sts.eu-west-1.amazonaws.com/");
  for (const char* part : {"ExternalId=ext", "RoleSessionName=me", "DurationSeconds=900"})
    EXPECT_NE(transport.requests[1].body.find(part), std::string::npos) << part;
}

TEST_F(Chain, ProfilesInACircleAreFound) {
  file(".aws/config", "[profile a]\nrole_arn = arn:a\nsource_profile = b\n[profile b]\nrole_arn = arn:b\nsource_profile = a\n");
  const auto found = get("a");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::config);
  EXPECT_NE(found.error().message.find("circle"), std::string::npos);
}

TEST_F(Chain, AProfileMayBeItsOwnSource) {
  file(".aws/config", "[profile a]\nrole_arn = arn:a\nsource_profile = a\naws_access_key_id = SELF\naws_secret_access_key = s\n");
  script = [](const HttpRequest&, std::size_t) { return ScriptedTransport::Reply{answer_with(200, assumed("AssumeRole", "A"))}; };
  EXPECT_EQ(id("a"), "A");
  EXPECT_NE(find_header(transport.requests[0].headers, "Authorization")->find("SELF/"), std::string::npos);
}

TEST_F(Chain, WrongRoleProfilesSayWhy) {
  for (const char* lines :
       {"", "source_profile = gone\n", "credential_source = Moon\n", "source_profile = x\ncredential_source = Environment\n",
        "credential_source = Environment\nmfa_serial = arn:mfa\n", "credential_source = Environment\nduration_seconds = 5\n"}) {
    file(".aws/config", fmt::format("[profile a]\nrole_arn = arn:a\n{}", lines));
    EXPECT_FALSE(get("a")) << lines;
  }
  EXPECT_TRUE(transport.requests.empty());
}

TEST_F(Chain, ADeniedRoleIsDeniedAndDoesNotFallThrough) {
  file(".aws/config",
       "[profile a]\nrole_arn = arn:a\ncredential_source = Environment\naws_access_key_id = OTHER\naws_secret_access_key = s\n");
  environment.insert({{"AWS_ACCESS_KEY_ID", "ENV"}, {"AWS_SECRET_ACCESS_KEY", "topsecret"}});
  script = [](const HttpRequest&, std::size_t) {
    return ScriptedTransport::Reply{
        answer_with(403, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>m</Message></Error></ErrorResponse>")};
  };
  const auto found = get("a");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::denied);
  EXPECT_EQ(found.error().message.find("topsecret"), std::string::npos);
}

TEST_F(Chain, WebIdentityReadsItsTokenAgainAtEachRefresh) {
  environment.insert(
      {{"AWS_WEB_IDENTITY_TOKEN_FILE", (folder.path() / "token").string()}, {"AWS_ROLE_ARN", "arn:web"}, {"AWS_REGION", "eu-west-1"}});
  script = [](const HttpRequest& request, std::size_t) {
    EXPECT_EQ(find_header(request.headers, "Authorization"), nullptr);
    return ScriptedTransport::Reply{answer_with(
        200, assumed("AssumeRoleWithWebIdentity", request.body.find("WebIdentityToken=second") != std::string::npos ? "W2" : "W1"))};
  };
  file("token", "first\n");
  auto& source = chain();
  EXPECT_EQ(source.get(kNow).value().access_key_id, "W1");
  file("token", "second\n");
  EXPECT_EQ(source.get(kNow + Duration::minutes(40)).value().access_key_id, "W1");  // 20 minutes are left
  EXPECT_EQ(source.get(kNow + Duration::minutes(46)).value().access_key_id, "W2");
}

TEST_F(Chain, OldCredentialsServeWhileNewOnesCannotBeHad) {
  environment.insert({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/creds"}});
  script = [](const HttpRequest&, std::size_t nth) {
    if (nth == 1) return ScriptedTransport::Reply{answer_with(200, metadata("FIRST"))};
    return ScriptedTransport::Reply{answer_with(500, "")};
  };
  auto& source = chain();
  EXPECT_EQ(source.get(kNow).value().access_key_id, "FIRST");
  EXPECT_EQ(source.get(kNow + Duration::minutes(50)).value().access_key_id, "FIRST");
  EXPECT_FALSE(source.get(kNow + Duration{Duration::minutes(59).micros + 30'000'000}));
  source.forget();
  EXPECT_FALSE(source.get(kNow));
}

TEST_F(Chain, ContainerCredentials) {
  environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/creds";
  environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "Basic x";
  script = [](const HttpRequest&, std::size_t nth) {
    return nth < 3 ? ScriptedTransport::Reply{std::unexpected(Error{Errc::unreachable, "slow"})}
                   : ScriptedTransport::Reply{answer_with(200, metadata("C"))};
  };
  EXPECT_EQ(id(), "C");
  EXPECT_EQ(transport.requests[0].url, "http://169.254.170.2/v2/creds");
  EXPECT_EQ(*find_header(transport.requests[0].headers, "Authorization"), "Basic x");

  environment.erase("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  for (const char* url : {"http://example.com/creds", "http://127.0.0.1.evil.com/", "ftp://127.0.0.1/", "http://169.254.170.2@evil.com/"}) {
    environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = url;
    EXPECT_EQ(get().error().code, Errc::config) << url;
  }
  environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://127.0.0.1:1/";
  environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "a\r\nb";
  EXPECT_EQ(get().error().code, Errc::config);
}

TEST_F(Chain, InstanceMetadataInVersionTwoOnly) {
  environment.erase("AWS_EC2_METADATA_DISABLED");
  script = [](const HttpRequest& request, std::size_t) {
    if (request.method == "PUT") {
      EXPECT_EQ(*find_header(request.headers, "x-aws-ec2-metadata-token-ttl-seconds"), "21600");
      return ScriptedTransport::Reply{answer_with(200, "imds-token")};
    }
    EXPECT_EQ(*find_header(request.headers, "x-aws-ec2-metadata-token"), "imds-token");
    return ScriptedTransport::Reply{answer_with(200, request.url.ends_with("/security-credentials/") ? "role-1\n" : metadata("I"))};
  };
  const auto found = get();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->access_key_id, "I");
  EXPECT_EQ(transport.requests.front().url, "http://169.254.169.254/latest/api/token");
  EXPECT_EQ(transport.requests.back().url, "http://169.254.169.254/latest/meta-data/iam/security-credentials/role-1");

  script = [](const HttpRequest& request, std::size_t) {
    return ScriptedTransport::Reply{answer_with(request.method == "PUT" ? 403 : 200, metadata("V1"))};  // would answer version 1
  };
  EXPECT_EQ(get().error().code, Errc::not_found);
}

TEST_F(Chain, TheMetadataEndpointCanBeConfigured) {
  environment.erase("AWS_EC2_METADATA_DISABLED");
  environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = "http://127.0.0.1:8/";
  static_cast<void>(get());
  EXPECT_EQ(transport.requests.front().url, "http://127.0.0.1:8/latest/api/token");
}

// `echo` as a program: a line with quotes and blanks, no shell.
TEST_F(Chain, CredentialProcessIsRunWithoutAShell) {
  file("with blank/make keys.sh", "#!/bin/sh\nprintf '{\"Version\":1,\"AccessKeyId\":\"%s\",\"SecretAccessKey\":\"hush\"}' \"$1\"\n");
  const auto program = folder.path() / "with blank/make keys.sh";
  chmod(program.c_str(), 0700);
  file(".aws/config", fmt::format("[default]\ncredential_process = \"{}\" \"$(id);x\"\n", program.string()));
  EXPECT_EQ(id(), "$(id);x");
}

TEST_F(Chain, AFailingProcessIsAnErrorThatQuotesNothing) {
  for (const char* line :
       {"/nonexistent/program", "false", "printf topsecret", R"(printf '{"Version":2,"AccessKeyId":"topsecret"}')",
        R"(printf '{"Version":1,"AccessKeyId":"topsecret"}')",
        R"(printf '{"Version":1,"AccessKeyId":"topsecret","SecretAccessKey":"topsecret","Expiration":"2020-01-01T00:00:00Z"}')"}) {
    file(".aws/config", fmt::format("[default]\ncredential_process = {}\n", line));
    const auto found = get();
    ASSERT_FALSE(found) << line;
    EXPECT_EQ(found.error().message.find("topsecret"), std::string::npos) << found.error().message;
  }
}

class Sso : public Chain {
 protected:
  // sha1("corp")
  static constexpr const char* kCache = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
  void SetUp() override {
    file(".aws/config",
         "[profile dev]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Audit\n"
         "[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = eu-west-1\n");
    script = [](const HttpRequest& request, std::size_t) {
      if (request.url.starts_with("https://oidc.eu-west-1.amazonaws.com/token"))
        return ScriptedTransport::Reply{
            answer_with(200, R"({"accessToken":"fresh","tokenType":"Bearer","expiresIn":28800,"refreshToken":"r2"})")};
      return ScriptedTransport::Reply{answer_with(
          200,
          fmt::format(
              R"({{"roleCredentials":{{"accessKeyId":"SSO-{}","secretAccessKey":"hush","sessionToken":"tok","expiration":1795482000000}}}})",
              *find_header(request.headers, "x-amz-sso_bearer_token")))};
    };
  }
};

TEST_F(Sso, UsesTheTokenThatTheCliCached) {
  file(kCache, R"({"accessToken":"cached","expiresAt":"2026-11-24T08:00:00Z"})");
  const auto found = get("dev");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->access_key_id, "SSO-cached");
  EXPECT_EQ(to_string(found->expires.value()), kLater);
  EXPECT_EQ(transport.requests[0].url,
            "https://portal.sso.eu-west-1.amazonaws.com/federation/credentials?account_id=123456789012&role_name=Audit");
}

TEST_F(Sso, RefreshesAnOldTokenAndKeepsTheNewOne) {
  file(
      kCache,
      R"({"accessToken":"old","expiresAt":"2026-11-23T00:00:00Z","refreshToken":"r1","clientId":"c","clientSecret":"cs","region":"eu-west-1"})");
  EXPECT_EQ(id("dev"), "SSO-fresh");
  const auto kept = parse_json(read_file(folder.path() / kCache).value()).value();
  EXPECT_EQ(*find_string(kept, "accessToken"), "fresh");
  EXPECT_EQ(*find_string(kept, "refreshToken"), "r2");
  EXPECT_EQ(*find_string(kept, "expiresAt"), "2026-11-24T08:00:00Z");
  EXPECT_EQ(*find_string(kept, "region"), "eu-west-1");
  struct stat status{};
  ASSERT_EQ(stat((folder.path() / kCache).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST_F(Sso, WithoutAValidSignInSaysHowToSignIn) {
  const auto missing = get("dev");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::denied);
  EXPECT_NE(missing.error().message.find("aws sso login"), std::string::npos);
  file(kCache, R"({"accessToken":"old","expiresAt":"2026-11-23T00:00:00Z"})");
  EXPECT_EQ(get("dev").error().code, Errc::denied);
  file(kCache, R"({"accessToken":)");
  EXPECT_EQ(get("dev").error().code, Errc::malformed);
}

TEST(AssumedRole, IsAssumedWithTheCredentialsOfAnother) {
  auto models = Models::open().value();
  FixedCredentials base{{"BASE", "s", {}, std::nullopt, "test"}};
  ScriptedTransport transport{[](const HttpRequest&, std::size_t nth) {
    return ScriptedTransport::Reply{
        answer_with(200, assumed("AssumeRole", fmt::format("R{}", nth), nth == 1 ? kLater : "2026-11-24T02:00:00Z"))};
  }};
  const Settings settings;
  auto source = assume_role({.role_arn = "arn:member", .external_id = "x"}, base, settings, transport, models);
  EXPECT_EQ(source->get(kNow).value().access_key_id, "R1");
  EXPECT_EQ(source->get(kNow + Duration::minutes(10)).value().access_key_id, "R1");
  EXPECT_EQ(source->get(kNow + Duration::minutes(50)).value().access_key_id, "R2");
}

TEST(SplitCommand, SplitsAsAShellWouldAndDoesNothingElse) {
  EXPECT_EQ(split_command(R"(a 'b c' "d \"e" f\ g '')").value(), (std::vector<std::string>{"a", "b c", "d \"e", "f g", ""}));
  EXPECT_EQ(split_command("$HOME `id` *;x").value(), (std::vector<std::string>{"$HOME", "`id`", "*;x"}));
  EXPECT_FALSE(split_command("a 'b"));
}

}  // namespace
}  // namespace vouch::wire
