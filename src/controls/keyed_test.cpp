#include "controls/keyed.h"

#include "controls/sample.h"

namespace vouch::controls {
namespace {

const std::vector<std::string> change_key{"account", "repository", "number"};

// Keyed by the whole key: `name[column=key column]` where the names differ. By a part of it: `name(account, repository)`.
std::string keyed(const std::string& sql, const std::vector<std::string>& key = change_key) {
  static auto store = must(table::Store::in_memory());
  std::string names;
  for (const auto& [name, columns] : keyed_tables(must(store.tree_of(sql)), sample_tables(), key)) {
    names += (names.empty() ? "" : " ") + name;
    if (columns.size() < key.size()) {
      std::string part;
      for (const auto& [column, of_key] : columns) part += (part.empty() ? "" : ", ") + of_key;
      names += fmt::format("({})", part);
    }
    for (const auto& [column, of_key] : columns)
      if (column != of_key) names += fmt::format("[{}={}]", column, of_key);
  }
  return names;
}

TEST(Keyed, a_table_joined_on_the_key_belongs_to_its_member) {
  EXPECT_EQ(keyed("select account, repository, number, 'r' as reason from code_change"), "code_change");
  EXPECT_EQ(keyed("select c.account, c.repository, c.number, 'r' as reason from code_change c left join code_review r using (account, "
                  "repository, number) group by all having count(r.review_id) < 2"),
            "code_change code_review");
  EXPECT_EQ(
      keyed("select c.account, c.repository, c.number, 'r' as reason from code_change c, code_review r where c.account = r.account and "
            "c.repository = r.repository and c.number = r.number and r.state = 'DISMISSED'"),
      "code_change code_review");
  EXPECT_EQ(
      keyed("select account, repository, number, 'r' as reason from code_change anti join code_review using (account, repository, number)"),
      "code_change code_review");
}

TEST(Keyed, a_correlated_subquery_sees_its_members_rows_alone) {
  EXPECT_EQ(
      keyed("select account, repository, number, 'r' as reason from code_change c where not exists (select 1 from code_review r where "
            "r.account = c.account and r.repository = c.repository and r.number = c.number and r.state = 'APPROVED')"),
      "code_change code_review");
  EXPECT_EQ(keyed("select account, repository, number, 'r' as reason from code_change c where (select count(*) from code_review r where "
                  "r.account = c.account and r.repository = c.repository and r.number = c.number limit 1) < 2"),
            "code_change code_review");
}

TEST(Keyed, derived_tables_and_common_table_expressions_are_looked_into) {
  EXPECT_EQ(
      keyed("with latest as (select * from code_review qualify row_number() over (partition by account, repository, number, author order "
            "by submitted_at desc) = 1), approved as (select account, repository, number, count(*) as n from latest where state = "
            "'APPROVED' group by all) select c.account, c.repository, c.number, 'r' as reason from code_change c left join approved a "
            "using (account, repository, number) where coalesce(a.n, 0) < 1"),
      "code_change code_review");
  EXPECT_EQ(keyed("select account, repository, number, 'r' as reason from code_change except select account, repository, number, 'r' from "
                  "code_review where state = 'APPROVED'"),
            "code_change code_review");
  EXPECT_EQ(keyed("select account, repository, number, 'r' as reason from (select account, repository, number from code_change union all "
                  "select account, repository, number from code_review)"),
            "code_change code_review");
}

TEST(Keyed, the_columns_may_have_other_names) {
  EXPECT_EQ(
      keyed("select c.account, c.repository, c.number, 'r' as reason from code_change c join code_review r on r.account = c.account and "
            "r.repository = c.repository and r.review_id = c.number"),
      "code_change code_review[review_id=number]");
}

TEST(Keyed, what_members_share_is_keyed_by_the_part_that_they_share) {
  EXPECT_EQ(
      keyed("select c.account, c.repository, c.number, 'r' as reason from code_change c join code_repository using (account, repository) "
            "left join aws_iam_user u on u.user_name = c.author"),
      "code_change code_repository(account, repository)");
  EXPECT_EQ(
      keyed("select account, repository, number, 'r' as reason from code_change where number not in (select number from code_review)"),
      "code_change");
  EXPECT_EQ(keyed("select account, repository, number, 'r' as reason from code_change where (select count(*) from code_change) > 3"), "");
  EXPECT_EQ(keyed("select a.account, a.repository, a.number, 'r' as reason from code_change a join code_change b on a.author = b.author"),
            "");
  EXPECT_EQ(keyed("select account, repository, number, 'r' as reason from code_change qualify row_number() over (partition by account, "
                  "repository order by number) = 1"),
            "code_change(account, repository)");
  EXPECT_EQ(keyed("select account, repository, min(number) as number, 'r' as reason from code_change group by account, repository"),
            "code_change(account, repository)");
}

TEST(Keyed, what_ranges_over_members_is_not_keyed) {
  for (const auto* sql : {"select account, repository, number, 'r' as reason from code_change order by merged_at limit 3",
                          "select distinct on (author) account, repository, number, 'r' as reason from code_change order by number",
                          "select account, repository, number, 'r' as reason from (select account, repository, number, row_number() over "
                          "(order by number) as n "
                          "from code_change) where n > 1",
                          "select account, repository, number, 'r' as reason from (select * from code_change order by number limit 3)"})
    EXPECT_EQ(keyed(sql), "") << sql;
}

TEST(Keyed, the_side_of_a_join_that_can_be_empty_does_not_bind_the_other) {
  // Rows of `c` decide whether a row of `r` stands alone, and keep their own key.
  EXPECT_EQ(keyed("select r.account, r.repository, r.number, 'r' as reason from code_change c right join code_review r on c.account = "
                  "r.account and c.repository = r.repository and c.number = r.number"),
            "code_change code_review");
  EXPECT_EQ(
      keyed("select r.account, r.repository, r.number, 'r' as reason from code_review r left join code_change c on c.author = r.author "
            "and c.account = r.account and c.repository = r.repository and r.number > 3"),
      "code_change(account, repository) code_review");
  EXPECT_EQ(
      keyed("select coalesce(c.account, r.account) as account, coalesce(c.repository, r.repository) as repository, coalesce(c.number, "
            "r.number) as number, 'r' as reason from code_change c full join code_review r on c.number = r.number"),
      "");
}

TEST(Keyed, a_name_that_could_mean_something_nearer_is_not_taken_for_the_outer_one) {
  EXPECT_EQ(
      keyed("select account, repository, number, 'r' as reason from code_change c where exists (select lower(account) as account from "
            "aws_iam_user where account = account)"),
      "code_change");
  EXPECT_EQ(
      keyed("select account, repository, number, 'r' as reason from code_change c where exists (select 1 from (values (1)) v(number), "
            "code_review r where r.number = number and r.account = c.account and r.repository = c.repository)"),
      "code_change code_review(account, repository)");
}

TEST(Keyed, one_use_that_is_not_keyed_spoils_the_others) {
  EXPECT_EQ(
      keyed("select account, repository, number, 'r' as reason from code_change c where not exists (select 1 from code_review r where "
            "r.account = c.account and r.repository = c.repository and r.number = c.number) and exists (select 1 from code_review)"),
      "code_change");
}

TEST(Keyed, common_table_expressions_that_unfold_without_end_are_given_up) {
  std::string sql = "with t0 as (select account, repository, number from code_change)";
  for (int i = 1; i < 30; ++i)
    sql += fmt::format(", t{} as (select a.* from t{} a join t{} b using (account, repository, number))", i, i - 1, i - 1);
  EXPECT_EQ(keyed(sql + " select account, repository, number, 'r' as reason from t29"), "");
}

}  // namespace
}  // namespace vouch::controls
