// vouch show: one control, its members, and for one member the path down to the bytes that a provider sent.
#include "cli/session.h"
#include "controls/since.h"
#include "facts/reading.h"
#include "ledger/blobs.h"

namespace vouch::cli {
namespace {

using controls::Answer;

std::string key_text(const std::map<std::string, std::string>& key) {
  std::string text;
  for (const auto& [column, value] : key) text += (text.empty() ? "" : " ") + column + "=" + value;
  return text;
}

// By name, by key ("bucket=acme-logs account=1"), or by any value of the key.
bool answers_to(const controls::MemberVerdict& member, std::string_view wanted) {
  return member.name == wanted || key_text(member.key) == wanted ||
         std::any_of(member.key.begin(), member.key.end(),
                     [&](const auto& part) { return part.second == wanted || part.first + "=" + part.second == wanted; });
}

Json instant_json(const std::optional<Instant>& at) {
  return at && !at->is_infinite() ? Json(json::string(to_string(*at))) : Json(nullptr);
}

json::object member_json(const controls::MemberVerdict& member) {
  return {{"key", json::value_from(member.key)},
          {"name", member.name},
          {"verdict", name_of(member.answer)},
          {"basis", member.basis},
          {"since", instant_json(member.since)},
          {"since_earliest", instant_json(member.since_earliest)},
          {"reason", member.reason.empty() ? Json(nullptr) : Json(json::string(member.reason))},
          {"leaf", member.leaf ? Json(member.leaf->value) : Json(nullptr)}};
}

// What members of event and periodic controls have besides.
void add_kind(const controls::Control& control, const controls::MemberVerdict& member, json::object& out) {
  if (control.kind == controls::Kind::event) {
    out["at"] = instant_json(member.at);
    out["judge_at"] = instant_json(member.judge_at);
  }
  if (control.kind != controls::Kind::periodic) return;
  out["window"] = nullptr;
  if (const auto& due = member.due)
    out["window"] = {{"from", to_string(due->window.from)},
                     {"to", to_string(due->window.to)},
                     {"due", to_string(due->until)},
                     {"done", instant_json(due->done)},
                     {"evidence", due->done ? Json(json::string(due->evidence)) : Json(nullptr)}};
}

struct Evidence {
  std::string table;
  facts::Trace trace;
};

// The answers behind a member: of every table that the control reads and whose rows can be told by the member's key.
Result<std::vector<Evidence>> evidence_of(const Home& home, facts::Facts& facts, const controls::Control& control,
                                          const controls::MemberVerdict& member, Instant at) {
  std::vector<Evidence> evidence;
  // An event was judged on the facts of its own instant.
  const bool judged = control.kind == controls::Kind::event && member.judge_at && *member.judge_at <= at;
  for (const auto& name : control.tables) {
    const auto* table = facts.catalog().find(name);
    if (!table) continue;
    std::map<std::string, std::string> shared;
    bool told = false;  // by more than account and region
    for (const auto& [column, value] : member.key) {
      const bool general = column == "account" || column == "region";
      const bool has = column == "account" || (column == "region" && table->regional) ||
                       std::any_of(table->columns.begin(), table->columns.end(), [&](const auto& one) { return one.name == column; });
      if (!has) continue;
      shared[column] = value;
      told = told || !general;
    }
    const bool broad = std::all_of(member.key.begin(), member.key.end(),
                                   [](const auto& part) { return part.first == "account" || part.first == "region"; });
    if (!told && !broad) continue;
    auto traces = TRY(facts.trace(home.path, name, shared, judged ? *member.judge_at : at));
    // That a row was not there is told by the listing that told it later, where rows date themselves.
    if (judged && traces.empty() && !table->event.empty()) traces = TRY(facts.trace(home.path, name, shared, at));
    traces.erase(std::unique(traces.begin(), traces.end()), traces.end());  // one answer holds many rows
    for (auto& trace : traces) evidence.push_back({name, std::move(trace)});
  }
  return evidence;
}

Json evidence_json(const Evidence& one) {
  const auto digest = [](const std::string& hex) { return hex.empty() ? Json(nullptr) : Json(json::string(hex)); };
  return {{"table", one.table},
          {"leaf", one.trace.leaf.value},
          {"operation", one.trace.operation},
          {"scope", one.trace.scope},
          {"params", one.trace.params},
          {"page", one.trace.page},
          {"tree", digest(one.trace.tree)},
          {"manifest", digest(one.trace.manifest)},
          {"body", digest(one.trace.body)}};
}

// How the population was come by. One line for each call: 12 accounts of an organisation are asked alike.
Result<std::vector<facts::Reading>> readings_of(const Home& home, facts::Facts& facts, const controls::Control& control, Instant at) {
  std::vector<facts::Reading> readings;
  for (const auto& table : control.population_tables)
    for (auto& reading : TRY(facts::how_read(facts, home.path, table, at))) readings.push_back(std::move(reading));
  return readings;
}

Json reading_json(const facts::Reading& one) {
  return {{"table", one.table},
          {"operation", one.operation},
          {"account", one.account},
          {"leaf", one.leaf.value},
          {"read_at", to_string(one.ended)},
          {"scopes", one.scopes},
          {"requests", one.requests},
          {"pages", one.pages},
          {"pages_there_are", one.is_all() ? Json(one.pages) : Json(nullptr)},
          {"total", one.total ? Json(*one.total) : Json(nullptr)},
          {"reason", one.reason.empty() ? Json(nullptr) : Json(json::string(one.reason))}};
}

std::string counted(std::uint64_t number, std::string_view what) { return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s"); }

void print_readings(const std::vector<facts::Reading>& readings) {
  for (auto from = readings.begin(); from != readings.end();) {
    const auto to = std::find_if(from, readings.end(), [&](const auto& one) { return one.table != from->table; });
    std::uint64_t requests = 0, pages = 0, total = 0;
    std::string why;
    bool totals = true;
    for (auto one = from; one != to; ++one) {
      requests += one->requests;
      pages += one->pages;
      totals = totals && one->total;
      total += one->total.value_or(0);
      if (why.empty() && !one->is_all()) why = one->reason.empty() ? counted(one->refused, "request") + " refused" : one->reason;
    }
    const auto accounts = to - from > 1 ? fmt::format(" in {} accounts", to - from) : "";
    const auto whole = why.empty() ? pages == 1 ? "all there is" : "all there are" : "there may be more: " + why;
    fmt::print("{}\n",
               paint(fmt::format("read     {} by {}{}: {}, {}, {}{}", from->table, from->operation, accounts, counted(requests, "request"),
                                 counted(pages, "page"), whole, totals ? fmt::format("; {} by the API's own count", total) : ""),
                     Tone::faint));
    from = to;
  }
}

std::string since_text(const controls::MemberVerdict& member) {
  if (!member.since) return "";
  auto text = for_people(*member.since);
  if (member.since_earliest && *member.since_earliest != *member.since)
    text += " (last seen otherwise " + for_people(*member.since_earliest) + ")";
  return text;
}

Result<> print_member(const Home& home, const controls::MemberVerdict& member, const std::vector<Evidence>& evidence, bool body) {
  const auto tone = member.answer == Answer::pass ? Tone::good : member.answer == Answer::fail ? Tone::bad : Tone::doubt;
  fmt::print("\n{} {}  {}\n", paint(name_of(member.answer), tone), paint(member.name, Tone::strong),
             paint(key_text(member.key), Tone::faint));
  if (!member.reason.empty()) fmt::print("  because  {}\n", member.reason);
  if (member.since) fmt::print("  since    {}, by {}\n", since_text(member), member.basis);
  if (member.at) fmt::print("  event    {}\n", for_people(*member.at));
  if (member.judge_at && member.judge_at != member.at) fmt::print("  judged   on the facts of {}\n", for_people(*member.judge_at));
  if (const auto& due = member.due) {
    fmt::print("  window   {} to {}, due {}\n", for_people(due->window.from), for_people(due->window.to), for_people(due->until));
    if (due->done) fmt::print("  done     {}{}{}\n", for_people(*due->done), due->evidence.empty() ? "" : ": ", due->evidence);
  }
  const auto blobs = TRY(Blobs::open(home.path));
  for (const auto& [table, trace] : evidence) {
    if (trace.manifest.empty()) {
      fmt::print("  {} ← leaf {}, the entry itself: vouch log show {}\n", table, trace.leaf.value, trace.leaf.value);
      continue;
    }
    fmt::print("  {} ← leaf {} ← {} {} {}{}\n", table, trace.leaf.value, trace.operation, json::serialize(trace.scope),
               json::serialize(trace.params), trace.page ? fmt::format(" page {}", trace.page) : "");
    if (trace.body.empty()) {
      fmt::print("      no body was received; manifest {}\n", trace.manifest);
      continue;
    }
    fmt::print("      body {}\n", trace.body);
    if (body) {
      const auto bytes = TRY(blobs.get(TRY(parse_digest(trace.body))));
      std::fwrite(bytes.data(), 1, bytes.size(), stdout);
      fmt::print("\n");
    }
  }
  if (!body && !evidence.empty()) fmt::print("  {}\n", paint("the raw bytes: --body here, or vouch log show --blob DIGEST", Tone::faint));
  return {};
}

Grid member_grid(const std::vector<controls::MemberVerdict>& members, Format format) {
  Grid grid{{{"verdict"}, {"member"}, {"since"}, {"basis"}, {"reason"}, {"leaf", true}}, {}};
  for (const auto& member : members)
    grid.rows.push_back(
        {std::string{name_of(member.answer)}, member.name,
         format == Format::table ? (member.since ? for_people(*member.since) : "") : (member.since ? to_string(*member.since) : ""),
         member.basis, format == Format::table ? shorten(member.reason, 60) : member.reason,
         member.leaf ? std::to_string(member.leaf->value) : ""});
  return grid;
}

// What is shown, whatever it is printed as.
struct Shown {
  const Home& home;
  const controls::ControlCatalog& catalog;
  const controls::Control& control;
  const controls::ControlVerdict& verdict;
  const facts::State& state;
  Instant at;
  bool one_member, body;
};

void fails_first(std::vector<controls::MemberVerdict>& members) {
  const auto rank = [](const controls::MemberVerdict& member) {
    return member.answer == Answer::fail ? 0 : member.answer == Answer::unknown ? 1 : member.answer == Answer::waived ? 2 : 3;
  };
  std::stable_sort(members.begin(), members.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
}

Result<> print_json(const Shown& shown, facts::Facts& facts) {
  const auto& [home, catalog, control, verdict, state, at, one_member, body] = shown;
  auto out = envelope(at, state);
  out["control"] = control.id;
  out["kind"] = name_of(control.kind);
  out["shelf"] = control.shelf;
  out["on"] = control.on;
  out["statement"] = control.statement;
  out["severity"] = control.severity;
  out["owner"] = control.owner;
  out["criteria"] = json::value_from(catalog.criteria_of(control.id));
  out["verdict"] = name_of(verdict.answer);
  for (const auto& [name, count] : {std::pair{"population", verdict.population},
                                    {"pass", verdict.pass},
                                    {"fail", verdict.fail},
                                    {"unknown", verdict.unknown},
                                    {"waived", verdict.waived}})
    out[name] = count;
  if (verdict.answer == Answer::empty) out["empty_because"] = verdict.empty_because;
  json::array members;
  for (const auto& member : verdict.members) {
    auto one = member_json(member);
    add_kind(control, member, one);
    if (one_member) {
      json::array evidence;
      for (const auto& trace : TRY(evidence_of(home, facts, control, member, at))) evidence.push_back(evidence_json(trace));
      one["evidence"] = std::move(evidence);
    }
    members.push_back(std::move(one));
  }
  json::array readings;
  for (const auto& reading : TRY(readings_of(home, facts, control, at))) readings.push_back(reading_json(reading));
  out["read"] = std::move(readings);
  out["members"] = std::move(members);
  out["mend"] = control.mend;
  out["remedy"] = control.remedy;
  fmt::print("{}\n", pretty(out));
  return {};
}

Result<> print_screen(const Shown& shown, facts::Facts& facts) {
  const auto& [home, catalog, control, verdict, state, at, one_member, body] = shown;
  const auto off = control.on               ? ""
                   : control.unread.empty() ? " · off: shelf " + control.shelf
                                            : " · off: " + control.unread + " is not read";
  fmt::print("{}  {}\n", paint(control.id, Tone::strong),
             paint(fmt::format("{} · {} · {} · {}{}", name_of(control.kind), control.severity, control.owner,
                               fmt::join(catalog.criteria_of(control.id), " "), off),
                   Tone::faint));
  fmt::print("{}\n", control.statement);
  print_readings(TRY(readings_of(home, facts, control, at)));
  if (verdict.members.empty()) fmt::print("no member: {}\n", verdict.empty_because);
  if (one_member) {
    for (const auto& member : verdict.members) TRY(print_member(home, member, TRY(evidence_of(home, facts, control, member, at)), body));
  } else {
    fmt::print("\n{}", render(member_grid(verdict.members, Format::table), Format::table));
  }
  if (verdict.fail > 0 && !control.remedy.empty()) fmt::print("\n{} {}\n", paint("remedy:", Tone::strong), control.remedy);
  fmt::print("\n{}", footer(at, state));
  return {};
}

}  // namespace

Result<Exit> run_show(const Common& common, const ShowOptions& options) {
  const auto home = TRY(require_home(common.home));
  const auto format = TRY(parse_format(common.format.value_or("table")));
  const auto at = TRY(instant_of(options.as_of));
  const auto catalog = TRY(Catalog::read(home));
  const auto* control = catalog.controls.find(options.control);
  if (!control) {
    print_problems(catalog.problems);
    return fail(Errc::usage, "there is no control `{}`; `vouch catalog list` has them all", options.control);
  }
  auto facts = TRY(open_facts(home, catalog));
  const auto state = TRY(facts.state());
  auto verdict = TRY(controls::evaluate(*control, facts, at));
  if (options.member) {
    std::erase_if(verdict.members, [&](const auto& member) { return !answers_to(member, *options.member); });
    if (verdict.members.empty())
      return fail(Errc::usage, "control `{}` has no member `{}` at {}", control->id, *options.member, to_string(at));
  }
  TRY(controls::date(*control, facts, verdict));
  fails_first(verdict.members);

  const Shown shown{home, catalog.controls, *control, verdict, state, at, options.member.has_value(), options.body};
  if (format == Format::json) TRY(print_json(shown, facts));
  if (format == Format::table) TRY(print_screen(shown, facts));
  if (format == Format::md) fmt::print("**{}**: {}\n\n", control->id, control->statement);
  if (format == Format::csv || format == Format::md) fmt::print("{}", render(member_grid(verdict.members, format), format));
  if (format == Format::md) fmt::print("\n{}", footer(at, state));
  return verdict.answer == Answer::fail ? Exit::fails : verdict.answer == Answer::unknown ? Exit::undecided : Exit::ok;
}

}  // namespace vouch::cli
