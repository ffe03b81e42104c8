// Run while Vouch is built: checks the shipped controls once and prints what was found out about them (controls/understood.h), so that
// no home has to. A control that is wrong is left out, and found wrong again by whoever reads it.
#include "controls/understood.h"

#include "controls/read.h"

#include <cstdio>

int main() {
  vouch::Problems problems;
  const auto& files = vouch::shipped_catalog();
  const auto tables = vouch::facts::read_fact_catalog(files, problems);
  vouch::controls::Understood understood;
  vouch::controls::read_control_catalog(files, tables, problems, &understood);
  for (const auto& problem : problems) fmt::print(stderr, "warning: {}\n", problem.message);
  const auto text = understood.write();
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0 ? 0 : 1;
}
