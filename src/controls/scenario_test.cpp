#include "controls/scenario.h"

#include "controls/sample.h"

namespace vouch::controls {
namespace {

constexpr std::string_view mfa_scenario = R"x(# iam-user-mfa.scenario: a console user without MFA fails
facts aws_iam_user account=1 user_id=AIDA01 user_name="eng one" console_access=true mfa=false  2026-03-01T00:00Z infinity
facts aws_iam_user account=1 user_id=AIDA02 console_access=true mfa=true 2026-03-01T00:00Z infinity   # fine

hole  aws_iam_user account=2  2026-03-01T00:00Z infinity  "iam:GetCredentialReport denied (AccessDenied)"
expect mfa account=1 user_id=AIDA01 fail     at 2026-03-02T00:00Z
expect mfa account=1 user_id=AIDA02 pass     at 2026-03-02T00:00Z
expect mfa account=2 unknown                 at 2026-03-02T00:00Z
expect mfa account=1 user_id=AIDA03 absent   at 2026-03-02T00:00Z
expect mfa fail                              at 2026-03-02T00:00Z
expect mfa empty                             at 2026-02-01T00:00Z
)x";

CatalogFiles files_with(std::string_view scenario) {
  CatalogFiles files;
  files.files = {
      own_file("controls/iam/mfa.yaml",
               control_text("mfa", "select account, user_id, user_name as name from aws_iam_user where console_access",
                            "select account, user_id, 'no MFA' as reason from aws_iam_user where console_access and mfa is not true")),
      own_file("controls/iam/mfa.scenario", std::string{scenario})};
  return files;
}

ScenarioReport run(const CatalogFiles& files, const Evaluator& evaluator = evaluate) {
  Problems problems;
  const auto controls = read_control_catalog(files, sample_tables(), problems);
  EXPECT_TRUE(problems.empty());
  return run_scenarios(files, controls, sample_tables(), evaluator);
}

std::vector<std::string> unmet(const ScenarioReport& report) {
  std::vector<std::string> list;
  for (const auto& result : report.results)
    if (!result.met) list.push_back(fmt::format("{}: expected {}, got {}", result.where, result.expected, result.got));
  return list;
}

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string copy{text};
  const auto at = copy.find(from);
  EXPECT_NE(at, std::string::npos);
  return copy.replace(at, from.size(), to);
}

TEST(Scenarios, that_are_right_are_met) {
  const auto report = run(files_with(mfa_scenario));
  EXPECT_EQ(report.results.size(), 6u);
  EXPECT_EQ(unmet(report), std::vector<std::string>{});
  EXPECT_TRUE(report.problems.empty());
}

TEST(Scenarios, that_expect_something_else_are_told_with_what_was_got) {
  EXPECT_EQ(
      unmet(run(files_with(replaced(mfa_scenario, "AIDA01 fail", "AIDA01 pass")))),
      std::vector<std::string>{
          "catalog/controls/iam/mfa.scenario:6: expected mfa account=1 user_id=AIDA01 pass at 2026-03-02T00:00:00Z, got fail (no MFA)"});
  EXPECT_EQ(
      unmet(run(files_with(replaced(mfa_scenario, "AIDA03 absent", "AIDA03 pass")))),
      std::vector<std::string>{
          "catalog/controls/iam/mfa.scenario:9: expected mfa account=1 user_id=AIDA03 pass at 2026-03-02T00:00:00Z, got no such member "
          "(there is account=1 user_id=AIDA01; account=1 user_id=AIDA02; account=2)"});
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{{"AIDA02 pass", "AIDA02 fail"},
                                                                                 {"AIDA02 pass", "AIDA02 absent"},
                                                                                 {"account=2 unknown ", "account=2 pass "},
                                                                                 {"mfa fail  ", "mfa pass  "},
                                                                                 {"mfa empty  ", "mfa pass  "},
                                                                                 {"mfa=false", "mfa=true"}})
    EXPECT_FALSE(unmet(run(files_with(replaced(mfa_scenario, from, to)))).empty()) << from << " -> " << to;
}

// An evaluator for which what was not read is not there: the mistake that scenarios with holes exist to catch.
TEST(Scenarios, catch_an_evaluator_that_takes_a_denied_answer_for_an_empty_one) {
  const Evaluator careless = [](const Control& control, facts::Facts& facts, Instant at) -> Result<ControlVerdict> {
    return judge(control, TRY(snapshot(control, facts, at)), {}, at);
  };
  const auto missed = unmet(run(files_with(mfa_scenario), careless));
  ASSERT_EQ(missed.size(), 1u);
  EXPECT_NE(missed[0].find("account=2 unknown"), std::string::npos);
}

