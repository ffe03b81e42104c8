#include "collect/collect.h"

#include "collect/scripted_aws_test.h"
#include "ledger/blobs.h"
#include "ledger/create.h"
#include "ledger/pack.h"
#include "ledger/read.h"
#include "wire/aws_dialect.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace vouch::collect {
namespace {

using test::Asked;
using test::Reply;

wire::Models& models() {
  static auto all = wire::Models::open({fs::path(VOUCH_SOURCE_DIR) / ".deps/botocore/botocore/data"}).value();
  return all;
}

// Time passes a second with each look.
class TickingClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override { return Instant{at_ += 1'000'000}; }

 private:
  mutable std::int64_t at_ = 1'772'355'600'012'345;
};

class Watching final : public Observer {
 public:
  void progress(const Progress& at) override { last = at; }
  void ended(const TreeEntry& entry) override { entries.push_back(entry); }
  Progress last;
  std::vector<TreeEntry> entries;
};

class Collect : public testing::Test {
 protected:
  Collect() {
    settings_.environment = {{"AWS_REGION", "us-east-1"}};
    EXPECT_TRUE(create_log(home_.path(), "example.org/vouch"));
    EXPECT_TRUE(make_secrets_key(home_.path()));
    options_.home = home_.path();
    options_.secrets_key = read_secrets_key(home_.path()).value();
    options_.binary = "0.1.0";
    options_.client.seed = 7;
  }

  Result<Collection> try_run() {
    Problems problems;
    const auto sources = read_source_catalog(catalog_, problems);
    EXPECT_TRUE(problems.empty()) << problems.front().message;
    wire::AwsDialect dialect{models(), settings_, credentials_, clock_};
    const auto api = aws_api(models(), settings_, options_.regions.empty() ? "" : options_.regions.front());
    return collect::run(*sources.find("aws"), catalog_, {*api, dialect, aws_, models()}, clock_, options_, watching_);
  }

  Collection run() {
    auto collection = try_run();
    EXPECT_TRUE(collection) << collection.error().message;
    return collection ? std::move(*collection) : Collection{};
  }

  std::string blob(const Digest& digest) { return Blobs::open(home_.path()).value().get(digest).value(); }

  Manifest manifest(const Collection& collection, std::string_view operation, std::string region = {}) {
    const auto* entry = collection.tree.find(operation, {std::move(region)});
    EXPECT_NE(entry, nullptr) << operation;
    return entry ? parse_manifest(blob(entry->manifest)).value() : Manifest{};
  }

  TreeEntry entry(const Collection& collection, std::string_view operation, std::string region = {}) {
    const auto* found = collection.tree.find(operation, {std::move(region)});
    EXPECT_NE(found, nullptr) << operation;
    return found ? *found : TreeEntry{};
  }

  // Everything that is stored, one blob behind the other.
  std::string all_blobs() {
    std::string all;
    const auto blobs = Blobs::open(home_.path()).value();
    for (const auto& file : fs::directory_iterator(home_.path() / "blobs")) {
      const auto pack = Pack::open(file.path());
      EXPECT_TRUE(pack);
      for (const auto& one : pack->entries()) all += blobs.get(one.digest).value() + "\n";
    }
    return all;
  }

  std::vector<std::string> leaves() {
    const auto log = Reader::open(home_.path()).value();
    std::vector<std::string> all;
    EXPECT_TRUE(log.for_each(LeafIndex{0}, log.checkpoint().size, [&](LeafIndex, std::string_view text) -> Result<> {
      all.emplace_back(text);
      return {};
    }));
    return all;
  }

  std::uint64_t stored_bytes() {
    std::uint64_t bytes = 0;
    for (const auto* folder : {"ledger", "blobs"}) {
      for (const auto& file : fs::recursive_directory_iterator(home_.path() / folder)) {
        if (file.is_regular_file()) bytes += file.file_size();
      }
    }
    return bytes;
  }

  TemporaryDirectory home_;
  test::ScriptedAws aws_;
  CatalogFiles catalog_ = test::test_catalog();
  wire::Settings settings_;
  wire::FixedCredentials credentials_{
      {.access_key_id = "AKIDEXAMPLE", .secret_access_key = "s", .session_token = {}, .expires = {}, .source = "test"}};
  TickingClock clock_;
  Options options_;
  Watching watching_;
};

