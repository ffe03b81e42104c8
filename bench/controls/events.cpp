// 20,000 merged changes with two reviews each, in 40 repositories whose settings changed on 90 days, each judged at its own instant.
#include "events.h"

#include "controls/event.h"

#include <chrono>
#include <cstdlib>

namespace vouch::bench {
namespace {

using namespace vouch::controls;

template <class T>
T must(Result<T> result) {
  if (!result) {
    fmt::print(stderr, "bench_controls: {}\n", result.error().message);
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

constexpr std::string_view tables_yaml = R"(
- {table: repository, from: code:ListRepositories, rows: "R[] as r", key: [account, repository],
   columns: {repository: text r.Name, guarded: boolean r.Guarded}}
- {table: change, from: code:ListChanges, rows: "C[] as c", key: [account, repository, number], event: merged_at,
   columns: {repository: text c.Repository, number: integer c.Number, author: text c.Author, merged_at: time c.Merged}}
- {table: review, from: code:ListReviews, rows: "R[] as r", key: [account, repository, number, review_id], event: submitted_at,
   columns: {repository: text r.Repository, number: integer r.Number, review_id: integer r.Id, author: text r.Author, state: text r.State,
             submitted_at: time r.Submitted}}
)";

constexpr std::string_view population = "population: select account, repository, number, merged_at as at from change\n";
const std::vector<std::pair<std::string, std::string>> shapes{
    {"approved",
     "fails: select account, repository, number, 'r' as reason from change c where not exists (select 1 from review r where r.account = "
     "c.account and r.repository = c.repository and r.number = c.number and r.state = 'APPROVED' and r.author <> c.author)\n"},
    {"guarded",
     "fails: select c.account, c.repository, c.number, 'r' as reason from change c join repository using (account, repository) where "
     "guarded "
     "is not true\n"},
};

CatalogFiles catalog_files() {
  CatalogFiles files;
  files.files.push_back({"facts.yaml", "facts/code/code.yaml", std::string{tables_yaml}, true});
  files.files.push_back({"sources.yaml", "sources/code/code.yaml",
                         "{service: code, scope: global, operations: [{operation: ListRepositories}, {operation: ListChanges}, {operation: "
                         "ListReviews}]}",
                         true});
  for (const auto& [id, fails] : shapes)
    files.files.push_back({id + ".yaml", fmt::format("controls/code/{}.yaml", id),
                           fmt::format("id: {}\nkind: event\nstatement: It is so.\nseverity: high\n{}{}", id, population, fails), true});
  return files;
}

void fill(facts::Facts& facts, std::int64_t events) {
  constexpr std::string_view instant = "make_timestamptz(1767225600000000 + i * 1000000 * 500)";
  const auto insert = [&](std::string_view sql) { must(facts.store().execute(sql)); };
  insert(
      fmt::format("insert into main.change select '1', 'r' || (i % 40), i, 'a' || (i % 50), t, t, 'infinity', 'recalled', null, 1 from "
                  "(select i, {} as t from range({}) x(i))",
                  instant, events));
  insert(
      fmt::format("insert into main.review select '1', 'r' || (i % 40), i, k, 'a' || ((i + k) % 50), 'APPROVED', t - to_seconds(k), t - "
                  "to_seconds(k), 'infinity', 'recalled', null, 1 from (select i, k, {} as t from range({}) x(i), range(2) y(k))",
                  instant, events));
  insert(
      "insert into main.repository select '1', 'r' || i, (i + d) % 7 <> 0, timestamptz '2026-01-01 00:00:00+00' + to_days(d::int), "
      "timestamptz "
      "'2026-01-01 00:00:00+00' + to_days(d::int + 1), 'snapshots', null, 1 from range(40) x(i), range(90) y(d)");
  insert(
      "insert into main.repository select '1', 'r' || i, true, timestamptz '2026-04-01 00:00:00+00', 'infinity', 'snapshots', null, 1 from "
      "range(40) x(i)");
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// One event by itself: a snapshot of its instant, and the SQL as it stands.
void judge_alone(const Control& control, facts::Facts& facts, Instant at) {
  const auto shadows = must(facts.as_of(control.verdict_tables, at));
  must(facts.store().query(fmt::format("{} select * from (\n{}\n)", shadows, control.fails_sql.at(at))));
}

}  // namespace

void events() {
  constexpr std::int64_t count = 20'000, sample = 50;
  const auto files = catalog_files();
  Problems problems;
  const auto tables = facts::read_fact_catalog(files, problems);
  const auto catalog = read_control_catalog(files, tables, problems);
  for (const auto& problem : problems) fmt::print(stderr, "bench_controls: {}\n", problem.message);
  auto facts = must(facts::Facts::in_memory(tables, 2));
  fill(facts, count);
  const auto now = must(parse_instant("2026-12-01"));
  for (const auto& control : catalog.controls) {
    auto start = std::chrono::steady_clock::now();
    const auto verdict = must(evaluate_events(control, facts, now));
    const auto together = seconds_since(start);
    start = std::chrono::steady_clock::now();
    for (std::int64_t i = 0; i < sample; ++i)
      judge_alone(control, facts, *verdict.members.at(static_cast<std::size_t>(i * count / sample)).at);
    const auto alone = seconds_since(start) * static_cast<double>(count) / static_cast<double>(sample);
    fmt::print("events: {}: {} events ({} fail) judged in {:.2f} s; each by itself {:.0f} s ({} measured), {:.0f} times as long\n",
               control.id, verdict.population, verdict.fail, together, alone, sample, alone / together);
  }
}

}  // namespace vouch::bench
