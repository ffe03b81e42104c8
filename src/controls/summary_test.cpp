#include "controls/summary.h"

#include <gtest/gtest.h>

namespace vouch::controls {
namespace {

Instant at(std::string_view text) { return parse_instant(text).value(); }

Stored some() {
  Stored stored{.catalog = "c1",
                .at = at("2026-03-01"),
                .state = {.size = {5}, .root = "r", .simulated = true, .last_run = at("2026-03-01")},
                .controls = {},
                .frameworks = {}};
  StoredControl control{"a", "says \"so\"", "platform", "high", "m", "do it", at("2026-03-03"), {}};
  control.verdict.answer = Answer::fail;
  control.verdict.population = 3;
  control.verdict.pass = control.verdict.fail = control.verdict.unknown = 1;
  stored.controls.push_back(control);
  stored.frameworks.push_back({"soc2", "SOC 2", {{"CC6.1", "Logical access", "restricted", {"a"}}}});
  return stored;
}

TEST(Summary, gives_back_what_was_stored_until_the_first_expiry) {
  const TemporaryDirectory folder;
  const auto file = folder.path() / "verdicts.json";
  EXPECT_FALSE(read_summary(file, "c1", {5}, at("2026-03-02")));
  ASSERT_TRUE(write_summary(file, some()));
  const auto stored = read_summary(file, "c1", {5}, at("2026-03-02"));
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->controls[0].statement, "says \"so\"");
  EXPECT_EQ(stored->controls[0].verdict.answer, Answer::fail);
  EXPECT_EQ(stored->controls[0].verdict.population, 3);
  EXPECT_EQ(stored->frameworks[0].criteria[0].controls, std::vector<std::string>{"a"});
  EXPECT_TRUE(stored->state.simulated);
  EXPECT_EQ(stored->state.last_run, at("2026-03-01"));
  EXPECT_TRUE(read_summary(file, "c1", {5}, at("2026-03-02T23:59:59.999999Z")));
  EXPECT_FALSE(read_summary(file, "c1", {5}, at("2026-03-03"))) << "expired at that microsecond";
}

TEST(Summary, is_not_believed_of_another_ledger_catalogue_or_time) {
  const TemporaryDirectory folder;
  const auto file = folder.path() / "verdicts.json";
  ASSERT_TRUE(write_summary(file, some()));
  EXPECT_FALSE(read_summary(file, "c2", {5}, at("2026-03-02")));
  EXPECT_FALSE(read_summary(file, "c1", {6}, at("2026-03-02")));
  EXPECT_FALSE(read_summary(file, "c1", {5}, at("2026-02-28")));
  ASSERT_TRUE(write_file(file, read_file(file).value().substr(0, 200)));
  EXPECT_FALSE(read_summary(file, "c1", {5}, at("2026-03-02"))) << "cut short";
}

}  // namespace
}  // namespace vouch::controls
