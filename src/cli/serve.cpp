// vouch serve: wires the schedule to the collection.
#include "portal/serve.h"

#include "cli/commands.h"
#include "cli/run_report.h"
#include "cli/source_access.h"

namespace vouch::cli {
namespace {

// In one word and line, of all accounts.
void sum_up(const std::vector<collect::Collection>& collections, portal::Ran& ran) {
  std::vector<std::string> reasons;
  for (const auto& collection : collections) {
    const auto& leaf = collection.leaf;
    const std::string outcome{name_of(leaf.outcome)};
    ran.outcome = ran.outcome.empty() || ran.outcome == outcome ? outcome : std::string{name_of(collect::Outcome::partial)};
    if (!leaf.reason.empty())
      reasons.push_back(collections.size() == 1 ? leaf.reason : fmt::format("account {}: {}", leaf.account, leaf.reason));
    ran.counts.operations += leaf.counts.operations;
    ran.counts.requests += leaf.counts.requests;
    ran.counts.new_bodies += leaf.counts.new_bodies;
    ran.counts.denied += leaf.counts.denied;
    ran.counts.failed += leaf.counts.failed;
    ran.counts.retried += leaf.counts.retried;
  }
  ran.reason = fmt::format("{}", fmt::join(reasons, "; "));
}

class Throttled final : public collect::Observer {
 public:
  void progress(const collect::Progress& at) override {
    if (at.throttled < last_) before_ += last_;  // another account has begun
    last_ = at.throttled;
  }
  [[nodiscard]] std::uint64_t count() const { return before_ + last_; }

 private:
  std::uint64_t before_ = 0, last_ = 0;
};

Result<portal::Ran> collect_source(const Home& home, const std::string& name, const std::atomic<bool>& cancelled) {
  auto sources = TRY(SourceRuns::open(home));  // anew: vouch.yaml and the catalogue may have changed
  const auto chosen = TRY(sources.chosen({name}));
  Throttled observer;
  const auto run = TRY(sources.run(chosen.front(), cancelled, observer));
  portal::Ran ran;
  if (run.cancelled()) {
    ran.outcome = "cancelled";
    return ran;
  }
  sum_up(run.collections, ran);
  ran.throttled = observer.count();
  ran.answer = answer_json(run);
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
