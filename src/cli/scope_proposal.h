// cli/scope_proposal.h - which accounts of an organisation are proposed to be read, unit by unit and each with its reason.
//
// Only exclusions are proposed: an account, a unit or a name that nobody knows is in, today and when it turns up later. A unit of which
// its own name says nothing follows the one that it stands in. Pure: no clock, no network.
#pragma once

#include "cli/accounts.h"
#include "cli/output.h"
#include "cli/unit_words.h"

#include <string>
#include <vector>

namespace vouch::cli {

// Accounts of which the same is said: our own, those that stand in one unit (not in units below it), or have no unit.
struct ProposedUnit {
  enum class Kind { own, root, unplaced, unit, inactive };
  Kind kind = Kind::unit;
  std::string name;  // of a unit its path from the root, of inactive ones their status
  UnitMeaning::Scope scope = UnitMeaning::Scope::look;
  std::string reason;                 // of what is left out: as decide_accounts gives it
  std::string look;                   // what a person should make sure of; may be empty
  std::vector<std::string> accounts;  // sorted
};

// A rule for vouch.yaml, and the units whose accounts it takes out.
struct ProposedExclusion {
  AccountRule rule;
  std::vector<std::size_t> units;  // positions in Proposal::units
};

struct Proposal {
  std::vector<ProposedUnit> units;  // our own first; each account in exactly one
  std::vector<ProposedExclusion> exclude;

  [[nodiscard]] std::size_t count(UnitMeaning::Scope scope) const;  // accounts
};

// `own`: what is read in any case (decide_accounts).
Proposal propose_scope(const std::vector<ListedAccount>& listed, const std::vector<std::string>& own, const UnitWords& words);

// Whether `scope` decides on every account as the proposal says, with the same reason.
bool says_the_same(const AccountScope& scope, const std::vector<ListedAccount>& listed, const std::vector<std::string>& own,
                   const Proposal& proposal);

// What stands under `aws` in vouch.yaml: `role`, `external id` and `organisation`, with what is in as comments. `listed_on`: a day.
std::string write_scope(const Proposal& proposal, std::string_view role, std::string_view external_id, std::string_view listed_on);

// The same for people, without the rules.
Grid table_of(const Proposal& proposal);

// One scalar that may stand in a flow map: plain where that is safe, else in double quotes, with all escaped that could be mistaken.
std::string yaml_text(std::string_view text);

}  // namespace vouch::cli
