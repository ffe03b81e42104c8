// evaluate_events() must agree with judging each event by itself: plain tables of its instant, the author's SQL as it stands.
#include "controls/event.h"
#include "controls/plain.h"

namespace vouch::controls {
namespace {

History some_merges() {
  History history;
  const auto some_day = [] { return day(*rc::gen::inRange(0, 9)); };
  for (const auto* account : {"1", "2"}) {
    for (const auto* repository : {"r", "s"}) {
      versions(history, "code_repository", [&] {
        return std::map<std::string, std::string>{{"account", account}, {"repository", repository}, {"guarded", of({"true", "false"})}};
      });
      for (const auto* number : {"1", "2", "3"}) {
        if (!*rc::gen::inRange(0, 4)) continue;
        // Seen first, and then perhaps otherwise or not at all; it begins at its own instant.
        const auto merged = some_day();
        std::map<std::string, std::string> values{{"account", account},
                                                  {"repository", repository},
                                                  {"number", number},
                                                  {"author", of({"x", "y"})},
                                                  {"merged_at", to_string(merged)}};
        if (*rc::gen::inRange(0, 4)) values["closed_at"] = to_string(some_day());
        const auto changed = *rc::gen::inRange(0, 3) ? Instant::infinity() : std::max(some_day(), merged + Duration{1});
        history.rows.push_back({"code_change", values, merged, changed});
        if (!changed.is_infinite() && *rc::gen::inRange(0, 2)) {
          values["author"] = of({"x", "y"});
          history.rows.push_back({"code_change", values, changed, Instant::infinity()});
        }
        for (int id = *rc::gen::inRange(0, 3); id > 0; --id) {
          const auto submitted = some_day() + Duration::hours(*rc::gen::inRange(-1, 2));
          history.rows.push_back({"code_review",
                                  {{"account", account},
                                   {"repository", repository},
                                   {"number", number},
                                   {"review_id", std::to_string(id)},
                                   {"author", of({"x", "y", "z"})},
                                   {"state", of({"APPROVED", "DISMISSED"})},
                                   {"submitted_at", to_string(submitted)}},
                                  submitted,
                                  *rc::gen::inRange(0, 4) ? Instant::infinity() : submitted + Duration::days(1)});
        }
      }
    }
    for (const auto* user : {"u1", "u2"})
      versions(history, "aws_iam_user", [&] {
        return std::map<std::string, std::string>{
            {"account", account}, {"user_id", user}, {"user_name", of({"x", "y"})}, {"mfa", of({"true", "false"})}};
      });
  }
  for (int i = *rc::gen::inRange(0, 6); i > 0; --i) {
    facts::Hole hole;
    hole.table = of({"code_change", "code_review", "code_repository", "aws_iam_user"});
    const int width = *rc::gen::inRange(0, 3);
    if (width > 0) hole.key["account"] = of({"1", "2"});
    if (width > 1 && hole.table != "aws_iam_user") hole.key["repository"] = of({"r", "s"});
    if (width > 1 && hole.table == "code_review") hole.key["number"] = of({"1", "2"});
    const int from = *rc::gen::inRange(0, 8);
    hole.from = day(from), hole.to = day(*rc::gen::inRange(from + 1, 10));
    hole.reason = "hole " + std::to_string(i);
    history.holes.push_back(std::move(hole));
  }
  return history;
}

bool agrees(const Key& key, const Key& other) {
  return std::all_of(key.begin(), key.end(),
                     [&](const auto& part) { return !other.contains(part.first) || other.at(part.first) == part.second; });
}

// A hole that stands at `at`; of tables that remember one that stands for ever after, hole upon hole of its key.
bool stands(const History& history, const facts::Hole& hole, Instant at) {
  if (at < hole.from || hole.to <= at) return false;
  if (sample_tables().find(hole.table)->event.empty()) return true;
  std::set<Instant> later;
  for (const auto& other : history.holes)
    if (at <= other.to) later.insert(other.to);
  return std::none_of(later.begin(), later.end(), [&](Instant free) {
    return !free.is_infinite() && std::none_of(history.holes.begin(), history.holes.end(), [&](const facts::Hole& other) {
      return other.table == hole.table && other.from <= free && free < other.to &&
             std::all_of(
                 other.key.begin(), other.key.end(),
                 [&](const auto& part) { return hole.key.contains(part.first) && hole.key.at(part.first) == part.second; });
    });
  });
}

class Oracle {
 public:
  Oracle(const Control& control, const History& history) : control_(control), history_(history) {}

