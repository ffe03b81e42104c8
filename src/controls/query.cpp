#include "controls/query.h"

#include "controls/linear.h"
#include "controls/statement.h"

namespace vouch::controls {
namespace {

std::string_view without_end(std::string_view sql) {
  constexpr std::string_view blank = " \t\r\n";
  const auto trim = [&] { sql = sql.substr(0, sql.find_last_not_of(blank) + 1); };
  trim();
  if (sql.ends_with(';')) sql.remove_suffix(1);
  trim();
  return sql;
}

}  // namespace

std::string JudgedSql::at(Instant clock) const {
  std::string sql;
  std::size_t from = 0;
  for (const auto& place : clocks) {
    sql.append(text, from, place.begin - from);
    fmt::format_to(std::back_inserter(sql), "make_timestamptz({})", clock.micros);
    sql.append(
        std::count(text.begin() + static_cast<std::ptrdiff_t>(place.begin), text.begin() + static_cast<std::ptrdiff_t>(place.end), '\n'),
        '\n');
    from = place.end;
  }
  return sql.append(text, from);
}

Result<Functions> Functions::of(table::Store& store) {
  Functions functions;
  const auto rows =
      TRY(store.query("select distinct function_name from duckdb_functions() where stability in ('VOLATILE', 'CONSISTENT_WITHIN_QUERY')"));
  for (const auto& row : rows.rows) functions.unstable_.insert(table::to_text(row.at(0)));
  return functions;
}

Result<Query> understand(table::Store& store, const Functions& functions, const facts::FactCatalog& tables, std::string_view sql,
                         bool has_tick) {
  Query query;
  query.sql.text = without_end(sql);
  const auto tree = TRY(store.tree_of(query.sql.text));
  auto statement = TRY(survey(tree, query.sql.text, functions, tables));
  query.sql.clocks = std::move(statement.clocks);

  std::vector<const facts::FactTable*> named;
  for (const auto& name : statement.base_tables) {
    if (const auto* table = tables.find(name))
      named.push_back(table);
    else if (!statement.common_tables.contains(name))
      return fail(Errc::config, "`{}` is not a fact table", name);
  }
  for (const auto* table : named) query.tables.push_back(table->name);
  std::sort(query.tables.begin(), query.tables.end());
  if (!has_tick && !query.sql.clocks.empty()) query.thresholds = TRY(thresholds_of(store, tree, statement, named));
  return query;
}

}  // namespace vouch::controls
