// Scenario files come from whoever writes a home's catalogue.
#include "controls/scenario.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto scenario = vouch::controls::parse_scenario({reinterpret_cast<const char*>(data), size}, "f.scenario");
  if (!scenario) {
    // Every complaint names its line.
    if (!scenario.error().message.starts_with("f.scenario:")) __builtin_trap();
    return 0;
  }
  for (const auto& facts : scenario->facts)
    if (facts.table.empty() || !(facts.from < facts.to)) __builtin_trap();
  for (const auto& hole : scenario->holes)
    if (hole.hole.table.empty() || !(hole.hole.from < hole.hole.to)) __builtin_trap();
  for (const auto& expect : scenario->expects)
    if (expect.control.empty() || (expect.key.empty() && !expect.answer)) __builtin_trap();
  return 0;
}
