#include "collect/collect.h"
#include "collect/scripted_hub_test.h"
#include "ledger/blobs.h"
#include "ledger/create.h"
#include "ledger/read.h"
#include "ledger/verify.h"
#include "wire/http_dialect.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace vouch::collect {
namespace {

using test::Hub;
using test::Pull;

const wire::Models& models() {
  static const auto all = wire::Models::open({fs::path(VOUCH_SOURCE_DIR) / ".deps/botocore/botocore/data"}).value();
  return all;
}

// A home that reads the scripted hub.
class HubHome {
 public:
  HubHome() {
    if (!create_log(home_.path(), "example.org/vouch") || !make_secrets_key(home_.path())) std::abort();
    hub.repositories = {
        {"a", {{1, "2026-01-01T00:00:00Z", "one"}, {2, "2026-01-02T00:00:00Z", "two"}, {3, "2026-01-03T00:00:00Z", "three"}}},
        {"b", {{1, "2026-01-01T00:00:00Z", "one"}}},
        {"c", {}}};
  }

  Collection run() {
    Problems problems;
    const auto sources = read_source_catalog(catalog, problems);
    if (!problems.empty()) throw std::runtime_error(problems.front().message);
    const auto& source = *sources.find("hub");
    const auto api = http_api(source, test::hub_settings());
    const wire::ScriptedClock clock{hub.transport, Instant{1'772'355'600'000'000}};
    const auto sign_in = wire::no_sign_in();
    wire::HttpDialect dialect{source.http->api, *sign_in, clock};
    Options options;
    options.home = home_.path();
    options.secrets_key = read_secrets_key(home_.path()).value();
    options.binary = "test";
    options.client.seed = 7;
    Observer nobody;
    hub.asked.clear();
    hub.not_modified = 0;
    auto collection = collect::run(source, catalog, {*api, dialect, hub.transport, models()}, clock, options, nobody);
    if (!collection) throw std::runtime_error(collection.error().message);
    return std::move(*collection);
  }

  [[nodiscard]] const fs::path& path() const { return home_.path(); }
  [[nodiscard]] std::string blob(const Digest& digest) const { return Blobs::open(home_.path()).value().get(digest).value(); }
  [[nodiscard]] Manifest manifest(const Collection& collection, std::string_view operation) const {
    return parse_manifest(blob(collection.tree.find(operation, {})->manifest)).value();
  }

  // What a manifest stands for with all that it adds to: each item's latest state, by repository and number.
  [[nodiscard]] std::map<std::pair<std::string, std::int64_t>, std::string> pulls(const Collection& collection) const {
    std::vector<Manifest> chain;
    for (std::optional<Digest> digest = collection.tree.find("hub:pulls", {})->manifest; digest; digest = chain.back().base) {
      chain.push_back(parse_manifest(blob(*digest)).value());
    }
    std::map<std::pair<std::string, std::int64_t>, std::string> all;
    for (auto manifest = chain.rbegin(); manifest != chain.rend(); ++manifest) {
      for (const auto& entry : manifest->requests) {
        if (!entry.is_answer()) continue;
        const auto repository = std::string(*find_string(parse_json(entry.params).value(), "repo"));
        const auto answer = parse_json(blob(*entry.body)).value();
        for (const auto& pull : answer.get_array()) {
          all[{repository, find(pull, "number")->to_number<std::int64_t>()}] = std::string(*find_string(pull, "title"));
        }
      }
    }
    return all;
  }

  Hub hub;
  CatalogFiles catalog = test::hub_catalog();

 private:
  TemporaryDirectory home_;
};

TEST(CollectHttp, KeepsEveryAnswerUnderTheAccountThatTheApiNames) {
  HubHome home;
  const auto collection = home.run();
  EXPECT_EQ(collection.leaf.outcome, Outcome::complete) << collection.leaf.reason;
  EXPECT_EQ(collection.leaf.source, "hub");
  EXPECT_EQ(collection.leaf.account, "4711");
  EXPECT_EQ(collection.leaf.identity, "acme");
  EXPECT_EQ(collection.leaf.partition, "");
  EXPECT_EQ(collection.tree.entries.size(), 5u);
  EXPECT_EQ(home.manifest(collection, "hub:repositories").requests.size(), 2u);  // pages
  EXPECT_EQ(home.manifest(collection, "hub:reviews").requests.size(), 4u);
  EXPECT_EQ(home.manifest(collection, "hub:reviews").requests[0].key, R"({"number":1,"repository_id":"R_a"})");
  EXPECT_EQ(home.manifest(collection, "hub:organisation").requests[0].params, R"({"organisation":"acme"})");
  EXPECT_TRUE(verify_evidence(home.path()));
}

TEST(CollectHttp, AnUnchangedWorldCostsOnly304sAndStoresNothing) {
  HubHome home;
  const auto first = home.run();
  const auto second = home.run();
  EXPECT_TRUE(second.unchanged);
  EXPECT_EQ(second.leaf.counts.new_bodies, 0u);
  EXPECT_EQ(home.hub.count("/orgs/acme/repos"), 2u);  // both pages, the second one found without the first one's body
  // And the branches of three repositories, asked for elements of pages that came as a 304; and the newest pulls of each.
  EXPECT_EQ(home.hub.not_modified, 2u + 3u + 3u);
  EXPECT_EQ(home.hub.count("/repos/a/pulls?"), 1u);
  EXPECT_EQ(home.hub.count("/repos/a/pulls/"), 0u);
  EXPECT_EQ(second.tree.entries, first.tree.entries);
}

TEST(CollectHttp, WithoutTheCacheEverythingIsAskedAgainAndIsTheSame) {
  HubHome home;
  const auto first = home.run();
  fs::remove_all(home.path() / "cache");
  const auto second = home.run();
  EXPECT_TRUE(second.unchanged);
  EXPECT_EQ(home.hub.not_modified, 0u);
  EXPECT_EQ(home.hub.count("/repos/a/pulls/"), 3u);
}

TEST(CollectHttp, AnAbsenceIsToldByTheWordsThatTheSourceDeclaresAndByNoOther404) {
  HubHome home;
  home.hub.missing = {{"/repos/a/branches", R"({"message":"No branches yet"})"},
                      {"/repos/b/branches", R"({"message":"Not Found"})"},
                      {"/repos/c/branches", ""}};
  const auto collection = home.run();
  const auto requests = home.manifest(collection, "hub:branches").requests;
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_TRUE(requests[0].absent);
  EXPECT_EQ(requests[1].hole, Hole::failed) << "who may not see it is told the same by many";
  EXPECT_EQ(requests[2].hole, Hole::failed);
}

TEST(CollectHttp, TheCacheIsItsOwnersAlone) {
  HubHome home;
  home.run();
  EXPECT_EQ(fs::status(home.path() / "cache" / "hub-4711.jsonl").permissions(), fs::perms{0600});
}

TEST(CollectHttp, AnIncrementStopsAtWhatIsKnownAndAddsToIt) {
  HubHome home;
  const auto first = home.run();
  home.hub.repositories["a"].push_back({4, "2026-01-04T00:00:00Z", "four"});
  home.hub.repositories["a"][0] = {1, "2026-01-05T00:00:00Z", "one again"};
  const auto second = home.run();
  EXPECT_EQ(home.hub.count("/repos/a/pulls?") + home.hub.count("/repos/a/pulls/"), 2u + 2u);  // both of its pages, two pulls' reviews
  EXPECT_EQ(home.hub.count("/repos/a/pulls/4/reviews"), 1u);
  const auto manifest = home.manifest(second, "hub:pulls");
  EXPECT_EQ(manifest.base, first.tree.find("hub:pulls", {})->manifest);
  ASSERT_EQ(manifest.requests.size(), 1u);
  EXPECT_EQ(manifest.requests[0].params, R"({"repo":"a"})");
  EXPECT_EQ(home.pulls(second).at({"a", 1}), "one again");
  EXPECT_EQ(home.pulls(second).size(), 5u);
  EXPECT_EQ(home.manifest(second, "hub:reviews").requests.size(), 2u);
  EXPECT_TRUE(verify_evidence(home.path()));
  EXPECT_TRUE(home.run().unchanged);
}

TEST(CollectHttp, AnItemOfTheVeryInstantThatWasKnownLastIsNotMissed) {
  HubHome home;
  home.run();
  home.hub.repositories["a"].push_back({4, "2026-01-03T00:00:00Z", "in the same second"});
  const auto second = home.run();
  EXPECT_EQ(home.pulls(second).at({"a", 4}), "in the same second");
  EXPECT_TRUE(home.run().unchanged);
}

TEST(CollectHttp, ARefusedRepositoryIsAHoleForItAloneAndIsCaughtUpLater) {
  HubHome home;
  home.run();
  home.hub.refused = {"/repos/a/pulls"};
  home.hub.repositories["a"].push_back({4, "2026-01-04T00:00:00Z", "unseen"});
  home.hub.repositories["b"].push_back({2, "2026-01-04T00:00:00Z", "seen"});
  const auto second = home.run();
  EXPECT_EQ(second.tree.find("hub:pulls", {})->outcome, Outcome::partial);
  EXPECT_EQ(second.tree.find("hub:pulls", {})->reason, "1 of 3 denied (HTTP 403)");
  EXPECT_EQ(home.pulls(second).count({"a", 4}), 0u);
  // What could not be listed is a hole of its elements too, for that repository alone.
  const auto reviews = home.manifest(second, "hub:reviews");
  ASSERT_EQ(reviews.requests.size(), 2u);
  EXPECT_EQ(reviews.requests[0].params, R"({"number":2,"repo":"b"})");
  EXPECT_EQ(reviews.requests[1].error, "DependsOn");
  EXPECT_EQ(reviews.requests[1].key, R"({"repository_id":"R_a"})");
  EXPECT_EQ(second.tree.find("hub:reviews", {})->outcome, Outcome::partial);

  // A hole that stays is no change.
  EXPECT_TRUE(home.run().unchanged);

  home.hub.refused.clear();
  const auto fourth = home.run();
  EXPECT_EQ(fourth.leaf.outcome, Outcome::complete) << fourth.leaf.reason;
  EXPECT_EQ(home.pulls(fourth).at({"a", 4}), "unseen");
  EXPECT_EQ(home.hub.count("/repos/a/pulls/4/reviews"), 1u);
  EXPECT_TRUE(home.run().unchanged);
}

TEST(CollectHttp, AnElementThatDidNotAnswerIsAskedForUntilItDoes) {
  HubHome home;
  home.run();
  home.hub.repositories["a"].push_back({4, "2026-01-04T00:00:00Z", "four"});
  home.hub.refused = {"/repos/a/pulls/4/reviews"};
  const auto second = home.run();
  EXPECT_EQ(second.tree.find("hub:reviews", {})->outcome, Outcome::partial);  // those of the runs before still stand
  const auto third = home.run();
  EXPECT_EQ(home.hub.count("/repos/a/pulls/4/reviews"), 1u);
  EXPECT_TRUE(third.unchanged);
  home.hub.refused.clear();
  const auto fourth = home.run();
  EXPECT_EQ(fourth.leaf.outcome, Outcome::complete);
  EXPECT_EQ(home.manifest(fourth, "hub:reviews").requests.size(), 1u);
}

TEST(CollectHttp, AnOperationThatIsNewHearsOfEveryElement) {
  HubHome home;
  home.run();
  home.catalog.files.push_back({"more.yaml", "sources/hub/more.yaml", R"(
service: hub
operations:
  - operation: files
    for each: pull in pulls[]
    get: /repos/{repo}/pulls/{number}/reviews?per_page=2
    params: {repo: $params.repo, number: $pull.number}
)",
                                true});
  const auto second = home.run();
  EXPECT_EQ(home.manifest(second, "hub:files").requests.size(), 4u);
  EXPECT_EQ(home.manifest(second, "hub:files").base, std::nullopt);
}

TEST(CollectHttp, AnotherQuestionIsAskedAsAWhole) {
  HubHome home;
  home.run();
  auto& text = home.catalog.files[0].text;
  text.replace(text.find("/pulls?per_page=2\n"), 18, "/pulls?per_page=2&state=all\n");
  const auto second = home.run();
  EXPECT_EQ(home.manifest(second, "hub:pulls").base, std::nullopt);
  EXPECT_EQ(home.pulls(second).size(), 4u);
}

TEST(CollectHttp, AListingThatIsNotNewestFirstIsNotBelieved) {
  HubHome home;
  home.hub.instead["/repos/b/pulls"] = R"([{"number":1,"updated":"2026-01-01T00:00:00Z"},{"number":2,"updated":"2026-01-02T00:00:00Z"}])";
  home.hub.instead["/repos/c/pulls"] = R"([{"number":1}])";
  const auto collection = home.run();
  EXPECT_EQ(collection.tree.find("hub:pulls", {})->reason, "2 of 3 failed (malformed)");
}

TEST(CollectHttp, AnAnswerThatNamesNoAccountEndsTheRunWithTheReason) {
  HubHome home;
  home.hub.instead["/orgs/acme"] = R"({"login":"acme"})";
  const auto collection = home.run();
  EXPECT_EQ(collection.leaf.outcome, Outcome::failed);
  EXPECT_EQ(collection.leaf.reason, "hub:organisation failed (answered without id, which names the account)");
  home.hub.instead.clear();
  home.hub.refused = {"/orgs/acme"};
  EXPECT_EQ(home.run().leaf.reason, "hub:organisation denied (403)");
}

// Whatever is refused, lost or changed between the runs: what the last one stands for is what was shown, and of each repository that
// answered to the end it is the truth.
RC_GTEST_PROP(CollectHttp, IncrementsAddUpToTheTruth, ()) {
  HubHome home;
  int second_of = 0;
  const auto now = [&] { return fmt::format("2026-02-01T00:{:02}:{:02}Z", second_of / 60 % 60, second_of % 60); };
  for (auto& [name, pulls] : home.hub.repositories) pulls.clear();
  std::map<std::pair<std::string, std::int64_t>, std::string> shown;
  const auto runs = *rc::gen::inRange(2, 7);
  for (int run = 0; run < runs; ++run) {
    for (const auto& name : {"a", "b", "c"}) {
      auto& pulls = home.hub.repositories[name];
      for (int change = *rc::gen::inRange(0, 4); change > 0; --change) {
        second_of += *rc::gen::inRange(0, 2);  // more than one in a second
        if (pulls.empty() || *rc::gen::arbitrary<bool>()) {
          pulls.push_back({static_cast<int>(pulls.size()) + 1, now(), fmt::format("made {}", second_of)});
        } else {
          auto& pull = pulls[static_cast<std::size_t>(*rc::gen::inRange(0, static_cast<int>(pulls.size())))];
          pull = {pull.number, now(), pull.title + "+"};
        }
      }
    }
    home.hub.refused.clear();
    for (const auto& path : {"/repos/a/pulls", "/repos/b/pulls", "/repos/a/pulls/1/reviews"}) {
      if (*rc::gen::inRange(0, 4) == 0) home.hub.refused.insert(path);
    }
    if (*rc::gen::inRange(0, 8) == 0) fs::remove_all(home.path() / "cache");
    const auto collection = home.run();
    const auto stands = home.pulls(collection);
    for (const auto& [name, pulls] : home.hub.repositories) {
      if (home.hub.refused.contains(fmt::format("/repos/{}/pulls", name))) continue;
      for (const auto& pull : pulls) shown[{name, pull.number}] = pull.title;
    }
    // Whoever loses the cache and is refused at once has nothing of that repository left; else nothing that was shown is lost.
    for (const auto& [name, pulls] : home.hub.repositories) {
      for (const auto& pull : pulls) {
        const auto is = stands.find({name, pull.number});
        if (is == stands.end()) {
          RC_ASSERT(home.hub.refused.contains(fmt::format("/repos/{}/pulls", name)));
        } else {
          RC_ASSERT(is->second == shown.at({name, pull.number}));
        }
      }
    }
    RC_ASSERT(verify_evidence(home.path()).has_value());
  }
  home.hub.refused.clear();
  const auto last = home.run();
  RC_ASSERT(last.leaf.outcome == Outcome::complete);
  std::size_t all = 0;
  for (const auto& [name, pulls] : home.hub.repositories) all += pulls.size();
  RC_ASSERT(home.pulls(last).size() == all);
  RC_ASSERT(home.run().unchanged);
}

}  // namespace
}  // namespace vouch::collect
