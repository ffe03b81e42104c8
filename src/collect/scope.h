// collect/scope.h - put on record which accounts of a source are read and which are left out.
#pragma once

#include "base/file.h"
#include "collect/evidence.h"
#include "ledger/append.h"

namespace vouch::collect {

// Others hold the ledger for moments only, and a run of minutes is not thrown away because of one. Errc::busy after `wait`.
Result<Appender> open_ledger(const fs::path& home, Duration wait);

// The whole decision, in one batch. Errc::busy, Errc::io, Errc::not_found as for run().
Result<> record_scope(const fs::path& home, const ScopeLeaf& scope, Duration wait = Duration::minutes(1));

}  // namespace vouch::collect
