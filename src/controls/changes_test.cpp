#include "controls/changes.h"

#include "controls/sample.h"

#include <rapidcheck.h>

namespace vouch::controls {
namespace {

const auto march = instant("2026-03-01"), forever = Instant::infinity();

// Ages and deadlines of every accepted form; the SQL of the tests below is what DuckDB itself makes of them.
const std::vector<std::pair<std::string, std::string>> aged_controls{
    {"select account, user_id, key_id from aws_iam_access_key",
     "select account, user_id, key_id, 'old' as reason from aws_iam_access_key where created < as_of() - interval 90 day"},
    {"select account, user_id, key_id from aws_iam_access_key",
     "select account, user_id, key_id, 'old' as reason from aws_iam_access_key where created <= as_of() - interval '3 hours 5 "
     "microseconds'"},
    {"select account, user_id, key_id from aws_iam_access_key",
     "select account, user_id, key_id, 'old' as reason from aws_iam_access_key where as_of() - created > interval '1 day 1 hour'"},
    {"select account, user_id, key_id from aws_iam_access_key",
     "select account, user_id, key_id, 'old' as reason from aws_iam_access_key where as_of() - created >= interval 30 day and active"},
    {"select account, user_id, key_id from aws_iam_access_key where created > as_of() - interval 10 day",
     "select account, user_id, key_id, 'new' as reason from aws_iam_access_key where created between as_of() - interval 2 day and as_of() "
     "- interval 1 day"},
    {"select account, user_id, key_id from aws_iam_access_key",
     "select account, user_id, key_id, 'idle' as reason from aws_iam_access_key where greatest(coalesce(last_used, created), created) + "
     "interval 45 day < now()"},
    {"select account, user_id, key_id from aws_iam_access_key",
     "select account, user_id, key_id, 'exactly' as reason from aws_iam_access_key where created = as_of() or last_used is not distinct "
     "from as_of() + interval 1 day"},
    {"select account, user_id from aws_iam_user",
     "select account, user_id, 'idle' as reason from aws_iam_user u where not exists (select 1 from aws_iam_access_key k where k.user_id = "
     "u.user_id and k.last_used "
     "> as_of() - interval 7 day)"},
    {"select account from aws_account",
     "select account, 'many' as reason from aws_iam_access_key where created < as_of() - interval 1 day group by account having count(*) > "
     "2 or max(last_used) < as_of() - "
     "interval 20 day"},
    {"select account, user_id from aws_iam_user",
     "with last as (select account, user_id, max(created) as made from aws_iam_access_key group by all) "
     "select account, user_id, 'no new key' as reason from aws_iam_user join last using (account, user_id) where made < as_of() - interval "
     "12 hour "
     "or as_of() > timestamptz '2026-03-20 00:00:00.000003+00'"},
    {"select account, user_id from aws_iam_user where created < as_of()",
     "select account, user_id, 'x' as reason from (select *, row_number() over (partition by account order by created, user_id) as n, "
     "lag(created) over (partition by account "
     "order by created, user_id) as earlier from aws_iam_user) where n > 1 and earlier > as_of() - interval 3 day"},
};

Instant some_instant() {
  // Often the same few, so that thresholds coincide.
  const auto day = *rc::gen::inRange<std::int64_t>(-120, 30);
  const auto hour = *rc::gen::elementOf(std::vector<std::int64_t>{0, 0, 1, 23});
  const auto micros = *rc::gen::elementOf(std::vector<std::int64_t>{0, 0, 1, -1, 999'999});
  return march + Duration{Duration::days(day).micros + Duration::hours(hour).micros + micros};
}

std::string some_time() { return *rc::gen::inRange(0, 5) == 0 ? "null" : to_string(some_instant()); }
std::string number(int n) { return std::to_string(n); }

void fill(facts::Facts& facts) {
  for (const auto* table : {"aws_account", "aws_iam_user", "aws_iam_access_key"})
    must(facts.store().execute(fmt::format("delete from {}", table)));
  must(facts.insert("aws_account", {{"account", "1"}}, Instant{0}, forever));
  const auto users = *rc::gen::inRange(1, 4), keys = *rc::gen::inRange(1, 8);
  for (int i = 0; i < users; ++i)
    must(facts.insert("aws_iam_user", {{"account", "1"}, {"user_id", number(i)}, {"created", some_time()}}, Instant{0}, forever));
  for (int i = 0; i < keys; ++i)
    must(facts.insert("aws_iam_access_key",
                      {{"account", "1"},
                       {"user_id", number(i % 3)},
                       {"key_id", number(i)},
                       {"active", i % 2 ? "true" : "false"},
                       {"created", some_time()},
                       {"last_used", some_time()}},
                      Instant{0}, forever));
}

std::string verdicts(const Control& control, facts::Facts& facts, Instant at) {
  const auto verdict = must(evaluate(control, facts, at));
  std::string text;
  for (const auto& member : verdict.members) text += fmt::format("{}={};", to_text(member.key), name_of(member.answer));
  return text;
}

TEST(ClockChanges, are_the_only_instants_at_which_verdicts_change_without_a_fact) {
  std::vector<Control> controls;
  for (const auto& [population, fails] : aged_controls) controls.push_back(sample_control(population, fails));
  auto facts = empty_world();
  std::size_t tries = 0, changed = 0, points = 0;
  const bool held = rc::check([&] {
    ++tries;
    fill(facts);
    const auto& control = controls[static_cast<std::size_t>(*rc::gen::inRange<int>(0, static_cast<int>(controls.size())))];
    const auto from = some_instant();
    const auto until = from + Duration::days(*rc::gen::inRange(1, 150));
    const auto changes = must(clock_changes(control, facts, from, until, 1000));
    auto at = from;
    auto before = verdicts(control, facts, from);
    for (const auto change : changes) {
      RC_ASSERT(must(next_clock_change(control, facts, at)) == change);
      // Up to the last microsecond nothing moves, also not in between.
      RC_ASSERT(verdicts(control, facts, {change.micros - 1}) == before);
      RC_ASSERT(verdicts(control, facts, {at.micros + (change.micros - at.micros) / 2}) == before);
      const auto after = verdicts(control, facts, change);
      changed += after != before;
      ++points;
      before = after;
      at = change;
    }
    RC_ASSERT(verdicts(control, facts, {until.micros - 1}) == before);
    const auto next = must(next_clock_change(control, facts, {until.micros - 1}));
    RC_ASSERT(!next || *next >= until);
  });
  EXPECT_TRUE(held);
  // The property would hold of a control that never changes; these do, a few times in each ten tries, at the points that were told.
  EXPECT_GT(changed, tries / 25);
  EXPECT_GE(points, changed);
}

TEST(ClockChanges, a_key_turns_too_old_at_a_microsecond_and_not_before) {
  const auto control = sample_control(aged_controls[0].first, aged_controls[0].second);
  auto facts = empty_world();
  must(facts.insert("aws_iam_access_key", {{"account", "1"}, {"user_id", "u"}, {"key_id", "k"}, {"created", "2026-03-01T12:00:00.000001Z"}},
                    march, forever));
  EXPECT_EQ(must(next_clock_change(control, facts, march)), instant("2026-05-30T12:00:00.000002Z"));
  EXPECT_EQ(must(next_clock_change(control, facts, instant("2026-05-30T12:00:00.000002Z"))), std::nullopt);
  EXPECT_EQ(must(expiry(control, facts, march)), instant("2026-05-30T12:00:00.000002Z"));
}

TEST(ClockChanges, extreme_and_endless_dates_do_no_harm) {
  const auto control = sample_control(aged_controls[0].first, aged_controls[0].second);
  auto facts = empty_world();
  for (const auto* created : {"infinity", "-infinity", "294246-12-31 00:00:00+00", "4713-01-02 (BC) 00:00:00+00"}) {
    if (!facts.insert("aws_iam_access_key", {{"account", "1"}, {"user_id", "u"}, {"key_id", created}, {"created", created}}, march,
                      forever))
      continue;
    EXPECT_TRUE(next_clock_change(control, facts, march)) << created;
  }
  EXPECT_TRUE(clock_changes(control, facts, march, instant("2027-01-01"), 10));
}

TEST(ClockChanges, of_a_tick_are_its_multiples) {
  const auto control = sample_control(
      "select account, bucket from aws_s3_bucket",
      "select account, bucket, 'old' as reason from aws_s3_bucket where date_diff('hour', created, as_of()) >= 12", "tick: 1d\n");
  auto facts = empty_world();
  EXPECT_EQ(must(next_clock_change(control, facts, instant("2026-03-01T10:00Z"))), instant("2026-03-02"));
  EXPECT_EQ(must(next_clock_change(control, facts, instant("2026-03-02"))), instant("2026-03-03"));
  EXPECT_EQ(must(next_clock_change(control, facts, instant("1969-12-30T10:00Z"))), instant("1969-12-31"));
  EXPECT_EQ(must(clock_changes(control, facts, instant("2026-03-01"), instant("2026-03-04"), 10)),
            (std::vector<Instant>{instant("2026-03-02"), instant("2026-03-03")}));
  EXPECT_EQ(must(clock_changes(control, facts, instant("2026-03-01"), instant("2026-03-04"), 1)),
            std::vector<Instant>{instant("2026-03-03")});
}

TEST(ClockChanges, a_control_without_an_age_expires_with_its_facts_alone) {
  const auto control =
      sample_control("select account, bucket from aws_s3_bucket", "select account, bucket, '' as reason from aws_s3_bucket where false");
  auto facts = empty_world();
  EXPECT_EQ(must(expiry(control, facts, march)), forever);
  must(facts.insert("aws_s3_bucket", {{"account", "1"}, {"bucket", "a"}}, march, instant("2026-04-01")));
  EXPECT_EQ(must(expiry(control, facts, march)), instant("2026-04-01"));
  EXPECT_EQ(must(expiry(control, facts, instant("2026-02-01"))), march);
}

}  // namespace
}  // namespace vouch::controls
