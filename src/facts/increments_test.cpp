// Increments: what a run brings is added to what stands.
#include "facts/schema.h"
#include "facts/test_ledger.h"

#include <gtest/gtest.h>
#include <random>

namespace vouch::facts::test {
namespace {

using evidence::Outcome;

FactCatalog hub_catalog() {
  return http_catalog_of(R"(
- table: hub_pull
  from: hub:pulls
  rows: answer[] as p
  key: [account, repository_id, number]
  columns: {repository_id: text key.repository_id, number: integer p.number, title: text p.title, labels: 'json? p.labels'}
- table: hub_review
  from: hub:reviews
  rows: answer[] as v
  key: [account, repository_id, number, reviewer]
  columns: {repository_id: text key.repository_id, number: integer key.number, reviewer: text v.by}
)");
}

Answer pulls(const std::vector<std::pair<int, std::string>>& all) {
  json::array list;
  for (const auto& [number, title] : all) list.push_back(json::object{{"number", number}, {"title", title}});
  return {json::serialize(list), "", "", "", ""};
}

Request of(const std::string& repository, Answer answer) {
  return {fmt::format(R"({{"repo":"{}"}})", repository), fmt::format(R"({{"repository_id":"{}"}})", repository), {std::move(answer)}};
}

Collected run(Instant started, std::vector<Request> requests, bool adds = true, Outcome outcome = Outcome::complete) {
  const bool keeps = adds && requests.empty();
  Collected run{started, {{"hub:pulls", "", std::move(requests), outcome, outcome == Outcome::complete ? "" : "some", adds, keeps}}};
  run.source = "hub";
  return run;
}

class Increments : public testing::Test {
 protected:
  Increments() { must(Facts::create(home_.path(), hub_catalog())); }

  void collect(const Collected& run) {
    home_.collect(run);
    auto facts = open();
    must(replay(home_.reader(), home_.blobs(), models(), facts));
  }
  Facts open() { return must(Facts::open(home_.path(), hub_catalog(), table::Mode::writing)); }

  std::vector<std::string> query(std::string_view sql) {
    auto facts = open();
    std::vector<std::string> lines;
    for (const auto& row : must(facts.store().query(std::string{sql})).rows) {
      std::string line;
      for (const auto& cell : row)
        line += (line.empty() ? "" : " ") + (std::holds_alternative<std::monostate>(cell) ? "-" : table::to_text(cell));
      lines.push_back(line);
    }
    return lines;
  }
  std::vector<std::string> current() {
    return query("select repository_id, number, title from hub_pull where valid_to = 'infinity' order by all");
  }
  std::vector<std::string> holes() {
    return query(
        R"(select json_extract_string(key, '$.repository_id'), reason, "from" from vouch.hole where "to" = 'infinity' order by all)");
  }

