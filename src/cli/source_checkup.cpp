#include "cli/source_checkup.h"

#include "cli/output.h"

#include <map>
#include <set>

namespace vouch::cli {
namespace {

using collect::Outcome;

// What AWS and GitHub still take; a clock that is further off also dates evidence wrongly.
constexpr Duration tolerated_skew = Duration::minutes(1);

std::string in_region(const collect::TreeEntry& entry) { return entry.scope.region.empty() ? "" : " in " + entry.scope.region; }

Finding check_sign_in(const collect::Source& source, const collect::CollectionLeaf& leaf) {
  if (leaf.account.empty())
    return {source.name, Health::bad, leaf.reason,
            source.http
                ? fmt::format("See what vouch.yaml says of `{0}`: where it is asked, and who signs in; and that he was granted what "
                              "`vouch permissions {0}` lists.",
                              source.name)
                : "Give Vouch credentials (environment, ~/.aws, SSO, instance role, or `profile:` in vouch.yaml); `aws sts "
                  "get-caller-identity` must answer."};
  return {source.name, Health::good,
          fmt::format("signed in as {}, account {}", leaf.identity.empty() ? "somebody it does not name" : leaf.identity, leaf.account),
          ""};
}

// The server's dates against the time in which they came.
std::optional<Finding> check_clock(const collect::Source& source, const collect::CollectionLeaf& leaf, const evidence::Receipts& receipts) {
  std::optional<Duration> off;
  for (const auto& receipt : receipts.receipts) {
    if (!receipt.date) continue;
    const auto early = leaf.started - *receipt.date, late = *receipt.date - leaf.ended;
    const auto distance = std::max({early, late, Duration{}});
    off = std::max(off.value_or(Duration{}), distance);
  }
  if (!off) return std::nullopt;
  if (*off <= tolerated_skew) return Finding{source.name, Health::good, "its clock and ours agree", ""};
  return Finding{source.name, Health::bad, fmt::format("its clock and ours are {} apart", to_string(*off)),
                 "Set this machine's clock (NTP): evidence is dated by it, and requests signed by it."};
}

struct Calls {
  std::size_t answered = 0, untried = 0;
  std::map<std::string, std::set<std::string>> denied;  // action, or reason where the catalogue names none -> calls
  Findings failed;
};

// The call that lists what another one asks for, in the same scope or in that of the account.
const collect::TreeEntry* listing_of(const collect::Tree& tree, std::string_view operation, const collect::Scope& scope) {
  const auto* own = tree.find(operation, scope);
  return own ? own : tree.find(operation, {});
}

Calls sort_calls(const collect::Source& source, const collect::Collection& probe) {
  Calls calls;
  for (const auto& entry : probe.tree.entries) {
    const auto* operation = source.find(entry.operation);
    const auto* listing = operation && operation->for_each ? listing_of(probe.tree, operation->for_each->operation, entry.scope) : nullptr;
    const auto name = entry.operation + in_region(entry);
    if (entry.outcome == Outcome::complete) {
      ++calls.answered;
    } else if (listing && listing->outcome != Outcome::complete) {
      ++calls.untried;
    } else if (entry.outcome == Outcome::denied) {
      const bool named = operation && !operation->actions.empty();
      calls.denied[named ? fmt::format("{}", fmt::join(operation->actions, ", ")) : entry.reason].insert(name);
    } else {
      calls.failed.push_back({source.name, Health::doubt, fmt::format("{}: {}", name, entry.reason), ""});
    }
  }
  return calls;
}

std::size_t controls_reading(const std::set<std::string>& calls, const Catalog& catalog) {
  std::set<std::string> tables;
  for (const auto& call : calls)
    for (const auto* table : catalog.tables.from(call.substr(0, call.find(' ')))) tables.insert(table->name);
  return static_cast<std::size_t>(std::ranges::count_if(catalog.controls.controls, [&](const auto& control) {
    return control.on && std::ranges::any_of(control.tables, [&](const auto& table) { return tables.contains(table); });
  }));
}

Findings check_calls(const collect::Source& source, const collect::Collection& probe, const Catalog& catalog) {
  auto calls = sort_calls(source, probe);
  Findings findings{
      {source.name, Health::good,
       fmt::format("{} of {} answered{}", grouped(calls.answered), count_of(probe.tree.entries.size(), "call", "calls"),
                   calls.untried ? fmt::format(", {} not tried: what they are asked for could not be listed", grouped(calls.untried)) : ""),
       ""}};
  for (const auto& [action, names] : calls.denied)
    findings.push_back({source.name, Health::bad,
                        fmt::format("denied: {}; unknown in {}", fmt::join(names, ", "),
                                    count_of(controls_reading(names, catalog), "control", "controls")),
                        fmt::format("Allow {} (`vouch permissions {}` lists all that is needed).", action, source.name)});
  findings.insert(findings.end(), calls.failed.begin(), calls.failed.end());
  return findings;
}

// How far back, and how densely, what the source says can reach.
Finding check_basis(const collect::Source& source, const Catalog& catalog) {
  std::size_t recalled = 0, snapshots = 0;
  for (const auto& table : catalog.tables.tables)
    if (table.source == source.name) ++(table.event.empty() ? snapshots : recalled);
  return {
      source.name, Health::good,
      fmt::format(
          "basis: {} by snapshots{}", count_of(snapshots, "table", "tables"),
          recalled ? fmt::format(", {} recalled: the source still tells of the time before the first collection", grouped(recalled)) : ""),
      ""};
}

}  // namespace

Findings check_source(const collect::Source& source, const collect::Collection& probe, const evidence::Receipts& receipts,
                      const Catalog& catalog) {
  Findings findings{check_sign_in(source, probe.leaf)};
  if (probe.leaf.account.empty()) return findings;
  if (auto clock = check_clock(source, probe.leaf, receipts)) findings.push_back(std::move(*clock));
  auto calls = check_calls(source, probe, catalog);
  findings.insert(findings.end(), std::make_move_iterator(calls.begin()), std::make_move_iterator(calls.end()));
  findings.push_back(check_basis(source, catalog));
  return findings;
}

}  // namespace vouch::cli
