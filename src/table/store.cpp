#include "table/store.h"

#include "table/session.h"

namespace vouch::table {
namespace {

constexpr std::uintmax_t small_bytes = 16u << 20;  // below it a second thread costs more than it brings

std::string quoted(const fs::path& path) {
  std::string text = "'";
  for (const char c : path.string()) {
    text += c;
    if (c == '\'') text += c;
  }
  return text + "'";
}

// After this nothing outside the database can be reached, and that cannot be undone.
constexpr std::string_view closed_house =
    "set TimeZone = 'UTC'; set enable_external_access = false; set allow_community_extensions = false; set lock_configuration = true";

bool held_by_another(const Error& error) { return error.message.find("Could not set lock on file") != std::string::npos; }

}  // namespace

Limits Limits::little() { return {.memory = "40MiB", .tight = true}; }

Store::Store(std::shared_ptr<Session> session) : session_(std::move(session)) {}

Result<Store> Store::open(const fs::path& file, Mode mode, const Limits& limits, const OnWait& on_wait) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  if (error && mode == Mode::reading) return fail(Errc::not_found, "`{}` is not there", file.string());
  auto session = std::make_shared<Session>();
  session->turnstile = TRY(Turnstile::pass(file, mode, on_wait));
  session->file = file;
  session->mode = mode;
  session->limits = limits;
  if (mode == Mode::writing) {
    session->spill = fs::path{file}.concat(".tmp");
    std::error_code ignored;
    fs::remove_all(session->spill, ignored);  // of a process that was killed
  }
  TRY(session->connect(!error && size < small_bytes ? 1 : limits.threads));
  const auto attach = fmt::format("attach {} as facts{}", quoted(file),
                                  mode == Mode::reading ? " (read_only)"
                                  : error               ? " (block_size 16384)"
                                                        : "");
  // A new file gets DuckDB's smallest blocks: fifty small tables take a fiftieth of the room and of the time to write.
  // Somebody's own DuckDB client knows nothing of our turnstile, only DuckDB's own lock.
  for (auto pause = std::chrono::milliseconds{1}, waited = std::chrono::milliseconds{0};; waited += pause) {
    const auto attached = session->run(attach);
    if (attached) break;
    if (!held_by_another(attached.error())) return std::unexpected(Error{attached.error()}.within(file.string()));
    if (waited > std::chrono::seconds{30})
      return fail(Errc::busy, "`{}` is open in another program: {}", file.string(), attached.error().message);
    pause = std::min(pause * 2, std::chrono::milliseconds{100});
    std::this_thread::sleep_for(pause);
  }
  TRY(session->run("use facts"));
  TRY(session->run(std::string{closed_house}));
  return Store{std::move(session)};
}

Result<Store> Store::in_memory(const Limits& limits) {
  auto session = std::make_shared<Session>();
  session->limits = limits;
  TRY(session->connect(limits.threads));
  TRY(session->run("attach ':memory:' as facts; use facts"));
  TRY(session->run(std::string{closed_house}));
  return Store{std::move(session)};
}

Result<> Store::execute(std::string_view sql, std::vector<Value> values) {
  if (values.empty()) return session_->run(std::string{sql});
  TRY(session_->query(sql, values, false));
  return {};
}

Result<Rows> Store::query(std::string_view sql, std::vector<Value> values) { return session_->query(sql, values, false); }

// Not as a stream of DuckDB's: another statement of the same connection ends one, and it looks like one that was read to its end.
Result<> Store::each(std::string_view sql, const std::vector<Value>& values, const OnRow& row) {
  QueryResult result;
  TRY(session_->execute(sql, values, false, result));
  return each_row(result.raw, row);
}

Result<Rows> Store::select(std::string_view sql, std::vector<Value> values) {
  TRY(check_select(TRY(tree_of(sql))));
  return session_->query(sql, values, true);
}

Result<std::vector<std::string>> Store::tables_of(std::string_view sql) { return tables_in(TRY(tree_of(sql))); }

Result<Json> Store::tree_of(std::string_view sql) {
  const auto rows = TRY(session_->query("select json_serialize_sql(?::varchar)::varchar", {std::string{sql}}, false));
  auto tree = TRY(parse_json(to_text(rows.rows.at(0).at(0)), 2000));
  const auto* error = find(tree, "error");
  if (error && error->is_bool() && error->get_bool()) {
    const auto* why = find_string(tree, "error_message");
    const auto* kind = find_string(tree, "error_type");
    const bool syntax = kind && *kind == "parser";
    return fail(syntax ? Errc::malformed : Errc::usage, "{}",
                syntax ? std::string_view{*why} : std::string_view{"only a SELECT may run here"});
  }
  const auto* statements = find_array(tree, "statements");
  if (!statements || statements->size() != 1)
    return fail(Errc::usage, "exactly one SELECT is expected, here are {}", statements ? statements->size() : 0);
  return Json(statements->front());
}

bool Store::is_tight() const { return session_->limits.tight; }

Result<> Store::transaction(const std::function<Result<>()>& work) {
  TRY(session_->run("begin transaction"));
  auto done = work();
  if (done) return session_->run("commit");
  (void)session_->run("rollback");  // the first error is the one to tell
  return done;
}

Result<> Store::export_to(const fs::path& file) {
  if (fs::exists(file)) return fail(Errc::usage, "`{}` is there already", file.string());
  if (session_->file.empty()) return fail(Errc::usage, "a database in memory cannot be exported");
  // A second instance may write the copy; this one can reach no file any more. Our place at the turnstile keeps writers out.
  const auto part = fs::path{file}.concat(".part");
  std::error_code ignored;
  fs::remove(part, ignored);
  Session copy;
  copy.limits = session_->limits;
  TRY(copy.connect(session_->limits.threads));
  auto copied = copy.run(
      fmt::format("attach {} as facts (read_only); attach {} as copy (block_size 16384); copy from database facts to copy; detach copy",
                  quoted(session_->file), quoted(part)));
  if (copied && ::link(part.c_str(), file.c_str()) != 0) copied = fail(Errc::io, "cannot write `{}`: {}", file.string(), errno_text(errno));
  fs::remove(part, ignored);
  return copied;
}

Result<> Store::replace(const fs::path& file, const fs::path& built, const OnWait& on_wait) {
  const auto turnstile = TRY(Turnstile::pass(file, Mode::writing, on_wait));
  std::error_code error;
  fs::remove(fs::path{file}.concat(".wal"), error);
  fs::rename(built, file, error);
  if (error) return fail(Errc::io, "cannot rename `{}` to `{}`: {}", built.string(), file.string(), error.message());
  return sync_directory(file.parent_path());
}

}  // namespace vouch::table
