// What is covered when. Holes that a collection tells are rows of vouch.hole, written by replay; those that nobody tells (an account, an
// operation or a whole source that was never asked, and the time since the last run) are worked out here.
#include "facts/data.h"

namespace vouch::facts {
namespace {

std::string text(const table::Value& value) { return table::to_text(value); }
Instant instant(const table::Value& value) { return std::get<Instant>(value); }

std::optional<LeafIndex> leaf_of(const table::Value& value) {
  if (const auto* leaf = std::get_if<std::int64_t>(&value)) return LeafIndex{static_cast<std::uint64_t>(*leaf)};
  return std::nullopt;
}

Result<std::vector<LastRun>> last_runs(table::Store& store) {
  const auto rows =
      TRY(store.query("select source, account, max_by(ended, leaf), max_by(schedule, leaf) from vouch.run where account <> '' "
                      "group by source, account order by source, account"));
  std::vector<LastRun> runs;
  for (const auto& row : rows.rows) runs.push_back({text(row[0]), text(row[1]), instant(row[2]), {std::get<std::int64_t>(row[3])}});
  return runs;
}

Result<CoverageAt> read_coverage(table::Store& store, Instant at) {
  CoverageAt coverage{at, {}, TRY(last_runs(store)), {}, {}};
  const auto holes = TRY(store.query(R"(select subject, key, "from", "to", reason, leaf from vouch.hole where "from" <= ? and ? < "to")"
                                     R"( order by subject, key, "from")",
                                     {at, at}));
  for (const auto& row : holes.rows)
    coverage.holes.push_back(
        {text(row[0]), {"", key_of(TRY(parse_json(text(row[1])))), instant(row[2]), instant(row[3]), text(row[4]), leaf_of(row[5])}});
  const auto failures = TRY(store.query("select source, max_by(reason, leaf) from vouch.run where account = '' group by source"));
  for (const auto& row : failures.rows) coverage.failures[text(row[0])] = text(row[1]);
  const auto asked = TRY(store.query("select distinct account, operation from vouch.listing"));
  for (const auto& row : asked.rows) coverage.operations.emplace(text(row[0]), text(row[1]));
  return coverage;
}

// For one table, in the order: told by a collection, then worked out.
void add_holes(const CoverageAt& coverage, const FactTable& table, bool all_covered, std::vector<Hole>& holes) {
  const auto add = [&](Hole hole) {
    hole.table = table.name;
    holes.push_back(std::move(hole));
  };
  for (const auto& [subject, hole] : coverage.holes)
    if (subject == table.source || subject == table.operation || subject == table.name) add(hole);
  if (all_covered) return;
  bool ever = false;
  for (const auto& run : coverage.runs) {
    if (run.source != table.source) continue;
    ever = true;
    const auto end = run.ended + tolerance_of(run.schedule);
    if (coverage.at >= end)
      add({"",
           {{"account", run.account}},
           end,
           Instant::infinity(),
           fmt::format("no collection for {}", to_string(coverage.at - run.ended)),
           {}});
    if (!coverage.operations.contains({run.account, table.operation}))
      add({"", {{"account", run.account}}, beginning, Instant::infinity(), fmt::format("{} not collected", table.operation), {}});
  }
  if (!ever) {
    const auto failure = coverage.failures.find(table.source);
    add({"",
         {},
         beginning,
         Instant::infinity(),
         failure == coverage.failures.end() ? "not collected" : "not collected: " + failure->second,
         {}});
  }
}

std::string list_of_texts(std::span<const std::string> texts) {
  std::string list;
  for (const auto& one : texts) list += (list.empty() ? "" : ", ") + quote_text(one);
  return list;
}

}  // namespace

Result<std::vector<Hole>> Facts::holes(std::span<const std::string> tables, Instant at) {
  if (!data_->coverage || data_->coverage->at != at) data_->coverage = TRY(read_coverage(data_->store, at));
  std::vector<Hole> holes;
  for (const auto& name : tables) {
    const auto* table = data_->catalog.find(name);
    if (!table) return fail(Errc::usage, "there is no fact table `{}`", name);
    add_holes(*data_->coverage, *table, data_->all_covered, holes);
  }
  return holes;
}

Result<std::vector<Instant>> Facts::changes(std::span<const std::string> tables, Instant until, std::size_t limit) {
  std::string union_of;
  std::vector<std::string> subjects, sources;
  const auto add = [&](std::string_view select) {
    union_of += union_of.empty() ? "" : " union ";
    union_of += select;
  };
  for (const auto& name : tables) {
    const auto* table = data_->catalog.find(name);
    if (!table) return fail(Errc::usage, "there is no fact table `{}`", name);
    add(fmt::format("select valid_from as at_ from facts.main.{0} union select valid_to from facts.main.{0}", quote(name)));
    subjects.insert(subjects.end(), {table->source, table->operation, table->name});
    sources.push_back(table->source);
  }
  if (tables.empty()) return std::vector<Instant>{};
  const auto of_these = list_of_texts(subjects);
  add(fmt::format(R"(select "from" from vouch.hole where subject in ({0}) union select "to" from vouch.hole where subject in ({0}))",
                  of_these));
  const auto rows = TRY(data_->store.query(
      fmt::format("select at_ from ({}) where at_ > {} and at_ <= ? order by at_ desc limit {}", union_of, literal(beginning), limit),
      {std::min(until, Instant{Instant::infinity().micros - 1})}));
  std::set<Instant, std::greater<>> instants;
  for (const auto& row : rows.rows) instants.insert(instant(row[0]));
  for (const auto& run : TRY(last_runs(data_->store))) {
    const auto end = run.ended + tolerance_of(run.schedule);
    if (std::find(sources.begin(), sources.end(), run.source) != sources.end() && end <= until) instants.insert(end);
  }
  std::vector<Instant> newest{instants.begin(), instants.end()};
  if (newest.size() > limit) newest.resize(limit);
  return newest;
}

Result<std::optional<Instant>> Facts::observed_before(std::span<const std::string> tables, Instant at) {
  std::vector<std::string> sources;
  for (const auto& name : tables) {
    const auto* table = data_->catalog.find(name);
    if (!table) return fail(Errc::usage, "there is no fact table `{}`", name);
    sources.push_back(table->source);
  }
  if (tables.empty()) return std::optional<Instant>{};
  // Of several accounts the one that was seen longest ago: the bound that is worse for us.
  const auto rows =
      TRY(data_->store.query(fmt::format("select min(seen) from (select max(ended) as seen from vouch.run where source in ({}) and "
                                         "account <> '' and tree <> '' and ended <= ? group by source, account)",
                                         list_of_texts(sources)),
                             {at}));
  if (const auto* seen = std::get_if<Instant>(&rows.rows.at(0)[0])) return std::optional{*seen};
  return std::optional<Instant>{};
}

}  // namespace vouch::facts
