#include "wire/sign_in.h"

#include "base/encoding.h"
#include "base/file.h"
#include "base/json.h"
#include "wire/jwt.h"
#include "wire/percent.h"
#include "wire/scripted_transport.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <cstdlib>
#include <memory>

namespace vouch::wire {
namespace {

const Instant kNow = parse_instant("2026-11-24T00:00:00Z").value();
const std::int64_t kSeconds = kNow.micros / 1'000'000;

// An RSA key made for this run, and both its halves.
struct TestKey {
  explicit TestKey(unsigned bits = 2048) : key(EVP_RSA_gen(bits), &EVP_PKEY_free) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> out{BIO_new(BIO_s_mem()), &BIO_free};
    PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    char* data = nullptr;
    const auto size = BIO_get_mem_data(out.get(), &data);
    pem.assign(data, static_cast<std::size_t>(size));
  }
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key;
  std::string pem;

  static std::string decode(std::string_view text) {
    std::string out{text};
    for (auto& c : out) c = c == '-' ? '+' : c == '_' ? '/' : c;
    while (out.size() % 4 != 0) out += '=';
    return std::string{text_of(parse_base64(out).value())};
  }

  // Header and claims of a token that this key signed; null when it did not.
  std::pair<Json, Json> read(std::string_view token) const {
    const auto first = token.find('.'), second = token.rfind('.');
    const auto signature = decode(token.substr(second + 1));
    const auto text = bytes_of(token.substr(0, second)), signed_by = bytes_of(signature);
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
    EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get());
    if (EVP_DigestVerify(context.get(), signed_by.data(), signed_by.size(), text.data(), text.size()) != 1) return {};
    return {parse_json(decode(token.substr(0, first))).value(), parse_json(decode(token.substr(first + 1, second - first - 1))).value()};
  }
};

const TestKey& test_key() {
  static const TestKey key;
  return key;
}

class SignInTest : public ::testing::Test {
 protected:
  Secret secret_file(const std::string& name, std::string_view text, unsigned mode = 0600) {
    const auto path = directory.path() / name;
    EXPECT_TRUE(write_file(path, text, Sync::no, mode));
    return Secret::file(path);
  }
  static std::string authorization(SignIn& sign_in, Instant now = kNow) {
    HttpRequest request;
    const auto done = sign_in.sign(request, now);
    if (!done) return "error " + std::string{name_of(done.error().code)} + ": " + done.error().message;
    const auto* header = find_header(request.headers, "Authorization");
    return header ? *header : std::string{};
  }
  static ScriptedTransport::Reply json_reply(int status, const Json& body) { return {answer_with(status, json::serialize(body))}; }

  TemporaryDirectory directory;
};

// ---- secrets ----

TEST_F(SignInTest, ASecretIsReadFromWhereItIsKept) {
  setenv("VOUCH_TEST_TOKEN", "from-environment\n", 1);
  EXPECT_EQ(Secret::environment("VOUCH_TEST_TOKEN").read()->view(), "from-environment");
  EXPECT_EQ(secret_file("token", "from-file\r\n").read()->view(), "from-file");
  EXPECT_EQ(Secret::command({"printf", "%s\n", "from; $(command)"}).read()->view(), "from; $(command)");
}

TEST_F(SignInTest, ASecretThatIsNotThereSaysWhereItWasLookedFor) {
  unsetenv("VOUCH_TEST_TOKEN");
  const auto missing = Secret::environment("VOUCH_TEST_TOKEN").read();
  EXPECT_EQ(missing.error().code, Errc::config);
  EXPECT_EQ(missing.error().message, "$VOUCH_TEST_TOKEN is not set");
  EXPECT_EQ(Secret::file(directory.path() / "none").read().error().code, Errc::not_found);
  EXPECT_EQ(Secret::command({"false"}).read().error().code, Errc::denied);
  EXPECT_EQ(Secret::command({"vouch-no-such-program"}).read().error().code, Errc::not_found);
  EXPECT_EQ(secret_file("empty", " \n").read().error().code, Errc::config);
}