TEST_F(Collect, KeepsEveryAnswerAndEndsInOneLeaf) {
  const auto collection = run();
  const auto& leaf = collection.leaf;
  EXPECT_EQ(leaf.outcome, Outcome::complete) << leaf.reason;
  EXPECT_EQ(leaf.account, "111122223333");
  EXPECT_EQ(leaf.partition, "aws");
  EXPECT_EQ(leaf.identity, "arn:aws:sts::111122223333:assumed-role/vouch/c");
  EXPECT_FALSE(leaf.simulated);
  // regions, 2 × iam, 3 × s3, 2 × kms in 2 regions, lambda in one of them
  EXPECT_EQ(leaf.counts.operations, 11u);
  EXPECT_EQ(leaf.counts.requests, aws_.asked.size());
  const auto stored = leaves();
  ASSERT_EQ(stored.size(), 2u);
  EXPECT_EQ(collection.index->value, 1u);
  EXPECT_EQ(parse_collection_leaf(stored[1]).value(), leaf);
  const auto in_force = parse_catalog_leaf(stored[0]).value();
  EXPECT_EQ(blob(in_force.models), models().text());
  EXPECT_NE(blob(in_force.catalog).find("ListAccessKeys"), std::string::npos);

  EXPECT_EQ(write(parse_tree(blob(*leaf.tree)).value()), write(collection.tree));
  const auto users = manifest(collection, "iam:ListUsers");
  ASSERT_EQ(users.requests.size(), 2u);
  EXPECT_NE(blob(*users.requests[0].body).find("<UserName>bob</UserName>"), std::string::npos);
  EXPECT_NE(blob(*users.requests[1].body).find("<UserName>cid</UserName>"), std::string::npos);
  const auto access_keys = manifest(collection, "iam:ListAccessKeys");
  ASSERT_EQ(access_keys.requests.size(), 3u);
  EXPECT_EQ(access_keys.requests[2].params, R"({"UserName":"cid"})");
  EXPECT_EQ(access_keys.requests[2].key, R"({"user_id":"AIDAcid"})");
  const auto policies = manifest(collection, "s3:GetBucketPolicy");
  ASSERT_EQ(policies.requests.size(), 3u);
  EXPECT_EQ(blob(*policies.requests[0].body), R"({"Statement":[]})");
  EXPECT_TRUE(policies.requests[1].absent);
  EXPECT_EQ(manifest(collection, "kms:DescribeKey", "eu-central-1").requests.size(), 2u);
  EXPECT_EQ(manifest(collection, "kms:DescribeKey", "us-east-1").requests.size(), 0u);
  EXPECT_EQ(parse_times(blob(*leaf.times)).value().size(), 11u);
  EXPECT_EQ(watching_.entries.size(), 11u);
  EXPECT_EQ(watching_.last.operations_done, 11u);
  EXPECT_EQ(watching_.last.operations, 11u);
}

TEST_F(Collect, AsksTheRegionThatTheElementNames) {
  run();
  for (const auto& asked : aws_.asked) {
    if (asked.service == "s3") {
      EXPECT_EQ(asked.region, asked.operation == "GetBucketPolicy" ? "eu-central-1" : "us-east-1");
    }
  }
}

TEST_F(Collect, AnUnchangedWorldStoresNoBodyAndHardlyAnything) {
  aws_.buckets.clear();
  for (int i = 0; i < 60; ++i) aws_.buckets.push_back(fmt::format("bucket-{:03}", i));
  for (int i = 0; i < 15; ++i) aws_.regions.push_back(fmt::format("ap-north-{}", i));
  const auto first = run();
  for (int turn = 2; turn <= 100; ++turn) {
    const auto before = stored_bytes();
    const auto again = run();
    ASSERT_EQ(again.leaf.tree, first.leaf.tree);
    EXPECT_TRUE(again.unchanged);
    EXPECT_EQ(again.leaf.counts.new_bodies, 0u);
    EXPECT_LE(stored_bytes() - before, 4096u) << "run " << turn;
    if (turn == 2 || turn == 100) RecordProperty(fmt::format("bytes_of_run_{}", turn), static_cast<int>(stored_bytes() - before));
  }
  EXPECT_EQ(leaves().size(), 101u);
}

TEST_F(Collect, OnlyWhatChangedIsStoredAgain) {
  const auto first = run();
  aws_.users[1] = {"cid", "dee"};
  const auto second = run();
  EXPECT_FALSE(second.unchanged);
  EXPECT_EQ(second.leaf.counts.new_bodies, 2u);  // the listing's second page, dee's access keys
  const auto before = manifest(first, "iam:ListUsers"), after = manifest(second, "iam:ListUsers");
  EXPECT_EQ(before.requests[0].body, after.requests[0].body);
  EXPECT_NE(before.requests[1].body, after.requests[1].body);
  EXPECT_EQ(entry(first, "s3:ListBuckets"), entry(second, "s3:ListBuckets"));
  const auto receipts = parse_receipts(blob(*second.leaf.receipts)).value();
  const auto of_page = [&](std::uint32_t page) {
    return std::ranges::any_of(receipts.receipts, [&](const Receipt& one) { return one.operation == "iam:ListUsers" && one.page == page; });
  };
  EXPECT_TRUE(of_page(1));
}

TEST_F(Collect, TheOrderOfASetIsNoChange) {
  const auto first = run();
  std::ranges::reverse(aws_.buckets);
  EXPECT_EQ(run().leaf.tree, first.leaf.tree);
}

