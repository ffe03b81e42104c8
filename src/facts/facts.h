// facts/facts.h - what is known: temporal tables, and what of the world they cover.
//
// Open first to read; facts/replay.h to build them from a ledger. All instants UTC. Not for several threads at once.
#pragma once

#include "base/instant.h"
#include "facts/tables.h"
#include "ledger/position.h"
#include "table/store.h"

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace vouch::facts {

// A part of a table that was not observed during [from, to). It concerns every resource whose key agrees with `key` on the
// columns that both have: {} is the whole table, {account, region} one listing, {account, bucket} one resource.
struct Hole {
  std::string table;
  std::map<std::string, std::string> key;
  Instant from, to;
  std::string reason;             // "s3:GetBucketPolicy denied (AccessDenied)", "not collected", "no collection for 31 h"
  std::optional<LeafIndex> leaf;  // the collection that says so; nothing when there was none
};

// The path from a fact down to the bytes that a provider sent.
struct Trace {
  LeafIndex leaf;         // the collection that showed this version first
  std::string operation;  // "s3:GetBucketEncryption"
  Json scope, params;
  std::int64_t page = 0;
  std::string tree, manifest, body;  // digests, hex; of an absence, the body of the error that said so; empty when none came
  friend bool operator==(const Trace&, const Trace&) = default;
};

// What the facts were built from.
struct State {
  TreeSize size;     // ledger entries folded in
  std::string root;  // base64, the checkpoint's root at that size
  bool simulated = false;
  std::optional<Instant> last_run;  // end of the latest collection
};

class Facts {
 public:
  // `home`/facts.duckdb. Errc::not_found when it is not there yet or was built by another schema: rebuild it (replay.h).
  static Result<Facts> open(const fs::path& home, FactCatalog catalog, table::Mode mode, const table::Store::OnWait& on_wait = {},
                            const table::Limits& limits = {});
  // An empty facts.duckdb in `folder`, in which there must be none, open for writing: replay (replay.h) fills it.
  static Result<Facts> create(const fs::path& folder, FactCatalog catalog);
  // Empty, covered from the beginning of time: for scenarios and tests.
  static Result<Facts> in_memory(FactCatalog catalog, int threads = 1);

  [[nodiscard]] const FactCatalog& catalog() const;
  table::Store& store();
  Result<State> state();

  // "with aws_s3_bucket as (select account, bucket, … from facts.main.aws_s3_bucket where valid_from <= … ), …": put before
  // `select * from (<a control's SQL>)`, it makes the tables hold what was true at `at`, and nothing else of them visible. Accounts that
  // are left out at `at` (vouch_account) are not in them, and their holes not in holes(): what was read of them before has no say.
  Result<std::string> as_of(std::span<const std::string> tables, Instant at);

  // About how many rows the largest of these tables holds, versions that have ended among them.
  Result<std::uint64_t> size_of_largest(std::span<const std::string> tables);

  // Holes of these tables at `at`. After the last run coverage reaches on for one tolerance (1.5 times the schedule, at most 26 h);
  // between two runs no further apart than that it is complete. Of a table whose rows date themselves (FactTable::event) only holes that
  // no later listing has closed: what it listed then tells of the time before.
  Result<std::vector<Hole>> holes(std::span<const std::string> tables, Instant at);
  // The same for all instants of [from, to].
  Result<std::vector<Hole>> holes(std::span<const std::string> tables, Instant from, Instant to);

  // Instants at which these tables or their coverage change, newest first, at most `limit`, not after `until`.
  Result<std::vector<Instant>> changes(std::span<const std::string> tables, Instant until, std::size_t limit);

  // The first instant after `at` at which these tables or their coverage change, of what is known now; nothing when none will. Asked for
  // many sets of tables at one `at`, it looks at the database once.
  Result<std::optional<Instant>> next_change(std::span<const std::string> tables, Instant at);

  // When the state before `at` was last observed for these tables' sources: the end of the run before. Nothing: never.
  Result<std::optional<Instant>> observed_before(std::span<const std::string> tables, Instant at);

  // The evidence of the versions of `table` whose columns agree with `key`, as they stood at `at`; for a row that is absent, the answer
  // that showed its absence. Needs the ledger's blobs.
  Result<std::vector<Trace>> trace(const fs::path& home, std::string_view table, const std::map<std::string, std::string>& key, Instant at);

  // For scenarios and tests. `from` is when the row was first seen so: where it dates itself, it begins earlier.
  Result<> insert(std::string_view table, const std::map<std::string, std::string>& values, Instant from, Instant to);
  Result<> insert(const Hole& hole);

  // To be called by whoever changes tables through store(): what was read of coverage and of changes is read again.
  void changed();

 private:
  struct Data;
  static Result<Instant> date(Data& data, const FactTable& table, const std::map<std::string, std::string>& values, Instant seen);
  explicit Facts(std::shared_ptr<Data> data);
  std::shared_ptr<Data> data_;
};

}  // namespace vouch::facts
