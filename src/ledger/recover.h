// ledger/recover.h - finish what an interrupted writer left.
#pragma once

#include "ledger/disk.h"
#include "ledger/note.h"

namespace vouch {

// For the holder of the lock. Replays the journal, if there is one: writes its bundles, tiles and last checkpoint anew, syncs them,
// removes superseded partial files, and drops the journal. Errc::corrupt when journal and ledger do not fit together.
Result<> recover(Disk& disk, const fs::path& home, const Verifier& key);

// Whether there is anything to do. Needs no lock; beside a living writer it is true as well.
bool is_interrupted(const fs::path& home);

inline fs::path lock_path(const fs::path& home) { return home / "ledger.lock"; }

}  // namespace vouch
