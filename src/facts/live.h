// facts/live.h - the current rows of one table in one account and region while leaves are folded in. Of this module only.
//
// Rows are fetched from the database as their keys come up, changed here, and written back at the end: what was fetched and
// changed is deleted and appended anew, what is new is appended. In a rebuild nothing is ever fetched.
#pragma once

#include "facts/row.h"
#include "ledger/position.h"

#include <unordered_map>
#include <unordered_set>

namespace vouch::facts {

struct Version {
  std::string values;
  Instant from, to = Instant::infinity();
  std::optional<Instant> seen_before;
  LeafIndex leaf;
  std::int64_t row = -1;  // where it stands in the database; -1: nowhere yet
  bool dirty = false;
  bool dated = false;  // begins at the instant that the row tells of itself (FactTable::event)
};

// What a collection says of a row.
struct Sight {
  Instant at;
  std::optional<Instant> seen_before;
  LeafIndex leaf;
};

enum class Shows { same, latest, first, another };  // nothing new; only `latest` columns; a row began; another version of it did

class Live {
 public:
  // `fresh`: the database has no rows of this account and region.
  Live(const FactTable& table, std::string account, std::string region, bool fresh);

  [[nodiscard]] const FactTable& table() const { return table_; }
  [[nodiscard]] const Shape& shape() const { return shape_; }

  // Makes the rows of these keys known; few keys are looked up, for many all is read.
  Result<> fetch(table::Store& store, const std::vector<std::string_view>& keys);
  Result<> fetch_all(table::Store& store);

  [[nodiscard]] bool has(std::string_view key) const { return rows_.contains(key); }
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  void reserve(std::size_t more) { rows_.reserve(rows_.size() + more); }
  [[nodiscard]] std::vector<std::string> keys() const;

  // The row is there with these values.
  Shows show(Row row, const Sight& sight);
  // The row is not there any more. True when a version ended.
  bool end(std::string_view key, Instant at);

  [[nodiscard]] std::size_t closed_rows() const { return closed_.size(); }
  // `all`: also the current rows, which are not known any more then. Without it only versions that have ended, to free their memory.
  Result<> write(table::Store& store, bool all);

  // Whether the database has no row of it, and all that there is are known here.
  [[nodiscard]] bool is_fresh() const { return fresh_; }
  // Of a fresh one: its rows go to the database now, and are looked up there from then on.
  Result<> hand_over(table::Store& store);
  // Takes back what was handed over, all of it: it is fresh again, and empty.
  Result<> take_back(table::Store& store);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const { return std::hash<std::string_view>{}(key); }
  };
  void close(Version&& version, Instant at);
  Result<> read_ends(table::Store& store, const std::string& condition, const std::vector<table::Value>& values);
  [[nodiscard]] std::optional<Instant> event_of(std::string_view values) const;
  // Where a version begins that is first seen at `at`, and whether the row's own date says so. `not_before`: the end of what stood
  // before it.
  struct Beginning {
    Instant at;
    bool dated;
  };
  [[nodiscard]] static Beginning beginning_of(std::optional<Instant> event, std::optional<Instant> not_before, Instant at);
  Result<> read(table::Store& store, const std::string& condition, std::vector<table::Value> values);

  const FactTable& table_;
  Shape shape_;
  std::optional<std::size_t> event_;  // its index among the columns
  std::string account_, region_;
  bool fresh_, all_known_;
  std::unordered_set<std::string, Hash, std::equal_to<>> known_;  // first cells of keys that were fetched
  std::unordered_map<std::string, Version, Hash, std::equal_to<>> rows_;
  std::vector<Version> closed_;
  std::unordered_map<std::string, Instant, Hash, std::equal_to<>> ends_;  // of tables with an event: when a key's last version ended
  std::vector<std::int64_t> stale_;                                       // rows of the database that do not stand any more
};

}  // namespace vouch::facts
