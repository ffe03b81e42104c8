// ledger/journal.h - the durable batch: what makes an append durable, and the rest of it repeatable.
//
// Two files beside the ledger, `ledger.journal-0` and `ledger.journal-1`, exist while a process writes, and are written in turn: an
// *epoch* is one pass through one of them. An epoch begins with a *base* record (the whole right edge: checkpoint, partial tiles,
// partial bundle) and goes on with a *batch* record for each commit: its entries, and the signed checkpoint that covers them.
//
// Why it is safe, whatever the moment at which power or process ends:
//   - An append is acknowledged when its record is synced: from then on base and batches hold its entries, its place and a signed
//     checkpoint. Bundles, tiles and the published checkpoint are written only after that, and from the same bytes.
//   - Records begin at multiples of 4 KiB, so writing one never touches a sector of another; a record that was cut short does not
//     verify (SHA-256 over its head, and the entries must lead to the root in its signed checkpoint) and was never acknowledged.
//   - A file is taken for the next epoch only when every bundle and tile of the epoch before the last is synced, with its folder. So the
//   two
//     files always reach back to a base whose full tiles are durable, and the base itself holds all that is not a full tile.
//   - After a sync fails nothing is synced again or believed: the writer ends, and its successor writes all files of the journal
//     anew, under new inodes, before it drops the journal.
//   - A sound record behind a broken one of the same epoch cannot come from a crash: that is Errc::corrupt.
//
// Record, little-endian: "vouch journal 1\n"; life (16 random bytes, one for each writer); u64 epoch, number (counting the records of
// the life), leaves before, entries, bytes of note, of edge, of entries; SHA-256 of all these, note and edge; note; edge (a base
// record's partial tiles, level 0 first); entries as in a bundle.
#pragma once

#include "ledger/checkpoint.h"
#include "ledger/disk.h"
#include "ledger/edge.h"

namespace vouch {

using Life = std::array<std::uint8_t, 16>;

struct JournalRecord {
  Life life{};
  std::uint64_t epoch = 0;
  std::uint64_t number = 0;
  TreeSize before;          // leaves in the log before the entries; a base record: leaves of the base
  std::uint64_t count = 0;  // entries; of a base record, 0
  std::string_view note;    // the signed checkpoint after the entries
  std::string_view edge;    // empty but in a base record
  std::string_view entries;
  std::size_t stored_bytes = 0;  // up to where the next record may begin
};

inline constexpr std::size_t journal_page = 4096;

// The record at `at`. nullopt where there is none, or a broken one. Entries are not checked here: their root is.
std::optional<JournalRecord> parse_journal_record(std::string_view file, std::size_t at);

fs::path journal_path(const fs::path& home, std::uint64_t epoch);

// What a journal can restore.
struct Recovered {
  Edge base;
  Checkpoint base_checkpoint;
  struct Commit {
    Batch batch;
    Checkpoint checkpoint;
  };
  std::vector<Commit> commits;
  std::uint64_t newest_epoch = 0;
};

// nullopt when no journal holds a record. Errc::corrupt as explained above.
Result<std::optional<Recovered>> read_journal(const fs::path& home, const Verifier& key);

// The older file first: what is left after an interruption is never an old tail without its end.
Result<> remove_journal(Disk& disk, const fs::path& home, std::uint64_t newest_epoch);

class JournalWriter {
 public:
  // Makes both files and syncs them into `home`. There must be none.
  static Result<JournalWriter> create(Disk& disk, const fs::path& home);

  // Whether a record of that many bytes begins a new epoch.
  [[nodiscard]] bool begins_epoch(std::size_t entry_bytes) const;
  // Of the epoch that is being written: all files up to there must be synced before the next one begins.
  [[nodiscard]] TreeSize base() const { return base_; }
  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }

  // To be called first when begins_epoch() says so. Writes nothing by itself: the base record goes with the next batch record.
  void begin_epoch(const Edge& edge, const Checkpoint& checkpoint, std::size_t entry_bytes);

  // The batches, as one record; durable when it returns. After an error the writer is of no further use.
  Result<> append(TreeSize before, std::span<const Batch* const> batches, const Checkpoint& after);

 private:
  JournalWriter(Disk& disk, fs::path home, std::array<Fd, 2> files);

  Disk* disk_;
  fs::path home_;
  std::array<Fd, 2> files_;
  Life life_{};
  std::uint64_t epoch_ = 0;  // the first is 1
  std::uint64_t number_ = 0;
  std::uint64_t offset_ = 0;  // in the epoch's file
  std::uint64_t limit_ = 0;   // beyond which another epoch begins
  TreeSize base_;
  std::string base_record_;  // with its padding, until it is written
};

}  // namespace vouch