  std::map<Key, Answer> at(Instant at) {
    std::map<Key, Answer> answers;
    auto& now = tables_at(at);
    const auto rows = must(now.query(control_.population));
    const auto place = [&](std::string_view name) {
      return static_cast<std::size_t>(std::find(rows.columns.begin(), rows.columns.end(), name) - rows.columns.begin());
    };
    for (const auto& row : rows.rows) {
      Key key;
      for (const auto& column : control_.key) key[column] = table::to_text(row[place(column)]);
      const auto* happened = std::get_if<Instant>(&row[place("at")]);
      const auto* judged = place("judge_at") < row.size() ? std::get_if<Instant>(&row[place("judge_at")]) : happened;
      if (happened && at < *happened) continue;
      answers[key] = happened && judged && *judged <= at ? judge(key, *judged) : Answer::unknown;
    }
    std::map<Key, Answer> unread;
    for (const auto& hole : history_.holes) {
      const bool whole =
          std::all_of(control_.key.begin(), control_.key.end(), [&](const auto& column) { return hole.key.contains(column); });
      if (!of(control_.population_tables, hole.table) || !stands(history_, hole, at) || (whole && answers.contains(hole.key))) continue;
      unread[hole.key] = Answer::unknown;
    }
    answers.merge(unread);
    return answers;
  }

 private:
  static bool of(const std::vector<std::string>& tables, const std::string& table) {
    return std::find(tables.begin(), tables.end(), table) != tables.end();
  }

  Answer judge(const Key& key, Instant at) {
    for (const auto& hole : history_.holes)
      if (of(control_.verdict_tables, hole.table) && stands(history_, hole, at) && agrees(hole.key, key)) return Answer::unknown;
    auto [fails, is_new] = fails_.try_emplace(at);
    if (is_new) {
      auto sql = control_.fails;
      for (auto place = sql.find("as_of()"); place != std::string::npos; place = sql.find("as_of()"))
        sql.replace(place, 7, "timestamptz '" + to_string(at) + "'");
      fails->second = keys_of(must(tables_at(at).query(sql)), control_.key);
    }
    return fails->second.contains(key) ? Answer::fail : Answer::pass;
  }

  table::Store& tables_at(Instant at) {
    const auto known = tables_.find(at);
    return known != tables_.end() ? known->second : tables_.emplace(at, plain_tables(history_, at)).first->second;
  }

