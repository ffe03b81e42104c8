#include "facts/tables.h"

#include <gtest/gtest.h>

namespace vouch::facts {
namespace {

constexpr std::string_view sources = R"(
service: s3
scope: global
operations:
  - operation: ListBuckets
  - operation: GetBucketPolicy
    for each: bucket in ListBuckets.Buckets[]
)";
constexpr std::string_view regional_sources = R"(
service: ec2
scope: region
operations:
  - operation: DescribeInstances
)";

FactCatalog read(std::string_view facts, Problems& problems, std::vector<CatalogFile> more = {}) {
  CatalogFiles files;
  files.files = {{"catalog/facts/aws/s3.yaml", "facts/aws/s3.yaml", std::string{facts}, true},
                 {"catalog/sources/aws/ec2.yaml", "sources/aws/ec2.yaml", std::string{regional_sources}, true},
                 {"catalog/sources/aws/s3.yaml", "sources/aws/s3.yaml", std::string{sources}, true}};
  for (auto& file : more) files.files.push_back(std::move(file));
  return read_fact_catalog(files, problems);
}

TEST(FactCatalog, reads_tables_with_their_columns_and_keys) {
  Problems problems;
  const auto catalog = read(R"(
- table: aws_s3_bucket
  says: One row for each bucket.
  from: s3:ListBuckets
  rows: Buckets[] as b
  key: [account, bucket]
  born: created
  latest: [note]
  columns:
    bucket: text b.Name
    created: time b.CreationDate
    note: json b.Note
- table: aws_ec2_instance
  from: ec2:DescribeInstances
  rows: ["Reservations[] as r, r.Instances[] as i", "Others[] as i"]
  key: [instance_id]
  columns: {instance_id: text i.InstanceId}
)",
                            problems);
  ASSERT_TRUE(problems.empty()) << problems[0].message;
  const auto* bucket = catalog.find("aws_s3_bucket");
  ASSERT_TRUE(bucket);
  EXPECT_EQ(bucket->source, "aws");
  EXPECT_EQ(bucket->operation, "s3:ListBuckets");
  EXPECT_EQ(bucket->where, "catalog/facts/aws/s3.yaml:2");
  EXPECT_FALSE(bucket->regional);
  EXPECT_EQ(bucket->key, (std::vector<std::string>{"account", "bucket"}));
  EXPECT_EQ(bucket->born, "created");
  EXPECT_EQ(bucket->on_disk().size(), 4u);
  const auto* instance = catalog.find("aws_ec2_instance");
  ASSERT_TRUE(instance);
  EXPECT_TRUE(instance->regional);
  EXPECT_EQ(instance->rows.size(), 2u);
  EXPECT_EQ(instance->levels, 2u);
  EXPECT_EQ(instance->on_disk().at(1).first, "region");
  EXPECT_EQ(catalog.from("s3:ListBuckets"), std::vector<const FactTable*>{bucket});
  EXPECT_EQ(catalog.find("aws_s3"), nullptr);
}