TEST_F(SignInTest, AFileThatOthersCanReadIsRefused) {
  for (const unsigned mode : {0640U, 0604U, 0620U, 0644U}) {
    const auto secret = secret_file(fmt::format("open-{:o}", mode), "secret-text", mode);
    const auto read = secret.read();
    ASSERT_FALSE(read) << mode;
    EXPECT_EQ(read.error().code, Errc::config);
    EXPECT_NE(read.error().message.find("chmod 600"), std::string::npos);
    EXPECT_EQ(read.error().message.find("secret-text"), std::string::npos);
  }
}

TEST_F(SignInTest, ATokenOfTwoLinesCannotSmuggleAHeader) {
  const auto read = secret_file("token", "abc\r\nX-Evil: 1").read_token();
  EXPECT_EQ(read.error().code, Errc::config);
  EXPECT_EQ(read.error().message.find("abc"), std::string::npos);
}

// ---- fixed sign-ins ----

TEST_F(SignInTest, HeadersAreMadeOfTheSecret) {
  setenv("VOUCH_TEST_TOKEN", "t0ken", 1);
  const auto token = [] { return Secret::environment("VOUCH_TEST_TOKEN"); };
  EXPECT_EQ(authorization(*bearer_sign_in(token())), "Bearer t0ken");
  EXPECT_EQ(authorization(*header_sign_in("Authorization", "SSWS {token}", token())), "SSWS t0ken");
  EXPECT_EQ(authorization(*basic_sign_in("eng-07@acme.test", token())), "Basic ZW5nLTA3QGFjbWUudGVzdDp0MGtlbg==");
  EXPECT_EQ(authorization(*no_sign_in()), "");
  EXPECT_TRUE(no_sign_in()->is_anonymous());
  EXPECT_FALSE(bearer_sign_in(token())->is_anonymous());
}

TEST_F(SignInTest, ARenewedTokenIsReadAgainWhereItCanHaveChanged) {
  const auto fixed = bearer_sign_in(Secret::environment("VOUCH_TEST_TOKEN"));
  EXPECT_FALSE(fixed->renew());
  const auto changing = bearer_sign_in(secret_file("token", "one"));
  EXPECT_EQ(authorization(*changing), "Bearer one");
  secret_file("token", "two");
  EXPECT_EQ(authorization(*changing), "Bearer one");
  EXPECT_TRUE(changing->renew());
  EXPECT_EQ(authorization(*changing), "Bearer two");
}

// ---- tokens that are fetched ----

class GithubAppTest : public SignInTest {
 protected:
  // A GitHub that knows one app, installed once, and hands out tokens of an hour.
  ScriptedTransport::Reply github(const HttpRequest& request) {
    const auto [header, claims] = test_key().read(find_header(request.headers, "Authorization")->substr(7));
    if (!claims.is_object() || claims.at("iss") != Json("12345"))
      return json_reply(401, json::object{{"message", "A JSON web token could not be decoded"}});
    const auto expires = claims.at("exp").as_int64(), issued = claims.at("iat").as_int64();
    if (issued > server_seconds || expires < server_seconds || expires > server_seconds + 600) {
      auto reply = json_reply(401, json::object{{"message", "'Expiration time' claim ('exp') is too far in the future"}});
      reply.answer->server_date = Instant{server_seconds * 1'000'000};
      return reply;
    }
    if (request.url == "https://api.github.test/orgs/acme/installation") return json_reply(200, json::object{{"id", 77}});
    if (request.url == "https://api.github.test/app/installations") return json_reply(200, json::array{json::object{{"id", 77}}});
    if (request.method == "POST" && request.url == "https://api.github.test/app/installations/77/access_tokens") {
      ++tokens;
      return json_reply(201, json::object{{"token", fmt::format("ghs_{}_{}", tokens, std::string(300, 'x'))},
                                          {"expires_at", to_string(Instant{(server_seconds + 3600) * 1'000'000})}});
    }
    return json_reply(404, json::object{{"message", "Not Found"}});
  }

