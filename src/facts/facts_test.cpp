#include "facts/facts.h"

#include <gtest/gtest.h>

namespace vouch::facts {
namespace {

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return *std::move(result);
}
void must(Result<> result) {
  if (!result) throw std::runtime_error(result.error().message);
}

Instant at(std::string_view text) { return must(parse_instant(text)); }

FactCatalog catalog() {
  CatalogFiles files;
  files.files = {{"f", "facts/aws/s3.yaml", R"(
- {table: aws_s3_bucket, from: s3:ListBuckets, rows: "Buckets[] as b", key: [account, bucket],
   columns: {bucket: text b.Name, size: integer b.Size, ratio: number b.Ratio, locked: boolean b.Locked, created: time b.CreationDate, tags: json b.Tags}}
- {table: aws_s3_bucket_policy, from: s3:GetBucketPolicy, key: [account, bucket], columns: {bucket: text key.bucket, policy: json json(Policy)}}
)",
                  true},
                 {"s", "sources/aws/s3.yaml",
                  "{service: s3, scope: global, operations: [{operation: ListBuckets}, {operation: GetBucketPolicy}]}", true}};
  Problems problems;
  auto read = read_fact_catalog(files, problems);
  if (!problems.empty()) throw std::runtime_error(problems[0].message);
  return read;
}

const std::vector<std::string> both{"aws_s3_bucket", "aws_s3_bucket_policy"};

TEST(Facts, show_what_was_true_at_an_instant) {
  auto facts = must(Facts::in_memory(catalog()));
  must(facts.insert("aws_s3_bucket",
                    {{"account", "1"},
                     {"bucket", "a"},
                     {"size", "5"},
                     {"ratio", "0.5"},
                     {"locked", "true"},
                     {"created", "2026-01-01T00:00:00Z"},
                     {"tags", "[1]"}},
                    at("2026-03-01"), at("2026-03-02")));
  must(facts.insert("aws_s3_bucket", {{"account", "1"}, {"bucket", "a"}, {"size", "null"}}, at("2026-03-02"), Instant::infinity()));
  const auto rows_at = [&](std::string_view instant) {
    const auto with = must(facts.as_of(both, at(instant)));
    return must(facts.store().select(with +
                                     " select * from (select * from aws_s3_bucket left join aws_s3_bucket_policy using (account, bucket))"))
        .rows;
  };
  EXPECT_TRUE(rows_at("2026-02-28").empty());
  EXPECT_EQ(rows_at("2026-03-01").at(0), (std::vector<table::Value>{std::string{"1"}, std::string{"a"}, std::int64_t{5}, 0.5, true,
                                                                    at("2026-01-01"), std::string{"[1]"}, std::monostate{}}));
  EXPECT_EQ(rows_at("2026-03-01T23:59:59.999999Z").size(), 1u);
  EXPECT_EQ(rows_at("2026-03-02").at(0).at(2), table::Value{});
  EXPECT_EQ(rows_at("2026-03-02").size(), 1u);
  EXPECT_EQ(must(facts.as_of({}, at("2026-03-01"))), "");
  EXPECT_EQ(facts.as_of(std::vector<std::string>{"nosuch"}, at("2026-03-01")).error().code, Errc::usage);
}

TEST(Facts, of_scenarios_are_covered_unless_a_hole_is_put_in) {
  auto facts = must(Facts::in_memory(catalog()));
  EXPECT_TRUE(must(facts.holes(both, at("2026-03-01"))).empty());
  must(facts.insert(
      Hole{"aws_s3_bucket_policy", {{"account", "1"}, {"bucket", "a"}}, at("2026-03-01"), at("2026-03-02"), "denied", LeafIndex{7}}));
  EXPECT_TRUE(must(facts.holes(std::vector<std::string>{"aws_s3_bucket"}, at("2026-03-01"))).empty());
  const auto holes = must(facts.holes(both, at("2026-03-01")));
  ASSERT_EQ(holes.size(), 1u);
  EXPECT_EQ(holes[0].table, "aws_s3_bucket_policy");
  EXPECT_EQ(holes[0].key, (std::map<std::string, std::string>{{"account", "1"}, {"bucket", "a"}}));
  EXPECT_EQ(holes[0].reason, "denied");
  EXPECT_EQ(holes[0].leaf, LeafIndex{7});
  EXPECT_TRUE(must(facts.holes(both, at("2026-03-02"))).empty());
}

TEST(Facts, list_the_instants_at_which_something_changes_newest_first) {
  auto facts = must(Facts::in_memory(catalog()));
  must(facts.insert("aws_s3_bucket", {{"account", "1"}, {"bucket", "a"}}, at("2026-03-01"), at("2026-03-03")));
  must(facts.insert("aws_s3_bucket", {{"account", "1"}, {"bucket", "b"}}, at("2026-03-01"), Instant::infinity()));
  must(facts.insert(Hole{"aws_s3_bucket_policy", {}, at("2026-03-02"), Instant::infinity(), "denied", {}}));
  using Instants = std::vector<Instant>;
  EXPECT_EQ(must(facts.changes(both, at("2026-03-09"), 10)), (Instants{at("2026-03-03"), at("2026-03-02"), at("2026-03-01")}));
  EXPECT_EQ(must(facts.changes(both, at("2026-03-09"), 1)), (Instants{at("2026-03-03")}));
  EXPECT_EQ(must(facts.changes(both, at("2026-03-02"), 10)), (Instants{at("2026-03-02"), at("2026-03-01")}));
  EXPECT_EQ(must(facts.changes(std::vector<std::string>{"aws_s3_bucket"}, Instant::infinity(), 10)),
            (Instants{at("2026-03-03"), at("2026-03-01")}));
}

TEST(Facts, refuse_tables_and_columns_that_do_not_exist) {
  auto facts = must(Facts::in_memory(catalog()));
  EXPECT_EQ(facts.insert("nosuch", {}, at("2026-03-01"), Instant::infinity()).error().code, Errc::usage);
  EXPECT_EQ(facts.insert("aws_s3_bucket", {{"nosuch", "1"}}, at("2026-03-01"), Instant::infinity()).error().code, Errc::usage);
  EXPECT_FALSE(facts.insert("aws_s3_bucket", {{"size", "many"}}, at("2026-03-01"), Instant::infinity()));
  EXPECT_FALSE(facts.holes(std::vector<std::string>{"nosuch"}, at("2026-03-01")));
}

TEST(Facts, of_another_catalogue_are_not_read) {
  const TemporaryDirectory home;
  EXPECT_EQ(Facts::open(home.path(), catalog(), table::Mode::reading).error().code, Errc::not_found);
  must(Facts::create(home.path(), catalog()));
  EXPECT_TRUE(Facts::open(home.path(), catalog(), table::Mode::reading));
  const auto other = Facts::open(home.path(), FactCatalog{}, table::Mode::reading);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Errc::not_found);
}

TEST(Facts, of_a_source_that_was_never_collected_are_not_covered) {
  const TemporaryDirectory home;
  auto facts = must(Facts::create(home.path(), catalog()));
  const auto holes = must(facts.holes(both, at("2026-03-01")));
  ASSERT_EQ(holes.size(), 2u);
  EXPECT_TRUE(holes[0].key.empty());
  EXPECT_EQ(holes[0].reason, "not collected");
  EXPECT_EQ(must(facts.observed_before(both, at("2026-03-01"))), std::nullopt);
}

}  // namespace
}  // namespace vouch::facts
