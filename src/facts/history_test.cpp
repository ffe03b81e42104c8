// Histories of collections, generated: incremental folding must equal a rebuild, and both a slow and simple second implementation.
#include "facts/replay.h"

#include "facts/schema.h"
#include "facts/test_ledger.h"

#include <gtest/gtest.h>
#include <random>

namespace vouch::facts::test {
namespace {

using evidence::Outcome;

// A small cloud that changes at random, and a collector that is sometimes refused.
class Cloud {
 public:
  explicit Cloud(unsigned seed) : random_(seed) {}

  bool chance(int percent) { return pick(100) < percent; }
  int pick(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }

  Collected run(Instant started, const std::string& account) {
    auto& world = accounts_[account];
    if (!chance(25)) change(world);
    Collected run{started, {}, account};
    run.schedule = chance(80) ? Duration::days(1) : Duration::hours(6);
    if (chance(8)) {
      run.failed = "unreachable";
      return run;
    }
    // In the order of a tree: by operation, then region.
    for (const auto* region : {"eu-central-1", "us-east-1"}) {
      if (region == std::string_view{"us-east-1"} && chance(15)) continue;
      run.asked.push_back({"logs:DescribeLogGroups", region, {{"{}", "", pages(world.groups[region])}}, Outcome::complete, ""});
    }
    if (!chance(10)) run.asked.push_back(policies_of(world));
    std::vector<std::string> names;
    for (const auto& [name, policy] : world.buckets) names.push_back(name);
    run.asked.push_back({"s3:ListBuckets", "", {{"{}", "", {buckets(names)}}}, Outcome::complete, ""});
    for (auto& asked : run.asked)
      if (chance(7)) asked = {asked.operation, asked.region, {}, chance(50) ? Outcome::denied : Outcome::failed, "refused"};
    return run;
  }

 private:
  struct World {
    std::map<std::string, std::vector<Group>> groups;  // by region
    std::map<std::string, int> buckets;                // policy's version; 0: none
  };

  void change(World& world) {
    for (const auto* region : {"eu-central-1", "us-east-1"}) {
      auto& groups = world.groups[region];
      for (int i = pick(3); i > 0; --i)
        groups.insert(groups.begin() + pick(static_cast<int>(groups.size()) + 1), {fmt::format("g{}", pick(12)), pick(3), pick(3)});
      if (!groups.empty() && chance(40)) groups.erase(groups.begin() + pick(static_cast<int>(groups.size())));
      if (!groups.empty() && chance(40)) groups[static_cast<std::size_t>(pick(static_cast<int>(groups.size())))].stored = pick(9);
    }
    for (int i = pick(3); i > 0; --i) world.buckets[fmt::format("b{}", pick(6))] = pick(3);
    if (!world.buckets.empty() && chance(30)) world.buckets.erase(world.buckets.begin());
  }

  // Pages of random size; a group may stand twice, on one page or on two. Now and then an answer has lost its shape.
  std::vector<Answer> pages(const std::vector<Group>& all) {
    std::vector<Answer> pages;
    for (std::size_t from = 0; from < all.size();) {
      const auto size = std::min(all.size() - from, static_cast<std::size_t>(1 + pick(3)));
      pages.push_back(groups({all.begin() + static_cast<std::ptrdiff_t>(from), all.begin() + static_cast<std::ptrdiff_t>(from + size)}));
      from += size;
    }
    if (pages.empty()) pages.push_back(groups({}));
    if (chance(4)) pages.back() = {R"({"logGroups":[{"retentionInDays":1}]})", "", "", "", ""};
    return pages;
  }

  Asked policies_of(const World& world) {
    Asked asked{"s3:GetBucketPolicy", "", {}, Outcome::complete, ""};
    for (const auto& [name, version] : world.buckets) {
      auto answer = version == 0 ? no_policy() : policy(version);
      if (chance(5)) answer = bucket_gone();
      if (chance(5)) answer = broken_policy();
      if (chance(15)) {
        answer = denied();
        asked.outcome = Outcome::partial;
        asked.reason = "some denied";
      }
      asked.requests.push_back(policy_of(name, answer));
    }
    return asked;
  }

