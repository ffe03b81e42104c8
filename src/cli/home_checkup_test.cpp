#include "cli/home_checkup.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace vouch::cli {
namespace {

constexpr Instant start{1'772'355'600'000'000};

class Checkup : public testing::Test {
 protected:
  void file(const std::string& name, std::size_t bytes, Instant modified) {
    const auto path = folder_.path() / name;
    ASSERT_TRUE(make_directory(path.parent_path()));
    ASSERT_TRUE(write_file(path, std::string(bytes, 'x')));
    const timespec at{.tv_sec = modified.micros / 1'000'000, .tv_nsec = 0};
    const timespec both[]{at, at};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), both, 0), 0);
  }
  TemporaryDirectory folder_;
};

TEST_F(Checkup, growth_is_what_came_after_the_first_day) {
  file("blobs/0.pack", 1'000'000, start + Duration::hours(1));
  file("blobs/1.pack", 3'000, start + Duration::days(2));
  file("ledger/tile/0", 1'000, start + Duration::days(4));
  file("facts.duckdb", 500'000, start + Duration::days(4));
  file("vouch.yaml", 100, start);
  const auto seen = footprint_of(folder_.path(), start, start + Duration::days(5));
  ASSERT_TRUE(seen) << seen.error().message;
  EXPECT_EQ(seen->evidence, 1'004'000u);
  EXPECT_EQ(seen->derived, 500'000u);
  EXPECT_DOUBLE_EQ(seen->daily.value(), 1'000);
}

TEST_F(Checkup, growth_is_not_guessed_from_one_collection) {
  file("blobs/0.pack", 1'000'000, start);
  EXPECT_EQ(footprint_of(folder_.path(), start, start + Duration::hours(30))->daily, std::nullopt);
  EXPECT_EQ(footprint_of(folder_.path(), std::nullopt, start + Duration::days(30))->daily, std::nullopt);
}

TEST_F(Checkup, a_key_that_others_can_read_or_that_is_gone_is_bad) {
  const auto home = create_home(folder_.path() / "home", "example.org/vouch").value();
  const auto bad = [&] {
    std::string all;
    const auto findings = check_home(home, start).value();
    for (const auto& finding : findings)
      if (finding.health == Health::bad) all += finding.says + "\n";
    return all;
  };
  EXPECT_EQ(bad(), "");
  ASSERT_EQ(::chmod((home.path / "keys" / "ledger.key").c_str(), 0640), 0);
  EXPECT_NE(bad().find("ledger.key can be read by others (mode 0640)"), std::string::npos) << bad();
  ASSERT_TRUE(fs::remove(home.path / "keys" / "secrets.key"));
  EXPECT_NE(bad().find("secrets.key: No such file"), std::string::npos) << bad();
}

}  // namespace
}  // namespace vouch::cli