  std::unique_ptr<SignIn> app(std::string organisation = "acme") {
    return github_app_sign_in({.base = "https://api.github.test/",
                               .id = "12345",
                               .key = secret_file("app.pem", test_key().pem),
                               .organisation = std::move(organisation),
                               .headers = {{"X-GitHub-Api-Version", "2022-11-28"}}},
                              transport);
  }

  std::int64_t server_seconds = kSeconds;
  int tokens = 0;
  ScriptedTransport transport{[this](const HttpRequest& request, std::size_t) { return github(request); }};
};

TEST_F(GithubAppTest, AnAppFindsItsInstallationAndKeepsItsToken) {
  for (const char* organisation : {"acme", ""}) {
    const auto sign_in = app(organisation);
    const auto first = authorization(*sign_in);
    EXPECT_TRUE(first.starts_with("Bearer ghs_")) << first;
    EXPECT_EQ(authorization(*sign_in, kNow + Duration::minutes(50)), first);
  }
  EXPECT_EQ(transport.requests.size(), 4U);
  EXPECT_EQ(*find_header(transport.requests[0].headers, "X-GitHub-Api-Version"), "2022-11-28");
}

TEST_F(GithubAppTest, ATokenIsFetchedAnewBeforeItExpiresAndWhenItIsRefused) {
  const auto sign_in = app();
  EXPECT_TRUE(authorization(*sign_in).starts_with("Bearer ghs_1"));
  server_seconds += 56 * 60;
  EXPECT_TRUE(authorization(*sign_in, kNow + Duration::minutes(56)).starts_with("Bearer ghs_2"));
  EXPECT_TRUE(sign_in->renew());
  EXPECT_TRUE(authorization(*sign_in, kNow + Duration::minutes(57)).starts_with("Bearer ghs_3"));
  EXPECT_EQ(transport.requests.size(), 4U);  // the installation is looked up once
}

TEST_F(GithubAppTest, TheOldTokenServesWhileANewOneCannotBeHad) {
  const auto sign_in = app();
  const auto first = authorization(*sign_in);
  ScriptedTransport broken{[](const HttpRequest&, std::size_t) { return ScriptedTransport::Reply{answer_with(503, "")}; }};
  std::swap(transport, broken);
  EXPECT_EQ(authorization(*sign_in, kNow + Duration::minutes(56)), first);
  EXPECT_TRUE(authorization(*sign_in, kNow + Duration::minutes(60)).starts_with("error unreachable"));
}

TEST_F(GithubAppTest, AWrongClockIsCorrectedByTheirs) {
  server_seconds = kSeconds + 3 * 3600;
  EXPECT_TRUE(authorization(*app()).starts_with("Bearer ghs_1"));
  server_seconds = kSeconds - 3 * 3600;
  EXPECT_TRUE(authorization(*app()).starts_with("Bearer ghs_2"));
}

TEST_F(GithubAppTest, AnAppThatIsNotInstalledOrNotKnownSaysSo) {
  EXPECT_EQ(authorization(*app("others")), "error not_found: GitHub App 12345 for `others` is not installed there");
  const auto unknown = github_app_sign_in({.base = "https://api.github.test",
                                           .id = "999",
                                           .key = secret_file("app.pem", test_key().pem),
                                           .organisation = "acme",
                                           .headers = {}},
                                          transport);
  EXPECT_EQ(authorization(*unknown), "error denied: `https://api.github.test` refuses with 401, A JSON web token could not be decoded");
}

TEST_F(GithubAppTest, AFailureStandsForAMomentSoThatThousandsOfCallsDoNotEachAsk) {
  const auto sign_in = app("others");
  for (int i = 0; i < 100; ++i) authorization(*sign_in);
  EXPECT_EQ(transport.requests.size(), 1U);
  authorization(*sign_in, kNow + Duration::seconds(31));
  EXPECT_EQ(transport.requests.size(), 2U);
}

