// The documents of a run, as docs/evidence.md shows them.
#include "collect/evidence.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace vouch::collect {
namespace {

const std::string sha(64, 'a');

std::string documented_leaf() {
  return canonical(*parse_json(R"({"kind": "collection", "v": 1, "run": "2026-03-01T09:00:00Z-5f3a9c21", "source": "aws",
   "scope": {"account": "111122223333", "partition": "aws"}, "identity": "arn:aws:sts::111122223333:assumed-role/vouch/collector",
   "schedule": "1d", "started": "2026-03-01T09:00:00.012Z", "ended": "2026-03-01T09:00:41.7Z", "outcome": "partial",
   "reason": "s3: 1 of 300 GetBucketPolicy denied", "simulated": true, "tree": ")" +
                               sha + R"(", "times": ")" + sha + R"(", "receipts": ")" + sha + R"(", "catalog": 0,
   "counts": {"operations": 61, "requests": 1713, "new_bodies": 12, "denied": 1, "failed": 0, "retried": 4}})"))
      .value();
}

TEST(CollectionLeaf, IsSpeltAsDocumented) {
  const auto leaf = parse_collection_leaf(documented_leaf());
  ASSERT_TRUE(leaf) << leaf.error().message;
  EXPECT_EQ(leaf->counts.requests, 1713u);
  EXPECT_EQ(leaf->outcome, Outcome::partial);
  EXPECT_TRUE(leaf->simulated);
  EXPECT_EQ(write(*leaf), documented_leaf());
}

TEST(CollectionLeaf, StaysUnderAKibibyteHoweverLongItsReason) {
  auto leaf = parse_collection_leaf(documented_leaf()).value();
  leaf.identity = "arn:aws:sts::111122223333:assumed-role/" + std::string(200, 'r');
  for (const std::string piece : {"x", "\"", "ä", "\x01", "€"}) {
    leaf.reason.clear();
    for (int i = 0; i < 2000; ++i) leaf.reason += piece;
    const auto text = write(leaf);
    EXPECT_LT(text.size(), 1024u);
    EXPECT_GT(text.size(), 1000u);
    const auto back = parse_collection_leaf(text);
    ASSERT_TRUE(back) << back.error().message << text;
    EXPECT_TRUE(back->reason.ends_with("…"));
    EXPECT_TRUE(leaf.reason.starts_with(back->reason.substr(0, back->reason.size() - std::string_view("…").size())));
  }
}

TEST(CollectionLeaf, ARunThatCouldAskNothingHasNoTree) {
  CollectionLeaf leaf;
  leaf.run = "r";
  leaf.source = "aws";
  leaf.schedule = Duration::days(1);
  leaf.outcome = Outcome::denied;
  leaf.reason = "why";
  const auto text = write(leaf);
  EXPECT_EQ(text.find("tree"), std::string::npos);
  EXPECT_EQ(parse_collection_leaf(text).value(), leaf);
  leaf.tree = leaf.times = leaf.receipts = sha256("x");
  EXPECT_FALSE(parse_collection_leaf(write(leaf)));
}

std::string documented_manifest() {
  return R"({"operation":"s3:GetBucketPolicy","requests":[{"body":")" + sha + R"(","content":")" + sha +
         R"(","key":{"bucket":"a"},"page":0,"params":{"Bucket":"a"},"status":200},)"
         R"({"absent":true,"error":"NoSuchBucketPolicy","key":{"bucket":"b"},"page":0,"params":{"Bucket":"b"},"status":404},)"
         R"({"error":"AccessDenied","hole":"denied","key":{"bucket":"c"},"page":0,"params":{"Bucket":"c"},"status":403}],"scope":{},"v":1})";
}

