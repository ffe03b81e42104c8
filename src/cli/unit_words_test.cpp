#include "cli/unit_words.h"

#include <gtest/gtest.h>

namespace vouch::cli {
namespace {

using Scope = UnitMeaning::Scope;

const UnitWords& shipped() {
  static const UnitWords words = [] {
    Problems problems;
    auto read = read_unit_words(shipped_catalog(), problems);
    EXPECT_TRUE(problems.empty()) << problems.front().message;
    return read;
  }();
  return words;
}

std::string said(std::string_view name) {
  const auto meaning = meaning_of(shipped(), name);
  return !meaning ? "nothing" : meaning->scope == Scope::in ? "in" : meaning->scope == Scope::out ? "out" : "look";
}

TEST(UnitWords, OfTheUnitsThatAwsRecommendsOnlySandboxAndSuspendedAreOut) {
  for (const auto* name :
       {"Security", "Infrastructure", "Workloads", "Prod", "Deployments", "Business Continuity", "Exceptions", "Individual Business Users"})
    EXPECT_EQ(said(name), "in") << name;
  for (const auto* name : {"SDLC", "Policy Staging", "Transitional"}) EXPECT_EQ(said(name), "look") << name;
  for (const auto* name : {"Sandbox", "Suspended"}) EXPECT_EQ(said(name), "out") << name;
}

TEST(UnitWords, AWordIsFoundHoweverItIsWritten) {
  for (const auto* name :
       {"sandbox", "SANDBOX", "Sandbox OU", "sandbox-2", "SandboxAccounts", "dev_sandbox", "DevSandbox", "Team Sandboxes"})
    EXPECT_EQ(said(name), "out") << name;
  for (const auto* name : {"non-prod", "NonProd", "NONPROD", "pre_production", "dev", "QA", "Staging2"})
    EXPECT_EQ(said(name), "look") << name;
  for (const auto* name : {"PRODUCTION", "prod-eu", "PCIProd", "ci/cd"}) EXPECT_EQ(said(name), "in") << name;
}

TEST(UnitWords, ANameThatSaysMoreThanOutIsNotLeftOut) {
  for (const auto* name : {"Sandbox-Customers", "Prod Sandbox", "Lab Security"}) EXPECT_EQ(said(name), "in") << name;
  for (const auto* name : {"Sandbox EMEA", "No Sandbox", "Staging Sandbox", "Sandbox \xc3\xa4"}) EXPECT_EQ(said(name), "look") << name;
  for (const auto* name : {"Payments", "sandboxed", "Spielwiese", "", "42", "OU"}) EXPECT_EQ(said(name), "nothing") << name;
}

UnitWords read(std::vector<std::string> texts, Problems& problems) {
  CatalogFiles files;
  for (auto& text : texts)
    files.files.push_back(
        {fmt::format("words-{}.yaml", files.files.size()), fmt::format("scope/words-{}.yaml", files.files.size()), text, false});
  return read_unit_words(files, problems);
}

TEST(UnitWords, ALaterFileTakesThePlaceOfAnEarlierOneNameByName) {
  Problems problems;
  const auto words =
      read({"units: [{names: [Lab, Sandbox], scope: out, reason: a}]\n", "units: [{names: [Lab], scope: in, reason: b}]\n"}, problems);
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(meaning_of(words, "Lab")->reason, "b");
  EXPECT_EQ(meaning_of(words, "Sandbox")->scope, Scope::out);
}

TEST(UnitWords, WhatIsWrongIsToldWithItsLineAndTheRestCounts) {
  const struct {
    const char* text;
    const char* complaint;
  } cases[] = {{"units:\n  - {names: [A], scope: perhaps, reason: r}\n", "words-0.yaml:2: `perhaps` is no scope"},
               {"units:\n  - {names: [A], scope: out}\n", "words-0.yaml:2: missing `reason`"},
               {"units:\n  - {names: [A], scope: out, reason: ''}\n", "words-0.yaml:2: whoever says what a unit is says why"},
               {"units:\n  - {scope: out, reason: r}\n", "words-0.yaml:2: missing `names`"},
               {"units:\n  - {names: ['42'], scope: out, reason: r}\n", "words-0.yaml:2: `42` has no word in it"},
               {"units:\n  - {names: [A, a], scope: out, reason: r}\n", "words-0.yaml:2: `a` stands in this file twice"},
               {"units:\n  - {names: [A], scope: in, reason: r, why: r}\n", "words-0.yaml:2: unknown key `why`"},
               {"units:\n  - {names: [A], scope: in, reason: \"a\\nb\"}\n", "words-0.yaml:2: `reason` is one line"},
               {"unit: []\n", "words-0.yaml:1: unknown key `unit`"},
               {"units: [\n", "words-0.yaml:2: "}};
  for (const auto& [text, complaint] : cases) {
    Problems problems;
    const auto words = read({text, "units: [{names: [Lab], scope: out, reason: b}]\n"}, problems);
    ASSERT_EQ(problems.size(), 1u) << text;
    EXPECT_TRUE(problems[0].message.starts_with(complaint)) << problems[0].message;
    EXPECT_EQ(meaning_of(words, "Lab")->scope, Scope::out);
  }
}

}  // namespace
}  // namespace vouch::cli
