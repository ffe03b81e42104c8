#include "facts/replay.h"

#include "facts/test_ledger.h"

#include <gtest/gtest.h>

namespace vouch::facts::test {
namespace {

using evidence::Outcome;

Asked log_groups(std::vector<Answer> pages, std::string region = "eu-central-1") {
  return {"logs:DescribeLogGroups", std::move(region), {{"{}", "", std::move(pages)}}, Outcome::complete, ""};
}
Asked list_buckets(const std::vector<std::string>& names) {
  return {"s3:ListBuckets", "", {{R"({"MaxBuckets":1000})", "", {buckets(names)}}}, Outcome::complete, ""};
}
Asked policies(std::vector<Request> requests, Outcome outcome = Outcome::complete) {
  return {"s3:GetBucketPolicy", "", std::move(requests), outcome, outcome == Outcome::complete ? "" : "1 denied (AccessDenied)"};
}
Asked refused(std::string operation, std::string region = "", Outcome outcome = Outcome::denied) {
  return {std::move(operation), std::move(region), {}, outcome, "denied (AccessDenied)"};
}

struct World : Home {
  std::optional<Facts> facts;
  Replayed last;

  Facts& replayed(const Collected& run) {
    collect(run);
    return replayed();
  }
  Facts& replayed() {
    if (!facts) facts = must(Facts::create(path(), small_catalog()));
    last = must(replay(reader(), blobs(), models(), *facts));
    return *facts;
  }