TEST_F(Collect, OneBucketOfThreeHundredThatMayNotBeReadIsAHoleForItAlone) {
  aws_.buckets.clear();
  for (int i = 0; i < 300; ++i) aws_.buckets.push_back(fmt::format("bucket-{:03}", i));
  aws_.instead["s3:GetBucketTagging"] = [](const Asked& asked) {
    return asked.bucket == "bucket-123" ? test::denied_by_s3() : test::s3_error(404, "NoSuchTagSet");
  };
  const auto collection = run();
  EXPECT_EQ(collection.leaf.outcome, Outcome::partial);
  EXPECT_EQ(collection.leaf.reason, "s3:GetBucketTagging 1 of 300 denied (AccessDenied)");
  EXPECT_EQ(collection.leaf.counts.denied, 1u);
  const auto tags = entry(collection, "s3:GetBucketTagging");
  EXPECT_EQ(tags.outcome, Outcome::partial);
  EXPECT_EQ(tags.reason, "1 of 300 denied (AccessDenied)");
  const auto requests = manifest(collection, "s3:GetBucketTagging").requests;
  EXPECT_EQ(std::ranges::count_if(requests, [](const Entry& one) { return one.absent; }), 299);
  EXPECT_EQ(requests[123].hole, Hole::denied);
  EXPECT_EQ(requests[123].key, R"({"bucket":"bucket-123"})");
  EXPECT_EQ(requests[123].status, 403);
  EXPECT_EQ(entry(collection, "s3:GetBucketPolicy").outcome, Outcome::complete);
}

TEST_F(Collect, DeniedIsNotEmpty) {
  aws_.keys.clear();
  const auto empty = run();
  EXPECT_EQ(entry(empty, "kms:ListKeys", "us-east-1").outcome, Outcome::complete);
  aws_.instead["kms:ListKeys"] = [](const Asked&) {
    return Reply{.status = 400, .body = R"({"__type":"AccessDeniedException","Message":"no"})", .error = {}};
  };
  const auto denied = run();
  const auto keys = entry(denied, "kms:ListKeys", "us-east-1");
  EXPECT_EQ(keys.outcome, Outcome::denied);
  EXPECT_EQ(keys.reason, "denied (AccessDeniedException)");
  EXPECT_NE(keys.manifest, entry(empty, "kms:ListKeys", "us-east-1").manifest);
  const auto requests = manifest(denied, "kms:ListKeys", "us-east-1").requests;
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].hole, Hole::denied);
  EXPECT_FALSE(requests[0].is_answer());
  // What iterates over it was not read either.
  const auto described = entry(denied, "kms:DescribeKey", "us-east-1");
  EXPECT_EQ(described.outcome, Outcome::failed);
  EXPECT_EQ(described.reason, "depends on kms:ListKeys, which was denied (AccessDeniedException)");
}

TEST_F(Collect, ARefusalIsKeptAsReceivedOnceForEachCode) {
  std::string id = "1";
  aws_.instead["kms:ListKeys"] = [&](const Asked&) {
    return Reply{.status = 400, .body = R"({"__type":"AccessDeniedException","Message":"no, request )" + id + "\"}", .error = {}};
  };
  const auto first = manifest(run(), "kms:ListKeys", "us-east-1").requests;
  ASSERT_TRUE(first.at(0).body);
  EXPECT_EQ(blob(*first[0].body), R"({"__type":"AccessDeniedException","Message":"no, request 1"})");
  id = "2";
  const auto second = run();
  EXPECT_TRUE(second.unchanged);
  EXPECT_EQ(manifest(second, "kms:ListKeys", "us-east-1").requests, first);
  id = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
  aws_.instead["iam:ListUsers"] = [&](const Asked&) {
    return Reply{.status = 403,
                 .body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>" + id + "</Message></Error></ErrorResponse>",
                 .error = {}};
  };
  const auto third = manifest(run(), "iam:ListUsers").requests;
  ASSERT_TRUE(third.at(0).body);
  EXPECT_EQ(blob(*third[0].body).find("ghp_"), std::string::npos) << "a secret in a refusal stops at the door too";
}

TEST_F(Collect, WhatIsGoneSinceItsListingIsAnAnswer) {
  aws_.instead["s3:GetBucketPolicy"] = [](const Asked&) { return test::s3_error(404, "NoSuchBucket"); };
  aws_.instead["s3:GetBucketTagging"] = [](const Asked&) { return test::s3_error(404, "NoSuchSomethingElse"); };
  const auto collection = run();
  EXPECT_EQ(collection.leaf.outcome, Outcome::complete) << collection.leaf.reason;
  EXPECT_TRUE(manifest(collection, "s3:GetBucketPolicy").requests[0].gone);
  EXPECT_TRUE(manifest(collection, "s3:GetBucketTagging").requests[0].gone);
}

