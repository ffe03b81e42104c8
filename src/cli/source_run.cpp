#include "cli/source_run.h"

#include "cli/source_access.h"
#include "cli/source_checkup.h"
#include "ledger/blobs.h"

namespace vouch::cli {

Result<SourceRuns> SourceRuns::open(const Home& home) {
  SourceRuns runs{home};
  TRY(require_local(home.path));
  runs.settings_ = TRY(home.settings());
  runs.catalog_ = TRY(Catalog::read(home));
  print_problems(runs.catalog_.problems);
  runs.models_ = std::make_unique<wire::Models>(TRY(wire::Models::open(wire::Models::data_directories())));
  Problems problems;
  runs.sources_ = collect::read_source_catalog(runs.catalog_.files, problems);
  collect::check_against_models(runs.sources_, *runs.models_, problems);
  print_problems(problems);
  TRY(check_sources(runs.settings_, runs.sources_));
  return runs;
}

Result<std::vector<SourceSettings>> SourceRuns::chosen(const std::vector<std::string>& names) const {
  const auto& all = settings_.sources;
  std::vector<SourceSettings> sources;
  for (const auto& name : names) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.name == name; });
    if (found == all.end()) return fail(Errc::usage, "no source `{}` in vouch.yaml", name);
    sources.push_back(*found);
  }
  if (names.empty()) std::copy_if(all.begin(), all.end(), std::back_inserter(sources), [](const auto& one) { return one.on; });
  if (sources.empty()) return fail(Errc::usage, "every source in vouch.yaml is off");
  return sources;
}

Result<SourceRun> SourceRuns::run(const SourceSettings& source, const std::atomic<bool>& cancelled, collect::Observer& observer) {
  SourceRun done;
  collect::Options options;
  options.home = home_.path;
  options.cancelled = &cancelled;
  done.collection = TRY(collect(source, std::move(options), observer));
  if (!done.collection.cancelled) done.replayed = TRY(project(home_, catalog_));
  return done;
}

Result<collect::Collection> SourceRuns::collect(const SourceSettings& said, collect::Options options, collect::Observer& observer) {
  const auto* source = sources_.find(said.name);
  if (!source) return fail(Errc::config, "the catalogue has no usable call for source `{}`", said.name);
  const auto reached = TRY(open_source(said, *source, *models_, home_.path));
  options.secrets_key = TRY(collect::read_secrets_key(options.home));
  options.binary = VOUCH_VERSION;
  options.regions = reached->regions();
  options.schedule = said.every;
  return collect::run(*source, catalog_.files, reached->access(), SystemClock{}, options, observer);
}

Result<Findings> SourceRuns::check(const SourceSettings& said) {
  const TemporaryDirectory folder;
  const auto scratch = TRY(create_home(folder.path() / "home", "vouch/doctor"));
  collect::Options options;
  options.home = scratch.path;
  options.probe = true;
  collect::Observer nobody;
  const auto probe = collect(said, std::move(options), nobody);
  if (!probe) return Findings{{said.name, Health::bad, probe.error().message, "Mend what the message names; then ask again."}};
  evidence::Receipts receipts;
  if (probe->leaf.receipts) {
    const auto blobs = TRY(Blobs::open(scratch.path));
    receipts = TRY(evidence::parse_receipts(TRY(blobs.get(*probe->leaf.receipts))));
  }
  return check_source(*sources_.find(said.name), *probe, receipts, catalog_);
}

Json run_json(const SourceRun& run) {
  const auto& leaf = run.collection.leaf;
  json::array incomplete;
  for (const auto& entry : run.collection.tree.entries)
    if (entry.outcome != collect::Outcome::complete)
      incomplete.push_back({{"operation", entry.operation},
                            {"region", entry.scope.region.empty() ? Json(nullptr) : Json(json::string(entry.scope.region))},
                            {"outcome", name_of(entry.outcome)},
                            {"reason", entry.reason}});
  return {{"source", leaf.source},
          {"account", leaf.account},
          {"leaf", run.collection.index ? Json(run.collection.index->value) : Json(nullptr)},
          {"outcome", name_of(leaf.outcome)},
          {"reason", leaf.reason},
          {"started", to_string(leaf.started)},
          {"ended", to_string(leaf.ended)},
          {"unchanged", run.collection.unchanged},
          {"counts",
           {{"operations", leaf.counts.operations},
            {"requests", leaf.counts.requests},
            {"new_bodies", leaf.counts.new_bodies},
            {"denied", leaf.counts.denied},
            {"failed", leaf.counts.failed},
            {"retried", leaf.counts.retried}}},
          {"incomplete", std::move(incomplete)},
          {"facts", {{"opened", run.replayed.rows_opened}, {"closed", run.replayed.rows_closed}}}};
}

namespace {

std::string_view text_of(const Json& value, std::string_view key) {
  const auto* text = find_string(value, key);
  return text ? std::string_view{*text} : std::string_view{};
}

std::uint64_t number_of(const Json& value, std::string_view group, std::string_view key) {
  const auto* members = find_object(value, group);
  const auto* number = members ? members->if_contains(key) : nullptr;
  return number && number->is_number() ? number->to_number<std::uint64_t>() : 0;
}

Tone tone_of(std::string_view outcome) {
  if (outcome == name_of(collect::Outcome::complete)) return Tone::good;
  return outcome == name_of(collect::Outcome::partial) ? Tone::doubt : Tone::bad;
}

void print_incomplete(const json::array& entries) {
  constexpr std::size_t most = 8;
  for (std::size_t i = 0; i < std::min(most, entries.size()); ++i) {
    const auto region = text_of(entries[i], "region");
    fmt::print("  {} {}{}{}: {}\n", paint(text_of(entries[i], "outcome"), Tone::doubt), text_of(entries[i], "operation"),
               region.empty() ? "" : " in ", region, text_of(entries[i], "reason"));
  }
  if (entries.size() > most) fmt::print("  and {} more: vouch sql 'select * from coverage'\n", entries.size() - most);
}

}  // namespace

void print_run(const Json& run) {
  const auto outcome = text_of(run, "outcome");
  const auto account = text_of(run, "account");
  const auto started = parse_instant(text_of(run, "started")), ended = parse_instant(text_of(run, "ended"));
  const auto took = started && ended ? static_cast<double>((*ended - *started).micros) / 1e6 : 0.0;
  const auto* unchanged = find(run, "unchanged");
  fmt::print("{} {} account {}: {} in {:.1f} s, {} kept{}\n", paint(outcome, tone_of(outcome)), text_of(run, "source"),
             account.empty() ? "unknown" : account, count_of(number_of(run, "counts", "requests"), "request", "requests"), took,
             count_of(number_of(run, "counts", "new_bodies"), "new answer", "new answers"),
             unchanged && *unchanged == Json(true) ? ", nothing changed" : "");
  // The reason of a run sums up what is incomplete in it, or tells why there is nothing at all.
  if (const auto* incomplete = find_array(run, "incomplete"); incomplete && !incomplete->empty())
    print_incomplete(*incomplete);
  else if (const auto reason = text_of(run, "reason"); !reason.empty())
    fmt::print("  {}\n", reason);
  const auto opened = number_of(run, "facts", "opened"), closed = number_of(run, "facts", "closed");
  if (opened + closed > 0)
    fmt::print("  {}, {}\n", count_of(opened, "fact is new", "facts are new"), count_of(closed, "has ended", "have ended"));
}

}  // namespace vouch::cli
