// vouch sql: ask the facts. Read-only, without files, network or settings.
#include "cli/session.h"

namespace vouch::cli {

Result<Exit> run_sql(const Common& common, const SqlOptions& options) {
  const auto home = TRY(require_home(common.home));
  const auto format = TRY(parse_format(common.format.value_or("table")));
  const auto at = TRY(instant_of(options.as_of));
  const auto catalog = TRY(Catalog::read(home));
  auto facts = TRY(open_facts(home, catalog));
  const auto state = TRY(facts.state());
  if (options.export_file) {
    TRY(facts.store().export_to(*options.export_file));
    fmt::print(stderr, "wrote the facts to `{}`\n", *options.export_file);
    if (options.query.empty()) return Exit::ok;
  }
  if (options.query.empty()) return fail(Errc::usage, "a query is missing: vouch sql 'select bucket from aws_s3_bucket'");
  auto query = options.query;
  if (options.as_of) {
    const auto tables = TRY(facts.store().tables_of(query));
    query = TRY(facts.as_of(tables, at)) + " select * from (" + query + ")";
  }
  auto answer = facts.store().select(query);
  if (!answer) return fail(answer.error().code == Errc::limit ? Errc::limit : Errc::usage, "{}", answer.error().message);
  if (format == Format::json) {
    auto out = envelope(at, state);
    json::array rows;
    for (const auto& row : answer->rows) {
      json::object object;
      for (std::size_t i = 0; i < row.size(); ++i) object[answer->columns[i]] = table::to_json(row[i]);
      rows.push_back(std::move(object));
    }
    out["rows"] = std::move(rows);
    fmt::print("{}\n", pretty(out));
    return Exit::ok;
  }
  Grid grid;
  for (std::size_t i = 0; i < answer->columns.size(); ++i) {
    const bool right = !answer->rows.empty() && std::all_of(answer->rows.begin(), answer->rows.end(), [&](const auto& row) {
      return std::holds_alternative<std::int64_t>(row[i]) || std::holds_alternative<double>(row[i]);
    });
    grid.columns.push_back({answer->columns[i], right});
  }
  for (const auto& row : answer->rows) {
    std::vector<std::string> cells;
    for (const auto& value : row)
      cells.push_back(format == Format::table && std::holds_alternative<std::monostate>(value) ? "NULL" : table::to_text(value));
    grid.rows.push_back(std::move(cells));
  }
  fmt::print("{}", render(grid, format));
  if (format == Format::table) fmt::print(stderr, "{} · {}", count_of(answer->rows.size(), "row", "rows"), footer(at, state));
  return Exit::ok;
}

}  // namespace vouch::cli
