// vouch init, vouch collect and vouch scan.
#include "collect/collect.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/source_access.h"

#include <atomic>
#include <csignal>

namespace vouch::cli {
namespace {

std::atomic<bool> cancelled = false;

// Ctrl-C and SIGTERM end a run between two requests; what it had gathered is dropped, and the ledger stays as it was.
void cancel_on_signals() {
  struct sigaction action{};
  action.sa_handler = [](int) { cancelled = true; };
  action.sa_flags = SA_RESETHAND;  // the second one ends the process at once
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

Result<std::vector<SourceSettings>> chosen(const Settings& settings, const std::vector<std::string>& names) {
  std::vector<SourceSettings> sources;
  for (const auto& name : names) {
    const auto found = std::find_if(settings.sources.begin(), settings.sources.end(), [&](const auto& one) { return one.name == name; });
    if (found == settings.sources.end()) return fail(Errc::usage, "no source `{}` in vouch.yaml", name);
    sources.push_back(*found);
  }
  if (names.empty())
    std::copy_if(settings.sources.begin(), settings.sources.end(), std::back_inserter(sources), [](const auto& one) { return one.on; });
  if (sources.empty()) return fail(Errc::usage, "every source in vouch.yaml is off");
  return sources;
}

Result<collect::Collection> run_source(const Home& home, const Catalog& catalog, const Settings& settings, const SourceSettings& said,
                                       const collect::SourceCatalog& sources, wire::Models& models, collect::Observer& observer) {
  const auto* source = sources.find(said.name);
  if (!source) return fail(Errc::config, "the catalogue has no usable call for source `{}`", said.name);
  const auto reached = TRY(open_source(said, *source, models, home.path));
  collect::Options options;
  options.home = home.path;
  options.secrets_key = TRY(collect::read_secrets_key(home.path));
  options.binary = VOUCH_VERSION;
  options.regions = reached->regions();
  options.schedule = settings.schedule;
  options.cancelled = &cancelled;
  return collect::run(*source, catalog.files, reached->access(), SystemClock{}, options, observer);
}

void print_run(const collect::Collection& run, const facts::Replayed& replayed) {
  const auto& leaf = run.leaf;
  const auto took = static_cast<double>((leaf.ended - leaf.started).micros) / 1e6;
  const auto tone = leaf.outcome == collect::Outcome::complete  ? Tone::good
                    : leaf.outcome == collect::Outcome::partial ? Tone::doubt
                                                                : Tone::bad;
  fmt::print("{} {} account {}: {} in {:.1f} s, {} kept{}\n", paint(name_of(leaf.outcome), tone), leaf.source,
             leaf.account.empty() ? "unknown" : leaf.account, count_of(leaf.counts.requests, "request", "requests"), took,
             count_of(leaf.counts.new_bodies, "new answer", "new answers"), run.unchanged ? ", nothing changed" : "");
  if (!leaf.reason.empty()) fmt::print("  {}\n", leaf.reason);
  std::size_t shown = 0, more = 0;
  for (const auto& entry : run.tree.entries) {
    if (entry.outcome == collect::Outcome::complete) continue;
    if (++shown > 8) {
      ++more;
      continue;
    }
    fmt::print("  {} {}{}: {}\n", paint(name_of(entry.outcome), Tone::doubt), entry.operation,
               entry.scope.region.empty() ? "" : " in " + entry.scope.region, entry.reason);
  }
  if (more) fmt::print("  and {} more: vouch sql 'select * from coverage'\n", more);
  if (replayed.rows_opened + replayed.rows_closed > 0)
    fmt::print("  {}, {}\n", count_of(replayed.rows_opened, "fact is new", "facts are new"),
               count_of(replayed.rows_closed, "has ended", "have ended"));
}

Json run_json(const collect::Collection& run, const facts::Replayed& replayed) {
  const auto& leaf = run.leaf;
  json::array incomplete;
  for (const auto& entry : run.tree.entries)
    if (entry.outcome != collect::Outcome::complete)
      incomplete.push_back({{"operation", entry.operation},
                            {"region", entry.scope.region.empty() ? Json(nullptr) : Json(json::string(entry.scope.region))},
                            {"outcome", name_of(entry.outcome)},
                            {"reason", entry.reason}});
  return {{"source", leaf.source},
          {"account", leaf.account},
          {"leaf", run.index ? Json(run.index->value) : Json(nullptr)},
          {"outcome", name_of(leaf.outcome)},
          {"reason", leaf.reason},
          {"started", to_string(leaf.started)},
          {"ended", to_string(leaf.ended)},
          {"unchanged", run.unchanged},
          {"counts",
           {{"operations", leaf.counts.operations},
            {"requests", leaf.counts.requests},
            {"new_bodies", leaf.counts.new_bodies},
            {"denied", leaf.counts.denied},
            {"failed", leaf.counts.failed},
            {"retried", leaf.counts.retried}}},
          {"incomplete", std::move(incomplete)},
          {"facts", {{"opened", replayed.rows_opened}, {"closed", replayed.rows_closed}}}};
}

Result<Exit> collect_into(const Home& home, const Common& common, const CollectOptions& options, bool say_json) {
  const auto format = TRY(parse_format(common.format.value_or("table")));
  const auto settings = TRY(home.settings());
  const auto catalog = TRY(Catalog::read(home));
  print_problems(catalog.problems);
  auto models = TRY(wire::Models::open(wire::Models::data_directories()));
  Problems problems;
  auto sources = collect::read_source_catalog(catalog.files, problems);
  collect::check_against_models(sources, models, problems);
  print_problems(problems);
  TRY(check_sources(settings, sources));
  cancel_on_signals();
  json::array runs;
  bool unreachable = false;
  for (const auto& source : TRY(chosen(settings, options.sources))) {
    const auto observer = make_progress(source.name, format);
    const auto run = TRY(run_source(home, catalog, settings, source, sources, models, *observer));
    observer->finish();
    if (run.cancelled) return fail(Errc::usage, "cancelled: nothing of this run was recorded");
    const auto replayed = TRY(project(home, catalog));
    unreachable = unreachable || run.leaf.outcome == collect::Outcome::denied || run.leaf.outcome == collect::Outcome::failed;
    if (format == Format::json)
      runs.push_back(run_json(run, replayed));
    else
      print_run(run, replayed);
  }
  if (format == Format::json && say_json) {
    auto facts = TRY(open_facts(home, catalog));
    auto out = envelope(SystemClock{}.now(), TRY(facts.state()));
    out["runs"] = std::move(runs);
    fmt::print("{}\n", pretty(out));
  }
  return unreachable ? Exit::undecided : Exit::ok;
}

}  // namespace

Result<Exit> run_init(const Common& common, const InitOptions& options) {
  const auto home = options.folder ? Home{*options.folder} : find_home(common.home);
  TRY(create_home(home.path, options.origin));
  fmt::print("made `{}`: settings in vouch.yaml, keys in keys/ (keep ledger.key to yourself), an empty ledger\n", home.path.string());
  fmt::print("next: vouch --home {} collect\n", home.path.string());
  return Exit::ok;
}

Result<Exit> run_collect(const Common& common, const CollectOptions& options) {
  return collect_into(TRY(require_home(common.home)), common, options, true);
}

Result<Exit> run_scan(const Common& common, const CollectOptions& options) {
  const auto home = find_home(common.home);
  const auto format = TRY(parse_format(common.format.value_or("table")));
  if (!home.exists()) TRY(create_home(home.path, ""));
  const auto collected = TRY(collect_into(home, common, options, false));
  if (format != Format::json && format != Format::csv) fmt::print("\n");
  TRY(run_status(common, {}));
  return collected;  // a scan that ran and recorded is well, whatever it found
}

}  // namespace vouch::cli