  // Cells joined by blanks, a line a row.
  std::vector<std::string> lines(std::string_view sql) {
    std::vector<std::string> found;
    for (const auto& row : must(facts->store().query(sql)).rows) {
      std::string line;
      for (const auto& cell : row)
        line += (line.empty() ? "" : " ") + (std::holds_alternative<std::monostate>(cell) ? "-" : table::to_text(cell));
      found.push_back(line);
    }
    return found;
  }
  std::vector<std::string> holes_of(const std::string& table, std::string_view instant) {
    std::vector<std::string> found;
    for (const auto& hole : must(facts->holes(std::vector{table}, at(instant)))) {
      std::string key;
      for (const auto& [name, value] : hole.key) key += name + "=" + value + " ";
      found.push_back(key + hole.reason);
    }
    return found;
  }
};

using Lines = std::vector<std::string>;
constexpr std::string_view group_versions =
    "select log_group, retention, valid_from, valid_to, seen_before, leaf from aws_logs_log_group order by log_group, valid_from";
constexpr std::string_view bucket_versions = "select bucket, valid_from, valid_to, seen_before, leaf from aws_s3_bucket order by all";
constexpr std::string_view policy_versions =
    "select bucket, policy, valid_from, valid_to, seen_before from aws_s3_bucket_policy order by bucket, valid_from";

TEST(Replay, begins_a_version_when_it_was_asked_and_ends_it_when_it_no_longer_shows) {
  World world;
  world.replayed({at("2026-03-01T09:00Z"), {log_groups({groups({{"a", 30}, {"b", 90}})})}});
  EXPECT_EQ(world.last.rows_opened, 2u);
  EXPECT_EQ(world.last.changed_tables, (Lines{"aws_logs_log_group", "aws_s3_bucket", "aws_s3_bucket_policy"}));
  world.replayed({at("2026-03-02T09:00Z"), {log_groups({groups({{"a", 90}, {"c", 1}})})}});
  EXPECT_EQ(world.last.changed_tables, Lines{"aws_logs_log_group"});
  EXPECT_EQ(world.lines(group_versions), (Lines{
                                             "a 30 2026-03-01T09:00:01Z 2026-03-02T09:00:01Z - 1",
                                             "a 90 2026-03-02T09:00:01Z infinity 2026-03-01T09:00:01.5Z 2",
                                             "b 90 2026-03-01T09:00:01Z 2026-03-02T09:00:01Z - 1",
                                             "c 1 2026-03-02T09:00:01Z infinity 2026-03-01T09:00:01.5Z 2",
                                         }));
  const auto state = must(world.facts->state());
  EXPECT_EQ(state.size.value, 3u);
  EXPECT_EQ(state.last_run, at("2026-03-02T09:01Z"));
  EXPECT_FALSE(state.simulated);
}

TEST(Replay, of_an_unchanged_second_collection_reads_no_body_and_touches_no_row) {
  World world;
  Collected run{at("2026-03-01T09:00Z"),
                {log_groups({groups({{"a", 30}})}), policies({policy_of("x", policy(1)), policy_of("y", no_policy())})}};
  world.replayed(run);
  EXPECT_EQ(world.last.bodies_read, 2u);
  for (int day = 2; day < 5; ++day) {
    run.started = at(fmt::format("2026-03-{:02}T09:00Z", day));
    world.replayed(run);
    EXPECT_EQ(world.last.collections, 1u);
    EXPECT_EQ(world.last.bodies_read, 0u);
    EXPECT_EQ(world.last.manifests_read, 0u);
    EXPECT_EQ(world.last.rows_opened + world.last.rows_closed, 0u);
    EXPECT_TRUE(world.last.changed_tables.empty());
  }
  EXPECT_EQ(world.lines("select count(*) from vouch.run"), Lines{"4"});
}

TEST(Replay, reads_only_the_requests_that_changed) {
  World world;
  std::vector<Request> many;
  for (int i = 0; i < 50; ++i) many.push_back(policy_of(fmt::format("b{:02}", i), policy(i)));
  world.replayed({at("2026-03-01T09:00Z"), {policies(many)}});
  many[7].pages[0] = policy(100);
  world.replayed({at("2026-03-02T09:00Z"), {policies(many)}});
  EXPECT_EQ(world.last.bodies_read, 2u);  // the old and the new
  EXPECT_EQ(world.last.rows_opened, 1u);
  EXPECT_EQ(world.last.rows_closed, 1u);
}

TEST(Replay, puts_the_newest_value_of_a_latest_column_into_the_version_that_stands) {
  World world;
  world.replayed({at("2026-03-01T09:00Z"), {log_groups({groups({{"a", 30, 5}})})}});
  world.replayed({at("2026-03-02T09:00Z"), {log_groups({groups({{"a", 30, 6}})})}});
  EXPECT_EQ(world.last.rows_opened, 0u);
  EXPECT_EQ(world.last.changed_tables, Lines{"aws_logs_log_group"});
  EXPECT_EQ(world.lines("select stored, valid_from, leaf from aws_logs_log_group"), Lines{"6 2026-03-01T09:00:01Z 1"});
}

TEST(Replay, keeps_rows_of_a_request_that_was_denied_and_opens_a_hole_for_its_key) {
  World world;
  world.replayed({at("2026-03-01T09:00Z"), {policies({policy_of("x", policy(1)), policy_of("y", policy(1))})}});
  world.replayed({at("2026-03-02T09:00Z"), {policies({policy_of("x", denied()), policy_of("y", policy(2))}, Outcome::partial)}});
  EXPECT_EQ(world.lines(policy_versions), (Lines{
                                              "x {\"Version\":\"1\"} 2026-03-01T09:00:01Z infinity -",
                                              "y {\"Version\":\"1\"} 2026-03-01T09:00:01Z 2026-03-02T09:00:01Z -",
                                              "y {\"Version\":\"2\"} 2026-03-02T09:00:01Z infinity 2026-03-01T09:00:01.5Z",
                                          }));
  EXPECT_EQ(world.holes_of("aws_s3_bucket_policy", "2026-03-01T09:00:01Z"), Lines{});
  const Lines hole{"account=1 bucket=x s3:GetBucketPolicy denied (AccessDenied)"};
  EXPECT_EQ(world.holes_of("aws_s3_bucket_policy", "2026-03-01T09:00:01.5Z"), hole);
  EXPECT_EQ(world.holes_of("aws_s3_bucket_policy", "2026-03-02T12:00Z"), hole);

  // Two days later it answers again, and something else: last seen otherwise before the hole.
  world.replayed({at("2026-03-03T09:00Z"), {policies({policy_of("x", policy(3)), policy_of("y", policy(2))})}});
  EXPECT_EQ(world.lines(policy_versions)[1], "x {\"Version\":\"3\"} 2026-03-03T09:00:01Z infinity 2026-03-01T09:00:01.5Z");
  EXPECT_EQ(world.holes_of("aws_s3_bucket_policy", "2026-03-03T09:00:01Z"), Lines{});
  EXPECT_EQ(world.holes_of("aws_s3_bucket_policy", "2026-03-03T09:00:00.999999Z"), hole);
  EXPECT_EQ(world.last.bodies_read, 2u);
}

TEST(Replay, takes_absence_and_gone_as_observed) {
  World world;
  world.replayed({at("2026-03-01T09:00Z"), {policies({policy_of("x", policy(1)), policy_of("y", policy(1)), policy_of("z", policy(1))})}});
  world.replayed({at("2026-03-02T09:00Z"), {policies({policy_of("x", no_policy()), policy_of("y", bucket_gone())})}});
  EXPECT_EQ(world.lines("select bucket, valid_to from aws_s3_bucket_policy order by all"),
            (Lines{"x 2026-03-02T09:00:01Z", "y 2026-03-02T09:00:01Z", "z 2026-03-02T09:00:01Z"}));
  EXPECT_EQ(world.holes_of("aws_s3_bucket_policy", "2026-03-02T12:00Z"), Lines{});
}

TEST(Replay, leaves_a_denied_listing_as_it_was_under_a_hole_from_when_it_was_last_seen) {
  World world;
  world.replayed({at("2026-03-01T09:00Z"), {list_buckets({"x", "y"})}});
  world.replayed({at("2026-03-02T09:00Z"), {refused("s3:ListBuckets")}});
  world.replayed({at("2026-03-03T09:00Z"), {list_buckets({"x"})}});
  EXPECT_EQ(world.lines(bucket_versions),
            (Lines{"x 2026-03-01T09:00:01Z infinity - 1", "y 2026-03-01T09:00:01Z 2026-03-03T09:00:01Z - 1"}));
  EXPECT_EQ(world.holes_of("aws_s3_bucket", "2026-03-01T09:00:01.4Z"), Lines{});
  EXPECT_EQ(world.holes_of("aws_s3_bucket", "2026-03-01T09:00:01.5Z"), Lines{"account=1 s3:ListBuckets denied (AccessDenied)"});
  EXPECT_EQ(world.holes_of("aws_s3_bucket", "2026-03-03T09:00:01Z"), Lines{});
}

TEST(Replay, counts_an_answer_of_the_wrong_shape_as_failed_and_applies_none_of_it) {
  World world;
  const auto nameless = [](std::string_view more) {
    return Answer{fmt::format(R"({{"logGroups":[{{"retentionInDays":5}}{}]}})", more), "", "", "", ""};
  };
  world.replayed({at("2026-03-01T09:00Z"), {log_groups({groups({{"a", 30}})})}});
  world.replayed({at("2026-03-02T09:00Z"), {log_groups({groups({{"b", 30}}), nameless("")})}});
  EXPECT_EQ(world.lines(group_versions), Lines{"a 30 2026-03-01T09:00:01Z infinity - 1"});
  EXPECT_EQ(world.holes_of("aws_logs_log_group", "2026-03-02T12:00Z"),
            Lines{"account=1 region=eu-central-1 logs:DescribeLogGroups failed: aws_logs_log_group: a row without log_group, which is part "
                  "of its key"});
  world.replayed({at("2026-03-03T09:00Z"), {log_groups({{"<html>", "", "", "", ""}})}});
  EXPECT_EQ(world.lines(group_versions).size(), 1u);
  EXPECT_EQ(world.holes_of("aws_logs_log_group", "2026-03-03T12:00Z").size(), 1u);
  world.replayed({at("2026-03-04T09:00Z"), {log_groups({groups({{"b", 30}})})}});
  EXPECT_EQ(world.lines(group_versions),
            (Lines{"a 30 2026-03-01T09:00:01Z 2026-03-04T09:00:01Z - 1", "b 30 2026-03-04T09:00:01Z infinity 2026-03-01T09:00:01.5Z 4"}));
}

TEST(Replay, counts_one_spoiled_answer_of_many_as_a_hole_of_its_own_key) {
  World world;
  world.replayed({at("2026-03-01T09:00Z"), {policies({policy_of("x", policy(1)), policy_of("y", broken_policy())})}});
  EXPECT_EQ(world.lines("select bucket from aws_s3_bucket_policy"), Lines{"x"});
  EXPECT_EQ(world.holes_of("aws_s3_bucket_policy", "2026-03-01T12:00Z").size(), 1u);
  EXPECT_TRUE(world.holes_of("aws_s3_bucket_policy", "2026-03-01T12:00Z")[0].starts_with(
      "account=1 bucket=y s3:GetBucketPolicy failed: aws_s3_bucket_policy.policy: "));
  // It goes on while another bucket changes, and ends when the answer has its shape again.
  world.replayed({at("2026-03-02T09:00Z"), {policies({policy_of("x", broken_policy()), policy_of("y", broken_policy())})}});
  EXPECT_EQ(world.lines(policy_versions), Lines{"x {\"Version\":\"1\"} 2026-03-01T09:00:01Z infinity -"});
  EXPECT_EQ(world.holes_of("aws_s3_bucket_policy", "2026-03-02T12:00Z").size(), 2u);
  world.replayed({at("2026-03-03T09:00Z"), {policies({policy_of("x", policy(1)), policy_of("y", policy(2))})}});
  EXPECT_EQ(world.holes_of("aws_s3_bucket_policy", "2026-03-03T12:00Z"), Lines{});
  EXPECT_EQ(world.lines("select bucket, valid_from from aws_s3_bucket_policy order by 1"),
            (Lines{"x 2026-03-01T09:00:01Z", "y 2026-03-03T09:00:01Z"}));
}

TEST(Replay, follows_a_resource_from_page_to_page) {
  World world;
  world.replayed({at("2026-03-01T09:00Z"), {log_groups({groups({{"a", 1}, {"b", 2}}), groups({{"c", 3}, {"d", 4}}), groups({{"e", 5}})})}});
  world.replayed({at("2026-03-02T09:00Z"), {log_groups({groups({{"b", 2}, {"c", 3}}), groups({{"d", 4}}), groups({{"e", 5}})})}});
  EXPECT_EQ(world.lines("select log_group from aws_logs_log_group where valid_to = 'infinity' order by 1"), (Lines{"b", "c", "d", "e"}));
  EXPECT_EQ(world.last.rows_opened, 0u);
  EXPECT_EQ(world.last.rows_closed, 1u);
}

TEST(Replay, keeps_a_resource_that_another_page_still_shows) {
  World world;
  world.replayed({at("2026-03-01T09:00Z"), {log_groups({groups({{"a", 1}, {"b", 2}}), groups({{"b", 2}, {"c", 3}})})}});
  world.replayed({at("2026-03-02T09:00Z"), {log_groups({groups({{"a", 1}}), groups({{"b", 2}, {"c", 3}})})}});
  EXPECT_EQ(world.lines("select log_group from aws_logs_log_group where valid_to = 'infinity' order by 1"), (Lines{"a", "b", "c"}));
  // A page begins to show what another, unchanged one shows; the last page's value stands, then the other's again.
  world.replayed({at("2026-03-03T09:00Z"), {log_groups({groups({{"a", 1}, {"c", 9}}), groups({{"b", 2}, {"c", 3}})})}});
  EXPECT_EQ(world.last.rows_opened, 0u);
  world.replayed({at("2026-03-04T09:00Z"), {log_groups({groups({{"a", 1}, {"c", 9}}), groups({{"b", 2}})})}});
  EXPECT_EQ(world.lines("select log_group, retention from aws_logs_log_group where valid_to = 'infinity' order by 1"),
            (Lines{"a 1", "b 2", "c 9"}));
}

TEST(Replay, opens_holes_between_runs_too_far_apart) {
  World world;
  world.replayed({at("2026-03-01T09:00Z"), {list_buckets({"x"})}, "1", Duration::hours(6)});
  world.replayed({at("2026-03-01T18:00Z"), {list_buckets({"x"})}, "1", Duration::hours(6)});  // 9 h is 1.5 times 6 h, less the run's minute
  world.replayed({at("2026-03-02T12:00Z"), {list_buckets({"x"})}, "1", Duration::days(7)});
  EXPECT_EQ(world.holes_of("aws_s3_bucket", "2026-03-01T12:00Z"), Lines{});
  EXPECT_EQ(world.holes_of("aws_s3_bucket", "2026-03-01T18:00:59Z"), Lines{});
  EXPECT_EQ(world.holes_of("aws_s3_bucket", "2026-03-01T18:01Z"), Lines{"account=1 no collection for 17 h"});
  EXPECT_EQ(world.holes_of("aws_s3_bucket", "2026-03-02T12:00Z"), Lines{});
  // After the last run it reaches on for one tolerance, here at its limit.
  EXPECT_EQ(world.holes_of("aws_s3_bucket", "2026-03-03T14:00:59Z"), Lines{});
  EXPECT_EQ(world.holes_of("aws_s3_bucket", "2026-03-03T14:01Z"), Lines{"account=1 no collection for 26 h"});
  EXPECT_EQ(must(world.facts->changes(Lines{"aws_s3_bucket"}, at("2026-03-09"), 2)),
            (std::vector<Instant>{at("2026-03-03T14:01Z"), at("2026-03-02T12:00Z")}));
  EXPECT_EQ(must(world.facts->observed_before(Lines{"aws_s3_bucket"}, at("2026-03-02T12:00:01Z"))), at("2026-03-01T18:01Z"));
  EXPECT_EQ(must(world.facts->observed_before(Lines{"aws_s3_bucket"}, at("2026-03-01T09:00:01Z"))), std::nullopt);
}

TEST(Replay, makes_a_failed_run_a_hole_of_the_whole_account) {
  World world;
  world.replayed({at("2026-03-01T09:00Z"), {list_buckets({"x"})}});
  world.replayed({at("2026-03-02T09:00Z"), {}, "1", Duration::days(1), "unreachable"});
  EXPECT_EQ(world.holes_of("aws_s3_bucket", "2026-03-01T12:00Z"), Lines{"account=1 collection failed: unreachable"});
  world.replayed({at("2026-03-03T09:00Z"), {list_buckets({"y"})}});
  EXPECT_EQ(world.holes_of("aws_s3_bucket", "2026-03-02T12:00Z"), Lines{"account=1 collection failed: unreachable"});
  EXPECT_EQ(world.holes_of("aws_s3_bucket", "2026-03-03T09:00Z"), Lines{});
  EXPECT_EQ(world.lines(bucket_versions),
            (Lines{"x 2026-03-01T09:00:01Z 2026-03-03T09:00:01Z - 1", "y 2026-03-03T09:00:01Z infinity 2026-03-01T09:00:01.5Z 3"}));
}

TEST(Replay, makes_a_run_that_never_learnt_its_account_a_hole_of_all_accounts) {
  World world;
  world.replayed({at("2026-03-01T09:00Z"), {}, "", Duration::days(1), "no credentials"});
  EXPECT_EQ(world.holes_of("aws_s3_bucket", "2026-03-01T12:00Z"), Lines{"not collected: no credentials"});
  world.replayed({at("2026-03-02T09:00Z"), {list_buckets({"x"})}, "1"});
  world.replayed({at("2026-03-02T10:00Z"), {list_buckets({"y"})}, "2"});
  world.replayed({at("2026-03-02T11:00Z"), {}, "", Duration::days(1), "no credentials"});
  EXPECT_EQ(world.holes_of("aws_s3_bucket", "2026-03-02T11:30Z"),
            (Lines{"account=1 collection failed: no credentials", "account=2 collection failed: no credentials"}));
  world.replayed({at("2026-03-02T12:00Z"), {list_buckets({"x"})}, "1"});
  EXPECT_EQ(world.holes_of("aws_s3_bucket", "2026-03-02T12:30Z"), (Lines{"account=2 collection failed: no credentials"}));
}

TEST(Replay, knows_nothing_of_the_time_before_the_first_run_and_of_what_was_never_asked) {
  World world;
  world.replayed({at("2026-03-01T09:00Z"), {list_buckets({"x"})}, "1"});
  world.replayed({at("2026-03-01T10:00Z"), {log_groups({groups({{"a", 1}})}), list_buckets({"y"})}, "2"});
  EXPECT_EQ(world.holes_of("aws_s3_bucket", "2026-03-01T08:00Z"),
            (Lines{"account=1 not collected", "account=2 not collected", "account=1 s3:ListBuckets not collected",
                   "account=2 s3:ListBuckets not collected"}));
  EXPECT_EQ(world.holes_of("aws_s3_bucket", "2026-03-01T09:30Z"),
            (Lines{"account=2 not collected", "account=2 s3:ListBuckets not collected"}));
  EXPECT_EQ(world.holes_of("aws_logs_log_group", "2026-03-01T11:00Z"), Lines{"account=1 logs:DescribeLogGroups not collected"});
  // A region that is read from the third run on was not known before.
  world.replayed({at("2026-03-01T12:00Z"),
                  {log_groups({groups({{"a", 1}})}), log_groups({groups({{"b", 1}})}, "us-east-1"), list_buckets({"y"})},
                  "2"});
  EXPECT_EQ(world.holes_of("aws_logs_log_group", "2026-03-01T12:00:01Z"),
            (Lines{"account=2 region=us-east-1 logs:DescribeLogGroups not collected", "account=1 logs:DescribeLogGroups not collected"}));
  EXPECT_EQ(world.holes_of("aws_logs_log_group", "2026-03-01T12:00:02Z"), Lines{"account=1 logs:DescribeLogGroups not collected"});
  // And one that is no longer read is not known any more, and its rows stay.
  world.replayed({at("2026-03-01T13:00Z"), {log_groups({groups({{"a", 1}})}), list_buckets({"y"})}, "2"});
  EXPECT_EQ(
      world.holes_of("aws_logs_log_group", "2026-03-01T14:00Z"),
      (Lines{"account=2 region=us-east-1 logs:DescribeLogGroups no longer collected", "account=1 logs:DescribeLogGroups not collected"}));
  EXPECT_EQ(world.lines("select count(*) from aws_logs_log_group where valid_to = 'infinity'"), Lines{"2"});
}

TEST(Replay, shows_in_a_view_what_was_covered) {
  World world;
  world.replayed({at("2026-03-01T09:00Z"), {policies({policy_of("x", denied())}, Outcome::partial)}});
  world.replayed({at("2026-03-02T09:00Z"), {refused("s3:GetBucketPolicy")}});
  world.replayed({at("2026-03-03T09:00Z"), {policies({policy_of("x", policy(1))})}});
  EXPECT_EQ(
      world.lines(
          R"(select key, "from", "to", basis, reason from coverage where table_name = 'aws_s3_bucket_policy' and "to" > '2026-03-01T12:00:00Z' order by basis, "from", "to")"),
      (Lines{
          R"({"account":"1","bucket":"x"} 2026-03-01T09:00:01Z 2026-03-03T09:00:01Z none s3:GetBucketPolicy denied (AccessDenied))",
          R"({"account":"1"} 2026-03-01T09:00:01.5Z 2026-03-03T09:00:01Z none s3:GetBucketPolicy denied (AccessDenied))",
          R"({"account":"1"} 2026-03-03T09:00:01Z 2026-03-04T11:01:00Z snapshots -)",
      }));
  EXPECT_EQ(world.lines(R"(select key, "from", "to" from coverage where basis = 'snapshots' order by all)"),
            (Lines{R"({"account":"1"} 2026-03-01T09:00:01Z 2026-03-01T09:00:01.5Z)",
                   R"({"account":"1"} 2026-03-03T09:00:01Z 2026-03-04T11:01:00Z)"}));
}

TEST(Replay, is_all_or_nothing) {
  World world;
  world.replayed({at("2026-03-01T09:00Z"), {list_buckets({"x"})}});
  const auto before = world.lines(bucket_versions);
  world.collect({at("2026-03-02T09:00Z"), {list_buckets({"x", "y"})}});
  // A pack that is lost is damage, and said to be.
  std::vector<fs::path> packs;
  for (const auto& file : fs::directory_iterator(world.path() / "blobs"))
    if (file.path().extension() == ".pack") packs.push_back(file.path());
  std::sort(packs.begin(), packs.end());
  fs::remove(packs.back());
  const auto failed = replay(world.reader(), world.blobs(), models(), *world.facts);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Errc::corrupt);
  EXPECT_EQ(world.lines(bucket_versions), before);
  EXPECT_EQ(must(world.facts->state()).size.value, 2u);
}

TEST(Replay, begins_anew_when_the_catalogue_changed) {
  World world;
  world.replayed({at("2026-03-01T09:00Z"), {list_buckets({"x"})}});
  world.facts.reset();
  auto facts = must(Facts::open(world.path(),
                                catalog_of("- {table: aws_s3_bucket, from: s3:ListBuckets, rows: 'Buckets[] as b', key: [bucket], columns: "
                                           "{bucket: text b.Name, upper: text lower(b.Name)}}"),
                                table::Mode::writing));
  const auto done = must(replay(world.reader(), world.blobs(), models(), facts));
  EXPECT_EQ(done.from.value, 0u);
  EXPECT_EQ(done.rows_opened, 1u);
  EXPECT_EQ(table::to_text(must(facts.store().query("select upper from aws_s3_bucket")).rows.at(0).at(0)), "x");
}

TEST(Replay, remembers_for_good_that_something_was_simulated) {
  World world;
  world.replayed({at("2026-03-01T09:00Z"), {list_buckets({"x"})}, "1", Duration::days(1), "", Duration::minutes(1), true});
  world.replayed({at("2026-03-02T09:00Z"), {list_buckets({"x"})}});
  EXPECT_TRUE(must(world.facts->state()).simulated);
}

TEST(Replay, dates_an_answer_that_dates_itself_by_its_own_date) {
  Home home;
  const auto list_at = [](std::string_view name, std::string_view date) {
    return Asked{
        "s3:ListBuckets",
        "",
        {{"{}",
          "",
          {{fmt::format(
                "<ListAllMyBucketsResult><Buckets><Bucket><Name>{}</Name></Bucket></Buckets><Prefix>{}</Prefix></ListAllMyBucketsResult>",
                name, date),
            "", "", "", ""}}}},
        Outcome::complete,
        ""};
  };
  home.collect({at("2026-03-01T09:00Z"), {list_at("x", "2026-03-01T05:00:00Z")}});
  home.collect({at("2026-03-02T09:00Z"), {list_at("y", "2026-03-02T06:00:00Z")}});
  auto facts = must(
      Facts::create(home.path(), catalog_of("- {table: t, from: s3:ListBuckets, rows: 'Buckets[] as b', observed: Prefix, key: [bucket], "
                                            "columns: {bucket: text b.Name}}")));
  must(replay(home.reader(), home.blobs(), models(), facts));
  const auto rows = must(facts.store().query("select bucket, valid_from, valid_to, seen_before from t order by 1")).rows;
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0], (std::vector<table::Value>{std::string{"x"}, at("2026-03-01T05:00Z"), at("2026-03-02T06:00Z"), table::Value{}}));
  EXPECT_EQ(rows[1], (std::vector<table::Value>{std::string{"y"}, at("2026-03-02T06:00Z"), Instant::infinity(), at("2026-03-01T05:00Z")}));
}

