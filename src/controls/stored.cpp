#include "controls/stored.h"

#include "controls/changes.h"

#include <set>

namespace vouch::controls {
namespace {

// The layout; a database with another is as good as one without.
constexpr std::int64_t layout = 3;

constexpr std::string_view make_tables = R"sql(
create schema if not exists vouch;
create table if not exists vouch.verdict_state(layout bigint, catalog text, judged timestamptz, size bigint, root text, simulated boolean, last_run timestamptz,
  narrowed text, left_out text);
create table if not exists vouch.verdict_control(id text, digest text, statement text, owner text, severity text, mend text, remedy text, answer text,
  empty_because text, population bigint, pass bigint, fail bigint, unknown bigint, waived bigint, expires timestamptz);
create table if not exists vouch.verdict_member(control text, key text, name text, answer text, reason text, leaf bigint);
create table if not exists vouch.verdict_criterion(framework text, title text, place bigint, id text, category text, says text, controls text);
)sql";

constexpr std::string_view drop_tables = R"sql(
drop table if exists vouch.verdict_state;
drop table if exists vouch.verdict_control;
drop table if exists vouch.verdict_member;
drop table if exists vouch.verdict_criterion;
)sql";

template <class T>
const T& as(const table::Value& value) {
  static const T none{};
  const auto* held = std::get_if<T>(&value);
  return held ? *held : none;
}
std::string text(const table::Value& value) { return as<std::string>(value); }

Answer answer_of(std::string_view name) {
  for (const auto answer : {Answer::pass, Answer::fail, Answer::waived, Answer::empty})
    if (name_of(answer) == name) return answer;
  return Answer::unknown;  // also for a word that nobody wrote
}

std::string key_text(const std::map<std::string, std::string>& key) {
  json::object object;
  for (const auto& [column, value] : key) object[column] = value;
  return json::serialize(object);
}

std::map<std::string, std::string> key_of(const std::string& written) {
  std::map<std::string, std::string> key;
  const auto parsed = parse_json(written);
  if (parsed && parsed->is_object())
    for (const auto& member : parsed->get_object())
      if (member.value().is_string()) key.emplace(std::string{member.key()}, std::string{member.value().get_string()});
  return key;
}

std::string list_text(const std::vector<std::string>& texts) { return json::serialize(json::array(texts.begin(), texts.end())); }

std::vector<std::string> texts_of(const std::string& written) {
  std::vector<std::string> texts;
  if (const auto listed = parse_json(written); listed && listed->is_array())
    for (const auto& one : listed->get_array())
      if (one.is_string()) texts.emplace_back(one.get_string());
  return texts;
}

// The one row of state, and the controls with their digests.
struct Kept {
  Stored stored;
  std::map<std::string, std::string> digests;
};

Result<std::optional<Kept>> read_controls(table::Store& store) {
  // Where the tables are not there, or are others, DuckDB says so; asking it for a list of tables first takes longer than all the rest.
  auto asked = store.query("select layout, catalog, judged, size, root, simulated, last_run, narrowed, left_out from vouch.verdict_state");
  if (!asked && asked.error().code == Errc::malformed) return std::nullopt;
  const auto states = TRY(std::move(asked));
  if (states.rows.size() != 1 || as<std::int64_t>(states.rows[0][0]) != layout) return std::nullopt;
  const auto& state = states.rows[0];
  Kept kept;
  kept.stored.catalog = text(state[1]);
  kept.stored.at = as<Instant>(state[2]);
  kept.stored.state.size = {static_cast<std::uint64_t>(as<std::int64_t>(state[3]))};
  kept.stored.state.root = text(state[4]);
  kept.stored.state.simulated = as<bool>(state[5]);
  if (const auto* last = std::get_if<Instant>(&state[6])) kept.stored.state.last_run = *last;
  kept.stored.narrowed = texts_of(text(state[7]));
  if (const auto left_out = parse_json(text(state[8]))) kept.stored.left_out = read_left_out(*left_out);

  const auto rows =
      TRY(store.query("select id, digest, statement, owner, severity, mend, remedy, answer, empty_because, population, pass, fail, "
                      "unknown, waived, expires "
                      "from vouch.verdict_control order by id"));
  for (const auto& row : rows.rows) {
    StoredControl control{text(row[0]), text(row[2]), text(row[3]), text(row[4]), text(row[5]), text(row[6]), as<Instant>(row[14]), {}};
    kept.digests[control.id] = text(row[1]);
    control.verdict.control = control.id;
    control.verdict.answer = answer_of(text(row[7]));
    control.verdict.empty_because = text(row[8]);
    control.verdict.population = as<std::int64_t>(row[9]);
    control.verdict.pass = as<std::int64_t>(row[10]);
    control.verdict.fail = as<std::int64_t>(row[11]);
    control.verdict.unknown = as<std::int64_t>(row[12]);
    control.verdict.waived = as<std::int64_t>(row[13]);
    kept.stored.controls.push_back(std::move(control));
  }
  return kept;
}

