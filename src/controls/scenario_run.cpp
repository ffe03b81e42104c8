#include "controls/scenario.h"

namespace vouch::controls {
namespace {

Error at_line(const Scenario& scenario, int line, std::string_view message) {
  return {Errc::config, fmt::format("{}:{}: {}", scenario.path, line, message)};
}

std::string members_text(const ControlVerdict& verdict) {
  std::string text;
  for (std::size_t i = 0; i < verdict.members.size() && i < 3; ++i)
    text += fmt::format("{}{}", i ? "; " : "", to_text(verdict.members[i].key));
  return fmt::format("{}{}", text, verdict.members.size() > 3 ? "; …" : "");
}

std::string with_reason(const MemberVerdict& member) {
  return fmt::format("{}{}{}{}", name_of(member.answer), member.reason.empty() ? "" : " (", member.reason,
                     member.reason.empty() ? "" : ")");
}

void compare(const ScenarioExpect& expect, const ControlVerdict& verdict, ScenarioResult& result) {
  if (expect.key.empty()) {
    result.met = verdict.answer == expect.answer;
    result.got = name_of(verdict.answer);
    return;
  }
  const auto member =
      std::find_if(verdict.members.begin(), verdict.members.end(), [&](const auto& candidate) { return candidate.key == expect.key; });
  if (member == verdict.members.end()) {
    result.met = !expect.answer;
    result.got = verdict.members.empty() ? "no member at all" : fmt::format("no such member (there is {})", members_text(verdict));
    return;
  }
  result.met = member->answer == expect.answer && (!expect.pending || member->reason.starts_with("pending until "));
  result.got = with_reason(*member);
}

// The tables that matter here: making all of them takes longer than the scenario.
facts::FactCatalog needed(const Scenario& scenario, const ControlCatalog& controls, const facts::FactCatalog& tables) {
  std::set<std::string> names;
  for (const auto& row : scenario.facts) names.insert(row.table);
  for (const auto& hole : scenario.holes) names.insert(hole.hole.table);
  for (const auto& expect : scenario.expects)
    if (const auto* control = controls.find(expect.control)) names.insert(control->tables.begin(), control->tables.end());
  facts::FactCatalog some = tables;
  std::erase_if(some.tables, [&](const facts::FactTable& table) { return !names.contains(table.name); });
  return some;
}

Result<facts::Facts> made(const Scenario& scenario, facts::FactCatalog tables, Problems& problems) {
  auto facts = TRY(facts::Facts::in_memory(std::move(tables)));
  for (const auto& row : scenario.facts)
    if (auto inserted = facts.insert(row.table, row.values, row.from, row.to); !inserted)
      problems.push_back(at_line(scenario, row.line, inserted.error().message));
  for (const auto& hole : scenario.holes)
    if (auto inserted = facts.insert(hole.hole); !inserted) problems.push_back(at_line(scenario, hole.line, inserted.error().message));
  return facts;
}

}  // namespace

void run_scenario(const Scenario& scenario, const ControlCatalog& controls, const facts::FactCatalog& tables, const Evaluator& evaluator,
                  ScenarioReport& report) {
  auto facts = made(scenario, needed(scenario, controls, tables), report.problems);
  if (!facts) return report.problems.push_back(at_line(scenario, 1, facts.error().message));
  std::map<std::pair<std::string, Instant>, Result<ControlVerdict>> verdicts;
  for (const auto& expect : scenario.expects) {
    ScenarioResult result;
    result.where = fmt::format("{}:{}", scenario.path, expect.line);
    result.control = expect.control;
    result.expected = fmt::format("{}{}{} {} at {}", expect.control, expect.key.empty() ? "" : " ", to_text(expect.key),
                                  expect.pending  ? "pending"
                                  : expect.answer ? name_of(*expect.answer)
                                                  : "absent",
                                  to_string(expect.at));
    const auto* control = controls.find(expect.control);
    if (!control) {
      report.problems.push_back(at_line(scenario, expect.line, fmt::format("the control `{}` is not there", expect.control)));
      continue;
    }
    auto found = verdicts.find({expect.control, expect.at});
    if (found == verdicts.end()) {
      found = verdicts.emplace(std::pair{expect.control, expect.at}, evaluator(*control, *facts, expect.at)).first;
      if (found->second)
        for (const auto& row : found->second->outsiders)
          report.problems.push_back(at_line(
              scenario, expect.line, fmt::format("`fails` of `{}` returns {}, which is not in its population", expect.control, row)));
    }
    if (found->second)
      compare(expect, *found->second, result);
    else
      result.got = found->second.error().message;
    report.results.push_back(std::move(result));
  }
}

ScenarioReport run_scenarios(const CatalogFiles& files, const ControlCatalog& controls, const facts::FactCatalog& tables,
                             const Evaluator& evaluator) {
  ScenarioReport report;
  std::map<std::string, const CatalogFile*> in_force;
  for (const auto* file : files.in("controls", ".scenario")) in_force[file->part] = file;
  for (const auto& [part, file] : in_force) {
    const auto scenario = parse_scenario(file->text, file->path);
    if (scenario)
      run_scenario(*scenario, controls, tables, evaluator, report);
    else
      report.problems.push_back(scenario.error());
  }
  std::set<std::string> tested;
  for (const auto& result : report.results) tested.insert(result.control);
  for (const auto& control : controls.controls)
    if (!tested.contains(control.id))
      report.problems.push_back({Errc::config, fmt::format("{}: no scenario expects anything of control `{}`; write {}.scenario beside it",
                                                           control.where, control.id, control.id)});
  return report;
}

}  // namespace vouch::controls
