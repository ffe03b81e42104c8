#include "cli/accounts.h"

#include <gtest/gtest.h>

namespace vouch::cli {
namespace {

Result<AccountScope> scope_of(const std::string& text) { return read_account_scope(Yaml::parse(text, "vouch.yaml").value()); }

// "in", or why it is out.
std::string decision(const Decided& decided, std::string_view account) {
  for (const auto& one : decided.accounts)
    if (one.account == account) return one.in ? "in" : one.reason;
  return "not there";
}

const std::vector<ListedAccount> listed{{"100000000001", "ACTIVE", true, {}, {}},
                                        {"100000000002", "ACTIVE", true, {"ou-w"}, {"Workloads"}},
                                        {"100000000003", "ACTIVE", true, {"ou-w", "ou-p"}, {"Workloads", "Prod"}},
                                        {"100000000004", "ACTIVE", true, {"ou-w", "ou-l"}, {"Workloads", "Lab"}},
                                        {"100000000005", "SUSPENDED", true, {"ou-w", "ou-p"}, {"Workloads", "Prod"}},
                                        {"100000000006", "ACTIVE", false, {}, {}}};

Decided decide(const std::string& rules) {
  const auto scope = scope_of("role: VouchReader\n" + rules);
  EXPECT_TRUE(scope) << scope.error().message;
  return decide_accounts(*scope, {"100000000001"}, listed);
}

TEST(Accounts, OfAnOrganisationAllActiveOnesAreReadAndTheOthersSayWhyNot) {
  const auto all = decide("organisation: {}\n");
  EXPECT_EQ(all.accounts.size(), listed.size());
  for (const auto* account : {"100000000001", "100000000002", "100000000003", "100000000004", "100000000006"})
    EXPECT_EQ(decision(all, account), "in") << account;
  EXPECT_EQ(decision(all, "100000000005"), "SUSPENDED in the organisation");
  EXPECT_EQ(decide("organisation:\n").accounts, all.accounts);
}

TEST(Accounts, TheClosestRuleDecides) {
  const auto some = decide(R"(
organisation:
  include:
    - {unit: /Workloads/Prod/}
    - {account: "100000000004"}
  exclude:
    - {unit: ou-w, reason: elsewhere}
    - {unit: Workloads/Lab, reason: nothing of customers}
)");
  EXPECT_EQ(decision(some, "100000000002"), "elsewhere");
  EXPECT_EQ(decision(some, "100000000003"), "in");
  EXPECT_EQ(decision(some, "100000000004"), "in");
  EXPECT_EQ(decision(some, "100000000001"), "in");  // our own is read in any case
}

TEST(Accounts, WhereSomeAreIncludedTheRestIsLeftOutUnlessNobodyKnowsWhereItStands) {
  const auto some = decide("organisation: {include: [{unit: Workloads/Prod}]}\n");
  EXPECT_EQ(decision(some, "100000000002"), "under no `include` of vouch.yaml");
  EXPECT_EQ(decision(some, "100000000003"), "in");
  EXPECT_EQ(decision(some, "100000000006"), "in");
}

TEST(Accounts, AtTheSameDistanceTheExclusionDecides) {
  for (const auto* rules : {"organisation: {include: [{unit: Workloads}], exclude: [{unit: ou-w, reason: no}]}\n",
                            "organisation: {exclude: [{unit: Workloads, reason: no}], include: [{unit: ou-w}]}\n"})
    EXPECT_EQ(decision(decide(rules), "100000000002"), "no") << rules;
}

TEST(Accounts, ARuleForWhatIsNotThereIsToldWithItsLine) {
  const auto some = decide("organisation:\n  include:\n    - {unit: Produktion}\n");
  ASSERT_EQ(some.warnings.size(), 1u);
  EXPECT_EQ(some.warnings[0], "vouch.yaml:4: unit `Produktion` concerns no account of the organisation");
}

TEST(Accounts, ListedByHandNoOrganisationIsAsked) {
  const auto by_hand = decide("accounts: [200000000001, 012345678901]\n");
  EXPECT_EQ(by_hand.accounts, (std::vector<evidence::ScopeLeaf::Account>{
                                  {"012345678901", true, ""}, {"100000000001", true, ""}, {"200000000001", true, ""}}));
}

TEST(Accounts, WhatIsWrongIsToldWithItsLine) {
  const struct {
    const char* text;
    const char* complaint;
  } cases[] = {{"accounts: [\"100000000001\"]\n", "vouch.yaml:1: other accounts are entered by a `role`"},
               {"role: VouchReader\n", "vouch.yaml:1: `role` is for other accounts"},
               {"role: arn:aws:iam::1:role/x\norganisation: {}\n", "vouch.yaml:1: `arn:aws:iam::1:role/x` is no name of a role"},
               {"role: R\naccounts: [12]\n", "vouch.yaml:2: `12` is no account number"},
               {"role: R\nexternal id: a b\norganisation: {}\n", "vouch.yaml:2: an external id"},
               {"role: R\norganisation: {exclude: [{unit: Lab}]}\n", "vouch.yaml:2: whoever leaves accounts out says why"},
               {"role: R\norganisation: {exclude: [{reason: why}]}\n", "vouch.yaml:2: a rule names a `unit` or an `account`"},
               {"role: R\norganisation: {exclude: [{unit: A, account: \"100000000001\", reason: why}]}\n", "vouch.yaml:2: a rule names"},
               {"role: R\norganisation: {units: []}\n", "vouch.yaml:2: unknown key `units`"},
               {"role: R\norganisation: all\n", "vouch.yaml:2: `organisation` is a map"}};
  for (const auto& [text, complaint] : cases) {
    const auto scope = scope_of(text);
    ASSERT_FALSE(scope) << text;
    EXPECT_TRUE(scope.error().message.starts_with(complaint)) << scope.error().message;
  }
}

TEST(Accounts, TheRoleIsOneOfTheAccountInItsPartition) {
  const auto scope = scope_of("role: audit/VouchReader\norganisation: {}\n").value();
  EXPECT_EQ(role_arn(scope, "aws-us-gov", "111122223333"), "arn:aws-us-gov:iam::111122223333:role/audit/VouchReader");
}

}  // namespace
}  // namespace vouch::cli
