#include "cli/organisation.h"

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

Result<std::optional<std::string>> managing_account(facts::Facts& facts, const std::string& account) {
  const auto rows =
      TRY(facts.store().query("select management_account_id from aws_organization where account = ? and valid_to = 'infinity' and "
                              "management_account_id is not null",
                              {account}));
  if (rows.rows.empty()) return std::nullopt;
  return std::optional{table::to_text(rows.rows[0][0])};
}

Result<std::vector<ListedAccount>> listed_accounts(facts::Facts& facts, const std::string& managing_account) {
  // A unit that turned up below itself would go on for ever; AWS nests five deep.
  const auto rows = TRY(facts.store().query(R"sql(
with recursive tree as (
  select root_id as id, []::varchar[] as ids, []::varchar[] as names from aws_organizations_root where account = $1 and valid_to = 'infinity'
  union all
  select u.unit_id, list_append(t.ids, u.unit_id), list_append(t.names, coalesce(u.unit_name, u.unit_id))
  from aws_organizations_unit u join tree t on u.parent_id = t.id
  where u.account = $1 and u.valid_to = 'infinity' and len(t.ids) < 16)
select a.member_account_id, coalesce(a.status, 'UNKNOWN'), t.id is not null, to_json(t.ids)::varchar, to_json(t.names)::varchar
from aws_organizations_account a
left join aws_organizations_account_parent p on p.account = a.account and p.member_account_id = a.member_account_id and p.valid_to = 'infinity'
left join tree t on t.id = p.parent_id
where a.account = $1 and a.valid_to = 'infinity'
order by 1)sql",
                                            {managing_account}));
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
