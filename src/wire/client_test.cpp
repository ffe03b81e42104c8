#include "wire/client.h"

#include "wire/aws_dialect.h"
#include "wire/scripted_transport.h"
#include "wire/test_models.h"

#include <gtest/gtest.h>
#include <deque>

namespace vouch::wire {
namespace {

const Instant kStart = parse_instant("2026-11-24T00:00:00Z").value();

// A client with everything it needs; calls are run to their end.
class ClientTest : public ::testing::Test {
 protected:
  struct Ended {
    std::vector<Page> pages;
    std::optional<Outcome> outcome;
  };

  class CountedCredentials final : public CredentialSource {
   public:
    Result<Credentials> get(Instant) override {
      if (failure) return std::unexpected(*failure);
      return Credentials{fmt::format("ID{}", forgotten), "secret", session_token, std::nullopt, "test"};
    }
    void forget() override { ++forgotten; }
    int forgotten = 0;
    std::string session_token;
    std::optional<Error> failure;
  };

  void answer(ScriptedTransport::Script script, ClientOptions options = {}) {
    options.seed = 1;
    transport = std::make_unique<ScriptedTransport>(std::move(script));
    clock = std::make_unique<ScriptedClock>(*transport, kStart);
    client.reset();
    aws = std::make_unique<AwsDialect>(models, settings, credentials, *clock);
    client = std::make_unique<Client>(*aws, *transport, *clock, options);
  }

  std::shared_ptr<Ended> start(std::string operation = "ListThings", Json params = json::object(), std::string service = "json") {
    auto ended = std::make_shared<Ended>();
    client->call(
        {std::move(service), std::move(operation), "eu-central-1", std::move(params)},
        [ended](Page page) { ended->pages.push_back(std::move(page)); }, [ended](const Outcome& outcome) { ended->outcome = outcome; });
    return ended;
  }

  std::shared_ptr<Ended> run(std::string operation = "ListThings", Json params = json::object(), std::string service = "json") {
    auto ended = start(std::move(operation), std::move(params), std::move(service));
    client->run();
    return ended;
  }

  double seconds() const { return static_cast<double>(transport->elapsed().micros) / 1e6; }

