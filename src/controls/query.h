// controls/query.h - a control's SQL, understood: what it names, where it reads the clock, and when that can change its answer.
//
// The judged instant has many names: as_of(), now(), current_timestamp, current_date, today(), get_current_timestamp() and
// transaction_timestamp() all mean it, as an instant (also those that are dates elsewhere). They are replaced where they stand, so that
// DuckDB's own clock is never read. Everything else that could answer differently twice is refused: other clocks, chance, the session,
// samples, LIMIT and DISTINCT ON without ORDER BY, and aggregates whose answer depends on the order of rows without an ORDER BY.
//
// Between two changes of its tables a query's answer can only change where a comparison with as_of() changes. That is computed, so each
// such comparison must be linear: as_of() plus or minus constant intervals on one side, data on the other. The data side may
// choose between time columns and shift them by constants (coalesce, case, greatest, least, min, max, any_value, first, last, arg_min,
// arg_max, lag, lead, first_value, last_value, scalar subqueries, derived columns); it may not compute new instants. `as_of() - created >
// interval 90 day` is the same comparison and accepted. Months and years have no fixed length and are refused. A `tick` lifts all this: the
// clock then stands at the last multiple of the tick (counted from 1970), and the answer changes there only.
#pragma once

#include "base/instant.h"
#include "facts/tables.h"
#include "table/store.h"

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace vouch::controls {

// SQL without its final semicolon, and the places at which it reads the clock.
struct JudgedSql {
  struct Place {
    std::size_t begin, end;  // bytes of `text`
    friend auto operator<=>(const Place&, const Place&) = default;
  };
  std::string text;
  std::vector<Place> clocks;  // in order

  // The text with `clock` in their place. Line breaks stay where they are.
  [[nodiscard]] std::string at(Instant clock) const;
};

// Where as_of() meets data: at `value + offset`, for each value of `column` in `tables`, or for the one `constant`.
struct Threshold {
  std::vector<std::string> tables;  // sorted
  std::string column;
  std::optional<Instant> constant;
  Duration offset;
  bool at = false, after = false;  // the answer can change at that very instant, or one microsecond later

  friend auto operator<=>(const Threshold&, const Threshold&) = default;
};

// Names of functions that must not stand in a control, as this DuckDB knows them; asked once.
class Functions {
 public:
  static Result<Functions> of(table::Store& store);
  [[nodiscard]] bool is_unstable(const std::string& name) const { return unstable_.contains(name); }

 private:
  std::set<std::string> unstable_;
};

struct Query {
  JudgedSql sql;
  std::vector<std::string> tables;    // fact tables that it names, sorted
  std::vector<Threshold> thresholds;  // sorted; only without a tick
};

// Errc::config for what the header refuses, Errc::malformed for what is not one SELECT. The message ends in what to write instead.
Result<Query> understand(table::Store& store, const Functions& functions, const facts::FactCatalog& tables, std::string_view sql,
                         bool has_tick);

}  // namespace vouch::controls
