// ledger/append.h - the one way to write to a log.
//
// An entry counts as appended once it is in the journal (`ledger.journal-0` and `-1` beside the ledger) together with the
// checkpoint that covers it, and the journal is synced: one fdatasync, however many entries share it. Bundles, tiles and the
// published checkpoint follow from the journal; they are written right behind it, and synced before the part of the journal
// that could write them again is given up. See ledger/journal.h for the argument, crash by crash.
#pragma once

#include "ledger/checkpoint.h"
#include "ledger/tile.h"

#include <memory>
#include <span>

namespace vouch {

class Disk;

struct Committed {
  LeafIndex first;        // where the first entry of the call went; the others follow it
  Checkpoint checkpoint;  // covers all of them
};

// The writer of a log; there is one at a time. All functions may be called from many threads: their entries share a commit.
//
// After any error of the disk the Appender is finished: every later call returns that error again. What was acknowledged
// before stays; open another to go on from there.
class Appender {
 public:
  // Takes the lock (`ledger.lock`), finishes what an interrupted process left, and checks the right edge of the tree against the
  // checkpoint. Errc::busy names the holder's pid; Errc::not_found when there is no log; Errc::corrupt when the journal or the
  // right edge is not what was written.
  static Result<Appender> open(const fs::path& home);
  static Result<Appender> open(const fs::path& home, Disk& disk);  // for tests; `disk` must outlive the Appender

  Appender(Appender&&) noexcept;
  Appender& operator=(Appender&&) noexcept;
  ~Appender();  // closes; an error at that point is lost, but nothing that was acknowledged

  // Durable, under a signed checkpoint, and readable under `ledger/` when it returns. All of the entries or none.
  // Errc::limit for an entry beyond max_entry_bytes, before anything is written.
  Result<Committed> append(std::span<const std::string> entries);

  // The same without the last step: durable and under a signed checkpoint when it returns; a Reader sees it a moment later.
  Result<Committed> commit(std::span<const std::string> entries);

  // Syncs all files, drops the journal and gives up the lock. The Appender can't be used afterwards.
  Result<> close();

  // Of the last signed checkpoint.
  [[nodiscard]] TreeSize size() const;

 private:
  struct State;
  explicit Appender(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// If a process died while it held the log open, does what its successor would: replays the journal, and drops it. Does nothing when
// there is no journal, when a living process holds the lock, or when the lock can't be taken (a medium that cannot be written).
Result<> finish_interrupted(const fs::path& home);

}  // namespace vouch
