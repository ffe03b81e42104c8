#include "controls/periodic.h"

#include "controls/member_sql.h"
#include "controls/unread.h"

#include <set>

namespace vouch::controls {
namespace {

using Key = std::map<std::string, std::string>;

struct Act {
  Instant at;
  std::string evidence;
};

// The last act of each member in one window.
using Acts = std::map<Key, Act>;

Key key_of(const Control& control, const std::vector<table::Value>& row) {
  const auto names = sorted_key(control);
  Key key;
  for (std::size_t i = 0; i < names.size(); ++i) key.emplace_hint(key.end(), names[i], table::to_text(row[i]));
  return key;
}

Result<std::vector<MemberVerdict>> who_owes(const Control& control, facts::Facts& facts, Instant at) {
  const auto key = sorted_key(control);
  const auto groups = each_key(key.size(), "k#", ", ");
  const auto rows =
      TRY_WITHIN(facts.store().query(fmt::format(
                     "{} select {}, {} as name from {} group by {} order by {}", TRY(facts.as_of(control.population_tables, at)),
                     key_list(key, control.population_columns), name_of_group(control),
                     derived(control.population_sql.at(clock_of(control, at)), control.population_columns.size()), groups, groups)),
                 "{}: control `{}`", control.where, control.id);
  std::vector<MemberVerdict> members;
  for (const auto& row : rows.rows) {
    MemberVerdict member{};
    member.key = key_of(control, row);
    member.name = table::to_text(row.back());
    if (member.name.empty()) member.name = member.key.at(control.key.back());
    members.push_back(std::move(member));
  }
  std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  return members;
}

// What the facts at `seen` tell of acts in the window, up to `until`; later ones take the place of those in `acts`.
Result<> add_acts(const Control& control, facts::Facts& facts, Instant seen, const Window& window, Instant until, Acts& acts) {
  const auto key = sorted_key(control);
  const auto at = place_of(control.done_columns, "at"), evidence = place_of(control.done_columns, "evidence");
  const auto rows = TRY_WITHIN(
      facts.store().query(
          fmt::format("{} select {}, c{} as done, cast(c{} as varchar) as evidence from {} where c{} >= $1 and c{} < $2 and c{} <= $3 "
                      "qualify row_number() over (partition by {} order by done desc, evidence desc) = 1",
                      TRY(facts.as_of(control.verdict_tables, seen)), key_list(key, control.done_columns), at, evidence,
                      derived(control.done_sql.at(clock_of(control, seen)), control.done_columns.size()), at, at, at,
                      each_key(key.size(), "k#", ", ")),
          {window.from, window.to, until}),
      "{}: control `{}`", control.where, control.id);
  for (const auto& row : rows.rows) {
    const Act act{std::get<Instant>(row[key.size()]), table::to_text(row[key.size() + 1])};
    auto& last = acts.try_emplace(key_of(control, row), act).first->second;
    if (last.at < act.at) last = act;
  }
  return {};
}

// Holes of some tables at some instant, found by member.
class Unread {
 public:
  static Result<Unread> at(const Control& control, facts::Facts& facts, const std::vector<std::string>& tables, Instant at) {
    return Unread{control, TRY(facts.holes(tables, at))};
  }
  [[nodiscard]] bool concerns(const Key& key) const { return !index_.concerning(key).empty(); }
  void leave(MemberVerdict& member) const { leave_unknown(member, holes_, index_.concerning(member.key)); }

