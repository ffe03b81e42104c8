#include "controls/since.h"

#include "controls/sample.h"

namespace vouch::controls {
namespace {

const auto forever = Instant::infinity();

Control mfa() {
  return sample_control("select account, user_id from aws_iam_user",
                        "select account, user_id, 'no MFA' as reason from aws_iam_user where mfa is not true");
}

void user(facts::Facts& facts, const std::string& id, bool mfa_on, std::string_view from, std::string_view to,
          std::string_view created = "2026-01-01") {
  must(facts.insert("aws_iam_user",
                    {{"account", "1"}, {"user_id", id}, {"mfa", mfa_on ? "true" : "false"}, {"created", to_string(instant(created))}},
                    instant(from), to == "infinity" ? forever : instant(to)));
}

std::optional<Instant> since(const ControlVerdict& verdict, const std::string& id) {
  const auto* member = member_of(verdict, {{"account", "1"}, {"user_id", id}});
  return member ? member->since : std::nullopt;
}

TEST(Since, is_where_the_present_answer_began_and_was_not_interrupted) {
  auto facts = empty_world();
  user(facts, "a", false, "2026-03-01", "2026-03-02");
  user(facts, "a", true, "2026-03-02", "2026-03-03");
  user(facts, "a", false, "2026-03-03", "2026-03-05");  // another version, the same answer
  user(facts, "a", false, "2026-03-05", "infinity");
  user(facts, "b", true, "2026-03-04", "infinity");
  user(facts, "c", true, "2026-03-01", "infinity");
  const auto control = mfa();
  auto verdict = must(evaluate(control, facts, instant("2026-03-10")));
  must(date(control, facts, verdict));
  EXPECT_EQ(since(verdict, "a"), instant("2026-03-03"));
  EXPECT_EQ(since(verdict, "b"), instant("2026-03-04"));
  EXPECT_EQ(since(verdict, "c"), instant("2026-03-01"));

  // The past is dated as it stood then.
  auto earlier = must(evaluate(control, facts, instant("2026-03-02T12:00Z")));
  must(date(control, facts, earlier));
  EXPECT_EQ(since(earlier, "a"), instant("2026-03-02"));
}

TEST(Since, ends_at_a_hole_because_nobody_saw_through_it) {
  auto facts = empty_world();
  user(facts, "a", true, "2026-03-01", "infinity");
  must(facts.insert(facts::Hole{"aws_iam_user", {}, instant("2026-03-04"), instant("2026-03-05"), "denied", {}}));
  const auto control = mfa();
  auto verdict = must(evaluate(control, facts, instant("2026-03-10")));
  must(date(control, facts, verdict));
  EXPECT_EQ(since(verdict, "a"), instant("2026-03-05"));
  auto within = must(evaluate(control, facts, instant("2026-03-04T10:00Z")));
  must(date(control, facts, within));
  EXPECT_EQ(within.members.at(0).answer, Answer::unknown);
  EXPECT_EQ(since(within, "a"), instant("2026-03-04"));
}

TEST(Since, comes_with_the_last_sight_of_the_state_before) {
  auto facts = empty_world();
  user(facts, "a", true, "2026-03-01", "2026-03-03");
  user(facts, "a", false, "2026-03-03", "infinity");
  must(
      facts.store().execute("insert into vouch.run(source, account, leaf, started, ended, schedule, tree) values "
                            "('aws', '1', 1, '2026-03-01 00:00:00+00', '2026-03-01 00:10:00+00', 86400000000, 't'), "
                            "('aws', '1', 2, '2026-03-02 00:00:00+00', '2026-03-02 00:10:00+00', 86400000000, 't'), "
                            "('aws', '1', 3, '2026-03-03 00:00:00+00', '2026-03-03 00:10:00+00', 86400000000, 't')"));
  const auto control = mfa();
  auto verdict = must(evaluate(control, facts, instant("2026-03-03T12:00Z")));
  must(date(control, facts, verdict));
  EXPECT_EQ(since(verdict, "a"), instant("2026-03-03"));
  EXPECT_EQ(verdict.members.at(0).since_earliest, instant("2026-03-02T00:10Z"));

  // What was so at the first sight has no sight before it.
  auto first = must(evaluate(control, facts, instant("2026-03-02T12:00Z")));
  must(date(control, facts, first));
  EXPECT_EQ(since(first, "a"), instant("2026-03-01"));
  EXPECT_EQ(first.members.at(0).since_earliest, std::nullopt);
}

TEST(Since, of_an_age_is_the_microsecond_at_which_it_was_reached) {
  const auto control =
      sample_control("select account, user_id from aws_iam_user",
                     "select account, user_id, 'old' as reason from aws_iam_user where created < as_of() - interval 90 day");
  auto facts = empty_world();
  user(facts, "a", true, "2026-01-10", "infinity", "2026-01-01T12:00:00Z");
  user(facts, "b", true, "2026-05-01", "2026-05-20", "2026-01-02");  // was too old when it was first seen
  user(facts, "b", false, "2026-05-20", "infinity", "2026-01-02");
  auto verdict = must(evaluate(control, facts, instant("2026-06-01")));
  must(date(control, facts, verdict));
  EXPECT_EQ(since(verdict, "a"), instant("2026-04-01T12:00:00.000001Z"));
  EXPECT_EQ(verdict.members.at(0).since_earliest, std::nullopt);
  EXPECT_EQ(since(verdict, "b"), instant("2026-05-01"));
}

TEST(Since, of_three_hundred_members_costs_as_many_evaluations_as_there_are_changes) {
  auto facts = empty_world();
  for (int i = 0; i < 300; ++i) user(facts, std::to_string(i), i % 2 == 0, i < 150 ? "2026-03-01" : "2026-03-02", "infinity");
  const auto control = mfa();
  auto verdict = must(evaluate(control, facts, instant("2026-03-10")));
  must(date(control, facts, verdict, {.evaluations = 1}));
  EXPECT_EQ(since(verdict, "0"), instant("2026-03-01"));
  EXPECT_EQ(since(verdict, "299"), instant("2026-03-02"));
}

TEST(Since, stays_unsaid_where_it_lies_further_back_than_was_looked) {
  auto facts = empty_world();
  for (const auto* day : {"2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04"})
    user(facts, std::string{"u"} + day, true, day, "infinity");
  const auto control = mfa();
  auto verdict = must(evaluate(control, facts, instant("2026-03-10")));
  must(date(control, facts, verdict, {.evaluations = 2}));
  EXPECT_EQ(since(verdict, "u2026-03-04"), instant("2026-03-04"));
  EXPECT_EQ(since(verdict, "u2026-03-03"), instant("2026-03-03"));
  EXPECT_EQ(since(verdict, "u2026-03-01"), std::nullopt);
}

TEST(Since, names_the_collection_that_showed_the_member) {
  auto facts = empty_world();
  user(facts, "a", false, "2026-03-01", "infinity");
  must(facts.store().execute("update aws_iam_user set leaf = 12"));
  const auto control = mfa();
  auto verdict = must(evaluate(control, facts, instant("2026-03-10")));
  must(date(control, facts, verdict));
  EXPECT_EQ(verdict.members.at(0).leaf, LeafIndex{12});
}

}  // namespace
}  // namespace vouch::controls
