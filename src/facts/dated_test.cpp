// Rows that date themselves, and tables of the ledger's own entries.
#include "facts/test_ledger.h"

#include <gtest/gtest.h>
#include <random>

namespace vouch::facts::test {
namespace {

using evidence::Outcome;
using Lines = std::vector<std::string>;

FactCatalog dated_catalog() {
  return catalog_of(R"(
- table: aws_s3_bucket
  from: s3:ListBuckets
  rows: Buckets[] as b
  key: [account, bucket]
  event: created
  columns: {bucket: text b.Name, owner: text b.BucketRegion, created: time b.CreationDate}
- table: vouch_collection
  from: ledger:collection
  key: [account, source, run]
  event: ended
  columns: {source: text source, run: text run, outcome: text outcome, reason: text reason, ended: time ended}
- table: vouch_account
  from: ledger:scope
  key: [account, source, decided]
  event: decided
  columns: {source: text source, decided: time at, in_scope: boolean in, reason: text reason}
)");
}

struct Bucket {
  std::string name, created, owner = "x";
};

Asked listed(const std::vector<Bucket>& all) {
  std::string body = "<ListAllMyBucketsResult><Buckets>";
  for (const auto& bucket : all)
    body += fmt::format("<Bucket><Name>{}</Name>{}<BucketRegion>{}</BucketRegion></Bucket>", bucket.name,
                        bucket.created.empty() ? "" : fmt::format("<CreationDate>{}</CreationDate>", bucket.created), bucket.owner);
  return {"s3:ListBuckets", "", {{"{}", "", {{body + "</Buckets></ListAllMyBucketsResult>", "", "", "", ""}}}}, Outcome::complete, ""};
}

Asked denied_listing() { return {"s3:ListBuckets", "", {}, Outcome::denied, "denied (AccessDenied)"}; }

Lines lines(Facts& facts, std::string_view sql) {
  Lines found;
  for (const auto& row : must(facts.store().query(sql)).rows) {
    std::string line;
    for (const auto& cell : row)
      line += (line.empty() ? "" : " ") + (std::holds_alternative<std::monostate>(cell) ? "-" : table::to_text(cell));
    found.push_back(line);
  }
  return found;
}

struct World : Home {
  Facts& replayed(const Collected& run) {
    collect(run);
    if (!facts) facts = must(Facts::create(path(), dated_catalog()));
    must(replay(reader(), blobs(), models(), *facts));
    return *facts;
  }
  Lines versions() {
    return lines(*facts, "select bucket, valid_from, valid_to, basis, seen_before from aws_s3_bucket order by bucket, valid_from");
  }
  Lines holes(std::string_view instant) {
    Lines found;
    const std::vector<std::string> tables{"aws_s3_bucket"};
    for (const auto& hole : must(facts->holes(tables, at(instant)))) found.push_back(hole.reason);
    return found;
  }
  std::optional<Facts> facts;
};

TEST(Dated, a_row_begins_at_its_own_instant_however_late_it_was_seen) {
  World world;
  world.replayed({at("2026-03-01T09:00Z"), {listed({{"a", "2026-01-01T00:00:00Z"}})}});
  world.replayed({at("2026-03-02T09:00Z"), {listed({{"a", "2026-01-01T00:00:00Z"}, {"b", "2026-03-01T20:00:00Z"}, {"c", ""}})}});
  EXPECT_EQ(world.versions(), (Lines{"a 2026-01-01T00:00:00Z infinity recalled -", "b 2026-03-01T20:00:00Z infinity recalled -",
                                     "c 2026-03-02T09:00:01Z infinity snapshots 2026-03-01T09:00:01.5Z"}));
}

TEST(Dated, a_version_that_shows_another_instant_begins_there_and_ends_the_one_before) {
  World world;
  world.replayed({at("2026-03-01T09:00Z"), {listed({{"a", ""}})}});
  world.replayed({at("2026-03-02T09:00Z"), {listed({{"a", "2026-03-01T20:00:00Z"}})}});
  // The same instant dates nothing twice: what changed later was seen later.
  world.replayed({at("2026-03-03T09:00Z"), {listed({{"a", "2026-03-01T20:00:00Z", "y"}})}});
  EXPECT_EQ(world.versions(),
            (Lines{"a 2026-03-01T09:00:01Z 2026-03-01T20:00:00Z snapshots -", "a 2026-03-01T20:00:00Z 2026-03-03T09:00:01Z recalled -",
                   "a 2026-03-03T09:00:01Z infinity snapshots 2026-03-02T09:00:01.5Z"}));
}

TEST(Dated, an_instant_that_cannot_be_leaves_the_observation_as_it_is) {
  World world;
  world.replayed({at("2026-03-01T09:00Z"), {listed({{"a", "2026-01-01T00:00:00Z"}, {"future", "2027-01-01T00:00:00Z"}})}});
  world.replayed({at("2026-03-02T09:00Z"), {listed({{"future", "2027-01-01T00:00:00Z"}})}});
  // Back, and still older than its own end.
  world.replayed({at("2026-03-03T09:00Z"), {listed({{"a", "2026-01-01T00:00:00Z"}, {"future", "2027-01-01T00:00:00Z"}})}});
  EXPECT_EQ(world.versions(), (Lines{"a 2026-01-01T00:00:00Z 2026-03-02T09:00:01Z recalled -",
                                     "a 2026-03-03T09:00:01Z infinity snapshots 2026-03-02T09:00:01.5Z",
                                     "future 2026-03-01T09:00:01Z infinity snapshots -"}));
}

TEST(Dated, a_later_listing_covers_the_time_before_it) {
  World world;
  world.replayed({at("2026-03-01T09:00Z"), {listed({})}});
  EXPECT_EQ(world.holes("2026-02-01T00:00Z"), Lines{});
  world.replayed({at("2026-03-02T09:00Z"), {denied_listing()}});
  EXPECT_EQ(world.holes("2026-03-02T12:00Z"), Lines{"s3:ListBuckets denied (AccessDenied)"});
  world.replayed({at("2026-03-05T09:00Z"), {denied_listing()}});
  EXPECT_NE(world.holes("2026-03-02T12:00Z"), Lines{});
  world.replayed({at("2026-03-06T09:00Z"), {listed({})}});
  EXPECT_EQ(world.holes("2026-03-02T12:00Z"), Lines{});
  EXPECT_EQ(world.holes("2026-03-09T12:00Z"), Lines{"no collection for 3 d"});
}

TEST(Dated, folded_leaf_by_leaf_equals_a_rebuild) {
  for (unsigned seed = 1; seed <= 12; ++seed) {
    std::mt19937 random{seed};
    const auto pick = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
    World world;
    for (unsigned run = 0; run < 8; ++run) {
      std::vector<Bucket> all;
      for (const auto* name : {"a", "b", "c", "d"})
        if (pick(3))
          all.push_back({name, pick(4) ? fmt::format("2026-03-0{}T0{}:00:00Z", 1 + pick(9), pick(10)) : "", pick(2) ? "x" : "y"});
      const auto started = at("2026-03-01T09:00Z") + Duration::days(run);
      auto asked = pick(6) ? listed(all) : denied_listing();
      if (pick(3))
        world.replayed({started, {std::move(asked)}});
      else
        world.collect({started, {std::move(asked)}});
    }
    auto& folded = world.replayed({at("2026-03-09T09:00Z"), {listed({{"a", "2026-03-02T00:00:00Z"}})}});
    const std::string everything =
        "select bucket, owner, created, valid_from, valid_to, basis, seen_before, leaf from aws_s3_bucket order by all";
    const std::string entries = "select account, source, run, outcome, valid_from, leaf from vouch_collection order by all";
    const auto rows = lines(folded, everything), collections = lines(folded, entries);
    const auto overlaps = lines(folded,
                                "select a.bucket from aws_s3_bucket a join aws_s3_bucket b on a.bucket = b.bucket and a.rowid <> b.rowid "
                                "and a.valid_from < b.valid_to and b.valid_from < a.valid_to");
    EXPECT_EQ(overlaps, Lines{}) << "history " << seed;
    world.facts.reset();
    must(rebuild(world.path(), world.reader(), world.blobs(), models(), dated_catalog()));
    auto rebuilt = must(Facts::open(world.path(), dated_catalog(), table::Mode::reading));
    ASSERT_EQ(lines(rebuilt, everything), rows) << "history " << seed;
    ASSERT_EQ(lines(rebuilt, entries), collections) << "history " << seed;
    EXPECT_EQ(collections.size(), 9u);
  }
}

TEST(LedgerTable, has_a_row_for_each_collection_and_no_holes) {
  World world;
  world.replayed({at("2026-03-01T09:00Z"), {listed({})}});
  Collected failed{at("2026-03-05T09:00Z"), {}};
  failed.failed = "unreachable";
  world.replayed(failed);
  EXPECT_EQ(lines(*world.facts, "select account, source, outcome, reason, ended, valid_from from vouch_collection order by ended"),
            (Lines{"1 aws complete - 2026-03-01T09:01:00Z 2026-03-01T09:01:00Z",
                   "1 aws failed unreachable 2026-03-05T09:01:00Z 2026-03-05T09:01:00Z"}));
  const std::vector<std::string> tables{"vouch_collection"};
  for (const auto* instant : {"2026-01-01", "2026-03-03", "2026-06-01"}) EXPECT_TRUE(must(world.facts->holes(tables, at(instant))).empty());
  const auto traces = must(world.facts->trace(world.path(), "vouch_collection", {{"account", "1"}}, at("2026-03-02")));
  ASSERT_EQ(traces.size(), 1u);
  EXPECT_EQ(traces[0].leaf.value, 1u);
}

TEST(Dated, facts_of_tests_are_dated_as_replay_dates_them) {
  auto facts = must(Facts::in_memory(dated_catalog()));
  const auto put = [&](const std::string& created, std::string_view from, std::string_view to) {
    std::map<std::string, std::string> values{{"account", "1"}, {"bucket", "a"}};
    if (!created.empty()) values["created"] = created;
    must(facts.insert("aws_s3_bucket", values, at(from), at(to)));
  };
  put("", "2026-03-01", "2026-03-03");
  put("2026-03-02", "2026-03-03", "2026-03-05");
  put("2026-03-02", "2026-03-06", "infinity");
  EXPECT_EQ(lines(facts, "select valid_from, valid_to, basis from aws_s3_bucket order by valid_from"),
            (Lines{"2026-03-01T00:00:00Z 2026-03-02T00:00:00Z snapshots", "2026-03-02T00:00:00Z 2026-03-05T00:00:00Z recalled",
                   "2026-03-06T00:00:00Z infinity snapshots"}));
}

TEST(FactCatalog, of_dated_tables_refuses_what_cannot_date) {
  for (const auto& [text, reason] : std::vector<std::pair<std::string, std::string>>{
           {"{table: t, from: s3:ListBuckets, key: [account], event: name, columns: {name: text Name}}",
            "not a declared column of type time"},
           {"{table: t, from: s3:ListBuckets, key: [account], event: seen, latest: [seen], columns: {seen: time Seen}}", "`latest` too"},
           {"{table: t, from: ledger:waiver, key: [account], columns: {seen: time Seen}}",
            "`ledger:collection` and `ledger:scope` can be read"},
           {"{table: t, from: ledger:collection, key: [account], columns: {seen: time started}}", "when it ended"}}) {
    try {
      catalog_of("- " + text);
      ADD_FAILURE() << text;
    } catch (const std::runtime_error& error) {
      EXPECT_NE(std::string{error.what()}.find(reason), std::string::npos) << error.what();
    }
  }
}

TEST(LedgerTables, EachDecisionOnScopeIsARowForEachOfItsAccounts) {
  World world;
  world.decide({"aws", at("2026-03-01T09:00:00Z"), {{"1", true, ""}, {"2", false, "lab"}}});
  world.decide({"aws", at("2026-03-02T09:00:00Z"), {{"1", true, ""}, {"2", true, ""}}});
  auto& facts = world.replayed({.started = at("2026-03-03T09:00:00Z"), .asked = {listed({})}});
  EXPECT_EQ(
      lines(facts,
            "select account, source, decided, in_scope, reason, valid_from = decided, leaf from vouch_account order by decided, account"),
      (Lines{"1 aws 2026-03-01T09:00:00Z true - true 1", "2 aws 2026-03-01T09:00:00Z false lab true 1",
             "1 aws 2026-03-02T09:00:00Z true - true 2", "2 aws 2026-03-02T09:00:00Z true - true 2"}));
}

TEST(LedgerTables, WhatWasReadOfAnAccountHasNoSayWhileItIsLeftOut) {
  World world;
  const std::vector<std::string> buckets{"aws_s3_bucket"};
  world.replayed({.started = at("2026-03-01T09:00:00Z"), .asked = {listed({{"a", "", "x"}})}, .account = "1"});
  world.replayed({.started = at("2026-03-01T10:00:00Z"), .asked = {listed({{"b", "", "x"}})}, .account = "2"});
  world.decide({"aws", at("2026-03-02T09:00:00Z"), {{"1", true, ""}, {"2", false, "lab"}}});
  auto* facts = &world.replayed({.started = at("2026-03-02T09:30:00Z"), .asked = {listed({{"a", "", "x"}})}, .account = "1"});
  const auto seen = [&](std::string_view when) {
    auto all = lines(*facts, must(facts->as_of(buckets, at(when))) + " select account from aws_s3_bucket order by all");
    for (const auto& hole : must(facts->holes(buckets, at(when)))) all.push_back(hole.key.at("account") + ": " + hole.reason);
    return all;
  };
  EXPECT_EQ(seen("2026-03-02T08:00:00Z"), (Lines{"1", "2"}));
  EXPECT_EQ(seen("2026-03-02T09:40:00Z"), (Lines{"1"}));
  EXPECT_EQ(seen("2026-03-03T09:00:00Z"), (Lines{"1"}));  // long past what its last run covers
  // Read again, it counts again, and nobody saw the time between.
  world.decide({"aws", at("2026-03-05T09:00:00Z"), {{"1", true, ""}, {"2", true, ""}}});
  facts = &world.replayed({.started = at("2026-03-05T09:30:00Z"), .asked = {listed({{"b", "", "x"}})}, .account = "2"});
  EXPECT_EQ(seen("2026-03-05T09:40:00Z"), (Lines{"1", "2", "1: no collection for 3 d"}));
  EXPECT_EQ(lines(*facts, "select json_extract_string(key, '$.account'), reason from vouch.hole where reason like 'no collection%'"),
            (Lines{"2 no collection for 3 d"}));
}

}  // namespace
}  // namespace vouch::facts::test
