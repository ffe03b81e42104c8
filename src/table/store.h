// table/store.h - the one owner of DuckDB: open, wait, bind, append, read-only. Knows nothing about compliance.
//
// A Store is one connection to one database. Only the process that projects opens a file for writing, for the moments it
// projects; all others read. Both wait for each other: a writer announces itself, so that readers in a loop cannot starve it; whoever
// waits longer than 2 s is told who holds the file, and gives up after 30 s with Errc::busy (exit code 3).
//
// What a writer can't hold in memory goes to `<file>.tmp` meanwhile.
//
// Every session is in UTC, loads no extension, sees no file and no network, and cannot change its settings. Values are always
// bound, never pasted into SQL. One thread at a time per Store.
#pragma once

#include "base/error.h"
#include "base/file.h"
#include "base/instant.h"
#include "base/json.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vouch::table {

// A value that is bound or read. JSON columns are text.
using Value = std::variant<std::monostate, bool, std::int64_t, double, std::string, Instant>;

// As text, for keys and reasons; NULL is "".
std::string to_text(const Value& value);
// For output: Instant as RFC 3339 (null for infinity), NULL as null.
Json to_json(const Value& value);

// A whole answer, in memory. For what fits a screen, a control's members or a test; not for exports.
struct Rows {
  std::vector<std::string> columns;
  std::vector<std::vector<Value>> rows;
};

enum class Mode { reading, writing };

struct Limits {
  std::string memory = "2GiB";  // as DuckDB's memory_limit takes it
  int threads = 2;
  Duration time = Duration::minutes(10);  // of one query; Errc::limit past it
  bool tight = false;                     // what does not fit in will be tried again with more memory

  // Enough for nearly all that a projection asks, and little beside what else a large account costs.
  static Limits little();
};

class Appender;

class Store {
 public:
  // Called once when the wait passes 2 s, with who holds the file.
  using OnWait = std::function<void(std::string_view holder)>;

  static Result<Store> open(const fs::path& file, Mode mode, const Limits& limits = {}, const OnWait& on_wait = {});
  static Result<Store> in_memory(const Limits& limits = {});

  // Runs statements that the product wrote. Errc::malformed with DuckDB's message when SQL is wrong.
  Result<> execute(std::string_view sql, std::vector<Value> values = {});
  Result<Rows> query(std::string_view sql, std::vector<Value> values = {});
  // The same, one row after another, for answers of any length: only DuckDB holds them as a whole, compactly. `row` may not keep what it is
  // given; its error ends the reading and is returned.
  using OnRow = std::function<Result<>(const std::vector<Value>& row)>;
  Result<> each(std::string_view sql, const std::vector<Value>& values, const OnRow& row);

  // For SQL that somebody else wrote (the catalogue, `vouch sql`): exactly one statement, and that a SELECT; all else is
  // Errc::usage. Also refused: functions that read files, settings, secrets or the environment.
  Result<Rows> select(std::string_view sql, std::vector<Value> values = {});

  // The tables that a SELECT names, without common table expressions; sorted. DuckDB tells. Errc::malformed when it does not parse.
  Result<std::vector<std::string>> tables_of(std::string_view sql);
  // The syntax tree of a SELECT as DuckDB's json_serialize_sql gives it.
  Result<Json> tree_of(std::string_view sql);

  Result<Appender> appender(std::string_view table);

  [[nodiscard]] bool is_tight() const;  // Limits::tight

  // Runs `work` in a transaction: all of it, or nothing.
  Result<> transaction(const std::function<Result<>()>& work);

  // A copy of the whole database at one instant, for people's own tools. Never over an existing file.
  Result<> export_to(const fs::path& file);

  // Puts the database `built` in the place of `file`, once nobody has that open.
  static Result<> replace(const fs::path& file, const fs::path& built, const OnWait& on_wait = {});

 private:
  struct Session;
  explicit Store(std::shared_ptr<Session> session);
  std::shared_ptr<Session> session_;
};

// Adds rows at speed. Rows are there after flush(); a row must be given all its columns, in the table's order.
class Appender {
 public:
  Appender& add(const Value& value);
  Appender& add_text(std::string_view text);
  Result<> end_row();
  Result<> flush();

 private:
  friend class Store;
  struct State;
  explicit Appender(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace vouch::table
