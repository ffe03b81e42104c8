#include "controls/event.h"

#include "controls/changes.h"
#include "controls/sample.h"

namespace vouch::controls {
namespace {

const std::string merges = "select account, repository, number, merged_at as at from code_change where merged_at is not null";
const std::string unapproved =
    "select account, repository, number, 'no approval' as reason from code_change c where not exists (select 1 from code_review r where "
    "r.account = c.account and r.repository = c.repository and r.number = c.number and r.state = 'APPROVED')";

using Values = std::map<std::string, std::string>;

void change(facts::Facts& facts, int number, std::string_view merged, std::string_view seen, std::string_view closed = "") {
  Values values{{"account", "1"}, {"repository", "web"}, {"number", std::to_string(number)}};
  if (!merged.empty()) values["merged_at"] = merged;
  if (!closed.empty()) values["closed_at"] = closed;
  must(facts.insert("code_change", values, instant(seen), Instant::infinity()));
}

void review(facts::Facts& facts, int number, int id, std::string_view submitted, std::string_view seen) {
  must(facts.insert("code_review",
                    {{"account", "1"},
                     {"repository", "web"},
                     {"number", std::to_string(number)},
                     {"review_id", std::to_string(id)},
                     {"state", "APPROVED"},
                     {"submitted_at", std::string{submitted}}},
                    instant(seen), Instant::infinity()));
}

void hole(facts::Facts& facts, const std::string& table, Values key, std::string_view from, std::string_view to) {
  must(facts.insert(facts::Hole{table, std::move(key), instant(from), instant(to), "denied", {}}));
}

const MemberVerdict& number(const ControlVerdict& verdict, int wanted) {
  const auto* member = member_of(verdict, {{"account", "1"}, {"repository", "web"}, {"number", std::to_string(wanted)}});
  if (!member) throw std::runtime_error("no such change");
  return *member;
}

TEST(Event, is_judged_on_what_its_sources_remember_of_its_instant) {
  auto facts = empty_world();
  // All of it was seen on the third, after the merges.
  change(facts, 1, "2026-03-01T10:00Z", "2026-03-03");
  review(facts, 1, 10, "2026-03-01T09:00Z", "2026-03-03");
  change(facts, 2, "2026-03-01T10:00Z", "2026-03-03");
  review(facts, 2, 20, "2026-03-01T11:00Z", "2026-03-03");  // an hour too late
  const auto verdict = must(evaluate(sample_event(merges, unapproved), facts, instant("2026-03-04")));
  EXPECT_EQ(number(verdict, 1).answer, Answer::pass);
  EXPECT_EQ(number(verdict, 2).answer, Answer::fail);
  EXPECT_EQ(number(verdict, 2).reason, "no approval");
  EXPECT_EQ(number(verdict, 2).basis, "recalled");
  EXPECT_EQ(number(verdict, 2).since, instant("2026-03-01T10:00Z"));
  EXPECT_EQ(verdict.population, 2);
  EXPECT_EQ(verdict.answer, Answer::fail);
}

TEST(Event, that_has_not_come_is_no_member_and_one_that_is_not_judged_yet_is_unknown) {
  auto facts = empty_world();
  change(facts, 1, "2026-03-01T10:00Z", "2026-03-01", "2026-03-02T10:00Z");
  change(facts, 2, "2026-03-01T10:00Z", "2026-03-01");
  const auto control = sample_event(
      "select account, repository, number, merged_at as at, closed_at + interval 24 hour as judge_at from code_change", unapproved);
  EXPECT_EQ(must(evaluate(control, facts, instant("2026-03-01T09:59Z"))).answer, Answer::empty);
  const auto early = must(evaluate(control, facts, instant("2026-03-03T09:59Z")));
  EXPECT_EQ(number(early, 1).answer, Answer::unknown);
  EXPECT_EQ(number(early, 1).reason, "judged at 2026-03-03T10:00:00Z");
  EXPECT_EQ(number(early, 2).reason, "the instant at which it is judged is not known yet");
  EXPECT_EQ(must(expiry(control, facts, instant("2026-03-03T09:59Z"))), instant("2026-03-03T10:00Z"));
  review(facts, 1, 10, "2026-03-03T09:00Z", "2026-03-03T09:00Z");
  EXPECT_EQ(number(must(evaluate(control, facts, instant("2026-03-03T10:00Z"))), 1).answer, Answer::pass);
  EXPECT_TRUE(must(expiry(control, facts, instant("2026-03-03T10:00Z"))).is_infinite());
}

TEST(Event, reads_tables_of_state_as_they_were_observed_then) {
  auto facts = empty_world();
  const auto guarded = [&](bool is, std::string_view from, std::string_view to) {
    must(facts.insert("code_repository", {{"account", "1"}, {"repository", "web"}, {"guarded", is ? "true" : "false"}}, instant(from),
                      instant(to)));
  };
  guarded(true, "2026-03-01", "2026-03-03");
  guarded(false, "2026-03-03", "2026-03-04");
  guarded(true, "2026-03-04", "infinity");
  for (int day = 1; day <= 5; ++day) change(facts, day, fmt::format("2026-03-0{}T10:00Z", day), "2026-03-06");
  hole(facts, "code_repository", {{"account", "1"}}, "2026-03-04T12:00Z", "2026-03-05T12:00Z");
  hole(facts, "code_repository", {}, "0001-01-01", "2026-03-01T12:00Z");
  const auto control =
      sample_event(merges,
                   "select c.account, c.repository, c.number, 'unguarded' as reason from code_change c join code_repository "
                   "using (account, repository) where guarded is not true");
  const auto verdict = must(evaluate(control, facts, instant("2026-03-07")));
  EXPECT_EQ(number(verdict, 1).answer, Answer::unknown);
  EXPECT_EQ(number(verdict, 1).reason, "before the first observation: denied");
  EXPECT_EQ(number(verdict, 2).answer, Answer::pass);
  EXPECT_EQ(number(verdict, 2).basis, "snapshots");
  EXPECT_EQ(number(verdict, 3).answer, Answer::fail);
  EXPECT_EQ(number(verdict, 4).answer, Answer::pass);
  EXPECT_EQ(number(verdict, 5).answer, Answer::unknown);
  EXPECT_EQ(number(verdict, 5).reason, "denied");
}

TEST(Event, that_was_judged_stays_judged_beside_a_listing_that_is_a_hole_now) {
  auto facts = empty_world();
  change(facts, 1, "2026-03-01T10:00Z", "2026-03-01T12:00Z");
  review(facts, 1, 10, "2026-03-01T09:00Z", "2026-03-01T12:00Z");
  hole(facts, "code_change", {{"account", "1"}}, "2026-03-02", "infinity");
  hole(facts, "code_change", {{"account", "2"}}, "2026-03-02", "2026-03-05");
  const auto verdict = must(evaluate(sample_event(merges, unapproved), facts, instant("2026-03-03")));
  EXPECT_EQ(number(verdict, 1).answer, Answer::pass);
  ASSERT_TRUE(member_of(verdict, {{"account", "1"}}));
  EXPECT_EQ(member_of(verdict, {{"account", "1"}})->answer, Answer::unknown);
  // What a later listing tells hides nothing any more.
  EXPECT_FALSE(member_of(verdict, {{"account", "2"}}));
  EXPECT_EQ(verdict.unknown, 1);
}

TEST(Event, whose_own_rows_were_refused_is_unknown_alone) {
  auto facts = empty_world();
  for (int one = 1; one <= 2; ++one) {
    change(facts, one, "2026-03-01T10:00Z", "2026-03-02");
    review(facts, one, one, "2026-03-01T09:00Z", "2026-03-02");
  }
  hole(facts, "code_review", {{"account", "1"}, {"repository", "web"}, {"number", "2"}}, "0001-01-01", "infinity");
  const auto verdict = must(evaluate(sample_event(merges, unapproved), facts, instant("2026-03-03")));
  EXPECT_EQ(number(verdict, 1).answer, Answer::pass);
  EXPECT_EQ(number(verdict, 2).answer, Answer::unknown);
  EXPECT_EQ(verdict.population, 2);
}

TEST(Event, reads_the_clock_as_its_own_instant) {
  auto facts = empty_world();
  change(facts, 1, "2026-03-05T10:00Z", "2026-03-06");
  change(facts, 2, "2026-03-08T10:00Z", "2026-03-09");
  for (int one = 1; one <= 2; ++one) review(facts, one, one, "2026-03-04T10:00Z", "2026-03-09");
  const auto control =
      sample_event(merges,
                   "select account, repository, number, 'stale approval' as reason from code_change join code_review using "
                   "(account, repository, number) where submitted_at < as_of() - interval 2 day");
  const auto verdict = must(evaluate(control, facts, instant("2026-06-01")));
  EXPECT_EQ(number(verdict, 1).answer, Answer::pass);
  EXPECT_EQ(number(verdict, 2).answer, Answer::fail);
  EXPECT_FALSE(control.uses_as_of);  // time passes, and nothing changes
}

TEST(Event, needs_a_population_whose_rows_date_themselves) {
  const auto refused = [](const std::string& population) {
    try {
      sample_event(population, "select account, repository, number, 'r' as reason from code_change");
      return std::string{"accepted"};
    } catch (const std::runtime_error& error) {
      return std::string{error.what()};
    }
  };
  EXPECT_NE(refused("select account, repository, number from code_change").find("returns `at`"), std::string::npos);
  EXPECT_NE(refused("select account, bucket, created as at from aws_s3_bucket").find("`event:` in its fact file"), std::string::npos);
  EXPECT_NE(refused("select account, repository, number, author as at from code_change").find("`at` is an instant, not VARCHAR"),
            std::string::npos);
}

}  // namespace
}  // namespace vouch::controls
