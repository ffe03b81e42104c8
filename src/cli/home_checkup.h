// cli/home_checkup.h - how a home stands on its machine: space, growth, keys.
#pragma once

#include "base/instant.h"
#include "cli/finding.h"
#include "cli/home.h"

namespace vouch::cli {

// What a home takes on the disk.
struct Footprint {
  std::uint64_t evidence = 0;  // bytes of ledger/ and blobs/
  std::uint64_t derived = 0;   // of what may be deleted
  // Of the evidence, bytes a day since the first day, which brings all there is; none before a second day is over.
  std::optional<double> daily;
};
// `first`: when the first collection started. Errc::io.
Result<Footprint> footprint_of(const fs::path& home, std::optional<Instant> first, Instant now);

// Errc::io where the home can't be read at all.
Result<Findings> check_home(const Home& home, Instant now);

}  // namespace vouch::cli