  const Control& control_;
  const History& history_;
  std::map<Instant, table::Store> tables_;
  std::map<Instant, std::set<Key>> fails_;
};

const std::vector<std::string> populations{
    "select account, repository, number, merged_at as at from code_change",
    "select account, repository, number, merged_at as at, closed_at as judge_at from code_change",
    "select account, repository, number, merged_at as at, merged_at + interval 24 hour as judge_at from code_change semi join "
    "code_repository "
    "using (account, repository)",
};

const std::vector<std::string> shapes{
    "select account, repository, number, 'r' as reason from code_change c where not exists (select 1 from code_review r where r.account = "
    "c.account and r.repository = c.repository and r.number = c.number and r.state = 'APPROVED' and r.author <> c.author)",
    "select c.account, c.repository, c.number, 'r' as reason from code_change c left join code_review r using (account, repository, "
    "number) "
    "group by all having count(r.review_id) < 2",
    "select c.account, c.repository, c.number, 'r' as reason from code_change c join code_repository p using (account, repository) where "
    "p.guarded is not true",
    "with latest as (select * from code_review qualify row_number() over (partition by account, repository, number, author order by "
    "submitted_at desc, review_id) = 1) select c.account, c.repository, c.number, 'r' as reason from code_change c where not exists "
    "(select 1 "
    "from latest l where l.account = c.account and l.repository = c.repository and l.number = c.number and l.state = 'APPROVED')",
    // What a repository, and what an account, shares.
    "select c.account, c.repository, c.number, 'r' as reason from code_change c left join code_repository p using (account, repository) "
    "left join aws_iam_user u on u.account = c.account and u.user_name = c.author where p.guarded is not true and u.mfa is not true",
    "select c.account, c.repository, c.number, 'r' as reason from code_change c where (select count(*) from code_repository p where "
    "p.account = c.account and p.guarded) < 2",
    "select c.account, c.repository, c.number, 'r' as reason from code_change c join (select account, repository, count(*) as n from "
    "code_review where state = 'APPROVED' group by all) r using (account, repository) where r.n > 1",
    "select c.account, c.repository, c.number, 'r' as reason from code_change c left join aws_iam_user u on u.account = c.account and "
    "u.user_name = c.author where u.mfa is not true",
    "select account, repository, number, 'r' as reason from (select *, row_number() over (partition by author order by account, "
    "repository, "
    "number) as n from code_change) where n > 1",
    "select account, repository, number, 'r' as reason from code_change where (select count(*) from code_review where state = 'APPROVED') "
    "> 3",
    "select account, repository, number, 'r' as reason from code_change c where exists (select 1 from code_review r where r.account = "
    "c.account "
    "and r.repository = c.repository and r.number = c.number and r.submitted_at > as_of() - interval 1 day)",
    "select account, repository, number, 'r' as reason from code_change except select account, repository, number, 'r' from code_review",
    "select account, repository, number, 'r' as reason from code_change where number not in (select number from code_review)",
    "select r.account, r.repository, r.number, 'r' as reason from code_change c right join code_review r on c.account = r.account and "
    "c.repository = r.repository and c.number = r.number where c.author is distinct from r.author",
    "select a.account, a.repository, a.number, 'r' as reason from code_change a full join code_review r on a.account = r.account and "
    "a.repository = r.repository and a.number = r.number and r.state = 'APPROVED' where r.state is null",
    "select a.account, a.repository, a.number, 'r' as reason from code_change a join code_change b on a.author = b.author and (a.account, "
    "a.repository, a.number) < (b.account, b.repository, b.number)",
};

TEST(EventOracle, judging_each_event_by_itself_says_the_same) {
  std::vector<Control> controls;
  std::size_t keyed = 0;
  for (const auto& population : populations)
    for (const auto& fails : shapes) {
      controls.push_back(sample_event(population, fails));
      const auto& control = controls.back();
      keyed += std::all_of(control.verdict_tables.begin(), control.verdict_tables.end(), [&](const auto& name) {
        const auto found = control.keyed.find(name);
        return found != control.keyed.end() && found->second.size() == control.key.size();
      });
    }
  EXPECT_GT(keyed, controls.size() / 3);
  EXPECT_LT(keyed, controls.size());
  auto facts = empty_world();
  std::size_t tries = 0;
  std::map<Answer, std::size_t> seen;
  const bool held = rc::check([&] {
    ++tries;
    const auto history = some_merges();
    fill(facts, history);
    const auto& control = controls[static_cast<std::size_t>(*rc::gen::inRange<int>(0, static_cast<int>(controls.size())))];
    Oracle oracle{control, history};
    for (int i = 0; i < 2; ++i) {
      const auto at = Instant{day(*rc::gen::inRange(2, 9)).micros + *rc::gen::element<std::int64_t>(-1, 0, 1)};
      const auto verdict = must(evaluate(control, facts, at));
      std::map<Key, Answer> answers;
      for (const auto& member : verdict.members) answers[member.key] = member.answer;
      const auto expected = oracle.at(at);
      for (const auto& [key, answer] : expected) ++seen[answer];
      RC_LOG() << control.population << "\n" << control.fails << "\nat " << to_string(at) << "\n";
      RC_ASSERT(answers.size() == verdict.members.size());
      RC_ASSERT(answers == expected);
    }
  });
  EXPECT_TRUE(held);
  for (const auto answer : {Answer::pass, Answer::fail, Answer::unknown}) EXPECT_GT(seen[answer], tries / 10) << name_of(answer);
}

}  // namespace
}  // namespace vouch::controls
