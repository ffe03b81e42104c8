#include "controls/choice.h"

#include "controls/sample.h"
#include "controls/stored.h"

namespace vouch::controls {
namespace {

const std::string population = "select account, user_id from aws_iam_user";
const std::string fails = "select account, user_id, 'no MFA' as reason from aws_iam_user where mfa is not true";

ControlCatalog three(Problems& problems) {
  CatalogFiles files;
  for (const auto* id : {"a", "b"})
    files.files.push_back(own_file(fmt::format("controls/test/{}.yaml", id), control_text(id, population, fails)));
  files.files.push_back(own_file("controls/test/h.yaml", control_text("h", population, fails, "shelf: hardening\n")));
  files.files.push_back(own_file(
      "frameworks/soc2.yaml", "framework: soc2\ntitle: T\ncriteria:\n- {id: CC6.1, category: security, says: x, controls: [a, b, h]}\n"));
  return read_control_catalog(files, sample_tables(), problems);
}

std::string ids(const std::vector<ControlVerdict>& verdicts) {
  std::string text;
  for (const auto& verdict : verdicts) text += verdict.control;
  return text;
}

TEST(Choice, hardening_counts_when_it_is_chosen) {
  Problems problems;
  auto catalog = three(problems);
  auto facts = empty_world();
  EXPECT_EQ(ids(evaluate_all(catalog, facts, instant("2026-03-01"))), "ab");
  choose(catalog, {{"h"}, {}, {}}, problems);
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(ids(evaluate_all(catalog, facts, instant("2026-03-01"))), "abh");
  EXPECT_TRUE(narrowed(catalog).empty());
}

TEST(Choice, a_control_that_is_off_leaves_verdicts_and_frameworks_and_is_named) {
  Problems problems;
  auto catalog = three(problems);
  auto facts = empty_world();
  const std::vector<std::string> none;
  must(store_verdicts(catalog, "one", facts, {}, none, instant("2026-03-01")));
  choose(catalog, {{}, {"b", "h"}, {}}, problems);
  EXPECT_EQ(narrowed(catalog), (std::vector<std::string>{"b"}));  // `h` was off by itself
  EXPECT_EQ(frameworks_in_force(catalog).at(0).criteria.at(0).controls, (std::vector<std::string>{"a"}));
  EXPECT_EQ(catalog.criteria_of("b"), (std::vector<std::string>{"CC6.1"}));
  must(store_verdicts(catalog, "two", facts, {}, none, instant("2026-03-01")));
  const auto stored = must(read_stored(facts.store(), "two", instant("2026-03-01")));
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->controls.size(), 1u);
  EXPECT_EQ(stored->narrowed, (std::vector<std::string>{"b"}));
  EXPECT_EQ(ids(must(status_at(catalog, facts, instant("2026-03-01")))), "a");
}

TEST(Choice, is_part_of_what_stored_verdicts_speak_of) {
  const CatalogFiles files;
  Choice berlin;
  berlin.zone = must(Zone::of("Europe/Berlin"));
  const std::set<std::string> digests{digest_of(files), digest_of(files, {{"a"}, {}, {}}), digest_of(files, {{}, {"a"}, {}}),
                                      digest_of(files, berlin)};
  EXPECT_EQ(digests.size(), 4u);
}

TEST(Choice, a_control_counts_only_where_its_sources_are_read) {
  Problems problems;
  auto catalog = three(problems);
  choose(catalog, {}, problems);
  leave_out_unread(catalog, sample_tables(), {}, {"github"});
  EXPECT_FALSE(catalog.find("a")->on);
  EXPECT_EQ(catalog.find("a")->unread, "aws");
  EXPECT_TRUE(narrowed(catalog).empty());  // nobody has made the answer smaller
  EXPECT_TRUE(frameworks_in_force(catalog).at(0).criteria.at(0).controls.empty());

  auto asked_for = three(problems);
  const Choice choice{{"b"}, {}, {}};
  choose(asked_for, choice, problems);
  leave_out_unread(asked_for, sample_tables(), choice, {});
  EXPECT_TRUE(asked_for.find("b")->on);
  EXPECT_FALSE(asked_for.find("a")->on);

  auto all = three(problems);
  choose(all, {}, problems);
  leave_out_unread(all, sample_tables(), {}, {"aws"});
  EXPECT_TRUE(all.find("a")->on);
  EXPECT_EQ(all.find("a")->unread, "");
}

TEST(Choice, of_a_control_that_is_not_there_is_a_problem) {
  Problems problems;
  auto catalog = three(problems);
  choose(catalog, {{}, {"nope"}, {}, "vouch.yaml:9"}, problems);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_TRUE(problems[0].message.starts_with("vouch.yaml:9: there is no control `nope`"));
}

}  // namespace
}  // namespace vouch::controls
