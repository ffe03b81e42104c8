#include "collect/secrets.h"

#include "wire/parse.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace vouch::collect {
namespace {

// Put together at run time, so that no scanner takes this file for a leak.
std::string joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const auto part : parts) text += part;
  return text;
}

const std::string alnum36 = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8";
const std::string aws_secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLE7Ky";

std::vector<std::string> planted_secrets() {
  return {joined({"ghp", "_", alnum36}),
          joined({"github_pat", "_", "11ABCDEFG0", alnum36}),
          joined({"glpat", "-", "x9Yz8Wv7Ut6Sr5Qp4On3"}),
          joined({"xoxb", "-", "123456789012-abcdefABCDEF"}),
          joined({"sk", "_live_", "4eC39HqLyjWDarjtT1zdp7dc"}),
          joined({"AIza", "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q"}),
          joined({"eyJ", "hbGciOiJIUzI1NiJ9.", "eyJzdWIiOiIxMjM0NTY3ODkwIn0.", "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"}),
          joined({"-----BEGIN RSA ", "PRIVATE KEY-----\nMIIEowIBAAKCAQEA7\nabc\n-----END RSA ", "PRIVATE KEY-----"}),
          joined({"-----BEGIN OPENSSH ", "PRIVATE KEY-----\nb3BlbnNzaC1rZXk"})};
}

TEST(FindSecrets, FindsTokensByTheirForm) {
  for (const auto& secret : planted_secrets()) {
    const auto text = "before " + secret;
    const auto spans = find_secrets(text);
    ASSERT_EQ(spans.size(), 1u) << secret;
    EXPECT_EQ(text.substr(spans[0].begin, spans[0].end - spans[0].begin), secret);
  }
}

TEST(FindSecrets, FindsWhatStandsNextToItsName) {
  for (const auto& text : {"aws_secret_access_key = " + aws_secret + "\n", "export AWS_SECRET_ACCESS_KEY='" + aws_secret + "'",
                           R"({"SecretAccessKey": ")" + aws_secret + R"("})", R"({\"secretKey\":\")" + aws_secret + R"(\"})"}) {
    const auto spans = find_secrets(text);
    ASSERT_EQ(spans.size(), 1u) << text;
    EXPECT_EQ(text.substr(spans[0].begin, 40), aws_secret);
  }
  const std::string url = "postgres://app:s3cr3tPw@db.internal:5432/app";
  const auto spans = find_secrets(url);
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(url.substr(spans[0].begin, spans[0].end - spans[0].begin), "s3cr3tPw");
}

TEST(FindSecrets, LeavesAloneWhatOnlyLooksLikeOne) {
  for (const std::string text : {
           "AKIAIOSFODNN7EXAMPLE",  // an access key's id
           "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf",
           "-----BEGIN CERTIFICATE-----\nMIIBkTCB+wIJAKHHIG\n-----END CERTIFICATE-----",
           "-----BEGIN PUBLIC KEY-----\nMFwwDQYJKoZIhvcNAQEBBQADSwAwSAJB\n-----END PUBLIC KEY-----",
           "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7 eng@example.com",
           "https://sqs.eu-west-1.amazonaws.com/111122223333/queue",
           "https://user@example.com/path",
           "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
           "ami-0abcdef1234567890 i-0123456789abcdef0",
           "12345678-1234-1234-1234-123456789012",
           "the secret of success is 40 characters long and nothing else",
           "task_live_0123456789012345678901234567890",
           "eyJust a word.",
           "risk-free ghp_short",
           R"({"Version":"2012-10-17","Statement":[{"Effect":"Deny","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]})",
       }) {
    EXPECT_TRUE(find_secrets(text).empty()) << text;
  }
}

struct Named {
  std::string name, value;
  bool free_form, secret;
};

