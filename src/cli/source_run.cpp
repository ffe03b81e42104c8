#include "cli/source_run.h"

#include "cli/organisation.h"
#include "cli/source_checkup.h"
#include "collect/scope.h"
#include "ledger/blobs.h"

#include <set>

namespace vouch::cli {

Result<SourceRuns> SourceRuns::open(const Home& home) { return open(home, home, Catalog::Check::changed); }

Result<SourceRuns> SourceRuns::open_scratch(const Home& scratch, const Home& whose_catalogue) {
  return open(scratch, whose_catalogue, Catalog::Check::none);
}

Result<SourceRuns> SourceRuns::open(const Home& home, const Home& whose_catalogue, Catalog::Check check) {
  SourceRuns runs{home};
  runs.settings_ = TRY(home.settings());
  runs.catalog_ = TRY(Catalog::read(whose_catalogue, check));
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

bool SourceRun::shut_out() const {
  return std::any_of(collections.begin(), collections.end(), [](const collect::Collection& one) {
    return one.leaf.outcome == collect::Outcome::denied || one.leaf.outcome == collect::Outcome::failed;
  });
}

// A run of a source, on its way.
struct SourceRuns::Going {
  const SourceSettings& said;
  const std::atomic<bool>& cancelled;
  collect::Observer& observer;
  const Ended& ended;
  SourceRun done = {};
};

Result<SourceRun> SourceRuns::run(const SourceSettings& said, const std::atomic<bool>& cancelled, collect::Observer& observer,
                                  const Ended& ended) {
  const auto own = TRY(reach(said));
  Going going{said, cancelled, observer, ended};
  const bool went_on = TRY(collect_one(going, *own, {}, {}));
  if (went_on) TRY(fold(going));
  if (went_on && own->accounts() && own->accounts()->wider()) TRY(collect_others(going, *own));
  return std::move(going.done);
}

Result<std::unique_ptr<SourceAccess>> SourceRuns::reach(const SourceSettings& said) {
  const auto* source = sources_.find(said.name);
  if (!source) return fail(Errc::config, "the catalogue has no usable call for source `{}`", said.name);
  return open_source(said, *source, *models_, home_.path);
}

Result<collect::Collection> SourceRuns::collect(const SourceSettings& said, SourceAccess& reached, collect::Options options,
                                                collect::Observer& observer) {
  options.secrets_key = TRY(collect::read_secrets_key(options.home));
  options.binary = VOUCH_VERSION;
  options.regions = reached.regions();
  options.schedule = said.every;
  return collect::run(*sources_.find(said.name), catalog_.files, reached.access(), SystemClock{}, options, observer);
}

// False when it was cancelled.
Result<bool> SourceRuns::collect_one(Going& going, SourceAccess& reached, const std::string& account, const std::string& partition) {
  collect::Options options;
  options.home = home_.path;
  options.account = account;
  options.partition = partition;
  options.cancelled = &going.cancelled;
  going.done.collections.push_back(TRY(collect(going.said, reached, std::move(options), going.observer)));
  const auto& collection = going.done.collections.back();
  if (!collection.cancelled && going.ended) going.ended(collection);
  return !collection.cancelled;
}

Result<> SourceRuns::fold(Going& going) {
  auto replayed = TRY(project(home_, catalog_));
  going.done.replayed.rows_opened += replayed.rows_opened;
  going.done.replayed.rows_closed += replayed.rows_closed;
  return {};
}

// Collects another account, unless it has been. False when it was cancelled.
Result<bool> SourceRuns::enter(Going& going, SourceAccess& own, const std::string& account) {
  for (const auto& one : going.done.collections)
    if (one.leaf.account == account) return true;
  const auto partition = going.done.collections.front().leaf.partition;
  const auto entered = own.enter(partition, account);
  return collect_one(going, *entered, account, partition);
}

// Whose list of the organisation counts: that of the account which manages it, collected and folded; our own account where nobody tells of
// another. Nothing when it was cancelled.
Result<std::optional<std::string>> SourceRuns::find_lister(Going& going, SourceAccess& own) {
  const auto ours = going.done.collections.front().leaf.account;
  auto facts = std::optional{TRY(open_facts(home_, catalog_))};
  const auto lister = TRY(TRY(OrganisationViews::read(catalog_.files)).managing_account(*facts, ours)).value_or(ours);
  facts.reset();  // whoever reads holds up who writes
  if (lister == ours) return std::optional{ours};
  if (!TRY(enter(going, own, lister))) return std::nullopt;
  TRY(fold(going));
  return std::optional{lister};
}

Result<> SourceRuns::collect_others(Going& going, SourceAccess& own) {
  const auto ours = going.done.collections.front().leaf.account;
  if (ours.empty()) return {};  // nobody knows who we are: there is nothing to go on from
  const auto& scope = *own.accounts();
  const auto lister = scope.organisation ? TRY(find_lister(going, own)) : std::optional{ours};
  if (!lister) return {};
  const auto decided = TRY(decide_and_record(going.said.name, scope, {ours, *lister}, going.done.collections.back().leaf.ended));
  for (const auto& one : decided)
    if (!one.in) going.done.left_out.push_back(one);
  for (const auto& one : decided)
    if (one.in && !TRY(enter(going, own, one.account))) return {};
  return fold(going);
}

// What is decided now, from the list that the facts hold. On record where it is not what was decided before.
Result<std::vector<evidence::ScopeLeaf::Account>> SourceRuns::decide_and_record(const std::string& source, const AccountScope& scope,
                                                                                const std::vector<std::string>& own, Instant at) {
  auto facts = std::optional{TRY(open_facts(home_, catalog_))};
  const auto listed = scope.organisation ? TRY(TRY(OrganisationViews::read(catalog_.files)).listed_accounts(*facts, own.back()))
                                         : std::vector<ListedAccount>{};
  auto decided = decide_accounts(scope, own, listed);
  for (const auto& warning : decided.warnings) fmt::print(stderr, "{} {}\n", paint("!", Tone::doubt), warning);
  const bool known = TRY(decided_before(*facts, source)) == decided.accounts;
  facts.reset();  // whoever reads holds up who writes
  if (!known) TRY(collect::record_scope(home_.path, {source, at, decided.accounts}));
  return std::move(decided.accounts);
}

// From here on only what these tables are made of is asked and folded.
void SourceRuns::keep_only(const std::string& source, const std::vector<std::string>& tables) {
  std::set<std::string> operations;
  std::erase_if(catalog_.tables.tables, [&](const auto& table) {
    if (std::find(tables.begin(), tables.end(), table.name) == tables.end()) return true;
    operations.insert(table.operation);
    return false;
  });
  for (auto& one : sources_.sources) {
    if (one.name != source) continue;
    // Each stands behind what it iterates over or waits for, so that all of these are met from the end.
    for (auto at = one.operations.rbegin(); at != one.operations.rend(); ++at) {
      if (!operations.contains(at->name())) continue;
      if (at->for_each) operations.insert(at->for_each->operation);
      if (!at->after.empty()) operations.insert(at->after);
    }
    std::erase_if(one.operations, [&](const auto& operation) { return !operations.contains(operation.name()); });
  }
}

namespace {

// What is missing of an answer of the organisation, and how to mend it.
Result<> require_answers(const collect::Source& source, const collect::Collection& collection) {
  for (const auto& entry : collection.tree.entries) {
    if (entry.outcome == collect::Outcome::complete) continue;
    const auto* operation = source.find(entry.operation);
    const bool denied = entry.outcome == collect::Outcome::denied;
    return fail(denied ? Errc::denied : Errc::unreachable, "account {} does not tell of its organisation: {} {}. {}",
                collection.leaf.account, entry.operation, entry.reason,
                denied && operation ? fmt::format("Allow {} there (`vouch permissions {}` lists all that is needed)",
                                                  fmt::join(operation->actions, ", "), source.name)
                                    : "Try again");
  }
  return {};
}

}  // namespace

Result<ListedOrganisation> SourceRuns::list_organisation(const SourceSettings& said, const std::atomic<bool>& cancelled,
                                                         collect::Observer& observer) {
  const auto organisation = TRY(OrganisationViews::read(catalog_.files));
  keep_only(said.name, organisation.tables());
  const auto own = TRY(reach(said));
  const Ended nobody;
  Going going{said, cancelled, observer, nobody};
  const auto stopped = [] { return fail(Errc::usage, "cancelled: nothing was written"); };
  if (!TRY(collect_one(going, *own, {}, {}))) return stopped();
  const auto first = going.done.collections.front().leaf;
  if (first.account.empty())
    return fail(
        first.outcome == collect::Outcome::denied ? Errc::denied : Errc::unreachable,
        "{}. Give Vouch credentials (environment, ~/.aws, SSO, instance role) of the account that manages the organisation, or of one "
        "that may assume the role there; `aws sts get-caller-identity` must answer",
        first.reason);
  TRY(require_answers(*sources_.find(said.name), going.done.collections.front()));
  TRY(fold(going));
  const auto lister = TRY(find_lister(going, *own));
  if (!lister) return stopped();
  const auto& last = going.done.collections.back();
  if (going.done.shut_out())
    return fail(
        Errc::denied,
        "account {} manages the organisation, and {} cannot enter it: {}. Let the role `{}` of {} trust account {} (`vouch permissions {} "
        "--as stackset` prints its template), or use credentials of account {} itself",
        *lister, first.account, last.leaf.reason, own->accounts()->role, *lister, first.account, said.name, *lister);
  TRY(require_answers(*sources_.find(said.name), last));
  auto facts = TRY(open_facts(home_, catalog_));
  if (!TRY(organisation.managing_account(facts, first.account)))
    return fail(Errc::usage, "account {} belongs to no organisation: `vouch init` without --org makes a home for it alone", first.account);
  ListedOrganisation listed{{first.account}, TRY(organisation.listed_accounts(facts, *lister))};
  if (*lister != first.account) listed.own.push_back(*lister);
  return listed;
}

Result<Findings> SourceRuns::check(const SourceSettings& said) {
  const TemporaryDirectory folder;
  const auto scratch = TRY(create_home(folder.path() / "home", "vouch/doctor"));
  collect::Options options;
  options.home = scratch.path;
  options.probe = true;
  collect::Observer nobody;
  const auto probe = collect(said, *TRY(reach(said)), std::move(options), nobody);
  if (!probe) return Findings{{said.name, Health::bad, probe.error().message, "Mend what the message names; then ask again."}};
  evidence::Receipts receipts;
  if (probe->leaf.receipts) {
    const auto blobs = TRY(Blobs::open(scratch.path));
    receipts = TRY(evidence::parse_receipts(TRY(blobs.get(*probe->leaf.receipts))));
  }
  return check_source(*sources_.find(said.name), *probe, receipts, catalog_);
}

}  // namespace vouch::cli
