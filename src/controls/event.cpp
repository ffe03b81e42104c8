#include "controls/event.h"

#include "controls/member_sql.h"
#include "controls/unread.h"

#include <set>

namespace vouch::controls {
namespace {

std::string identifier(std::string_view name) { return fmt::format("\"{}\"", name); }
std::string instant_sql(Instant at) { return fmt::format("make_timestamptz({})", at.micros); }

std::optional<Instant> instant_of(const table::Value& value) {
  const auto* at = std::get_if<Instant>(&value);
  return at ? std::optional{*at} : std::nullopt;
}

// k0, k1, …, name, happened, judged: one row for each event that the population's tables tell of at `at`.
Result<std::string> events_sql(const Control& control, facts::Facts& facts, Instant at) {
  const auto key = sorted_key(control);
  const auto& columns = control.population_columns;
  const auto happened = place_of(columns, "at"), judged = place_of(columns, "judge_at");
  return fmt::format("{} select {}, {} as name, min(c{}) as happened, min(c{}) as judged from {} group by {}",
                     TRY(facts.as_of(control.population_tables, at)), key_list(key, columns), name_of_group(control), happened,
                     judged < columns.size() ? judged : happened, derived(control.population_sql.at(clock_of(control, at)), columns.size()),
                     each_key(key.size(), "k#", ", "));
}

// Evaluates `fails` for many events at once, in rounds. Each table holds, for the members that share what it is keyed by, what it held at
// the instants of theirs; so two members that share it can be judged in one round only where the table did not change between the two.
// Members of other keys don't see those rows: how often something changes counts for each key by itself, and not all changes together.
class Judging {
 public:
  Judging(const Control& control, facts::Facts& facts, Instant at) : control_(control), facts_(facts), at_(at), key_(sorted_key(control)) {
    for (const auto& name : control.verdict_tables) groups_[shared_by(name)].push_back(name);
  }

  // Members with `at` and `judge_at`, sorted by key; those that are due have been judged.
  Result<std::vector<MemberVerdict>> members() {
    TRY(gather());
    auto members = TRY(read());
    const auto rounds = TRY(facts_.store().query("select round, max(judged) from temp.vouch_event where due group by round"));
    for (const auto& row : rounds.rows) TRY(judge(std::get<std::int64_t>(row[0]), std::get<Instant>(row[1]), members));
    TRY(facts_.store().execute("drop table temp.vouch_event"));
    return members;
  }

 private:
  using Shared = std::set<std::size_t>;  // places in the key that a table is keyed by

  [[nodiscard]] Shared shared_by(const std::string& table) const {
    Shared shared;
    if (const auto keyed = control_.keyed.find(table); keyed != control_.keyed.end())
      for (const auto& [column, of_key] : keyed->second) shared.insert(place_of(key_, of_key));
    return shared;
  }

  [[nodiscard]] std::string column_of(const std::string& table, std::size_t place) const {
    for (const auto& [column, of_key] : control_.keyed.at(table))
      if (of_key == key_[place]) return identifier(column);
    return "null";
  }

  // As text, so that no key is left out because it is NULL; that one counts as another only costs a round.
  static std::string of_group(std::string_view value) { return fmt::format("coalesce(cast({} as varchar), '')", value); }

  // When the tables of a group changed, with what they are keyed by: p0, p1, …, begins.
  [[nodiscard]] std::string changes_of(const Shared& shared, const std::vector<std::string>& tables) const {
    std::string changes;
    for (const auto& name : tables)
      for (const auto* bound : {"valid_from", "valid_to"}) {
        changes += changes.empty() ? "select " : " union select ";
        for (const auto place : shared) changes += fmt::format("{} as p{}, ", of_group(column_of(name, place)), place);
        changes += fmt::format("{} as begins from facts.main.{}", bound, identifier(name));
      }
    return fmt::format("(select * from ({}) where isfinite(begins))", changes);
  }

