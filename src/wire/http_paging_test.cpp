// Listings of many pages: that they end, that they are complete, and that what does not fit is an error.
#include "wire/http_api_test.h"
#include "wire/url.h"

#include <charconv>

namespace vouch::wire {
namespace {

using Style = Paging::Style;

class HttpPagingTest : public HttpApiTest {
 protected:
  // Pages as each style writes them, of the names in `pages`.
  std::vector<std::string> pages{"ab", "cd", "e"};

  static std::size_t number_in(std::string_view text) {
    std::size_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
  }

  void expect_all(const std::string& name) {
    const auto ended = run(name);
    EXPECT_EQ(ended->outcome->heard, Heard::ok) << ended->outcome->message;
    EXPECT_EQ(ended->outcome->pages, 3U);
    std::string all;
    for (const auto& page : ended->pages) {
      const Json* list = &page.value;
      for (const auto& member : api.operations.at(name).paging.items.members()) list = find(*list, member);
      for (const auto& item : list->as_array()) all += *find_string(item, "name");
    }
    EXPECT_EQ(all, "abcde");
    EXPECT_EQ(transport->requests.size(), 3U);
  }

  // Answers by Link headers: page n at …/things?page=n.
  Reply linked(const HttpRequest& request, Headers headers = {}) const {
    const auto number = std::max<std::size_t>(number_in(query_value(request.url, "page")), 1);
    if (number < pages.size()) headers.push_back(link_to(fmt::format("https://api.forge.test/v1/things?page={}", number + 1)));
    return reply(200, list_of(pages.at(number - 1)), std::move(headers));
  }
};

TEST_F(HttpPagingTest, FollowsLinksAsTheyStand) {
  operation("things", "/things?per_page=2", {.style = Style::link});
  answer([&](const HttpRequest& request, std::size_t) { return linked(request); });
  expect_all("things");
  EXPECT_EQ(transport->requests.at(1).url, "https://api.forge.test/v1/things?page=2");
}

TEST_F(HttpPagingTest, FollowsAUrlInTheAnswer) {
  operation("things", "/things", {.style = Style::next, .path = path(R"("@odata.nextLink")"), .items = path("value[]")});
  answer([&](const HttpRequest&, std::size_t nth) {
    const auto next = nth < 3 ? fmt::format(R"("/v1/things?after={}")", nth) : nth == 3 ? "null" : "\"\"";
    return reply(200, fmt::format(R"({{"value":{},"@odata.nextLink":{}}})", list_of(pages.at(nth - 1)), next));
  });
  expect_all("things");
  EXPECT_EQ(transport->requests.at(2).url, "https://api.forge.test/v1/things?after=2");
}

TEST_F(HttpPagingTest, SendsACursorBackWhereItBelongs) {
  const auto give = [&](const HttpRequest&, std::size_t nth) {
    return reply(200,
                 fmt::format(R"({{"list":{}{}}})", list_of(pages.at(nth - 1)), nth < 3 ? fmt::format(R"(,"cursor":"c&{}")", nth) : ""));
  };
  const Paging paging{.style = Style::cursor, .path = path("cursor"), .as = "after", .items = path("list[]")};
  operation("get", "/things?limit=2", paging);
  answer(give);
  expect_all("get");
  EXPECT_EQ(transport->requests.at(1).url, "https://api.forge.test/v1/things?limit=2&after=c%261");
  EXPECT_EQ(transport->requests.at(2).url, "https://api.forge.test/v1/things?limit=2&after=c%262");

  operation("post", "/things", paging).method = "POST";
  api.operations.at("post").body = json::object{{"limit", 2}};
  answer(give);
  expect_all("post");
  EXPECT_EQ(transport->requests.at(2).body, R"({"limit":2,"after":"c&2"})");
}

TEST_F(HttpPagingTest, CountsPagesAndEndsAtAShortOne) {
  operation("things", "/things", {.style = Style::page, .as = "page", .from = 0, .size = 2});
  answer(
      [&](const HttpRequest& request, std::size_t) { return reply(200, list_of(pages.at(number_in(query_value(request.url, "page"))))); });
  expect_all("things");
  EXPECT_EQ(transport->requests.at(0).url, "https://api.forge.test/v1/things?page=0");

  pages = {"ab", "cd", "", "never"};
  answer(
      [&](const HttpRequest& request, std::size_t) { return reply(200, list_of(pages.at(number_in(query_value(request.url, "page"))))); });
  EXPECT_EQ(run("things")->names(), "abcd");
}

TEST_F(HttpPagingTest, CountsItemsForAnOffset) {
  operation("things", "/things?limit=2", {.style = Style::offset, .as = "offset", .from = 0, .size = 2});
  answer([&](const HttpRequest& request, std::size_t) {
    return reply(200, list_of(std::string_view{"abcde"}.substr(number_in(query_value(request.url, "offset")), 2)));
  });
  expect_all("things");
  EXPECT_EQ(transport->requests.at(2).url, "https://api.forge.test/v1/things?limit=2&offset=4");
}

TEST_F(HttpPagingTest, PagesThroughAConnection) {
  query("things", "query($after: String) { things { … } }",
        {.style = Style::page_info, .path = path("data.things.pageInfo"), .as = "after", .items = path("data.things.nodes[]")});
  answer([&](const HttpRequest&, std::size_t nth) {
    return reply(200, fmt::format(R"({{"data":{{"things":{{"nodes":{},"pageInfo":{{"hasNextPage":{},"endCursor":"C{}"}}}}}}}})",
                                  list_of(pages.at(nth - 1)), nth < 3, nth));
  });
  expect_all("things");
  EXPECT_EQ(parse_json(transport->requests.at(0).body)->at("variables"), Json(json::object()));
  EXPECT_EQ(parse_json(transport->requests.at(2).body)->at("variables"), Json(json::object{{"after", "C2"}}));
}

TEST_F(HttpPagingTest, AConnectionThatDoesNotSayWhetherThereIsMoreIsMalformed) {
  query("things", "{ things }", {.style = Style::page_info, .path = path("data.things.pageInfo"), .as = "after"});
  for (const char* things :
       {"null", "{}", R"({"pageInfo":null})", R"({"pageInfo":{"endCursor":"x"}})", R"({"pageInfo":{"hasNextPage":true}})",
        R"({"pageInfo":{"hasNextPage":true,"endCursor":null}})", R"({"pageInfo":{"hasNextPage":"false"}})"}) {
    answer([&](const HttpRequest&, std::size_t) { return reply(200, fmt::format(R"({{"data":{{"things":{}}}}})", things)); });
    EXPECT_EQ(run("things")->outcome->error->code, Errc::malformed) << things;
  }
}

TEST_F(HttpPagingTest, ALinkToAnotherHostIsNotFollowedAndTheListingIsIncomplete) {
  operation("things", "/things", {.style = Style::link});
  operation("more", "/things", {.style = Style::next, .path = path("next"), .items = path("list")});
  for (const char* url :
       {"https://evil.test/v1/things?page=2", "http://api.forge.test/v1/things?page=2", "//evil.test/x", "https://api.forge.test:444/",
        "https://api.forge.test@evil.test/", "ftp://api.forge.test/", "https://api.forge.test\\.evil.test/"}) {
    answer([&](const HttpRequest&, std::size_t) { return reply(200, list_of("a"), {link_to(url)}); });
    EXPECT_EQ(run("things")->outcome->error->code, Errc::malformed) << url;
    EXPECT_EQ(transport->requests.size(), 1U) << url;
    const auto body = json::serialize(Json(json::object{{"list", json::array{1}}, {"next", url}}));
    answer([&](const HttpRequest&, std::size_t) { return reply(200, body); });
    EXPECT_EQ(run("more")->outcome->error->code, Errc::malformed) << url;
    EXPECT_EQ(transport->requests.size(), 1U) << url;
  }
}

TEST_F(HttpPagingTest, NoStyleGoesRoundInCircles) {
  operation("link", "/things", {.style = Style::link});
  operation("cursor", "/things", {.style = Style::cursor, .path = path("cursor"), .as = "after"});
  operation("page", "/things", {.style = Style::page, .as = "page", .size = 1});
  operation("offset", "/things", {.style = Style::offset, .as = "offset", .from = 0, .size = 1});
  // Link and cursor come back after three pages; page and offset get the same page for every number.
  const std::map<std::string, ScriptedTransport::Script> circles{
      {"link",
       [](const HttpRequest&, std::size_t nth) {
         return reply(200, fmt::format("[{}]", nth), {link_to(fmt::format("https://api.forge.test/v1/things?at={}", nth % 3))});
       }},
      {"cursor",
       [](const HttpRequest&, std::size_t nth) { return reply(200, fmt::format(R"({{"nth":{},"cursor":"{}"}})", nth, nth % 3)); }},
      {"page", [](const HttpRequest&, std::size_t) { return reply(200, list_of("a")); }},
      {"offset", [](const HttpRequest&, std::size_t) { return reply(200, list_of("a")); }}};
  for (const auto& [name, script] : circles) {
    answer(script);
    const auto ended = run(name);
    EXPECT_EQ(ended->outcome->heard, Heard::failed) << name;
    EXPECT_EQ(ended->outcome->error->code, Errc::malformed) << name;
    EXPECT_LE(transport->requests.size(), 4U) << name;
  }
}

TEST_F(HttpPagingTest, APageThatComesInPlaceOfAnotherIsMalformed) {
  operation("things", "/things", {.style = Style::link});
  // Page 1 again for page 2; page 3 for page 2.
  for (const std::size_t instead : {1U, 3U}) {
    pages = {"ab", "cd", "ef", "g"};
    answer([&](const HttpRequest& request, std::size_t nth) {
      auto asked = request;
      if (nth == 2) asked.url = fmt::format("https://api.forge.test/v1/things?page={}", instead);
      return linked(asked);
    });
    EXPECT_EQ(run("things")->outcome->error->code, Errc::malformed) << instead;
  }
}

TEST_F(HttpPagingTest, TheLastPageInPlaceOfAnotherIsKnownByThePageBeforeIt) {
  operation("things", "/things", {.style = Style::link});
  answer([](const HttpRequest& request, std::size_t) -> ScriptedTransport::Reply {
    if (!request.url.contains("page=2"))
      return {answer_with(200, "[1]", {{"Link", "<https://api.forge.test/v1/things?page=2>; rel=\"next\""}})};
    return {answer_with(200, "[9]", {{"Link", "<https://api.forge.test/v1/things?page=3>; rel=\"prev\""}})};
  });
  EXPECT_EQ(run("things")->outcome->error->code, Errc::malformed);
}

TEST_F(HttpPagingTest, ASignInThatExpiresBetweenTwoPagesLosesNone) {
  operation("things", "/things", {.style = Style::link});
  answer([&](const HttpRequest& request, std::size_t nth) {
    const bool old = find_header(request.headers, "Authorization")->ends_with(fmt::format("token-{}", nth / 3));
    return old ? linked(request) : reply(401, "{}");  // a token lives for two requests
  });
  EXPECT_EQ(run("things")->names(), "abcde");
  EXPECT_EQ(sign_in.renewed, 1);
  EXPECT_EQ(transport->requests.size(), 4U);
}

TEST_F(HttpPagingTest, ALinkHeaderThatCannotBeReadDoesNotEndAListing) {
  operation("things", "/things", {.style = Style::link});
  answer([](const HttpRequest&, std::size_t) {
    return reply(200, list_of("a"), {{"Link", R"(<https://api.forge.test/v1/things?page=2; rel="next")"}});
  });
  EXPECT_EQ(run("things")->outcome->error->code, Errc::malformed);
}

TEST_F(HttpPagingTest, CountedPagesWithoutTheirListAreMalformed) {
  operation("things", "/things", {.style = Style::page, .as = "page", .items = path("list[]"), .size = 2});
  for (const char* body : {"{}", R"({"list":null})", R"({"list":{}})", "[]"}) {
    answer([&](const HttpRequest&, std::size_t) { return reply(200, body); });
    EXPECT_EQ(run("things")->outcome->error->code, Errc::malformed) << body;
  }
}

// ---- totals ----

TEST_F(HttpPagingTest, AListingThatChangedWhileItWasReadIsReadAgain) {
  operation("things", "/things", {.style = Style::link, .total_header = "X-Total"});
  bool moving = true;
  answer([&](const HttpRequest& request, std::size_t nth) {
    if (nth > 3) moving = false;
    return linked(request, {{"X-Total", moving ? "6" : "5"}});
  });
  const auto ended = run("things");
  EXPECT_EQ(ended->outcome->heard, Heard::ok);
  EXPECT_EQ(ended->outcome->pages, 3U);
  EXPECT_EQ(ended->outcome->requests, 6U);
  EXPECT_EQ(ended->names(), "abcde");
  EXPECT_EQ(ended->pages.at(2).reading, 1U);
  EXPECT_EQ(ended->pages.at(3).reading, 2U);
  EXPECT_EQ(ended->pages.at(3).number, 1U);
}

TEST_F(HttpPagingTest, AListingThatNeverAddsUpIsNotComplete) {
  operation("things", "/things", {.style = Style::none, .items = path("list"), .total = path("total")});
  answer([](const HttpRequest&, std::size_t) { return reply(200, R"({"list":[1,2],"total":3})"); });
  const auto ended = run("things");
  EXPECT_EQ(ended->outcome->heard, Heard::failed);
  EXPECT_EQ(ended->outcome->code, "ListingChanged");
  EXPECT_EQ(transport->requests.size(), 2U);

  answer([](const HttpRequest&, std::size_t) { return reply(200, R"({"list":[1,2],"total":2})"); });
  const auto told = run("things");
  EXPECT_EQ(told->outcome->heard, Heard::ok);
  EXPECT_EQ(told->pages.back().total, 2U);
  answer([](const HttpRequest&, std::size_t) { return reply(200, R"({"list":[1,2]})"); });
  EXPECT_EQ(run("things")->outcome->error->code, Errc::malformed);
}

// ---- what the run before remembers ----

class HttpValidatorTest : public HttpPagingTest {
 protected:
  HttpValidatorTest() {
    operation("things", "/things?per_page=2", {.style = Style::link});
    serve();
    first = run("things");
    for (const auto& page : first->pages) remembered[page.number] = page.validator.value();
  }