TEST(Scenarios, catch_an_evaluator_that_reads_todays_facts_for_every_instant) {
  const Evaluator late = [](const Control& control, facts::Facts& facts, Instant) {
    return evaluate(control, facts, instant("2026-03-02"));
  };
  EXPECT_EQ(unmet(run(files_with(mfa_scenario), late)).size(), 1u);
}

TEST(Scenarios, report_a_control_that_none_of_them_tests_and_one_that_is_not_there) {
  auto files = files_with("expect nobody account=1 pass at 2026-03-02\n");
  const auto report = run(files);
  ASSERT_EQ(report.problems.size(), 2u);
  EXPECT_EQ(report.problems[0].message, "catalog/controls/iam/mfa.scenario:1: the control `nobody` is not there");
  EXPECT_EQ(report.problems[1].message,
            "catalog/controls/iam/mfa.yaml:1: no scenario expects anything of control `mfa`; write mfa.scenario beside it");
}

TEST(Scenarios, report_facts_that_no_table_takes_and_failures_outside_of_the_population) {
  const auto report =
      run(files_with("facts aws_iam_user account=1 nosuch=2 2026-03-01 infinity\nfacts nowhere account=1 2026-03-01 infinity\n"
                     "facts aws_iam_user account=1 user_id=a mfa=perhaps 2026-03-01 infinity\nexpect mfa empty at 2026-03-02\n"));
  ASSERT_EQ(report.problems.size(), 3u);
  for (int line : {1, 2, 3})
    EXPECT_TRUE(report.problems[static_cast<std::size_t>(line - 1)].message.starts_with(
        fmt::format("catalog/controls/iam/mfa.scenario:{}: ", line)));

  auto files = files_with(mfa_scenario);
  files.files[0].text = control_text("mfa", "select account, user_id from aws_iam_user where console_access and user_id <> 'AIDA01'",
                                     "select account, user_id, 'no MFA' as reason from aws_iam_user where mfa is not true");
  const auto outside = run(files);
  ASSERT_FALSE(outside.problems.empty());
  EXPECT_NE(outside.problems[0].message.find("`fails` of `mfa` returns account=1 user_id=AIDA01, which is not in its population"),
            std::string::npos);
}

TEST(Scenarios, are_read_strictly) {
  for (const auto* line : {"fact aws_iam_user account=1 2026-03-01 infinity",
                           "facts",
                           "facts aws_iam_user account=1 2026-03-01",
                           "facts aws_iam_user account=1 yesterday infinity",
                           "facts aws_iam_user account=1 2026-03-02 2026-03-01",
                           "facts aws_iam_user account=1 account=2 2026-03-01 infinity",
                           "facts aws_iam_user account=1 2026-03-01 infinity x",
                           "facts aws_iam_user account=\"1 2026-03-01 infinity",
                           "facts aws_iam_user account=\"1\"2 2026-03-01 infinity",
                           "facts aws_iam_user =1 2026-03-01 infinity",
                           "hole aws_iam_user account=1 2026-03-01 infinity",
                           "hole aws_iam_user account=null 2026-03-01 infinity \"x\"",
                           "hole aws_iam_user 2026-03-01 infinity denied",
                           "expect mfa account=1 good at 2026-03-01",
                           "expect mfa account=1 pass 2026-03-01",
                           "expect mfa account=1 pass at",
                           "expect mfa absent at 2026-03-01",
                           "expect mfa account=1 empty at 2026-03-01",
                           "expect mfa account=1 pass at 2026-03-01 2026-03-02",
                           "expect mfa account=1 pass at 2026-02-30"}) {
    const auto parsed = parse_scenario(fmt::format("\n{}\n", line), "x.scenario");
    ASSERT_FALSE(parsed) << line;
    EXPECT_TRUE(parsed.error().message.starts_with("x.scenario:2: ")) << parsed.error().message;
  }
}

TEST(Scenarios, hold_blanks_and_quotes_in_values_and_tell_null_from_a_text) {
  const auto parsed =
      must(parse_scenario("facts t a=\"x y\" b=null c=\"null\" d= e=\"say \\\"hi\\\"\" f=p=q 2026-03-01 infinity\r\n", "x"));
  EXPECT_EQ(parsed.facts.at(0).values, (ColumnValues{{"a", "x y"}, {"c", "null"}, {"d", ""}, {"e", "say \"hi\""}, {"f", "p=q"}}));
}

TEST(Scenarios, of_a_home_take_the_place_of_the_shipped_ones) {
  auto files = files_with(replaced(mfa_scenario, "AIDA01 fail", "AIDA01 pass"));
  files.files.push_back(own_file("controls/iam/mfa.scenario", std::string{mfa_scenario}, false));
  EXPECT_TRUE(unmet(run(files)).empty());
}

}  // namespace
}  // namespace vouch::controls
