#include "ledger/append.h"

#include "ledger/create.h"
#include "ledger/journal.h"
#include "ledger/read.h"

#include <gtest/gtest.h>
#include <thread>

namespace vouch {
namespace {

std::vector<std::string> entries_of(std::size_t from, std::size_t count, std::size_t bytes = 0) {
  std::vector<std::string> entries;
  for (std::size_t i = from; i < from + count; ++i) {
    entries.push_back(fmt::format("vouch-{}", i));
    if (entries.back().size() < bytes) entries.back().resize(bytes, '.');
  }
  return entries;
}

class Home {
 public:
  Home() { EXPECT_TRUE(create_log(path(), "vouch.example/ledger")); }
  [[nodiscard]] fs::path path() const { return directory_.path() / "home"; }

 private:
  TemporaryDirectory directory_;
};

// All files under a folder, relative to it.
std::set<std::string> files_under(const fs::path& folder) {
  std::set<std::string> files;
  for (const auto& file : fs::recursive_directory_iterator{folder})
    if (file.is_regular_file()) files.insert(fs::relative(file.path(), folder).string());
  return files;
}

// Every entry, every hash, every proof to the root: slow and simple.
void expect_log(const fs::path& home, std::size_t count, std::size_t bytes = 0) {
  const auto reader = Reader::open(home);
  ASSERT_TRUE(reader) << reader.error().message;
  ASSERT_EQ(reader->checkpoint().size.value, count);
  const auto entries = entries_of(0, count, bytes);
  RightEdge edge;
  const auto walked = reader->for_each({0}, {count}, [&](LeafIndex at, std::string_view entry) -> Result<> {
    EXPECT_EQ(entry, entries[at.value]);
    edge.add(leaf_hash(entry));
    return {};
  });
  ASSERT_TRUE(walked) << walked.error().message;
  EXPECT_EQ(edge.root(), reader->checkpoint().root);
}

TEST(Append, CommitsUnderASignedCheckpointThatAReaderSees) {
  const Home home;
  auto log = Appender::open(home.path());
  ASSERT_TRUE(log) << log.error().message;
  const auto first = log->append(entries_of(0, 2));
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->first.value, 0u);
  EXPECT_EQ(first->checkpoint.size.value, 2u);
  expect_log(home.path(), 2);
  const auto second = log->append(entries_of(2, 1));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->first.value, 2u);
  EXPECT_EQ(to_hex(second->checkpoint.root), "9f5fa6a22b1ba9ee46a6dbe10748452494d2ffd03be41236ffa2b577c2c19af3");
  expect_log(home.path(), 3);
}

TEST(Append, LeavesTheFilesOfTheFormatAndNoOthers) {
  const Home home;
  {
    auto log = Appender::open(home.path());
    for (std::size_t i = 0; i < 520; ++i) ASSERT_TRUE(log->append(entries_of(i, 1)));
    const auto closed = log->close();
    ASSERT_TRUE(closed) << closed.error().message;
  }
  EXPECT_EQ(files_under(home.path()),
            (std::set<std::string>{"keys/ledger.key", "keys/ledger.vkey", "ledger.lock", "ledger/checkpoint", "ledger/tile/0/000",
                                   "ledger/tile/0/001", "ledger/tile/0/002.p/8", "ledger/tile/1/000.p/2", "ledger/tile/entries/000",
                                   "ledger/tile/entries/001", "ledger/tile/entries/002.p/8"}));
  expect_log(home.path(), 520);
}

