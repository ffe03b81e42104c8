// cli/source_run.h - one named source, collected and folded into the facts: what collect, scan and serve share.
#pragma once

#include "cli/finding.h"
#include "cli/session.h"
#include "collect/collect.h"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace vouch::cli {

struct SourceRun {
  collect::Collection collection;
  facts::Replayed replayed;  // what it changed; nothing when the run was cancelled
};

// What a run needs of a home, as it stands when this is opened: settings, catalogue, service models. Problems go to stderr.
class SourceRuns {
 public:
  // Errc::config: vouch.yaml or the catalogue is wrong.
  static Result<SourceRuns> open(const Home& home);

  // By name, else all that are on. Errc::usage when there is none.
  [[nodiscard]] Result<std::vector<SourceSettings>> chosen(const std::vector<std::string>& names) const;

  // Once; the errors are those of collect::run.
  Result<SourceRun> run(const SourceSettings& source, const std::atomic<bool>& cancelled, collect::Observer& observer);

  // Asks a little of everything, in a scratch home, and says how it went. Nothing of it is evidence, and none is an error but a full disk.
  Result<Findings> check(const SourceSettings& source);

  [[nodiscard]] const Home& home() const { return home_; }
  [[nodiscard]] const Catalog& catalog() const { return catalog_; }
  [[nodiscard]] const collect::SourceCatalog& described() const { return sources_; }

 private:
  explicit SourceRuns(Home home) : home_(std::move(home)) {}
  Result<collect::Collection> collect(const SourceSettings& source, collect::Options options, collect::Observer& observer);

  Home home_;
  Settings settings_;
  Catalog catalog_;
  std::unique_ptr<wire::Models> models_;
  collect::SourceCatalog sources_;
};

// An entry of `runs` (docs/json.md), and the same for people.
Json run_json(const SourceRun& run);
void print_run(const Json& run);

}  // namespace vouch::cli
