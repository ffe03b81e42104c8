#include "portal/health.h"

#include <gtest/gtest.h>

namespace vouch::portal {
namespace {

constexpr Instant start{1'772'366'400'000'000};  // 2026-03-01T12:00:00Z
constexpr auto hour = Duration::hours(1);

SourceState state(std::optional<Duration> every, std::optional<Instant> last) {
  SourceState source;
  source.source = "aws";
  source.every = every;
  source.last_started = last;
  return source;
}

TEST(Health, a_source_is_overdue_when_its_last_run_began_more_than_two_schedules_ago) {
  EXPECT_TRUE(complaints({state(hour, start)}, start, start + hour + hour).empty());
  const auto reasons = complaints({state(hour, start)}, start, start + hour + hour + Duration{1});
  ASSERT_EQ(reasons.size(), 1u);
  EXPECT_EQ(reasons[0], "aws: its last run began 2026-03-01T12:00:00Z, and one is due every 1h");
}

TEST(Health, a_source_that_was_never_collected_has_one_schedule_from_the_start_on) {
  EXPECT_TRUE(complaints({state(hour, std::nullopt)}, start, start + hour).empty());
  EXPECT_EQ(complaints({state(hour, std::nullopt)}, start, start + hour + Duration{1}),
            std::vector<std::string>{"aws: it was never collected, and a run is due every 1h"});
}

TEST(Health, what_nobody_scheduled_is_never_overdue) {
  EXPECT_TRUE(complaints({state(std::nullopt, start)}, start, start + Duration::days(900)).empty());
}

TEST(State, tells_what_is_not_known_as_null) {
  auto source = state(hour, std::nullopt);
  source.next = start;
  EXPECT_EQ(json::serialize(state_json({source}, start, start, "1.0")),
            R"({"now":"2026-03-01T12:00:00Z","since":"2026-03-01T12:00:00Z","version":"1.0","sources":[{"source":"aws","every":"1h",)"
            R"("last":null,"next":"2026-03-01T12:00:00Z","running_since":null}]})");
}

}  // namespace
}  // namespace vouch::portal
