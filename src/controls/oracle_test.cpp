// evaluate() must agree with the plain evaluation at every instant of any history.
#include "controls/plain.h"

namespace vouch::controls {
namespace {

std::map<Key, Answer> naive(const Control& control, const History& history, Instant at) {
  auto store = plain_tables(history, at);
  const auto run = [&](std::string sql) {
    for (auto place = sql.find("as_of()"); place != std::string::npos; place = sql.find("as_of()"))
      sql.replace(place, 7, "timestamptz '" + to_string(at) + "'");
    return keys_of(must(store.query(sql)), control.key);
  };
  const auto population = run(control.population), fails = run(control.fails);
  std::map<Key, Answer> answers;
  for (const auto& member : population) answers[member] = fails.contains(member) ? Answer::fail : Answer::pass;
  std::map<Key, Answer> unread;
  for (const auto& hole : history.holes) {
    if (!(hole.from <= at && at < hole.to)) continue;
    if (std::find(control.tables.begin(), control.tables.end(), hole.table) == control.tables.end()) continue;
    bool met = false;
    for (const auto& member : population) {
      bool agrees = true;
      for (const auto& [column, value] : hole.key) agrees = agrees && (!member.contains(column) || member.at(column) == value);
      if (!agrees) continue;
      answers[member] = Answer::unknown;
      met = true;
    }
    if (!met &&
        std::find(control.population_tables.begin(), control.population_tables.end(), hole.table) != control.population_tables.end()) {
      bool whole = true;
      for (const auto& column : control.key) whole = whole && hole.key.contains(column);
      Key key = hole.key;
      if (whole)
        std::erase_if(key,
                      [&](const auto& part) { return std::find(control.key.begin(), control.key.end(), part.first) == control.key.end(); });
      unread[key] = Answer::unknown;
    }
  }
  answers.merge(unread);
  return answers;
}

const std::vector<std::pair<std::string, std::string>> shapes{
    {"select account, bucket from aws_s3_bucket",
     "select b.account, b.bucket, 'r' as reason from aws_s3_bucket b left join aws_s3_bucket_encryption e using (account, bucket) "
     "left join aws_kms_key k on k.arn = e.key_arn where k.manager is distinct from 'CUSTOMER'"},
    {"select account, bucket from aws_s3_bucket",
     "select account, bucket, 'r' as reason from aws_s3_bucket where bucket not in (select bucket from aws_s3_bucket_encryption where "
     "key_arn is not null)"},
    {"select account, bucket from aws_s3_bucket",
     "select account, bucket, 'r' as reason from aws_s3_bucket where bucket not in (select key_arn from aws_s3_bucket_encryption)"},
    {"select account, bucket from aws_s3_bucket where exists (select 1 from aws_s3_bucket_encryption e where e.bucket = "
     "aws_s3_bucket.bucket and algorithm = 'AES256')",
     "select account, bucket, 'r' as reason from aws_s3_bucket b where exists (select 1 from aws_s3_bucket_encryption e where e.account = "
     "b.account and e.bucket > b.bucket)"},
    {"select account, bucket from aws_s3_bucket union select account, bucket from aws_s3_bucket_encryption",
     "select account, bucket, 'r' as reason from aws_s3_bucket_encryption except select account, bucket, 'r' from aws_s3_bucket"},
    {"select account, user_id, user_name as name from aws_iam_user",
     "select account, user_id, 'same name' as reason from aws_iam_user join (select user_name from aws_iam_user group by user_name having "
     "count(*) > 1) using (user_name)"},
    {"select account, user_id, user_name as name from aws_iam_user",
     "select account, user_id, 'r' as reason from (select *, row_number() over (partition by account order by user_name, user_id) as n "
     "from aws_iam_user) where n > 1 and mfa is not true"},
    {"select distinct account from aws_iam_user", "select account, 'r' as reason from aws_iam_user group by account having bool_and(mfa)"},
    {"select account, user_id from aws_iam_user semi join aws_s3_bucket using (account)",
     "select u.account, u.user_id, 'r' as reason from aws_iam_user u, (select count(*) as n from aws_s3_bucket) c where c.n > 2"},
    {"select account, region, key_id from aws_kms_key",
     "with mine as (select * from aws_kms_key where manager = 'CUSTOMER') "
     "select account, region, key_id, arn as reason from mine full join (select key_arn as arn from aws_s3_bucket_encryption) using (arn) "
     "where account is not null"},
    {"select account, bucket from aws_s3_bucket",
     "select account, bucket, 'old' as reason from aws_s3_bucket where created < as_of() - interval 2 day"},
};

TEST(Oracle, plain_tables_and_plain_sql_say_the_same_at_every_instant) {
  std::vector<Control> controls;
  for (const auto& [population, fails] : shapes) controls.push_back(sample_control(population, fails));
  auto facts = empty_world();  // one for all histories: making a database takes longer than the rest
  std::size_t tries = 0;
  std::map<Answer, std::size_t> seen;
  const bool held = rc::check([&] {
    ++tries;
    const auto history = some_history();
    fill(facts, history);
    const auto& control = controls[static_cast<std::size_t>(*rc::gen::inRange<int>(0, static_cast<int>(controls.size())))];
    for (int i = 0; i < 5; ++i) {
      const auto at = Instant{day(*rc::gen::inRange(0, 9)).micros + *rc::gen::element<std::int64_t>(-1, 0, 1)};
      std::map<Key, Answer> answers;
      const auto verdict = must(evaluate(control, facts, at));
      for (const auto& member : verdict.members) answers[member.key] = member.answer;
      const auto expected = naive(control, history, at);
      for (const auto& [key, answer] : expected) ++seen[answer];
      RC_ASSERT(answers.size() == verdict.members.size());
      RC_ASSERT(answers == expected);
      RC_ASSERT(verdict.population == static_cast<std::int64_t>(expected.size()));
      const bool fails = std::any_of(expected.begin(), expected.end(), [](const auto& one) { return one.second == Answer::fail; });
      RC_ASSERT((verdict.answer == Answer::fail) == fails);
      RC_ASSERT((verdict.answer == Answer::empty) == expected.empty());
    }
  });
  EXPECT_TRUE(held);
  // Histories in which nothing fails, or everything is unknown, would prove nothing.
  for (const auto answer : {Answer::pass, Answer::fail, Answer::unknown}) EXPECT_GT(seen[answer], tries / 10) << name_of(answer);
}

}  // namespace
}  // namespace vouch::controls
