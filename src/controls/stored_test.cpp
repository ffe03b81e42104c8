#include "controls/stored.h"

#include "controls/sample.h"

namespace vouch::controls {
namespace {

const auto forever = Instant::infinity();

class StoredVerdicts : public ::testing::Test {
 protected:
  void SetUp() override {
    files.files = {
        own_file("controls/a/key-age.yaml",
                 control_text(
                     "key-age", "select account, user_id, key_id from aws_iam_access_key",
                     "select account, user_id, key_id, 'old' as reason from aws_iam_access_key where created < as_of() - interval 90 day",
                     "mend: keys\n")),
        own_file("controls/a/mfa.yaml",
                 control_text("mfa", "select account, user_id, user_name as name from aws_iam_user",
                              "select account, user_id, 'no MFA' as reason from aws_iam_user where mfa is not true")),
        own_file(
            "controls/a/sealed.yaml",
            control_text(
                "sealed", "select account, bucket from aws_s3_bucket",
                "select account, bucket, 'open' as reason from aws_s3_bucket anti join aws_s3_bucket_encryption using (account, bucket)")),
        own_file("frameworks/soc2.yaml",
                 "framework: soc2\ntitle: SOC 2\ncriteria:\n- {id: CC6.1, category: Access, says: It., controls: [mfa, key-age]}\n"
                 "- {id: A1.1, category: Availability, says: That., controls: []}\n")};
    Problems problems;
    catalog = read_control_catalog(files, sample_tables(), problems);
    ASSERT_TRUE(problems.empty()) << problems[0].message;
    digest = digest_of(files);
  }

  void user(const std::string& id, const std::string& mfa, std::string_view from, Instant to = forever) {
    must(facts.insert("aws_iam_user", {{"account", "1"}, {"user_id", id}, {"user_name", "n" + id}, {"mfa", mfa}}, instant(from), to));
  }
  void key(const std::string& id, std::string_view created) {
    must(facts.insert("aws_iam_access_key", {{"account", "1"}, {"user_id", "u"}, {"key_id", id}, {"created", to_string(instant(created))}},
                      instant(created), forever));
  }
  void store(std::string_view at, std::vector<std::string> changed = {}) {
    must(store_verdicts(catalog, digest, facts, {}, changed, instant(at)));
  }

  std::string stored_at(std::string_view at, Members members = Members::all) {
    const auto stored = must(read_stored(facts.store(), digest, instant(at), members));
    if (!stored) return "nothing";
    std::string text;
    for (const auto& control : stored->controls) text += told(control.verdict);
    return text;
  }
  std::string live_at(std::string_view at) {
    std::string text;
    for (const auto& verdict : evaluate_all(catalog, facts, instant(at))) text += told(verdict);
    return text;
  }
  static std::string told(const ControlVerdict& v) {
    std::string text = fmt::format("{} {} {}: {}/{}/{}/{} {}", v.control, to_string(v.as_of), name_of(v.answer), v.population, v.pass,
                                   v.fail, v.unknown, v.empty_because);
    for (const auto& m : v.members) text += fmt::format(" [{}|{}|{}|{}]", to_text(m.key), m.name, name_of(m.answer), m.reason);
    return text + "\n";
  }

