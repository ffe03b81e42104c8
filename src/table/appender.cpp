#include "table/session.h"

namespace vouch::table {

struct Appender::State {
  std::shared_ptr<void> session;  // keeps the connection alive
  Limits limits;
  std::string table;
  duckdb_appender appender = nullptr;
  std::vector<duckdb_logical_type> types;
  std::vector<duckdb_type> ids;
  duckdb_data_chunk chunk = nullptr;
  idx_t row = 0, column = 0;
  std::string problem;  // the first of this row

  ~State() {
    if (chunk) duckdb_destroy_data_chunk(&chunk);
    for (auto& type : types) duckdb_destroy_logical_type(&type);
    if (appender) duckdb_appender_destroy(&appender);
  }

  [[nodiscard]] std::unexpected<Error> refused() const {
    const auto* why = duckdb_appender_error(appender);
    return std::unexpected(error_from(why ? why : "DuckDB gives no reason", false, limits).within(table));
  }

  duckdb_vector next() {
    if (column >= types.size()) {
      problem = "more values than columns";
      return nullptr;
    }
    return duckdb_data_chunk_get_vector(chunk, column);
  }

  template <class T>
  void set(duckdb_vector vector, T value) {
    static_cast<T*>(duckdb_vector_get_data(vector))[row] = value;
  }

  Result<> send() {
    if (row == 0) return {};
    duckdb_data_chunk_set_size(chunk, row);
    if (duckdb_append_data_chunk(appender, chunk) != DuckDBSuccess) return refused();
    duckdb_data_chunk_reset(chunk);
    row = 0;
    return {};
  }
};

Appender::Appender(std::shared_ptr<State> state) : state_(std::move(state)) {}

Result<Appender> Store::appender(std::string_view table) {
  auto state = std::make_shared<Appender::State>();
  state->session = session_;
  state->limits = session_->limits;
  state->table = table;
  const auto dot = table.find('.');
  const std::string schema{dot == std::string_view::npos ? "main" : table.substr(0, dot)};
  const std::string name{dot == std::string_view::npos ? table : table.substr(dot + 1)};
  if (duckdb_appender_create_ext(session_->connection, "facts", schema.c_str(), name.c_str(), &state->appender) != DuckDBSuccess)
    return state->refused();
  const auto columns = duckdb_appender_column_count(state->appender);
  for (idx_t c = 0; c < columns; ++c) {
    state->types.push_back(duckdb_appender_column_type(state->appender, c));
    state->ids.push_back(duckdb_get_type_id(state->types.back()));
  }
  state->chunk = duckdb_create_data_chunk(state->types.data(), columns);
  return Appender{std::move(state)};
}

Appender& Appender::add_text(std::string_view text) {
  auto& s = *state_;
  if (auto* vector = s.next()) {
    if (s.ids[s.column] == DUCKDB_TYPE_VARCHAR)
      duckdb_vector_assign_string_element_len(vector, s.row, text.data(), text.size());
    else
      s.problem = fmt::format("column {} does not take text", s.column + 1);
  }
  ++s.column;
  return *this;
}

Appender& Appender::add(const Value& value) {
  auto& s = *state_;
  if (const auto* text = std::get_if<std::string>(&value)) return add_text(*text);
  auto* vector = s.next();
  if (!vector) return *this;
  const auto id = s.ids[s.column];
  bool fits = true;
  if (std::holds_alternative<std::monostate>(value)) {
    duckdb_vector_ensure_validity_writable(vector);
    duckdb_validity_set_row_invalid(duckdb_vector_get_validity(vector), s.row);
  } else if (const auto* truth = std::get_if<bool>(&value); truth && id == DUCKDB_TYPE_BOOLEAN) {
    s.set(vector, *truth);
  } else if (const auto* whole = std::get_if<std::int64_t>(&value); whole && id == DUCKDB_TYPE_BIGINT) {
    s.set(vector, *whole);
  } else if (whole && id == DUCKDB_TYPE_DOUBLE) {
    s.set(vector, static_cast<double>(*whole));
  } else if (const auto* number = std::get_if<double>(&value); number && id == DUCKDB_TYPE_DOUBLE) {
    s.set(vector, *number);
  } else if (const auto* at = std::get_if<Instant>(&value); at && id == DUCKDB_TYPE_TIMESTAMP_TZ) {
    s.set(vector, at->micros);
  } else {
    fits = false;
  }
  if (!fits) s.problem = fmt::format("column {} is of another type", s.column + 1);
  ++s.column;
  return *this;
}

Result<> Appender::end_row() {
  auto& s = *state_;
  const auto given = std::exchange(s.column, 0);
  if (given != s.types.size() && s.problem.empty()) s.problem = fmt::format("{} values for {} columns", given, s.types.size());
  if (!s.problem.empty()) return fail(Errc::usage, "{}: {}", s.table, std::exchange(s.problem, {}));
  return ++s.row == duckdb_vector_size() ? s.send() : Result<>{};
}

Result<> Appender::flush() {
  TRY(state_->send());
  if (duckdb_appender_flush(state_->appender) != DuckDBSuccess) return state_->refused();
  return {};
}

}  // namespace vouch::table
