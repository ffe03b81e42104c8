#include "ledger/recover.h"

#include "ledger/journal.h"
#include "ledger/log_files.h"
#include "ledger/publish.h"

namespace vouch {

bool is_interrupted(const fs::path& home) {
  std::error_code error;
  return fs::exists(journal_path(home, 0), error) || fs::exists(journal_path(home, 1), error);
}

Result<> recover(Disk& disk, const fs::path& home, const Verifier& key) {
  TRY(disk::remove(disk, home / "ledger.new"));
  if (!is_interrupted(home)) return {};
  auto journal = TRY(read_journal(home, key));
  if (!journal) return remove_journal(disk, home, 0);  // it ended before its first commit

  const auto& last = journal->commits.empty() ? journal->base_checkpoint : journal->commits.back().checkpoint;
  if (const auto published = read_checkpoint(home, key); published && published->size > last.size) {
    // All of this journal was synced and only its removal was lost; if not, acknowledged entries are gone from it.
    TRY_WITHIN(read_edge(home, *published), "the published checkpoint is of size {}, the journal ends at {}", published->size.value,
               last.size.value);
    return remove_journal(disk, home, journal->newest_epoch);
  }
  const auto base = journal->base.size();
  Publisher publisher{disk, home, std::move(journal->base), Publisher::Partials::to_write};
  for (const auto& commit : journal->commits) TRY(publisher.add(commit.batch));
  TRY(publisher.publish(last));
  TRY(publisher.sync());
  TRY(remove_stale_partials(disk, home, base, last.size));
  return remove_journal(disk, home, journal->newest_epoch);
}

}  // namespace vouch
