#include "controls/evaluate.h"

#include "controls/sample.h"

namespace vouch::controls {
namespace {

const auto march = instant("2026-03-01"), june = instant("2026-06-01"), forever = Instant::infinity();

struct World {
  facts::Facts facts = empty_world();
  void bucket(const std::string& name, const std::string& account = "1") {
    must(facts.insert("aws_s3_bucket", {{"account", account}, {"bucket", name}}, march, forever));
  }
  void encryption(const std::string& bucket, const std::string& key) {
    must(facts.insert("aws_s3_bucket_encryption", {{"account", "1"}, {"bucket", bucket}, {"algorithm", "aws:kms"}, {"key_arn", key}}, march,
                      forever));
  }
  void key(const std::string& arn, const std::string& region = "eu") {
    must(facts.insert("aws_kms_key", {{"account", "1"}, {"region", region}, {"key_id", arn}, {"arn", arn}, {"manager", "CUSTOMER"}}, march,
                      forever));
  }
  void hole(const std::string& table, std::map<std::string, std::string> key, const std::string& reason = "denied") {
    must(facts.insert(facts::Hole{table, std::move(key), march, forever, reason, LeafIndex{7}}));
  }
};

std::string told(const ControlVerdict& verdict) {
  std::string text = fmt::format("{} {}/{}/{}:", name_of(verdict.answer), verdict.pass, verdict.fail, verdict.unknown);
  for (const auto& member : verdict.members) {
    text += fmt::format(" {}={}", member.name, name_of(member.answer));
    if (!member.reason.empty()) text += fmt::format("({})", member.reason);
  }
  return text;
}

const auto left_join = [] {
  return sample_control("select account, bucket from aws_s3_bucket",
                        "select b.account, b.bucket, coalesce(e.algorithm, 'no rule') as reason from aws_s3_bucket b\n"
                        "left join aws_s3_bucket_encryption e using (account, bucket) left join aws_kms_key k on k.arn = e.key_arn\n"
                        "where k.manager is distinct from 'CUSTOMER'");
};

TEST(Evaluate, says_of_each_member_what_the_sql_says) {
  World world;
  world.bucket("a"), world.bucket("b"), world.bucket("c");
  world.encryption("a", "k1"), world.encryption("b", "k2");
  world.key("k1");
  const auto verdict = must(evaluate(left_join(), world.facts, june));
  EXPECT_EQ(told(verdict), "fail 1/2/0: a=pass b=fail(aws:kms) c=fail(no rule)");
  EXPECT_EQ(verdict.as_of, june);
  EXPECT_EQ(verdict.members[0].key, (std::map<std::string, std::string>{{"account", "1"}, {"bucket", "a"}}));
  EXPECT_EQ(verdict.members[0].basis, "snapshots");
}

TEST(Evaluate, an_empty_population_is_no_pass_and_says_how_it_was_shown) {
  World world;
  EXPECT_EQ(told(must(evaluate(left_join(), world.facts, june))), "empty 0/0/0:");
  EXPECT_EQ(must(evaluate(left_join(), world.facts, june)).empty_because, "aws_s3_bucket has no row; none belongs to the population");
  const auto some = sample_control("select account, bucket from aws_s3_bucket where bucket like 'x%'",
                                   "select account, bucket, '' as reason from aws_s3_bucket where false");
  world.bucket("a"), world.bucket("b");
  EXPECT_EQ(must(evaluate(some, world.facts, june)).empty_because, "aws_s3_bucket has 2 rows; none belongs to the population");
}

// One bucket's encryption may not be read: unknown for it, whatever kind of join the control reads it by.
TEST(Evaluate, a_hole_makes_its_own_member_unknown_through_any_join_and_no_other) {
  const std::string tables = "from aws_s3_bucket b";
  const std::string rule = "aws_s3_bucket_encryption e";
  for (const auto& [fails, verdict_of_others] : std::vector<std::pair<std::string, std::string>>{
           {"left join " + rule + " using (account, bucket) where e.bucket is null", "a=pass b=fail(r)"},
           {"join " + rule + " using (account, bucket)", "a=fail(r) b=pass"},
           {"anti join " + rule + " using (account, bucket)", "a=pass b=fail(r)"},
           {"semi join " + rule + " using (account, bucket)", "a=fail(r) b=pass"},
           {"where not exists (select 1 from " + rule + " where e.bucket = b.bucket)", "a=pass b=fail(r)"},
           {"where b.bucket not in (select bucket from " + rule + ")", "a=pass b=fail(r)"},
           {"where b.bucket in (select bucket from " + rule + ")", "a=fail(r) b=pass"}}) {
    World world;
    world.bucket("a"), world.bucket("b"), world.bucket("c");
    world.encryption("a", "k");
    world.hole("aws_s3_bucket_encryption", {{"account", "1"}, {"bucket", "c"}}, "s3:GetBucketEncryption denied (AccessDenied)");
    const auto control =
        sample_control("select account, bucket from aws_s3_bucket", "select b.account, b.bucket, 'r' as reason " + tables + " " + fails);
    const auto verdict = must(evaluate(control, world.facts, june));
    EXPECT_EQ(told(verdict), "fail 1/1/1: " + verdict_of_others + " c=unknown(s3:GetBucketEncryption denied (AccessDenied))") << fails;
    EXPECT_EQ(verdict.members[2].leaf, LeafIndex{7});
  }
}

TEST(Evaluate, a_hole_concerns_whoever_agrees_with_it_on_the_columns_that_both_have) {
  World world;
  world.bucket("a"), world.bucket("b", "2");
  world.encryption("a", "k1");
  world.key("k1");
  world.hole("aws_kms_key", {{"account", "1"}, {"region", "us"}});
  EXPECT_EQ(told(must(evaluate(left_join(), world.facts, june))), "fail 0/1/1: a=unknown(denied) b=fail(no rule)");
  world.hole("aws_kms_key", {}, "not collected");
  EXPECT_EQ(told(must(evaluate(left_join(), world.facts, june))),
            "unknown 0/0/2: a=unknown(denied; not collected) b=unknown(not collected)");
}

TEST(Evaluate, a_hole_ends_when_it_ends_and_other_tables_holes_concern_nobody) {
  World world;
  world.bucket("a");
  must(world.facts.insert(facts::Hole{"aws_s3_bucket_encryption", {{"account", "1"}, {"bucket", "a"}}, march, june, "denied", {}}));
  world.hole("aws_iam_user", {});
  EXPECT_EQ(told(must(evaluate(left_join(), world.facts, {june.micros - 1}))), "unknown 0/0/1: a=unknown(denied)");
  EXPECT_EQ(told(must(evaluate(left_join(), world.facts, june))), "fail 0/1/0: a=fail(no rule)");
}

TEST(Evaluate, a_population_that_was_not_listed_is_neither_empty_nor_passing) {
  World world;
  world.hole("aws_s3_bucket", {{"account", "2"}}, "s3:ListBuckets denied");
  auto verdict = must(evaluate(left_join(), world.facts, june));
  EXPECT_EQ(told(verdict), "unknown 0/0/1: aws_s3_bucket of account=2=unknown(s3:ListBuckets denied)");
  EXPECT_EQ(verdict.members[0].key, (std::map<std::string, std::string>{{"account", "2"}}));
  EXPECT_EQ(verdict.empty_because, "");

  // With members of the same account the hole is theirs; another account's stands beside them.
  world.bucket("a", "2");
  EXPECT_EQ(told(must(evaluate(left_join(), world.facts, june))), "unknown 0/0/1: a=unknown(s3:ListBuckets denied)");
  world.hole("aws_s3_bucket", {{"account", "3"}}, "no such role");
  EXPECT_EQ(told(must(evaluate(left_join(), world.facts, june))),
            "unknown 0/0/2: a=unknown(s3:ListBuckets denied) aws_s3_bucket of account=3=unknown(no such role)");
}

TEST(Evaluate, whoever_cannot_be_told_to_belong_to_the_population_is_an_unknown_member) {
  const auto control = sample_control("select account, bucket from aws_s3_bucket join aws_s3_bucket_encryption using (account, bucket)",
                                      "select account, bucket, '' as reason from aws_s3_bucket where false");
  World world;
  world.bucket("a"), world.bucket("b");
  world.encryption("a", "k");
  world.hole("aws_s3_bucket_encryption", {{"account", "1"}, {"bucket", "b"}});
  EXPECT_EQ(told(must(evaluate(control, world.facts, june))), "unknown 1/0/1: a=pass b=unknown(denied)");
}

TEST(Evaluate, names_members_as_people_do_and_collapses_repeated_rows) {
  const auto control =
      sample_control("select user_id, user_name as name, account from aws_iam_user cross join (values (1), (2))",
                     "select 'z' || n as reason, user_id, account from aws_iam_user cross join (values (3), (1), (2), (4), (1)) v(n)");
  World world;
  must(world.facts.insert("aws_iam_user", {{"account", "1"}, {"user_id", "AIDA"}, {"user_name", "eng"}}, march, forever));
  EXPECT_EQ(told(must(evaluate(control, world.facts, june))), "fail 0/1/0: eng=fail(z1; z2; z3)");
}

TEST(Evaluate, rows_of_fails_outside_of_the_population_change_nothing_and_are_kept_for_the_author) {
  const auto control = sample_control("select account, bucket from aws_s3_bucket where bucket = 'a'",
                                      "select account, bucket, null as reason from aws_s3_bucket");
  World world;
  world.bucket("a"), world.bucket("b");
  const auto verdict = must(evaluate(control, world.facts, june));
  EXPECT_EQ(told(verdict), "fail 0/1/0: a=fail(no reason given)");
  EXPECT_EQ(verdict.outsiders, std::vector<std::string>{"account=1 bucket=b"});
}

TEST(Evaluate, sql_that_fails_while_it_runs_leaves_the_control_unknown) {
  const auto control =
      sample_control("select account, bucket from aws_s3_bucket", "select account, bucket, bucket::int::text as reason from aws_s3_bucket");
  World world;
  world.bucket("a");
  const auto verdict = evaluate(control, world.facts, june);
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().code, Errc::malformed);
  EXPECT_NE(verdict.error().message.find("control `sample`"), std::string::npos);
  const auto all = evaluate_all(ControlCatalog{{control}, {}}, world.facts, june);
  EXPECT_EQ(all[0].answer, Answer::unknown);
  EXPECT_EQ(all[0].unknown, 1);
  EXPECT_NE(all[0].members[0].reason.find("Conversion Error"), std::string::npos) << all[0].members[0].reason;
}

TEST(Evaluate, whatever_the_author_writes_around_the_sql_does_not_leak_out_of_it) {
  const auto control = sample_control("select account, bucket from aws_s3_bucket -- all of them",
                                      "select account, bucket, 'x' as reason /* ( */ from aws_s3_bucket; ");
  World world;
  world.bucket("it's \"here\"");
  EXPECT_EQ(told(must(evaluate(control, world.facts, june))), "fail 0/1/0: it's \"here\"=fail(x)");
}

TEST(Evaluate, an_age_is_judged_at_the_instant_and_not_by_todays_clock) {
  const auto control =
      sample_control("select account, bucket from aws_s3_bucket",
                     "select account, bucket, 'old' as reason from aws_s3_bucket where created < current_date - interval 90 day");
  World world;
  must(world.facts.insert("aws_s3_bucket", {{"account", "1"}, {"bucket", "a"}, {"created", "2026-03-01T12:00:00Z"}}, march, forever));
  const auto turns = instant("2026-05-30T12:00:00Z");
  EXPECT_EQ(must(evaluate(control, world.facts, turns)).answer, Answer::pass);
  EXPECT_EQ(must(evaluate(control, world.facts, {turns.micros + 1})).answer, Answer::fail);
}

TEST(Evaluate, a_tick_holds_the_clock_still_between_its_multiples) {
  const auto control = sample_control(
      "select account, bucket from aws_s3_bucket",
      "select account, bucket, 'old' as reason from aws_s3_bucket where date_diff('hour', created, as_of()) >= 12", "tick: 1d\n");
  World world;
  must(world.facts.insert("aws_s3_bucket", {{"account", "1"}, {"bucket", "a"}, {"created", "2026-03-01T06:00:00Z"}}, march, forever));
  EXPECT_EQ(must(evaluate(control, world.facts, instant("2026-03-01T23:59:59.999999Z"))).answer, Answer::pass);
  EXPECT_EQ(must(evaluate(control, world.facts, instant("2026-03-02T00:00:00Z"))).answer, Answer::fail);
}

TEST(Evaluate, waived_counts_after_unknown_and_before_pass) {
  ControlVerdict verdict{};
  for (const auto answer : {Answer::pass, Answer::waived}) verdict.members.push_back({{}, "", answer, "", "", {}, {}, {}});
  count(verdict);
  EXPECT_EQ(verdict.answer, Answer::waived);
  verdict.members.push_back({{}, "", Answer::unknown, "", "", {}, {}, {}});
  count(verdict);
  EXPECT_EQ(verdict.answer, Answer::unknown);
}

}  // namespace
}  // namespace vouch::controls
