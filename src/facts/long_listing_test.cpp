#include "facts/replay.h"
#include "facts/test_ledger.h"

#include <gtest/gtest.h>

namespace vouch::facts::test {
namespace {

// Listings of so many pages that their rows go to the database while they are read.
constexpr int many = 250;

using Groups = std::map<std::string, int>;  // name -> retention

Groups some_groups() {
  Groups groups;
  for (int i = 0; i < 2 * many; ++i) groups[fmt::format("g{:04}", i)] = i % 7;
  return groups;
}

// Two on a page.
std::vector<Answer> pages_of(const Groups& all) {
  std::vector<Answer> pages;
  for (auto group = all.begin(); group != all.end();) {
    std::string body;
    for (int i = 0; i < 2 && group != all.end(); ++i, ++group)
      body += fmt::format(R"({}{{"logGroupName":"{}","retentionInDays":{}}})", i ? "," : "", group->first, group->second);
    pages.push_back({fmt::format(R"({{"logGroups":[{}]}})", body), "", "", "", ""});
  }
  return pages;
}

Collected run(std::string_view day, std::vector<Answer> pages) {
  return {at(fmt::format("2026-03-{}T09:00Z", day)),
          {Asked{"logs:DescribeLogGroups", "eu-central-1", {{"{}", "", std::move(pages)}}, evidence::Outcome::complete, ""}}};
}

std::vector<std::string> versions(Facts& facts) {
  std::vector<std::string> lines;
  const auto rows = must(
      facts.store().query("select log_group, retention, valid_from, valid_to, seen_before, leaf from aws_logs_log_group order by all"));
  for (const auto& row : rows.rows) {
    std::string line;
    for (const auto& cell : row) line += table::to_text(cell) + " ";
    lines.push_back(line);
  }
  return lines;
}

std::size_t standing(Facts& facts) {
  return must(facts.store().query("select 1 from aws_logs_log_group where valid_to = 'infinity'")).rows.size();
}

struct World : Home {
  Facts facts = must(Facts::in_memory(small_catalog(), 1));
  Replayed replayed() { return must(replay(reader(), blobs(), models(), facts)); }
  Replayed replayed(const Collected& run) {
    collect(run);
    return replayed();
  }
};

TEST(LongListing, gives_the_same_rows_at_once_and_run_by_run) {
  World by_run, at_once;
  auto groups = some_groups();
  std::vector runs{run("01", pages_of(groups))};
  groups["g0100"] = 90;
  runs.push_back(run("02", pages_of(groups)));
  groups.erase("g0001");  // all pages behind it show others
  groups["h"] = 1;
  runs.push_back(run("03", pages_of(groups)));
  runs.push_back(run("04", {pages_of({{"g0100", 90}})}));
  for (const auto& one : runs) {
    by_run.replayed(one);
    at_once.collect(one);
  }
  EXPECT_EQ(at_once.replayed().rows_opened, 2u * many + 2);
  EXPECT_EQ(versions(by_run.facts), versions(at_once.facts));
  EXPECT_EQ(versions(at_once.facts).size(), 2u * many + 2);
  EXPECT_EQ(standing(at_once.facts), 1u);
}

TEST(LongListing, shows_what_its_last_page_shows_where_a_key_stands_on_two) {
  World world;
  auto pages = pages_of(some_groups());
  pages.push_back(pages_of({{"g0003", 90}}).front());
  EXPECT_EQ(world.replayed(run("01", pages)).rows_opened, 2u * many);
  EXPECT_EQ(versions(world.facts).size(), 2u * many);
  EXPECT_EQ(must(world.facts.store().query("select retention from aws_logs_log_group where log_group = 'g0003'")).rows.at(0).at(0),
            table::Value{std::int64_t{90}});
  pages.pop_back();
  EXPECT_EQ(world.replayed(run("02", pages)).rows_closed, 1u);
  EXPECT_EQ(standing(world.facts), 2u * many);
}

TEST(LongListing, of_which_a_late_page_has_the_wrong_shape_shows_nothing) {
  World world;
  auto pages = pages_of(some_groups());
  pages.push_back({R"({"logGroups":[{"retentionInDays":5}]})", "", "", "", ""});
  world.replayed(run("01", pages));
  EXPECT_TRUE(versions(world.facts).empty());
  EXPECT_EQ(must(world.facts.store().query("select 1 from vouch.hole where reason like '%a row without log_group%'")).rows.size(), 1u);
  pages.pop_back();
  world.replayed(run("02", pages));
  EXPECT_EQ(standing(world.facts), 2u * many);
}

}  // namespace
}  // namespace vouch::facts::test