TEST_F(GithubAppTest, AKeyThatIsNoneNeverAppearsInTheError) {
  const TestKey weak{1024};
  for (const auto& text :
       {std::string{"-----BEGIN PRIVATE KEY-----\nsecret-text\n-----END PRIVATE KEY-----"}, std::string{"secret-text"}, weak.pem}) {
    const auto sign_in = github_app_sign_in(
        {.base = "https://api.github.test", .id = "12345", .key = secret_file("bad.pem", text), .organisation = "acme", .headers = {}},
        transport);
    const auto said = authorization(*sign_in);
    EXPECT_TRUE(said.starts_with("error config")) << said;
    EXPECT_EQ(said.find("secret-text"), std::string::npos);
    EXPECT_NE(said.find("bad.pem"), std::string::npos);
  }
  EXPECT_TRUE(transport.requests.empty());
}

TEST_F(SignInTest, AnOauthClientSendsItsSecretInTheHeaderOrInTheBody) {
  ScriptedTransport transport{[](const HttpRequest&, std::size_t nth) {
    return json_reply(200, json::object{{"access_token", fmt::format("at-{}", nth)}, {"token_type", "Bearer"}, {"expires_in", 600}});
  }};
  setenv("VOUCH_TEST_TOKEN", "s3cret/=", 1);
  const auto make = [&](bool in_body) {
    return oauth_client_sign_in({.token_url = "https://id.test/token",
                                 .id = "client id",
                                 .secret = Secret::environment("VOUCH_TEST_TOKEN"),
                                 .scopes = {"users.read", "logs.read"},
                                 .secret_in_body = in_body,
                                 .extra = {{"audience", "https://api.test/"}}},
                                transport);
  };
  const auto in_header = make(false);
  EXPECT_EQ(authorization(*in_header), "Bearer at-1");
  EXPECT_EQ(*find_header(transport.requests[0].headers, "Authorization"), "Basic Y2xpZW50JTIwaWQ6czNjcmV0JTJGJTNE");
  EXPECT_EQ(transport.requests[0].body, "grant_type=client_credentials&scope=users.read%20logs.read&audience=https%3A%2F%2Fapi.test%2F");
  const auto in_body = make(true);
  EXPECT_EQ(authorization(*in_body), "Bearer at-2");
  EXPECT_EQ(find_header(transport.requests[1].headers, "Authorization"), nullptr);
  EXPECT_TRUE(transport.requests[1].body.ends_with("&client_id=client%20id&client_secret=s3cret%2F%3D"));
  EXPECT_EQ(authorization(*in_header, kNow + Duration::seconds(440)), "Bearer at-1");
  EXPECT_EQ(authorization(*in_header, kNow + Duration::seconds(460)), "Bearer at-3");  // a quarter of ten minutes is left
}

TEST_F(SignInTest, ATokenServiceThatStumblesIsAskedAgainAndOneThatRefusesIsNot) {
  setenv("VOUCH_TEST_TOKEN", "s3cret", 1);
  for (const auto& [status, body, expected, requests] :
       {std::tuple{500, R"({})", "Bearer ok", 3U},
        {200, "<html>", "Bearer ok", 3U},
        {429, "{}", "Bearer ok", 3U},
        {401, R"({"error":"invalid_client","error_description":"s3cret"})",
         "error denied: `https://id.test` refuses with 401, invalid_client", 1U},
        {400, "nonsense s3cret", "error denied: `https://id.test` refuses with 400", 1U}}) {
    ScriptedTransport transport{[status = status, body = body](const HttpRequest&, std::size_t nth) {
      return nth < 3 ? ScriptedTransport::Reply{answer_with(status, body)} : json_reply(200, json::object{{"access_token", "ok"}});
    }};
    const auto sign_in = oauth_client_sign_in(
        {.token_url = "https://id.test/token", .id = "c", .secret = Secret::environment("VOUCH_TEST_TOKEN"), .scopes = {}}, transport);
    EXPECT_EQ(authorization(*sign_in), expected);
    EXPECT_EQ(transport.requests.size(), requests) << status;
  }
}

