#include "controls/query.h"

#include "controls/sample.h"

namespace vouch::controls {
namespace {

class Understand : public ::testing::Test {
 protected:
  facts::Facts facts = empty_world();
  Functions functions = must(Functions::of(facts.store()));

  Result<Query> ask(std::string_view sql, bool tick = false) { return understand(facts.store(), functions, sample_tables(), sql, tick); }
  std::string refusal(std::string_view sql) {
    const auto query = ask(sql);
    return query ? "accepted" : query.error().message;
  }
  // "created+7776000000000 at", one a line
  std::string thresholds(std::string_view sql) {
    const auto query = ask(sql);
    if (!query) return query.error().message;
    std::string text;
    for (const auto& t : query->thresholds)
      text += fmt::format("{}{} {:+}h{}{}\n", fmt::join(t.tables, ","), t.constant ? to_string(*t.constant) : "." + t.column,
                          t.offset.micros / 3'600'000'000, t.at ? " at" : "", t.after ? " after" : "");
    return text;
  }
};

TEST_F(Understand, puts_the_judged_instant_in_every_place_that_reads_a_clock) {
  const auto query =
      must(ask("select 'é now()', a.created < as_of( ) x, now(), current_timestamp, CURRENT_DATE, today(),\n get_current_timestamp(), "
               "transaction_timestamp() -- as_of()\nfrom aws_s3_bucket a; \n",
               true));
  EXPECT_EQ(query.sql.at(Instant{5}),
            "select 'é now()', a.created < make_timestamptz(5) x, make_timestamptz(5), make_timestamptz(5), make_timestamptz(5), "
            "make_timestamptz(5),\n make_timestamptz(5), make_timestamptz(5) -- as_of()\nfrom aws_s3_bucket a");
  EXPECT_EQ(query.tables, std::vector<std::string>{"aws_s3_bucket"});
}

TEST_F(Understand, keeps_line_breaks_so_that_messages_name_the_authors_lines) {
  const auto query = must(ask("select created < as_of(\n) from aws_s3_bucket"));
  EXPECT_EQ(query.sql.at(Instant{5}), "select created < make_timestamptz(5)\n from aws_s3_bucket");
}

TEST_F(Understand, refuses_all_other_clocks_chance_and_the_session) {
  for (const auto* word : {"random()", "uuid()", "gen_random_uuid()", "current_setting('TimeZone')", "localtimestamp", "localtime",
                           "current_time", "get_current_time()", "current_localtimestamp()", "age(created)", "getvariable('x')",
                           "current_user", "txid_current()", "nextval('s')", "current_query()", "version()", "setseed(0.5)"})
    EXPECT_NE(refusal(fmt::format("select {} from aws_s3_bucket", word)), "accepted") << word;
  EXPECT_EQ(refusal("select age(created, last_used) from aws_iam_user"), "accepted");
}

TEST_F(Understand, refuses_what_picks_rows_by_chance) {
  for (const auto* sql :
       {"select bucket from aws_s3_bucket limit 3", "select bucket from aws_s3_bucket tablesample 10%",
        "select distinct on (account) bucket from aws_s3_bucket", "select any_value(bucket) from aws_s3_bucket",
        "select list(bucket) from aws_s3_bucket", "select string_agg(bucket, ',') from aws_s3_bucket",
        "select row_number() over (partition by account) from aws_s3_bucket", "select bucket from aws_s3_bucket using sample 3 rows",
        "select 1 from aws_s3_bucket positional join aws_iam_user"})
    EXPECT_NE(refusal(sql), "accepted") << sql;
  for (const auto* sql :
       {"select bucket from aws_s3_bucket order by bucket limit 3",
        "select distinct on (account) bucket from aws_s3_bucket order by account, bucket",
        "select list(bucket order by bucket) from aws_s3_bucket", "select string_agg(bucket, ',' order by bucket) from aws_s3_bucket",
        "select row_number() over (partition by account order by bucket) from aws_s3_bucket", "select max(bucket) from aws_s3_bucket"})
    EXPECT_EQ(refusal(sql), "accepted") << sql;
}

TEST_F(Understand, sees_only_fact_tables_and_only_as_of_one_instant) {
  EXPECT_EQ(refusal("select 1 from nowhere"), "`nowhere` is not a fact table");
  for (const auto* sql :
       {"select 1 from main.aws_s3_bucket", "select 1 from facts.main.aws_s3_bucket", "select 1 from duckdb_tables()",
        "select 1 from information_schema.tables", "select 1 from read_csv('/etc/passwd')", "select 1 from 'x.csv'",
        "with aws_s3_bucket as (select 1) select 1 from aws_s3_bucket", "select 1 from query('select 1')", "describe aws_s3_bucket",
        "select 1 from aws_s3_bucket where bucket = $1", "select 1; select 2", "drop table aws_s3_bucket", "selekt"})
    EXPECT_NE(refusal(sql), "accepted") << sql;
  EXPECT_EQ(must(ask("with b as (select * from aws_s3_bucket) select 1 from b where exists (select 1 from AWS_KMS_KEY)")).tables,
            (std::vector<std::string>{"aws_kms_key", "aws_s3_bucket"}));
}

TEST_F(Understand, finds_where_each_comparison_with_the_instant_changes) {
  const auto where = [](const std::string& condition) { return "select 1 from aws_iam_access_key where " + condition; };
  constexpr auto key = "aws_iam_access_key.";
  // created + 90 d < as_of is false at the very instant, and true a microsecond later
  EXPECT_EQ(thresholds(where("created < as_of() - interval 90 day")), fmt::format("{}created +2160h after\n", key));
  EXPECT_EQ(thresholds(where("created <= as_of() - interval '90 days'")), fmt::format("{}created +2160h at\n", key));
  EXPECT_EQ(thresholds(where("as_of() - to_days(90) > created")), fmt::format("{}created +2160h after\n", key));
  EXPECT_EQ(thresholds(where("created + interval 90 day < now()")), fmt::format("{}created +2160h after\n", key));
  EXPECT_EQ(thresholds(where("not (created + 2 * interval 45 day >= now())")), fmt::format("{}created +2160h after\n", key));
  EXPECT_EQ(thresholds(where("as_of() - created > interval 90 day")), fmt::format("{}created +2160h after\n", key));
  EXPECT_EQ(thresholds(where("as_of() - created >= interval 90 day")), fmt::format("{}created +2160h at\n", key));
  EXPECT_EQ(thresholds(where("created - as_of() < interval 30 day")), fmt::format("{}created -720h after\n", key));
  EXPECT_EQ(thresholds(where("as_of() + interval 1 day - created > interval 90 day")), fmt::format("{}created +2136h after\n", key));
  EXPECT_EQ(thresholds(where("created = as_of()")), fmt::format("{}created +0h at after\n", key));
  EXPECT_EQ(thresholds(where("created is distinct from current_date")), fmt::format("{}created +0h at after\n", key));
  EXPECT_EQ(thresholds(where("created between as_of() - interval 2 day and as_of()")),
            fmt::format("{0}created +0h at\n{0}created +48h after\n", key));
  EXPECT_EQ(thresholds(where("as_of() between created and last_used")), fmt::format("{0}created +0h at\n{0}last_used +0h after\n", key));
  EXPECT_EQ(thresholds(where("as_of() > timestamptz '2026-06-01 00:00:00+00'")), "2026-06-01T00:00:00Z +0h after\n");
  EXPECT_EQ(thresholds(where("coalesce(last_used, created) < as_of()")),
            fmt::format("{0}created +0h after\n{0}last_used +0h after\n", key));
  EXPECT_EQ(thresholds(where("case when active then created else last_used + interval 1 hour end < as_of()")),
            fmt::format("{0}created +0h after\n{0}last_used +1h after\n", key));
  EXPECT_EQ(thresholds(where("(select count(*) from aws_iam_user u where u.created < as_of()) > 3")), "aws_iam_user.created +0h after\n");
  EXPECT_EQ(thresholds("select account from aws_iam_access_key group by account having max(last_used) < as_of() - interval 1 day"),
            fmt::format("{}last_used +24h after\n", key));
  EXPECT_EQ(thresholds("select key_id from (select key_id, created + interval 1 day as due from aws_iam_access_key) where due < as_of()"),
            fmt::format("{}created +24h after\n", key));
  EXPECT_EQ(thresholds("with d as (select k.created as a from aws_iam_access_key k union all select aws_iam_user.last_used from "
                       "aws_iam_user) select 1 from d where a < as_of()"),
            "aws_iam_access_key.created +0h after\naws_iam_user.last_used +0h after\n");
  // Both tables have the column; each counts.
  EXPECT_EQ(thresholds("select 1 from aws_iam_user u join aws_iam_access_key k using (account) where created < as_of()"),
            "aws_iam_access_key,aws_iam_user.created +0h after\n");
  EXPECT_EQ(thresholds("select 1 from aws_iam_user"), "");
}

TEST_F(Understand, refuses_what_is_not_linear_in_the_instant_and_says_what_to_write) {
  for (const auto* condition : {"date_diff('day', created, as_of()) > 90",
                                "age(as_of(), created) > interval 90 day",
                                "created < as_of() - interval 3 month",
                                "created < as_of() - interval 1 year",
                                "date_trunc('day', created) < as_of()",
                                "created < date_trunc('day', as_of())",
                                "as_of() < as_of()",
                                "created::date < as_of()",
                                "as_of()::date > created",
                                "year(as_of()) = 2026",
                                "as_of() in (created)",
                                "created < as_of() - to_days(length(key_id))",
                                "created + (last_used - created) < as_of()",
                                "key_id::timestamptz < as_of()",
                                "key_id < as_of()",
                                "epoch_us(as_of()) > epoch_us(created)",
                                "as_of() > all (select created from aws_iam_user)",
                                "list_any_value([created]) < as_of()",
                                "as_of() is not null",
                                "len(list_filter([created], created -> created < as_of())) > 0",
                                "struct_pack(a := created).a < as_of()"}) {
    const auto said = refusal(fmt::format("select 1 from aws_iam_access_key where {}", condition));
    EXPECT_NE(said.find("tick"), std::string::npos) << condition << ": " << said;
    EXPECT_TRUE(ask(fmt::format("select 1 from aws_iam_access_key where {}", condition), true)) << condition;
  }
  EXPECT_NE(refusal("select 'since ' || as_of() from aws_s3_bucket"), "accepted");
}

TEST_F(Understand, does_not_take_a_derived_column_for_the_tables_own) {
  // `created` is shifted twice below its own name: which offsets it can have is not told by any one place.
  EXPECT_NE(
      refusal(
          "select 1 from (select created + interval 1 day as created from (select created + interval 1 day as created from aws_s3_bucket)) "
          "where created < as_of()"),
      "accepted");
  EXPECT_NE(refusal("select 1 from (select bucket, last_used from aws_iam_user, aws_s3_bucket) as t(a, created) where created < as_of()"),
            "accepted");
  EXPECT_NE(refusal("select 1 from (select * rename (last_used as created) from aws_iam_user) where created < as_of()"), "accepted");
  EXPECT_NE(refusal("select 1 from (select columns(*) + interval 1 day from (select created from aws_iam_user)) where created < as_of()"),
            "accepted");
  EXPECT_NE(refusal("select 1 from (select * from aws_s3_bucket union all select * from aws_s3_bucket) where created < as_of()"),
            "accepted");
  EXPECT_EQ(
      thresholds("select 1 from (select * replace (created + interval 1 hour as last_used) from aws_iam_user) where last_used < as_of()"),
      "aws_iam_user.created +1h after\naws_iam_user.last_used +0h after\n");
  EXPECT_EQ(thresholds("select 1 from (select max(created) as created from aws_s3_bucket) where created < as_of()"),
            "aws_s3_bucket.created +0h after\n");
}

}  // namespace
}  // namespace vouch::controls