TEST(Append, GoesOnWhereTheLastProcessEnded) {
  const Home home;
  std::size_t count = 0;
  for (const std::size_t n : {1u, 254u, 1u, 1u, 300u, 512u, 65'000u, 1000u}) {
    auto log = Appender::open(home.path());
    ASSERT_TRUE(log) << log.error().message;
    ASSERT_TRUE(log->append(entries_of(count, n)));
    count += n;
  }
  expect_log(home.path(), count);
}

TEST(Append, ServesEverySizeThatWasEverPublished) {
  const Home home;
  std::vector<Checkpoint> published;
  {
    auto log = Appender::open(home.path());
    for (std::size_t i = 0; i < 600; i += 7) published.push_back(log->append(entries_of(i, 7)).value().checkpoint);
  }
  const auto reader = Reader::open(home.path()).value();
  const auto& now = reader.checkpoint();
  for (const auto& then : published) {
    EXPECT_EQ(reader.root_at(then.size).value(), then.root);
    const auto proof = reader.consistency_proof(then.size, now.size);
    ASSERT_TRUE(proof) << proof.error().message;
    EXPECT_TRUE(verify_consistency(then.size, now.size, *proof, then.root, now.root));
    const LeafIndex last{then.size.value - 1};
    EXPECT_TRUE(verify_inclusion(reader.leaf(last).value(), last, then.size, reader.inclusion_proof(last, then.size).value(), then.root));
  }
}

TEST(Append, RefusesAnEntryBeyondTheFormatAndNamesItsSize) {
  const Home home;
  auto log = Appender::open(home.path());
  const auto refused = log->append(std::vector<std::string>{"small", std::string(65'536, 'x')});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::limit);
  EXPECT_NE(refused.error().message.find("65536"), std::string::npos);
  EXPECT_EQ(log->size().value, 0u);
  ASSERT_TRUE(log->append(std::vector<std::string>{std::string(65'535, 'x'), ""}));
  EXPECT_EQ(Reader::open(home.path())->entry({0}).value().size(), 65'535u);
  EXPECT_EQ(Reader::open(home.path())->entry({1}).value(), "");
}

TEST(Append, RefusesASecondWriterAndNamesTheFirst) {
  const Home home;
  const auto first = Appender::open(home.path());
  const auto second = Appender::open(home.path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::busy);
  EXPECT_NE(second.error().message.find(fmt::format("process {}", ::getpid())), std::string::npos);
}

TEST(Append, SharesCommitsAmongThreadsAndKeepsEachCallersEntriesTogether) {
  const Home home;
  constexpr std::size_t threads = 8, rounds = 40, each = 3;
  {
    auto log = Appender::open(home.path());
    std::vector<std::thread> writers;
    for (std::size_t t = 0; t < threads; ++t)
      writers.emplace_back([&, t] {
        for (std::size_t r = 0; r < rounds; ++r) {
          std::vector<std::string> entries;
          for (std::size_t i = 0; i < each; ++i) entries.push_back(fmt::format("{} {} {}", t, r, i));
          const auto committed = t % 2 == 0 ? log->append(entries) : log->commit(entries);
          ASSERT_TRUE(committed) << committed.error().message;
          if (t % 2 == 0) {
            const auto reader = Reader::open(home.path());
            ASSERT_TRUE(reader) << reader.error().message;
            for (std::size_t i = 0; i < each; ++i) EXPECT_EQ(reader->entry({committed->first.value + i}).value(), entries[i]);
          }
        }
      });
    for (auto& writer : writers) writer.join();
  }
  const auto reader = Reader::open(home.path()).value();
  std::set<std::string> seen;
  ASSERT_TRUE(reader.for_each({0}, reader.checkpoint().size, [&](LeafIndex, std::string_view entry) -> Result<> {
    seen.emplace(entry);
    return {};
  }));
  EXPECT_EQ(seen.size(), threads * rounds * each);
}

TEST(Append, TurnsTheJournalOverAndCanStillReplayIt) {
  const Home home;
  auto log = Appender::open(home.path());
  // Entries large enough for several epochs, small enough for each to hold many records.
  constexpr std::size_t bytes = 30'000, count = 90;
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_TRUE(log->append(entries_of(i, 1, bytes)));
    if (i % 20 != 0) continue;
    const auto journal = read_journal(home.path(), log_key(home.path()).value());
    ASSERT_TRUE(journal) << journal.error().message;
    ASSERT_TRUE(*journal);
    ASSERT_FALSE((*journal)->commits.empty());
    EXPECT_EQ((*journal)->commits.back().checkpoint.size.value, i + 1);
  }
  ASSERT_TRUE(log->close());
  expect_log(home.path(), count, bytes);
}

TEST(Create, NeverBeginsALogTwice) {
  const Home home;
  EXPECT_EQ(create_log(home.path(), "vouch.example/other").error().code, Errc::usage);
  expect_log(home.path(), 0);
  EXPECT_EQ(fs::status(home.path() / "keys/ledger.key").permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(Appender::open(home.path() / "nowhere").error().code, Errc::not_found);
  EXPECT_EQ(Reader::open(home.path() / "nowhere").error().code, Errc::not_found);
}

}  // namespace
}  // namespace vouch
