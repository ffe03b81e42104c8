#include "facts/facts.h"

#include "facts/data.h"

namespace vouch::facts {

Facts::Facts(std::shared_ptr<Data> data) : data_(std::move(data)) {}

Result<Facts> Facts::open(const fs::path& home, FactCatalog catalog, table::Mode mode, const table::Store::OnWait& on_wait,
                          const table::Limits& limits) {
  const auto file = home / "facts.duckdb";
  if (!fs::exists(file)) return fail(Errc::not_found, "`{}` is not there yet", file.string());
  auto store = TRY(table::Store::open(file, mode, limits, on_wait));
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

Result<Facts> Facts::in_memory(FactCatalog catalog, int threads) {
  auto store = TRY(table::Store::in_memory({.threads = threads}));
  TRY(store.transaction([&] { return make_schema(store, catalog); }));
  return Facts{std::make_shared<Data>(std::move(catalog), std::move(store), true, std::nullopt)};
}

const FactCatalog& Facts::catalog() const { return data_->catalog; }
table::Store& Facts::store() { return data_->store; }
void Facts::changed() {
  data_->coverage.reset();
  data_->ahead.reset();
  data_->sizes.clear();
  data_->left_out.reset();
}

Result<const std::vector<std::string>*> Facts::Data::left_out_of(const std::string& source, Instant instant) {
  static const std::vector<std::string> none;
  if (!catalog.find("vouch_account")) return &none;
  if (!left_out) {
    left_out.emplace();
    const auto rows = TRY(store.query(R"sql(
select a.source, a.decided, a.account, not a.in_scope and r.account is not null from facts.main.vouch_account a
left join (select distinct source, account from vouch.run) r on r.source = a.source and r.account = a.account
order by a.source, a.decided, a.account)sql"));
    for (const auto& row : rows.rows) {
      auto& accounts = (*left_out)[table::to_text(row[0])][std::get<Instant>(row[1])];
      if (std::get<bool>(row[3])) accounts.push_back(table::to_text(row[2]));
    }
  }
  const auto decisions = left_out->find(source);
  if (decisions == left_out->end()) return &none;
  const auto after = decisions->second.upper_bound(instant);
  return after == decisions->second.begin() ? &none : &std::prev(after)->second;
}

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
    std::string away;
    if (!table->is_of_ledger())
      for (const auto& account : *TRY(data_->left_out_of(table->source, at))) away += (away.empty() ? "" : ", ") + quote_text(account);
    if (!away.empty()) away = fmt::format(" and account not in ({})", away);
    sql += fmt::format("{}{} as not materialized (select {} from facts.main.{} where valid_from <= {} and {} < valid_to{})",
                       sql.empty() ? "with " : ", ", quote(name), fmt::join(columns, ", "), quote(name), instant, instant, away);
  }
  return sql;
}

Result<std::uint64_t> Facts::size_of_largest(std::span<const std::string> tables) {
  auto& sizes = data_->sizes;
  if (sizes.empty()) {
    const auto rows = TRY(data_->store.query(
        "select table_name, estimated_size from duckdb_tables() where database_name = 'facts' and schema_name = 'main'"));
    for (const auto& row : rows.rows)
      if (const auto* size = std::get_if<std::int64_t>(&row[1])) sizes[table::to_text(row[0])] = static_cast<std::uint64_t>(*size);
  }
  std::uint64_t largest = 0;
  for (const auto& table : tables)
    if (const auto found = sizes.find(table); found != sizes.end()) largest = std::max(largest, found->second);
  return largest;
}

// As replay does (Live::show): a version that shows another instant than the one before begins there, which ends that one.
Result<Instant> Facts::date(Data& data, const FactTable& table, const std::map<std::string, std::string>& values, Instant seen) {
  const auto given = values.find(table.event);
  if (given == values.end() || given->second == "null") return seen;
  const auto event = TRY(parse_instant(given->second));
  if (seen <= event) return seen;
  std::string same = "true";
  std::vector<table::Value> key;
  for (const auto& name : table.key)
    if (const auto part = values.find(name); part != values.end()) {
      same += fmt::format(" and {}::text = ?", quote(name));
      key.emplace_back(part->second);
    }
  const auto before = TRY(data.store.query(
      fmt::format("select valid_from, valid_to, {} from main.{} where {} and valid_from < {} order by valid_from desc limit 1",
                  quote(table.event), quote(table.name), same, literal(seen)),
      key));
  if (before.rows.empty()) return event;
  const auto& row = before.rows[0];
  const auto stood_until = std::get<Instant>(row[1]);
  if (row[2] == table::Value{event} || event < std::get<Instant>(row[0]) || (stood_until < seen && event < stood_until)) return seen;
  TRY(data.store.execute(fmt::format("update main.{} set valid_to = {} where {} and valid_to > {} and valid_from < {}", quote(table.name),
                                     literal(event), same, literal(event), literal(seen)),
                         key));
  return event;
}

Result<> Facts::insert(std::string_view table_name, const std::map<std::string, std::string>& values, Instant from, Instant to) {
  const auto* table = data_->catalog.find(table_name);
  if (!table) return fail(Errc::usage, "there is no fact table `{}`", table_name);
  changed();
  const auto columns = table->on_disk();
  const auto seen = from;
  for (const auto& [name, value] : values)
    if (std::none_of(columns.begin(), columns.end(), [&](const auto& column) { return column.first == name; }))
      return fail(Errc::usage, "`{}` has no column `{}`", table_name, name);
  if (!table->event.empty()) from = TRY(date(*data_, *table, values, from));
  std::string places;
  std::vector<table::Value> bound;
  for (const auto& [name, type] : columns) {
    const auto given = values.find(name);
    const bool null = given == values.end() || given->second == "null";
    static constexpr std::string_view types[] = {"text", "bigint", "double", "boolean", "timestamptz", "json"};
    places += fmt::format("?::{}, ", types[static_cast<std::size_t>(type)]);
    // DuckDB does not read all that is an instant here ("2026-03-01T09:00Z").
    const auto instant = null || type != Type::time ? Result<Instant>{fail(Errc::malformed, "")} : parse_instant(given->second);
    bound.push_back(null ? table::Value{} : instant ? table::Value{*instant} : table::Value{given->second});
  }
  bound.insert(bound.end(), {from, to});
  return data_->store.execute(fmt::format("insert into main.{} values ({}?, ?, '{}', null, null)", quote(table_name), places,
                                          from < seen ? "recalled" : "snapshots"),
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