TEST(SecretValues, AreToldByTheNameTheyGoBy) {
  const std::vector<Named> table = {
      {"DB_PASSWORD", "hunter2", true, true},
      {"database-password", "Tr0ub4dor&3", true, true},
      {"API_TOKEN", "9f8e7d6c5b4a39281706", true, true},
      {"STRIPE_API_KEY", "a8f5f167f44f4964e6c998dee827110c", true, true},
      {"clientSecret", "q9W8e7R6t5Y4u3I2o1P0", true, true},
      {"MasterUserPassword", "Sup3rS3cr3t", false, true},
      {"SecretAccessKey", aws_secret, false, true},
      {"AuthToken", "9f8e7d6c5b4a39281706ABCD", false, true},
      // Names that speak of a secret, and values that are none.
      {"DB_PASSWORD", "arn:aws:ssm:eu-west-1:111122223333:parameter/db", true, false},
      {"DB_PASSWORD", "{{resolve:secretsmanager:db}}", true, false},
      {"DB_PASSWORD_FILE", "/run/secrets/db_password_01", true, false},
      {"PASSWORD_PARAMETER_PATH", "/prod/db/password1", true, false},
      {"SECRET_NAME", "prod-database-credentials-7", true, false},
      {"SECRET_ARN", "arn:aws:secretsmanager:eu-west-1:1:secret:x", true, false},
      {"SECRET_ROTATION", "enabled", true, false},
      {"secret", "managed", true, false},
      {"TOKEN_TTL", "3600000000", true, false},
      {"AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE", true, false},
      {"team", "q9W8e7R6t5Y4u3I2o1P0", true, false},
      {"PasswordLastUsed", "2026-03-01T09:00:00Z", false, false},
      {"PasswordPolicy", "MinimumLength14AndMore", false, false},
      {"HttpTokens", "required", false, false},
      {"NextToken", "eyJ2IjoiMiIsImMiOiJhYmNkZWYxMjM0NTYifQ", false, false},
      {"ClientToken", "12345678-1234-1234-1234-123456789012", false, false},
      {"SecretId", "a1b2c3d4e5f6a7b8c9d0", false, false},
      {"SecretVersionId", "12345678-1234-1234-1234-123456789012", false, false},
      {"TokenKeyId", "a1b2c3d4e5f6a7b8c9d0", false, false},
      {"CertificateBody", "MIIBkTCB9wIJAKHHIG1234567890", false, false},
      {"MasterUserPassword", "****", false, false},
  };
  for (const auto& row : table) EXPECT_EQ(is_secret_value(row.name, row.value, row.free_form), row.secret) << row.name << "=" << row.value;
}

class Redaction : public testing::Test {
 protected:
  static wire::Models& models() {
    static auto all = wire::Models::open({fs::path(VOUCH_SOURCE_DIR) / ".deps/botocore/botocore/data"}).value();
    return all;
  }

  Redacted run(std::string_view service, std::string_view operation, std::string_view body,
               std::initializer_list<std::string_view> listed = {}) {
    const auto [its_service, its_operation] = models().operation(service, operation).value();
    std::vector<Path> paths;
    for (const auto path : listed) paths.push_back(parse_path(path).value());
    auto redacted = redact(*its_service, *its_operation, body, paths, key_);
    EXPECT_TRUE(redacted) << redacted.error().message;
    if (!redacted) return {};
    const auto parsed = wire::parse_answer(*its_service, *its_operation, 200, {}, redacted->body);
    EXPECT_TRUE(parsed) << "no longer readable: " << redacted->body;
    if (parsed) value_ = parsed->value;
    return std::move(*redacted);
  }

  SecretsKey key_{.bytes = {1, 2, 3}};
  Json value_;
};

TEST_F(Redaction, AFunctionsEnvironmentIsHashedEntryByEntry) {
  const auto body =
      R"({"Functions":[{"FunctionName":"f","Environment":{"Variables":{"STAGE":"prod","N\u00e4me":"va\"lue"}}},{"FunctionName":"prod"}]})";
  const auto redacted = run("lambda", "ListFunctions", body, {"Functions[].Environment.Variables"});
  EXPECT_EQ(redacted.paths,
            (std::vector<std::string>{"Functions[0].Environment.Variables.Näme", "Functions[0].Environment.Variables.STAGE"}));
  EXPECT_EQ(redacted.body, R"({"Functions":[{"FunctionName":"f","Environment":{"Variables":{"STAGE":")" + keyed_hash(key_, "prod") +
                               R"(","N\u00e4me":")" + keyed_hash(key_, "va\"lue") + R"("}}},{"FunctionName":"prod"}]})");
}

TEST_F(Redaction, TheSameSecretGivesTheSameHashAndAnotherKeyAnother) {
  EXPECT_EQ(keyed_hash(key_, "x"), keyed_hash(key_, "x"));
  EXPECT_NE(keyed_hash(key_, "x"), keyed_hash(key_, "y"));
  EXPECT_NE(keyed_hash(key_, "x"), keyed_hash(SecretsKey{}, "x"));
}

TEST_F(Redaction, TagsAndEnvironmentEntriesInJsonAreTakenByTheirName) {
  const auto body = R"({"taskDefinition":{"containerDefinitions":[{"name":"app","environment":[
    {"name":"DB_PASSWORD","value":"hunter2"},{"value":"q9W8e7R6t5Y4u3I2","name":"api-token"},{"name":"STAGE","value":"production"}]}]},
    "tags":[{"key":"owner","value":"platform"}]})";
  const auto redacted = run("ecs", "DescribeTaskDefinition", body);
  EXPECT_EQ(redacted.body.find("hunter2"), std::string::npos);
  EXPECT_EQ(redacted.body.find("q9W8e7R6t5Y4u3I2"), std::string::npos);
  EXPECT_NE(redacted.body.find("production"), std::string::npos);
  EXPECT_NE(redacted.body.find("platform"), std::string::npos);
  EXPECT_EQ(redacted.paths, (std::vector<std::string>{"taskDefinition.containerDefinitions[0].environment[0].value",
                                                      "taskDefinition.containerDefinitions[0].environment[1].value"}));
}

