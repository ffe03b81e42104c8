// cli/organisation.h - what the facts know of an AWS organisation and of the decisions on its accounts.
#pragma once

#include "cli/accounts.h"
#include "facts/facts.h"

namespace vouch::cli {

// The account that manages the organisation which `account` belongs to; nothing when it belongs to none, or nobody could tell.
Result<std::optional<std::string>> managing_account(facts::Facts& facts, const std::string& account);

// All accounts of the organisation, as its managing account last listed them.
Result<std::vector<ListedAccount>> listed_accounts(facts::Facts& facts, const std::string& managing_account);

// The decision in force, sorted; empty when there was none.
Result<std::vector<evidence::ScopeLeaf::Account>> decided_before(facts::Facts& facts, const std::string& source);

}  // namespace vouch::cli