  // temp.vouch_event: the events with their number and the round in which each is judged.
  Result<> gather() {
    const auto events = TRY(events_sql(control_, facts_, at_));
    auto sql = fmt::format("select *, row_number() over (order by {2}) - 1 as id, happened <= {0} and judged <= {0} as due from ({1})",
                           instant_sql(at_), events, each_key(key_.size(), "k#", ", "));
    std::string ranks = control_.fails_sql.clocks.empty() ? "true" : "judged";  // where the clock is read each instant has a round
    if (control_.fails_sql.clocks.empty()) {
      std::size_t number = 0;
      for (const auto& [shared, tables] : groups_) {
        if (shared.size() == key_.size()) continue;  // nobody shares it
        std::string same, partition;
        for (const auto place : shared) {
          const auto value = of_group(fmt::format("e.k{}", place));
          same += fmt::format("{} = c.p{} and ", value, place);
          partition += (partition.empty() ? "partition by " : ", ") + value;
        }
        sql = fmt::format(
            "select e.*, dense_rank() over ({} order by c.begins) as r{} from ({}) e asof left join {} c on {}e.judged >= c.begins",
            partition, number, sql, changes_of(shared, tables), same);
        ranks += fmt::format(", r{}", number++);
      }
    }
    return facts_.store().execute(fmt::format(
        "create or replace temp table vouch_event as select *, dense_rank() over (order by {}) as round from ({})", ranks, sql));
  }

  Result<std::vector<MemberVerdict>> read() {
    const auto rows = TRY_WITHIN(facts_.store().query(fmt::format("select {}, name, happened, judged from temp.vouch_event order by id",
                                                                  each_key(key_.size(), "k#", ", "))),
                                 "{}: control `{}`", control_.where, control_.id);
    std::vector<MemberVerdict> members;
    members.reserve(rows.rows.size());
    for (const auto& row : rows.rows) {
      MemberVerdict member{};
      for (std::size_t i = 0; i < key_.size(); ++i) member.key.emplace_hint(member.key.end(), key_[i], table::to_text(row[i]));
      member.name = table::to_text(row[key_.size()]);
      if (member.name.empty()) member.name = member.key.at(control_.key.back());
      member.at = instant_of(row[key_.size() + 1]);
      member.judge_at = instant_of(row[key_.size() + 2]);
      member.answer = Answer::pass;
      members.push_back(std::move(member));
    }
    return members;
  }

  // "vouch events": those of one round. Then the tables of `fails`, each under its own name.
  Result<std::string> shadows(std::int64_t round, Instant seen) const {
    auto sql = fmt::format("with \"vouch events\" as (select * from temp.vouch_event where due and round = {})", round);
    for (const auto& name : control_.verdict_tables) {
      const auto* table = facts_.catalog().find(name);
      if (!table) return fail(Errc::usage, "there is no fact table `{}`", name);
      std::string columns;
      for (const auto& [column, type] : table->on_disk()) columns += (columns.empty() ? "t." : ", t.") + identifier(column);
      const auto shared = shared_by(name);
      if (shared.empty()) {
        sql += fmt::format(", {0} as (select {1} from facts.main.{0} t where t.valid_from <= {2} and {2} < t.valid_to)", identifier(name),
                           columns, instant_sql(seen));
        continue;
      }
      std::string keys, own;
      for (const auto place : shared) {
        keys += fmt::format("k{}, ", place);
        own += fmt::format(" and t.{} is not distinct from e.k{}", column_of(name, place), place);
      }
      sql += fmt::format(
          ", {0} as (select {1} from facts.main.{0} t join (select {2}max(judged) as judged from \"vouch events\" group by all) e on "
          "t.valid_from <= e.judged and e.judged < t.valid_to{3})",
          identifier(name), columns, keys, own);
    }
    return sql;
  }

  Result<> judge(std::int64_t round, Instant seen, std::vector<MemberVerdict>& members) const {
    const auto rows =
        TRY_WITHIN(facts_.store().query(fmt::format(
                       "{} select e.id, f.reasons from (select {}, {} as reasons from {} group by {}) f join \"vouch events\" e on {}",
                       TRY(shadows(round, seen)), key_list(key_, control_.fails_columns), reasons_of(control_),
                       derived(control_.fails_sql.at(seen), control_.fails_columns.size()), each_key(key_.size(), "k#", ", "),
                       each_key(key_.size(), "e.k# is not distinct from f.k#", " and "))),
                   "{}: control `{}`", control_.where, control_.id);
    for (const auto& row : rows.rows) {
      auto& member = members.at(static_cast<std::size_t>(std::get<std::int64_t>(row[0])));
      member.answer = Answer::fail;
      member.reason = table::to_text(row[1]);
      if (member.reason.empty()) member.reason = "no reason given";
    }
    return {};
  }

