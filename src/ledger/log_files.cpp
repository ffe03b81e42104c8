#include "ledger/log_files.h"

#include <charconv>
#include <thread>

namespace vouch {
namespace {

constexpr std::size_t max_bundle_bytes = tile_width * (2 + max_entry_bytes);
constexpr int patience = 1000;  // looks, a millisecond apart in the end; each miss means that the file grew meanwhile

template <class Coord>
Coord with_width(Coord coord, std::uint16_t width) {
  coord.width = width;
  return coord;
}

// The widths that stand in a folder of partial files, widest first.
std::vector<std::uint16_t> widths_in(const fs::path& directory) {
  std::vector<std::uint16_t> widths;
  std::error_code error;
  for (fs::directory_iterator file{directory, error}, end; !error && file != end; file.increment(error)) {
    const auto name = file->path().filename().string();
    std::uint16_t width = 0;
    const auto [stop, wrong] = std::from_chars(name.data(), name.data() + name.size(), width);
    if (wrong == std::errc{} && stop == name.data() + name.size()) widths.push_back(width);
  }
  std::sort(widths.rbegin(), widths.rend());
  return widths;
}

template <class Coord>
struct Found {
  Coord coord;
  fs::path file;
  std::string bytes;
};

template <class Coord>
Result<Found<Coord>> find_and_read(const fs::path& home, const Coord& wanted) {
  const auto attempt = [&](const Coord& coord) -> Result<Found<Coord>> {
    auto file = log_directory(home) / path_of(coord);
    auto bytes = TRY(read_file(file, max_bundle_bytes));
    return Found<Coord>{coord, std::move(file), std::move(bytes)};
  };
  auto found = attempt(wanted);
  for (int look = 0; look < patience; ++look) {
    if (found || found.error().code != Errc::not_found) break;
    if (wanted.width == tile_width) break;
    for (const auto width : widths_in(partial_directory(home, wanted)))
      if (width > wanted.width && width < tile_width && !found) found = attempt(with_width(wanted, width));
    if (!found) found = attempt(with_width(wanted, tile_width));
    if (!found) found = attempt(wanted);
    if (!found && look > 10) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (!found && look > 50 && widths_in(partial_directory(home, wanted)).empty()) break;
  }
  if (!found && found.error().code == Errc::not_found)
    return fail(Errc::corrupt, "`{}` is missing", (log_directory(home) / path_of(wanted)).string());
  return found;
}

std::unexpected<Error> broken(const fs::path& file, const Error& error) {
  return fail(Errc::corrupt, "`{}`: {}", file.string(), error.message);
}

}  // namespace

fs::path partial_directory(const fs::path& home, const TileCoord& tile) {
  return log_directory(home) / (path_of(with_width(tile, tile_width)) + ".p");
}
fs::path partial_directory(const fs::path& home, const BundleCoord& bundle) {
  return log_directory(home) / (path_of(with_width(bundle, tile_width)) + ".p");
}

Result<TileRead> read_tile(const fs::path& home, const TileCoord& tile) {
  auto found = TRY(find_and_read(home, tile));
  auto hashes = decode_tile(found.bytes, found.coord.width);
  if (!hashes) return broken(found.file, hashes.error());
  hashes->resize(tile.width);
  return TileRead{std::move(found.file), std::move(*hashes)};
}

Result<std::unique_ptr<BundleRead>> read_bundle(const fs::path& home, const BundleCoord& bundle) {
  auto found = TRY(find_and_read(home, bundle));
  auto read = std::make_unique<BundleRead>();
  read->file = std::move(found.file);
  read->bytes = std::move(found.bytes);
  auto entries = decode_bundle(read->bytes, found.coord.width);
  if (!entries) return broken(read->file, entries.error());
  entries->resize(bundle.width);
  read->entries = std::move(*entries);
  return read;
}

Result<Checkpoint> read_checkpoint(const fs::path& home, const Verifier& key) {
  const auto path = checkpoint_path(home);
  const auto note = TRY(read_file(path, 1'000'000));
  auto checkpoint = parse_checkpoint(note, key);
  if (!checkpoint) return broken(path, checkpoint.error());
  return checkpoint;
}

Result<Edge> read_edge(const fs::path& home, const Checkpoint& checkpoint) {
  std::vector<std::vector<Digest>> tiles(tile_levels(checkpoint.size));
  for (const auto& tile : partial_tiles(checkpoint.size)) tiles[tile.level] = TRY(read_tile(home, tile)).hashes;
  std::string bytes;
  if (const auto width = partial_width(checkpoint.size, 0); width > 0) {
    const auto bundle = TRY(read_bundle(home, {full_tiles(checkpoint.size, 0), width}));
    for (const auto entry : bundle->entries) TRY(append_to_bundle(bytes, entry));
  }
  auto edge = TRY(Edge::make(checkpoint.size, std::move(tiles), std::move(bytes)));
  if (edge.root() != checkpoint.root) return fail(Errc::corrupt, "the tiles at the right edge do not lead to the checkpoint's root");
  return edge;
}

}  // namespace vouch
