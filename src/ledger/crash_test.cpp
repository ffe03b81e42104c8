// Each write, rename and sync is made to fail once, and the process to die at each; then the ledger is opened, verified and appended to.
#include "ledger/append.h"
#include "ledger/blobs.h"
#include "ledger/create.h"
#include "ledger/faulty_disk.h"
#include "ledger/pack.h"
#include "ledger/read.h"
#include "ledger/verify.h"

#include <gtest/gtest.h>
#include <cstdlib>

namespace vouch {
namespace {

// In memory where there is a file system for that: syncs are only counted here, and there are many trials.
class TrialDirectory {
 public:
  TrialDirectory() {
    auto name = ((fs::is_directory("/dev/shm") ? fs::path{"/dev/shm"} : fs::temp_directory_path()) / "vouch-XXXXXX").string();
    if (!::mkdtemp(name.data())) std::abort();
    path_ = name;
  }
  ~TrialDirectory() { fs::remove_all(path_); }
  TrialDirectory(const TrialDirectory&) = delete;
  TrialDirectory& operator=(const TrialDirectory&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// Sanitizers make each trial slow, and what they look for does not depend on the very call that fails.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t stride = 7;
#else
constexpr std::size_t stride = 1;
#endif

// Crosses the ends of tiles, has more than one epoch of the journal, and leaves partial tiles on two levels.
const std::vector<std::pair<std::size_t, std::size_t>> batches = {{1, 20},   {3, 20},     {250, 20}, {2, 20},     {1, 60'000},
                                                                  {600, 20}, {8, 60'000}, {1, 20},   {9, 60'000}, {1, 20}};

std::vector<std::string> entries_of(std::size_t from, std::size_t count, std::size_t bytes) {
  std::vector<std::string> entries;
  for (std::size_t i = from; i < from + count; ++i) {
    entries.push_back(fmt::format("entry {} ", i));
    entries.back().resize(std::max(bytes, entries.back().size()), 'x');
  }
  return entries;
}

// A home with some leaves from a process that ended well, copied for each trial.
class Original {
 public:
  Original() {
    EXPECT_TRUE(create_log(home_.path() / "home", "vouch.example/ledger"));
    EXPECT_TRUE(Appender::open(home_.path() / "home")->append(entries_of(0, 130, 20)));
  }
  void copy_to(const fs::path& to) const { fs::copy(home_.path() / "home", to, fs::copy_options::recursive); }
  static constexpr std::size_t leaves = 130;

 private:
  TrialDirectory home_;
};

struct Trial {
  std::size_t acknowledged = Original::leaves;  // leaves
  std::size_t written = Original::leaves;       // leaves that were handed over, acknowledged or not
  bool failed = false;
};

// Appends until something fails. One thread, so at most the last batch is in doubt.
Trial append_all(const fs::path& home, Disk& disk) {
  Trial trial;
  auto log = Appender::open(home, disk);
  if (!log) return {trial.acknowledged, trial.written, true};
  for (const auto& [count, bytes] : batches) {
    const auto entries = entries_of(trial.written, count, bytes);
    trial.written += count;
    // What commit() tells is a promise as well, before a reader sees it.
    const auto committed = trial.written % 2 == 0 ? log->append(entries) : log->commit(entries);
    if (!committed) {
      EXPECT_FALSE(log->append(entries)) << "an Appender went on after an error";
      trial.failed = true;
      return trial;
    }
    trial.acknowledged = trial.written;
  }
  trial.failed = !log->close();
  return trial;
}

// Nothing that was acknowledged is missing, all of it is sound, and the log goes on.
void expect_sound(const fs::path& home, const Trial& trial, const std::string& where) {
  FaultyDisk no_fault{home, FaultyDisk::Fault::none, 0};
  {
    auto log = Appender::open(home, no_fault);
    ASSERT_TRUE(log) << where << ": " << log.error().message;
    ASSERT_TRUE(log->size().value == trial.acknowledged || log->size().value == trial.written)
        << where << ": " << log->size().value << " leaves, acknowledged " << trial.acknowledged << ", handed over " << trial.written;
    const auto more = log->append(std::vector<std::string>{"one more"});
    ASSERT_TRUE(more) << where << ": " << more.error().message;
    ASSERT_TRUE(log->close());
  }
  const auto found = verify_home(home, 1);
  ASSERT_TRUE(found) << where << ": " << found.error().message;
  const auto reader = Reader::open(home);
  ASSERT_TRUE(reader);
  std::size_t at = Original::leaves;
  for (const auto& [count, bytes] : batches) {
    if (at + count > trial.acknowledged) break;
    const auto entries = entries_of(at, count, bytes);
    ASSERT_TRUE(reader->for_each({at}, {at + count}, [&](LeafIndex index, std::string_view entry) -> Result<> {
      EXPECT_EQ(entry, entries[index.value - at]) << where;
      return {};
    }));
    at += count;
  }
  ASSERT_EQ(reader->entry({reader->checkpoint().size.value - 1}).value(), "one more") << where;
}

std::size_t calls_without_fault(const Original& original) {
  const TrialDirectory directory;
  original.copy_to(directory.path() / "home");
  FaultyDisk disk{directory.path() / "home", FaultyDisk::Fault::none, 0};
  EXPECT_FALSE(append_all(directory.path() / "home", disk).failed);
  return disk.calls();
}

void try_every_call(FaultyDisk::Fault fault, const std::function<void(FaultyDisk&, const fs::path&, std::size_t)>& after = {}) {
  const Original original;
  const auto calls = calls_without_fault(original);
  ASSERT_GT(calls, 50u);
  std::size_t failures = 0;
  for (std::size_t k = 0; k < calls + 2; k += stride) {
    const TrialDirectory directory;
    const auto home = directory.path() / "home";
    original.copy_to(home);
    FaultyDisk disk{home, fault, k};
    const auto trial = append_all(home, disk);
    failures += trial.failed ? 1 : 0;
    if (after) after(disk, home, k);
    expect_sound(home, trial, fmt::format("call {} of {}", k, calls));
    if (testing::Test::HasFatalFailure()) return;
  }
  EXPECT_GT(failures, calls / stride / 2);
}

TEST(Crash, OneFailedCallLosesNothing) { try_every_call(FaultyDisk::Fault::once); }

TEST(Crash, DeathAtAnyCallLosesNothing) { try_every_call(FaultyDisk::Fault::death); }

TEST(Crash, DeathInTheMiddleOfAnyWriteLosesNothing) { try_every_call(FaultyDisk::Fault::torn_death); }

TEST(Crash, AFullDiskLeavesALogThatVerifies) {
  try_every_call(FaultyDisk::Fault::full, [](FaultyDisk&, const fs::path& home, std::size_t k) {
    if (k % 10 != 0) return;
    const auto found = verify_home(home, 1);
    EXPECT_TRUE(found) << "call " << k << ": " << found.error().message;
  });
}

TEST(Crash, APowerCutAtAnyCallLosesNothing) {
  for (std::uint64_t seed = 1; seed <= 2; ++seed)
    try_every_call(FaultyDisk::Fault::torn_death,
                   [&](FaultyDisk& disk, const fs::path&, std::size_t k) { disk.cut_power(seed * 1000 + k); });
}

TEST(Crash, AReaderFinishesWhatADeadWriterBegan) {
  const Original original;
  const TrialDirectory directory;
  const auto home = directory.path() / "home";
  original.copy_to(home);
  FaultyDisk disk{home, FaultyDisk::Fault::death, 40};
  const auto trial = append_all(home, disk);
  ASSERT_TRUE(trial.failed);
  ASSERT_TRUE(fs::exists(home / "ledger.journal-0") || fs::exists(home / "ledger.journal-1"));
  const auto reader = Reader::open(home);
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_GE(reader->checkpoint().size.value, trial.acknowledged);
  EXPECT_FALSE(fs::exists(home / "ledger.journal-0"));
  EXPECT_TRUE(verify_home(home));
}

TEST(Crash, AJournalWithAHoleIsNotTakenForACrash) {
  const Original original;
  const TrialDirectory directory;
  const auto home = directory.path() / "home";
  original.copy_to(home);
  {
    FaultyDisk disk{home, FaultyDisk::Fault::death, 60};
    ASSERT_TRUE(append_all(home, disk).failed);
  }
  const auto path = home / "ledger.journal-1";
  auto bytes = read_file(path).value();
  // The second record after the base: others follow it.
  std::size_t found = 0;
  for (std::size_t at = 0; at < bytes.size() && found < 2; at += 4096)
    if (bytes.compare(at, 8, "vouch jo") == 0 && ++found == 2) bytes[at + 200] = static_cast<char>(bytes[at + 200] ^ 1);
  ASSERT_EQ(found, 2u);
  ASSERT_TRUE(write_file(path, bytes, Sync::no));
  const auto log = Appender::open(home);
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().code, Errc::corrupt);
  EXPECT_NE(log.error().message.find("ledger.journal-1"), std::string::npos) << log.error().message;
}

TEST(Crash, APackIsThereWholeOrNotAtAll) {
  std::size_t calls = 0;
  for (const auto fault : {FaultyDisk::Fault::none, FaultyDisk::Fault::once, FaultyDisk::Fault::full, FaultyDisk::Fault::torn_death}) {
    for (std::size_t k = 0; k < (fault == FaultyDisk::Fault::none ? 1 : calls); ++k) {
      const TrialDirectory directory;
      fs::create_directory(directory.path() / "blobs");
      FaultyDisk disk{directory.path(), fault, k};
      bool finished = false;
      {
        auto writer = PackWriter::start(directory.path(), disk).value();
        bool added = true;
        for (int i = 0; i < 5 && added; ++i) added = writer.add(std::string(700'000, static_cast<char>('a' + i))).has_value();
        finished = added && writer.finish();
      }
      if (fault == FaultyDisk::Fault::none) calls = disk.calls();
      const auto blobs = Blobs::open(directory.path()).value();
      const bool there = blobs.has(sha256(std::string(700'000, 'a')));
      EXPECT_TRUE(!finished || there);
      for (int i = 0; i < 5; ++i) EXPECT_EQ(blobs.get(sha256(std::string(700'000, static_cast<char>('a' + i)))).has_value(), there);
      ASSERT_TRUE(PackWriter::start(directory.path()));
      for (const auto& file : fs::directory_iterator{directory.path()}) EXPECT_EQ(file.path().filename(), "blobs");
    }
  }
  EXPECT_GT(calls, 5u);
}

}  // namespace
}  // namespace vouch
