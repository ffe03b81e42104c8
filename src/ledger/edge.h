// ledger/edge.h - the growing side of a log in memory: its partial tiles and its partial bundle.
//
// The edge of a log is all that is needed to append to it. Growing an edge yields the bundles and tiles that became full; the same
// code runs when entries are committed, when they are published, and when a journal is replayed, so all three write the same bytes.
#pragma once

#include "ledger/tile.h"
#include "ledger/tree.h"

#include <functional>

namespace vouch {

// Entries on their way into a log, in the form of a bundle, with their leaf hashes.
struct Batch {
  std::string encoded;            // each entry behind its length
  std::vector<std::size_t> ends;  // where each entry ends in `encoded`
  std::vector<Digest> leaves;

  // Errc::limit for an entry that is too long; on several threads where it pays.
  static Result<Batch> of(std::span<const std::string> entries);
  // Errc::malformed unless the bytes are exactly `count` entries.
  static Result<Batch> parse(std::string_view encoded, std::uint64_t count);

  [[nodiscard]] std::size_t begin_of(std::size_t i) const { return i == 0 ? 0 : ends[i - 1]; }
};

// Receives what became full. The views live as long as the call.
struct FullFiles {
  std::function<Result<>(const BundleCoord&, std::span<const std::string_view> pieces)> bundle;
  std::function<Result<>(const TileCoord&, std::span<const Digest> hashes)> tile;
};

class Edge {
 public:
  Edge() = default;  // of an empty log
  // From the partial tiles of each level (as many hashes as `partial_width` tells) and the bytes of the partial bundle.
  // Errc::corrupt unless the entries have the leaf hashes.
  static Result<Edge> make(TreeSize size, std::vector<std::vector<Digest>> tiles, std::string bundle);

  // Errors are those of `full`; the edge is then of no further use.
  Result<> grow(const Batch& batch, const FullFiles* full = nullptr);

  [[nodiscard]] TreeSize size() const { return size_; }
  [[nodiscard]] Digest root() const;
  [[nodiscard]] std::span<const Digest> tile(std::uint8_t level) const;
  [[nodiscard]] std::uint8_t levels() const { return static_cast<std::uint8_t>(levels_.size()); }
  [[nodiscard]] const std::string& bundle() const { return bundle_; }

 private:
  struct Level {
    std::vector<Digest> hashes;  // of the partial tile
    RightEdge tree;              // over them
  };

  Result<> add(std::size_t level, const Digest& hash, const FullFiles* full);

  TreeSize size_;
  std::vector<Level> levels_;
  std::string bundle_;
};

}  // namespace vouch