 private:
  Unread(const Control& control, std::vector<facts::Hole> holes) : holes_(std::move(holes)), index_(control, holes_) {}
  std::vector<facts::Hole> holes_;
  HoleIndex index_;
};

// All that the verdicts at one instant are decided from.
struct Known {
  Window now, before;
  Instant due_now, due_before;  // the ends of their graces
  Acts in_now, in_before;
  std::set<Key> owed_before;                 // who was in the population when `before` ended
  Unread members_then, acts_now, acts_then;  // what was not read: of the population when `before` ended, of acts at T and at due_before
};

Instant end_of(const Window& window) { return window.to - Duration{1}; }

Result<Known> gather(const Control& control, facts::Facts& facts, Instant at) {
  const auto now = window_at(control.zone, control.every, at);
  const auto before = window_before(control.zone, control.every, now);
  const auto due_before = before.to + control.grace;
  const auto then = std::min(due_before, at);
  auto members_then = TRY(Unread::at(control, facts, control.population_tables, end_of(before)));
  auto acts_then = TRY(Unread::at(control, facts, control.verdict_tables, then));
  auto acts_now = TRY(Unread::at(control, facts, control.verdict_tables, at));
  Known known{now, before, now.to + control.grace,  due_before,          {},
              {},  {},     std::move(members_then), std::move(acts_now), std::move(acts_then)};
  TRY(add_acts(control, facts, at, now, at, known.in_now));
  TRY(add_acts(control, facts, at, before, at, known.in_before));
  if (then != at) TRY(add_acts(control, facts, then, before, at, known.in_before));
  for (auto& member : TRY(who_owes(control, facts, end_of(before)))) known.owed_before.insert(std::move(member.key));
  return known;
}

void pass(MemberVerdict& member, const Window& window, Instant due, const Act& act) {
  member.answer = Answer::pass;
  member.since = act.at;
  member.due = MemberVerdict::Due{window, due, act.at, act.evidence};
}

void leave_pending(MemberVerdict& member, const Window& window, Instant due) {
  member.answer = Answer::unknown;
  member.since = window.from;
  member.reason = "pending until " + to_string(due);
  member.due = MemberVerdict::Due{window, due, std::nullopt, {}};
}

void decide(MemberVerdict& member, const Known& known, Instant at) {
  const bool read_now = !known.acts_now.concerns(member.key);
  const bool read_then = read_now || !known.acts_then.concerns(member.key);
  if (const auto act = known.in_now.find(member.key); act != known.in_now.end() && read_now)
    return pass(member, known.now, known.due_now, act->second);
  if (const auto act = known.in_before.find(member.key); act != known.in_before.end() && read_then)
    return pass(member, known.before, known.due_before, act->second);
  if (!read_then) {
    known.acts_now.leave(member);
    member.due = MemberVerdict::Due{known.before, known.due_before, std::nullopt, {}};
    return;
  }
  const bool asked_then = !known.members_then.concerns(member.key);
  if (asked_then && known.owed_before.contains(member.key)) {
    if (at < known.due_before) return leave_pending(member, known.before, known.due_before);
    member.answer = Answer::fail;
    member.since = known.due_before;
    member.reason = fmt::format("nothing between {} and {}", to_string(known.before.from), to_string(known.before.to));
    member.due = MemberVerdict::Due{known.before, known.due_before, std::nullopt, {}};
    return;
  }
  if (!asked_then) known.members_then.leave(member);
  const auto why = asked_then ? "" : "; whether the window before was owed is unknown: " + member.reason;
  leave_pending(member, known.now, known.due_now);
  member.reason += why;
}

}  // namespace

Result<ControlVerdict> evaluate_windows(const Control& control, facts::Facts& facts, Instant at) {
  ControlVerdict verdict{};
  verdict.control = control.id;
  verdict.as_of = at;
  verdict.members = TRY(who_owes(control, facts, at));
  if (verdict.members.empty()) verdict.empty_because = why_empty(control, facts, TRY(facts.as_of(control.population_tables, at)));
  const auto known = TRY(gather(control, facts, at));
  const auto holes = TRY(facts.holes(control.population_tables, at));
  const HoleIndex index{control, holes};
  std::vector<bool> met(holes.size());
  for (auto& member : verdict.members) {
    if (control.is_recalled) member.basis = "recalled";
    const auto concerned = index.concerning(member.key);
    for (const auto i : concerned) met[i] = true;
    if (concerned.empty())
      decide(member, known, at);
    else
      leave_unknown(member, holes, concerned);
  }
  add_unread(control, verdict, holes, met);
  count(verdict);
  return verdict;
}

Result<Instant> next_due(const Control& control, facts::Facts& facts, Instant at) {
  const auto now = window_at(control.zone, control.every, at);
  auto next = Instant::infinity();
  for (const auto& member : TRY(evaluate_windows(control, facts, at)).members) {
    auto changes = now.to;
    // What was done in this window holds through the next one; what is pending is until it is due.
    if (member.due && member.due->done && member.due->window == now) changes = window_at(control.zone, control.every, now.to).to;
    if (member.due && !member.due->done && at < member.due->until) changes = member.due->until;
    next = std::min(next, changes);
  }
  return next;
}

}  // namespace vouch::controls
