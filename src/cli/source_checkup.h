// cli/source_checkup.h - whether a source can be read: signed in, in time, and call by call allowed.
#pragma once

#include "cli/finding.h"
#include "cli/session.h"
#include "collect/collect.h"

namespace vouch::cli {

// What a probe (collect::Options::probe) met. `receipts`: those of its leaf.
Findings check_source(const collect::Source& source, const collect::Collection& probe, const evidence::Receipts& receipts,
                      const Catalog& catalog);

}  // namespace vouch::cli
