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

std::string list_of_texts(std::span<const std::string> texts) {
  std::string list;
  for (const auto& one : texts) list += (list.empty() ? "" : ", ") + quote_text(one);
  return list;
}

// Whose holes are the table's. The ledger's entries are all there are.
std::vector<std::string> subjects_of(const FactTable& table) {
  if (table.is_of_ledger()) return {table.name};
  return {table.source, table.operation, table.name};
}

Result<std::vector<LastRun>> last_runs(table::Store& store) {
  const auto rows =
      TRY(store.query("select source, account, max_by(ended, leaf), max_by(schedule, leaf) from vouch.run where account <> '' "
                      "group by source, account order by source, account"));
  std::vector<LastRun> runs;
  for (const auto& row : rows.rows) runs.push_back({text(row[0]), text(row[1]), instant(row[2]), {std::get<std::int64_t>(row[3])}});
  return runs;
}

Result<> read_asked(table::Store& store, CoverageAt& coverage) {
  const auto failures = TRY(store.query("select source, max_by(reason, leaf) from vouch.run where account = '' group by source"));
  for (const auto& row : failures.rows) coverage.failures[text(row[0])] = text(row[1]);
  const auto asked = TRY(store.query("select distinct account, operation from vouch.listing"));
  for (const auto& row : asked.rows) coverage.operations.emplace(text(row[0]), text(row[1]));
  return {};
}

Result<CoverageAt> read_coverage(table::Store& store, Instant at) {
  CoverageAt coverage{at, {}, TRY(last_runs(store)), {}, {}};
  const auto holes = TRY(store.query(R"(select subject, key, "from", "to", reason, leaf from vouch.hole where "from" <= ? and ? < "to")"
                                     R"( order by subject, key, "from")",
                                     {at, at}));
  for (const auto& row : holes.rows)
    coverage.holes.push_back(
        {text(row[0]), {"", key_of(TRY(parse_json(text(row[1])))), instant(row[2]), instant(row[3]), text(row[4]), leaf_of(row[5])}});
  TRY(read_asked(store, coverage));
  return coverage;
}

Result<ChangesAfter> read_changes_after(table::Store& store, const FactCatalog& catalog, Instant at) {
  ChangesAfter ahead{at, {}, {}};
  const auto now = literal(at), never = literal(Instant::infinity());
  std::string all;
  for (const auto& table : catalog.tables)
    all += fmt::format(
        "{2}select {1} as t, least(min(valid_from) filter (valid_from > {3}), min(valid_to) filter (valid_to > {3})) as x "
        "from facts.main.{0}",
        quote(table.name), quote_text(table.name), all.empty() ? "" : " union all ", now);
  if (!all.empty())
    for (const auto& row : TRY(store.query(fmt::format("select t, x from ({}) where x < {}", all, never))).rows)
      ahead.tables.emplace(text(row[0]), instant(row[1]));
  const auto holes = TRY(store.query(fmt::format(
      R"(select subject, min(x) from (select subject, "from" as x from vouch.hole union all select subject, "to" from vouch.hole))"
      R"( where x > {} and x < {} group by subject)",
      now, never)));
  for (const auto& row : holes.rows) ahead.subjects.emplace(text(row[0]), instant(row[1]));
  return ahead;
}

