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
  const auto report = run_scenarios(files, controls, tables);
  EXPECT_EQ(all_of(report.problems), "");
  std::string unmet;
  for (const auto& result : report.results)
    if (!result.met) unmet += fmt::format("{}: expected {}, got {}\n", result.where, result.expected, result.got);
  EXPECT_EQ(unmet, "");
}

}  // namespace
}  // namespace vouch::controls
