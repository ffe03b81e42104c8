#include "controls/evaluate.h"

#include <set>
#include <unordered_set>

namespace vouch::controls {
namespace {

using Key = std::map<std::string, std::string>;

constexpr std::size_t most_reasons = 3;
constexpr std::size_t most_outsiders = 3;

// "c0, c1, …" for a derived table's column list, so that no name of the author's is pasted or needs quoting.
std::string numbered(std::size_t count) {
  std::string names;
  for (std::size_t i = 0; i < count; ++i) names += fmt::format("{}c{}", i ? ", " : "", i);
  return names;
}

std::size_t place_of(const std::vector<std::string>& columns, std::string_view name) {
  return static_cast<std::size_t>(std::find(columns.begin(), columns.end(), name) - columns.begin());
}

// The key's columns as they come out: k0 is key[order[0]], so that rows sorted by k0, k1, … are sorted as a std::map is.
std::vector<std::string> sorted_key(const Control& control) {
  auto key = control.key;
  std::sort(key.begin(), key.end());
  return key;
}

// "c2 as k0, c0 as k1"
std::string key_list(const std::vector<std::string>& key, const std::vector<std::string>& columns) {
  std::string list;
  for (std::size_t i = 0; i < key.size(); ++i) list += fmt::format("{}c{} as k{}", i ? ", " : "", place_of(columns, key[i]), i);
  return list;
}

std::string each_key(std::size_t count, std::string_view form, std::string_view between) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    if (i) text += between;
    for (const char c : form) c == '#' ? text += std::to_string(i) : text += c;
  }
  return text;
}