TEST_F(Redaction, XmlKeepsItsFormAndItsOtherBytes) {
  const auto secret = planted_secrets().front();
  const auto body = R"(<?xml version="1.0"?>
<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId><reservationSet><item><instancesSet><item>
<instanceId>i-1</instanceId><tagSet><item><key>token &amp; secret</key><value>)" +
                    std::string("Zx9Yw8Vu7Ts6Rq5Po4") + R"(</value></item><item><key>Name</key><value>a &lt;b&gt; )" + secret +
                    R"(</value></item></tagSet></item></instancesSet></item></reservationSet></DescribeInstancesResponse>)";
  const auto redacted = run("ec2", "DescribeInstances", body);
  EXPECT_EQ(redacted.paths,
            (std::vector<std::string>{"Reservations[0].Instances[0].Tags[0].value", "Reservations[0].Instances[0].Tags[1].Value"}));
  EXPECT_EQ(redacted.body.find(secret), std::string::npos);
  EXPECT_EQ(redacted.body.find("Zx9Yw8Vu7Ts6Rq5Po4"), std::string::npos);
  EXPECT_NE(redacted.body.find("a &lt;b&gt; " + keyed_hash(key_, secret)), std::string::npos) << redacted.body;
  EXPECT_EQ(value_.at_pointer("/Reservations/0/Instances/0/InstanceId").as_string(), "i-1");
}

TEST_F(Redaction, ListedMembersOfXmlAreHashedWhole) {
  const auto body =
      R"(<ListVirtualMFADevicesResponse><ListVirtualMFADevicesResult><VirtualMFADevices><member><SerialNumber>arn:x</SerialNumber>)"
      R"(<Base32StringSeed>JBSWY3DP</Base32StringSeed></member></VirtualMFADevices><IsTruncated>false</IsTruncated>)"
      R"(</ListVirtualMFADevicesResult></ListVirtualMFADevicesResponse>)";
  const auto [service, operation] = models().operation("iam", "ListVirtualMFADevices").value();
  const auto redacted = redact(*service, *operation, body, std::array{parse_path("VirtualMFADevices[].Base32StringSeed").value()}, key_);
  ASSERT_TRUE(redacted);
  EXPECT_EQ(redacted->paths, std::vector<std::string>{"VirtualMFADevices[0].Base32StringSeed"});
  EXPECT_EQ(redacted->body.find("JBSWY3DP"), std::string::npos);
}

TEST_F(Redaction, PlantedSecretsLeaveNoTraceInAnyFormat) {
  for (const auto& secret : planted_secrets()) {
    const auto in_json = json::serialize(Json(json::object{{"logGroups", json::array{json::object{{"logGroupName", "x " + secret}}}}}));
    EXPECT_EQ(run("logs", "DescribeLogGroups", in_json).body.find(secret.substr(12, 20)), std::string::npos) << secret;
    const auto in_policy = R"({"Statement":[{"Sid":")" + json::serialize(json::string(secret)).substr(1);
    EXPECT_EQ(run("s3", "GetBucketPolicy", in_policy + "}]}").body.find(secret.substr(12, 20)), std::string::npos) << secret;
    const auto in_xml = "<Tagging><TagSet><Tag><Key>k</Key><Value>" + secret + "</Value></Tag></TagSet></Tagging>";
    EXPECT_EQ(run("s3", "GetBucketTagging", in_xml).body.find(secret.substr(12, 20)), std::string::npos) << secret;
    const auto in_cdata = "<Tagging><TagSet><Tag><Key>k</Key><Value><![CDATA[" + secret + "]]></Value></Tag></TagSet></Tagging>";
    EXPECT_EQ(run("s3", "GetBucketTagging", in_cdata).body.find(secret.substr(12, 20)), std::string::npos) << secret;
  }
}

TEST_F(Redaction, ABodyWithoutSecretsStaysAsReceived) {
  const std::string body =
      R"( {"Keys" : [ {"KeyId":"12345678-1234-1234-1234-123456789012","KeyArn":"arn:aws:kms:x:1:key\/1"} ], "Truncated":false } )";
  const auto redacted = run("kms", "ListKeys", body);
  EXPECT_EQ(redacted.body, body);
  EXPECT_TRUE(redacted.paths.empty());
}

TEST(SecretsKeyFile, IsMadeOnceAndOnlyForItsOwner) {
  const TemporaryDirectory home;
  ASSERT_TRUE(make_secrets_key(home.path()));
  const auto path = home.path() / "keys" / "secrets.key";
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  const auto key = read_secrets_key(home.path());
  ASSERT_TRUE(key);
  EXPECT_NE(key->bytes, SecretsKey{}.bytes);
  EXPECT_EQ(make_secrets_key(home.path()).error().code, Errc::usage);
  ASSERT_EQ(::chmod(path.c_str(), 0644), 0);
  EXPECT_EQ(read_secrets_key(home.path()).error().code, Errc::config);
  EXPECT_EQ(read_secrets_key(home.path() / "other").error().code, Errc::not_found);
}

}  // namespace
}  // namespace vouch::collect