  Models models = test_models();
  Settings settings = [] {
    Settings out;
    out.environment["AWS_ENDPOINT_URL"] = "https://things.test";
    return out;
  }();
  CountedCredentials credentials;
  std::unique_ptr<ScriptedTransport> transport;
  std::unique_ptr<ScriptedClock> clock;
  std::unique_ptr<AwsDialect> aws;
  std::unique_ptr<Client> client;
};

ScriptedTransport::Reply page(std::string_view names, std::string_view token) {
  std::string things;
  for (const char name : names) things += fmt::format("{}{{\"Name\":\"{}\"}}", things.empty() ? "" : ",", name);
  return {answer_with(200, fmt::format(R"({{"Things":[{}]{}}})", things, token.empty() ? "" : fmt::format(R"(,"NextToken":"{}")", token)))};
}

ScriptedTransport::Reply refusal(int status, std::string_view code, Headers headers = {}) {
  return {answer_with(status, fmt::format(R"({{"__type":"{}","message":"m"}})", code), std::move(headers))};
}

TEST_F(ClientTest, HandsOverEveryPageWithTheParamsOfTheCallAndNoTokens) {
  answer([](const HttpRequest& request, std::size_t) {
    if (request.body.find("NextToken") == std::string::npos) return page("ab", "t1");
    return request.body.find("t1") != std::string::npos ? page("c", "t2") : page("d", "");
  });
  const auto ended = run("ListThings", json::object{{"Prefix", "p"}});
  ASSERT_EQ(ended->pages.size(), 3U);
  std::string names;
  for (const auto& page : ended->pages) {
    EXPECT_EQ(page.params, Json(json::object{{"Prefix", "p"}}));
    for (const auto& thing : *find_array(page.value, "Things")) names += *find_string(thing, "Name");
  }
  EXPECT_EQ(names, "abcd");
  EXPECT_EQ(ended->pages[2].number, 3U);
  EXPECT_EQ(ended->outcome->heard, Heard::ok);
  EXPECT_EQ(ended->outcome->pages, 3U);
  for (const auto& request : transport->requests) EXPECT_NE(request.body.find(R"("Prefix":"p")"), std::string::npos);
}

TEST_F(ClientTest, APageTokenThatRepeatsIsAnErrorAndNotAnEndlessListing) {
  answer([](const HttpRequest&, std::size_t) { return page("a", "same"); });
  const auto ended = run();
  EXPECT_EQ(ended->outcome->heard, Heard::failed);
  EXPECT_EQ(ended->outcome->error->code, Errc::malformed);
  EXPECT_EQ(transport->requests.size(), 2U);
}

TEST_F(ClientTest, MorePagesThanTheModelKnowsHowToAskForAreFlagged) {
  answer([](const HttpRequest&, std::size_t) { return page("a", "t1"); });
  const auto ended = run("ListLoose");
  EXPECT_EQ(ended->outcome->heard, Heard::ok);
  EXPECT_TRUE(ended->outcome->unmodelled_paging);
}

TEST_F(ClientTest, DeniedIsAskedOnceAndHandedOverWithItsCode) {
  answer([](const HttpRequest&, std::size_t) { return refusal(400, "com.amazonaws#AccessDeniedException"); });
  const auto ended = run();
  EXPECT_EQ(transport->requests.size(), 1U);
  EXPECT_EQ(ended->outcome->heard, Heard::denied);
  EXPECT_EQ(ended->outcome->code, "AccessDeniedException");
  ASSERT_EQ(ended->pages.size(), 1U);
  EXPECT_EQ(ended->pages[0].error->code, "AccessDeniedException");
  EXPECT_EQ(client->counters().denied, 1U);
}

TEST_F(ClientTest, WhatTheServiceSaysIsNotThereIsAbsent) {
  answer([](const HttpRequest&, std::size_t) { return refusal(400, "NoSuchThing"); });
  EXPECT_EQ(run("GetThing", json::object{{"Name", "x"}})->outcome->heard, Heard::absent);
}

TEST_F(ClientTest, ThrottlingAndServerErrorsAreRetriedUntilTheAnswerCounts) {
  answer([](const HttpRequest&, std::size_t nth) {
    if (nth == 1) return refusal(400, "ThrottlingException");
    if (nth == 2) return refusal(500, "InternalFailure");
    if (nth == 3) return ScriptedTransport::Reply{std::unexpected(Error{Errc::unreachable, "reset"})};
    if (nth == 4) return ScriptedTransport::Reply{answer_with(200, R"({"Things":[{"Name":)")};
    return page("a", "");
  });
  const auto ended = run();
  EXPECT_EQ(ended->outcome->heard, Heard::ok);
  EXPECT_EQ(ended->outcome->requests, 5U);
  EXPECT_EQ(ended->pages.size(), 1U);
  EXPECT_EQ(client->counters().retries, 4U);
  EXPECT_EQ(client->counters().throttled, 1U);
}

TEST_F(ClientTest, RetryAfterIsHonouredUpToABound) {
  for (const auto& [header, value, least, most] :
       {std::tuple{"Retry-After", "7", 7.0, 8.5}, {"x-amz-retry-after", "3000", 3.0, 4.5}, {"Retry-After", "86400", 20.0, 21.5}}) {
    answer([&](const HttpRequest&, std::size_t nth) {
      return nth == 1 ? refusal(429, "TooManyRequestsException", {{header, value}}) : page("a", "");
    });
    EXPECT_EQ(run()->outcome->heard, Heard::ok);
    EXPECT_GE(seconds(), least) << header;
    EXPECT_LE(seconds(), most) << header;
  }
}

TEST_F(ClientTest, AStormOfThrottlingEndsEveryCallAsThrottledInBoundedTime) {
  answer([](const HttpRequest&, std::size_t) { return refusal(429, "TooManyRequestsException"); });
  std::vector<std::shared_ptr<Ended>> all;
  for (int i = 0; i < 3000; ++i) all.push_back(start());
  client->run();
  for (const auto& ended : all) {
    ASSERT_TRUE(ended->outcome);
    EXPECT_EQ(ended->outcome->heard, Heard::throttled);
    EXPECT_EQ(ended->outcome->error->code, Errc::throttled);
  }
  EXPECT_LT(seconds(), 180);
}

TEST_F(ClientTest, AServerThatNeverAnswersEndsEveryCallAsUnreachable) {
  answer([](const HttpRequest&, std::size_t) {
    return ScriptedTransport::Reply{std::unexpected(Error{Errc::unreachable, "timed out"}), Duration::seconds(30)};
  });
  std::vector<std::shared_ptr<Ended>> all;
  for (int i = 0; i < 1000; ++i) all.push_back(start());
  client->run();
  for (const auto& ended : all) {
    ASSERT_TRUE(ended->outcome);
    EXPECT_EQ(ended->outcome->error->code, Errc::unreachable);
    EXPECT_TRUE(ended->pages.empty());
  }
  EXPECT_LT(seconds(), 150);
}

TEST_F(ClientTest, OneSilentRegionDoesNotTakeTheOthersWithIt) {
  settings.environment.clear();
  answer([](const HttpRequest& request, std::size_t) {
    if (request.url.find("ap-south-1") == std::string::npos) return page("a", "");
    return ScriptedTransport::Reply{std::unexpected(Error{Errc::unreachable, "timed out"}), Duration::seconds(30)};
  });
  int good = 0, bad = 0;
  for (int i = 0; i < 200; ++i) {
    for (const char* region : {"ap-south-1", "eu-central-1"}) {
      client->call(
          {"json", "ListThings", region, json::object()}, [](Page) {},
          [&](const Outcome& outcome) { ++(outcome.heard == Heard::ok ? good : bad); });
    }
  }
  client->run();
  EXPECT_EQ(good, 200);
  EXPECT_EQ(bad, 200);
}

TEST_F(ClientTest, AServiceThatCameBackIsAskedAgain) {
  bool down = true;
  answer([&](const HttpRequest&, std::size_t) {
    return down ? ScriptedTransport::Reply{std::unexpected(Error{Errc::unreachable, "refused"}), Duration::seconds(20)} : page("a", "");
  });
  for (int i = 0; i < 100; ++i) start();
  client->run();
  down = false;
  EXPECT_EQ(run()->outcome->error->code, Errc::unreachable);  // given up for now
  transport->step(Duration::seconds(31));
  EXPECT_EQ(run()->outcome->heard, Heard::ok);
  EXPECT_EQ(run()->outcome->heard, Heard::ok);
}

TEST_F(ClientTest, GarbageIsMalformedAndNeverAnEmptyAnswer) {
  for (const char* body : {"<html><body>sign in</body></html>", "garbage", "", "[]", "\xff\xfe", R"({"Things":"none"})"}) {
    answer([&](const HttpRequest&, std::size_t) { return ScriptedTransport::Reply{answer_with(200, body)}; });
    const auto ended = run();
    EXPECT_EQ(ended->outcome->heard, Heard::failed) << body;
    EXPECT_EQ(ended->outcome->error->code, Errc::malformed) << body;
    EXPECT_TRUE(ended->pages.empty()) << body;
    EXPECT_EQ(transport->requests.size(), 5U) << body;
  }
}

TEST_F(ClientTest, AnHtmlErrorPageFailsWithItsStatus) {
  answer([](const HttpRequest&, std::size_t) { return ScriptedTransport::Reply{answer_with(500, "<html>oops</html>")}; });
  const auto ended = run();
  EXPECT_EQ(ended->outcome->heard, Heard::failed);
  EXPECT_EQ(ended->outcome->code, "500");
}

TEST_F(ClientTest, ExpiredCredentialsAreRenewedOnce) {
  answer([](const HttpRequest& request, std::size_t) {
    return find_header(request.headers, "Authorization")->find("ID0/") != std::string::npos ? refusal(403, "ExpiredTokenException")
                                                                                            : page("a", "");
  });
  EXPECT_EQ(run()->outcome->heard, Heard::ok);
  EXPECT_EQ(credentials.forgotten, 1);

  answer([](const HttpRequest&, std::size_t) { return refusal(403, "ExpiredTokenException"); });
  EXPECT_EQ(run()->outcome->heard, Heard::expired);
  EXPECT_EQ(transport->requests.size(), 2U);
}

TEST_F(ClientTest, CallsThatAreRefusedTogetherShareOneRenewal) {
  answer([](const HttpRequest& request, std::size_t) {
    return find_header(request.headers, "Authorization")->find("ID0/") != std::string::npos ? refusal(403, "ExpiredTokenException")
                                                                                            : page("a", "");
  });
  std::vector<std::shared_ptr<Ended>> all;
  for (int i = 0; i < 8; ++i) all.push_back(start());
  client->run();
  for (const auto& ended : all) EXPECT_EQ(ended->outcome->heard, Heard::ok);
  EXPECT_EQ(credentials.forgotten, 1);
}

TEST_F(ClientTest, WhatWasSentToSignInIsTakenOutOfARefusal) {
  credentials.session_token = "FwoGZXIvYXdzEJr//token+of/a==session";
  std::string spelt;
  for (const unsigned char c : credentials.session_token) spelt += fmt::format("{}{:02x}", spelt.empty() ? "" : " ", c);
  answer([&](const HttpRequest&, std::size_t) {
    return ScriptedTransport::Reply{answer_with(
        403,
        fmt::format(R"({{"__type":"SignatureDoesNotMatch","message":"x-amz-security-token:{} {}"}})", credentials.session_token, spelt))};
  });
  const auto ended = run();
  ASSERT_EQ(ended->pages.size(), 1U);
  for (const auto& text : {ended->pages[0].answer.body, ended->pages[0].error->message, ended->outcome->message}) {
    EXPECT_EQ(text.find(credentials.session_token), std::string::npos) << text;
    EXPECT_EQ(text.find(spelt), std::string::npos) << text;
  }
  EXPECT_NE(ended->pages[0].answer.body.find("(credential)"), std::string::npos);
}

TEST_F(ClientTest, AWrongClockIsCorrectedOnceAndStaysCorrected) {
  const auto theirs = parse_instant("2026-11-24T03:00:00Z").value();
  answer([&](const HttpRequest& request, std::size_t) {
    if (find_header(request.headers, "X-Amz-Date")->starts_with("20261124T03")) return page("a", "");
    auto reply = refusal(403, "InvalidSignatureException");
    reply.answer->server_date = theirs;
    return reply;
  });
  EXPECT_EQ(run()->outcome->heard, Heard::ok);
  EXPECT_EQ(run()->outcome->requests, 1U);
}

TEST_F(ClientTest, AWrongSecretIsDeniedAndNotTakenForAWrongClock) {
  answer([&](const HttpRequest&, std::size_t) {
    auto reply = refusal(403, "InvalidSignatureException");
    reply.answer->server_date = kStart;
    return reply;
  });
  EXPECT_EQ(run()->outcome->heard, Heard::denied);
  EXPECT_EQ(transport->requests.size(), 1U);
}

TEST_F(ClientTest, WithoutCredentialsNothingIsSentAndTheReasonIsKept) {
  credentials.failure = Error{Errc::not_found, "no AWS credentials"};
  answer([](const HttpRequest&, std::size_t) { return page("a", ""); });
  const auto ended = run();
  EXPECT_EQ(ended->outcome->error->code, Errc::not_found);
  EXPECT_TRUE(transport->requests.empty());
}

TEST_F(ClientTest, WrongCallsEndWithAReasonAndSendNothing) {
  answer([](const HttpRequest&, std::size_t) { return page("a", ""); });
  EXPECT_EQ(run("NoSuchOperation")->outcome->error->code, Errc::not_found);
  EXPECT_EQ(run("ListThings", json::object{{"Nmae", 1}})->outcome->error->code, Errc::usage);
  EXPECT_EQ(run("ListThings", json::object{{"MaxItems", "many"}})->outcome->error->code, Errc::usage);
  EXPECT_EQ(run("GetThing")->outcome->error->code, Errc::usage);
  EXPECT_TRUE(transport->requests.empty());
}

TEST_F(ClientTest, NoMoreRequestsAreInFlightThanAllowed) {
  answer([](const HttpRequest&, std::size_t) { return page("a", ""); }, {.in_flight = 6, .in_flight_per_service = 4});
  for (int i = 0; i < 100; ++i) {
    start();
    start("ListThings", json::object(), "json");
  }
  client->run();
  EXPECT_EQ(transport->most_in_flight, 4U);
  EXPECT_EQ(client->counters().calls_done, 200U);
}

TEST_F(ClientTest, CallbacksMayCallAndCancel) {
  answer([](const HttpRequest&, std::size_t) { return page("a", ""); });
  int inner = 0;
  client->call(
      {"json", "ListThings", "eu-central-1", json::object()}, [](Page) {},
      [&](const Outcome&) {
        const auto id =
            client->call({"json", "ListThings", "eu-central-1", json::object()}, [](Page) { FAIL(); }, [](const Outcome&) { FAIL(); });
        client->call({"json", "ListThings", "eu-central-1", json::object()}, [](Page) {}, [&](const Outcome&) { ++inner; });
        client->cancel(id);
      });
  client->run();
  EXPECT_EQ(inner, 1);
}

TEST_F(ClientTest, CancellingInFlightFreesItsPlace) {
  answer([](const HttpRequest&, std::size_t) { return page("a", ""); }, {.in_flight = 1});
  const auto first = start();
  client->step(Duration{});
  client->cancel_all();
  EXPECT_EQ(run()->outcome->heard, Heard::ok);
  EXPECT_FALSE(first->outcome);
}

TEST_F(ClientTest, AThrottlingServiceIsAskedMoreSlowlyAndRecovers) {
  // The service takes 20 requests a second; what comes on top is throttled.
  std::deque<Duration> taken;
  std::size_t refused = 0;
  answer([&](const HttpRequest&, std::size_t) {
    const auto now = transport->elapsed();
    while (!taken.empty() && now.micros - taken.front().micros > 1'000'000) taken.pop_front();
    if (taken.size() >= 20) {
      ++refused;
      return refusal(400, "ThrottlingException");
    }
    taken.push_back(now);
    return page("a", "");
  });
  int good = 0;
  for (int i = 0; i < 1000; ++i)
    client->call(
        {"json", "ListThings", "eu-central-1", json::object()}, [](Page) {},
        [&](const Outcome& outcome) { good += outcome.heard == Heard::ok; });
  client->run();
  EXPECT_EQ(good, 1000);
  EXPECT_LT(refused, 400U);
  EXPECT_LT(seconds(), 150);  // 50 s at best
}

TEST_F(ClientTest, PagesThatLeadInACircleEnd) {
  const std::vector<std::string> tokens{"one", "two", "three", "one"};
  answer([&](const HttpRequest&, std::size_t n) { return page("a", tokens[n % tokens.size()]); });
  const auto ran = run();
  EXPECT_EQ(ran->outcome->heard, Heard::failed);
  EXPECT_EQ(ran->outcome->error->code, Errc::malformed);
  EXPECT_EQ(ran->outcome->requests, 4u);
}

TEST_F(ClientTest, AnOverriddenEndpointMarksAnswersAsSimulated) {
  answer([](const HttpRequest&, std::size_t) { return page("a", ""); });
  EXPECT_TRUE(run()->outcome->simulated);
  EXPECT_TRUE(client->simulated());

  settings.environment.clear();
  answer([](const HttpRequest&, std::size_t) { return page("a", ""); });
  EXPECT_FALSE(run()->outcome->simulated);
  EXPECT_FALSE(client->simulated());
  EXPECT_EQ(transport->requests[0].url, "https://things.eu-central-1.amazonaws.com/");
}

}  // namespace
}  // namespace vouch::wire