TEST_F(Collect, APageThatComesAgainUnderAnotherTokenStandsInPlaceOfOneThatDidNotCome) {
  aws_.instead["kms:ListKeys"] = [](const Asked& asked) {
    const bool second = asked.body.find("Marker") != std::string::npos;
    return Reply{.body = second ? R"({"Keys":[{"KeyId":"k2"},{"KeyId":"k1"}],"Truncated":false})"
                                : R"({"Keys":[{"KeyId":"k2"},{"KeyId":"k1"}],"Truncated":true,"NextMarker":"2"})",
                 .error = {}};
  };
  const auto keys = entry(run(), "kms:ListKeys", "us-east-1");
  EXPECT_EQ(keys.outcome, Outcome::failed);
  EXPECT_EQ(keys.reason, "failed (malformed)");
}

TEST_F(Collect, PagesThatHoldNothingMayBeMany) {
  aws_.instead["kms:ListKeys"] = [](const Asked& asked) {
    const auto at = asked.body.find("\"Marker\":\"");
    const auto page = at == std::string::npos ? '0' : asked.body[at + 10];
    return page == '3' ? Reply{.body = R"({"Keys":[{"KeyId":"k1"}],"Truncated":false})", .error = {}}
                       : Reply{.body = fmt::format(R"({{"Keys":[],"Truncated":true,"NextMarker":"{}"}})", static_cast<char>(page + 1)),
                               .error = {}};
  };
  EXPECT_EQ(entry(run(), "kms:ListKeys", "us-east-1").outcome, Outcome::complete);
}

TEST_F(Collect, A404ThatIsNotTheServicesOwnProvesNothing) {
  aws_.instead["s3:GetBucketPolicy"] = [](const Asked&) {
    return Reply{.status = 404, .body = "<html><body>proxy: no such page</body></html>", .error = {}};
  };
  aws_.instead["kms:ListKeys"] = [](const Asked&) {
    return Reply{.status = 404, .body = R"({"__type":"UnknownOperationException"})", .error = {}};
  };
  aws_.instead["s3:GetBucketTagging"] = [](const Asked&) { return Reply{.status = 404, .body = "", .error = {}}; };
  const auto collection = run();
  EXPECT_EQ(entry(collection, "s3:GetBucketTagging").outcome, Outcome::failed);
  EXPECT_EQ(entry(collection, "s3:GetBucketPolicy").outcome, Outcome::failed);
  EXPECT_EQ(manifest(collection, "s3:GetBucketPolicy").requests[0].hole, Hole::failed);
  EXPECT_EQ(entry(collection, "kms:ListKeys", "us-east-1").outcome, Outcome::failed);
}

struct Fault {
  std::string name;
  Reply reply;
  std::string reason;
};
class Faults : public Collect, public testing::WithParamInterface<Fault> {};

TEST_P(Faults, BecomeAFailedOperationAndNeverAnEmptyOne) {
  aws_.instead["iam:ListUsers"] = [](const Asked&) { return GetParam().reply; };
  const auto collection = run();
  EXPECT_EQ(collection.leaf.outcome, Outcome::partial);
  const auto users = entry(collection, "iam:ListUsers");
  EXPECT_EQ(users.outcome, Outcome::failed);
  EXPECT_EQ(users.reason, GetParam().reason);
  const auto requests = manifest(collection, "iam:ListUsers").requests;
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].hole, Hole::failed);
  EXPECT_FALSE(requests[0].is_answer());
  EXPECT_EQ(entry(collection, "iam:ListAccessKeys").reason, "depends on iam:ListUsers, which was " + GetParam().reason);
  EXPECT_EQ(entry(collection, "s3:ListBuckets").outcome, Outcome::complete);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Faults,
    testing::Values(
        Fault{"unknown_operation", {.status = 500, .body = "<!doctype html><html></html>", .error = {}}, "failed (HTTP 500)"},
        Fault{"throttled_to_the_end",
              {.status = 429, .body = "<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>", .error = {}},
              "failed (Throttling)"},
        Fault{"garbage", {.status = 200, .body = "\x01\x02 certainly no XML", .error = {}}, "failed (malformed)"},
        Fault{"html", {.status = 200, .body = "<html><body>Please sign in</body></html>", .error = {}}, "failed (malformed)"},
        Fault{"empty", {.status = 200, .body = "", .error = {}}, "failed (malformed)"},
        Fault{
            "truncated", {.status = 200, .body = "<ListUsersResponse><ListUsersResult><Users><member>", .error = {}}, "failed (malformed)"},
        Fault{"cut_off", {.status = 0, .body = {}, .error = Error{Errc::unreachable, "reset by peer"}}, "failed (unreachable)"},
        Fault{"hanging", {.status = 0, .body = {}, .error = Error{Errc::unreachable, "no answer for 30 s"}}, "failed (unreachable)"}),
    [](const auto& one) { return one.param.name; });

