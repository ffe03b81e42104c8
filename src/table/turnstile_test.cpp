#include "table/turnstile.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <thread>

namespace vouch::table {
namespace {

TEST(Turnstile, lets_many_readers_in_and_one_writer) {
  const TemporaryDirectory home;
  const auto file = home.path() / "facts.duckdb";
  {
    const auto first = Turnstile::pass(file, Mode::reading, {});
    const auto second = Turnstile::pass(file, Mode::reading, {});
    ASSERT_TRUE(first && second);
    const auto writer = Turnstile::pass(file, Mode::writing, {}, Duration::seconds(0));
    ASSERT_FALSE(writer);
    EXPECT_EQ(writer.error().code, Errc::busy);
    EXPECT_NE(writer.error().message.find(fmt::format("process {} (reading)", ::getpid())), std::string::npos) << writer.error().message;
  }
  const auto writer = Turnstile::pass(file, Mode::writing, {}, Duration::seconds(0));
  ASSERT_TRUE(writer);
  EXPECT_EQ(Turnstile::pass(file, Mode::reading, {}, Duration::seconds(0)).error().code, Errc::busy);
  EXPECT_EQ(Turnstile::pass(file, Mode::writing, {}, Duration::seconds(0)).error().code, Errc::busy);
}

TEST(Turnstile, tells_once_who_is_in_the_way) {
  const TemporaryDirectory home;
  const auto file = home.path() / "facts.duckdb";
  const auto writer = Turnstile::pass(file, Mode::writing, {});
  ASSERT_TRUE(writer);
  std::vector<std::string> told;
  const auto reader = Turnstile::pass(file, Mode::reading, [&](std::string_view who) { told.emplace_back(who); }, Duration::seconds(3));
  EXPECT_FALSE(reader);
  EXPECT_EQ(told, std::vector<std::string>{fmt::format("process {} (writing)", ::getpid())});
}

// Four processes read in a loop and one writes again and again; each write adds a row to two tables, so a reader that saw half
// a write would find them different.
TEST(Turnstile, keeps_readers_in_a_loop_and_a_writer_from_failing_each_other) {
  const TemporaryDirectory home;
  const auto file = home.path() / "facts.duckdb";
  constexpr int writes = 25;
  const auto write = [&](int n) -> Result<> {
    auto store = TRY(Store::open(file, Mode::writing));
    return store.transaction([&]() -> Result<> {
      if (n == 0) TRY(store.execute("create table a (n bigint); create table b (n bigint)"));
      TRY(store.execute("insert into a values (?)", {std::int64_t{n}}));
      return store.execute("insert into b values (?)", {std::int64_t{n}});
    });
  };
  ASSERT_TRUE(write(0));
  const auto read_until_done = [&]() -> Result<> {
    for (;;) {
      auto store = TRY(Store::open(file, Mode::reading));
      const auto rows = TRY(store.select("select (select count(*) from a), (select count(*) from b)"));
      const auto a = std::get<std::int64_t>(rows.rows[0][0]), b = std::get<std::int64_t>(rows.rows[0][1]);
      if (a != b) return fail(Errc::corrupt, "{} rows in one table, {} in the other", a, b);
      if (a == writes) return {};
    }
  };
  std::vector<pid_t> readers;
  for (int i = 0; i < 4; ++i) {
    const auto child = ::fork();
    if (child == 0) {
      const auto read = read_until_done();
      if (!read) fmt::print(stderr, "{}\n", read.error().message);
      ::_exit(read ? 0 : 1);
    }
    readers.push_back(child);
  }
  for (int n = 1; n < writes; ++n) {
    const auto written = write(n);
    EXPECT_TRUE(written) << written.error().message;
  }
  for (const auto reader : readers) {
    int status = 1;
    ASSERT_EQ(::waitpid(reader, &status, 0), reader);
    EXPECT_EQ(status, 0);
  }
}

}  // namespace
}  // namespace vouch::table