  CatalogFiles files;
  ControlCatalog catalog;
  std::string digest;
  facts::Facts facts = empty_world();
};

// A process that is killed between the two transactions leaves such: its facts are committed, its verdicts are not.
TEST_F(StoredVerdicts, of_facts_that_went_on_without_them_are_not_believed) {
  user("a", "true", "2026-03-01");
  store("2026-03-02");
  user("b", "false", "2026-03-01");
  must(facts.store().execute("update vouch.state set size = 7, root = 'another'"));
  std::string shown;
  for (const auto& verdict : must(status_at(catalog, facts, instant("2026-03-02"), Members::all))) shown += told(verdict);
  EXPECT_EQ(shown, live_at("2026-03-02"));
  must(store_verdicts(catalog, digest, facts, TreeSize{7}, {}, instant("2026-03-02")));
  EXPECT_EQ(stored_at("2026-03-02"), live_at("2026-03-02"));
}

TEST_F(StoredVerdicts, are_what_an_evaluation_says_also_later) {
  EXPECT_EQ(stored_at("2026-03-10"), "nothing");
  user("1", "true", "2026-03-01"), user("2", "false", "2026-03-01"), key("k", "2026-03-01");
  store("2026-03-10");
  EXPECT_EQ(stored_at("2026-03-10"), live_at("2026-03-10"));
  EXPECT_EQ(stored_at("2026-04-10T01:02:03Z"), live_at("2026-04-10T01:02:03Z"));
  EXPECT_EQ(stored_at("2026-03-09T23:59:59Z"), "nothing") << "what held before was not judged";
}

TEST_F(StoredVerdicts, expire_at_the_microsecond_at_which_an_age_is_reached) {
  key("k", "2026-03-01");
  store("2026-03-10");
  EXPECT_EQ(stored_at("2026-05-30T00:00:00Z"), live_at("2026-05-30T00:00:00Z"));
  EXPECT_EQ(stored_at("2026-05-30T00:00:00.000001Z"), "nothing");
  const auto now = must(status_at(catalog, facts, instant("2026-05-30T00:00:00.000001Z")));
  EXPECT_EQ(now[0].answer, Answer::fail);
  EXPECT_TRUE(now[0].members.empty());
  EXPECT_EQ(must(status_at(catalog, facts, instant("2026-05-30T00:00:00Z")))[0].answer, Answer::pass);
}

TEST_F(StoredVerdicts, are_the_same_however_they_came_to_be) {
  user("1", "true", "2026-03-01"), key("k", "2026-03-01");
  must(facts.insert("aws_s3_bucket", {{"account", "1"}, {"bucket", "b"}}, instant("2026-03-01"), forever));
  must(facts.insert(facts::Hole{"aws_s3_bucket_encryption", {}, instant("2026-03-01"), instant("2026-03-20"), "denied", {}}));
  store("2026-03-02");
  user("2", "false", "2026-03-03");
  store("2026-03-04", {"aws_iam_user"});
  must(facts.insert("aws_s3_bucket_encryption", {{"account", "1"}, {"bucket", "b"}}, instant("2026-03-21"), forever));
  store("2026-04-01", {"aws_s3_bucket_encryption"});
  const auto step_by_step = stored_at("2026-04-02");
  EXPECT_EQ(step_by_step, live_at("2026-04-02"));

  // Another layout is as good as nothing, and leaves nothing behind.
  must(facts.store().execute("update vouch.verdict_state set layout = 0"));
  must(facts.store().execute("update vouch.verdict_control set id = 'gone' where id = 'mfa'"));
  EXPECT_EQ(stored_at("2026-04-02"), "nothing");
  store("2026-04-01");
  EXPECT_EQ(stored_at("2026-04-02"), step_by_step);
  must(facts.store().execute("alter table vouch.verdict_state rename judged to was_judged"));
  EXPECT_EQ(stored_at("2026-04-02"), "nothing");
  store("2026-04-01");
  EXPECT_EQ(stored_at("2026-04-02"), step_by_step);
}

TEST_F(StoredVerdicts, only_what_read_a_changed_table_is_evaluated_again) {
  user("1", "true", "2026-03-01");
  store("2026-03-02");
  // A verdict that nobody recomputed would show this mark; of the controls only `mfa` reads the changed table.
  must(facts.store().execute("update vouch.verdict_control set empty_because = 'mark'"));
  user("2", "true", "2026-03-03");
  store("2026-03-04", {"aws_iam_user"});
  const auto stored = must(read_stored(facts.store(), digest, instant("2026-03-05")));
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->controls[0].verdict.empty_because, "mark");
  EXPECT_EQ(stored->controls[1].verdict.empty_because, "");
  EXPECT_EQ(stored->controls[1].verdict.population, 2);
  EXPECT_EQ(stored->controls[2].verdict.empty_because, "mark");
}

TEST_F(StoredVerdicts, of_another_catalogue_are_not_shown_and_a_changed_control_is_judged_anew) {
  user("1", "false", "2026-03-01");
  store("2026-03-02");
  files.files[1].text = control_text("mfa", "select account, user_id, user_name as name from aws_iam_user",
                                     "select account, user_id, 'no MFA' as reason from aws_iam_user where mfa is null");
  EXPECT_NE(digest_of(files), digest);
  EXPECT_FALSE(must(read_stored(facts.store(), digest_of(files), instant("2026-03-03"))));
  Problems problems;
  catalog = read_control_catalog(files, sample_tables(), problems);
  EXPECT_EQ(must(status_at(catalog, facts, instant("2026-03-03")))[1].answer, Answer::pass);
  digest = digest_of(files);
  store("2026-03-03");
  EXPECT_EQ(stored_at("2026-03-03"), live_at("2026-03-03"));
  // A control that is gone leaves nothing behind.
  files.files.erase(files.files.begin() + 1);
  catalog = read_control_catalog(files, sample_tables(), problems);
  store("2026-03-04");
  EXPECT_EQ(stored_at("2026-03-04"), live_at("2026-03-04"));
}

TEST_F(StoredVerdicts, keep_what_people_read_so_that_status_needs_no_catalogue) {
  user("1", "false", "2026-03-01"), user("2", "true", "2026-03-01");
  store("2026-03-02");
  const auto stored = must(read_stored(facts.store(), digest, instant("2026-03-03"), Members::not_passing));
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->at, instant("2026-03-02"));
  EXPECT_EQ(stored->controls[0].mend, "keys");
  EXPECT_EQ(stored->controls[1].statement, "It is so.");
  EXPECT_EQ(stored->controls[1].severity, "high");
  ASSERT_EQ(stored->controls[1].verdict.members.size(), 1u);
  EXPECT_EQ(stored->controls[1].verdict.members[0].name, "n1");
  ASSERT_EQ(stored->frameworks.size(), 1u);
  EXPECT_EQ(stored->frameworks[0].title, "SOC 2");
  EXPECT_EQ(stored->frameworks[0].criteria[0].controls, (std::vector<std::string>{"mfa", "key-age"}));
  EXPECT_EQ(stored->frameworks[0].criteria[1].id, "A1.1");
  EXPECT_TRUE(must(read_stored(facts.store(), digest, instant("2026-03-03")))->controls[1].verdict.members.empty());
}