  // ETags are the names on a page; a request that knows them gets a 304 without a Link header.
  void serve() {
    answer([this](const HttpRequest& request, std::size_t) {
      const auto number = std::max<std::size_t>(number_in(query_value(request.url, "page")), 1);
      const auto etag = fmt::format(R"(W/"{}")", pages.at(number - 1));
      const auto* known = find_header(request.headers, "If-None-Match");
      if (known && *known == etag) return reply(304, "");
      return linked(request, {{"ETag", etag}});
    });
  }
  std::shared_ptr<Ended> again() {
    return run("things", json::object(), [this](std::uint32_t page) -> std::optional<Validator> {
      const auto at = remembered.find(page);
      return at == remembered.end() ? std::nullopt : std::optional{at->second};
    });
  }

  std::shared_ptr<Ended> first;
  std::map<std::uint32_t, Validator> remembered;
};

TEST_F(HttpValidatorTest, AListingThatIsTheSameCostsNoBody) {
  serve();
  const auto ended = again();
  EXPECT_EQ(ended->outcome->heard, Heard::ok);
  ASSERT_EQ(ended->pages.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(ended->pages[i].unchanged);
    EXPECT_TRUE(ended->pages[i].value.is_null());
    EXPECT_EQ(ended->pages[i].answer.status, 304);
    EXPECT_EQ(ended->pages[i].validator, first->pages[i].validator);
  }
  EXPECT_EQ(client->counters().unchanged, 3U);
}

TEST_F(HttpValidatorTest, OnlyThePageThatChangedIsRead) {
  pages[1] = "cx";
  serve();
  const auto ended = again();
  EXPECT_EQ(ended->outcome->heard, Heard::ok);
  EXPECT_TRUE(ended->pages.at(0).unchanged);
  EXPECT_FALSE(ended->pages.at(1).unchanged);
  EXPECT_EQ(ended->pages.at(1).value.as_array().size(), 2U);
  EXPECT_TRUE(ended->pages.at(2).unchanged);
}

TEST_F(HttpValidatorTest, AFullLastPageIsReadInFullBecauseItMayHaveASuccessor) {
  pages = {"ab", "cd"};
  serve();
  const auto before = run("things");
  for (const auto& page : before->pages) remembered[page.number] = page.validator.value();
  pages = {"ab", "cd", "e"};
  serve();
  const auto ended = again();
  EXPECT_EQ(ended->pages.size(), 3U);
  EXPECT_TRUE(ended->pages.at(0).unchanged);
  EXPECT_FALSE(ended->pages.at(1).unchanged);
}

TEST_F(HttpValidatorTest, AValidatorCountsForTheUrlItCameFromOnly) {
  operation("things", "/others?per_page=2", {.style = Style::link});
  serve();
  const auto ended = again();
  EXPECT_FALSE(ended->pages.at(0).unchanged);
  EXPECT_EQ(find_header(transport->requests.at(0).headers, "If-None-Match"), nullptr);
}

TEST_F(HttpValidatorTest, ARememberedLinkToAnotherHostIsNotFollowed) {
  remembered.at(1).next = "https://evil.test/v1/things?page=2";
  serve();
  EXPECT_EQ(again()->outcome->error->code, Errc::malformed);
  EXPECT_EQ(transport->requests.size(), 1U);
}

TEST_F(HttpValidatorTest, ADateStandsInForAnETag) {
  operation("thing", "/thing");
  const std::string date = "Tue, 24 Nov 2026 00:00:00 GMT";
  answer([&](const HttpRequest& request, std::size_t) {
    const auto* since = find_header(request.headers, "If-Modified-Since");
    return since && *since == date ? reply(304, "") : reply(200, "[]", {{"Last-Modified", date}});
  });
  const auto known = run("thing")->pages.at(0).validator;
  const auto ended = run("thing", json::object(), [&](std::uint32_t) { return known; });
  EXPECT_TRUE(ended->pages.at(0).unchanged);
  EXPECT_EQ(ended->pages.at(0).validator, known);
}

TEST_F(HttpValidatorTest, AnAnswerWithoutEitherLeavesNothingToRemember) {
  operation("thing", "/thing");
  answer([](const HttpRequest&, std::size_t) { return reply(200, "[]"); });
  EXPECT_EQ(run("thing")->pages.at(0).validator, std::nullopt);
}

// ---- stopping ----

TEST_F(HttpPagingTest, AListingThatIsStoppedAsksForNothingMoreAndIsOk) {
  operation("things", "/things", {.style = Style::link});
  answer([&](const HttpRequest& request, std::size_t) { return linked(request); });
  std::optional<Outcome> outcome;
  Client::CallId id = 0;
  id = client->call(
      {.service = "forge", .operation = "things", .region = {}},
      [&](const Page& page) {
        if (page.number == 2) client->stop(id);
      },
      [&](const Outcome& ended) { outcome = ended; });
  client->run();
  EXPECT_EQ(outcome->heard, Heard::ok);
  EXPECT_EQ(outcome->pages, 2U);
  EXPECT_EQ(transport->requests.size(), 2U);
}

TEST_F(HttpPagingTest, WhatIsStoppedFromOutsideEndsInTheNextStep) {
  operation("things", "/things", {.style = Style::link});
  answer([&](const HttpRequest& request, std::size_t) { return linked(request); }, {.in_flight = 1});
  const auto flying = start("things");
  client->step(Duration{});
  const auto queued = start("things");
  client->stop(last);
  client->stop(last - 1);
  EXPECT_FALSE(flying->outcome);
  client->run();
  EXPECT_EQ(flying->outcome->heard, Heard::ok);
  EXPECT_EQ(queued->outcome->heard, Heard::ok);
  EXPECT_EQ(transport->requests.size(), 1U);
  EXPECT_EQ(client->counters().in_flight, 0U);
}

}  // namespace
}  // namespace vouch::wire
