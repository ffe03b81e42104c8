#include "controls/changes.h"

#include "controls/evaluate.h"
#include "controls/event.h"
#include "controls/periodic.h"

#include <set>

namespace vouch::controls {
namespace {

// All instants at which a threshold is met, over the facts at one instant: "select x from (…)" of hugeint microseconds.
// Values are shifted in hugeint, so that no date overflows.
Result<std::string> instants_sql(const Control& control, facts::Facts& facts, Instant at) {
  std::set<std::string> tables;
  std::string all;
  const auto add = [&](const std::string& sql) { all += (all.empty() ? "" : " union all ") + sql; };
  for (const auto& threshold : control.thresholds)
    for (const bool after : {false, true}) {
      if (after ? !threshold.after : !threshold.at) continue;
      const auto shift = threshold.offset.micros + (after ? 1 : 0);
      if (threshold.constant) add(fmt::format("select {}::hugeint + {} as x", threshold.constant->micros, shift));
      for (const auto& table : threshold.tables) {
        tables.insert(table);
        add(fmt::format("select epoch_us(\"{0}\")::hugeint + {1} as x from {2} where isfinite(\"{0}\")", threshold.column, shift, table));
      }
    }
  const std::vector<std::string> named(tables.begin(), tables.end());
  const auto shadows = named.empty() ? std::string{} : TRY(facts.as_of(named, at));
  return fmt::format("{} select x from ({})", shadows, all);
}

Instant next_tick(const Control& control, Instant at) { return clock_of(control, at) + *control.tick; }

}  // namespace

Result<std::optional<Instant>> next_clock_change(const Control& control, facts::Facts& facts, Instant at) {
  if (!control.uses_as_of || at.is_infinite()) return std::nullopt;
  if (control.tick) return next_tick(control, at);
  if (control.thresholds.empty()) return std::nullopt;
  const auto instants = TRY(instants_sql(control, facts, at));
  const auto rows = TRY(facts.store().query(
      fmt::format("select min(x)::bigint from ({}) where x > {} and x < {}", instants, at.micros, Instant::infinity().micros)));
  const auto* micros = std::get_if<std::int64_t>(&rows.rows.at(0).at(0));
  return micros ? std::optional{Instant{*micros}} : std::nullopt;
}

Result<std::vector<Instant>> clock_changes(const Control& control, facts::Facts& facts, Instant from, Instant to, std::size_t limit) {
  std::vector<Instant> changes;
  if (!control.uses_as_of || limit == 0 || to <= from) return changes;
  if (control.tick) {
    for (auto at = clock_of(control, to - Duration{1}); from < at && changes.size() < limit; at = at - *control.tick) changes.push_back(at);
  } else if (!control.thresholds.empty()) {
    const auto instants = TRY(instants_sql(control, facts, from));
    const auto rows = TRY(facts.store().query(
        fmt::format("select distinct x::bigint as instant from ({}) where x > {} and x < {} order by instant desc limit {}", instants,
                    from.micros, to.micros, limit)));
    for (const auto& row : rows.rows)
      if (const auto* micros = std::get_if<std::int64_t>(&row.at(0))) changes.push_back({*micros});
  }
  std::reverse(changes.begin(), changes.end());
  return changes;
}

Result<Instant> expiry(const Control& control, facts::Facts& facts, Instant at) {
  auto expires = TRY(next_clock_change(control, facts, at)).value_or(Instant::infinity());
  if (control.kind == Kind::event) expires = std::min(expires, TRY(next_event(control, facts, at)).value_or(Instant::infinity()));
  if (control.kind == Kind::periodic) expires = std::min(expires, TRY(next_due(control, facts, at)));
  return std::min(expires, TRY(facts.next_change(control.tables, at)).value_or(Instant::infinity()));
}

}  // namespace vouch::controls
