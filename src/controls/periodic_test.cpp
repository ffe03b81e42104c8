#include "controls/periodic.h"

#include "controls/changes.h"
#include "controls/choice.h"
#include "controls/sample.h"

namespace vouch::controls {
namespace {

using Values = std::map<std::string, std::string>;

// Each user owes an approving review of his own in every quarter; who writes whose does not matter here.
Control quarterly(const std::string& more = "every: quarter\ngrace: 10d\n", const std::string& id = "sample") {
  Problems problems;
  auto catalog =
      read_one(id,
               "id: " + id + "\nkind: periodic\nstatement: It is done.\nseverity: high\n" + more +
                   "population: select account, user_id, user_name as name from aws_iam_user\n"
                   "done: select u.account, u.user_id, r.submitted_at as at, 'review ' || r.review_id as evidence from aws_iam_user u "
                   "join code_review r on r.account = u.account and r.author = u.user_name\n",
               problems);
  if (!problems.empty()) throw std::runtime_error(problems[0].message);
  return catalog.controls.at(0);
}

struct World {
  World() { user("u1", "0001-01-01", "infinity"); }
  void user(const std::string& id, std::string_view from, std::string_view to) {
    must(facts.insert("aws_iam_user", {{"account", "1"}, {"user_id", id}, {"user_name", id}}, instant(from), instant(to)));
  }
  void act(const std::string& user, int id, std::string_view at, std::string_view seen = "") {
    must(facts.insert("code_review",
                      {{"account", "1"},
                       {"repository", "r"},
                       {"number", "1"},
                       {"review_id", std::to_string(id)},
                       {"author", user},
                       {"submitted_at", std::string{at}}},
                      instant(seen.empty() ? at : seen), Instant::infinity()));
  }
  void hole(const std::string& table, Values key, std::string_view from, std::string_view to) {
    must(facts.insert(facts::Hole{table, std::move(key), instant(from), instant(to), "denied", {}}));
  }
  MemberVerdict at(const Control& control, std::string_view at, const std::string& user = "u1") {
    const auto verdict = must(evaluate(control, facts, instant(at)));
    const auto* member = member_of(verdict, {{"account", "1"}, {"user_id", user}});
    if (!member) throw std::runtime_error("no such member");
    return *member;
  }
  facts::Facts facts = empty_world();
};

TEST(Periodic, fails_when_a_window_and_its_grace_are_over_without_an_act) {
  World world;
  const auto control = quarterly();
  EXPECT_EQ(world.at(control, "2026-04-10T23:59:59Z").answer, Answer::unknown);
  EXPECT_EQ(world.at(control, "2026-04-10T23:59:59Z").reason, "pending until 2026-04-11T00:00:00Z");
  const auto failed = world.at(control, "2026-04-11T00:00Z");
  EXPECT_EQ(failed.answer, Answer::fail);
  EXPECT_EQ(failed.reason, "nothing between 2026-01-01T00:00:00Z and 2026-04-01T00:00:00Z");
  EXPECT_EQ(failed.since, instant("2026-04-11"));
  ASSERT_TRUE(failed.due);
  EXPECT_EQ(failed.due->window, (Window{instant("2026-01-01"), instant("2026-04-01")}));
}

TEST(Periodic, passes_by_an_act_in_the_window_before_or_an_early_one_in_this) {
  World world;
  const auto control = quarterly();
  world.act("u1", 1, "2026-03-31T23:00Z");
  world.act("u1", 2, "2026-07-02T00:00Z");
  const auto by_last = world.at(control, "2026-06-30T23:59Z");
  EXPECT_EQ(by_last.answer, Answer::pass);
  EXPECT_EQ(by_last.due->evidence, "review 1");
  EXPECT_EQ(by_last.due->window.to, instant("2026-04-01"));
  EXPECT_EQ(world.at(control, "2026-07-01").answer, Answer::unknown);
  const auto early = world.at(control, "2026-07-03");
  EXPECT_EQ(early.answer, Answer::pass);
  EXPECT_EQ(early.since, instant("2026-07-02"));
  EXPECT_EQ(early.due->window.from, instant("2026-07-01"));
  // Before it came, the act of July was none; and a late act is none for the window that it missed.
  EXPECT_EQ(world.at(control, "2026-12-31").answer, Answer::pass);
  EXPECT_EQ(world.at(control, "2027-01-11").answer, Answer::fail);
}

TEST(Periodic, of_who_came_after_a_window_is_pending_until_his_own_is_over) {
  World world;
  const auto control = quarterly();
  world.user("new", "2026-04-02", "infinity");
  EXPECT_EQ(world.at(control, "2026-06-01", "new").reason, "pending until 2026-07-11T00:00:00Z");
  EXPECT_EQ(world.at(control, "2026-06-01", "u1").answer, Answer::fail);
  EXPECT_EQ(world.at(control, "2026-07-11", "new").answer, Answer::fail);
}

TEST(Periodic, is_unknown_where_acts_or_the_population_were_not_read) {
  World world;
  const auto control = quarterly();
  world.act("u1", 1, "2026-02-01T00:00Z");
  world.hole("code_review", {{"account", "1"}}, "2026-03-01", "infinity");
  EXPECT_EQ(world.at(control, "2026-05-01").answer, Answer::unknown);
  EXPECT_EQ(world.at(control, "2026-05-01").reason, "denied");
  World other;
  other.hole("aws_iam_user", {{"account", "1"}}, "2026-03-01", "2026-05-01");
  EXPECT_EQ(other.at(control, "2026-05-02").reason,
            "pending until 2026-07-11T00:00:00Z; whether the window before was owed is unknown: denied");
  other.act("u1", 1, "2026-05-01T12:00Z");
  EXPECT_EQ(other.at(control, "2026-05-02").answer, Answer::pass);
  EXPECT_EQ(other.at(control, "2026-04-15").answer, Answer::unknown);
}

TEST(Periodic, expires_when_a_window_or_its_grace_is_over) {
  World world;
  const auto control = quarterly();
  const auto expires = [&](std::string_view at) { return must(expiry(control, world.facts, instant(at))); };
  EXPECT_EQ(expires("2026-04-05"), instant("2026-04-11"));
  EXPECT_EQ(expires("2026-04-11"), instant("2026-07-01"));
  world.act("u1", 1, "2026-04-20T00:00Z");
  EXPECT_EQ(expires("2026-04-21"), instant("2026-10-01"));
  EXPECT_EQ(expires("2026-07-05"), instant("2026-10-01"));
  EXPECT_EQ(world.at(control, "2026-09-30T23:59Z").answer, Answer::pass);
  EXPECT_EQ(world.at(control, "2026-10-01").answer, Answer::unknown);
}

TEST(Periodic, windows_are_those_of_the_home_s_zone) {
  World world;
  world.act("u1", 1, "2026-03-31T22:30Z");  // the first of April in Berlin
  ControlCatalog catalog;
  catalog.controls.push_back(quarterly());
  EXPECT_EQ(world.at(catalog.controls[0], "2026-04-12").due->window.from, instant("2026-01-01"));
  const auto in_utc = catalog.controls[0].digest;
  Choice choice;
  choice.zone = must(Zone::of("Europe/Berlin"));
  Problems problems;
  choose(catalog, choice, problems);
  EXPECT_EQ(world.at(catalog.controls[0], "2026-04-12").due->window.from, instant("2026-03-31T22:00Z"));
  EXPECT_NE(catalog.controls[0].digest, in_utc);
}

// The definition, said plainly: for each instant, from acts and times alone.
TEST(Periodic, equals_its_definition_at_every_instant) {
  const auto control = quarterly("every: month\ngrace: 3d\n");
  const auto window_of = [](Instant at) { return window_at(Zone{}, Span::month, at); };
  unsigned seed = 1;
  const auto pick = [&](unsigned below) {
    seed = seed * 1664525u + 1013904223u;
    return static_cast<int>((seed >> 8) % below);
  };
  std::map<Answer, int> seen;
  for (int history = 0; history < 25; ++history) {
    World world;
    const auto begin = instant("2026-01-01");
    const auto born = begin + Duration::days(pick(100));
    world.user("u2", to_string(born), "infinity");
    std::vector<Instant> acts;
    for (int i = pick(6); i > 0; --i) {
      acts.push_back(begin + Duration::hours(pick(200 * 24)));
      world.act("u2", static_cast<int>(acts.size()), to_string(acts.back()));
    }
    for (int i = 0; i < 20; ++i) {
      const auto edge = window_of(begin + Duration::days(pick(220))).from + (pick(2) ? Duration::days(3) : Duration{});
      const auto at = Instant{std::max(born, pick(2) ? edge : begin + Duration::hours(pick(220 * 24))).micros + pick(3) - 1};
      if (at < born) continue;
      const auto now = window_of(at), before = window_before(Zone{}, Span::month, now);
      const auto done = [&](const Window& window) {
        return std::any_of(acts.begin(), acts.end(), [&](Instant act) { return window.from <= act && act < window.to && act <= at; });
      };
      const auto expected = done(now) || done(before)                                 ? Answer::pass
                            : born < before.to && before.to + Duration::days(3) <= at ? Answer::fail
                                                                                      : Answer::unknown;
      ++seen[expected];
      ASSERT_EQ(name_of(world.at(control, to_string(at), "u2").answer), name_of(expected)) << to_string(at) << " born " << to_string(born);
    }
  }
  for (const auto answer : {Answer::pass, Answer::fail, Answer::unknown}) EXPECT_GT(seen[answer], 20) << name_of(answer);
}

TEST(Periodic, refuses_what_has_no_window) {
  for (const auto& [more, reason] :
       std::vector<std::pair<std::string, std::string>>{{"every: fortnight\n", "`every` is one of day, week, month, quarter, half, year"},
                                                        {"", "missing `every`"},
                                                        {"every: week\ngrace: 7d\n", "shorter than a week"},
                                                        {"every: week\nfails: select 1\n", "`fails` is not known here"}}) {
    try {
      quarterly(more);
      ADD_FAILURE() << more;
    } catch (const std::runtime_error& error) {
      EXPECT_NE(std::string{error.what()}.find(reason), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace vouch::controls
