// ledger/verify.h - check a whole home: is every byte what was written?
#pragma once

#include "ledger/checkpoint.h"

#include <functional>

namespace vouch {

struct Verification {
  Checkpoint checkpoint;  // what was verified, up to here
  std::uint64_t leaves = 0, tiles = 0, bundles = 0, blobs = 0, packs = 0;
  std::uint64_t log_bytes = 0;   // of tiles and bundles
  std::uint64_t pack_bytes = 0;  // as stored
  std::uint64_t blob_bytes = 0;  // unpacked
  double log_seconds = 0, blob_seconds = 0, seconds = 0;
};

struct VerifyProgress {
  std::uint64_t leaves_done = 0, leaves = 0;
  std::uint64_t pack_bytes_done = 0, pack_bytes = 0;
};

// Checks the checkpoint's signature, every entry against its leaf hash, every hash of every tile, the root, every pack's digest and
// form, every blob against its name, and that there is no file that does not belong. Works beside a writer, up to the checkpoint
// found at the start. `threads` 0: one for each core. `progress` is called now and then, from one thread at a time.
//
// Errc::corrupt names the first broken byte by file and offset, as exactly as the format allows: "ledger/tile/0/000: hash 17 …
// (offset 544)". First means: checkpoint, then the log from the left, then packs by age.
Result<Verification> verify_home(const fs::path& home, unsigned threads = 0,
                                 const std::function<void(const VerifyProgress&)>& progress = {});

// Checks that every blob to which a leaf leads (tree, manifests, bodies, times, receipts, catalogue) is there; whether blobs are what their
// names say is verify_home's. Errc::corrupt names the leaf, the request and the blob. What is the same in many runs is walked once.
Result<> verify_evidence(const fs::path& home);

}  // namespace vouch
