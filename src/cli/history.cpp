#include "cli/history.h"

#include "cli/output.h"
#include "facts/schema.h"

#include <map>

namespace vouch::cli {
namespace {

constexpr double micros_a_day = 86'400e6;

// NULL, and what is no instant, is none.
std::optional<Instant> instant_in(const table::Value& value) {
  const auto at = parse_instant(table::to_text(value));
  return at ? std::optional{*at} : std::nullopt;
}

// {source, account} -> when the first collection that saw anything ended.
Result<std::map<std::pair<std::string, std::string>, Instant>> first_collections(facts::Facts& facts) {
  std::map<std::pair<std::string, std::string>, Instant> first;
  const auto rows = TRY(facts.store().select(
      "select source, account, min(ended) from vouch_collection where outcome in ('complete', 'partial') group by all order by all"));
  for (const auto& row : rows.rows)
    if (const auto at = instant_in(row[2])) first[{table::to_text(row[0]), table::to_text(row[1])}] = *at;
  return first;
}

}  // namespace

Result<std::vector<Recalled>> recalled_since(facts::Facts& facts, const collect::SourceCatalog& sources, Instant since, Instant now) {
  std::vector<Recalled> recalled;
  for (const auto& [whose, collected] : TRY(first_collections(facts))) {
    const auto& [source, account] = whose;
    const auto* described = sources.find(source);
    if (!described) continue;
    for (const auto& table : facts.catalog().tables) {
      if (table.source != source || table.event.empty()) continue;
      const auto* operation = described->find(table.operation);
      Recalled one{source, account, table.name, {}, 0, operation ? operation->remembers : std::nullopt, {}};
      const std::vector<std::string> names{table.name};
      const auto happened = facts::quote(table.event);
      const auto rows = TRY(facts.store().select(
          fmt::format("{} select min({}), count(*) from {} where account = $1 and {} between $2::timestamptz and $3::timestamptz",
                      TRY(facts.as_of(names, now)), happened, facts::quote(table.name), happened),
          {account, to_string(since), to_string(now)}));
      one.first = instant_in(rows.rows.at(0).at(0));
      one.events = static_cast<std::uint64_t>(std::get<std::int64_t>(rows.rows.at(0).at(1)));
      if (one.remembers) {
        const auto reach = collected - *one.remembers;
        if (since < reach) one.lost_until = reach;
      }
      recalled.push_back(std::move(one));
    }
  }
  return recalled;
}

json::array recalled_json(std::span<const Recalled> recalled) {
  const auto text = [](const std::optional<Instant>& at) { return at ? Json(to_string(*at)) : Json(nullptr); };
  json::array list;
  for (const auto& one : recalled)
    list.push_back({{"source", one.source},
                    {"account", one.account},
                    {"table", one.table},
                    {"first", text(one.first)},
                    {"events", one.events},
                    {"remembers_days", one.remembers ? Json(static_cast<double>(one.remembers->micros) / micros_a_day) : Json(nullptr)},
                    {"lost_until", text(one.lost_until)}});
  return list;
}

void print_recalled(std::span<const Recalled> recalled, Instant since, Format format) {
  Grid grid{{{"source"}, {"account"}, {"table"}, {"events", true}, {"the first"}, {"reaches back to"}}, {}};
  for (const auto& one : recalled)
    grid.rows.push_back({one.source, one.account, one.table, grouped(one.events), one.first ? for_people(*one.first) : "none",
                         !one.lost_until ? for_people(since)
                                         : fmt::format("{}: the source forgets after {:.0f} days", for_people(*one.lost_until),
                                                       static_cast<double>(one.remembers->micros) / micros_a_day)});
  fmt::print("\nhistory since {}, as the sources still tell it\n{}", for_people(since), render(grid, format));
}

}  // namespace vouch::cli
