#include "cli/home.h"

#include "ledger/read.h"

#include <gtest/gtest.h>

namespace vouch::cli {
namespace {

TEST(Home, a_new_one_is_whole_and_its_keys_are_its_owners_alone) {
  const TemporaryDirectory folder;
  const auto home = create_home(folder.path() / "home", "vouch.example/test");
  ASSERT_TRUE(home) << home.error().message;
  for (const auto* key : {"ledger.key", "secrets.key"})
    EXPECT_EQ(fs::status(home->path / "keys" / key).permissions(), fs::perms{0600}) << key;
  const auto settings = home->settings();
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->schedule, Duration::days(1));
  ASSERT_EQ(settings->sources.size(), 1u);
  EXPECT_TRUE(settings->sources[0].on);
  EXPECT_EQ(Reader::open(home->path).value().checkpoint().origin, "vouch.example/test");
}

TEST(Home, is_made_in_an_empty_folder_and_in_no_other) {
  const TemporaryDirectory folder;
  ASSERT_TRUE(create_home(folder.path(), ""));
  EXPECT_EQ(create_home(folder.path(), "").error().code, Errc::usage);
  const TemporaryDirectory with_catalogue;
  ASSERT_TRUE(make_directory(with_catalogue.path() / "catalog" / "scope"));
  EXPECT_TRUE(create_home(with_catalogue.path(), ""));
  const TemporaryDirectory other;
  ASSERT_TRUE(write_file(other.path() / "thesis.txt", "mine"));
  EXPECT_EQ(create_home(other.path(), "").error().code, Errc::usage);
  EXPECT_EQ(std::distance(fs::directory_iterator{other.path()}, {}), 1);
}

TEST(Home, a_source_keeps_its_own_schedule_or_the_homes) {
  const TemporaryDirectory folder;
  ASSERT_TRUE(write_file(folder.path() / "vouch.yaml", "schedule: 12h\nsources:\n  aws: {}\n  github: {every: 1h}\n"));
  const auto settings = Home{folder.path()}.settings();
  ASSERT_TRUE(settings) << settings.error().message;
  ASSERT_EQ(settings->sources.size(), 2u);
  EXPECT_EQ(settings->sources[0].every, Duration::hours(12));
  EXPECT_EQ(settings->sources[1].every, Duration::hours(1));
}

TEST(Home, settings_complain_with_file_and_line) {
  const TemporaryDirectory folder;
  const Home home{folder.path()};
  const struct {
    const char* yaml;
    const char* complaint;
  } cases[] = {
      {"schedule: soon\n", "vouch.yaml:1: a schedule is"},
      {"sources:\n  aws:\n    every: 9s\n", "vouch.yaml:3: a schedule is"},
      {"sources:\n  aws:\n    on: perhaps\n", "vouch.yaml:3: `perhaps` is neither true nor false"},
      {"sources:\n  aws: true\n", "vouch.yaml:2: what is said of `aws` is a map"},
      {"sources: [\n", "vouch.yaml:2"},
  };
  for (const auto& c : cases) {
    ASSERT_TRUE(write_file(folder.path() / "vouch.yaml", c.yaml));
    const auto settings = home.settings();
    ASSERT_FALSE(settings) << c.yaml;
    EXPECT_EQ(settings.error().code, Errc::config);
    EXPECT_NE(settings.error().message.find(c.complaint), std::string::npos) << settings.error().message;
  }
}

}  // namespace
}  // namespace vouch::cli
