#include "facts/facts.h"

#include "facts/data.h"

namespace vouch::facts {

Facts::Facts(std::shared_ptr<Data> data) : data_(std::move(data)) {}

Result<Facts> Facts::open(const fs::path& home, FactCatalog catalog, table::Mode mode, const table::Store::OnWait& on_wait) {
  const auto file = home / "facts.duckdb";
  if (!fs::exists(file)) return fail(Errc::not_found, "`{}` is not there yet", file.string());
  auto store = TRY(table::Store::open(file, mode, {}, on_wait));
  const auto state = store.query("select version, catalog from vouch.state");
  if (!state || state->rows.size() != 1 || state->rows[0][0] != table::Value{schema_version})
    return fail(Errc::not_found, "`{}` was built by another version of Vouch: rebuild it with `vouch rebuild`", file.string());
  // Who writes can project again; who reads would look for tables that are not there.
  if (mode == table::Mode::reading && state->rows[0][1] != table::Value{to_hex(catalog.digest)})
    return fail(Errc::not_found, "`{}` was built with another catalogue: rebuild it with `vouch rebuild`", file.string());
  return Facts{std::make_shared<Data>(std::move(catalog), std::move(store), false, std::nullopt)};
}

Result<Facts> Facts::create(const fs::path& folder, FactCatalog catalog) {
  const auto file = folder / "facts.duckdb";
  if (fs::exists(file)) return fail(Errc::usage, "`{}` is there already", file.string());
  // Folding is one thread's work; DuckDB's others would only wait beside it, and busily.
  auto store = TRY(table::Store::open(file, table::Mode::writing, {.threads = 1}));
  TRY(store.transaction([&] { return make_schema(store, catalog); }));
  return Facts{std::make_shared<Data>(std::move(catalog), std::move(store), false, std::nullopt)};
}

Result<Facts> Facts::in_memory(FactCatalog catalog) {
  auto store = TRY(table::Store::in_memory());
  TRY(store.transaction([&] { return make_schema(store, catalog); }));
  return Facts{std::make_shared<Data>(std::move(catalog), std::move(store), true, std::nullopt)};
}

const FactCatalog& Facts::catalog() const { return data_->catalog; }
table::Store& Facts::store() { return data_->store; }
void Facts::changed() { data_->coverage.reset(); }

Result<State> Facts::state() {
  const auto rows = TRY(data_->store.query("select size, root, simulated, (select max(ended) from vouch.run) from vouch.state"));
  const auto& row = rows.rows.at(0);
  State state;
  state.size = {static_cast<std::uint64_t>(std::get<std::int64_t>(row[0]))};
  state.root = table::to_text(row[1]);
  state.simulated = std::get<bool>(row[2]);
  if (const auto* last = std::get_if<Instant>(&row[3])) state.last_run = *last;
  return state;
}

Result<std::string> Facts::as_of(std::span<const std::string> tables, Instant at) {
  std::string sql;
  const auto instant = literal(at);
  for (const auto& name : tables) {
    const auto* table = data_->catalog.find(name);
    if (!table) return fail(Errc::usage, "there is no fact table `{}`", name);
    std::vector<std::string> columns;
    for (const auto& [column, type] : table->on_disk()) columns.push_back(quote(column));
    sql += fmt::format("{}{} as (select {} from facts.main.{} where valid_from <= {} and {} < valid_to)", sql.empty() ? "with " : ", ",
                       quote(name), fmt::join(columns, ", "), quote(name), instant, instant);
  }
  return sql;
}

Result<> Facts::insert(std::string_view table_name, const std::map<std::string, std::string>& values, Instant from, Instant to) {
  const auto* table = data_->catalog.find(table_name);
  if (!table) return fail(Errc::usage, "there is no fact table `{}`", table_name);
  const auto columns = table->on_disk();
  for (const auto& [name, value] : values)
    if (std::none_of(columns.begin(), columns.end(), [&](const auto& column) { return column.first == name; }))
      return fail(Errc::usage, "`{}` has no column `{}`", table_name, name);
  std::string places;
  std::vector<table::Value> bound;
  for (const auto& [name, type] : columns) {
    const auto given = values.find(name);
    const bool null = given == values.end() || given->second == "null";
    static constexpr std::string_view types[] = {"text", "bigint", "double", "boolean", "timestamptz", "json"};
    places += fmt::format("?::{}, ", types[static_cast<std::size_t>(type)]);
    bound.push_back(null ? table::Value{} : table::Value{given->second});
  }
  bound.insert(bound.end(), {from, to});
  return data_->store.execute(fmt::format("insert into main.{} values ({}?, ?, 'snapshots', null, null)", quote(table_name), places),
                              bound);
}

Result<> Facts::insert(const Hole& hole) {
  if (!data_->catalog.find(hole.table)) return fail(Errc::usage, "there is no fact table `{}`", hole.table);
  changed();
  const auto leaf = hole.leaf ? table::Value{static_cast<std::int64_t>(hole.leaf->value)} : table::Value{};
  return data_->store.execute("insert into vouch.hole values ('', '', ?, '', '', ?, ?, ?, ?, ?)",
                              {hole.table, key_text(hole.key), hole.from, hole.to, hole.reason, leaf});
}

}  // namespace vouch::facts
