// collect/evidence.h - the documents of a run (ledger/evidence.h), under the names by which this module uses them.
#pragma once

#include "ledger/evidence.h"

namespace vouch::collect {
using namespace vouch::evidence;  // NOLINT(google-build-using-namespace): collect writes these documents, its words are theirs
}  // namespace vouch::collect
