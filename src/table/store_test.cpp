#include "table/store.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <thread>

namespace vouch::table {
namespace {

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return *std::move(result);
}
void must(Result<> result) {
  if (!result) throw std::runtime_error(result.error().message);
}

Value one(Store& store, std::string_view sql, std::vector<Value> values = {}) {
  return must(store.query(sql, std::move(values))).rows.at(0).at(0);
}

TEST(Store, keeps_what_was_written_in_a_file_and_reads_it_again) {
  const TemporaryDirectory home;
  const auto file = home.path() / "facts.duckdb";
  {
    auto store = must(Store::open(file, Mode::writing));
    must(store.execute("create table bucket (name text, made timestamptz)"));
    must(store.execute("insert into bucket values (?, ?)", {std::string{"a"}, Instant{1'700'000'000'000'001}}));
  }
  auto store = must(Store::open(file, Mode::reading));
  const auto rows = must(store.query("select * from facts.main.bucket"));
  EXPECT_EQ(rows.columns, (std::vector<std::string>{"name", "made"}));
  EXPECT_EQ(rows.rows.at(0), (std::vector<Value>{std::string{"a"}, Instant{1'700'000'000'000'001}}));
  EXPECT_FALSE(store.execute("insert into bucket values ('b', now())"));
}

TEST(Store, calls_its_database_facts_whatever_the_file_is_called) {
  const TemporaryDirectory home;
  auto store = must(Store::open(home.path() / "it's odd.db", Mode::writing));
  EXPECT_EQ(one(store, "select current_database()"), Value{std::string{"facts"}});
}

TEST(Store, says_that_a_file_to_read_is_not_there) {
  const TemporaryDirectory home;
  const auto store = Store::open(home.path() / "facts.duckdb", Mode::reading);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Errc::not_found);
  EXPECT_FALSE(fs::exists(home.path() / "facts.duckdb"));
}

TEST(Store, refuses_a_file_that_is_no_database) {
  const TemporaryDirectory home;
  must(write_file(home.path() / "facts.duckdb", std::string(20000, 'x')));
  EXPECT_FALSE(Store::open(home.path() / "facts.duckdb", Mode::reading));
}

TEST(Store, hands_rows_over_one_after_another_while_others_are_appended) {
  auto store = must(Store::in_memory());
  must(store.execute("create table copy (n bigint)"));
  auto copy = must(store.appender("copy"));
  std::int64_t sum = 0;
  must(store.each("select range from range(?)", {std::int64_t{500'000}}, [&](const std::vector<Value>& row) -> Result<> {
    sum += std::get<std::int64_t>(row.at(0));
    return copy.add(row.at(0)).end_row();
  }));
  must(copy.flush());
  EXPECT_EQ(sum, 500'000LL * 499'999 / 2);
  EXPECT_EQ(one(store, "select count(*) from copy"), Value{std::int64_t{500'000}});
}

TEST(Store, does_not_take_rows_that_broke_off_for_all_of_them) {
  auto store = must(Store::in_memory());
  std::size_t rows = 0;
  const auto count = [&](const std::vector<Value>&) -> Result<> {
    ++rows;
    return {};
  };
  const auto broken = store.each("select case when range = 400000 then error('no further') else range end from range(500000)", {}, count);
  EXPECT_FALSE(broken);
  EXPECT_FALSE(store.each("select 1", {}, [](const auto&) -> Result<> { return fail(Errc::io, "a full disk"); }));
}

TEST(Store, of_a_writer_puts_aside_what_memory_cannot_hold_and_takes_it_away_again) {
  const TemporaryDirectory home;
  const auto file = home.path() / "facts.duckdb";
  {
    auto store = must(Store::open(file, Mode::writing, {.memory = "48MiB", .threads = 1}));
    EXPECT_EQ(
        one(store, "select count(*) from (select md5(range::varchar) as m, range from range(2000000) order by m limit 1500000 offset 1)"),
        Value{std::int64_t{1'500'000}});
  }
  EXPECT_FALSE(fs::exists(home.path() / "facts.duckdb.tmp"));
}

TEST(Store, reads_every_type_that_sql_gives) {
  auto store = must(Store::in_memory());
  const std::pair<const char*, Value> cases[] = {
      {"null", std::monostate{}},
      {"true", true},
      {"7::tinyint", std::int64_t{7}},
      {"-7::smallint", std::int64_t{-7}},
      {"7::uinteger", std::int64_t{7}},
      {"sum(x) from (select 5::bigint x)", std::int64_t{5}},
      {"18446744073709551615::ubigint", 18446744073709551615.0},
      {"1.25", 1.25},
      {"-0.5::decimal(20,2)", -0.5},
      {"0.5::float", 0.5},
      {"'text'", std::string{"text"}},
      {"timestamptz '2026-03-01 09:00:00.000001+01'", must(parse_instant("2026-03-01T08:00:00.000001Z"))},
      {"timestamp '2026-03-01 09:00:00'", must(parse_instant("2026-03-01T09:00:00Z"))},
      {"'infinity'::timestamptz", Instant::infinity()},
      {"date '2026-03-01'", std::string{"2026-03-01"}},
      {"time '09:00:01.5'", std::string{"09:00:01.500000"}},
      {"'a1b2c3d4-0000-4000-8000-0123456789ab'::uuid", std::string{"a1b2c3d4-0000-4000-8000-0123456789ab"}},
      {"'\\xAA'::blob", std::string{"aa"}},
      {"'b'::enum('a', 'b')", std::string{"b"}},
      {"['a', null]", std::string{R"(["a",null])"}},
      {"{'b': 1, 'a': [{'c': true}]}", std::string{R"({"a":[{"c":true}],"b":1})"}},
      {"map {'k': 1}", std::string{R"([{"key":"k","value":1}])"}},
      {"array_value(1, 2)", std::string{"[1,2]"}},
  };
  for (const auto& [sql, expected] : cases) EXPECT_EQ(one(store, fmt::format("select {}", sql)), expected) << sql;
}

TEST(Store, prints_values_as_people_and_programs_read_them) {
  EXPECT_EQ(to_text(Value{}), "");
  EXPECT_EQ(to_text(Value{true}), "true");
  EXPECT_EQ(to_text(Value{must(parse_instant("2026-03-01"))}), "2026-03-01T00:00:00Z");
  EXPECT_EQ(to_json(Value{Instant::infinity()}), Json(nullptr));
  EXPECT_EQ(to_json(Value{std::numeric_limits<double>::infinity()}), Json("Infinity"));
}

RC_GTEST_PROP(Store, gives_back_any_text_that_is_bound, ()) {
  static auto store = must(Store::in_memory());
  const auto letters =
      *rc::gen::container<std::string>(rc::gen::oneOf(rc::gen::inRange<char>(1, 127), rc::gen::elementOf(std::string{"'\"\\;-"})));
  RC_ASSERT(one(store, "select ?::varchar", {letters}) == Value{letters});
}

TEST(Store, refuses_too_few_or_too_many_values) {
  auto store = must(Store::in_memory());
  EXPECT_EQ(store.query("select ?", {}).error().code, Errc::usage);
  EXPECT_EQ(store.query("select 1", {std::int64_t{1}}).error().code, Errc::usage);
}

TEST(Store, takes_back_a_transaction_that_failed) {
  auto store = must(Store::in_memory());
  must(store.execute("create table t (a bigint)"));
  const auto failed = store.transaction([&]() -> Result<> {
    TRY(store.execute("insert into t values (1)"));
    auto rows = TRY(store.appender("t"));
    TRY(rows.add(std::int64_t{2}).end_row());
    TRY(rows.flush());
    return fail(Errc::io, "no");
  });
  EXPECT_EQ(failed.error().message, "no");
  EXPECT_EQ(one(store, "select count(*) from t"), Value{std::int64_t{0}});
}

TEST(Store, appends_rows_over_many_chunks) {
  auto store = must(Store::in_memory());
  must(store.execute("create schema s; create table s.t (n bigint, x double, b boolean, made timestamptz, j json, note text)"));
  auto rows = must(store.appender("s.t"));
  for (std::int64_t i = 0; i < 5000; ++i) {
    rows.add(i).add(static_cast<double>(i) / 2).add(i % 2 == 0).add(Instant{i}).add_text("{}");
    i % 3 == 0 ? rows.add(Value{}) : rows.add(std::string(static_cast<std::size_t>(i % 40), 'x'));
    must(rows.end_row());
  }
  must(rows.flush());
  EXPECT_EQ(one(store, "select count(*) from s.t"), Value{std::int64_t{5000}});
  EXPECT_EQ(one(store, "select sum(n) from s.t where note is null and b"),
            one(store, "select sum(n) from range(5000) r(n) where n % 6 = 0"));
  EXPECT_EQ(one(store, "select max(length(note)) from s.t"), Value{std::int64_t{39}});
}

TEST(Store, refuses_an_appended_row_of_another_shape) {
  auto store = must(Store::in_memory());
  must(store.execute("create table t (n bigint, x text)"));
  auto rows = must(store.appender("t"));
  EXPECT_FALSE(rows.add(std::int64_t{1}).end_row());
  EXPECT_FALSE(rows.add_text("a").add_text("b").end_row());
  EXPECT_FALSE(rows.add(std::int64_t{1}).add_text("b").add_text("c").end_row());
  EXPECT_FALSE(store.appender("nosuch"));
}

TEST(Select, runs_what_only_reads_tables) {
  auto store = must(Store::in_memory());
  must(store.execute("create table t (a bigint); insert into t values (1), (2)"));
  for (const auto* sql : {
           "select a from t",
           "from t",
           "with u as (select * from t) select count(*) from u join t using (a)",
           "select * from range(3)",
           "select unnest([1, 2])",
           "select json_extract('{\"a\": 1}', '$.a')",
           "values (1)",
           "select * from t where a = 5",
           "describe t",
           "select column_name from duckdb_columns()",
           "select table_name from information_schema.tables;",
           "select 'read_csv(''/etc/passwd'')' as word",
       })
    EXPECT_TRUE(store.select(sql)) << sql;
  EXPECT_EQ(must(store.select("select a from t where a > ?", {std::int64_t{1}})).rows.size(), 1u);
}

TEST(Select, refuses_everything_that_reaches_further) {
  const TemporaryDirectory home;
  const auto file = home.path() / "facts.duckdb";
  auto store = must(Store::open(file, Mode::writing));
  must(store.execute("create table t (a bigint); insert into t values (1)"));
  for (const auto* sql : {
           "",
           ";",
           "select 1; select 2",
           "delete from t",
           "insert into t values (2)",
           "update t set a = 3",
           "create table u (a int)",
           "create or replace view v as select 1",
           "drop table t",
           "alter table t add column b int",
           "begin",
           "explain select 1",
           "explain analyze select 1",
           "copy t to '/tmp/vouch-copy.csv'",
           "copy t from '/etc/passwd'",
           "copy (select 1) to '/tmp/vouch-copy.csv'",
           "export database '/tmp/vouch-export'",
           "attach '/tmp/vouch-other.duckdb'",
           "detach facts",
           "load httpfs",
           "install httpfs",
           "set threads = 1",
           "reset threads",
           "pragma database_list",
           "pragma threads = 1",
           "call checkpoint()",
           "checkpoint",
           "vacuum",
           "use memory",
           "select * from checkpoint()",
           "select * from force_checkpoint()",
           "select * from '/etc/passwd'",
           "select * from \"/etc/passwd\"",
           "select * from 'https://example.com/x.csv'",
           "select * from read_csv('/etc/passwd')",
           "select * from READ_CSV('/etc/passwd')",
           "select * from main.read_text('/etc/passwd')",
           "select * from read_blob('/etc/passwd')",
           "select * from read_json('/etc/passwd')",
           "select * from read_parquet('/etc/passwd')",
           "select * from parquet_scan('/etc/passwd')",
           "select * from sniff_csv('/etc/passwd')",
           "select * from glob('/etc/*')",
           "select (select count(*) from read_text('/etc/passwd'))",
           "with x as (select * from read_text('/etc/passwd')) select 1 from x",
           "select 1 where exists (select * from glob('/*'))",
           "select * from query('select 1')",
           "select * from query_table('t')",
           "select * from json_execute_serialized_sql('{}')",
           "select * from duckdb_secrets()",
           "select * from duckdb_settings()",
           "select * from duckdb_databases()",
           "select * from pg_catalog.pg_settings",
           "select * from duckdb_databases",
           "select current_setting('temp_directory')",
           "select getenv('HOME')",
           "select nextval('s')",
       }) {
    const auto refused = store.select(sql);
    ASSERT_FALSE(refused) << sql;
    EXPECT_TRUE(refused.error().code == Errc::usage) << sql << ": " << refused.error().message;
  }
  EXPECT_EQ(store.select("selec 1").error().code, Errc::malformed);
  EXPECT_EQ(store.select("select nothing from t").error().code, Errc::malformed);
  EXPECT_EQ(store.select("select * from nowhere").error().code, Errc::malformed);
  EXPECT_EQ(one(store, "select sum(a) from t"), Value{std::int64_t{1}});
}

TEST(Select, is_ended_when_it_takes_too_long) {
  auto store = must(Store::in_memory({.time = Duration::seconds(1)}));
  const auto slow = store.select("select count(*) from range(100000000) a, range(100000000) b where a.range * b.range % 7 = 3");
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().code, Errc::limit);
  EXPECT_EQ(one(store, "select 1"), Value{std::int64_t{1}});
}

TEST(Select, is_ended_when_it_takes_too_much_memory) {
  auto store = must(Store::in_memory({.memory = "64MiB"}));
  const auto big = store.select("select list(a.range::varchar || repeat('x', 1000)) from range(10000000) a");
  ASSERT_FALSE(big);
  EXPECT_EQ(big.error().code, Errc::limit);
}

TEST(TablesOf, names_tables_and_no_common_table_expressions) {
  auto store = must(Store::in_memory());
  const std::pair<const char*, std::vector<std::string>> cases[] = {
      {"select 1", {}},
      {"select * from b join a using (x)", {"a", "b"}},
      {"select * from A, \"a\"", {"a"}},
      {"with t as (select * from base) select * from t", {"base"}},
      {"with t as (select * from t) select * from t", {"t"}},
      {"with t as (select 1), u as (select * from t join v on true) select * from u", {"v"}},
      {"select * from (with t as (select 1) select * from t) x, t", {"t"}},
      {"with recursive r as (select 1 as n union all select n + 1 from r join lim on n < lim.n) select * from r", {"lim"}},
      {"select * from a where exists (select 1 from b where b.x in (select x from c)) union select * from d", {"a", "b", "c", "d"}},
      {"select (select max(x) from a), lateral_one.* from b, lateral (select * from c where c.x = b.x) lateral_one", {"a", "b", "c"}},
      {"select * from range(3)", {}},
      {"select * from facts.main.a, vouch.run", {"facts.main.a", "vouch.run"}},
      {"with a as (select 1) select * from main.a", {"main.a"}},
  };
  for (const auto& [sql, tables] : cases) EXPECT_EQ(must(store.tables_of(sql)), tables) << sql;
  EXPECT_EQ(store.tables_of("selec").error().code, Errc::malformed);
  EXPECT_FALSE(store.tables_of("delete from t"));
}

TEST(Export, is_a_whole_database_that_any_client_opens) {
  const TemporaryDirectory home;
  const auto file = home.path() / "facts.duckdb", copy = home.path() / "copy.duckdb";
  {
    auto store = must(Store::open(file, Mode::writing));
    must(
        store.execute("create schema vouch; create table vouch.run (n bigint); insert into vouch.run values (1); create table t (a text); "
                      "insert into t values ('x'); create view seen as select a from t"));
  }
  auto store = must(Store::open(file, Mode::reading));
  must(store.export_to(copy));
  EXPECT_EQ(store.export_to(copy).error().code, Errc::usage);
  auto again = must(Store::open(copy, Mode::reading));
  EXPECT_EQ(one(again, "select a from seen, vouch.run"), Value{std::string{"x"}});
}

TEST(Replace, puts_a_new_database_in_the_place_of_the_old) {
  const TemporaryDirectory home;
  const auto file = home.path() / "facts.duckdb", built = home.path() / "built.duckdb";
  for (const auto& [path, n] : {std::pair{file, 1}, {built, 2}}) {
    auto store = must(Store::open(path, Mode::writing));
    must(store.execute(fmt::format("create table t as select {} as n", n)));
  }
  must(Store::replace(file, built));
  auto store = must(Store::open(file, Mode::reading));
  EXPECT_EQ(one(store, "select n from t"), Value{std::int64_t{2}});
}

}  // namespace
}  // namespace vouch::table
