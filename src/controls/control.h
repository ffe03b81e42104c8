// controls/control.h - promises about populations, as the catalogue states them (catalog/controls/**/*.yaml).
#pragma once

#include "base/catalog.h"
#include "base/instant.h"
#include "base/zone.h"
#include "controls/query.h"
#include "facts/facts.h"

#include <map>
#include <string>
#include <vector>

namespace vouch::controls {

class Understood;

// state: holds at every instant of a member's time. event: each member is an event, judged once, on the facts of its `judge_at`.
// periodic: each member owes an act in every window.
enum class Kind { state, event, periodic };
std::string_view name_of(Kind kind);

struct Control {
  std::string id;
  std::string where;  // file:line
  Kind kind = Kind::state;
  std::string shelf = "soc2";  // or "hardening"
  bool on = true;              // counts in this home (controls/choice.h)
  std::string unread;          // a source of its tables that this home does not read; empty: it reads them all
  std::string statement, owner, severity;
  Duration settle = Duration::minutes(10);
  std::optional<Duration> mend_within;
  std::string population, fails;  // a periodic control has no `fails`
  std::string done;               // of periodic ones: the acts
  Span every = Span::quarter;     // likewise: what a window is,
  Duration grace;                 // how long after its end evidence may still arrive,
  Zone zone;                      // and where it begins
  std::string mend, remedy;
  std::optional<Duration> tick;
  std::map<std::string, std::vector<std::string>> equivalents;        // tool -> check ids
  std::map<std::string, std::map<std::string, std::string>> differs;  // tool -> check id -> why

  // Derived when read against the fact tables.
  std::vector<std::string> key;                                              // columns of `population` apart from `name`
  std::vector<std::string> population_tables;                                // named by `population`
  std::vector<std::string> verdict_tables;                                   // named by `fails` or `done`
  std::vector<std::string> tables;                                           // named by either, sorted
  bool uses_as_of = false;                                                   // its verdicts change where no fact does
  bool is_recalled = false;                                                  // all verdict_tables hold rows that date themselves
  JudgedSql population_sql, fails_sql, done_sql;                             // what is run, with the clock's places known
  std::vector<std::string> population_columns, fails_columns, done_columns;  // as the SQL returns them
  // Of event controls: tables of which a member's verdict depends only on rows that share its key or a part of it, and which of their
  // columns hold which of the key's (controls/keyed.h).
  std::map<std::string, std::map<std::string, std::string>> keyed;
  std::vector<Threshold> thresholds;  // empty under `tick`
  std::string digest;                 // hex; of all that its verdicts depend on, apart from the tables' definitions
};

struct Criterion {
  std::string id, category, says;
  std::vector<std::string> controls;
};

struct Framework {
  std::string id, title;
  std::vector<Criterion> criteria;  // in the framework's order
};

struct ControlCatalog {
  std::vector<Control> controls;  // sorted by id
  std::vector<Framework> frameworks;
  [[nodiscard]] const Control* find(std::string_view id) const;
  // Criteria of `framework` that the control serves.
  [[nodiscard]] std::vector<std::string> criteria_of(std::string_view control, std::string_view framework = "soc2") const;
};

// Reads controls/ and frameworks/ and checks each against the fact tables: SQL that does not bind, an unknown table or column, a
// population without key, an event's population without a table whose rows date themselves, keys that differ between population and fails,
// a reading of the clock that is not linear in as_of() (and no tick), an unknown control or criterion, an unknown key. Each is a problem at
// file:line; that item is left out and the rest goes on.
//
// Checking takes milliseconds a control. With `understood` (controls/understood.h) only what is not known there is checked, and what is
// found out is added to it.
ControlCatalog read_control_catalog(const CatalogFiles& files, const facts::FactCatalog& tables, Problems& problems,
                                    Understood* understood = nullptr);

}  // namespace vouch::controls
