#include "controls/evaluate.h"

#include "controls/event.h"
#include "controls/member_sql.h"
#include "controls/periodic.h"
#include "controls/unread.h"

namespace vouch::controls {
namespace {

using Key = std::map<std::string, std::string>;

constexpr std::size_t most_outsiders = 3;

constexpr std::uint64_t most_at_once = 50'000;

// A part of a population: the members whose key hashes to `number`.
struct Part {
  std::uint64_t number = 0, of = 1;
};

// Population and failures in one query: for each key its name, whether it is a member, whether it fails and why. One aggregate over both
// takes a third of the memory of a join of two.
std::string snapshot_sql(const Control& control, std::string_view shadows, Instant clock, const Part& part) {
  const auto key = sorted_key(control);
  const auto groups = each_key(key.size(), "k#", ", ");
  return fmt::format(
      "{shadows} select {groups}, min(name), bool_or(here), bool_or(not here), {reasons} from "
      "(select {population_keys}, {name} as name, true as here, null::varchar as reason from {population} "
      "union all select {fails_keys}, null, false, {reason} from {fails}){part} group by {groups}",
      fmt::arg("shadows", shadows), fmt::arg("groups", groups),
      fmt::arg("part", part.of == 1 ? std::string{} : fmt::format(" where hash({}) % {} = {}", groups, part.of, part.number)),
      fmt::arg("reasons", reasons_among("list(reason) filter (not here)")),
      fmt::arg("population_keys", key_list(key, control.population_columns)), fmt::arg("name", name_of_row(control)),
      fmt::arg("population", derived(control.population_sql.at(clock), control.population_columns.size())),
      fmt::arg("fails_keys", key_list(key, control.fails_columns)), fmt::arg("reason", reason_of_row(control)),
      fmt::arg("fails", derived(control.fails_sql.at(clock), control.fails_columns.size())));
}

}  // namespace

std::string_view name_of(Answer answer) {
  switch (answer) {
    case Answer::pass: return "pass";
    case Answer::fail: return "fail";
    case Answer::unknown: return "unknown";
    case Answer::waived: return "waived";
    case Answer::empty: break;
  }
  return "empty";
}

std::string to_text(const Key& key) {
  std::string text;
  for (const auto& [column, value] : key) text += fmt::format("{}{}={}", text.empty() ? "" : " ", column, value);
  return text;
}

Instant clock_of(const Control& control, Instant at) {
  if (!control.tick) return at;
  const auto tick = control.tick->micros;
  const auto behind = ((at.micros % tick) + tick) % tick;
  return {at.micros - behind};
}

std::string why_empty(const Control& control, facts::Facts& facts, std::string_view shadows) {
  std::string because;
  for (const auto& table : control.population_tables) {
    const auto rows = facts.store().query(fmt::format("{} select count(*) from {}", shadows, table));
    const auto found = rows && !rows->rows.empty() ? table::to_text(rows->rows[0].at(0)) : std::string{"?"};
    because += fmt::format("{}{} has {}", because.empty() ? "" : ", ", table,
                           found == "0"   ? "no row"
                           : found == "1" ? "1 row"
                                          : found + " rows");
  }
  return because + "; none belongs to the population";
}

namespace {

bool is_true(const table::Value& value) {
  const auto* truth = std::get_if<bool>(&value);
  return truth && *truth;
}

// What the SQL says, member by member in any order. Its rows outside of the population are put down in `outsiders`.
Result<> each_snapshot(const Control& control, facts::Facts& facts, Instant at, std::vector<std::string>& outsiders,
                       const std::function<Result<>(MemberVerdict&&)>& act) {
  const auto shadows = TRY(facts.as_of(control.tables, at));
  const auto key = sorted_key(control);
  const auto name = key.size(), member = name + 1, fails = name + 2, reasons = name + 3;
  const auto read = [&](const std::vector<table::Value>& row) -> Result<> {
    MemberVerdict verdict{};
    for (std::size_t i = 0; i < key.size(); ++i) verdict.key.emplace_hint(verdict.key.end(), key[i], table::to_text(row[i]));
    if (!is_true(row[member])) {
      if (outsiders.size() < most_outsiders) outsiders.push_back(to_text(verdict.key));
      return {};
    }
    verdict.name = table::to_text(row[name]);
    if (verdict.name.empty()) verdict.name = verdict.key.at(control.key.back());
    verdict.answer = Answer::pass;
    if (is_true(row[fails])) {
      verdict.answer = Answer::fail;
      verdict.reason = table::to_text(row[reasons]);
      if (verdict.reason.empty()) verdict.reason = "no reason given";
    }
    return act(std::move(verdict));
  };
  // A large population is asked for in parts: DuckDB holds an answer as a whole.
  const auto parts = TRY(facts.size_of_largest(control.tables)) / most_at_once + 1;
  for (Part part{0, parts}; part.number < part.of; ++part.number)
    TRY_WITHIN(facts.store().each(snapshot_sql(control, shadows, clock_of(control, at), part), {}, read), "{}: control `{}`", control.where,
               control.id);
  return {};
}

}  // namespace

Result<Snapshot> snapshot(const Control& control, facts::Facts& facts, Instant at) {
  Snapshot found;
  TRY(each_snapshot(control, facts, at, found.outsiders, [&](MemberVerdict&& member) -> Result<> {
    found.members.push_back(std::move(member));
    return {};
  }));
  std::ranges::sort(found.members, {}, &MemberVerdict::key);
  if (found.members.empty()) found.empty_because = why_empty(control, facts, TRY(facts.as_of(control.population_tables, at)));
  return found;
}

ControlVerdict judge(const Control& control, Snapshot snapshot, std::span<const facts::Hole> holes, Instant at) {
  ControlVerdict verdict{};
  verdict.control = control.id;
  verdict.as_of = at;
  verdict.members = std::move(snapshot.members);
  verdict.outsiders = std::move(snapshot.outsiders);
  verdict.empty_because = std::move(snapshot.empty_because);

  HoleIndex index{control, holes};
  for (auto& member : verdict.members) index.leave_unread(member);
  add_unread(control, verdict, holes, index.met());
  count(verdict);
  return verdict;
}

void count(ControlVerdict& verdict, const MemberVerdict& member) {
  ++verdict.population;
  switch (member.answer) {
    case Answer::pass: ++verdict.pass; break;
    case Answer::fail: ++verdict.fail; break;
    case Answer::waived: ++verdict.waived; break;
    case Answer::unknown:
    case Answer::empty: ++verdict.unknown; break;
  }
}

void decide(ControlVerdict& verdict) {
  verdict.answer = verdict.fail      ? Answer::fail
                   : verdict.unknown ? Answer::unknown
                   : verdict.waived  ? Answer::waived
                   : verdict.pass    ? Answer::pass
                                     : Answer::empty;
  if (verdict.answer != Answer::empty) verdict.empty_because.clear();
}

void count(ControlVerdict& verdict) {
  verdict.population = verdict.pass = verdict.fail = verdict.unknown = verdict.waived = 0;
  for (const auto& member : verdict.members) count(verdict, member);
  decide(verdict);
}

ControlVerdict undecided(const Control& control, Instant at, std::string reason) {
  ControlVerdict verdict{};
  verdict.control = control.id;
  verdict.as_of = at;
  MemberVerdict member{};
  member.name = "the whole control";
  member.answer = Answer::unknown;
  member.reason = std::move(reason);
  verdict.members.push_back(std::move(member));
  count(verdict);
  return verdict;
}

Result<ControlVerdict> evaluate(const Control& control, facts::Facts& facts, Instant at) {
  if (control.kind == Kind::event) return evaluate_events(control, facts, at);
  if (control.kind == Kind::periodic) return evaluate_windows(control, facts, at);
  const auto holes = TRY(facts.holes(control.tables, at));
  return judge(control, TRY(snapshot(control, facts, at)), holes, at);
}

Result<ControlVerdict> evaluate_each(const Control& control, facts::Facts& facts, Instant at, const OnMember& act) {
  if (control.kind != Kind::state) {
    auto verdict = TRY(evaluate(control, facts, at));
    for (const auto& member : std::exchange(verdict.members, {})) TRY(act(member));
    return verdict;
  }
  ControlVerdict verdict{};
  verdict.control = control.id;
  verdict.as_of = at;
  const auto holes = TRY(facts.holes(control.tables, at));
  HoleIndex index{control, holes};
  TRY(each_snapshot(control, facts, at, verdict.outsiders, [&](MemberVerdict&& member) -> Result<> {
    index.leave_unread(member);
    count(verdict, member);
    return act(member);
  }));
  if (verdict.population == 0) verdict.empty_because = why_empty(control, facts, TRY(facts.as_of(control.population_tables, at)));
  add_unread(control, verdict, holes, index.met());
  for (const auto& member : std::exchange(verdict.members, {})) {
    count(verdict, member);
    TRY(act(member));
  }
  decide(verdict);
  return verdict;
}

std::vector<ControlVerdict> evaluate_all(const ControlCatalog& catalog, facts::Facts& facts, Instant at) {
  std::vector<ControlVerdict> verdicts;
  for (const auto& control : catalog.controls) {
    if (!control.on) continue;
    auto verdict = evaluate(control, facts, at);
    verdicts.push_back(verdict ? std::move(*verdict) : undecided(control, at, std::move(verdict).error().message));
  }
  return verdicts;
}

}  // namespace vouch::controls
