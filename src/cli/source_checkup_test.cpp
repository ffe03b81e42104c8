#include "cli/source_checkup.h"

#include <gtest/gtest.h>

namespace vouch::cli {
namespace {

constexpr Instant start{1'772'355'600'000'000};

class SourceCheckup : public testing::Test {
 protected:
  SourceCheckup() {
    source_.name = "aws";
    collect::SourceOperation policy;
    policy.service = "s3";
    policy.operation = "GetBucketPolicy";
    policy.actions = {"s3:GetBucketPolicy"};
    policy.for_each = {.variable = "bucket", .operation = "s3:ListBuckets", .path = {}};
    source_.operations.push_back(std::move(policy));
    auto& leaf = probe_.leaf;
    leaf.account = "123456789012";
    leaf.identity = "arn:aws:iam::123456789012:role/Reader";
    leaf.started = start;
    leaf.ended = start + Duration::seconds(3);
  }
  void answer(const std::string& operation, collect::Outcome outcome, const std::string& reason) {
    probe_.tree.entries.push_back({.scope = {}, .operation = operation, .outcome = outcome, .reason = reason, .manifest = {}});
    probe_.tree.sort();
  }
  std::string said(Health health) const {
    std::string all;
    for (const auto& finding : check_source(source_, probe_, receipts_, {}))
      if (finding.health == health) all += finding.says + " → " + finding.mend + "\n";
    return all;
  }
  collect::Source source_;
  collect::Collection probe_;
  evidence::Receipts receipts_;
};

TEST_F(SourceCheckup, a_denied_call_names_the_action_to_allow) {
  answer("s3:GetBucketPolicy", collect::Outcome::denied, "denied (AccessDenied)");
  answer("s3:ListBuckets", collect::Outcome::complete, "");
  EXPECT_EQ(
      said(Health::bad),
      "denied: s3:GetBucketPolicy; unknown in 0 controls → Allow s3:GetBucketPolicy (`vouch permissions aws` lists all that is needed).\n");
  EXPECT_NE(said(Health::good).find("1 of 2 calls answered"), std::string::npos);
}

TEST_F(SourceCheckup, what_hangs_on_a_denied_listing_is_not_told_as_another_denial) {
  answer("s3:ListBuckets", collect::Outcome::denied, "denied (AccessDenied)");
  answer("s3:GetBucketPolicy", collect::Outcome::failed, "depends on s3:ListBuckets, which was denied (AccessDenied)");
  EXPECT_EQ(said(Health::bad).find("GetBucketPolicy"), std::string::npos) << said(Health::bad);
  EXPECT_NE(said(Health::good).find("1 not tried"), std::string::npos) << said(Health::good);
}

TEST_F(SourceCheckup, a_clock_that_is_off_is_found_by_the_servers_dates) {
  receipts_.receipts.push_back({.operation = "s3:ListBuckets",
                                .scope = {},
                                .params = "{}",
                                .page = 0,
                                .request_id = "r",
                                .date = start + Duration::seconds(2),
                                .endpoint = "https://s3.example",
                                .tls = {}});
  EXPECT_EQ(said(Health::bad), "");
  EXPECT_NE(said(Health::good).find("clock and ours agree"), std::string::npos);
  receipts_.receipts.front().date = start - Duration::minutes(7);
  EXPECT_NE(said(Health::bad).find("7 min apart"), std::string::npos) << said(Health::bad);
}

TEST_F(SourceCheckup, without_a_sign_in_nothing_else_is_said) {
  probe_.leaf.account.clear();
  probe_.leaf.reason = "sts:GetCallerIdentity denied (InvalidClientTokenId)";
  EXPECT_EQ(check_source(source_, probe_, receipts_, {}).size(), 1u);
  EXPECT_NE(said(Health::bad).find("InvalidClientTokenId"), std::string::npos);
}

}  // namespace
}  // namespace vouch::cli