// Population and failures in one query: for each key whether it is a member, its name, whether it fails and why.
std::string snapshot_sql(const Control& control, std::string_view shadows, Instant clock) {
  const auto key = sorted_key(control);
  const auto name = place_of(control.population_columns, "name");
  const auto name_sql = name < control.population_columns.size() ? fmt::format("min(cast(c{} as varchar))", name) : "null::varchar";
  const auto reason = fmt::format("cast(c{} as varchar)", place_of(control.fails_columns, "reason"));
  const auto groups = each_key(key.size(), "k#", ", ");
  return fmt::format(
      "{shadows} select {keys}, p.name, p.here, f.here, f.reasons from "
      "(select {population_keys}, {name} as name, true as here from (\n{population}\n) as q({population_columns}) group by {groups}) p "
      "full join "
      "(select {fails_keys}, true as here, array_to_string(list_sort(list_distinct(list({reason})))[1:{most}], '; ') as reasons "
      "from (\n{fails}\n) as q({fails_columns}) group by {groups}) f on {equal} order by {groups}",
      fmt::arg("shadows", shadows), fmt::arg("keys", each_key(key.size(), "coalesce(p.k#, f.k#) as k#", ", ")),
      fmt::arg("population_keys", key_list(key, control.population_columns)), fmt::arg("name", name_sql),
      fmt::arg("population", control.population_sql.at(clock)), fmt::arg("population_columns", numbered(control.population_columns.size())),
      fmt::arg("groups", groups), fmt::arg("fails_keys", key_list(key, control.fails_columns)), fmt::arg("reason", reason),
      fmt::arg("most", most_reasons), fmt::arg("fails", control.fails_sql.at(clock)),
      fmt::arg("fails_columns", numbered(control.fails_columns.size())),
      fmt::arg("equal", each_key(key.size(), "p.k# is not distinct from f.k#", " and ")));
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

// Holes that speak of the same columns of a member, by the values they name.
struct HoleGroup {
  std::vector<std::string> columns;
  std::map<std::vector<std::string>, std::vector<std::size_t>> by_values;
};

std::vector<HoleGroup> grouped(const Control& control, std::span<const facts::Hole> holes) {
  std::map<std::vector<std::string>, HoleGroup> groups;
  for (std::size_t i = 0; i < holes.size(); ++i) {
    std::vector<std::string> columns, values;
    for (const auto& [column, value] : holes[i].key) {
      if (std::find(control.key.begin(), control.key.end(), column) == control.key.end()) continue;
      columns.push_back(column);
      values.push_back(value);
    }
    auto& group = groups[columns];
    group.columns = columns;
    group.by_values[values].push_back(i);
  }
  std::vector<HoleGroup> list;
  for (auto& [columns, group] : groups) list.push_back(std::move(group));
  return list;
}

// Why a member is unknown, from the holes that concern it.
void leave_unknown(MemberVerdict& member, std::span<const facts::Hole> holes, const std::vector<std::size_t>& concerned) {
  std::set<std::string> reasons;
  for (const auto i : concerned) {
    reasons.insert(holes[i].reason);
    if (holes[i].leaf && (!member.leaf || *member.leaf < *holes[i].leaf)) member.leaf = holes[i].leaf;
  }
  member.answer = Answer::unknown;
  member.reason.clear();
  std::size_t told = 0;
  for (const auto& reason : reasons) {
    if (told == most_reasons) {
      member.reason += fmt::format("; and {} more", reasons.size() - told);
      break;
    }
    member.reason += (told++ ? "; " : "") + reason;
  }
}

// What stands for members that nobody could list: the hole's key, or no more of it than a member's where it names just one.
Key unread_key(const Control& control, const facts::Hole& hole) {
  Key key;
  for (const auto& column : control.key) {
    const auto value = hole.key.find(column);
    if (value == hole.key.end()) return hole.key;
    key.insert(*value);
  }
  return key;
}

// "aws_iam_user of account=2"
std::string unread_name(const Control& control, const facts::Hole& hole) {
  if (const auto one = hole.key.find(control.key.back()); one != hole.key.end()) return one->second;
  return hole.key.empty() ? fmt::format("all of {}", hole.table) : fmt::format("{} of {}", hole.table, to_text(hole.key));
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

  const auto groups = grouped(control, holes);
  std::vector<bool> met(holes.size());
  std::vector<std::size_t> concerned;
  for (auto& member : verdict.members) {
    concerned.clear();
    for (const auto& group : groups) {
      std::vector<std::string> values;
      for (const auto& column : group.columns) values.push_back(member.key.at(column));
      const auto found = group.by_values.find(values);
      if (found == group.by_values.end()) continue;
      concerned.insert(concerned.end(), found->second.begin(), found->second.end());
    }
    for (const auto i : concerned) met[i] = true;
    if (!concerned.empty()) leave_unknown(member, holes, concerned);
  }

  // A part of the population that nobody could list stands there as a member of its own.
  std::map<Key, std::vector<std::size_t>> unread;
  for (std::size_t i = 0; i < holes.size(); ++i)
    if (!met[i] &&
        std::find(control.population_tables.begin(), control.population_tables.end(), holes[i].table) != control.population_tables.end())
      unread[unread_key(control, holes[i])].push_back(i);
  for (const auto& [key, at_holes] : unread) {
    MemberVerdict member{};
    member.key = key;
    member.name = unread_name(control, holes[at_holes.front()]);
    leave_unknown(member, holes, at_holes);
    const auto place = std::lower_bound(verdict.members.begin(), verdict.members.end(), key,
                                        [](const MemberVerdict& a, const Key& b) { return a.key < b; });
    verdict.members.insert(place, std::move(member));
  }
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
  const auto holes = TRY(facts.holes(control.tables, at));
  return judge(control, TRY(snapshot(control, facts, at)), holes, at);
}

std::vector<ControlVerdict> evaluate_all(const ControlCatalog& catalog, facts::Facts& facts, Instant at) {
  std::vector<ControlVerdict> verdicts;
  for (const auto& control : catalog.controls) {
    auto verdict = evaluate(control, facts, at);
    verdicts.push_back(verdict ? std::move(*verdict) : undecided(control, at, std::move(verdict).error().message));
  }
  return verdicts;
}

}  // namespace vouch::controls
