// The catalogue that is built in: every control is well formed, and every scenario gets what it expects.
#include "controls/sample.h"
#include "controls/scenario.h"

namespace vouch::controls {
namespace {

std::string all_of(const Problems& problems) {
  std::string text;
  for (const auto& problem : problems) text += problem.message + "\n";
  return text;
}

TEST(ShippedCatalog, is_without_a_mistake_and_does_what_its_scenarios_expect) {
  const auto& files = shipped_catalog();
  Problems problems;
  const auto tables = facts::read_fact_catalog(files, problems);
  const auto controls = read_control_catalog(files, tables, problems);
  EXPECT_EQ(all_of(problems), "");
  // Judging many events at once takes a round for each change of a table that nothing ties to the event.
  for (const auto& control : controls.controls) {
    if (control.kind != Kind::event) continue;
    for (const auto& table : control.verdict_tables)
      EXPECT_TRUE(control.keyed.contains(table)) << control.where << ": nothing ties `" << table << "` to the event's key";
  }
  const auto report = run_scenarios(files, controls, tables);
  EXPECT_EQ(all_of(report.problems), "");
  std::string unmet;
  for (const auto& result : report.results)
    if (!result.met) unmet += fmt::format("{}: expected {}, got {}\n", result.where, result.expected, result.got);
  EXPECT_EQ(unmet, "");
}

}  // namespace
}  // namespace vouch::controls