  Home home_;
};

using Lines = std::vector<std::string>;

TEST_F(Increments, AddAndReplaceRowsAndEndNone) {
  collect(run(at("2026-03-01T00:00Z"), {of("a", pulls({{1, "one"}, {2, "two"}})), of("b", pulls({{1, "b"}}))}, false));
  collect(run(at("2026-03-02T00:00Z"), {of("a", pulls({{3, "three"}, {1, "one again"}}))}));
  EXPECT_EQ(current(), (Lines{"a 1 one again", "a 2 two", "a 3 three", "b 1 b"}));
  EXPECT_EQ(query("select title, valid_to from hub_pull where valid_to < 'infinity'"), (Lines{"one 2026-03-02T00:00:01Z"}));
  EXPECT_EQ(query("select title, leaf from hub_pull where number = 2"), (Lines{"two 1"}));
  // Read as a whole again, what does not show stays all the same.
  collect(run(at("2026-03-03T00:00Z"), {of("a", pulls({{3, "three"}}))}, false));
  EXPECT_EQ(current().size(), 4u);
  EXPECT_EQ(holes(), Lines{});
}

TEST_F(Increments, AnUnchangedManifestCostsNothing) {
  collect(run(at("2026-03-01T00:00Z"), {of("a", pulls({{1, "one"}}))}, false));
  home_.collect(run(at("2026-03-02T00:00Z"), {}));
  auto facts = open();
  const auto done = must(replay(home_.reader(), home_.blobs(), models(), facts));
  EXPECT_EQ(done.bodies_read, 0u);
  EXPECT_EQ(done.rows_opened + done.rows_closed, 0u);
}

TEST_F(Increments, AHoleEndsWhenItsKeyWasReadToTheEndAgain) {
  collect(run(at("2026-03-01T00:00Z"), {of("a", pulls({{1, "one"}})), of("b", pulls({{1, "b"}}))}, false));
  collect(run(at("2026-03-02T00:00Z"), {of("a", denied()), of("b", pulls({{2, "b2"}}))}, true, Outcome::partial));
  EXPECT_EQ(holes(), (Lines{"a hub:pulls denied (AccessDenied) 2026-03-01T00:00:01.5Z"}));
  EXPECT_EQ(current(), (Lines{"a 1 one", "b 1 b", "b 2 b2"}));
  // The run after brings nothing of a: it was read, and there was nothing new.
  collect(run(at("2026-03-03T00:00Z"), {of("b", pulls({{3, "b3"}}))}));
  EXPECT_EQ(holes(), Lines{});
  // What it then shows was last seen otherwise before the hole.
  collect(run(at("2026-03-04T00:00Z"), {of("a", denied())}, true, Outcome::partial));
  collect(run(at("2026-03-05T00:00Z"), {of("a", pulls({{1, "changed"}}))}));
  EXPECT_EQ(query("select seen_before from hub_pull where title = 'changed'"), (Lines{"2026-03-03T00:00:01.5Z"}));
}

TEST_F(Increments, WhatAFailedRunBroughtIsFoldedInWithTheNext) {
  collect(run(at("2026-03-01T00:00Z"), {of("a", pulls({{1, "one"}}))}, false));
  collect(run(at("2026-03-02T00:00Z"), {of("a", pulls({{2, "two"}}))}, true, Outcome::failed));
  EXPECT_EQ(current(), (Lines{"a 1 one"}));
  collect(run(at("2026-03-03T00:00Z"), {of("a", pulls({{3, "three"}}))}));
  EXPECT_EQ(current(), (Lines{"a 1 one", "a 2 two", "a 3 three"}));
  EXPECT_EQ(query("select leaf from hub_pull where number = 2"), (Lines{"3"}));
  auto facts = open();
  const auto traces = must(facts.trace(home_.path(), "hub_pull", {{"number", "2"}}, at("2026-03-04T00:00Z")));
  ASSERT_EQ(traces.size(), 1u);
  EXPECT_EQ(home_.blobs().get(must(parse_digest(traces[0].body))).value(), R"([{"number":2,"title":"two"}])");
}

TEST_F(Increments, AnAnswerWithoutItsShapeStaysAHoleUntilAllIsReadAgain) {
  collect(run(at("2026-03-01T00:00Z"), {of("a", pulls({{1, "one"}})), of("b", pulls({{1, "b"}}))}, false));
  collect(run(at("2026-03-02T00:00Z"), {of("a", {R"([{"number":2,"headline":"two"}])", "", "", "", ""}), of("b", pulls({{2, "b2"}}))}));
  const Lines hole{"a hub:pulls failed: answered without p.title 2026-03-01T00:00:01.5Z"};
  EXPECT_EQ(holes(), hole);
  EXPECT_EQ(current(), (Lines{"a 1 one", "b 1 b", "b 2 b2"}));
  collect(run(at("2026-03-03T00:00Z"), {of("a", pulls({{3, "three"}}))}));
  EXPECT_EQ(holes(), hole);  // what the second one was is still not known
  collect(run(at("2026-03-04T00:00Z"), {of("a", pulls({{1, "one"}, {2, "two"}, {3, "three"}})), of("b", pulls({{1, "b"}}))}, false));
  EXPECT_EQ(holes(), Lines{});
  EXPECT_EQ(current(), (Lines{"a 1 one", "a 2 two", "a 3 three", "b 1 b", "b 2 b2"}));
}

TEST_F(Increments, AnOlderCacheLeadsToNoOlderState) {
  collect(run(at("2026-03-01T00:00Z"), {of("a", pulls({{1, "one"}}))}, false));
  const auto first = home_.manifests.at("hub:pulls");
  collect(run(at("2026-03-02T00:00Z"), {of("a", pulls({{1, "two"}}))}));
  home_.manifests["hub:pulls"] = first;  // a restored cache: the next one adds to the first manifest again
  collect(run(at("2026-03-03T00:00Z"), {of("a", pulls({{1, "two"}, {2, "new"}}))}));
  EXPECT_EQ(current(), (Lines{"a 1 two", "a 2 new"}));
  EXPECT_EQ(query("select title, valid_from from hub_pull where number = 1 order by all"),
            (Lines{"one 2026-03-01T00:00:01Z", "two 2026-03-02T00:00:01Z"}));
}

// Histories at random, with refused repositories, failed runs and lost caches: the rows are what was shown, each in its latest state, the
// holes are what was not answered, and whoever folds all of it at once comes to the same.
TEST_F(Increments, FoldedRunByRunEqualARebuildAndTheUnionOfWhatWasShown) {
  for (unsigned seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random{seed};
    const auto pick = [&](int below) { return static_cast<int>(random() % static_cast<unsigned>(below)); };
    Home home;
    must(Facts::create(home.path(), hub_catalog()));
    std::map<std::pair<std::string, int>, std::string> world, shown;
    std::map<std::string, std::set<int>> owed;                   // numbers that changed since a repository was last read
    std::map<std::pair<std::string, int>, std::string> pending;  // shown by runs that failed as a whole
    std::set<std::string> refused, stored_refused;               // of the last run that was folded in, of the last manifest
    auto clock = at("2026-03-01T00:00Z");
    bool first = true;
    for (int i = 0; i < 12; ++i) {
      clock = clock + Duration::hours(1 + pick(20));
      for (const std::string repository : {"a", "b", "c"})
        for (int change = pick(3); change > 0; --change) {
          const int number = 1 + pick(4);
          world[{repository, number}] = fmt::format("{} {}", i, pick(3));
          owed[repository].insert(number);
        }
      const bool whole = first || pick(6) == 0, fails = !first && pick(5) == 0;
      std::vector<Request> requests;
      std::set<std::string> now_refused;
      std::map<std::pair<std::string, int>, std::string> brought;
      for (const std::string repository : {"a", "b", "c"}) {
        if (pick(4) == 0) {
          requests.push_back(of(repository, denied()));
          now_refused.insert(repository);
          if (whole) {  // nothing is remembered of it
            for (const auto& [id, title] : world)
              if (id.first == repository) owed[repository].insert(id.second);
          }
          continue;
        }
        std::vector<std::pair<int, std::string>> list;
        for (const auto& [id, title] : world)
          if (id.first == repository && (whole || owed[repository].contains(id.second))) list.emplace_back(id.second, title);
        owed[repository].clear();
        for (const auto& [number, title] : list) brought[{repository, number}] = title;
        if (!list.empty() || whole) requests.push_back(of(repository, pulls(list)));
      }
      if (whole) pending.clear();  // what failed runs showed belongs to a chain that has ended
      for (const auto& [id, title] : brought) pending[id] = title;
      const auto outcome = fails ? Outcome::failed : now_refused.empty() ? Outcome::complete : Outcome::partial;
      auto collected = run(clock, requests, !whole, outcome);
      collected.asked[0].keeps = collected.asked[0].keeps && stored_refused.empty();  // what stands is kept if it shows the same
      home.collect(collected);
      stored_refused = now_refused;
      if (!fails) {
        for (const auto& [id, title] : pending) shown[id] = title;
        pending.clear();
        refused = now_refused;
      }
      first = false;
      if (pick(4) == 0) continue;
      auto facts = must(Facts::open(home.path(), hub_catalog(), table::Mode::writing));
      must(replay(home.reader(), home.blobs(), models(), facts));
    }
    const auto all = [&](Facts& facts) {
      Lines lines;
      for (const auto* sql : {"select * from main.hub_pull order by all", "select * from vouch.hole order by all",
                              "select * from vouch.listing order by all", "select * from main.coverage order by all"})
        for (const auto& row : must(facts.store().query(sql)).rows) {
          std::string line;
          for (const auto& cell : row) line += table::to_text(cell) + "|";
          lines.push_back(line);
        }
      return lines;
    };
    Lines incremental, rows;
    std::set<std::string> holes;
    {
      auto facts = must(Facts::open(home.path(), hub_catalog(), table::Mode::writing));
      must(replay(home.reader(), home.blobs(), models(), facts));
      incremental = all(facts);
      for (const auto& row :
           must(facts.store().query("select repository_id, number, title from hub_pull where valid_to = 'infinity' order by all")).rows)
        rows.push_back(fmt::format("{} {} {}", table::to_text(row[0]), table::to_text(row[1]), table::to_text(row[2])));
      for (const auto& row : must(facts.store().query(R"(select json_extract_string(key, '$.repository_id') from vouch.hole
                                                         where "to" = 'infinity' and params <> '')"))
                                 .rows)
        holes.insert(table::to_text(row[0]));
    }
    ASSERT_EQ(holes, refused);
    Lines expected;
    for (const auto& [id, title] : shown) expected.push_back(fmt::format("{} {} {}", id.first, id.second, title));
    ASSERT_EQ(rows, expected);
    must(rebuild(home.path(), home.reader(), home.blobs(), models(), hub_catalog()));
    auto rebuilt = must(Facts::open(home.path(), hub_catalog(), table::Mode::reading));
    ASSERT_EQ(all(rebuilt), incremental);
  }
}

}  // namespace
}  // namespace vouch::facts::test
