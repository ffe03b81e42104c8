// ledger/log_files.h - find and read tiles and bundles of a log whose partial files come and go.
#pragma once

#include "base/file.h"
#include "ledger/checkpoint.h"
#include "ledger/edge.h"
#include "ledger/tile.h"

namespace vouch {

inline fs::path log_directory(const fs::path& home) { return home / "ledger"; }
inline fs::path checkpoint_path(const fs::path& home) { return home / "ledger" / "checkpoint"; }

// A partial file's folder, "…/005.p"; for a full one, the folder it would have.
fs::path partial_directory(const fs::path& home, const TileCoord& tile);
fs::path partial_directory(const fs::path& home, const BundleCoord& bundle);

// What was read and from which file, which may be wider than asked for: of that, the first hashes or entries.
struct TileRead {
  fs::path file;
  std::vector<Digest> hashes;
};
struct BundleRead {
  fs::path file;
  std::string bytes;                      // the whole file
  std::vector<std::string_view> entries;  // into `bytes`

  BundleRead() = default;
  BundleRead(BundleRead&&) = delete;  // the views would dangle for short strings
};

// Errc::corrupt when there is neither that file nor a wider one, or when it is not of its form.
Result<TileRead> read_tile(const fs::path& home, const TileCoord& tile);
Result<std::unique_ptr<BundleRead>> read_bundle(const fs::path& home, const BundleCoord& bundle);

// The published checkpoint. Errc::not_found when there is none; Errc::corrupt.
Result<Checkpoint> read_checkpoint(const fs::path& home, const Verifier& key);

// The edge of the log at a checkpoint. Errc::corrupt when it does not lead to its root.
Result<Edge> read_edge(const fs::path& home, const Checkpoint& checkpoint);

}  // namespace vouch