TEST_F(Collect, AStormOfThrottlingIsRiddenOut) {
  std::size_t refused = 0;
  aws_.instead["kms:DescribeKey"] = [&](const Asked& asked) {
    if (++refused % 3 != 0) return Reply{.status = 400, .body = R"({"__type":"ThrottlingException"})", .error = {}};
    return Reply{.body = fmt::format(R"({{"KeyMetadata":{{"KeyId":{}}}}})", json::serialize(parse_json(asked.body)->at("KeyId"))),
                 .error = {}};
  };
  const auto collection = run();
  EXPECT_EQ(collection.leaf.outcome, Outcome::complete) << collection.leaf.reason;
  EXPECT_EQ(collection.leaf.counts.retried, 4u);
}

TEST_F(Collect, AnElementThatIsListedTwiceIsAskedForOnce) {
  aws_.users = {{"ann", "bob", "ann"}, {"bob", "cid"}};
  const auto collection = run();
  EXPECT_EQ(aws_.count("iam:ListAccessKeys"), 3u);
  EXPECT_EQ(manifest(collection, "iam:ListAccessKeys").requests.size(), 3u);
}

TEST_F(Collect, ChildrenOfThePagesThatCameAreStillAsked) {
  aws_.instead["iam:ListUsers"] = [](const Asked& asked) {
    if (asked.form.contains("Marker")) return test::denied_by_query();
    return Reply{.body =
                     "<ListUsersResponse><ListUsersResult><IsTruncated>true</IsTruncated><Marker>m</Marker><Users><member><UserName>ann"
                     "</UserName><UserId>AIDAann</UserId></member></Users></ListUsersResult></ListUsersResponse>",
                 .error = {}};
  };
  const auto collection = run();
  const auto users = entry(collection, "iam:ListUsers");
  EXPECT_EQ(users.outcome, Outcome::denied);  // a listing is whole or it proves nothing
  const auto keys = entry(collection, "iam:ListAccessKeys");
  EXPECT_EQ(keys.outcome, Outcome::failed);
  EXPECT_EQ(keys.reason, "depends on iam:ListUsers, which was denied (AccessDenied)");
  const auto requests = manifest(collection, "iam:ListAccessKeys").requests;
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_TRUE(requests[0].body);
}

TEST_F(Collect, WithoutRegionsRegionalOperationsAreHolesForTheAccount) {
  aws_.instead["ec2:DescribeRegions"] = [](const Asked&) {
    return Reply{.status = 403,
                 .body = "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>",
                 .error = {}};
  };
  const auto collection = run();
  const auto keys = entry(collection, "kms:ListKeys");
  EXPECT_EQ(keys.scope, Scope{});
  EXPECT_EQ(keys.outcome, Outcome::denied);
  EXPECT_EQ(keys.reason, "regions unknown: ec2:DescribeRegions denied (UnauthorizedOperation)");
  EXPECT_TRUE(manifest(collection, "kms:ListKeys").requests.empty());
  EXPECT_EQ(aws_.count("kms:ListKeys"), 0u);
  EXPECT_EQ(entry(collection, "s3:ListBuckets").outcome, Outcome::complete);
  EXPECT_EQ(run().leaf.tree, collection.leaf.tree);
}

TEST_F(Collect, ConfiguredRegionsAreTakenAtTheirWord) {
  options_.regions = {"us-east-1", "ap-east-1"};
  aws_.instead["kms:ListKeys"] = [](const Asked& asked) {
    if (asked.region == "us-east-1") return Reply{.body = R"({"Keys":[]})", .error = {}};
    return Reply{.status = 400, .body = R"({"__type":"UnrecognizedClientException"})", .error = {}};  // not opted in
  };
  const auto collection = run();
  EXPECT_EQ(aws_.count("ec2:DescribeRegions"), 0u);
  EXPECT_EQ(entry(collection, "kms:ListKeys", "us-east-1").outcome, Outcome::complete);
  EXPECT_EQ(entry(collection, "kms:ListKeys", "ap-east-1").outcome, Outcome::denied);
  EXPECT_EQ(collection.tree.find("kms:ListKeys", {"eu-central-1"}), nullptr);
}

TEST_F(Collect, WithoutAnIdentityTheLeafSaysWhyAndHasNoTree) {
  run();
  aws_.instead["sts:GetCallerIdentity"] = [](const Asked&) {
    return Reply{.status = 403,
                 .body = "<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>bad</Message></Error></ErrorResponse>",
                 .error = {}};
  };
  const auto before = aws_.asked.size();
  const auto collection = run();
  EXPECT_EQ(collection.leaf.outcome, Outcome::denied);
  EXPECT_EQ(collection.leaf.reason, "sts:GetCallerIdentity denied (InvalidClientTokenId)");
  EXPECT_FALSE(collection.leaf.tree);
  EXPECT_EQ(aws_.asked.size(), before + 1);
  EXPECT_EQ(parse_collection_leaf(leaves().back()).value(), collection.leaf);
  EXPECT_EQ(collection.leaf.catalog, 0u);
}