Result<> read_members(table::Store& store, Stored& stored, Members members) {
  if (members == Members::none) return {};
  const auto rows =
      TRY(store.query(fmt::format("select control, key, name, answer, reason, leaf from vouch.verdict_member{} order by control",
                                  members == Members::not_passing ? " where answer <> 'pass'" : "")));
  auto at = stored.controls.begin();
  for (const auto& row : rows.rows) {
    const auto id = text(row[0]);
    while (at != stored.controls.end() && at->id < id) ++at;
    if (at == stored.controls.end() || at->id != id) continue;
    MemberVerdict member{};
    member.key = key_of(text(row[1]));
    member.name = text(row[2]);
    member.answer = answer_of(text(row[3]));
    member.reason = text(row[4]);
    if (const auto* leaf = std::get_if<std::int64_t>(&row[5])) member.leaf = LeafIndex{static_cast<std::uint64_t>(*leaf)};
    at->verdict.members.push_back(std::move(member));
  }
  // They were stored as they came.
  for (auto& control : stored.controls) std::ranges::sort(control.verdict.members, {}, &MemberVerdict::key);
  return {};
}

Result<> read_frameworks(table::Store& store, Stored& stored) {
  const auto rows =
      TRY(store.query("select framework, title, id, category, says, controls from vouch.verdict_criterion order by framework, place"));
  for (const auto& row : rows.rows) {
    if (stored.frameworks.empty() || stored.frameworks.back().id != text(row[0]))
      stored.frameworks.push_back({text(row[0]), text(row[1]), {}});
    stored.frameworks.back().criteria.push_back({text(row[2]), text(row[3]), text(row[4]), texts_of(text(row[5]))});
  }
  return {};
}

table::Value or_null(const std::optional<Instant>& at) { return at ? table::Value{*at} : table::Value{}; }

Result<> write_state(table::Store& store, std::string_view catalog, Instant at, const facts::State& state,
                     const std::vector<std::string>& narrowed_ids, const std::vector<LeftOut>& left_out) {
  TRY(store.execute("delete from vouch.verdict_state"));
  return store.execute("insert into vouch.verdict_state values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                       {layout, std::string{catalog}, at, static_cast<std::int64_t>(state.size.value), state.root, state.simulated,
                        or_null(state.last_run), list_text(narrowed_ids), json::serialize(to_json(left_out))});
}

Result<> add_control(table::Appender& rows, const Control& control, const ControlVerdict& verdict, Instant expires) {
  rows.add_text(control.id).add_text(control.digest).add_text(control.statement).add_text(control.owner).add_text(control.severity);
  rows.add_text(control.mend).add_text(control.remedy).add_text(name_of(verdict.answer)).add_text(verdict.empty_because);
  rows.add(verdict.population).add(verdict.pass).add(verdict.fail).add(verdict.unknown).add(verdict.waived).add(expires);
  return rows.end_row();
}

Result<> add_member(table::Appender& rows, const Control& control, const MemberVerdict& member) {
  rows.add_text(control.id).add_text(key_text(member.key)).add_text(member.name).add_text(name_of(member.answer));
  rows.add_text(member.reason);
  rows.add(member.leaf ? table::Value{static_cast<std::int64_t>(member.leaf->value)} : table::Value{});
  return rows.end_row();
}

Result<> write_frameworks(table::Store& store, const ControlCatalog& catalog) {
  TRY(store.execute("delete from vouch.verdict_criterion"));
  auto rows = TRY(store.appender("vouch.verdict_criterion"));
  for (const auto& framework : frameworks_in_force(catalog)) {
    std::int64_t place = 0;
    for (const auto& criterion : framework.criteria) {
      rows.add_text(framework.id)
          .add_text(framework.title)
          .add(place++)
          .add_text(criterion.id)
          .add_text(criterion.category)
          .add_text(criterion.says);
      rows.add_text(list_text(criterion.controls));
      TRY(rows.end_row());
    }
  }
  return rows.flush();
}

bool any_of(std::span<const std::string> changed, const std::vector<std::string>& tables) {
  return std::any_of(tables.begin(), tables.end(),
                     [&](const auto& table) { return std::find(changed.begin(), changed.end(), table) != changed.end(); });
}

// The stored control that may stand as it is.
const StoredControl* still_true(const std::optional<Kept>& kept, const Control& control, Instant at) {
  if (!kept || at < kept->stored.at) return nullptr;
  for (const auto& stored : kept->stored.controls)
    if (stored.id == control.id) return kept->digests.at(control.id) == control.digest && at < stored.expires ? &stored : nullptr;
  return nullptr;
}

ControlVerdict now(const Control& control, facts::Facts& facts, Instant at) {
  auto verdict = evaluate(control, facts, at);
  return verdict ? std::move(*verdict) : undecided(control, at, std::move(verdict).error().message);
}

