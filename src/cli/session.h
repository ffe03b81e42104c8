// cli/session.h - a home that is opened to be read: its catalogue, and facts that are up to date with its ledger.
#pragma once

#include "cli/commands.h"
#include "cli/home.h"
#include "controls/stored.h"
#include "facts/replay.h"
#include "ledger/read.h"

namespace vouch::cli {

// Problems go to stderr, each as file:line: reason; a broken file hides no other.
void print_problems(const Problems& problems);

struct Catalog {
  CatalogFiles files;
  facts::FactCatalog tables;
  controls::ControlCatalog controls;
  controls::Choice choice;  // what the home says of them; where there is no home, nothing
  Problems problems;

  // `all` checks each control's SQL; `changed` only of those that have changed since the home's last command. `none`: without controls.
  enum class Check { none, changed, all };
  static Result<Catalog> read(const Home& home, Check check = Check::changed);
};

// The facts of `home`, folded up to the ledger's checkpoint: built when they are missing or of another catalogue, replayed when a run died
// before it could. Waits for a writer, and says who it is.
Result<facts::Facts> open_facts(const Home& home, const Catalog& catalog);

// Folds what is new in the ledger into the facts (`from_nothing`: all of it) and keeps the verdicts that follow.
Result<facts::Replayed> project(const Home& home, const Catalog& catalog, bool from_nothing = false);

// All controls and criteria at `at`. Read from what is stored where that still holds, which takes milliseconds; else evaluated.
Result<controls::Stored> judge(const Home& home, Instant at);

// Whether a collection in the ledger came from a loopback, an overridden endpoint or a simulated clock.
Result<bool> is_simulated(const Reader& log);
bool says_simulated(std::string_view entry);

// What was said, else now. Errc::usage, naming the option, when it is not an instant, or lies in the future.
Result<Instant> instant_of(const std::optional<std::string>& said, std::string_view option = "--as-of");

}  // namespace vouch::cli