TEST_F(Collect, AnAccountThatIsKnownBeforeItAnswersIsNamedByTheLeafThatSaysWhyItDidNot) {
  options_.account = "444455556666";
  options_.partition = "aws";
  aws_.instead["sts:GetCallerIdentity"] = [](const Asked&) { return test::denied_by_query(); };
  const auto denied = run();
  EXPECT_EQ(denied.leaf.outcome, Outcome::denied);
  EXPECT_EQ(denied.leaf.account, "444455556666");
  EXPECT_EQ(denied.leaf.partition, "aws");
  EXPECT_EQ(denied.leaf.identity, "");
  EXPECT_EQ(parse_collection_leaf(leaves().back()).value(), denied.leaf);
}

TEST_F(Collect, AnotherAccountThatAnswersInThePlaceOfTheOneMeantIsAskedNothingMore) {
  options_.account = "444455556666";
  const auto other = run();
  EXPECT_EQ(other.leaf.outcome, Outcome::failed);
  EXPECT_EQ(other.leaf.account, "444455556666");
  EXPECT_EQ(other.leaf.identity, "");
  EXPECT_NE(other.leaf.reason.find("account 111122223333 answers in its place"), std::string::npos) << other.leaf.reason;
  EXPECT_FALSE(other.leaf.tree);
  EXPECT_EQ(aws_.asked.size(), 1u);
}

TEST_F(Collect, SecretsAreNowhereInWhatIsStored) {
  const std::string token = std::string("gh") + "p_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8";
  aws_.functions = R"([{"FunctionName":"f","Environment":{"Variables":{"DB":"hunter2-and-more","MODE":"fast lane"}}}])";
  aws_.policies["alpha"] = R"({"Statement":[{"Sid":")" + token + R"("}]})";
  const auto first = run();
  const auto stored = all_blobs();
  const std::vector<std::string> secrets{"hunter2-and-more", "fast lane", token};
  for (const auto& secret : secrets) EXPECT_EQ(stored.find(secret), std::string::npos) << secret;
  const auto functions = manifest(first, "lambda:ListFunctions", "eu-central-1");
  ASSERT_EQ(functions.requests.size(), 1u);
  EXPECT_EQ(functions.requests[0].secrets,
            (std::vector<std::string>{"Functions[0].Environment.Variables.DB", "Functions[0].Environment.Variables.MODE"}));
  EXPECT_EQ(manifest(first, "s3:GetBucketPolicy").requests[0].secrets, std::vector<std::string>{"Policy.Statement[0].Sid"});
  // The same secret is no change; another one is.
  EXPECT_EQ(run().leaf.tree, first.leaf.tree);
  aws_.functions = R"([{"FunctionName":"f","Environment":{"Variables":{"DB":"hunter3-and-more","MODE":"fast lane"}}}])";
  EXPECT_NE(run().leaf.tree, first.leaf.tree);
}

TEST_F(Collect, ReceiptsAreKeptForNewBodiesAndForSixteenDrawnAnswers) {
  aws_.buckets.clear();
  for (int i = 0; i < 50; ++i) aws_.buckets.push_back(fmt::format("bucket-{:03}", i));
  const auto first = run();
  const auto new_ones = parse_receipts(blob(*first.leaf.receipts)).value();
  EXPECT_GE(new_ones.receipts.size(), first.leaf.counts.new_bodies);
  const auto second = parse_receipts(blob(*run().leaf.receipts)).value();
  const auto third = parse_receipts(blob(*run().leaf.receipts)).value();
  ASSERT_EQ(second.receipts.size(), 16u);
  ASSERT_EQ(third.receipts.size(), 16u);
  for (std::size_t i = 0; i < 16; ++i) {
    EXPECT_EQ(second.receipts[i].params, third.receipts[i].params);  // the same tree draws the same answers
    EXPECT_NE(second.receipts[i].request_id, third.receipts[i].request_id);
  }
}

TEST_F(Collect, AChangedCatalogueIsNamedBeforeItIsUsed) {
  run();
  run();
  EXPECT_EQ(leaves().size(), 3u);
  catalog_.files[0].text += "  - operation: ListAccountAliases\n";
  const auto collection = run();
  EXPECT_EQ(leaves().size(), 5u);
  EXPECT_EQ(collection.leaf.catalog, 3u);
  EXPECT_NE(blob(parse_catalog_leaf(leaves()[3]).value().catalog).find("ListAccountAliases"), std::string::npos);
  EXPECT_EQ(run().leaf.catalog, 3u);
}