TEST(Trace, leads_from_a_row_to_the_bytes_that_showed_it_first) {
  World world;
  world.replayed(
      {at("2026-03-01T09:00Z"),
       {log_groups({groups({{"a", 1}}), groups({{"b", 2}})}), policies({policy_of("x", policy(1)), policy_of("y", no_policy())})}});
  world.replayed(
      {at("2026-03-02T09:00Z"),
       {log_groups({groups({{"a", 1}}), groups({{"b", 3}})}), policies({policy_of("x", policy(1)), policy_of("y", no_policy())})}});
  const auto group = must(world.facts->trace(world.path(), "aws_logs_log_group", {{"log_group", "b"}}, at("2026-03-01T12:00Z")));
  ASSERT_EQ(group.size(), 1u);
  EXPECT_EQ(group[0].leaf.value, 1u);
  EXPECT_EQ(group[0].operation, "logs:DescribeLogGroups");
  EXPECT_EQ(group[0].page, 1);
  EXPECT_EQ(*canonical(group[0].scope), R"({"region":"eu-central-1"})");
  EXPECT_EQ(must(world.blobs().get(must(parse_digest(group[0].body)))), groups({{"b", 2}}).body);
  EXPECT_NE(must(world.blobs().get(must(parse_digest(group[0].tree)))).find(group[0].manifest), std::string::npos);

  EXPECT_EQ(must(world.facts->trace(world.path(), "aws_logs_log_group", {{"log_group", "b"}}, at("2026-03-02T12:00Z")))[0].leaf.value, 2u);
  const auto policy_trace =
      must(world.facts->trace(world.path(), "aws_s3_bucket_policy", {{"account", "1"}, {"bucket", "x"}}, at("2026-03-02T12:00Z")));
  ASSERT_EQ(policy_trace.size(), 1u);
  EXPECT_EQ(policy_trace[0].leaf.value, 1u);
  EXPECT_EQ(*canonical(policy_trace[0].params), R"({"Bucket":"x"})");

  // The policy that is not there: the answer that said so, which has no body.
  const auto absent =
      must(world.facts->trace(world.path(), "aws_s3_bucket_policy", {{"account", "1"}, {"bucket", "y"}}, at("2026-03-02T12:00Z")));
  ASSERT_EQ(absent.size(), 1u);
  EXPECT_EQ(absent[0].leaf.value, 2u);
  EXPECT_EQ(absent[0].body, "");
  EXPECT_EQ(world.facts->trace(world.path(), "aws_s3_bucket_policy", {{"colour", "y"}}, at("2026-03-02T12:00Z")).error().code, Errc::usage);
}

TEST(Rebuild, takes_the_place_of_what_was_there) {
  World world;
  world.replayed({at("2026-03-01T09:00Z"), {list_buckets({"x"})}});
  world.facts.reset();
  const auto done = must(rebuild(world.path(), world.reader(), world.blobs(), models(), small_catalog()));
  EXPECT_EQ(done.collections, 1u);
  auto facts = must(Facts::open(world.path(), small_catalog(), table::Mode::reading));
  EXPECT_EQ(must(facts.state()).size.value, 2u);
  EXPECT_EQ(must(facts.state()).root, to_base64(world.reader().checkpoint().root.bytes));
  for (const auto& entry : fs::directory_iterator(world.path()))
    EXPECT_FALSE(entry.path().filename().string().starts_with("facts-")) << entry.path();
}

}  // namespace
}  // namespace vouch::facts::test
