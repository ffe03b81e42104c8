#include "ledger/tile.h"

#include <charconv>
#include <optional>

namespace vouch {
namespace {

constexpr unsigned max_level = 63;

// "x001/x234/067": groups of three digits, all but the last behind an x.
std::string index_path(std::uint64_t index) {
  auto path = fmt::format("{:03}", index % 1000);
  for (index /= 1000; index > 0; index /= 1000) path = fmt::format("x{:03}/{}", index % 1000, path);
  return path;
}

// Decimal without leading zeros, at most `most`.
std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t most) {
  std::uint64_t value = 0;
  if (text.empty() || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > most) return std::nullopt;
  return value;
}

struct IndexAndWidth {
  std::uint64_t index;
  std::uint16_t width;
};

// The part of a path behind the level. Judged by writing it again: what we would write otherwise is refused.
std::optional<IndexAndWidth> parse_index_and_width(std::string_view text) {
  IndexAndWidth found{0, tile_width};
  auto digits = text;
  if (const auto p = text.find(".p/"); p != std::string_view::npos) {
    const auto width = parse_number(text.substr(p + 3), tile_width - 1);
    if (!width || *width == 0) return std::nullopt;
    found.width = static_cast<std::uint16_t>(*width);
    digits = text.substr(0, p);
  }
  for (const char c : digits) {
    if (c == 'x' || c == '/') continue;
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (found.index > (std::numeric_limits<std::uint64_t>::max() - digit) / 10) return std::nullopt;
    found.index = found.index * 10 + digit;
  }
  if (index_path(found.index) != digits) return std::nullopt;
  return found;
}

std::string with_width(std::string path, std::uint16_t width) {
  if (width < tile_width) path += fmt::format(".p/{}", width);
  return path;
}

// 256^level, as a shift; 64 and more shift everything out.
std::uint64_t shifted(std::uint64_t size, unsigned bits) { return bits >= 64 ? 0 : size >> bits; }

}  // namespace

std::string path_of(const TileCoord& tile) { return with_width(fmt::format("tile/{}/{}", tile.level, index_path(tile.index)), tile.width); }

std::string path_of(const BundleCoord& bundle) { return with_width("tile/entries/" + index_path(bundle.index), bundle.width); }

Result<TileCoord> parse_tile_path(std::string_view path) {
  const auto refuse = [&] { return fail(Errc::malformed, "`{}` is not the path of a tile", path); };
  constexpr std::string_view prefix = "tile/";
  if (!path.starts_with(prefix)) return refuse();
  const auto rest = path.substr(prefix.size());
  const auto slash = rest.find('/');
  if (slash == std::string_view::npos) return refuse();
  const auto level = parse_number(rest.substr(0, slash), max_level);
  const auto place = parse_index_and_width(rest.substr(slash + 1));
  if (!level || !place) return refuse();
  return TileCoord{static_cast<std::uint8_t>(*level), place->index, place->width};
}

Result<BundleCoord> parse_bundle_path(std::string_view path) {
  constexpr std::string_view prefix = "tile/entries/";
  const auto place = path.starts_with(prefix) ? parse_index_and_width(path.substr(prefix.size())) : std::nullopt;
  if (!place) return fail(Errc::malformed, "`{}` is not the path of an entry bundle", path);
  return BundleCoord{place->index, place->width};
}

std::uint64_t full_tiles(TreeSize size, std::uint8_t level) { return shifted(size.value, 8 * (level + 1u)); }

std::uint16_t partial_width(TreeSize size, std::uint8_t level) {
  return static_cast<std::uint16_t>(shifted(size.value, 8u * level) % tile_width);
}

std::uint8_t tile_levels(TreeSize size) {
  std::uint8_t levels = 0;
  for (auto n = size.value; n > 0; n >>= 8) ++levels;
  return levels;
}

std::vector<TileCoord> partial_tiles(TreeSize size) {
  std::vector<TileCoord> tiles;
  for (std::uint8_t level = 0; level < tile_levels(size); ++level)
    if (const auto width = partial_width(size, level); width > 0) tiles.push_back({level, full_tiles(size, level), width});
  return tiles;
}

Result<std::vector<Digest>> decode_tile(std::string_view bytes, std::uint16_t width) {
  if (bytes.size() != width * sizeof(Digest))
    return fail(Errc::malformed, "a tile of {} hashes has {} bytes, not {}", width, width * sizeof(Digest), bytes.size());
  std::vector<Digest> hashes(width);
  std::memcpy(hashes.data(), bytes.data(), bytes.size());
  return hashes;
}

std::string encode_tile(std::span<const Digest> hashes) { return {reinterpret_cast<const char*>(hashes.data()), hashes.size_bytes()}; }

Result<std::vector<std::string_view>> decode_bundle(std::string_view bytes, std::uint16_t width) {
  std::vector<std::string_view> entries;
  entries.reserve(width);
  std::size_t at = 0;
  for (std::uint16_t i = 0; i < width; ++i) {
    if (bytes.size() - at < 2)
      return fail(Errc::malformed, "the bundle ends within the length of entry {} of {} (offset {})", i, width, at);
    const auto length = static_cast<std::size_t>(static_cast<std::uint8_t>(bytes[at]) << 8 | static_cast<std::uint8_t>(bytes[at + 1]));
    if (bytes.size() - at - 2 < length)
      return fail(Errc::malformed, "the bundle ends within entry {} of {}, which would have {} bytes (offset {})", i, width, length, at);
    entries.push_back(bytes.substr(at + 2, length));
    at += 2 + length;
  }
  if (at != bytes.size()) return fail(Errc::malformed, "bytes behind the last of {} entries (offset {})", width, at);
  return entries;
}

Result<> append_to_bundle(std::string& bundle, std::string_view entry) {
  if (entry.size() > max_entry_bytes)
    return fail(Errc::limit, "an entry has {} bytes; the log's format takes at most {}", entry.size(), max_entry_bytes);
  bundle += static_cast<char>(entry.size() >> 8);
  bundle += static_cast<char>(entry.size() & 0xff);
  bundle += entry;
  return {};
}

Result<std::string> encode_bundle(std::span<const std::string> entries) {
  std::string bundle;
  for (const auto& entry : entries) TRY(append_to_bundle(bundle, entry));
  return bundle;
}

}  // namespace vouch