TEST_F(Collect, WhatIsAskedUntilItIsReadyIsKeptOnlyThen) {
  catalog_.files[0].text = R"(service: iam
scope: global
operations:
  - operation: GenerateCredentialReport
    until: {State: COMPLETE}
  - operation: GetCredentialReport
    after: GenerateCredentialReport
)";
  int looks = 0;
  aws_.instead["iam:GenerateCredentialReport"] = [&](const Asked&) {
    return Reply{.body = fmt::format(
                     "<GenerateCredentialReportResponse><GenerateCredentialReportResult><State>{}</State></GenerateCredentialReportResult>"
                     "</GenerateCredentialReportResponse>",
                     ++looks < 3 ? "STARTED" : "COMPLETE"),
                 .error = {}};
  };
  aws_.instead["iam:GetCredentialReport"] = [&](const Asked&) {
    EXPECT_EQ(looks, 3);
    return Reply{.body =
                     "<GetCredentialReportResponse><GetCredentialReportResult><Content>eA==</Content></GetCredentialReportResult></"
                     "GetCredentialReportResponse>",
                 .error = {}};
  };
  const auto collection = run();
  EXPECT_EQ(collection.leaf.outcome, Outcome::complete) << collection.leaf.reason;
  EXPECT_EQ(looks, 3);
  const auto generated = manifest(collection, "iam:GenerateCredentialReport").requests;
  ASSERT_EQ(generated.size(), 1u);
  EXPECT_NE(blob(*generated[0].body).find("COMPLETE"), std::string::npos);
  EXPECT_EQ(all_blobs().find("STARTED"), std::string::npos);

  looks = -1000;
  aws_.instead.erase("iam:GetCredentialReport");
  const auto never = run();
  EXPECT_EQ(entry(never, "iam:GenerateCredentialReport").outcome, Outcome::failed);
  EXPECT_EQ(entry(never, "iam:GenerateCredentialReport").reason, "failed (NotReady)");
  EXPECT_LT(looks, -960);  // every two seconds for a minute
  EXPECT_GT(looks, -980);
}

TEST_F(Collect, ATicketThatIsNewInEachRunIsSentAndNotRecorded) {
  catalog_.files[0].text = R"(service: iam
scope: global
operations:
  - operation: ListUsers
  - operation: GenerateServiceLastAccessedDetails
    for each: user in ListUsers.Users[]
    params: {Arn: $user.UserName}
    key: {user: $user.UserName}
    volatile: [JobId]
  - operation: GetServiceLastAccessedDetails
    for each: job in GenerateServiceLastAccessedDetails.JobId
    params: {JobId: $job}
    recorded as: {Arn: $params.Arn}
    key: {user: $key.user}
    until: {JobStatus: COMPLETED}
)";
  const auto wrapped = [](std::string_view name, std::string_view text) {
    return Reply{.body = fmt::format("<{0}Response><{0}Result>{1}</{0}Result></{0}Response>", name, text), .error = {}};
  };
  std::size_t jobs = 0;
  aws_.instead["iam:GenerateServiceLastAccessedDetails"] = [&](const Asked& asked) {
    const auto& who = asked.form.at("Arn");
    return wrapped("GenerateServiceLastAccessedDetails", fmt::format("<JobId>{}-{}</JobId>", who, jobs++));
  };
  aws_.instead["iam:GetServiceLastAccessedDetails"] = [&](const Asked& asked) {
    const auto& job = asked.form.at("JobId");
    return wrapped("GetServiceLastAccessedDetails", fmt::format("<JobStatus>COMPLETED</JobStatus><JobType>{}</JobType>", job.substr(0, 3)));
  };
  const auto first = run();
  EXPECT_EQ(first.leaf.outcome, Outcome::complete) << first.leaf.reason;
  const auto requests = manifest(first, "iam:GetServiceLastAccessedDetails").requests;
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests[0].params, R"({"Arn":"ann"})");
  EXPECT_EQ(requests[0].key, R"({"user":"ann"})");
  EXPECT_NE(blob(*requests[0].body).find("<JobType>ann"), std::string::npos);

  const auto second = run();
  EXPECT_EQ(jobs, 6u);
  EXPECT_TRUE(second.unchanged);
  EXPECT_EQ(second.leaf.counts.new_bodies, 0u);
}

TEST_F(Collect, WhatIsAskedOnlyWhereTextsAgreeIsNotAskedElsewhere) {
  catalog_.files[0].text = R"(service: organizations
scope: global
operations:
  - operation: DescribeOrganization
  - operation: ListAccounts
    for each: organization in DescribeOrganization.Organization
    only if: {$organization.MasterAccountId: $account}
)";
  std::string management = "111122223333";
  aws_.instead["organizations:DescribeOrganization"] = [&](const Asked&) {
    return Reply{.body = fmt::format(R"({{"Organization":{{"MasterAccountId":"{}"}}}})", management), .error = {}};
  };
  aws_.instead["organizations:ListAccounts"] = [](const Asked&) { return Reply{.body = R"({"Accounts":[]})", .error = {}}; };
  EXPECT_EQ(run().leaf.outcome, Outcome::complete);
  EXPECT_EQ(aws_.count("organizations:ListAccounts"), 1u);

  management = "999988887777";
  const auto member = run();
  EXPECT_EQ(aws_.count("organizations:ListAccounts"), 1u);
  EXPECT_EQ(entry(member, "organizations:ListAccounts").outcome, Outcome::complete);
  EXPECT_TRUE(manifest(member, "organizations:ListAccounts").requests.empty());
}

