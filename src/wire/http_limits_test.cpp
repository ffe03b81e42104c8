// Limits that an API states, and those that it only lets us feel.
#include "wire/http_api_test.h"

namespace vouch::wire {
namespace {

class HttpLimitsTest : public HttpApiTest {
 protected:
  HttpLimitsTest() {
    operation("thing", "/thing");
    operation("audit", "/audit");
    api.limits = {.remaining = "x-ratelimit-remaining", .reset = "x-ratelimit-reset", .resource = "x-ratelimit-resource"};
  }

  static Headers none_left(std::int64_t seconds_from_start, std::string resource = "core") {
    return {{"x-ratelimit-remaining", "0"},
            {"x-ratelimit-reset", fmt::format("{}", kTestStart.micros / 1'000'000 + seconds_from_start)},
            {"x-ratelimit-resource", std::move(resource)}};
  }
};

TEST_F(HttpLimitsTest, AnExhaustedLimitIsWaitedForAndIsNoFailure) {
  for (const int status : {403, 429}) {
    answer([&](const HttpRequest&, std::size_t nth) {
      return nth == 1 ? reply(status, R"({"message":"API rate limit exceeded"})", none_left(300)) : reply(200, "[]");
    });
    const auto ended = run("thing");
    EXPECT_EQ(ended->outcome->heard, Heard::ok) << status;
    EXPECT_EQ(ended->pages.size(), 1U);
    EXPECT_EQ(transport->requests.size(), 2U);
    EXPECT_GE(seconds(), 300);
    EXPECT_LE(seconds(), 302);
  }
}

TEST_F(HttpLimitsTest, TheLastRequestThatIsAllowedHoldsTheOthersBack) {
  answer([&](const HttpRequest&, std::size_t nth) { return nth == 1 ? reply(200, "[]", none_left(60)) : reply(200, "[]"); },
         {.in_flight = 1});
  std::vector<std::shared_ptr<Ended>> all;
  for (int i = 0; i < 20; ++i) all.push_back(start("thing"));
  client->run();
  for (const auto& ended : all) EXPECT_EQ(ended->outcome->heard, Heard::ok);
  EXPECT_EQ(transport->requests.size(), 20U);
  EXPECT_EQ(client->counters().throttled, 0U);
  EXPECT_GE(seconds(), 60);
}

TEST_F(HttpLimitsTest, ALimitThatEndsTooLateEndsWhatWaitsForIt) {
  answer([&](const HttpRequest&, std::size_t) { return reply(403, R"({"message":"API rate limit exceeded"})", none_left(3000)); });
  std::vector<std::shared_ptr<Ended>> all;
  for (int i = 0; i < 500; ++i) all.push_back(start("thing"));
  client->run();
  for (const auto& ended : all) {
    EXPECT_EQ(ended->outcome->heard, Heard::throttled);
    EXPECT_EQ(ended->outcome->error->code, Errc::throttled);
  }
  EXPECT_LE(transport->requests.size(), 8U);  // those that were under way
  EXPECT_LT(seconds(), 1);
}

TEST_F(HttpLimitsTest, HowLongIsWaitedIsForTheCallerToSay) {
  answer([&](const HttpRequest&, std::size_t nth) { return nth == 1 ? reply(403, "{}", none_left(3000)) : reply(200, "[]"); },
         {.longest_limit_wait = Duration::hours(1)});
  EXPECT_EQ(run("thing")->outcome->heard, Heard::ok);
  EXPECT_GE(seconds(), 3000);
}

TEST_F(HttpLimitsTest, OneResourceDoesNotHoldUpAnother) {
  answer([&](const HttpRequest& request, std::size_t) {
    return has(request, "audit") ? reply(200, "[]", none_left(500, "audit_log")) : reply(200, "[]", {{"x-ratelimit-resource", "core"}});
  });
  run("audit");
  run("thing");
  EXPECT_LT(seconds(), 1);
  run("audit");
  EXPECT_GE(seconds(), 500);
}

TEST_F(HttpLimitsTest, ResetsAreReadInTheWaysOfManyApis) {
  const auto start = kTestStart.micros / 1'000'000;
  for (const auto& reset : {fmt::format("{}", start + 100), fmt::format("{}000", start + 100), std::string{"100"},
                            to_string(kTestStart + Duration::seconds(100))}) {
    answer([&](const HttpRequest&, std::size_t nth) {
      return nth == 1 ? reply(429, "{}", {{"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset", reset}}) : reply(200, "[]");
    });
    EXPECT_EQ(run("thing")->outcome->heard, Heard::ok) << reset;
    EXPECT_GE(seconds(), 100) << reset;
    EXPECT_LE(seconds(), 102) << reset;
  }
}

TEST_F(HttpLimitsTest, AResetThatCannotBeReadIsAMinute) {
  for (const char* reset : {"soon", "infinity", "", "-5", "99999999999999999999"}) {
    answer([&](const HttpRequest&, std::size_t nth) {
      return nth == 1 ? reply(429, "{}", {{"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset", reset}}) : reply(200, "[]");
    });
    EXPECT_EQ(run("thing")->outcome->heard, Heard::ok) << reset;
    EXPECT_GE(seconds(), 60) << reset;
    EXPECT_LE(seconds(), 62) << reset;
  }
}

TEST_F(HttpLimitsTest, AResetIsMeasuredByTheirClock) {
  answer([&](const HttpRequest&, std::size_t nth) {
    auto said = nth == 1 ? reply(403, "{}", none_left(3700)) : reply(200, "[]");
    said.answer->server_date = kTestStart + Duration::hours(1);
    return said;
  });
  EXPECT_EQ(run("thing")->outcome->heard, Heard::ok);
  EXPECT_LE(seconds(), 102);
}

TEST_F(HttpLimitsTest, RetryAfterHoldsUpAllOfTheApi) {
  answer([&](const HttpRequest&, std::size_t nth) {
    return nth == 1 ? reply(403, R"({"message":"You have exceeded a secondary rate limit"})", {{"Retry-After", "40"}}) : reply(200, "[]");
  });
  const auto thing = start("thing");
  client->step(Duration{1000});
  const auto audit = run("audit");
  EXPECT_EQ(thing->outcome->heard, Heard::ok);
  EXPECT_EQ(audit->outcome->heard, Heard::ok);
  EXPECT_GE(seconds(), 40);
  EXPECT_LE(seconds(), 42);
}

TEST_F(HttpLimitsTest, ASecondaryLimitThatSaysNothingIsAMinuteThenTwo) {
  for (const int status : {403, 429}) {
    answer([&](const HttpRequest&, std::size_t nth) {
      return nth <= 2 ? reply(status, R"({"message":"You have exceeded a secondary rate limit. Please wait"})") : reply(200, "[]");
    });
    EXPECT_EQ(run("thing")->outcome->heard, Heard::ok);
    EXPECT_GE(seconds(), 180);
    EXPECT_LE(seconds(), 182);
  }
}

TEST_F(HttpLimitsTest, AQuotaThatIsUsedUpIsWaitedForAlsoWhereOnlyTheMessageOfA403SaysSo) {
  for (const auto* said : {"User Rate Limit Exceeded", "Quota exceeded for quota metric 'Queries'"}) {
    answer([&](const HttpRequest&, std::size_t nth) {
      return nth == 1 ? reply(403, fmt::format(R"({{"message":"{}"}})", said)) : reply(200, "[]");
    });
    EXPECT_EQ(run("thing")->outcome->heard, Heard::ok);
    EXPECT_GE(seconds(), 60);
  }
}

TEST_F(HttpLimitsTest, RequestsThatAreRefusedTogetherAreOneRefusal) {
  answer([&](const HttpRequest&, std::size_t nth) { return nth <= 8 ? reply(429, "{}") : reply(200, "[]"); });
  std::vector<std::shared_ptr<Ended>> all;
  for (int i = 0; i < 8; ++i) all.push_back(start("thing"));
  client->run();
  for (const auto& ended : all) EXPECT_EQ(ended->outcome->heard, Heard::ok);
  EXPECT_LE(seconds(), 62);
}

TEST_F(HttpLimitsTest, ASecondaryLimitThatNeverEndsIsThrottled) {
  answer([&](const HttpRequest&, std::size_t) { return reply(429, "{}"); });
  const auto ended = run("thing");
  EXPECT_EQ(ended->outcome->heard, Heard::throttled);
  EXPECT_EQ(ended->outcome->code, "429");
  EXPECT_LE(transport->requests.size(), 6U);
  EXPECT_LT(seconds(), 1000);
}

TEST_F(HttpLimitsTest, WithoutStatedLimitsA429IsRetriedAfterMomentsAndRetryAfterIsObeyed) {
  api.limits = {};
  answer([&](const HttpRequest&, std::size_t nth) { return nth <= 3 ? reply(429, "{}") : reply(200, "[]"); });
  EXPECT_EQ(run("thing")->outcome->heard, Heard::ok);
  EXPECT_LT(seconds(), 10);
  answer([&](const HttpRequest&, std::size_t nth) { return nth == 1 ? reply(429, "{}", {{"Retry-After", "90"}}) : reply(200, "[]"); });
  EXPECT_EQ(run("thing")->outcome->heard, Heard::ok);
  EXPECT_GE(seconds(), 90);
}

TEST_F(HttpLimitsTest, AMissingPermissionIsNotTakenForALimit) {
  answer([&](const HttpRequest&, std::size_t) {
    return reply(403, R"({"message":"Resource not accessible by integration"})", {{"x-ratelimit-remaining", "4999"}});
  });
  EXPECT_EQ(run("thing")->outcome->heard, Heard::denied);
  EXPECT_EQ(transport->requests.size(), 1U);
}

TEST_F(HttpLimitsTest, TheCostOfQueriesIsMinded) {
  query("ask", "{ things rateLimit { cost remaining resetAt } }");
  int remaining = 9;
  answer(
      [&](const HttpRequest&, std::size_t) {
        if (transport->elapsed() > Duration::seconds(100)) remaining = 5000;
        const auto left = remaining;
        remaining -= 4;
        return reply(200, fmt::format(R"({{"data":{{"rateLimit":{{"cost":4,"remaining":{},"resetAt":"{}"}}}}}})", left,
                                      to_string(kTestStart + Duration::seconds(120))));
      },
      {.in_flight = 1});
  std::vector<std::shared_ptr<Ended>> all;
  for (int i = 0; i < 6; ++i) all.push_back(start("ask"));
  client->run();
  for (const auto& ended : all) EXPECT_EQ(ended->outcome->heard, Heard::ok);
  EXPECT_GE(seconds(), 120);
  EXPECT_EQ(transport->requests.size(), 6U);  // none of them was refused
}

TEST_F(HttpLimitsTest, AQueryThatIsRateLimitedIsAskedAgainAfterTheReset) {
  query("ask", "{ things }");
  answer([&](const HttpRequest&, std::size_t nth) {
    return nth == 1 ? reply(200, R"({"errors":[{"type":"RATE_LIMITED","message":"m"}]})", none_left(200, "graphql"))
                    : reply(200, R"({"data":{}})");
  });
  EXPECT_EQ(run("ask")->outcome->heard, Heard::ok);
  EXPECT_GE(seconds(), 200);
}

}  // namespace
}  // namespace vouch::wire
