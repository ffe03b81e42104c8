// What becomes of an answer, whatever its pages: see the table in http_dialect.h.
#include "wire/http_api_test.h"

namespace vouch::wire {
namespace {

using HttpDialectTest = HttpApiTest;

const std::string kMoved = "https://api.forge.test/v1/repositories/7";

TEST_F(HttpDialectTest, SendsTheFilledUrlTheHeadersAndTheSignIn) {
  operation("branch", "/repos/{owner}/{repo}/branches/{branch}?full={full}").headers = {{"Accept", "application/special"}};
  answer([](const HttpRequest&, std::size_t) { return reply(200, R"({"protected":true})"); });
  const auto ended = run("branch", json::object{{"owner", "acme"}, {"repo", "a b"}, {"branch", "release/1"}, {"full", true}});
  ASSERT_EQ(ended->outcome->heard, Heard::ok) << ended->outcome->message;
  EXPECT_EQ(ended->pages.at(0).value, Json(json::object{{"protected", true}}));
  const auto& request = transport->requests.at(0);
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.url, "https://api.forge.test/v1/repos/acme/a%20b/branches/release%2F1?full=true");
  EXPECT_EQ(*find_header(request.headers, "Accept"), "application/special");
  EXPECT_EQ(*find_header(request.headers, "X-Version"), "7");
  EXPECT_EQ(*find_header(request.headers, "Authorization"), "Bearer token-0");
}

TEST_F(HttpDialectTest, PostsABodyWhoseParamsKeepTheirKinds) {
  auto& search = operation("search", "/search");
  search.method = "POST";
  search.body = json::object{{"limit", "{limit}"}, {"query", "owner:{owner}"}, {"all", json::array{true, "{owner}"}}};
  answer([](const HttpRequest&, std::size_t) { return reply(200, "[]"); });
  EXPECT_EQ(run("search", json::object{{"limit", 5}, {"owner", "eng-07"}})->outcome->heard, Heard::ok);
  EXPECT_EQ(transport->requests.at(0).method, "POST");
  EXPECT_EQ(transport->requests.at(0).body, R"({"limit":5,"query":"owner:eng-07","all":[true,"eng-07"]})");
  EXPECT_EQ(*find_header(transport->requests.at(0).headers, "Content-Type"), "application/json");
}

TEST_F(HttpDialectTest, ParamsThatWouldAskForSomethingElseSendNothing) {
  operation("repo", "/repos/{repo}/x");
  answer([](const HttpRequest&, std::size_t) { return reply(200, "{}"); });
  for (const auto& value : {Json(""), Json("."), Json(".."), Json(nullptr), Json(json::array()), Json(1.5)}) {
    const auto ended = run("repo", json::object{{"repo", value}});
    EXPECT_EQ(ended->outcome->error->code, Errc::usage) << value;
  }
  EXPECT_EQ(run("repo")->outcome->error->code, Errc::usage);
  EXPECT_EQ(run("nothing")->outcome->error->code, Errc::not_found);
  EXPECT_TRUE(transport->requests.empty());
}

TEST_F(HttpDialectTest, StatusesAreToldApart) {
  operation("thing", "/thing");
  for (const auto& [status, heard, requests] : {std::tuple{404, Heard::absent, 1U},
                                                {410, Heard::absent, 1U},
                                                {403, Heard::denied, 1U},
                                                {451, Heard::denied, 1U},
                                                {400, Heard::failed, 1U},
                                                {422, Heard::failed, 1U},
                                                {304, Heard::failed, 1U},
                                                {206, Heard::failed, 1U},
                                                {500, Heard::failed, 5U},
                                                {503, Heard::failed, 5U},
                                                {408, Heard::failed, 5U},
                                                {429, Heard::throttled, 10U}}) {
    answer([status = status](const HttpRequest&, std::size_t) { return reply(status, R"({"message":"so it is"})"); });
    const auto ended = run("thing");
    EXPECT_EQ(ended->outcome->heard, heard) << status;
    EXPECT_EQ(ended->outcome->code, fmt::format("{}", status));
    EXPECT_EQ(ended->outcome->message, "so it is") << status;
    EXPECT_EQ(transport->requests.size(), requests) << status;
    ASSERT_EQ(ended->pages.size(), 1U) << status;
    EXPECT_TRUE(ended->pages[0].error);
  }
}

TEST_F(HttpDialectTest, GarbageIsMalformedAndNeverAnEmptyAnswer) {
  operation("thing", "/thing");
  for (const char* body :
       {"<html><body>sign in</body></html>", "", R"({"name":"a)", R"({"a":1,"a":2})", "\xff\xfe", "[] []", "\xef\xbb\xbf[]"}) {
    answer([&](const HttpRequest&, std::size_t) { return reply(200, body); });
    const auto ended = run("thing");
    EXPECT_EQ(ended->outcome->heard, Heard::failed) << body;
    EXPECT_EQ(ended->outcome->error->code, Errc::malformed) << body;
    EXPECT_TRUE(ended->pages.empty()) << body;
    EXPECT_EQ(transport->requests.size(), 5U) << body;
  }
}

TEST_F(HttpDialectTest, ACutOffAnswerIsReadAgain) {
  operation("thing", "/thing");
  answer([](const HttpRequest&, std::size_t nth) { return reply(200, nth == 1 ? R"([{"name":"a"},{"na)" : list_of("ab")); });
  EXPECT_EQ(run("thing")->names(), "ab");
}

TEST_F(HttpDialectTest, NoContentIsNullAndNotYetIsAskedAgain) {
  operation("thing", "/thing");
  answer([](const HttpRequest&, std::size_t nth) { return nth < 3 ? reply(202, "{}") : reply(204, ""); });
  const auto ended = run("thing");
  EXPECT_EQ(ended->outcome->heard, Heard::ok);
  EXPECT_TRUE(ended->pages.at(0).value.is_null());
  EXPECT_GE(seconds(), 3);  // one second, then two

  answer([](const HttpRequest&, std::size_t) { return reply(202, "{}"); });
  EXPECT_EQ(run("thing")->outcome->code, "202");
  EXPECT_EQ(client->counters().failed, 1U);
}

TEST_F(HttpDialectTest, TextIsOneStringAndAWebPageIsNone) {
  operation("people", "/people.csv").answer = AnswerKind::csv;
  answer([](const HttpRequest&, std::size_t) { return reply(200, "id,name\n1,eng-07\n", {{"Content-Type", "text/csv"}}); });
  EXPECT_EQ(run("people")->pages.at(0).value, Json("id,name\n1,eng-07\n"));
  answer([](const HttpRequest&, std::size_t) { return reply(200, "<!DOCTYPE html>", {{"Content-Type", "text/html; charset=utf-8"}}); });
  EXPECT_EQ(run("people")->outcome->error->code, Errc::malformed);
  answer([](const HttpRequest&, std::size_t) { return reply(200, "\xe9", {{"Content-Type", "text/csv"}}); });
  EXPECT_EQ(run("people")->outcome->error->code, Errc::malformed);
}

// ---- sign-in ----

TEST_F(HttpDialectTest, AnExpiredSignInIsRenewedOnceForAll) {
  operation("thing", "/thing");
  const auto old_ones_are_refused = [](const HttpRequest& request, std::size_t) {
    return find_header(request.headers, "Authorization")->ends_with("token-0") ? reply(401, R"({"message":"Bad credentials"})")
                                                                               : reply(200, "[]");
  };
  answer(old_ones_are_refused);
  std::vector<std::shared_ptr<Ended>> all;
  for (int i = 0; i < 8; ++i) all.push_back(start("thing"));
  client->run();
  for (const auto& ended : all) EXPECT_EQ(ended->outcome->heard, Heard::ok);
  EXPECT_EQ(sign_in.renewed, 1);
}

TEST_F(HttpDialectTest, ASignInThatIsRefusedTwiceOrCannotBeRenewedIsDenied) {
  operation("thing", "/thing");
  answer([](const HttpRequest&, std::size_t) { return reply(401, R"({"message":"Bad credentials"})"); });
  auto ended = run("thing");
  EXPECT_EQ(ended->outcome->heard, Heard::denied);
  EXPECT_EQ(ended->outcome->code, "401");
  EXPECT_EQ(transport->requests.size(), 2U);

  sign_in.renewable = false;
  answer([](const HttpRequest&, std::size_t) { return reply(401, R"({"message":"Bad credentials"})"); });
  ended = run("thing");
  EXPECT_EQ(ended->outcome->heard, Heard::denied);
  EXPECT_EQ(transport->requests.size(), 1U);
}

TEST_F(HttpDialectTest, ASignInIsNeverSentInTheOpenToAnotherMachine) {
  operation("thing", "/thing");
  for (const auto& [base, sent] :
       {std::pair{"http://api.forge.test", false}, {"http://127.0.0.1:8080/x", true}, {"http://[::1]:80", true}}) {
    api.base = base;
    answer([](const HttpRequest&, std::size_t) { return reply(200, "[]"); });
    EXPECT_EQ(run("thing")->outcome->heard == Heard::ok, sent) << base;
    EXPECT_EQ(transport->requests.size(), sent ? 1U : 0U) << base;
  }
}

TEST_F(HttpDialectTest, AConfiguredEndpointMarksAnswersAsSimulated) {
  operation("thing", "/thing");
  api.overridden = true;
  answer([](const HttpRequest&, std::size_t) { return reply(200, "[]"); });
  EXPECT_TRUE(run("thing")->outcome->simulated);
}

// ---- redirects ----

TEST_F(HttpDialectTest, ARenamedThingIsFollowedOnceAndWithTheSignIn) {
  operation("thing", "/repos/acme/old");
  for (const int status : {301, 302, 307, 308}) {
    for (const char* location :
         {"https://api.forge.test/v1/repositories/7", "/v1/repositories/7", "//API.forge.test:443/v1/repositories/7"}) {
      answer([&](const HttpRequest& request, std::size_t) {
        return has(request, "/old") ? reply(status, "{}", {{"Location", location}}) : reply(200, list_of("a"));
      });
      EXPECT_EQ(run("thing")->names(), "a") << status << location;
      EXPECT_EQ(*find_header(transport->requests.at(1).headers, "Authorization"), "Bearer token-0");
    }
  }
}

TEST_F(HttpDialectTest, ARedirectToAnotherHostIsNotFollowed) {
  operation("thing", "/thing");
  for (const char* location :
       {"https://evil.test/v1/thing", "http://api.forge.test/v1/thing", "https://api.forge.test:8443/v1/thing",
        "https://api.forge.test@evil.test/", "//evil.test/", "javascript:alert(1)", "https://api.forge.test\\@evil.test/"}) {
    answer([&](const HttpRequest&, std::size_t) { return reply(302, "", {{"Location", location}}); });
    const auto ended = run("thing");
    EXPECT_EQ(ended->outcome->heard, Heard::failed) << location;
    EXPECT_EQ(ended->outcome->code, "302") << location;
    EXPECT_EQ(transport->requests.size(), 1U) << location;
  }
}

TEST_F(HttpDialectTest, RedirectsInACircleAndThoseOfAPostFail) {
  operation("thing", "/thing");
  auto& post = operation("search", "/search");
  post.method = "POST";
  answer([](const HttpRequest&, std::size_t) { return reply(301, "", {{"Location", kMoved}}); });
  EXPECT_EQ(run("thing")->outcome->code, "301");
  EXPECT_EQ(transport->requests.size(), 2U);
  EXPECT_EQ(run("search")->outcome->code, "301");
  EXPECT_EQ(transport->requests.size(), 3U);
}

// ---- GraphQL ----

TEST_F(HttpDialectTest, AQueryIsPostedWithItsVariables) {
  query("me", "query($login: String!) { user(login: $login) { id } }");
  for (const auto& [base, where, url] : {std::tuple{"https://api.forge.test", "/graphql", "https://api.forge.test/graphql"},
                                         {"https://api.forge.test", "../graphql", "https://api.forge.test/graphql"},
                                         {"https://forge.acme.test/api/v3/", "../graphql", "https://forge.acme.test/api/graphql"},
                                         {"https://api.forge.test/v1", "https://api.forge.test/query", "https://api.forge.test/query"}}) {
    api.base = base;
    api.graphql_url = where;
    answer([](const HttpRequest&, std::size_t) { return reply(200, R"({"data":{"user":{"id":"U1"}}})"); });
    const auto ended = run("me", json::object{{"login", "eng-07"}});
    EXPECT_EQ(ended->outcome->heard, Heard::ok);
    EXPECT_EQ(transport->requests.at(0).url, url);
  }
  const auto body = parse_json(transport->requests.at(0).body).value();
  EXPECT_EQ(*find_string(body, "query"), "query($login: String!) { user(login: $login) { id } }");
  EXPECT_EQ(body.at("variables"), Json(json::object{{"login", "eng-07"}}));
}

TEST_F(HttpDialectTest, PartialDataOfAQueryIsAnErrorAnswer) {
  query("me", "{ viewer { id } }");
  for (const auto& [errors, heard, code, requests] :
       {std::tuple{R"([{"type":"FORBIDDEN","message":"m"}])", Heard::denied, "FORBIDDEN", 1U},
        {R"([{"type":"NOT_FOUND","message":"m"}])", Heard::absent, "NOT_FOUND", 1U},
        {R"([{"type":"NOT_FOUND","message":"m"},{"type":"FORBIDDEN","message":"m"}])", Heard::denied, "FORBIDDEN", 1U},
        {R"([{"extensions":{"code":"undefinedField"},"message":"m"}])", Heard::failed, "undefinedField", 1U},
        {R"([{"message":"m"}])", Heard::failed, "GraphQLError", 5U}}) {
    answer([errors = errors](const HttpRequest&, std::size_t) {
      return reply(200, fmt::format(R"({{"data":{{"viewer":{{"id":"U1"}},"other":null}},"errors":{}}})", errors));
    });
    const auto ended = run("me");
    EXPECT_EQ(ended->outcome->heard, heard) << errors;
    EXPECT_EQ(ended->outcome->code, code) << errors;
    EXPECT_EQ(ended->outcome->message, "m") << errors;
    EXPECT_TRUE(ended->pages.at(0).error);
    EXPECT_EQ(transport->requests.size(), requests) << errors;
  }
  api.limits = {};
  answer([](const HttpRequest&, std::size_t nth) {
    return nth == 1 ? reply(400, R"({"errors":[{"message":"m","extensions":{"code":"RATELIMITED"}}]})", {{"Retry-After", "30"}})
                    : reply(200, R"({"data":{}})");
  });
  EXPECT_EQ(run("me")->outcome->heard, Heard::ok);
  EXPECT_GE(seconds(), 30);
  for (const char* body : {"{}", R"({"data":null})", R"({"data":[]})", R"({"errors":[]})", R"({"errors":"no"})"}) {
    answer([&](const HttpRequest&, std::size_t) { return reply(200, body); });
    EXPECT_EQ(run("me")->outcome->error->code, Errc::malformed) << body;
  }
}

}  // namespace
}  // namespace vouch::wire