  std::mt19937 random_;
  std::map<std::string, World> accounts_;
};

// What ought to stand in the tables, worked out from scratch for each run, without differences, pages or a database.
class Oracle {
 public:
  void fold(const Collected& run, std::uint64_t leaf) {
    if (!run.failed.empty()) return;
    for (std::size_t place = 0; place < run.asked.size(); ++place)
      fold(run, run.asked[place], asked_at(run, place), answered_at(run, place), leaf);
  }

  std::vector<std::string> lines() const {
    std::vector<std::string> lines = ended_;
    for (const auto& [id, listing] : listings_)
      for (const auto& [key, version] : listing.live) lines.push_back(line(id, key, version, Instant::infinity()));
    std::sort(lines.begin(), lines.end());
    return lines;
  }

 private:
  struct Value {
    std::string version, latest;  // what begins a version, and what does not
  };
  using Rows = std::map<std::string, Value>;
  struct Version {
    Value value;
    Instant from;
    std::optional<Instant> seen_before;
    std::uint64_t leaf = 0;
  };
  struct Standing {
    Rows rows;
    std::optional<Instant> ended;
  };
  struct Listing {
    std::map<std::string, Standing> requests;
    std::map<std::string, Version> live;
    std::optional<Instant> last;
  };
  using Id = std::tuple<std::string, std::string, std::string>;  // account, operation, region

  static std::optional<Rows> rows_of(const Asked& asked, const Request& request) {
    Rows rows;
    for (const auto& page : request.pages) {
      if (page.body.empty()) continue;
      if (asked.operation == "logs:DescribeLogGroups") {
        const auto answer = must(parse_json(page.body));
        for (const auto& group : answer.at("logGroups").as_array()) {
          if (!find(group, "logGroupName")) return std::nullopt;
          rows[std::string{group.at("logGroupName").as_string()}] = {std::to_string(group.at("retentionInDays").as_int64()),
                                                                     std::to_string(group.at("storedBytes").as_int64())};
        }
      } else if (asked.operation == "s3:ListBuckets") {
        for (std::size_t at = 0; (at = page.body.find("<Name>", at)) != std::string::npos; at += 6)
          rows[page.body.substr(at + 6, page.body.find('<', at + 6) - at - 6)] = {"", ""};
      } else {
        rows[std::string{must(parse_json(request.key)).at("bucket").as_string()}] = {page.body, ""};
      }
    }
    return rows;
  }

  void fold(const Collected& run, const Asked& asked, Instant started, Instant answered, std::uint64_t leaf) {
    if (asked.outcome == Outcome::denied || asked.outcome == Outcome::failed) return;
    const Id id{run.account, asked.operation, asked.region};
    auto& listing = listings_[id];
    auto next = listing;
    next.requests.clear();
    std::map<std::string, std::optional<Instant>> seen_before;
    Rows visible;
    auto requests = asked.requests;
    std::sort(requests.begin(), requests.end(), [](const Request& a, const Request& b) { return a.params < b.params; });
    for (const auto& request : requests) {
      const auto old = listing.requests.find(request.params);
      const bool hole = std::any_of(request.pages.begin(), request.pages.end(),
                                    [](const Answer& page) { return !page.denied.empty() || page.body == broken_policy().body; });
      if (hole && old == listing.requests.end()) continue;
      auto& standing = next.requests[request.params];
      if (hole) {
        standing = old->second;
        if (!standing.ended) standing.ended = listing.last;
      } else {
        const auto rows = rows_of(asked, request);
        if (!rows) return;  // malformed: nothing of it counts
        standing.rows = *rows;
      }
      for (const auto& [key, value] : standing.rows) {
        visible[key] = value;
        seen_before[key] = old != listing.requests.end() && old->second.ended ? old->second.ended : listing.last;
      }
    }
    for (const auto& [key, version] : listing.live)
      if (!visible.contains(key)) {
        ended_.push_back(line(id, key, version, started));
        next.live.erase(key);
      }
    for (const auto& [key, value] : visible) {
      const auto live = next.live.find(key);
      if (live != next.live.end() && live->second.value.version == value.version) {
        live->second.value.latest = value.latest;
        continue;
      }
      if (live != next.live.end()) ended_.push_back(line(id, key, live->second, started));
      next.live[key] = {value, started, seen_before[key], leaf};
    }
    next.last = answered;
    listing = std::move(next);
  }

