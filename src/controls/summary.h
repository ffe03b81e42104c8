// controls/summary.h - the stored verdicts once more, as a small file beside the facts: what `vouch status` shows.
//
// Opening the facts costs tens of milliseconds and grows with the number of tables; this file is read in one. It is derived like the facts,
// written whole after them, and says which ledger, catalogue and instants it speaks of: where it does not hold, ask the facts.
#pragma once

#include "base/file.h"
#include "controls/stored.h"

namespace vouch::controls {

// Without members. Errc::io leaves the old file.
Result<> write_summary(const fs::path& file, const Stored& stored);

// Nothing when there is none, it cannot be read, or does not hold: another catalogue, another size of the ledger, an instant before the
// one that was judged or from the first expiry on.
std::optional<Stored> read_summary(const fs::path& file, std::string_view catalog_digest, TreeSize size, Instant at);

}  // namespace vouch::controls
