#include "table/session.h"

namespace vouch::table {

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock{mutex_};
    ending_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Watchdog::arm(Duration limit) {
  const std::lock_guard lock{mutex_};
  fired_ = false;
  deadline_ = std::chrono::steady_clock::now() + std::chrono::microseconds{limit.micros};
  if (!thread_.joinable()) thread_ = std::thread{[this] { watch(); }};
  changed_.notify_all();
}

bool Watchdog::disarm() {
  const std::lock_guard lock{mutex_};
  deadline_.reset();
  return fired_;
}

void Watchdog::watch() {
  std::unique_lock lock{mutex_};
  while (!ending_) {
    if (!deadline_) {
      changed_.wait(lock);
    } else if (std::chrono::steady_clock::now() < *deadline_) {
      changed_.wait_until(lock, *deadline_);
    } else {
      // Again until the query has ended: an interrupt that arrives before it began running is lost.
      fired_ = true;
      duckdb_interrupt(connection_);
      *deadline_ += std::chrono::milliseconds{50};
    }
  }
}

Store::Session::~Session() {
  watchdog.reset();
  if (connection) duckdb_disconnect(&connection);
  if (database) duckdb_close(&database);
}

Result<> Store::Session::connect(int threads) {
  duckdb_config config = nullptr;
  if (duckdb_create_config(&config) != DuckDBSuccess) return fail(Errc::limit, "DuckDB cannot allocate its configuration");
  // Without the compressions that are slow to choose and to write a rebuild is a fifteenth faster. What a large query has freed goes back
  // to the system.
  const std::pair<const char*, std::string> settings[] = {
      {"threads", std::to_string(std::max(threads, 1))},
      {"memory_limit", limits.memory},
      {"autoinstall_known_extensions", "false"},
      {"autoload_known_extensions", "false"},
      {"temp_directory", spill.string()},
      {"allocator_flush_threshold", "16MB"},
      {"allocator_bulk_deallocation_flush_threshold", "16MB"},
      {"disabled_compression_methods", "fsst,dict_fsst,zstd"},
  };
  std::string refused;
  for (const auto& [name, value] : settings)
    if (duckdb_set_config(config, name, value.c_str()) != DuckDBSuccess) refused = name;
  char* message = nullptr;
  const auto opened = refused.empty() ? duckdb_open_ext(nullptr, &database, config, &message) : DuckDBError;
  duckdb_destroy_config(&config);
  if (!refused.empty()) return fail(Errc::usage, "DuckDB does not take the value of `{}`", refused);
  if (opened != DuckDBSuccess) {
    const std::string text = message ? message : "no reason given";
    duckdb_free(message);
    return fail(Errc::io, "cannot start DuckDB: {}", text);
  }
  if (duckdb_connect(database, &connection) != DuckDBSuccess) return fail(Errc::io, "cannot connect to DuckDB");
  watchdog = std::make_unique<Watchdog>(connection);
  return {};
}

Error error_from(std::string_view message, bool interrupted, const Limits& limits) {
  if (interrupted) return {Errc::limit, fmt::format("the query took longer than {}", to_string(limits.time))};
  const auto begins = [&](std::string_view word) { return message.starts_with(word); };
  const auto code = begins("Permission Error") || message.find("attached in read-only mode") != std::string_view::npos ? Errc::usage
                    : begins("Out of Memory Error")                                                                    ? Errc::limit
                    : begins("IO Error")                                                                               ? Errc::io
                                                                                                                       : Errc::malformed;
  // The text behind the first empty line draws the SQL again, with an arrow.
  return {code, std::string{message.substr(0, message.find("\n\nLINE "))}};
}

Result<> Store::Session::run(const std::string& sql) {
  QueryResult result;
  if (duckdb_query(connection, sql.c_str(), &result.raw) == DuckDBSuccess) return {};
  const auto* message = duckdb_result_error(&result.raw);
  return std::unexpected(error_from(message ? message : "DuckDB gives no reason", false, limits));
}

namespace {

struct Prepared {
  duckdb_prepared_statement raw = nullptr;
  ~Prepared() { duckdb_destroy_prepare(&raw); }
};

struct Extracted {
  duckdb_extracted_statements raw = nullptr;
  ~Extracted() { duckdb_destroy_extracted(&raw); }
};

duckdb_state bind(duckdb_prepared_statement statement, idx_t index, const Value& value) {
  struct Bind {
    duckdb_prepared_statement statement;
    idx_t index;
    duckdb_state operator()(std::monostate) const { return duckdb_bind_null(statement, index); }
    duckdb_state operator()(bool v) const { return duckdb_bind_boolean(statement, index, v); }
    duckdb_state operator()(std::int64_t v) const { return duckdb_bind_int64(statement, index, v); }
    duckdb_state operator()(double v) const { return duckdb_bind_double(statement, index, v); }
    duckdb_state operator()(const std::string& v) const { return duckdb_bind_varchar_length(statement, index, v.data(), v.size()); }
    duckdb_state operator()(Instant v) const { return duckdb_bind_timestamp_tz(statement, index, {v.micros}); }
  };
  return std::visit(Bind{statement, index}, value);
}

}  // namespace

Result<Rows> Store::Session::query(std::string_view sql, const std::vector<Value>& values, bool only_select) {
  QueryResult result;
  TRY(execute(sql, values, only_select, result));
  return read_rows(result.raw);
}

Result<> Store::Session::execute(std::string_view sql, const std::vector<Value>& values, bool only_select, QueryResult& result) {
  if (sql.find('\0') != std::string_view::npos) return fail(Errc::malformed, "SQL with a NUL byte");
  const std::string text{sql};
  Extracted statements;
  const auto count = duckdb_extract_statements(connection, text.c_str(), &statements.raw);
  if (count != 1) {
    const auto* why = count == 0 ? duckdb_extract_statements_error(statements.raw) : nullptr;
    if (why) return std::unexpected(error_from(why, false, limits));
    return fail(Errc::usage, "exactly one SQL statement is expected, here are {}", count);
  }
  Prepared prepared;
  if (duckdb_prepare_extracted_statement(connection, statements.raw, 0, &prepared.raw) != DuckDBSuccess) {
    const auto* why = duckdb_prepare_error(prepared.raw);
    return std::unexpected(error_from(why ? why : "DuckDB gives no reason", false, limits));
  }
  if (only_select && duckdb_prepared_statement_type(prepared.raw) != DUCKDB_STATEMENT_TYPE_SELECT)
    return fail(Errc::usage, "only a SELECT may run here");
  if (duckdb_nparams(prepared.raw) != values.size())
    return fail(Errc::usage, "the SQL takes {} values, {} are given", duckdb_nparams(prepared.raw), values.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    if (bind(prepared.raw, i + 1, values[i]) != DuckDBSuccess) return fail(Errc::usage, "value {} of the SQL cannot be bound", i + 1);

  watchdog->arm(limits.time);
  const auto state = duckdb_execute_prepared(prepared.raw, &result.raw);
  const bool interrupted = watchdog->disarm();
  if (state != DuckDBSuccess) {
    const auto* why = duckdb_result_error(&result.raw);
    return std::unexpected(error_from(why ? why : "DuckDB gives no reason", interrupted, limits));
  }
  return {};
}

}  // namespace vouch::table
