// ledger/tile.h - names and contents of the files that hold the hashes and entries of a log.
//
// Spec: c2sp.org/tlog-tiles. A tile is up to 256 consecutive hashes of one level, raw and concatenated; a bundle is up to 256
// consecutive entries, each behind its length as a big-endian uint16. Only the right-most of a level may be partial. Plain values.
#pragma once

#include "base/digest.h"
#include "ledger/position.h"

#include <string>
#include <string_view>
#include <vector>

namespace vouch {

inline constexpr std::uint16_t tile_width = 256;        // hashes in a full tile, entries in a full bundle
inline constexpr std::size_t tile_bytes = 256 * 32;     // of a full tile
inline constexpr std::size_t max_entry_bytes = 65'535;  // the format's uint16

struct TileCoord {
  std::uint8_t level = 0;   // 0..63; level 0 holds leaf hashes, each hash of level n+1 is the root of a full tile of level n
  std::uint64_t index = 0;  // counted in tiles from 0, left to right
  std::uint16_t width = 0;  // counted in hashes, 1..256; 256 is a full tile
  friend auto operator<=>(const TileCoord&, const TileCoord&) = default;
};

struct BundleCoord {
  std::uint64_t index = 0;  // as the tile of level 0 with the same leaves
  std::uint16_t width = 0;  // counted in entries, 1..256
  friend auto operator<=>(const BundleCoord&, const BundleCoord&) = default;
};

// "tile/2/005.p/17", "tile/entries/x001/000". Cannot fail: each coordinate in range has exactly one path.
std::string path_of(const TileCoord& tile);
std::string path_of(const BundleCoord& bundle);

// The inverse. Errc::malformed for any text path_of would not write, leading zeros included: were two names possible for one
// tile, two copies of a log could hold both and disagree.
Result<TileCoord> parse_tile_path(std::string_view path);
Result<BundleCoord> parse_bundle_path(std::string_view path);

// What a log of this size holds: how many full tiles a level has, and how wide the partial one behind them is (0: there is none).
std::uint64_t full_tiles(TreeSize size, std::uint8_t level);
std::uint16_t partial_width(TreeSize size, std::uint8_t level);
std::vector<TileCoord> partial_tiles(TreeSize size);  // one for each level that has a partial tile
std::uint8_t tile_levels(TreeSize size);              // the number of levels that have tiles at all

// Errc::malformed unless there are exactly `width` hashes.
Result<std::vector<Digest>> decode_tile(std::string_view bytes, std::uint16_t width);
std::string encode_tile(std::span<const Digest> hashes);

// Errc::malformed, with the offset, unless the bytes are exactly `width` entries.
Result<std::vector<std::string_view>> decode_bundle(std::string_view bytes, std::uint16_t width);
// Adds one entry to a bundle. Errc::limit names the size when the entry has more than max_entry_bytes.
Result<> append_to_bundle(std::string& bundle, std::string_view entry);
Result<std::string> encode_bundle(std::span<const std::string> entries);

}  // namespace vouch
