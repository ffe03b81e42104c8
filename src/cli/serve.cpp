// vouch serve: wires the schedule to the collection.
#include "portal/serve.h"

#include "cli/commands.h"
#include "cli/source_access.h"
#include "cli/source_run.h"

namespace vouch::cli {
namespace {

class Throttled final : public collect::Observer {
 public:
  void progress(const collect::Progress& at) override { count_ = at.throttled; }
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  std::uint64_t count_ = 0;
};

Result<portal::Ran> collect_source(const Home& home, const std::string& name, const std::atomic<bool>& cancelled) {
  auto sources = TRY(SourceRuns::open(home));  // anew: vouch.yaml and the catalogue may have changed
  const auto chosen = TRY(sources.chosen({name}));
  Throttled observer;
  const auto run = TRY(sources.run(chosen.front(), cancelled, observer));
  portal::Ran ran;
  if (run.collection.cancelled) {
    ran.outcome = "cancelled";
    return ran;
  }
  const auto& leaf = run.collection.leaf;
  ran.outcome = name_of(leaf.outcome);
  ran.reason = leaf.reason;
  ran.counts = leaf.counts;
  ran.throttled = observer.count();
  ran.runs.push_back(run_json(run));
  return ran;
}

}  // namespace

Result<Exit> run_serve(const Common& common, const ServeOptions& said) {
  const auto home = TRY(require_home(common.home));
  const auto settings = TRY(home.settings());
  TRY(SourceRuns::open(home));  // what is wrong with the settings is said now, and not in the night
  portal::Options options;
  options.home = home.path;
  options.version = VOUCH_VERSION;
  if (said.listen) options.listen = *said.listen;
  for (const auto& source : settings.sources) {
    options.sources.push_back(
        {.source = source.name, .every = source.on ? std::optional{source.every} : std::nullopt, .last = std::nullopt});
    if (auto secret = TRY(webhook_secret(source, home.path)); secret && source.on) options.github_secret = std::move(secret);
  }
  const SystemClock clock;
  portal::Log log{clock};
  const auto collect = [&home](const std::string& source, const std::atomic<bool>& cancelled) {
    auto ran = collect_source(home, source, cancelled);
    if (ran) return std::move(*ran);
    portal::Ran failed;
    failed.outcome = "error";
    failed.reason = std::move(ran).error().message;
    return failed;
  };
  TRY(portal::serve(std::move(options), collect, clock, log));
  return Exit::ok;
}

}  // namespace vouch::cli
