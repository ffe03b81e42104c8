#include "cli/scope_proposal.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>

namespace vouch::cli {
namespace {

using Scope = UnitMeaning::Scope;
using Kind = ProposedUnit::Kind;

constexpr std::string_view own_reason = "what our own credentials are in, and what manages the organisation: read in any case";
constexpr std::string_view root_reason = "in no unit that would say what it is for: kept until somebody has looked";
constexpr std::string_view unplaced_reason = "the organisation did not tell which unit it stands in: kept until somebody has looked";
constexpr std::string_view unknown_reason = "the name says neither in nor out: kept until somebody has looked";

// A unit with accounts in it or below it.
struct Unit {
  std::string id, path;
  UnitMeaning meaning;
  std::optional<std::size_t> row;                      // of Proposal::units; none where no account that counts stands in it
  std::set<std::string> accounts;                      // all in it and below it
  std::map<std::string, std::unique_ptr<Unit>> below;  // by name, then id
};

// What is said of a unit, given what is said of the one above it.
UnitMeaning below(const UnitMeaning& above, const std::optional<UnitMeaning>& own) {
  if (!own) return above;
  if (above.scope == Scope::out && own->scope == Scope::look) return above;
  if (above.scope == Scope::in && !above.divided && own->scope == Scope::out) {
    UnitMeaning doubtful;
    doubtful.reason = fmt::format("its name says out, but it stands in what is to be read ({})", above.reason);
    return doubtful;
  }
  return *own;
}

bool all_out(const Unit& unit) {
  return unit.meaning.scope == Scope::out &&
         std::all_of(unit.below.begin(), unit.below.end(), [](const auto& one) { return all_out(*one.second); });
}

AccountRule exclusion(std::string account, std::string unit, std::string reason) {
  return {.in = false, .account = std::move(account), .unit = std::move(unit), .reason = std::move(reason), .where = {}};
}

class Proposing {
 public:
  Proposing(const std::vector<ListedAccount>& listed, const std::vector<std::string>& own, const UnitWords& words)
      : listed_(listed), all_active_(listed), own_(own.begin(), own.end()), words_(words) {
    top_.meaning.reason = unknown_reason;
    for (auto& one : all_active_) one.status = "ACTIVE";
  }

  Proposal propose() {
    add(Kind::own, "", {Scope::in, std::string{own_reason}, "", false}, {own_.begin(), own_.end()});
    sort_out();
    judge(top_);
    for (auto& [status, accounts] : inactive_)
      add(Kind::inactive, status, {Scope::out, fmt::format("{} in the organisation", status), "", false}, std::move(accounts));
    exclude_in(top_, std::nullopt);
    if (!says_the_same(scope(), listed_, {own_.begin(), own_.end()}, proposal_)) exclude_by_number();
    return std::move(proposal_);
  }

 private:
  void sort_out() {
    std::vector<std::string> in_root, unplaced;
    for (const auto& one : listed_) {
      if (one.placed) grow(one);
      if (own_.contains(one.account)) continue;
      auto& group = one.status != "ACTIVE" ? inactive_[one.status]
                    : !one.placed          ? unplaced
                    : one.unit_ids.empty() ? in_root
                                           : standing_in_[one.unit_ids.back()];
      group.push_back(one.account);
    }
    add(Kind::root, "", {Scope::look, std::string{root_reason}, "", false}, std::move(in_root));
    add(Kind::unplaced, "", {Scope::look, std::string{unplaced_reason}, "", false}, std::move(unplaced));
  }

  void grow(const ListedAccount& one) {
    auto* unit = &top_;
    for (std::size_t depth = 0; depth < one.unit_ids.size(); ++depth) {
      auto& next = unit->below[one.unit_names[depth] + '\0' + one.unit_ids[depth]];
      if (!next) {
        next = std::make_unique<Unit>();
        next->id = one.unit_ids[depth];
        next->path = (unit == &top_ ? "" : unit->path + "/") + one.unit_names[depth];
        next->meaning = below(unit->meaning, meaning_of(words_, one.unit_names[depth]));
      }
      unit = next.get();
      unit->accounts.insert(one.account);
    }
  }

  void add(Kind kind, std::string name, const UnitMeaning& meaning, std::vector<std::string> accounts) {
    if (accounts.empty()) return;
    std::sort(accounts.begin(), accounts.end());
    proposal_.units.push_back({kind, std::move(name), meaning.scope, meaning.reason, meaning.look, std::move(accounts)});
  }

