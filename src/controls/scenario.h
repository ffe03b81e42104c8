// controls/scenario.h - the tests of controls: facts, and the verdicts expected (catalog/controls/**/*.scenario; format in
// catalog/README.md).
//
// One statement a line; what cannot be read is a problem at file:line and that file does not run. A scenario runs in a database of its
// own, in memory, with its days in UTC. `absent` is expected of a key that must not be a member, `pending` of one that is unknown because
// its window is open.
#pragma once

#include "controls/evaluate.h"

#include <functional>
#include <string>
#include <variant>
#include <vector>

namespace vouch::controls {

using ColumnValues = std::map<std::string, std::string>;  // a column that is not there is NULL

struct ScenarioFacts {
  int line = 0;
  std::string table;
  ColumnValues values;
  Instant from, to;
};

struct ScenarioHole {
  int line = 0;
  facts::Hole hole;
};

struct ScenarioExpect {
  int line = 0;
  std::string control;
  std::map<std::string, std::string> key;  // empty: the whole control
  std::optional<Answer> answer;            // nothing: `absent`
  bool pending = false;                    // unknown because a window is open
  Instant at;
};

struct Scenario {
  std::string path;
  std::vector<ScenarioFacts> facts;
  std::vector<ScenarioHole> holes;
  std::vector<ScenarioExpect> expects;
};

// Errc::config "path:line: …".
Result<Scenario> parse_scenario(std::string_view text, std::string path);

struct ScenarioResult {
  std::string where;  // file:line of the `expect`
  std::string control;
  std::string expected;  // "iam-user-mfa account=1 user_id=AIDA01 fail at 2026-03-02T00:00:00Z"
  std::string got;       // "pass", "no such member (members: …)", or why nothing could be evaluated
  bool met = false;
};

struct ScenarioReport {
  std::vector<ScenarioResult> results;
  // A file that does not parse, facts that no table takes, a control that no scenario tests, a row of `fails` outside of the population.
  Problems problems;
};

// What decides in a scenario; evaluate() unless a test hands over another.
using Evaluator = std::function<Result<ControlVerdict>(const Control&, facts::Facts&, Instant)>;

// Runs every scenario of the catalogue; a home's file takes the place of the shipped one of the same name.
ScenarioReport run_scenarios(const CatalogFiles& files, const ControlCatalog& controls, const facts::FactCatalog& tables,
                             const Evaluator& evaluator = evaluate);

// Runs one, adding to `report`.
void run_scenario(const Scenario& scenario, const ControlCatalog& controls, const facts::FactCatalog& tables, const Evaluator& evaluator,
                  ScenarioReport& report);

}  // namespace vouch::controls
