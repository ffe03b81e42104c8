#include "controls/evaluate.h"

#include "controls/event.h"
#include "controls/member_sql.h"
#include "controls/periodic.h"
#include "controls/unread.h"

namespace vouch::controls {
namespace {

using Key = std::map<std::string, std::string>;

constexpr std::size_t most_outsiders = 3;

// Population and failures in one query: for each key whether it is a member, its name, whether it fails and why.
std::string snapshot_sql(const Control& control, std::string_view shadows, Instant clock) {
  const auto key = sorted_key(control);
  const auto groups = each_key(key.size(), "k#", ", ");
  return fmt::format(
      "{shadows} select {keys}, p.name, p.here, f.here, f.reasons from "
      "(select {population_keys}, {name} as name, true as here from {population} group by {groups}) p "
      "full join (select {fails_keys}, true as here, {reasons} as reasons from {fails} group by {groups}) f on {equal} order by {groups}",
      fmt::arg("shadows", shadows), fmt::arg("keys", each_key(key.size(), "coalesce(p.k#, f.k#) as k#", ", ")),
      fmt::arg("population_keys", key_list(key, control.population_columns)), fmt::arg("name", name_of_group(control)),
      fmt::arg("population", derived(control.population_sql.at(clock), control.population_columns.size())), fmt::arg("groups", groups),
      fmt::arg("fails_keys", key_list(key, control.fails_columns)), fmt::arg("reasons", reasons_of(control)),
      fmt::arg("fails", derived(control.fails_sql.at(clock), control.fails_columns.size())),
      fmt::arg("equal", each_key(key.size(), "p.k# is not distinct from f.k#", " and ")));
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

Result<Snapshot> snapshot(const Control& control, facts::Facts& facts, Instant at) {
  const auto shadows = TRY(facts.as_of(control.tables, at));
  const auto rows =
      TRY_WITHIN(facts.store().query(snapshot_sql(control, shadows, clock_of(control, at))), "{}: control `{}`", control.where, control.id);
  const auto key = sorted_key(control);
  const auto name = key.size(), member = name + 1, fails = name + 2, reasons = name + 3;

  Snapshot found;
  found.members.reserve(rows.rows.size());
  for (const auto& row : rows.rows) {
    MemberVerdict verdict{};
    for (std::size_t i = 0; i < key.size(); ++i) verdict.key.emplace_hint(verdict.key.end(), key[i], table::to_text(row[i]));
    if (std::holds_alternative<std::monostate>(row[member])) {
      if (found.outsiders.size() < most_outsiders) found.outsiders.push_back(to_text(verdict.key));
      continue;
    }
    verdict.name = table::to_text(row[name]);
    if (verdict.name.empty()) verdict.name = verdict.key.at(control.key.back());
    verdict.answer = Answer::pass;
    if (!std::holds_alternative<std::monostate>(row[fails])) {
      verdict.answer = Answer::fail;
      verdict.reason = table::to_text(row[reasons]);
      if (verdict.reason.empty()) verdict.reason = "no reason given";
    }
    found.members.push_back(std::move(verdict));
  }
  const auto by_key = [](const MemberVerdict& a, const MemberVerdict& b) { return a.key < b.key; };
  if (!std::is_sorted(found.members.begin(), found.members.end(), by_key)) std::sort(found.members.begin(), found.members.end(), by_key);
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

  const HoleIndex index{control, holes};
  std::vector<bool> met(holes.size());
  for (auto& member : verdict.members) {
    const auto concerned = index.concerning(member.key);
    for (const auto i : concerned) met[i] = true;
    if (!concerned.empty()) leave_unknown(member, holes, concerned);
  }
  add_unread(control, verdict, holes, met);
  count(verdict);
  return verdict;
}

void count(ControlVerdict& verdict) {
  verdict.population = static_cast<std::int64_t>(verdict.members.size());
  verdict.pass = verdict.fail = verdict.unknown = verdict.waived = 0;
  for (const auto& member : verdict.members) switch (member.answer) {
      case Answer::pass: ++verdict.pass; break;
      case Answer::fail: ++verdict.fail; break;
      case Answer::waived: ++verdict.waived; break;
      case Answer::unknown:
      case Answer::empty: ++verdict.unknown; break;
    }
  verdict.answer = verdict.fail      ? Answer::fail
                   : verdict.unknown ? Answer::unknown
                   : verdict.waived  ? Answer::waived
                   : verdict.pass    ? Answer::pass
                                     : Answer::empty;
  if (verdict.answer != Answer::empty) verdict.empty_because.clear();
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