  void judge(Unit& unit) {
    if (const auto found = standing_in_.find(unit.id); found != standing_in_.end()) {
      unit.row = proposal_.units.size();
      add(Kind::unit, unit.path, unit.meaning, found->second);
    }
    for (auto& [name, next] : unit.below) judge(*next);
  }

  // `rule`: the position of a rule for a unit further up, which holds here too.
  void exclude_in(const Unit& unit, std::optional<std::size_t> rule) {
    const bool out = unit.meaning.scope == Scope::out;
    const bool said = rule && proposal_.exclude[*rule].rule.reason == unit.meaning.reason;
    if (out && !said) {
      rule = all_out(unit) ? exclude_unit(unit) : std::nullopt;
      if (!rule && unit.row) exclude_accounts(*unit.row);
    }
    if (out && rule && unit.row) proposal_.exclude[*rule].units.push_back(*unit.row);
    for (const auto& [name, next] : unit.below) exclude_in(*next, rule);
  }

  // By its path, or by its id where the path means another unit too. Nothing when neither is this unit alone.
  std::optional<std::size_t> exclude_unit(const Unit& unit) {
    for (const auto& name : {unit.path, unit.id}) {
      if (name.empty() || name.starts_with('/') || name.ends_with('/')) continue;  // vouch.yaml is read without those
      auto rule = exclusion("", name, unit.meaning.reason);
      if (taken_out_by(rule) != unit.accounts) continue;
      proposal_.exclude.push_back({std::move(rule), {}});
      return proposal_.exclude.size() - 1;
    }
    return std::nullopt;
  }

  [[nodiscard]] std::set<std::string> taken_out_by(const AccountRule& rule) const {
    AccountScope alone;
    alone.organisation = true;
    alone.rules.push_back(rule);
    std::set<std::string> out;
    for (const auto& one : decide_accounts(alone, {}, all_active_).accounts)
      if (!one.in) out.insert(one.account);
    return out;
  }

  void exclude_accounts(std::size_t row) {
    const auto& unit = proposal_.units[row];
    for (const auto& account : unit.accounts) proposal_.exclude.push_back({exclusion(account, "", unit.reason), {row}});
  }

  // Where rules for units would decide otherwise than is meant: a unit that is called by another one's id.
  void exclude_by_number() {
    proposal_.exclude.clear();
    for (std::size_t row = 0; row < proposal_.units.size(); ++row)
      if (proposal_.units[row].kind == Kind::unit && proposal_.units[row].scope == Scope::out) exclude_accounts(row);
  }

  [[nodiscard]] AccountScope scope() const {
    AccountScope scope;
    scope.organisation = true;
    for (const auto& one : proposal_.exclude) scope.rules.push_back(one.rule);
    return scope;
  }

  const std::vector<ListedAccount>& listed_;
  std::vector<ListedAccount> all_active_;  // a rule is for those too that are suspended now
  const std::set<std::string> own_;
  const UnitWords& words_;
  Unit top_;
  std::map<std::string, std::vector<std::string>> standing_in_, inactive_;  // by the unit's id; by status
  Proposal proposal_;
};

}  // namespace

std::size_t Proposal::count(Scope scope) const {
  std::size_t accounts = 0;
  for (const auto& unit : units)
    if (unit.scope == scope) accounts += unit.accounts.size();
  return accounts;
}

Proposal propose_scope(const std::vector<ListedAccount>& listed, const std::vector<std::string>& own, const UnitWords& words) {
  return Proposing{listed, own, words}.propose();
}

bool says_the_same(const AccountScope& scope, const std::vector<ListedAccount>& listed, const std::vector<std::string>& own,
                   const Proposal& proposal) {
  std::map<std::string, std::pair<bool, std::string>> said;
  for (const auto& unit : proposal.units)
    for (const auto& account : unit.accounts)
      if (!said.emplace(account, std::pair{unit.scope != Scope::out, unit.scope == Scope::out ? unit.reason : ""}).second) return false;
  const auto decided = decide_accounts(scope, own, listed).accounts;
  return decided.size() == said.size() && std::all_of(decided.begin(), decided.end(), [&](const auto& one) {
           const auto found = said.find(one.account);
           return found != said.end() && found->second == std::pair{one.in, one.reason};
         });
}

}  // namespace vouch::cli
