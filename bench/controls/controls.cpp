// bench/controls - how long it takes to decide all shipped controls.
//
//   bench_controls [RESOURCES]
//
// Facts are made up for every table of the catalogue: RESOURCES (100,000) resources, as many of each kind (a kind is a set of key columns);
// every table of a kind has a row for each, with values that join across tables, and half as many closed versions. Prints one line for each
// measurement; the first is the one with a bound: all controls over 100,000 resources in at most 2 s. The last ones are of events
// (events.h).
#include "controls/changes.h"
#include "controls/stored.h"
#include "events.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace {

using namespace vouch;

template <class T>
T must(Result<T> result) {
  if (!result) {
    fmt::print(stderr, "bench_controls: {}\n", result.error().message);
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

const auto now = must(parse_instant("2026-06-01T00:00:00Z"));

bool is_key(const facts::FactTable& table, std::string_view column) {
  return column == "account" || column == "region" || std::find(table.key.begin(), table.key.end(), column) != table.key.end();
}

// The same number gives the same key in each table, so that joins meet.
std::string value_sql(const facts::FactTable& table, const std::string& column, facts::Type type) {
  if (column == "account") return "'account-' || (i % 10)";
  if (column == "region") return "'region-' || (i % 4)";
  switch (type) {
    case facts::Type::text:
      if (is_key(table, column)) return fmt::format("'{}-' || i", column);
      if (column.ends_with("arn")) return "'arn:aws:thing:' || i";
      return "['CUSTOMER', 'AWS', 'aws:kms', 'Enabled', 'tcp', 'available', '0.0.0.0/0', null][1 + i % 8]";
    case facts::Type::integer: return is_key(table, column) ? "i" : "i % 100";
    case facts::Type::number: return "i / 7.0";
    case facts::Type::boolean: return "i % 3 = 0";
    case facts::Type::time: return "timestamptz '2026-01-01 00:00:00+00' + to_minutes(i)";
    case facts::Type::json: break;
  }
  return R"('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::1:root"},"Action":["s3:GetObject"],"Resource":["*"]}]}')";
}

std::int64_t fill(facts::Facts& facts, std::int64_t resources) {
  std::map<std::vector<std::string>, std::vector<const facts::FactTable*>> kinds;
  for (const auto& table : facts.catalog().tables) {
    auto key = table.key;
    std::sort(key.begin(), key.end());
    if (key.size() > 1 || key.front() != "account") kinds[key].push_back(&table);
  }
  std::int64_t rows = 0;
  const auto each = resources / static_cast<std::int64_t>(kinds.size());
  for (const auto& [key, tables] : kinds)
    for (const auto* table : tables) {
      std::string values;
      for (const auto& [column, type] : table->on_disk()) values += value_sql(*table, column, type) + ", ";
      must(
          facts.store().execute(fmt::format("insert into main.{0} select {1} timestamptz '2026-05-01 00:00:00+00', "
                                            "'infinity'::timestamptz, 'snapshots', null, 1 from range({2}) t(i);"
                                            "insert into main.{0} select {1} timestamptz '2026-04-01 00:00:00+00', timestamptz '2026-05-01 "
                                            "00:00:00+00', 'snapshots', null, 0 from range({3}) t(i)",
                                            table->name, values, each, each / 2)));
      rows += each + each / 2;
    }
  facts.changed();
  return rows;
}

template <class Work>
double seconds(const Work& work) {
  double best = 1e9;
  for (int i = 0; i < 3; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t resources = argc > 1 ? std::atoll(argv[1]) : 100'000;
  const auto& files = shipped_catalog();
  Problems problems;
  const auto tables = facts::read_fact_catalog(files, problems);
  controls::ControlCatalog catalog;
  const auto reading = seconds([&] { catalog = controls::read_control_catalog(files, tables, problems); });

  auto facts = must(facts::Facts::in_memory(tables, 2));
  const auto rows = fill(facts, resources);

  std::vector<controls::ControlVerdict> verdicts;
  const auto deciding = seconds([&] { verdicts = controls::evaluate_all(catalog, facts, now); });
  std::int64_t members = 0, undecided = 0;
  for (const auto& verdict : verdicts) {
    members += verdict.population;
    if (verdict.population == 1 && verdict.unknown == 1 && verdict.members[0].key.empty()) {
      ++undecided;
      fmt::print(stderr, "{}: {}\n", verdict.control, verdict.members[0].reason);
    }
  }
  const auto ratio = deciding / 2.0;
  fmt::print(
      "decide: {} controls, {} resources, {} rows, {} members ({} controls could not read the made-up facts): {:.3f} s, {:.2f} of the 2 s "
      "allowed\n",
      verdicts.size(), resources, rows, members, undecided, deciding, ratio);
  if (std::getenv("BENCH_EACH"))
    for (const auto& control : catalog.controls) {
      std::int64_t population = 0;
      const auto one =
          seconds([&] { population = controls::evaluate(control, facts, now).value_or(controls::ControlVerdict{}).population; });
      fmt::print("  {:40} {:8.1f} ms {:8} members\n", control.id, one * 1e3, population);
    }

  const auto digest = controls::digest_of(files);
  const auto storing = seconds([&] {
    must(facts.store().execute("drop table if exists vouch.verdict_state"));
    must(controls::store_verdicts(catalog, digest, facts, {}, {}, now));
  });
  const auto kept = seconds([&] { must(controls::store_verdicts(catalog, digest, facts, {}, {}, now)); });
  const auto showing = seconds([&] { must(controls::read_stored(facts.store(), digest, now)); });
  fmt::print("store: all {:.3f} s, nothing changed {:.3f} s; read for status {:.2f} ms; read and check the catalogue {:.3f} s\n", storing,
             kept, showing * 1e3, reading);

  // What `vouch status` does on a home of 600 resources, apart from starting and printing.
  const TemporaryDirectory home;
  {
    auto small = must(facts::Facts::create(home.path(), tables));
    fill(small, 600);
    must(controls::store_verdicts(catalog, digest, small, {}, {}, now));
  }
  const auto status = seconds([&] {
    auto store = must(table::Store::open(home.path() / "facts.duckdb", table::Mode::reading));
    must(controls::read_stored(store, controls::digest_of(files), now));
  });
  fmt::print("status: open, compare the catalogue, read what is stored: {:.1f} ms, {:.2f} of the 50 ms allowed\n", status * 1e3,
             status / 0.050);
  bench::events();
  return ratio <= 1.0 ? 0 : 1;
}
