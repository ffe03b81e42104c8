// cli/organisation.h - what the facts know of an AWS organisation and of the decisions on its accounts.
#pragma once

#include "base/catalog.h"
#include "cli/accounts.h"
#include "facts/facts.h"
#include "table/store.h"

namespace vouch::cli {

// Which facts tell of it, the catalogue says: its views `aws_organization_manager` and `aws_organization_listed_account`.
class OrganisationViews {
 public:
  // Errc::config where the catalogue has none.
  static Result<OrganisationViews> read(const CatalogFiles& files);

  // The fact tables that they read, sorted.
  [[nodiscard]] const std::vector<std::string>& tables() const { return tables_; }

  // The account that manages the organisation which `account` belongs to; nothing when it belongs to none, or nobody could tell.
  Result<std::optional<std::string>> managing_account(facts::Facts& facts, const std::string& account) const;
  // All accounts of the organisation, as its managing account last listed them.
  Result<std::vector<ListedAccount>> listed_accounts(facts::Facts& facts, const std::string& managing_account) const;

 private:
  [[nodiscard]] Result<table::Rows> select(facts::Facts& facts, const std::string& sql, const std::string& account) const;

  std::string manager_, listed_;  // SQL of one parameter, an account
  std::vector<std::string> tables_;
};

// The decision in force, sorted; empty when there was none.
Result<std::vector<evidence::ScopeLeaf::Account>> decided_before(facts::Facts& facts, const std::string& source);

}  // namespace vouch::cli
