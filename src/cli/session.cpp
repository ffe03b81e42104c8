#include "cli/session.h"

#include "cli/shipped_understood.h"
#include "controls/summary.h"
#include "controls/understood.h"
#include "ledger/create.h"
#include "ledger/evidence.h"

#include <malloc.h>

namespace vouch::cli {

void print_problems(const Problems& problems) {
  for (const auto& problem : problems) fmt::print(stderr, "{} {}\n", paint("!", Tone::doubt), problem.message);
}

namespace {

// What vouch.yaml says of controls and sources.
Result<controls::Choice> choice_of(const Home& home) {
  const auto settings = TRY(home.settings());
  auto choice = settings.controls;
  for (const auto& source : settings.sources)
    if (source.on) choice.sources.insert(source.name);
  return choice;
}

// Those that are on, and those of which the ledger holds a collection.
Result<std::set<std::string>> sources_in_view(const Home& home, const controls::Choice& choice) {
  auto sources = choice.sources;
  if (!has_log(home.path)) return sources;
  const auto log = TRY(Reader::open(home.path));
  TRY(log.for_each(LeafIndex{0}, log.checkpoint().size, [&](LeafIndex, std::string_view entry) -> Result<> {
    if (!evidence::has_kind(entry, "collection")) return {};
    const auto leaf = TRY(evidence::parse_collection_leaf(entry));
    if (leaf.tree) sources.insert(leaf.source);
    return {};
  }));
  return sources;
}

}  // namespace

namespace {

// home/cache/controls.json: derived, so that a home that cannot be written to is no obstacle.
controls::ControlCatalog read_controls(const Home& home, Catalog& catalog) {
  const auto file = home.path / "cache" / "controls.json";
  const auto shipped = controls::Understood::read(shipped_understood());
  auto understood = controls::Understood::read(read_file(file, 64u << 20).value_or(""));
  const auto before = understood;
  understood.rest_on(shipped);
  auto controls = controls::read_control_catalog(catalog.files, catalog.tables, catalog.problems, &understood);
  if (understood != before && home.exists() && make_directory(file.parent_path()))
    (void)write_file(file, understood.write(), Sync::no, 0600);
  return controls;
}

}  // namespace

Result<Catalog> Catalog::read(const Home& home, Check check) {
  Catalog catalog;
  catalog.files = TRY(read_catalog(home.path));
  catalog.tables = facts::read_fact_catalog(catalog.files, catalog.problems);
  if (check == Check::none) return catalog;
  catalog.controls = check == Check::changed ? read_controls(home, catalog)
                                             : controls::read_control_catalog(catalog.files, catalog.tables, catalog.problems);
  if (home.exists()) catalog.choice = TRY(choice_of(home));
  controls::choose(catalog.controls, catalog.choice, catalog.problems);
  if (home.exists())
    controls::leave_out_unread(catalog.controls, catalog.tables, catalog.choice, TRY(sources_in_view(home, catalog.choice)));
  return catalog;
}

namespace {

void say_who_holds(std::string_view holder) { fmt::print(stderr, "waiting for the facts, held by {}\n", holder); }

// The latest collection's end: what the ledger says, so that a rebuild stores the same verdicts. Without one there is only now.
Instant judged_instant(const facts::State& state) { return state.last_run.value_or(SystemClock{}.now()); }

fs::path summary_of(const Home& home) { return home.path / "verdicts.json"; }

}  // namespace

Result<facts::Replayed> project(const Home& home, const Catalog& catalog, bool from_nothing) {
  const auto log = TRY(Reader::open(home.path));
  const auto blobs = TRY(Blobs::open(home.path));
  const auto models = TRY(wire::Models::open(wire::Models::data_directories()));
  const auto open = [&](const table::Limits& limits) {
    return facts::Facts::open(home.path, catalog.tables, table::Mode::writing, say_who_holds, limits);
  };
  auto opened = from_nothing ? Result<facts::Facts>{fail(Errc::not_found, "")} : open(table::Limits::little());
  // What needs more memory than nearly all needs is given it.
  const auto with_room = [&](const auto& work) {
    auto done = work();
    if (done || done.error().code != Errc::limit) return done;
    opened = fail(Errc::busy, "");  // gives up its place
    opened = open({});
    return opened ? work() : decltype(done){std::unexpected(opened.error())};
  };
  facts::Replayed replayed;
  if (opened) {
    replayed = TRY(with_room([&] { return facts::replay(log, blobs, models, *opened); }));
  } else {
    if (opened.error().code != Errc::not_found) return std::unexpected(std::move(opened).error());
    replayed = TRY(facts::rebuild(home.path, log, blobs, models, catalog.tables));
    opened = TRY(open(table::Limits::little()));
  }
  ::malloc_trim(0);  // what the fold of a large account has freed goes back before its controls ask for as much
  const auto digest = controls::digest_of(catalog.files, catalog.choice);
  const auto at = judged_instant(TRY(opened->state()));
  TRY(with_room([&] { return controls::store_verdicts(catalog.controls, digest, *opened, replayed.from, replayed.changed_tables, at); }));
  if (const auto stored = TRY(controls::read_stored(opened->store(), digest, at))) TRY(controls::write_summary(summary_of(home), *stored));
  return replayed;
}

Result<facts::Facts> open_facts(const Home& home, const Catalog& catalog) {
  const auto log = TRY(Reader::open(home.path));
  auto opened = facts::Facts::open(home.path, catalog.tables, table::Mode::reading, say_who_holds);
  if (opened && TRY(opened->state()).size == log.checkpoint().size) return opened;
  if (!opened && opened.error().code != Errc::not_found) return opened;
  if (!opened) fmt::print(stderr, "building the facts from the ledger\n");
  opened = fail(Errc::busy, "");  // a reader gives up its place before the writer asks for one
  TRY(project(home, catalog));
  return facts::Facts::open(home.path, catalog.tables, table::Mode::reading, say_who_holds);
}

Result<controls::Stored> judge(const Home& home, Instant at) {
  auto files = TRY(read_catalog(home.path));
  const auto digest = controls::digest_of(files, TRY(choice_of(home)));
  const auto log = TRY(Reader::open(home.path));
  std::error_code ignored;
  // Whoever deletes the facts wants them built again, not their shadow shown.
  const bool has_facts = fs::exists(home.path / "facts.duckdb", ignored);
  if (auto stored = !has_facts ? std::nullopt : controls::read_summary(summary_of(home), digest, log.checkpoint().size, at);
      stored && stored->state.root == to_base64(log.checkpoint().root.bytes))
    return std::move(*stored);
  const auto catalog = TRY(Catalog::read(home));
  print_problems(catalog.problems);
  auto facts = TRY(open_facts(home, catalog));
  controls::Stored judged;
  judged.catalog = digest;
  judged.at = at;
  judged.state = TRY(facts.state());
  judged.frameworks = controls::frameworks_in_force(catalog.controls);
  judged.narrowed = controls::narrowed(catalog.controls);
  judged.left_out = TRY(controls::accounts_left_out(facts, at));
  for (auto& verdict : TRY(controls::status_at(catalog.controls, facts, at))) {
    const auto* control = catalog.controls.find(verdict.control);
    judged.controls.push_back(
        {control->id, control->statement, control->owner, control->severity, control->mend, control->remedy, at, std::move(verdict)});
  }
  return judged;
}

bool says_simulated(std::string_view entry) {
  return evidence::has_kind(entry, "collection") && entry.find(R"("simulated":true)") != std::string_view::npos;
}

Result<bool> is_simulated(const Reader& log) {
  bool simulated = false;
  TRY(log.for_each(LeafIndex{0}, log.checkpoint().size, [&](LeafIndex, std::string_view entry) -> Result<> {
    simulated = simulated || says_simulated(entry);
    return {};
  }));
  return simulated;
}

Result<Instant> instant_of(const std::optional<std::string>& said, std::string_view option) {
  const auto now = SystemClock{}.now();
  if (!said) return now;
  const auto at = parse_instant(*said);
  if (!at) return fail(Errc::usage, "{}: {}", option, at.error().message);
  if (*at > now) return fail(Errc::usage, "{} {}: that has not happened yet; it is {}", option, *said, to_string(now));
  return *at;
}

}  // namespace vouch::cli
