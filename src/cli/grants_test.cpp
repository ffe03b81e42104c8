#include "cli/grants.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

namespace vouch::cli::grants {
namespace {

Actions many() {
  Actions actions;
  for (int i = 0; i < 500; ++i) actions.push_back(fmt::format("service-{:03}:DescribeSomethingOfIt", i));
  return actions;
}

TEST(Grants, ManagedPoliciesAllowAllOfTheActionsAndNoneIsTooLong) {
  const auto cut = policies(many(), managed_policy_limit);
  EXPECT_GT(cut.size(), 2u);
  Actions together;
  for (const auto& part : cut) {
    EXPECT_LE(size_of(part), managed_policy_limit);
    for (const auto& action : part.at("Statement").at(0).at("Action").as_array()) together.emplace_back(action.as_string());
  }
  EXPECT_EQ(together, many());
  // As few as can be: no two neighbours would fit into one.
  for (std::size_t i = 1; i < cut.size(); ++i) EXPECT_GT(size_of(cut[i - 1]) + size_of(cut[i]) - size_of(policy({})), managed_policy_limit);
}

TEST(Grants, OnlyTheNamedPrincipalWithTheExternalIdMayAssumeTheRole) {
  const auto made = stack({"s3:ListAllMyBuckets"}, {.role = "VouchReader", .principal = "", .external_id = "x-1"});
  const auto& trusted = made.at_pointer("/Resources/Reader/Properties/AssumeRolePolicyDocument/Statement/0");
  EXPECT_EQ(json::serialize(trusted.at("Principal")), R"({"AWS":{"Ref":"Principal"}})");
  EXPECT_EQ(json::serialize(trusted.at("Condition")), R"({"StringEquals":{"sts:ExternalId":{"Ref":"ExternalId"}}})");
  EXPECT_EQ(made.at_pointer("/Parameters/ExternalId/Default"), "x-1");
  EXPECT_FALSE(made.at_pointer("/Parameters/Principal").as_object().contains("Default")) << "who may read must be said, not guessed";
}

TEST(Grants, TerraformQuotesWhatItWouldExpand) {
  const auto text = terraform({"s3:ListAllMyBuckets"}, {.role = "R", .principal = "${evil}", .external_id = "a\"b%{if}"});
  EXPECT_NE(text.find(R"(default     = "$${evil}")"), std::string::npos) << text;
  EXPECT_NE(text.find(R"(default     = "a\"b%%{if}")"), std::string::npos) << text;
}

TEST(Grants, AnAppAsksForEachPermissionByItsName) {
  const auto manifest = app_manifest({"members:read", "organization_administration:read"}, "n", "https://h.example");
  EXPECT_EQ(json::serialize(manifest.at("default_permissions")), R"({"members":"read","organization_administration":"read"})");
  EXPECT_EQ(manifest.at("public"), false);
}

}  // namespace
}  // namespace vouch::cli::grants
