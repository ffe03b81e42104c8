// cli/accounts.h - which AWS accounts are read besides the one that our own credentials are in, and which are left out and why.
//
//   role: VouchReader                     # assumed in each of them, from our own credentials; may have a path
//   external id: acme-7f3a                # what the roles' trust policies demand
//   accounts: ["111122223333"]            # these
//   organisation:                         # or all active ones of the organisation
//     include: [{unit: Workloads}]        # only these, where there is an `include`
//     exclude: [{unit: Workloads/Lab, reason: …}, {account: "444455556666", reason: …}]
//
// A unit is the path of its name from the root (Workloads/Prod), or its id. Of all rules that an account meets the closest one decides:
// its own number before its unit, its unit before those further up, `exclude` before `include`. An account whose unit could not be read
// is left out by its own number only: what is not known makes nothing smaller.
#pragma once

#include "base/yaml.h"
#include "ledger/evidence.h"

#include <optional>
#include <string>
#include <vector>

namespace vouch::cli {

struct AccountRule {
  bool in = true;
  std::string account, unit;  // one of them
  std::string reason;         // of an exclusion; never empty there
  std::string where;          // file:line
};

struct AccountScope {
  std::string role, external_id;
  std::vector<std::string> accounts;
  bool organisation = false;
  std::vector<AccountRule> rules;

  // Whether there is more to read than our own account.
  [[nodiscard]] bool wider() const { return organisation || !accounts.empty(); }
};

// Words of a source's settings that are read here.
inline constexpr std::string_view account_words[] = {"role", "external id", "accounts", "organisation"};

// What is wrong with a role's name, or an external id; nothing when it can be one, or is empty.
std::string wrong_role(std::string_view role);
std::string wrong_external_id(std::string_view id);

// Errc::config with file:line.
Result<AccountScope> read_account_scope(const Yaml& node);

// An account as the organisation lists it.
struct ListedAccount {
  std::string account, status;  // "ACTIVE"
  bool placed = false;          // it is known which unit it stands in
  // From the root down, both empty for what stands in the root itself.
  std::vector<std::string> unit_ids, unit_names;
};

struct Decided {
  std::vector<evidence::ScopeLeaf::Account> accounts;  // sorted
  std::vector<std::string> warnings;                   // rules that name what is not there, each with file:line
};

// `own`: the accounts that are read in any case: our own, and the one that lists the organisation.
Decided decide_accounts(const AccountScope& scope, const std::vector<std::string>& own, const std::vector<ListedAccount>& listed);

// arn:aws:iam::111122223333:role/VouchReader
std::string role_arn(const AccountScope& scope, std::string_view partition, std::string_view account);

}  // namespace vouch::cli
