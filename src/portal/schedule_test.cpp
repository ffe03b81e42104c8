#include "portal/schedule.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <numeric>

namespace vouch::portal {
namespace {

constexpr Instant noon{1'772'366'400'000'000};  // 2026-03-01T12:00:00Z
constexpr auto hour = Duration::hours(1);

Planned planned(std::string source, std::optional<Duration> every, std::optional<Instant> last = std::nullopt, bool well = true) {
  Planned one{.source = std::move(source), .every = every, .last = std::nullopt};
  if (last) one.last = LastRun{.started = *last, .ended = *last + Duration::minutes(1), .well = well, .outcome = {}, .reason = {}};
  return one;
}

TEST(Beats, are_as_far_apart_as_they_should_be_and_never_now) {
  const bool held = rc::check([] {
    const Duration every{*rc::gen::inRange<std::int64_t>(1, 1'000'000'000)};
    const Duration phase{*rc::gen::inRange<std::int64_t>(0, every.micros)};
    const Instant at{*rc::gen::inRange<std::int64_t>(-4'000'000'000, 4'000'000'000)};
    const auto beat = beat_after(at, every, phase);
    RC_ASSERT(beat > at);
    RC_ASSERT(beat - at <= every);
    RC_ASSERT(beat_after(beat, every, phase) == beat + every);
    RC_ASSERT((beat.micros - phase.micros) % every.micros == 0);
  });
  EXPECT_TRUE(held);
}

TEST(Beats, of_a_fleet_are_spread_over_the_schedule_and_stay_where_they_are) {
  std::vector<int> tenths(10);
  for (int i = 0; i < 1000; ++i) {
    const auto phase = phase_of(fmt::format("vouch.example/{}", i), "aws", hour);
    ASSERT_GE(phase, Duration{0});
    ASSERT_LT(phase, hour);
    ++tenths[static_cast<std::size_t>(phase.micros * 10 / hour.micros)];
    EXPECT_EQ(phase, phase_of(fmt::format("vouch.example/{}", i), "aws", hour));
  }
  for (const auto count : tenths) EXPECT_NEAR(count, 100, 40);
  EXPECT_NE(phase_of("home", "aws", hour), phase_of("home", "github", hour));
}

TEST(Schedule, a_source_that_was_never_collected_or_too_long_ago_is_due_at_once) {
  Schedule schedule{"home", {planned("new", hour), planned("old", hour, noon - Duration::hours(30)), planned("asked", std::nullopt)}, noon};
  EXPECT_TRUE(schedule.advance(noon).empty());  // what nobody was there to start is no news
  EXPECT_EQ(schedule.start()->source, "new");
  schedule.ended(noon + Duration::seconds(5), true);
  EXPECT_EQ(schedule.start()->source, "old");
  schedule.ended(noon + Duration::seconds(9), true);
  EXPECT_FALSE(schedule.start());
}

TEST(Schedule, a_source_is_not_due_before_its_beat_after_the_last_run) {
  const auto beat = beat_after(noon, hour, phase_of("home", "aws", hour));
  Schedule schedule{"home", {planned("aws", hour, beat - Duration{1'800'000'000})}, noon};
  const auto at = std::max(noon, beat - Duration{1'800'000'000});
  EXPECT_TRUE(schedule.advance(at).empty());
  EXPECT_FALSE(schedule.start());
  EXPECT_EQ(schedule.next(), beat);
  schedule.advance(beat);
  EXPECT_EQ(schedule.start()->beat, beat);
}

TEST(Schedule, a_run_that_is_still_going_skips_the_beat_and_says_so) {
  Schedule schedule{"home", {planned("aws", hour)}, noon};
  schedule.advance(noon);
  ASSERT_TRUE(schedule.start());
  const auto beat = schedule.next();
  const auto skipped = schedule.ended(beat + Duration::seconds(1), true);
  ASSERT_EQ(skipped.size(), 1u);
  EXPECT_EQ(skipped[0].why, Skipped::Why::overrun);
  EXPECT_EQ(skipped[0].beats, 1u);
  EXPECT_EQ(skipped[0].beat, beat);
  EXPECT_FALSE(schedule.start());
  EXPECT_EQ(schedule.next(), beat + hour);
}

TEST(Schedule, a_machine_that_slept_makes_up_with_one_run_and_says_what_it_missed) {
  Schedule schedule{"home", {planned("aws", hour, noon)}, noon};
  const auto beat = schedule.next();
  const auto skipped = schedule.advance(beat + Duration::hours(7));
  ASSERT_EQ(skipped.size(), 1u);
  EXPECT_EQ(skipped[0].why, Skipped::Why::missed);
  EXPECT_EQ(skipped[0].beats, 7u);
  EXPECT_EQ(schedule.start()->beat, beat + Duration::hours(7));
  EXPECT_FALSE(schedule.start());
}

TEST(Schedule, a_clock_that_is_set_back_for_good_does_not_stop_the_schedule) {
  Schedule schedule{"home", {planned("aws", hour, noon)}, noon};
  schedule.advance(noon - Duration::days(300));
  EXPECT_LE(schedule.next() - (noon - Duration::days(300)), hour);
}

TEST(Schedule, a_failure_is_tried_again_later_and_later_but_never_later_than_the_schedule) {
  Schedule schedule{"home", {planned("aws", Duration::hours(8), noon)}, noon};
  auto now = schedule.next();
  const auto beat = now + Duration::hours(8);
  std::vector<std::int64_t> minutes;
  while (now < beat) {
    schedule.advance(now);
    ASSERT_TRUE(schedule.start());
    schedule.ended(now, false);
    const auto next = schedule.next();
    minutes.push_back((next - now).micros / 60'000'000);
    ASSERT_LE(next, beat);
    now = next;
  }
  EXPECT_EQ(minutes, (std::vector<std::int64_t>{1, 2, 4, 8, 16, 32, 64, 128, 225}));  // 255 minutes, and then the beat
  EXPECT_EQ(now, beat);
  schedule.advance(now);
  schedule.start();
  schedule.ended(now, true);
  EXPECT_EQ(schedule.next(), beat + Duration::hours(8));
}

TEST(Schedule, whoever_asks_gets_the_run_that_waits_or_one_behind_the_one_that_runs) {
  Schedule schedule{"home", {planned("aws", std::nullopt)}, noon};
  EXPECT_FALSE(schedule.ask("gcp"));
  const auto first = schedule.ask("aws");
  EXPECT_EQ(schedule.ask("aws"), first);
  EXPECT_EQ(schedule.start()->run, first);
  const auto second = schedule.ask("aws");
  EXPECT_NE(second, first);
  EXPECT_EQ(schedule.ask("aws"), second);
  EXPECT_FALSE(schedule.start());
  schedule.ended(noon, true);
  EXPECT_EQ(schedule.start()->run, second);
  schedule.ended(noon, true);
  EXPECT_FALSE(schedule.start());
}

// A world that starts what may be started and looks whenever it likes, with runs that take as long as they take.
class World {
 public:
  World(std::vector<Planned> sources, Instant now, bool always_well = false)
      : schedule("home", sources, now), now_(now), always_well_(always_well) {
    for (const auto& source : sources) every[source.source] = *source.every;
  }

  void pass(Duration length) {
    now_ = now_ + length;
    if (until_ && *until_ <= now_) {
      note(schedule.ended(now_, well_));
      ended[running_].push_back(now_);
      until_.reset();
    }
    note(schedule.advance(now_));
    if (const auto due = schedule.start()) {
      RC_ASSERT(!until_);                       // never two at once
      RC_ASSERT(runs.insert(due->run).second);  // none twice
      running_ = due->source;
      started[due->source].push_back(now_);
      if (due->beat) answered[due->source].push_back(*due->beat);
      until_ = now_ + Duration{*rc::gen::inRange<std::int64_t>(0, 3 * hour.micros)};
      well_ = always_well_ || *rc::gen::arbitrary<bool>();
    } else {
      RC_ASSERT(!schedule.start());
    }
  }

  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] Instant next() const { return std::max(now_, until_ ? std::min(*until_, schedule.next()) : schedule.next()); }
  [[nodiscard]] std::optional<Instant> busy_until() const { return until_; }

  Schedule schedule;
  std::map<std::string, Duration> every;
  std::map<std::string, std::vector<Instant>> started, ended, answered;
  std::map<std::string, std::uint64_t> skipped;
  std::set<std::uint64_t> runs;

 private:
  void note(const std::vector<Skipped>& skips) {
    for (const auto& one : skips) skipped[one.source] += one.beats;
  }

  Instant now_;
  const bool always_well_;
  std::optional<Instant> until_;
  std::string running_;
  bool well_ = true;
};

TEST(Schedule, no_beat_is_lost_and_none_is_answered_twice) {
  const bool held = rc::check([] {
    std::vector<Planned> sources;
    for (const auto* name : {"aws", "github", "okta"})
      sources.push_back(planned(name, Duration{*rc::gen::inRange<std::int64_t>(60'000'000, 6 * hour.micros)}, noon));
    World world{sources, noon};
    const auto steps = *rc::gen::container<std::vector<std::int64_t>>(60, rc::gen::inRange<std::int64_t>(0, 2 * hour.micros));
    for (const auto step : steps) {
      if (*rc::gen::inRange(0, 8) == 0) (void)world.schedule.ask("github");
      world.pass(Duration{step});
    }
    // Let what waits have its run, without another beat passing by unseen.
    for (int i = 0; i < 40; ++i) world.pass(world.busy_until() ? *world.busy_until() - world.now() : Duration{0});
    for (const auto& source : sources) {
      const auto phase = phase_of("home", source.source, *source.every);
      std::uint64_t beats = 0;
      for (auto beat = beat_after(noon, *source.every, phase); beat <= world.now(); beat = beat + *source.every) ++beats;
      const auto& answered = world.answered[source.source];
      RC_ASSERT(std::ranges::adjacent_find(answered, std::greater_equal<>{}) == answered.end());
      // One may still wait behind the others.
      const auto accounted = answered.size() + world.skipped[source.source];
      RC_ASSERT(accounted == beats || accounted + 1 == beats);
    }
  });
  EXPECT_TRUE(held);
}

TEST(Schedule, looked_at_when_it_says_so_each_beat_is_answered_as_soon_as_nothing_else_runs) {
  const bool held = rc::check([] {
    const Duration every{*rc::gen::inRange<std::int64_t>(4 * hour.micros, 30 * hour.micros)};  // longer than any run
    World world{{planned("aws", every, noon)}, noon, true};
    for (int i = 0; i < 60; ++i) world.pass(world.next() - world.now());
    RC_ASSERT(world.skipped["aws"] == 0u);
    auto last = noon;
    for (const auto start : world.started["aws"]) {
      RC_ASSERT(start - last <= every);
      last = start;
    }
    for (const auto beat : world.answered["aws"]) RC_ASSERT(std::ranges::count(world.started["aws"], beat) == 1);
  });
  EXPECT_TRUE(held);
}

}  // namespace
}  // namespace vouch::portal
