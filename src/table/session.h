// table/session.h - one DuckDB instance and the connection to it. Of this module only.
#pragma once

#include "table/store.h"
#include "table/turnstile.h"

#include <duckdb.h>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace vouch::table {

// Interrupts a connection's query when its time is over. One thread, started with the first query that has a limit.
class Watchdog {
 public:
  explicit Watchdog(duckdb_connection& connection) : connection_(connection) {}
  ~Watchdog();

  void arm(Duration limit);
  // Whether the query was interrupted.
  bool disarm();

 private:
  void watch();
  duckdb_connection& connection_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  bool fired_ = false, ending_ = false;
  std::thread thread_;
};

// A result of DuckDB's, destroyed at the end of its life.
struct QueryResult {
  duckdb_result raw{};
  QueryResult() = default;
  QueryResult(const QueryResult&) = delete;
  ~QueryResult() { duckdb_destroy_result(&raw); }
};

struct Store::Session {
  std::optional<Turnstile> turnstile;  // given back last
  fs::path file;                       // empty in memory
  fs::path spill;                      // a folder that takes what is more than memory may hold; empty: nothing does
  Mode mode = Mode::writing;
  Limits limits;
  duckdb_database database = nullptr;
  duckdb_connection connection = nullptr;
  std::unique_ptr<Watchdog> watchdog;

  Session() = default;
  Session(const Session&) = delete;
  ~Session();

  Result<> connect(int threads);
  Result<> run(const std::string& sql);  // any number of statements, no values
  Result<> execute(std::string_view sql, const std::vector<Value>& values, bool only_select, QueryResult& result);
  Result<Rows> query(std::string_view sql, const std::vector<Value>& values, bool only_select);
};

// DuckDB's message without its drawing of the line, as our error. `interrupted`: by our watchdog.
Error error_from(std::string_view message, bool interrupted, const Limits& limits);

// chunk.cpp: reads all of a result. Errc::limit beyond 20 million values, Errc::unsupported for types that have no Value.
Result<Rows> read_rows(duckdb_result& result);
// One after another, without a limit.
Result<> each_row(duckdb_result& result, const Store::OnRow& row);

// select.cpp: Errc::usage unless `sql` is a SELECT that reaches nothing but tables. `tree`: of json_serialize_sql.
Result<> check_select(const Json& tree);
std::vector<std::string> tables_in(const Json& tree);

}  // namespace vouch::table
