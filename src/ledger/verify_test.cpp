#include "ledger/verify.h"

#include "ledger/append.h"
#include "ledger/blobs.h"
#include "ledger/create.h"
#include "ledger/pack.h"
#include "ledger/read.h"

#include <gtest/gtest.h>
#include <atomic>
#include <random>
#include <thread>

namespace vouch {
namespace {

std::vector<std::string> entries_of(std::size_t from, std::size_t count) {
  std::vector<std::string> entries;
  for (std::size_t i = from; i < from + count; ++i) entries.push_back(fmt::format("entry {} {}", i, std::string(i % 50, '.')));
  return entries;
}

// A home with leaves that fill tiles, a partial edge on three levels and two packs.
class Home {
 public:
  explicit Home(std::size_t leaves = 66'000) {
    EXPECT_TRUE(create_log(path(), "vouch.example/ledger"));
    EXPECT_TRUE(Appender::open(path())->append(entries_of(0, leaves)));
    for (int run = 0; run < 2; ++run) {
      auto writer = PackWriter::start(path()).value();
      for (int i = 0; i < 40; ++i)
        EXPECT_TRUE(writer.add(fmt::format("body {} of run {} {}", i, run, std::string(static_cast<std::size_t>(i) * 1000, 'x'))));
      EXPECT_TRUE(writer.finish());
    }
  }
  [[nodiscard]] fs::path path() const { return directory_.path() / "home"; }
  [[nodiscard]] std::vector<fs::path> files() const {
    std::vector<fs::path> files;
    for (const auto* folder : {"ledger", "blobs"})
      for (const auto& file : fs::recursive_directory_iterator{path() / folder})
        if (file.is_regular_file()) files.push_back(file.path());
    std::sort(files.begin(), files.end());
    return files;
  }

 private:
  TemporaryDirectory directory_;
};

void flip(const fs::path& file, std::size_t byte, unsigned bit) {
  auto bytes = read_file(file).value();
  bytes[byte] = static_cast<char>(bytes[byte] ^ (1u << bit));
  ASSERT_TRUE(write_file(file, bytes, Sync::no));
}

TEST(Verify, CountsWhatItChecked) {
  const Home home;
  std::uint64_t seen = 0;
  const auto found = verify_home(home.path(), 2, [&](const VerifyProgress& progress) { seen = progress.leaves; });
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->leaves, 66'000u);
  EXPECT_EQ(found->bundles, 258u);
  EXPECT_EQ(found->tiles, 258u + 2 + 1);
  EXPECT_EQ(found->packs, 2u);
  EXPECT_EQ(found->blobs, 80u);
  EXPECT_EQ(found->checkpoint.size.value, 66'000u);
  EXPECT_EQ(seen, 66'000u);
}

TEST(Verify, AcceptsAnEmptyLog) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(create_log(directory.path(), "vouch.example/ledger"));
  const auto found = verify_home(directory.path());
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->leaves, 0u);
}

TEST(Verify, FindsAFlippedBitInEveryFileAndNamesIt) {
  const Home home{700};
  std::mt19937 random{42};
  for (const auto& file : home.files()) {
    const auto good = read_file(file).value();
    for (int i = 0; i < 12; ++i) {
      const auto byte = random() % good.size();
      flip(file, byte, random() % 8);
      const auto found = verify_home(home.path());
      ASSERT_FALSE(found) << file << " byte " << byte;
      EXPECT_TRUE(found.error().code == Errc::corrupt) << found.error().message;
      EXPECT_NE(found.error().message.find(fs::relative(file, home.path()).string()), std::string::npos)
          << file << ": " << found.error().message;
      ASSERT_TRUE(write_file(file, good, Sync::no));
    }
  }
  EXPECT_TRUE(verify_home(home.path()));
}

TEST(Verify, NamesTheOffsetOfTheBrokenEntryAndOfTheBrokenHash) {
  const Home home;
  const auto bundle = home.path() / "ledger/tile/entries/007";
  const auto entries = decode_bundle(read_file(bundle).value(), 256);
  std::size_t offset = 0;
  for (std::size_t i = 0; i < 100; ++i) offset += 2 + entries_of(7 * 256 + i, 1)[0].size();
  flip(bundle, offset + 3, 0);
  EXPECT_EQ(verify_home(home.path()).error().message,
            fmt::format("`ledger/tile/entries/007`: the entry of leaf {} does not have its hash (offset {})", 7 * 256 + 100, offset));
  flip(home.path() / "ledger/tile/0/003", 17 * 32 + 5, 7);
  EXPECT_EQ(verify_home(home.path()).error().message,
            fmt::format("`ledger/tile/0/003`: the hash of leaf {} is not that of its entry (offset {})", 3 * 256 + 17, 17 * 32));
  flip(home.path() / "ledger/tile/0/003", 17 * 32 + 5, 7);
  flip(bundle, offset + 3, 0);
  EXPECT_TRUE(verify_home(home.path()));
  flip(home.path() / "ledger/tile/1/000", 9 * 32, 0);
  EXPECT_EQ(verify_home(home.path()).error().message, "`ledger/tile/1/000`: hash 9 is not the root of the tile below it (offset 288)");
}

TEST(Verify, FindsWhatIsMissingAndWhatDoesNotBelong) {
  const Home home{700};
  for (const auto& file : home.files()) {
    if (file.extension() == ".pack") continue;  // that a pack was removed shows where a leaf names its blobs
    const auto good = read_file(file).value();
    fs::remove(file);
    EXPECT_FALSE(verify_home(home.path())) << file;
    ASSERT_TRUE(write_file(file, good, Sync::no));
  }
  for (const auto* stray : {"ledger/note", "ledger/tile/0/003", "ledger/tile/0/002.p/100", "ledger/tile/entries/002.p/200",
                            "ledger/tile/7/000", "blobs/readme", "blobs/1.pack"}) {
    const auto file = home.path() / stray;
    fs::create_directories(file.parent_path());
    ASSERT_TRUE(write_file(file, std::string(32, 'x'), Sync::no));
    const auto found = verify_home(home.path());
    ASSERT_FALSE(found) << stray;
    EXPECT_NE(found.error().message.find(stray), std::string::npos) << found.error().message;
    fs::remove(file);
  }
  EXPECT_TRUE(verify_home(home.path()));
}

TEST(Verify, AndReadersWorkBesideAWriter) {
  const Home home{300};
  std::atomic<bool> done{false};
  std::jthread writer{[&] {
    auto log = Appender::open(home.path()).value();
    for (std::size_t at = 300; at < 3000; at += 9) ASSERT_TRUE(log.append(entries_of(at, 9)));
    done = true;
  }};
  int looks = 0;
  while (!done) {
    const auto found = verify_home(home.path());
    EXPECT_TRUE(found) << found.error().message;
    const auto reader = Reader::open(home.path());
    ASSERT_TRUE(reader) << reader.error().message;
    const auto size = reader->checkpoint().size;
    EXPECT_EQ(reader->root_at(size).value(), reader->checkpoint().root);
    EXPECT_EQ(reader->entry({size.value - 1}).value(), entries_of(size.value - 1, 1)[0]);
    ++looks;
  }
  writer.join();
  EXPECT_GT(looks, 1);
  EXPECT_EQ(verify_home(home.path()).value().leaves, 3000u);
}

}  // namespace
}  // namespace vouch