// What nobody tells of one table: seen from `at`, but not only at it.
void add_untold(const CoverageAt& coverage, const FactTable& table, std::vector<Hole>& holes) {
  const auto add = [&](Hole hole) {
    hole.table = table.name;
    holes.push_back(std::move(hole));
  };
  bool ever = false;
  for (const auto& run : coverage.runs) {
    if (run.source != table.source) continue;
    ever = true;
    const auto end = run.ended + tolerance_of(run.schedule);
    add({"",
         {{"account", run.account}},
         end,
         Instant::infinity(),
         fmt::format("no collection for {}", to_string(std::max(coverage.at, end) - run.ended)),
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

bool is_hidden_by(const std::map<std::string, std::string>& key, const Hole& hole) {
  return std::all_of(hole.key.begin(), hole.key.end(), [&](const auto& part) {
    const auto value = key.find(part.first);
    return value != key.end() && value->second == part.second;
  });
}

// Whether a listing that came after the hole's end shows what it hid: one that no other hole of the same key follows on for ever.
bool is_closed_later(const Hole& hole, std::span<const Hole> all) {
  auto reached = hole.to;
  for (bool moved = true; moved && !reached.is_infinite();) {
    moved = false;
    for (const auto& other : all)
      if (other.from <= reached && reached < other.to && is_hidden_by(hole.key, other)) {
        reached = other.to;
        moved = true;
      }
  }
  return !reached.is_infinite();
}

// For one table, in the order: told by a collection, then worked out.
void add_holes(const CoverageAt& coverage, const FactTable& table, bool all_covered, std::vector<Hole>& holes) {
  const auto add = [&](Hole hole) {
    hole.table = table.name;
    holes.push_back(std::move(hole));
  };
  const auto subjects = subjects_of(table);
  for (const auto& [subject, hole] : coverage.holes)
    if (std::find(subjects.begin(), subjects.end(), subject) != subjects.end()) add(hole);
  if (all_covered || table.is_of_ledger()) return;
  std::vector<Hole> untold;
  add_untold(coverage, table, untold);
  for (auto& hole : untold)
    if (hole.from <= coverage.at) holes.push_back(std::move(hole));
}

void leave_out(std::vector<Hole>& holes, const std::vector<std::string>& accounts) {
  if (accounts.empty()) return;
  std::erase_if(holes, [&](const Hole& hole) {
    const auto account = hole.key.find("account");
    return account != hole.key.end() && std::binary_search(accounts.begin(), accounts.end(), account->second);
  });
}

}  // namespace

Result<std::vector<Hole>> Facts::holes(std::span<const std::string> tables, Instant at) {
  if (!data_->coverage || data_->coverage->at != at) data_->coverage = TRY(read_coverage(data_->store, at));
  std::vector<Hole> holes;
  for (const auto& name : tables) {
    const auto* table = data_->catalog.find(name);
    if (!table) return fail(Errc::usage, "there is no fact table `{}`", name);
    std::vector<Hole> here;
    add_holes(*data_->coverage, *table, data_->all_covered, here);
    if (!table->event.empty() && !here.empty()) here = TRY(this->holes(std::span{&name, 1}, at, at));
    if (!table->is_of_ledger() && !here.empty()) leave_out(here, *TRY(data_->left_out_of(table->source, at)));
    holes.insert(holes.end(), std::make_move_iterator(here.begin()), std::make_move_iterator(here.end()));
  }
  return holes;
}

Result<std::vector<Hole>> Facts::holes(std::span<const std::string> tables, Instant from, Instant to) {
  CoverageAt coverage{to, {}, TRY(last_runs(data_->store)), {}, {}};
  TRY(read_asked(data_->store, coverage));
  std::vector<Hole> holes;
  for (const auto& name : tables) {
    const auto* table = data_->catalog.find(name);
    if (!table) return fail(Errc::usage, "there is no fact table `{}`", name);
    // What comes later can close a hole of a table that remembers.
    const auto until = table->event.empty() ? to : Instant::infinity();
    auto told = TRY(data_->store.query(
        fmt::format(R"(select key, "from", "to", reason, leaf from vouch.hole where subject in ({}) and ? < "to" and "from" <= ?)"
                    R"( order by subject, key, "from")",
                    list_of_texts(subjects_of(*table))),
        {from, until}));
    std::vector<Hole> all;
    for (const auto& row : told.rows)
      all.push_back({name, key_of(TRY(parse_json(text(row[0])))), instant(row[1]), instant(row[2]), text(row[3]), leaf_of(row[4])});
    if (!data_->all_covered && !table->is_of_ledger()) add_untold(coverage, *table, all);
    for (const auto& hole : all)
      if (hole.from <= to && from < hole.to && (table->event.empty() || !is_closed_later(hole, all))) holes.push_back(hole);
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

Result<std::optional<Instant>> Facts::next_change(std::span<const std::string> tables, Instant at) {
  if (!data_->coverage || data_->coverage->at != at) data_->coverage = TRY(read_coverage(data_->store, at));
  if (!data_->ahead || data_->ahead->at != at) data_->ahead = TRY(read_changes_after(data_->store, data_->catalog, at));
  const auto& ahead = *data_->ahead;
  std::optional<Instant> next;
  const auto consider = [&](Instant change) { next = next ? std::min(*next, change) : change; };
  for (const auto& name : tables) {
    const auto* table = data_->catalog.find(name);
    if (!table) return fail(Errc::usage, "there is no fact table `{}`", name);
    if (const auto found = ahead.tables.find(name); found != ahead.tables.end()) consider(found->second);
    for (const auto& subject : subjects_of(*table))
      if (const auto found = ahead.subjects.find(subject); found != ahead.subjects.end()) consider(found->second);
    for (const auto& run : data_->coverage->runs)
      if (const auto end = run.ended + tolerance_of(run.schedule); run.source == table->source && at < end) consider(end);
  }
  return next;
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
