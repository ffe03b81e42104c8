#include "cli/organisation.h"

#include "controls/views.h"

#include <set>

namespace vouch::cli {
namespace {

std::vector<std::string> texts_of(const table::Value& value) {
  std::vector<std::string> texts;
  if (const auto list = parse_json(table::to_text(value)); list && list->is_array())
    for (const auto& one : list->get_array())
      if (one.is_string()) texts.emplace_back(one.get_string());
  return texts;
}

}  // namespace

Result<OrganisationViews> OrganisationViews::read(const CatalogFiles& files) {
  Problems problems;
  const auto views = controls::Views::read(files, problems);
  for (const auto* name : {"aws_organization_manager", "aws_organization_listed_account"})
    if (!views.all().contains(name)) return fail(Errc::config, "the catalogue has no usable view `{}`", name);
  OrganisationViews made;
  made.manager_ = views.before("select management_account_id from aws_organization_manager where account = $1");
  made.listed_ = views.before(
      "select member_account_id, status, placed, unit_ids, unit_names from aws_organization_listed_account where account = $1 order by 1");
  auto parser = TRY(table::Store::in_memory());
  std::set<std::string> tables;
  for (const auto* sql : {&made.manager_, &made.listed_})
    for (auto& name : TRY(parser.tables_of(*sql))) tables.insert(std::move(name));
  made.tables_.assign(tables.begin(), tables.end());
  return made;
}

Result<table::Rows> OrganisationViews::select(facts::Facts& facts, const std::string& sql, const std::string& account) const {
  return facts.store().select(fmt::format("{} select * from ({})", TRY(facts.as_of(tables_, SystemClock{}.now())), sql), {account});
}

Result<std::optional<std::string>> OrganisationViews::managing_account(facts::Facts& facts, const std::string& account) const {
  const auto rows = TRY(select(facts, manager_, account));
  if (rows.rows.empty()) return std::nullopt;
  return std::optional{table::to_text(rows.rows[0][0])};
}

Result<std::vector<ListedAccount>> OrganisationViews::listed_accounts(facts::Facts& facts, const std::string& managing_account) const {
  const auto rows = TRY(select(facts, listed_, managing_account));
  std::vector<ListedAccount> listed;
  for (const auto& row : rows.rows)
    listed.push_back({table::to_text(row[0]), table::to_text(row[1]), std::get<bool>(row[2]), texts_of(row[3]), texts_of(row[4])});
  return listed;
}

Result<std::vector<evidence::ScopeLeaf::Account>> decided_before(facts::Facts& facts, const std::string& source) {
  const auto rows = TRY(facts.store().query(R"sql(
select account, in_scope, coalesce(reason, '') from vouch_account
where source = $1 and decided = (select max(decided) from vouch_account where source = $1) order by account)sql",
                                            {source}));
  std::vector<evidence::ScopeLeaf::Account> accounts;
  for (const auto& row : rows.rows) accounts.push_back({table::to_text(row[0]), std::get<bool>(row[1]), table::to_text(row[2])});
  return accounts;
}

}  // namespace vouch::cli