TEST_F(SignInTest, AnAnswerWithoutAUsableTokenIsMalformed) {
  setenv("VOUCH_TEST_TOKEN", "s3cret", 1);
  for (const char* body :
       {"{}", R"({"access_token":""})", R"({"access_token":"a b"})", R"({"access_token":"a\r\nX: 1"})", R"({"access_token":7})", "[]"}) {
    ScriptedTransport transport{[&](const HttpRequest&, std::size_t) { return ScriptedTransport::Reply{answer_with(200, body)}; }};
    const auto sign_in = oauth_client_sign_in(
        {.token_url = "https://id.test/token", .id = "c", .secret = Secret::environment("VOUCH_TEST_TOKEN"), .scopes = {}}, transport);
    EXPECT_TRUE(authorization(*sign_in).starts_with("error malformed")) << body;
  }
}

TEST_F(SignInTest, SecretsAreNotSentInTheOpenToAnotherMachine) {
  setenv("VOUCH_TEST_TOKEN", "s3cret", 1);
  ScriptedTransport transport{[](const HttpRequest&, std::size_t) { return json_reply(200, json::object{{"access_token", "ok"}}); }};
  for (const auto& [url, expected] :
       {std::pair{"http://id.test/token", false}, {"ftp://id.test/token", false}, {"http://127.0.0.1:1/token", true}}) {
    const auto sign_in =
        oauth_client_sign_in({.token_url = url, .id = "c", .secret = Secret::environment("VOUCH_TEST_TOKEN"), .scopes = {}}, transport);
    EXPECT_EQ(authorization(*sign_in) == "Bearer ok", expected) << url;
  }
  EXPECT_EQ(transport.requests.size(), 1U);
}

TEST_F(SignInTest, AServiceAccountActsForAPerson) {
  ScriptedTransport transport{[](const HttpRequest&, std::size_t) {
    return json_reply(200, json::object{{"access_token", "ya29"}, {"token_type", "Bearer"}, {"expires_in", 3599}});
  }};
  const auto key = json::serialize(Json(json::object{{"type", "service_account"},
                                                     {"client_email", "vouch@project.test"},
                                                     {"private_key_id", "k1"},
                                                     {"private_key", test_key().pem},
                                                     {"token_uri", "https://oauth2.test/token"}}));
  const auto sign_in =
      google_sign_in({.key = secret_file("key.json", key), .subject = "admin@acme.test", .scopes = {"scope/a", "scope/b"}}, transport);
  EXPECT_EQ(authorization(*sign_in), "Bearer ya29");
  const auto& request = transport.requests.at(0);
  EXPECT_EQ(request.url, "https://oauth2.test/token");
  constexpr std::string_view start = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
  ASSERT_TRUE(request.body.starts_with(start));
  const auto [header, claims] = test_key().read(percent_decode(request.body.substr(start.size())).value());
  EXPECT_EQ(header, Json(json::object{{"alg", "RS256"}, {"typ", "JWT"}, {"kid", "k1"}}));
  EXPECT_EQ(claims, Json(json::object{{"iss", "vouch@project.test"},
                                      {"scope", "scope/a scope/b"},
                                      {"aud", "https://oauth2.test/token"},
                                      {"iat", kSeconds},
                                      {"exp", kSeconds + 3600},
                                      {"sub", "admin@acme.test"}}));
}

TEST_F(SignInTest, AServiceAccountsKeyThatIsNoneIsNamed) {
  ScriptedTransport transport{[](const HttpRequest&, std::size_t) { return json_reply(200, json::object()); }};
  for (const char* text :
       {"secret-text", "{}", R"({"client_email":"a","private_key":"secret-text","token_uri":"https://oauth2.test/token"})"}) {
    const auto said = authorization(*google_sign_in({.key = secret_file("key.json", text), .subject = {}, .scopes = {}}, transport));
    EXPECT_TRUE(said.starts_with("error config")) << said;
    EXPECT_EQ(said.find("secret-text"), std::string::npos);
  }
}

}  // namespace
}  // namespace vouch::wire
