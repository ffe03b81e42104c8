#include "collect/source_test.h"
#include "wire/models.h"

#include <gtest/gtest.h>

namespace vouch::collect {
namespace {

constexpr auto s3 = R"(service: s3
scope: global
operations:
  - operation: GetBucketPolicy
    for each: bucket in ListBuckets.Buckets[]
    params: {Bucket: $bucket.Name}
    key: {bucket: $bucket.Name}
    region: $bucket.BucketRegion
    absent: [NoSuchBucketPolicy]
    gone: [NoSuchBucket]
  - operation: ListBuckets
    params: {MaxBuckets: 1000}
    sets: [Buckets]
)";

TEST(SourceCatalog, ReadsWhatTheFormatDescribesAndPutsListingsFirst) {
  Problems problems;
  const auto catalog = read({file("sources/aws/s3.yaml", s3)}, problems);
  ASSERT_EQ(messages(problems), "");
  const auto* aws = catalog.find("aws");
  ASSERT_NE(aws, nullptr);
  ASSERT_EQ(aws->operations.size(), 2u);
  EXPECT_EQ(aws->operations[0].name(), "s3:ListBuckets");
  const auto& policy = aws->operations[1];
  EXPECT_EQ(policy.name(), "s3:GetBucketPolicy");
  EXPECT_EQ(policy.where, "catalog/sources/aws/s3.yaml:4");
  EXPECT_FALSE(policy.regional);
  ASSERT_TRUE(policy.for_each);
  EXPECT_EQ(policy.for_each->operation, "s3:ListBuckets");
  EXPECT_EQ(to_string(policy.for_each->path), "Buckets[]");
  EXPECT_EQ(policy.absent, std::vector<std::string>{"NoSuchBucketPolicy"});
}

TEST(SourceCatalog, TheShippedFilesAreWithoutMistake) {
  Problems problems;
  auto catalog = read_source_catalog(shipped_catalog(), problems);
  auto models = wire::Models::open({fs::path(VOUCH_SOURCE_DIR) / ".deps/botocore/botocore/data"});
  ASSERT_TRUE(models) << models.error().message;
  check_against_models(catalog, *models, problems);
  EXPECT_EQ(messages(problems), "");
  ASSERT_NE(catalog.find("aws"), nullptr);
  EXPECT_GT(catalog.find("aws")->operations.size(), 20u);
}

TEST(SourceCatalog, AHomesOperationTakesThePlaceOfTheShippedOne) {
  Problems problems;
  const auto own = "service: s3\nscope: global\noperations:\n  - operation: ListBuckets\n    params: {MaxBuckets: 7}\n";
  const auto catalog = read({file("sources/aws/s3.yaml", s3), file("sources/aws/mine.yaml", own, false)}, problems);
  EXPECT_EQ(messages(problems), "");
  const auto* aws = catalog.find("aws");
  ASSERT_EQ(aws->operations.size(), 2u);
  EXPECT_EQ(json::serialize(aws->find("s3:ListBuckets")->params.written()), R"({"MaxBuckets":7})");
  EXPECT_EQ(aws->find("s3:ListBuckets")->where, "home/catalog/sources/aws/mine.yaml:4");
}

struct Mistake {
  std::string name, text, message;
};
class Mistakes : public testing::TestWithParam<Mistake> {};

TEST_P(Mistakes, AreReportedWithFileAndLineAndCostOnlyTheirOperation) {
  Problems problems;
  const auto head = "service: iam\nscope: global\noperations:\n  - operation: ListUsers\n";
  const auto catalog = read({file("sources/aws/iam.yaml", head + GetParam().text)}, problems);
  ASSERT_EQ(problems.size(), 1u) << messages(problems);
  EXPECT_EQ(problems[0].code, Errc::config);
  EXPECT_NE(problems[0].message.find(GetParam().message), std::string::npos) << problems[0].message;
  EXPECT_TRUE(problems[0].message.starts_with("catalog/sources/aws/iam.yaml:")) << problems[0].message;
  EXPECT_NE(catalog.find("aws")->find("iam:ListUsers"), nullptr);
  EXPECT_EQ(catalog.find("aws")->operations.size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Mistakes,
    testing::Values(
        Mistake{"misspelt", "  - operation: ListRoles\n    abesnt: [X]\n", "iam.yaml:6: unknown key `abesnt`"},
        Mistake{"no_name", "  - params: {}\n", "missing `operation`"},
        Mistake{"no_in", "  - operation: GetUser\n    for each: user ListUsers.Users[]\n",
                "iam.yaml:6: `user ListUsers.Users[]` is not of the form"},
        Mistake{"only_if", "  - operation: GetUser\n    only if: {$user.Arn: x}\n", "`$user` is not known here"},
        Mistake{"again_for_nothing", "  - operation: ListRoles\n    again for: Roles[]\n", "iam.yaml:6: `again for` goes on from"},
        Mistake{"again_for_one", "  - operation: GetUser\n    for each: user in ListUsers.Users[]\n    again for: User\n",
                "iam.yaml:7: `User` does not end in"},
        Mistake{"path", "  - operation: GetUser\n    for each: user in ListUsers.Users..x[]\n", "no member's name"},
        Mistake{"unknown_parent", "  - operation: GetUser\n    for each: user in ListPeople.Users[]\n",
                "iam.yaml:5: iam:GetUser needs iam:ListPeople"},
        Mistake{"variable", "  - operation: GetUser\n    for each: user in ListUsers.Users[]\n    params: {UserName: $usr.UserName}\n",
                "iam.yaml:7: `$usr` is not known here"},
        Mistake{"expression", "  - operation: GetUser\n    params: {UserName: $}\n", "iam.yaml:6: `$` is no expression"},
        Mistake{"unfolding", "  - operation: GetUser\n    for each: u in ListUsers.Users[]\n    params: {UserName: '$u.x[]'}\n",
                "`[]` has no place"},
        Mistake{"region_of_a_global_one", "  - operation: GetUser\n    params: {UserName: $region}\n", "`$region` is not known here"},
        Mistake{"twice", "  - operation: ListUsers\n", "iam:ListUsers stands at catalog/sources/aws/iam.yaml:4 already"},
        Mistake{"only_in", "  - operation: ListRoles\n    only in: [us-east-1]\n", "asked by region"},
        Mistake{"volatile", "  - operation: ListRoles\n    volatile: ['Roles[x].A']\n", "neither `[]` nor a number"},
        Mistake{"until", "  - operation: ListRoles\n    until: {State: A, Other: B}\n", "a map of one path"},
        Mistake{"after", "  - operation: ListRoles\n    after: ListGhosts\n", "needs iam:ListGhosts"}),
    [](const auto& one) { return one.param.name; });

TEST(SourceCatalog, ACircleIsReportedForAllThatStandOnIt) {
  Problems problems;
  const auto text = R"(service: iam
scope: global
operations:
  - operation: ListUsers
    for each: r in ListRoles.Roles[]
  - operation: ListRoles
    for each: u in ListUsers.Users[]
  - operation: ListGroups
)";
  const auto catalog = read({file("sources/aws/iam.yaml", text)}, problems);
  EXPECT_EQ(problems.size(), 2u) << messages(problems);
  EXPECT_NE(messages(problems).find("a circle"), std::string::npos);
  ASSERT_EQ(catalog.find("aws")->operations.size(), 1u);
  EXPECT_EQ(catalog.find("aws")->operations[0].name(), "iam:ListGroups");
}

TEST(SourceCatalog, AnAccountWideOperationCantIterateOverARegionalOne) {
  Problems problems;
  const auto ec2 = "service: ec2\nscope: region\noperations:\n  - operation: DescribeVolumes\n";
  const auto iam = "service: iam\nscope: global\noperations:\n  - operation: GetUser\n    for each: v in ec2:DescribeVolumes.Volumes[]\n";
  read({file("sources/aws/ec2.yaml", ec2), file("sources/aws/iam.yaml", iam)}, problems);
  EXPECT_NE(messages(problems).find("asked once an account"), std::string::npos) << messages(problems);
}

struct Unmodelled {
  std::string name, text, message;
};
class AgainstTheModels : public testing::TestWithParam<Unmodelled> {};

TEST_P(AgainstTheModels, WhatAwsDoesNotHaveIsReported) {
  Problems problems;
  auto catalog = read({file("sources/aws/x.yaml", GetParam().text)}, problems);
  ASSERT_EQ(messages(problems), "");
  auto models = wire::Models::open({fs::path(VOUCH_SOURCE_DIR) / ".deps/botocore/botocore/data"});
  ASSERT_TRUE(models);
  check_against_models(catalog, *models, problems);
  ASSERT_FALSE(problems.empty());
  EXPECT_NE(problems[0].message.find(GetParam().message), std::string::npos) << problems[0].message;
  EXPECT_TRUE(problems[0].message.starts_with("catalog/sources/aws/x.yaml:")) << problems[0].message;
}

INSTANTIATE_TEST_SUITE_P(
    Table, AgainstTheModels,
    testing::Values(
        Unmodelled{"service", "service: s4\noperations:\n  - operation: ListBuckets\n", "s4"},
        Unmodelled{"operation", "service: s3\nscope: global\noperations:\n  - operation: ListPails\n", "ListPails"},
        Unmodelled{"param", "service: s3\nscope: global\noperations:\n  - operation: ListBuckets\n    params: {Most: 3}\n",
                   "`Most` is no param"},
        Unmodelled{"required", "service: s3\nscope: global\noperations:\n  - operation: GetBucketPolicy\n", "demands the param `Bucket`"},
        Unmodelled{"set", "service: s3\nscope: global\noperations:\n  - operation: ListBuckets\n    sets: [Pails]\n", "no member `Pails`"},
        Unmodelled{"element",
                   "service: s3\nscope: global\noperations:\n  - operation: ListBuckets\n  - operation: GetBucketPolicy\n"
                   "    for each: b in ListBuckets.Buckets[]\n    params: {Bucket: $b.Nmae}\n",
                   "has no member `Nmae`"},
        Unmodelled{"no_list",
                   "service: s3\nscope: global\noperations:\n  - operation: ListBuckets\n  - operation: GetBucketPolicy\n"
                   "    for each: b in ListBuckets.Buckets\n    params: {Bucket: $b}\n",
                   "is a list: `[]` is missing"},
        Unmodelled{"listing",
                   "service: s3\nscope: global\noperations:\n  - operation: ListBuckets\n  - operation: GetBucketPolicy\n"
                   "    for each: b in ListBuckets.Owner[]\n    params: {Bucket: $b.Name}\n",
                   "is no list"}),
    [](const auto& one) { return one.param.name; });

TEST(Path, WritesWhatItReads) {
  for (const std::string text :
       {"A", "A.B.C", "A[].B", "A[3].B[]", "Reservations[].Instances[].State", "aws:tag", "[]", "[].a", "[0].b[]"}) {
    const auto path = parse_path(text);
    ASSERT_TRUE(path) << text;
    EXPECT_EQ(to_string(*path), text);
  }
  for (const std::string text : {"", ".", "A.", ".A", "A..B", "A[", "A]", "A[x]", "A[-1]", "A b", "A.[0]", "A[]B", "A[9999999]"}) {
    EXPECT_FALSE(parse_path(text)) << text;
  }
}

TEST(Template, FillsInWhatTheElementSaysAndLeavesOutWhatItDoesNot) {
  const auto made =
      Template::make(*parse_json(R"({"Name":"$b.Name","Plain":"x","Deep":{"L":["$b.Tags[1].Key","$b.Nothing"]},"Gone":"$b.Nothing",
                                                   "Account":"$account","Parent":"$params.UserName","N":3})"));
  ASSERT_TRUE(made);
  const auto element = *parse_json(R"({"Name":"a","Tags":[{"Key":"k0"},{"Key":"k1"}]})");
  const auto params = *parse_json(R"({"UserName":"eng"})");
  const auto filled =
      made->fill({.variable = "b", .element = &element, .params = &params, .key = nullptr, .account = "1", .region = {}, .partition = {}});
  EXPECT_EQ(canonical(filled).value(), R"({"Account":"1","Deep":{"L":["k1"]},"N":3,"Name":"a","Parent":"eng","Plain":"x"})");
}

}  // namespace
}  // namespace vouch::collect