TEST(Manifest, IsSpeltAsDocumented) {
  const auto manifest = parse_manifest(documented_manifest());
  ASSERT_TRUE(manifest) << manifest.error().message;
  ASSERT_EQ(manifest->requests.size(), 3u);
  EXPECT_TRUE(manifest->requests[1].absent);
  EXPECT_EQ(manifest->requests[2].hole, Hole::denied);
  EXPECT_EQ(write(*manifest), documented_manifest());
  ASSERT_NE(manifest->find(R"({"Bucket":"b"})", 0), nullptr);
  EXPECT_EQ(manifest->find(R"({"Bucket":"b"})", 1), nullptr);
}

TEST(Manifest, IsReadStrictly) {
  const auto good = documented_manifest();
  const auto with = [&](std::string_view from, std::string_view to) {
    auto text = good;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  for (const auto& text : {
           with("\"v\":1", "\"v\":2"),
           with("\"v\":1", "\"v\":1,\"w\":1"),
           with("{\"operation\"", "{ \"operation\""),
           with("\"status\":200", "\"status\":200,\"zeal\":1"),
           with("\"hole\":\"denied\"", "\"hole\":\"maybe\""),
           with("\"hole\":\"denied\",", ""),                            // none of body, absent, gone, hole
           with("\"absent\":true,", "\"absent\":true,\"gone\":true,"),  // two of them
           with("{\"Bucket\":\"a\"}", "{\"Bucket\":\"z\"}"),            // out of order
           with("{\"Bucket\":\"b\"}", "{\"Bucket\":\"a\"}"),            // twice
           with("\"page\":0", "\"page\":-1"),
           with(sha, std::string(64, 'A')),
           good.substr(0, good.size() - 1),
           good + " ",
       }) {
    EXPECT_FALSE(parse_manifest(text)) << text;
  }
}

TEST(Tree, IsSortedByOperationAndThenByTheCanonicalFormOfTheScope) {
  Tree tree{.source = "aws", .account = "1", .entries = {}};
  for (const auto& [operation, region] : {std::pair{"s3:A", ""}, {"ec2:D", ""}, {"ec2:D", "us-east-1"}, {"ec2:D", "eu-central-1"}}) {
    tree.entries.push_back(
        {.scope = {region}, .operation = operation, .outcome = Outcome::complete, .reason = {}, .manifest = sha256(operation)});
  }
  tree.sort();
  const auto text = write(tree);
  EXPECT_EQ(canonical(*parse_json(text)).value(), text);
  std::vector<std::string> order;
  for (const auto& entry : tree.entries) order.push_back(entry.operation + canonical(to_json(entry.scope)).value());
  EXPECT_TRUE(std::ranges::is_sorted(order)) << text;
  EXPECT_EQ(write(parse_tree(text).value()), text);
  ASSERT_NE(tree.find("ec2:D", {"us-east-1"}), nullptr);
  EXPECT_EQ(tree.find("ec2:D", {"us-east-2"}), nullptr);
}

RC_GTEST_PROP(Manifest, OfAnyKindIsCanonicalAndReadsBack, ()) {
  Manifest manifest{.operation = "x:Y", .scope = {*rc::gen::element<std::string>("", "eu-west-1")}, .requests = {}};
  const auto names = *rc::gen::container<std::set<std::string>>(rc::gen::container<std::string>(rc::gen::inRange<char>(1, 126)));
  for (const auto& name : names) {
    for (std::uint32_t page = 0; page < *rc::gen::inRange(1u, 3u); ++page) {
      Entry entry;
      entry.params = canonical(Json(json::object{{"Name", name}})).value();
      if (*rc::gen::arbitrary<bool>()) entry.key = canonical(Json(json::object{{"name", name}})).value();
      entry.page = page;
      entry.status = *rc::gen::inRange(0, 600);
      switch (*rc::gen::inRange(0, 4)) {
        case 0: entry.content = entry.body = sha256(name); break;
        case 1: entry.absent = true; break;
        case 2: entry.gone = true; break;
        default: entry.hole = Hole::failed; entry.error = "E";
      }
      manifest.requests.push_back(std::move(entry));
    }
  }
  manifest.sort();
  const auto text = write(manifest);
  RC_ASSERT(canonical(*parse_json(text)).value() == text);
  const auto back = parse_manifest(text);
  RC_ASSERT(back.has_value());
  RC_ASSERT(back->requests == manifest.requests);
}

TEST(Schedule, IsWrittenInItsLargestUnit) {
  EXPECT_EQ(write_schedule(Duration::days(1)), "1d");
  EXPECT_EQ(write_schedule(Duration::hours(6)), "6h");
  EXPECT_EQ(write_schedule(Duration::minutes(90)), "90m");
  EXPECT_EQ(write_schedule(Duration::seconds(45)), "45s");
}

TEST(TimesAndReceipts, ReadBackWhatTheyWrote) {
  const Times times{{Instant{1'000'000}, Instant{2'500'000}}, {Instant{1'000'000}, Instant{2'000'000}}};
  EXPECT_EQ(write(parse_times(write(times)).value()), write(times));
  Receipts receipts{.binary = "0.1.0", .catalog = sha256("c"), .receipts = {}};
  receipts.receipts.push_back({.operation = "a:B",
                               .scope = {},
                               .params = R"({"X":1})",
                               .page = 2,
                               .request_id = "r",
                               .date = Instant{5},
                               .endpoint = "https://x",
                               .tls = sha256("t")});
  receipts.receipts.push_back(
      {.operation = "a:B", .scope = {}, .params = "{}", .page = 0, .request_id = {}, .date = {}, .endpoint = "http://x", .tls = {}});
  EXPECT_EQ(canonical(*parse_json(write(receipts))).value(), write(receipts));
  EXPECT_EQ(write(parse_receipts(write(receipts)).value()), write(receipts));
}

TEST(ScopeLeaf, IsReadAsItIsWrittenAndInNoOtherOrder) {
  const ScopeLeaf leaf{"aws", *parse_instant("2026-03-01T09:00:00Z"), {{"1", true, ""}, {"2", false, "nothing of \"customers\""}}};
  EXPECT_EQ(write(leaf), R"({"accounts":[{"account":"1","in":true},{"account":"2","in":false,"reason":"nothing of \"customers\""}],)"
                         R"("at":"2026-03-01T09:00:00Z","kind":"scope","source":"aws","v":1})");
  EXPECT_EQ(parse_scope_leaf(write(leaf)).value(), leaf);
  for (
      const auto* wrong :
      {R"({"accounts":[{"account":"2","in":true},{"account":"1","in":true}],"at":"2026-03-01T09:00:00Z","kind":"scope","source":"aws","v":1})",
       R"({"accounts":[{"account":"1","in":true},{"account":"1","in":true}],"at":"2026-03-01T09:00:00Z","kind":"scope","source":"aws","v":1})",
       R"({"accounts":[{"account":"1"}],"at":"2026-03-01T09:00:00Z","kind":"scope","source":"aws","v":1})",
       R"({"accounts":[],"at":"2026-03-01T09:00:00Z","kind":"collection","source":"aws","v":1})"})
    EXPECT_FALSE(parse_scope_leaf(wrong)) << wrong;
}

TEST(ScopeLeaf, OfVeryManyAccountsIsWrittenInPartsThatALedgerTakes) {
  ScopeLeaf leaf{"aws", *parse_instant("2026-03-01T09:00:00Z"), {}};
  for (int i = 0; i < 3000; ++i) leaf.accounts.push_back({fmt::format("{:012}", i), i % 2 == 0, i % 2 ? std::string(200, '"') : ""});
  const auto parts = write_in_parts(leaf);
  EXPECT_GT(parts.size(), 5u);
  std::vector<ScopeLeaf::Account> all;
  for (const auto& part : parts) {
    EXPECT_LE(part.size(), 65'535u);
    const auto read = parse_scope_leaf(part).value();
    EXPECT_EQ(read.at, leaf.at);
    all.insert(all.end(), read.accounts.begin(), read.accounts.end());
  }
  EXPECT_EQ(all, leaf.accounts);
}

}  // namespace
}  // namespace vouch::collect