TEST(FactCatalog, tells_file_and_line_of_each_mistake_and_goes_on) {
  const std::pair<const char*, const char*> cases[] = {
      {"- {table: a, from: s3:ListBuckets, key: [x], columns: {x: text X}, colour: red}", "s3.yaml:1: unknown key `colour`"},
      {"- {table: A-b, from: s3:ListBuckets, key: [x], columns: {x: text X}}", "s3.yaml:1: `A-b` is no name for a table"},
      {"- {table: a, from: s3:ListTables, key: [x], columns: {x: text X}}", "no file under sources/aws asks `s3:ListTables`"},
      {"- {table: a, from: s3:ListBuckets, columns: {x: text X}}", "missing `key`"},
      {"- {table: a, from: s3:ListBuckets, key: [y], columns: {x: text X}}", "the key column `y` is not declared"},
      {"- {table: a, from: s3:ListBuckets, key: [region, x], columns: {x: text X}}", "the key column `region` is not declared"},
      {"- {table: a, from: s3:ListBuckets, key: [x, x], columns: {x: text X}}", "`x` stands here twice"},
      {"- {table: a, from: s3:ListBuckets, key: [x]}", "missing `columns`"},
      {"- table: a\n  from: s3:ListBuckets\n  key: [x]\n  columns:\n    x: txt X", "s3.yaml:5: a column is TYPE EXPRESSION"},
      {"- table: a\n  from: s3:ListBuckets\n  key: [x]\n  columns:\n    x: text X(",
       "s3.yaml:5: `X(`, character 3: there is no function `X`"},
      {"- table: a\n  from: s3:ListBuckets\n  key: [x]\n  columns:\n    account: text X", "the column `account` is made by Vouch"},
      {"- {table: a, from: s3:ListBuckets, rows: 'Buckets[]', key: [x], columns: {x: text X}}", "`as NAME` is expected"},
      {"- {table: a, from: s3:ListBuckets, key: [x], born: x, columns: {x: text X}}", "`x` is not a declared column of type time"},
      {"- {table: a, from: s3:ListBuckets, key: [x], latest: [x], columns: {x: text X}}", "not a declared column outside the key"},
      {"- {table: good, from: s3:ListBuckets, key: [x], columns: {x: text X}}\n- {table: good, from: s3:ListBuckets, key: [x], columns: "
       "{x: text X}}",
       "s3.yaml:2: the table `good` stands in this file twice"},
      {"- [", "s3.yaml"},
  };
  for (const auto& [text, expected] : cases) {
    Problems problems;
    const auto catalog = read(text, problems);
    ASSERT_EQ(problems.size(), 1u) << text;
    EXPECT_NE(problems[0].message.find(expected), std::string::npos) << problems[0].message;
    EXPECT_TRUE(problems[0].message.starts_with("catalog/facts/aws/s3.yaml:")) << problems[0].message;
    EXPECT_EQ(catalog.find("a"), nullptr);
  }
}

TEST(FactCatalog, lets_a_home_put_its_own_table_in_the_place_of_a_shipped_one) {
  Problems problems;
  constexpr std::string_view shipped = "- {table: a, from: s3:ListBuckets, key: [x], columns: {x: text X}}";
  const auto before = read(shipped, problems);
  const auto after = read(shipped, problems,
                          {{"/home/catalog/facts/aws/own.yaml", "facts/aws/own.yaml",
                            "- {table: a, from: s3:ListBuckets, key: [y], columns: {y: text Y}}", false}});
  ASSERT_TRUE(problems.empty());
  EXPECT_EQ(after.find("a")->columns.at(0).name, "y");
  EXPECT_EQ(after.find("a")->where, "/home/catalog/facts/aws/own.yaml:1");
  EXPECT_NE(before.digest, after.digest);
  EXPECT_EQ(before.digest, read(shipped, problems).digest);
}

TEST(FactCatalog, knows_from_the_source_file_how_an_operation_answers) {
  Problems problems;
  const CatalogFiles files{{{"f.yaml", "facts/hub/f.yaml", R"(
- {table: pull, from: hub:pulls, key: [n], columns: {n: text n}}
- {table: repository, from: hub:repositories, key: [n], columns: {n: text n}}
- {table: review, from: reviews:list, key: [n], columns: {n: text n, x: 'text? x'}}
)",
                             true},
                            {"h.yaml", "sources/hub/h.yaml", R"(
service: hub
operations:
  - {operation: repositories, get: /r, answer: csv}
  - {operation: pulls, get: /p, for each: 'r in repositories[]', increment: {items: '[]', by: t}}
)",
                             true},
                            {"r.yaml", "sources/hub/r.yaml", R"(
service: reviews
operations: [{operation: list, get: /v, for each: 'p in hub:pulls[]'}]
)",
                             true}}};
  const auto catalog = read_fact_catalog(files, problems);
  ASSERT_TRUE(problems.empty()) << problems[0].message;
  EXPECT_EQ(catalog.find("repository")->form, Form::text);
  EXPECT_FALSE(catalog.find("repository")->incremental);
  EXPECT_EQ(catalog.find("pull")->form, Form::json);
  EXPECT_TRUE(catalog.find("pull")->incremental);
  EXPECT_TRUE(catalog.find("review")->incremental);
  EXPECT_TRUE(catalog.find("review")->columns.at(1).optional);
  EXPECT_FALSE(catalog.find("review")->regional);
}

TEST(FactCatalog, that_is_shipped_has_no_mistake) {
  Problems problems;
  read_fact_catalog(shipped_catalog(), problems);
  for (const auto& problem : problems) ADD_FAILURE() << problem.message;
}

}  // namespace
}  // namespace vouch::facts