// Judges anew. Members go to the database as they come: there may be more of them than memory should hold.
Result<ControlVerdict> store_members(const Control& control, facts::Facts& facts, Instant at, table::Appender& rows) {
  bool any = false;
  auto verdict = evaluate_each(control, facts, at, [&](const MemberVerdict& member) {
    any = true;
    return add_member(rows, control, member);
  });
  if (verdict || (verdict.error().code == Errc::limit && facts.store().is_tight())) return verdict;
  if (any) {
    TRY(rows.flush());
    TRY(facts.store().execute("delete from vouch.verdict_member where control = $1", {control.id}));
  }
  auto none = undecided(control, at, std::move(verdict).error().message);
  for (const auto& member : std::exchange(none.members, {})) TRY(add_member(rows, control, member));
  return none;
}

Result<> store_all(const ControlCatalog& catalog, std::string_view digest, facts::Facts& facts, TreeSize from,
                   std::span<const std::string> changed, Instant at) {
  auto& store = facts.store();
  auto kept = TRY(read_controls(store));
  if (kept && kept->stored.state.size != from) kept.reset();
  if (!kept) TRY(store.execute(std::string{drop_tables}));
  TRY(store.execute(std::string{make_tables}));
  std::set<std::string> ids;
  TRY(store.execute("delete from vouch.verdict_control"));
  auto controls = TRY(store.appender("vouch.verdict_control")), members = TRY(store.appender("vouch.verdict_member"));
  for (const auto& control : catalog.controls) {
    if (!control.on) continue;
    ids.insert(control.id);
    const auto expires = TRY(expiry(control, facts, at));
    const auto* stored = still_true(kept, control, at);
    if (stored && stored->verdict.unknown == 0 && !any_of(changed, control.tables)) {
      TRY(add_control(controls, control, stored->verdict, expires));
      continue;
    }
    if (kept) TRY(store.execute("delete from vouch.verdict_member where control = $1", {control.id}));
    TRY(add_control(controls, control, TRY(store_members(control, facts, at, members)), expires));
  }
  TRY(controls.flush());
  if (kept)
    for (const auto& [id, unused] : kept->digests)
      if (!ids.contains(id)) TRY(store.execute("delete from vouch.verdict_member where control = $1", {id}));
  TRY(members.flush());
  TRY(write_frameworks(store, catalog));
  return write_state(store, digest, at, TRY(facts.state()), narrowed(catalog), TRY(accounts_left_out(facts, at)));
}

}  // namespace

std::string digest_of(const CatalogFiles& files, const Choice& choice) {
  Sha256 hash;
  const auto add = [&](std::string_view text) { hash.add(fmt::format("{}:", text.size())).add(text); };
  for (const auto& file : files.files) {
    add(file.shipped ? "shipped" : "own");
    add(file.part);
    add(file.text);
  }
  add("chosen");
  for (const auto& id : choice.on) add("on " + id);
  for (const auto& id : choice.off) add("off " + id);
  add(choice.zone.name());
  for (const auto& source : choice.sources) add("source " + source);
  return to_hex(hash.finish());
}

Result<> store_verdicts(const ControlCatalog& catalog, std::string_view catalog_digest, facts::Facts& facts, TreeSize from,
                        std::span<const std::string> changed_tables, Instant at) {
  return facts.store().transaction([&] { return store_all(catalog, catalog_digest, facts, from, changed_tables, at); });
}

Result<std::optional<Stored>> read_stored(table::Store& store, std::string_view catalog_digest, Instant at, Members members) {
  auto kept = TRY(read_controls(store));
  if (!kept || kept->stored.catalog != catalog_digest || at < kept->stored.at) return std::nullopt;
  for (auto& control : kept->stored.controls) {
    if (control.expires <= at) return std::nullopt;
    control.verdict.as_of = at;
  }
  TRY(read_members(store, kept->stored, members));
  TRY(read_frameworks(store, kept->stored));
  return std::move(kept->stored);
}

Result<std::vector<ControlVerdict>> status_at(const ControlCatalog& catalog, facts::Facts& facts, Instant at, Members members) {
  auto kept = TRY(read_controls(facts.store()));
  if (kept && kept->stored.state.root != TRY(facts.state()).root) kept.reset();
  if (kept && at >= kept->stored.at) TRY(read_members(facts.store(), kept->stored, members));
  std::vector<ControlVerdict> verdicts;
  for (const auto& control : catalog.controls) {
    if (!control.on) continue;
    if (const auto* stored = still_true(kept, control, at)) {
      verdicts.push_back(stored->verdict);
      verdicts.back().as_of = at;
      continue;
    }
    auto verdict = now(control, facts, at);
    if (members == Members::none) verdict.members.clear();
    if (members == Members::not_passing) std::erase_if(verdict.members, [](const auto& member) { return member.answer == Answer::pass; });
    verdicts.push_back(std::move(verdict));
  }
  return verdicts;
}

}  // namespace vouch::controls
