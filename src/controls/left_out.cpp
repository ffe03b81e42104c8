#include "controls/left_out.h"

namespace vouch::controls {

Result<std::vector<LeftOut>> accounts_left_out(facts::Facts& facts, Instant at) {
  if (!facts.catalog().find("vouch_account")) return std::vector<LeftOut>{};
  const auto rows = TRY(facts.store().query(R"sql(
select source, account, coalesce(reason, '') from vouch_account a
where not in_scope and decided = (select max(decided) from vouch_account b where b.source = a.source and b.decided <= $1)
order by source, account)sql",
                                            {at}));
  std::vector<LeftOut> accounts;
  for (const auto& row : rows.rows) accounts.push_back({table::to_text(row[0]), table::to_text(row[1]), table::to_text(row[2])});
  return accounts;
}

Json to_json(const std::vector<LeftOut>& accounts) {
  json::array list;
  for (const auto& one : accounts) list.push_back({{"source", one.source}, {"account", one.account}, {"reason", one.reason}});
  return Json(std::move(list));
}

std::vector<LeftOut> read_left_out(const Json& accounts) {
  std::vector<LeftOut> read;
  const auto* list = accounts.if_array();
  if (!list) return read;
  for (const auto& one : *list) {
    const auto text = [&](std::string_view name) {
      const auto* found = find_string(one, name);
      return found ? std::string{*found} : std::string{};
    };
    read.push_back({text("source"), text("account"), text("reason")});
  }
  return read;
}

}  // namespace vouch::controls
