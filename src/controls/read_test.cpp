#include "controls/control.h"

#include "controls/sample.h"

namespace vouch::controls {
namespace {

constexpr auto population = "select account, user_id, user_name as name from aws_iam_user where console_access";
constexpr auto fails = "select account, user_id, 'no MFA' as reason\nfrom aws_iam_user\nwhere mfa is not true";

std::string only_problem(const std::string& text) {
  Problems problems;
  const auto catalog = read_one("sample", text, problems);
  EXPECT_TRUE(catalog.controls.empty());
  EXPECT_EQ(problems.size(), 1u);
  return problems.empty() ? "none" : problems[0].message;
}

std::string changed(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(ControlCatalog, reads_a_control_whole) {
  Problems problems;
  const auto catalog = read_one("sample",
                                control_text("sample", population, fails,
                                             "owner: platform\nsettle: 1h\nmend_within: 24h\nmend: mfa-policy\nremedy: Do it.\n"
                                             "equivalents: {prowler: [iam_a, iam_b]}\ndiffers: {prowler: {iam_c: counts roles}}\n"),
                                problems);
  ASSERT_TRUE(problems.empty()) << problems[0].message;
  const auto& control = *catalog.find("sample");
  EXPECT_EQ(control.key, (std::vector<std::string>{"account", "user_id"}));
  EXPECT_EQ(control.tables, std::vector<std::string>{"aws_iam_user"});
  EXPECT_EQ(control.settle, Duration::hours(1));
  EXPECT_EQ(control.mend_within, Duration::hours(24));
  EXPECT_EQ(control.mend, "mfa-policy");
  EXPECT_EQ(control.equivalents.at("prowler").size(), 2u);
  EXPECT_EQ(control.differs.at("prowler").at("iam_c"), "counts roles");
  EXPECT_FALSE(control.uses_as_of);
  EXPECT_EQ(control.where, "catalog/controls/test/sample.yaml:1");
  EXPECT_EQ(catalog.find("other"), nullptr);
}

TEST(ControlCatalog, says_file_and_line_of_a_mistake) {
  const auto good = control_text("sample", population, fails);
  const std::string file = "catalog/controls/test/sample.yaml:";
  EXPECT_EQ(only_problem(changed(good, "where mfa", "where mfaa")).substr(0, 53), file + "10: `fails`: Binder");
  EXPECT_EQ(only_problem(changed(good, "\n  from aws_iam_user\n", "\n  from aws_iam_usr\n")),
            file + "9: `fails`: `aws_iam_usr` is not a fact table");
  EXPECT_NE(only_problem(changed(good, "where mfa is not true", "where mfa is nott true")).find(file + "10: `fails`: syntax error"),
            std::string::npos);
  EXPECT_NE(only_problem(changed(good, "where mfa", "where random() > mfa")).find(file + "10: `fails`: `random`"), std::string::npos);
  EXPECT_NE(only_problem(changed(good, "where mfa is not true", "where date_diff('day', created, as_of()) > 90")).find("state `tick: 1d`"),
            std::string::npos);
  EXPECT_NE(only_problem(changed(good, "severity: high", "severity: enormous")).find(file + "4: `enormous`"), std::string::npos);
  EXPECT_NE(only_problem(changed(good, "statement:", "statment:")).find("statment"), std::string::npos);
  EXPECT_NE(only_problem(changed(good, "kind: state", "kind: sometimes")).find(file + "2: `sometimes` is no kind"), std::string::npos);
  EXPECT_NE(only_problem(changed(good, "kind: state", "kind: state\nshelf: top")).find(file + "3: `top` is no shelf"), std::string::npos);
  EXPECT_NE(only_problem(changed(good, "kind: state", "kind: state\nsettle: soon")).find(file + "3: `settle`"), std::string::npos);
  EXPECT_NE(only_problem(changed(good, "id: sample", "id: other")).find("call the file other.yaml"), std::string::npos);
  EXPECT_NE(only_problem("id: [").find(file), std::string::npos);
}

TEST(ControlCatalog, wants_the_same_key_of_population_and_fails) {
  const auto good = control_text("sample", population, fails);
  EXPECT_NE(only_problem(changed(good, "select account, user_id, 'no MFA'", "select user_id, 'no MFA'"))
                .find(":7: `fails` returns reason, user_id; it must return the population's key and a reason: account, reason, user_id"),
            std::string::npos);
  EXPECT_NE(only_problem(changed(good, "'no MFA' as reason", "'no MFA' as why")).find("`fails` returns"), std::string::npos);
  EXPECT_NE(
      only_problem(changed(good, "user_name as name", "user_name")).find(":5: `population` returns `user_name`, which is no key column"),
      std::string::npos);
  EXPECT_NE(
      only_problem(changed(good, "select account, user_id, user_name as name", "select user_name as name")).find("returns no key column"),
      std::string::npos);
  EXPECT_NE(only_problem(
                changed(good, "select account, user_id, user_name as name from aws_iam_user where console_access", "select '1' as account"))
                .find("names no fact table"),
            std::string::npos);
}

TEST(ControlCatalog, wants_no_account_in_the_key_of_a_control_that_joins_two_sources) {
  auto tables = sample_tables();
  for (auto& table : tables.tables)
    if (table.name == "code_review") table.source = "code";
  const auto read = [&](const std::string& key) {
    CatalogFiles files;
    files.files = {own_file("controls/test/sample.yaml",
                            control_text("sample", "select " + key + "user_id from aws_iam_user",
                                         "select " + key +
                                             "user_id, 'no review' as reason from aws_iam_user u\nwhere not exists (select 1 from "
                                             "code_review r where r.author = u.user_name)"))};
    Problems problems;
    read_control_catalog(files, tables, problems);
    return problems;
  };
  EXPECT_TRUE(read("").empty());
  const auto problems = read("account, ");
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_NE(problems[0].message.find("joins aws and code, whose accounts are not the same"), std::string::npos) << problems[0].message;
}

TEST(ControlCatalog, goes_on_behind_a_mistake) {
  CatalogFiles files;
  files.files = {own_file("controls/a/bad.yaml", "id: bad\n"), own_file("controls/a/good.yaml", control_text("good", population, fails)),
                 own_file("frameworks/soc2.yaml",
                          "framework: soc2\ntitle: SOC 2\ncriteria:\n- {id: CC6.1, category: Access, says: Logical access., controls: "
                          "[good, bad,\n  ugly]}\n"
                          "- {id: CC6.2, category: Access, says: None yet.}\n")};
  Problems problems;
  const auto catalog = read_control_catalog(files, sample_tables(), problems);
  ASSERT_EQ(problems.size(), 2u);
  EXPECT_NE(problems[0].message.find("catalog/controls/a/bad.yaml:1: missing `kind`"), std::string::npos) << problems[0].message;
  EXPECT_EQ(problems[1].message, "catalog/frameworks/soc2.yaml:5: `CC6.1` lists the control `ugly`, which is not there");
  EXPECT_EQ(catalog.criteria_of("good"), std::vector<std::string>{"CC6.1"});
  EXPECT_EQ(catalog.criteria_of("good", "iso"), std::vector<std::string>{});
  ASSERT_EQ(catalog.frameworks.size(), 1u);
  EXPECT_EQ(catalog.frameworks[0].criteria[0].controls, std::vector<std::string>{"good"});
  EXPECT_EQ(catalog.frameworks[0].criteria[1].id, "CC6.2");
}

TEST(ControlCatalog, a_homes_own_framework_file_adds_controls_and_criteria_to_the_shipped_one) {
  CatalogFiles files;
  files.files = {own_file("controls/a/good.yaml", control_text("good", population, fails)),
                 own_file("controls/b/ours.yaml", control_text("ours", population, fails), false),
                 own_file("frameworks/soc2.yaml",
                          "framework: soc2\ntitle: SOC 2\ncriteria:\n- {id: CC6.1, category: Access, says: Logical., controls: [good]}\n"),
                 own_file("frameworks/soc2.yaml",
                          "framework: soc2\ncriteria:\n- {id: CC6.1, controls: [ours, good]}\n"
                          "- {id: P1, category: Privacy, says: Notice., controls: [ours]}\n",
                          false)};
  Problems problems;
  const auto catalog = read_control_catalog(files, sample_tables(), problems);
  EXPECT_TRUE(problems.empty());
  ASSERT_EQ(catalog.frameworks.size(), 1u);
  EXPECT_EQ(catalog.frameworks[0].title, "SOC 2");
  EXPECT_EQ(catalog.frameworks[0].criteria[0].says, "Logical.");
  EXPECT_EQ(catalog.frameworks[0].criteria[0].controls, (std::vector<std::string>{"good", "ours"}));
  EXPECT_EQ(catalog.criteria_of("ours"), (std::vector<std::string>{"CC6.1", "P1"}));
  files.files.back().text = "framework: soc2\ncriteria:\n- {id: CC9.9, controls: [ours]}\n";
  read_control_catalog(files, sample_tables(), problems);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_NE(problems[0].message.find(":3: missing `category`"), std::string::npos) << problems[0].message;
}

TEST(ControlCatalog, a_homes_own_control_takes_the_place_of_the_shipped_one) {
  auto own = own_file("controls/mine/sample.yaml", changed(control_text("sample", population, fails), "It is so.", "Ours."), false);
  CatalogFiles files;
  files.files = {own_file("controls/test/sample.yaml", control_text("sample", population, fails)), own};
  Problems problems;
  auto catalog = read_control_catalog(files, sample_tables(), problems);
  EXPECT_TRUE(problems.empty());
  ASSERT_EQ(catalog.controls.size(), 1u);
  EXPECT_EQ(catalog.controls[0].statement, "Ours.");

  // Two shipped ones of the same name are a mistake.
  files.files[1].shipped = true;
  read_control_catalog(files, sample_tables(), problems);
  EXPECT_EQ(problems.size(), 1u);
}

TEST(ControlCatalog, digest_changes_with_what_verdicts_depend_on_and_with_nothing_else) {
  const auto digest = [](const std::string& text) {
    Problems problems;
    const auto catalog = read_one("sample", text, problems);
    return catalog.controls.at(0).digest;
  };
  const auto text = control_text("sample", population, fails);
  EXPECT_EQ(digest(text), digest(changed(text, "It is so.", "Really.")));
  EXPECT_NE(digest(text), digest(changed(text, "where mfa is not true", "where mfa is false")));
  EXPECT_NE(digest(text), digest(changed(text, "where console_access", "where true")));
}

}  // namespace
}  // namespace vouch::controls