  static std::string line(const Id& id, const std::string& key, const Version& version, Instant to) {
    return fmt::format("{} {} {} {} {} {} {} {} {} {}", std::get<0>(id), std::get<1>(id), std::get<2>(id), key, version.value.version,
                       version.value.latest, to_string(version.from), to_string(to),
                       version.seen_before ? to_string(*version.seen_before) : "-", version.leaf);
  }

  std::map<Id, Listing> listings_;
  std::vector<std::string> ended_;
};

bool well_formed(const Asked& asked) {
  if (asked.outcome == Outcome::denied || asked.outcome == Outcome::failed) return false;
  for (const auto& request : asked.requests)
    for (const auto& page : request.pages)
      if (page.body == R"({"logGroups":[{"retentionInDays":1}]})") return false;
  return true;
}

// When a listing of an account was not covered, from its runs alone.
std::vector<std::pair<Instant, Instant>> uncovered(const std::vector<Collected>& runs, const std::string& account,
                                                   const std::string& operation, const std::string& region) {
  std::vector<std::pair<Instant, Instant>> holes;
  std::optional<Instant> nothing_since, not_it_since = beginning, complete;
  const Collected* before = nullptr;
  const auto end_of = [](const Collected& run) { return run.started + run.length; };
  for (const auto& run : runs) {
    if (run.account != account) continue;
    if (!run.failed.empty()) {
      if (!nothing_since) nothing_since = before ? end_of(*before) : run.started;
    } else {
      if (nothing_since)
        holes.emplace_back(*std::exchange(nothing_since, std::nullopt), run.started);
      else if (before && run.started - end_of(*before) > tolerance_of(before->schedule))
        holes.emplace_back(end_of(*before), run.started);
      std::optional<std::size_t> asked;
      for (std::size_t place = 0; place < run.asked.size(); ++place)
        if (run.asked[place].operation == operation && run.asked[place].region == region && well_formed(run.asked[place])) asked = place;
      if (asked) {
        if (not_it_since) holes.emplace_back(*std::exchange(not_it_since, std::nullopt), asked_at(run, *asked));
        complete = answered_at(run, *asked);
      } else if (!not_it_since) {
        not_it_since = complete;
      }
    }
    before = &run;
  }
  for (const auto& since : {nothing_since, not_it_since})
    if (since) holes.emplace_back(*since, Instant::infinity());
  if (before) holes.emplace_back(end_of(*before) + tolerance_of(before->schedule), Instant::infinity());
  return holes;
}

std::vector<std::string> dump(Facts& facts, std::string_view sql) {
  std::vector<std::string> lines;
  for (const auto& row : must(facts.store().query(sql)).rows) {
    std::string line;
    for (const auto& cell : row)
      line += (line.empty() ? "" : " ") + (std::holds_alternative<std::monostate>(cell) ? "-" : table::to_text(cell));
    lines.push_back(line);
  }
  return lines;
}

std::vector<std::string> everything(Facts& facts) {
  std::vector<std::string> all;
  for (const auto* name : {"main.aws_logs_log_group", "main.aws_s3_bucket", "main.aws_s3_bucket_policy", "main.coverage", "vouch.run",
                           "vouch.hole", "vouch.listing", "vouch.state"})
    for (auto& line : dump(facts, fmt::format("select * from {} order by all", name))) all.push_back(fmt::format("{}: {}", name, line));
  return all;
}

std::vector<std::string> versions(Facts& facts) {
  auto lines = dump(
      facts,
      "select concat_ws(' ', account, 'logs:DescribeLogGroups', region, log_group, retention, stored), valid_from, valid_to, seen_before, "
      "leaf from aws_logs_log_group "
      "union all select concat(account, ' s3:ListBuckets  ', bucket, '  '), valid_from, valid_to, seen_before, leaf from aws_s3_bucket "
      "union all select concat(account, ' s3:GetBucketPolicy  ', bucket, ' ', policy, ' '), valid_from, valid_to, seen_before, leaf from "
      "aws_s3_bucket_policy");
  std::sort(lines.begin(), lines.end());
  return lines;
}

void check_coverage(Facts& facts, const std::vector<Collected>& runs) {
  std::set<Instant> instants;
  for (const auto& run : runs) {
    const auto end = run.started + run.length;
    instants.insert({run.started, end, end + tolerance_of(run.schedule)});
    for (std::size_t place = 0; place < run.asked.size(); ++place) instants.insert({asked_at(run, place), answered_at(run, place)});
  }
  const std::tuple<std::string, std::string, std::string> listings[] = {{"aws_logs_log_group", "logs:DescribeLogGroups", "eu-central-1"},
                                                                        {"aws_logs_log_group", "logs:DescribeLogGroups", "us-east-1"},
                                                                        {"aws_s3_bucket", "s3:ListBuckets", ""},
                                                                        {"aws_s3_bucket_policy", "s3:GetBucketPolicy", ""}};
  for (const std::string account : {"1", "2"}) {
    if (std::none_of(runs.begin(), runs.end(), [&](const Collected& run) { return run.account == account; })) continue;
    std::vector<std::vector<std::pair<Instant, Instant>>> expected;
    for (const auto& [table, operation, region] : listings) expected.push_back(uncovered(runs, account, operation, region));
    for (const auto boundary : instants)
      for (const auto at : {boundary - Duration{1}, boundary})
        for (std::size_t i = 0; i < std::size(listings); ++i) {
          const auto& [table, operation, region] = listings[i];
          // A hole of the listing or of more; those of one bucket are judged by the versions.
          const auto holes = must(facts.holes(std::vector{table}, at));
          const bool hole = std::any_of(holes.begin(), holes.end(), [&, &wanted = region](const Hole& one) {
            const auto scope = one.key.find("region");
            return (one.key.empty() || one.key.at("account") == account) && !one.key.contains("bucket") &&
                   (scope == one.key.end() || scope->second == wanted);
          });
          ASSERT_EQ(hole, std::any_of(expected[i].begin(), expected[i].end(),
                                      [&](const auto& one) { return one.first <= at && at < one.second; }))
              << table << " " << region << " account " << account << " at " << to_string(at);
        }
  }
}

TEST(History, folded_leaf_by_leaf_equals_a_rebuild_and_the_oracle) {
  const char* wanted = std::getenv("VOUCH_HISTORIES");
  const unsigned histories = wanted ? static_cast<unsigned>(std::atoi(wanted)) : 6;
  for (unsigned seed = 1; seed <= histories; ++seed) {
    SCOPED_TRACE(fmt::format("history {}", seed));
    Cloud cloud{seed};
    Home home;
    must(Facts::create(home.path(), small_catalog()));
    Oracle oracle;
    std::vector<Collected> runs;
    auto clock = must(parse_instant("2026-03-01T00:00Z"));
    for (std::uint64_t leaf = 1; leaf <= 14; ++leaf) {
      clock = clock + Duration::hours(cloud.chance(70) ? 1 + cloud.pick(11) : 20 + cloud.pick(40));
      runs.push_back(cloud.run(clock, cloud.chance(70) ? "1" : "2"));
      home.collect(runs.back());
      oracle.fold(runs.back(), leaf);
      if (cloud.chance(25)) continue;  // sometimes several leaves are folded in at once
      auto facts = must(Facts::open(home.path(), small_catalog(), table::Mode::writing));
      must(replay(home.reader(), home.blobs(), models(), facts));
    }
    std::vector<std::string> incremental;
    {
      auto facts = must(Facts::open(home.path(), small_catalog(), table::Mode::writing));
      must(replay(home.reader(), home.blobs(), models(), facts));
      incremental = everything(facts);
      ASSERT_EQ(versions(facts), oracle.lines());
      check_coverage(facts, runs);
    }
    must(rebuild(home.path(), home.reader(), home.blobs(), models(), small_catalog()));
    auto rebuilt = must(Facts::open(home.path(), small_catalog(), table::Mode::reading));
    ASSERT_EQ(everything(rebuilt), incremental);
    if (::testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace vouch::facts::test
