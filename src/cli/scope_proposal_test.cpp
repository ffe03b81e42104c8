#include "cli/scope_proposal.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

namespace vouch::cli {
namespace {

using Scope = UnitMeaning::Scope;
using Kind = ProposedUnit::Kind;

const UnitWords& words() {
  static const UnitWords words = [] {
    Problems problems;
    return read_unit_words(shipped_catalog(), problems);
  }();
  return words;
}

// One account for each path; "Sandbox!" stands in Sandbox and is suspended. Ids are the paths' own, as AWS would draw them.
std::vector<ListedAccount> standing(const std::vector<std::vector<std::string>>& paths) {
  std::vector<ListedAccount> listed;
  std::map<std::vector<std::string>, std::string> ids;
  for (const auto& path : paths) {
    ListedAccount one{fmt::format("{:012}", 100 + listed.size()), "ACTIVE", true, {}, {}};
    for (std::size_t depth = 0; depth < path.size(); ++depth) {
      const std::vector<std::string> above{path.begin(), path.begin() + static_cast<std::ptrdiff_t>(depth) + 1};
      one.unit_ids.push_back(ids.try_emplace(above, fmt::format("ou-ab12-{:08}", ids.size())).first->second);
      one.unit_names.push_back(path[depth]);
    }
    listed.push_back(std::move(one));
  }
  return listed;
}

Result<AccountScope> read_back(const Proposal& proposal) {
  const auto text = "aws:\n" + write_scope(proposal, "VouchReader", "acme-7f3a", "2026-11-25");
  const auto root = Yaml::parse(text, "vouch.yaml");
  if (!root) return std::unexpected(root.error());
  return read_account_scope((*root)["aws"]);
}

const ProposedUnit* unit_of(const Proposal& proposal, std::string_view name) {
  for (const auto& unit : proposal.units)
    if (unit.kind == Kind::unit && unit.name == name) return &unit;
  return nullptr;
}

std::string scope_of(const Proposal& proposal, std::string_view name) {
  const auto* unit = unit_of(proposal, name);
  return !unit ? "not there" : unit->scope == Scope::in ? "in" : unit->scope == Scope::out ? "out" : "look";
}

TEST(ScopeProposal, AUnitFollowsTheOneItStandsInUnlessItsNameSaysOtherwise) {
  const auto proposal = propose_scope(standing({{"Sandbox"},
                                                {"Sandbox", "Ann"},
                                                {"Sandbox", "Dev"},
                                                {"Sandbox", "Prod"},
                                                {"Workloads", "Shop"},
                                                {"Workloads", "Lab"},
                                                {"Workloads", "SDLC", "Shop"},
                                                {"Prod", "Sandbox"},
                                                {"Shop", "Sandbox"},
                                                {"Shop", "Red"}}),
                                      {}, words());
  EXPECT_EQ(scope_of(proposal, "Sandbox"), "out");
  EXPECT_EQ(scope_of(proposal, "Sandbox/Ann"), "out");
  EXPECT_EQ(scope_of(proposal, "Sandbox/Dev"), "out");
  EXPECT_EQ(scope_of(proposal, "Sandbox/Prod"), "in");
  EXPECT_EQ(scope_of(proposal, "Workloads/Shop"), "in");
  EXPECT_EQ(scope_of(proposal, "Workloads/Lab"), "out");
  EXPECT_EQ(scope_of(proposal, "Workloads/SDLC/Shop"), "look");
  EXPECT_EQ(scope_of(proposal, "Prod/Sandbox"), "look");  // customers' sandboxes, perhaps
  EXPECT_EQ(scope_of(proposal, "Shop/Sandbox"), "out");
  EXPECT_EQ(scope_of(proposal, "Shop/Red"), "look");
}

TEST(ScopeProposal, OneRuleTakesOutAWholeUnitAndNoneIsIncluded) {
  const auto proposal = propose_scope(standing({{"Sandbox", "Ann"}, {"Sandbox", "Bob"}, {"Prod"}, {}}), {}, words());
  ASSERT_EQ(proposal.exclude.size(), 1u);
  EXPECT_EQ(proposal.exclude[0].rule.unit, "Sandbox");
  EXPECT_EQ(proposal.exclude[0].units.size(), 2u);
  const auto scope = read_back(proposal);
  ASSERT_TRUE(scope) << scope.error().message;
  EXPECT_TRUE(std::none_of(scope->rules.begin(), scope->rules.end(), [](const auto& rule) { return rule.in; }));
  // Who joins later is in.
  const auto later = decide_accounts(*scope, {}, {{"200000000001", "ACTIVE", true, {"ou-new"}, {"New"}}});
  EXPECT_TRUE(later.accounts.at(0).in);
}

TEST(ScopeProposal, WhatStandsBesideAUnitThatIsInIsLeftOutByItsNumber) {
  const auto listed = standing({{"Sandbox"}, {"Sandbox", "Prod"}});
  const auto proposal = propose_scope(listed, {}, words());
  ASSERT_EQ(proposal.exclude.size(), 1u);
  EXPECT_EQ(proposal.exclude[0].rule.account, listed[0].account);
}

TEST(ScopeProposal, OurOwnAccountIsInWhereverItStandsAndSuspendedOnesAreTheirOwnReason) {
  auto listed = standing({{"Sandbox"}, {"Sandbox"}, {"Prod"}, {}});
  listed[2].status = "SUSPENDED";
  listed[3].placed = false;
  const auto proposal = propose_scope(listed, {listed[0].account}, words());
  EXPECT_EQ(proposal.units[0].kind, Kind::own);
  EXPECT_EQ(unit_of(proposal, "Sandbox")->accounts, std::vector{listed[1].account});
  EXPECT_EQ(proposal.units[1].kind, Kind::unplaced);
  EXPECT_EQ(proposal.units.back().reason, "SUSPENDED in the organisation");
  EXPECT_EQ(proposal.count(Scope::in) + proposal.count(Scope::look), 2u);
  EXPECT_TRUE(says_the_same(*read_back(proposal), listed, {listed[0].account}, proposal));
}

TEST(ScopeProposal, ANameThatCouldBeTakenForAnotherUnitIsWrittenByItsId) {
  const auto listed = standing({{"Sandbox/A"}, {"Sandbox", "A"}, {"Sandbox", "Prod"}, {"/Lab/"}});
  const auto proposal = propose_scope(listed, {}, words());
  EXPECT_TRUE(says_the_same(*read_back(proposal), listed, {}, proposal));
  EXPECT_EQ(scope_of(proposal, "/Lab/"), "out");
  EXPECT_EQ(proposal.exclude[0].rule.unit, listed[3].unit_ids[0]);
}

TEST(ScopeProposal, SettingsThatWereEditedSayAnotherThing) {
  const auto listed = standing({{"Sandbox"}, {"Lab"}, {"Prod"}});
  const auto proposal = propose_scope(listed, {}, words());
  for (std::size_t i = 0; i < proposal.exclude.size(); ++i) {
    auto fewer = *read_back(proposal), otherwise = fewer;
    fewer.rules.erase(fewer.rules.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_FALSE(says_the_same(fewer, listed, {}, proposal));
    otherwise.rules[i].reason = "because";
    EXPECT_FALSE(says_the_same(otherwise, listed, {}, proposal));
  }
  EXPECT_EQ(proposal.exclude.size(), 2u);
}

TEST(ScopeProposal, OfNothingListedOurOwnAccountIsLeft) {
  const auto proposal = propose_scope({}, {"100000000001"}, words());
  EXPECT_EQ(proposal.units.size(), 1u);
  EXPECT_TRUE(says_the_same(*read_back(proposal), {}, {"100000000001"}, proposal));
}

TEST(ScopeProposal, AnExternalIdThatNobodyNamedIsNotSent) {
  const auto text = write_scope(propose_scope({}, {"100000000001"}, words()), "audit/VouchReader", "", "2026-11-25");
  const auto scope = read_account_scope((*Yaml::parse("aws:\n" + text, "vouch.yaml"))["aws"]);
  ASSERT_TRUE(scope) << scope.error().message;
  EXPECT_EQ(scope->external_id, "");
  EXPECT_EQ(scope->role, "audit/VouchReader");
}

// Names that say something, names that say nothing, and pieces that mean something to YAML, to a path or to a terminal.
rc::Gen<std::string> a_name() {
  const auto piece = rc::gen::element<std::string>("Sandbox", "Prod", "Dev", "Lab", "Shop", "Workloads", "Suspended", " ", "/", "\"", "\\",
                                                   "#", ": ", "- ", "\n", "\r\n", "\t", "{", "]", ",", "'", "*a", "&a", "!", "%", "null",
                                                   "~", "true", "\x01", "\x1b[2J", "\x7f", "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xae",
                                                   "\xef\xbb\xbf", "\xc3\xa4", "\xf0\x9f\x94\xa5", "ou-ab12-00000001", "exclude: []", "42");
  return rc::gen::map(rc::gen::resize(4, rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(piece))),
                      [](const auto& pieces) { return fmt::format("{}", fmt::join(pieces, "")); });
}

RC_GTEST_PROP(ScopeProposal, WhatIsWrittenDecidesEveryAccountAsTheTableSays, ()) {
  // Few names, so that units meet that share one.
  const auto names = *rc::gen::nonEmpty(rc::gen::resize(6, rc::gen::container<std::vector<std::string>>(a_name())));
  const auto a_path = rc::gen::resize(5, rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(names)));
  auto listed = standing(*rc::gen::resize(30, rc::gen::container<std::vector<std::vector<std::string>>>(a_path)));
  std::vector<std::string> own{"900000000000"};
  for (auto& one : listed) {
    if (*rc::gen::weightedElement<bool>({{5, false}, {1, true}})) one.status = "SUSPENDED";
    if (*rc::gen::weightedElement<bool>({{9, false}, {1, true}})) one = {one.account, one.status, false, {}, {}};
    if (*rc::gen::weightedElement<bool>({{9, false}, {1, true}})) own.push_back(one.account);
  }
  const auto proposal = propose_scope(listed, own, words());
  const auto scope = read_back(proposal);
  RC_ASSERT(scope.has_value());
  RC_ASSERT(says_the_same(*scope, listed, own, proposal));
  const auto decided = decide_accounts(*scope, own, listed);
  RC_ASSERT(static_cast<std::size_t>(std::ranges::count_if(decided.accounts, [](const auto& one) { return !one.in; })) ==
            proposal.count(Scope::out));
  // No rule is for nothing, and what is printed is one line a unit.
  RC_ASSERT(decided.warnings.empty());
  const auto table = render(table_of(proposal), Format::table);
  RC_ASSERT(static_cast<std::size_t>(std::count(table.begin(), table.end(), '\n')) == proposal.units.size() + 1);
  RC_ASSERT(table.find('\x1b') == std::string::npos);
  RC_TAG(fmt::format("{} out", std::min<std::size_t>(proposal.count(Scope::out), 3)));
}

RC_GTEST_PROP(ScopeProposal, AnyTextIsReadBackAsItWas, ()) {
  const auto text = *a_name();
  const auto root = Yaml::parse(fmt::format("a: [{{x: {}, y: z}}]\n", yaml_text(text)), "f");
  RC_ASSERT(root.has_value());
  RC_ASSERT((*root)["a"].items().at(0).text("x").value_or("?") == text);
}

}  // namespace
}  // namespace vouch::cli