// A root with two units, one of which holds another, which holds the root again (AWS would not; nobody should hang if it did).
TEST_F(Collect, ATreeIsReadToItsLastBranch) {
  catalog_.files[0].text = R"(service: organizations
scope: global
operations:
  - operation: ListRoots
  - operation: ListOrganizationalUnitsForParent
    for each: parent in ListRoots.Roots[]
    again for: OrganizationalUnits[]
    params: {ParentId: $parent.Id}
    key: {parent_id: $parent.Id}
)";
  aws_.instead["organizations:ListRoots"] = [](const Asked&) { return Reply{.body = R"({"Roots":[{"Id":"r-1"}]})", .error = {}}; };
  std::map<std::string, std::string> below{
      {"r-1", R"({"Id":"ou-1"},{"Id":"ou-2"})"}, {"ou-2", R"({"Id":"ou-3"})"}, {"ou-3", R"({"Id":"r-1"})"}};
  bool refused = false;
  aws_.instead["organizations:ListOrganizationalUnitsForParent"] = [&](const Asked& asked) {
    const auto parent = std::string{parse_json(asked.body).value().at("ParentId").as_string()};
    if (refused && parent == "ou-3") return Reply{.status = 400, .body = R"({"__type":"AccessDeniedException"})", .error = {}};
    return Reply{.body = fmt::format(R"({{"OrganizationalUnits":[{}]}})", below[parent]), .error = {}};
  };
  const auto keys = [&](const Collection& collection) {
    std::vector<std::string> all;
    for (const auto& request : manifest(collection, "organizations:ListOrganizationalUnitsForParent").requests)
      all.push_back(request.key + (request.hole ? " hole" : ""));
    return all;
  };
  const auto first = run();
  EXPECT_EQ(first.leaf.outcome, Outcome::complete) << first.leaf.reason;
  EXPECT_EQ(keys(first), (std::vector<std::string>{R"({"parent_id":"ou-1"})", R"({"parent_id":"ou-2"})", R"({"parent_id":"ou-3"})",
                                                   R"({"parent_id":"r-1"})"}));
  EXPECT_TRUE(run().unchanged);
  refused = true;
  const auto third = run();
  EXPECT_EQ(entry(third, "organizations:ListOrganizationalUnitsForParent").outcome, Outcome::partial);
  EXPECT_EQ(keys(third)[2], R"({"parent_id":"ou-3"} hole)");
}

TEST_F(Collect, ASecondCollectionIsRefusedWithThePidOfTheFirst) {
  aws_.on_step = [&] {
    aws_.on_step = nullptr;
    test::ScriptedAws other;
    std::swap(other.asked, aws_.asked);
    const auto second = try_run();
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::busy);
    EXPECT_NE(second.error().message.find(std::to_string(::getpid())), std::string::npos) << second.error().message;
    std::swap(other.asked, aws_.asked);
  };
  EXPECT_EQ(run().leaf.outcome, Outcome::complete);
}

TEST_F(Collect, ACancelledRunRecordsNothing) {
  run();
  const auto before = stored_bytes();
  std::atomic<bool> cancelled = false;
  options_.cancelled = &cancelled;
  aws_.users = {{"eve"}};
  aws_.on_step = [&] { cancelled = aws_.asked.size() > 20; };
  const auto collection = run();
  EXPECT_TRUE(collection.cancelled);
  EXPECT_FALSE(collection.index);
  EXPECT_EQ(stored_bytes(), before);
  EXPECT_EQ(leaves().size(), 2u);
}

TEST_F(Collect, ALoopbackOrASimulatedTimeMarksTheLeaf) {
  aws_.loopback = true;
  EXPECT_TRUE(run().leaf.simulated);
  aws_.loopback = false;
  EXPECT_FALSE(run().leaf.simulated);
  options_.simulated_time = true;
  EXPECT_TRUE(run().leaf.simulated);
}

TEST_F(Collect, TimesLieWithinTheRunAndReachAsFarAsTheReading) {
  const auto collection = run();
  const auto times = parse_times(blob(*collection.leaf.times)).value();
  for (const auto& one : times) {
    EXPECT_LE(collection.leaf.started, one.started);
    EXPECT_LE(one.started, one.ended);
    EXPECT_LE(one.ended, collection.leaf.ended);
  }
}

TEST_F(Collect, AHomeWithoutALedgerIsRefused) {
  options_.home = home_.path() / "elsewhere";
  const auto result = try_run();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::not_found);
}

}  // namespace
}  // namespace vouch::collect
