// facts/replay.h - fold the ledger into the fact tables.
//
// Facts are a function of a prefix of the ledger, the catalogue and the service models: the same inputs give the same rows on any
// machine, built at once or leaf by leaf. Cost follows change: a leaf whose tree equals the one before costs one row; of a changed
// manifest only the requests whose content changed are read.
#pragma once

#include "facts/facts.h"
#include "ledger/blobs.h"
#include "ledger/read.h"
#include "wire/models.h"

namespace vouch::facts {

struct Replayed {
  TreeSize from, to;
  std::uint64_t collections = 0;
  std::uint64_t manifests_read = 0, bodies_read = 0;
  std::uint64_t rows_opened = 0, rows_closed = 0;
  std::vector<std::string> changed_tables;  // tables whose rows or coverage changed, sorted
};

// Called between leaves: done, of how many.
using Progress = std::function<void(std::uint64_t, std::uint64_t)>;

// Folds in what the ledger holds beyond the facts' state, in one transaction: a reader sees all of a run or nothing of it. A change of
// the catalogue or the models projects again the tables that it touches. Errc::corrupt when a blob is not what its name says.
Result<Replayed> replay(const Reader& log, const Blobs& blobs, const wire::Models& models, Facts& facts, const Progress& progress = {});

// The same from nothing: builds beside, then renames over `home`/facts.duckdb.
Result<Replayed> rebuild(const fs::path& home, const Reader& log, const Blobs& blobs, const wire::Models& models, FactCatalog catalog,
                         const Progress& progress = {});

}  // namespace vouch::facts