TEST_F(StoredVerdicts, can_be_read_by_whoever_opens_the_database_to_read) {
  const TemporaryDirectory home;
  {
    auto written = must(facts::Facts::create(home.path(), sample_tables()));
    must(written.insert("aws_iam_user", {{"account", "1"}, {"user_id", "1"}, {"mfa", "true"}}, instant("2026-03-01"), forever));
    must(store_verdicts(catalog, digest, written, {}, {}, instant("2026-03-02")));
  }
  auto store = must(table::Store::open(home.path() / "facts.duckdb", table::Mode::reading));
  const auto stored = must(read_stored(store, digest, instant("2026-03-02"), Members::all));
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->controls.size(), 3u);
  // No collection was ever made here, so nobody knows of other users.
  EXPECT_EQ(stored->controls[1].verdict.answer, Answer::unknown);
  EXPECT_EQ(stored->controls[1].verdict.members.at(0).reason, "not collected");
}

TEST_F(StoredVerdicts, an_unknown_stays_unknown_when_it_is_stored) {
  must(facts.insert(facts::Hole{"aws_iam_user", {{"account", "2"}}, instant("2026-03-01"), forever, "denied", LeafIndex{4}}));
  store("2026-03-02");
  const auto stored = must(read_stored(facts.store(), digest, instant("2026-03-03"), Members::all));
  EXPECT_EQ(stored->controls[1].verdict.answer, Answer::unknown);
  EXPECT_EQ(stored->controls[1].verdict.members.at(0).leaf, LeafIndex{4});
  EXPECT_EQ(stored->controls[1].verdict.members.at(0).reason, "denied");
}

}  // namespace
}  // namespace vouch::controls
