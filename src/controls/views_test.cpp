// SQL that controls share: what a control says by a view's name is what it would say with the view's SQL in it.
#include "controls/views.h"

#include "controls/sample.h"

namespace vouch::controls {
namespace {

constexpr auto idle = R"(
- view: idle_key
  says: Keys that nobody used.
  sql: |
    select k.account, k.user_id, k.key_id
    from aws_iam_access_key k where k.last_used <= as_of() - interval 45 day
)";
constexpr auto population = "select account, user_id from aws_iam_user";
constexpr auto fails = "select account, user_id, 'idle' as reason from idle_key";

ControlCatalog read(const std::string& views, const std::string& control, Problems& problems) {
  CatalogFiles files;
  files.files = {own_file("views/test.yaml", views), own_file("controls/test/sample.yaml", control)};
  return read_control_catalog(files, sample_tables(), problems);
}

std::string problems_of(const std::string& views, const std::string& control) {
  Problems problems;
  read(views, control, problems);
  std::string all;
  for (const auto& problem : problems) all += problem.message + "\n";
  return all;
}

TEST(Views, stand_for_their_sql_in_every_way) {
  Problems problems;
  const auto catalog = read(idle, control_text("sample", population, fails), problems);
  ASSERT_TRUE(problems.empty()) << problems[0].message;
  const auto& control = catalog.controls.at(0);
  EXPECT_EQ(control.verdict_tables, std::vector<std::string>{"aws_iam_access_key"});
  ASSERT_EQ(control.thresholds.size(), 1u);
  EXPECT_EQ(control.thresholds[0].column, "last_used");
}

TEST(Views, stand_beside_a_controls_own_common_tables) {
  for (const std::string own : {"with mine as (select * from idle_key) select account, user_id, 'idle' as reason from mine",
                                "WITH\nmine as (select * from idle_key)\nselect account, user_id, 'idle' as reason from mine",
                                "with recursive mine as (select * from idle_key) select account, user_id, 'idle' as reason from mine"})
    EXPECT_EQ(problems_of(idle, control_text("sample", population, own)), "") << own;
}

TEST(Views, change_what_a_control_is_when_they_change) {
  Problems problems;
  const auto before = read(idle, control_text("sample", population, fails), problems);
  std::string other = idle;
  other.replace(other.find("45 day"), 6, "90 day");
  const auto after = read(other, control_text("sample", population, fails), problems);
  EXPECT_NE(before.controls.at(0).digest, after.controls.at(0).digest);
}

TEST(Views, leave_a_controls_lines_what_they_are) {
  const auto text = control_text("sample", population, "select account, user_id, 'idle' as reason\nfrom idle_key\nwhere nobody");
  EXPECT_NE(problems_of(idle, text).find("catalog/controls/test/sample.yaml:10: `fails`: Binder"), std::string::npos)
      << problems_of(idle, text);
}

TEST(Views, are_told_of_at_their_own_place_when_they_are_wrong) {
  const auto control = control_text("sample", population, "select account, user_id, 'x' as reason from aws_iam_user");
  const auto wrong = [&](std::string_view from, std::string_view to) {
    std::string text = idle;
    return problems_of(text.replace(text.find(from), from.size(), to), control);
  };
  EXPECT_NE(wrong("k.key_id", "k.no_such").find("catalog/views/test.yaml:2: view `idle_key`: Binder"), std::string::npos);
  EXPECT_NE(wrong("idle_key", "aws_iam_user").find("`aws_iam_user` is a fact table"), std::string::npos);
  EXPECT_NE(wrong("idle_key", "Idle").find("test.yaml:2: `Idle` is no name"), std::string::npos);
  EXPECT_NE(wrong("from aws", "-- of all\n    from aws").find("without comments"), std::string::npos);
  EXPECT_NE(wrong("says:", "sais:").find("sais"), std::string::npos);
}

}  // namespace
}  // namespace vouch::controls
