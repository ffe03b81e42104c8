// cli/source_run.h - one named source, collected in all its accounts and folded into the facts: what collect, scan and serve share.
#pragma once

#include "cli/accounts.h"
#include "cli/finding.h"
#include "cli/session.h"
#include "cli/source_access.h"
#include "collect/collect.h"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace vouch::cli {

// What a source brought: a collection of each of its accounts, in the order in which they were made.
struct SourceRun {
  std::vector<collect::Collection> collections;        // one at least; only the last can have been cancelled
  std::vector<evidence::ScopeLeaf::Account> left_out;  // accounts that are there and are not read
  facts::Replayed replayed;                            // what all of it changed; nothing when it was cancelled
  [[nodiscard]] bool cancelled() const { return collections.back().cancelled; }
  [[nodiscard]] bool shut_out() const;  // from one account at least: denied or failed
};

struct ListedOrganisation {
  std::vector<std::string> own;  // our own account, and the one that manages the organisation where that is another: read in any case
  std::vector<ListedAccount> accounts;
};

// What a run needs of a home, as it stands when this is opened: settings, catalogue, service models. Problems go to stderr.
class SourceRuns {
 public:
  // Errc::config: vouch.yaml or the catalogue is wrong.
  static Result<SourceRuns> open(const Home& home);
  // A scratch home that has the catalogue of another, be it there or still to come, without controls.
  static Result<SourceRuns> open_scratch(const Home& scratch, const Home& whose_catalogue);

  // By name, else all that are on. Errc::usage when there is none.
  [[nodiscard]] Result<std::vector<SourceSettings>> chosen(const std::vector<std::string>& names) const;

  // All of its accounts once: first the one that our own credentials are in (and the one that manages the organisation, where that is
  // another), then those that follow from what it lists and from vouch.yaml, one after the other. Which these are is put on record where
  // it differs from the time before. `ended` is told of each collection. The errors are those of collect::run; what had been
  // collected until then stays.
  using Ended = std::function<void(const collect::Collection&)>;
  Result<SourceRun> run(const SourceSettings& source, const std::atomic<bool>& cancelled, collect::Observer& observer,
                        const Ended& ended = {});

  // The first steps of run(): who we are, which account manages the organisation, and what it lists. Only what the facts of that are made
  // of is asked. Recorded like any run: this is for a scratch home. The errors say what kept the list from us and how to mend it;
  // Errc::usage where there is no organisation, or it was cancelled.
  Result<ListedOrganisation> list_organisation(const SourceSettings& source, const std::atomic<bool>& cancelled,
                                               collect::Observer& observer);

  // Asks a little of everything, in a scratch home, and says how it went. Nothing of it is evidence, and none is an error but a full disk.
  Result<Findings> check(const SourceSettings& source);

  [[nodiscard]] const Home& home() const { return home_; }
  [[nodiscard]] const Catalog& catalog() const { return catalog_; }
  [[nodiscard]] const collect::SourceCatalog& described() const { return sources_; }

 private:
  explicit SourceRuns(Home home) : home_(std::move(home)) {}
  static Result<SourceRuns> open(const Home& home, const Home& whose_catalogue, Catalog::Check check);
  struct Going;
  Result<std::unique_ptr<SourceAccess>> reach(const SourceSettings& source);
  Result<collect::Collection> collect(const SourceSettings& source, SourceAccess& reached, collect::Options options,
                                      collect::Observer& observer);
  Result<bool> collect_one(Going& going, SourceAccess& reached, const std::string& account, const std::string& partition);
  void keep_only(const std::string& source, const std::vector<std::string>& tables);
  Result<bool> enter(Going& going, SourceAccess& own, const std::string& account);
  Result<std::optional<std::string>> find_lister(Going& going, SourceAccess& own);
  Result<> collect_others(Going& going, SourceAccess& own);
  Result<> fold(Going& going);
  Result<std::vector<evidence::ScopeLeaf::Account>> decide_and_record(const std::string& source, const AccountScope& scope,
                                                                      const std::vector<std::string>& own, Instant at);

  Home home_;
  Settings settings_;
  Catalog catalog_;
  std::unique_ptr<wire::Models> models_;
  collect::SourceCatalog sources_;
};

}  // namespace vouch::cli
