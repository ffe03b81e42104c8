// vouch init, vouch collect and vouch scan.
#include "cli/progress.h"
#include "cli/source_run.h"

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

Result<Exit> collect_into(const Home& home, const Common& common, const CollectOptions& options, bool say_json) {
  const auto format = TRY(parse_format(common.format.value_or("table")));
  auto sources = TRY(SourceRuns::open(home));
  cancel_on_signals();
  json::array runs;
  bool unreachable = false;
  for (const auto& source : TRY(sources.chosen(options.sources))) {
    const auto observer = make_progress(source.name, format);
    const auto run = TRY(sources.run(source, cancelled, *observer));
    observer->finish();
    if (run.collection.cancelled) return fail(Errc::usage, "cancelled: nothing of this run was recorded");
    const auto outcome = run.collection.leaf.outcome;
    unreachable = unreachable || outcome == collect::Outcome::denied || outcome == collect::Outcome::failed;
    runs.push_back(run_json(run));
    if (format != Format::json) print_run(runs.back());
  }
  if (format == Format::json && say_json) {
    auto facts = TRY(open_facts(home, sources.catalog()));
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