  const Control& control_;
  facts::Facts& facts_;
  Instant at_;
  std::vector<std::string> key_;
  std::map<Shared, std::vector<std::string>> groups_;  // tables by what they are keyed by
};

bool is_due(const MemberVerdict& member, Instant at) { return member.at && member.judge_at && *member.judge_at <= at; }

void leave_pending(MemberVerdict& member) {
  member.answer = Answer::unknown;
  member.since = member.at;
  member.reason = !member.at        ? "the population tells no instant of it"
                  : member.judge_at ? fmt::format("judged at {}", to_string(*member.judge_at))
                                    : "the instant at which it is judged is not known yet";
}

// Holes in what an event was judged on, at its own instant.
Result<> find_unread(const Control& control, facts::Facts& facts, Instant at, std::vector<MemberVerdict>& members) {
  auto first = Instant::infinity(), last = facts::beginning;
  for (const auto& member : members)
    if (is_due(member, at)) first = std::min(first, *member.judge_at), last = std::max(last, *member.judge_at);
  if (last < first) return {};
  auto holes = TRY(facts.holes(control.verdict_tables, first, last));
  for (auto& hole : holes)
    if (hole.from == facts::beginning && hole.to <= at) hole.reason = "before the first observation: " + hole.reason;
  const HoleIndex index{control, holes};
  for (auto& member : members) {
    if (!is_due(member, at)) continue;
    auto concerned = index.concerning(member.key);
    std::erase_if(concerned, [&](std::size_t i) { return *member.judge_at < holes[i].from || holes[i].to <= *member.judge_at; });
    if (!concerned.empty()) leave_unknown(member, holes, concerned);
  }
  return {};
}

// Whether the hole names a whole key, and a member has it. `members` are sorted.
bool is_about_one(const Control& control, const facts::Hole& hole, const std::vector<MemberVerdict>& members) {
  std::map<std::string, std::string> key;
  for (const auto& column : control.key) {
    const auto value = hole.key.find(column);
    if (value == hole.key.end()) return false;
    key.insert(*value);
  }
  const auto at = std::lower_bound(members.begin(), members.end(), key, [](const MemberVerdict& a, const auto& b) { return a.key < b; });
  return at != members.end() && at->key == key;
}

}  // namespace

Result<ControlVerdict> evaluate_events(const Control& control, facts::Facts& facts, Instant at) {
  ControlVerdict verdict{};
  verdict.control = control.id;
  verdict.as_of = at;
  verdict.members = TRY(Judging(control, facts, at).members());
  std::erase_if(verdict.members, [&](const MemberVerdict& member) { return member.at && at < *member.at; });
  for (auto& member : verdict.members) {
    if (control.is_recalled) member.basis = "recalled";
    if (is_due(member, at))
      member.since = member.judge_at;
    else
      leave_pending(member);
  }
  TRY(find_unread(control, facts, at, verdict.members));
  std::sort(verdict.members.begin(), verdict.members.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  if (verdict.members.empty()) verdict.empty_because = why_empty(control, facts, TRY(facts.as_of(control.population_tables, at)));

  // A hole about one event that is known hides no other; any wider one may.
  const auto holes = TRY(facts.holes(control.population_tables, at));
  std::vector<bool> met(holes.size());
  for (std::size_t i = 0; i < holes.size(); ++i) met[i] = is_about_one(control, holes[i], verdict.members);
  add_unread(control, verdict, holes, met);
  count(verdict);
  return verdict;
}

Result<std::optional<Instant>> next_event(const Control& control, facts::Facts& facts, Instant at) {
  const auto rows = TRY(
      facts.store().query(fmt::format("select min(x) from (select unnest([happened, judged]) as x from ({})) where x > {} and isfinite(x)",
                                      TRY(events_sql(control, facts, at)), instant_sql(at))));
  return instant_of(rows.rows.at(0).at(0));
}

}  // namespace vouch::controls
