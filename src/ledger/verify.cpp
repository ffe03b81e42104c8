#include "ledger/verify.h"

#include "ledger/log_files.h"
#include "ledger/pack.h"
#include "ledger/read.h"
#include "ledger/recover.h"
#include "ledger/tree.h"

#include <fcntl.h>
#include <unistd.h>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace vouch {
namespace {

using Seconds = std::chrono::duration<double>;
using Steady = std::chrono::steady_clock;

constexpr std::uint64_t large_pack_bytes = std::uint64_t{16} << 20;  // from there on several threads share a pack

// Runs work(0) … work(count - 1) on several threads and returns the error of the lowest, whatever order they ran in.
class Crew {
 public:
  Crew(unsigned threads, std::function<void()> watch) : threads_(std::max(1u, threads)), watch_(std::move(watch)) {}

  Result<> run(std::uint64_t count, const std::function<Result<>(std::uint64_t)>& work) {
    std::atomic<std::uint64_t> next{0};
    std::uint64_t first_failed = count;
    std::optional<Error> error;
    unsigned running = 0;
    std::mutex mutex;
    std::condition_variable ended;
    const auto toil = [&] {
      for (auto i = next++; i < count; i = next++) {
        auto done = work(i);
        if (done) continue;
        const std::lock_guard held{mutex};
        next = count;  // whoever took a lower one is still at it
        if (i < first_failed) {
          first_failed = i;
          error = std::move(done).error();
        }
      }
      const std::lock_guard held{mutex};
      --running;
      ended.notify_one();
    };
    std::vector<std::thread> crew;
    const auto hands = static_cast<unsigned>(std::min<std::uint64_t>(threads_, count));
    running = hands;
    for (unsigned i = 0; i < hands; ++i) crew.emplace_back(toil);
    std::unique_lock held{mutex};
    while (running > 0) {
      ended.wait_for(held, std::chrono::milliseconds(100));
      held.unlock();
      watch_();
      held.lock();
    }
    held.unlock();
    for (auto& thread : crew) thread.join();
    if (error) return std::unexpected(std::move(*error));
    return {};
  }

 private:
  unsigned threads_;
  std::function<void()> watch_;
};

std::string shown(const fs::path& home, const fs::path& file) { return file.lexically_relative(home).string(); }

// The bundles and the tiles of one log, at one checkpoint.
class LogCheck {
 public:
  LogCheck(fs::path home, const Checkpoint& checkpoint) : home_(std::move(home)), checkpoint_(checkpoint), size_(checkpoint.size) {
    row_.resize(full_tiles(size_, 0));
  }

  [[nodiscard]] std::uint64_t bundle_count() const { return full_tiles(size_, 0) + (partial_width(size_, 0) > 0 ? 1 : 0); }

  Result<> check_bundle(std::uint64_t index);
  Result<> check_upper_tiles();

  std::atomic<std::uint64_t> leaves{0}, tiles{0}, bundles{0}, bytes_read{0};

 private:
  // Used again and again: growing a new one for each file costs more than reading it.
  struct Buffer {
    std::string room;
    std::size_t used = 0;
    [[nodiscard]] std::string_view text() const { return {room.data(), used}; }
    void assign(std::string_view text) {
      if (room.size() < text.size()) room.resize(text.size());
      std::copy(text.begin(), text.end(), room.begin());
      used = text.size();
    }
  };
  struct Buffers {
    Buffer bundle, tile;
    std::array<Digest, tile_width> leaves;        // from the bundle
    std::array<std::size_t, tile_width> offsets;  // of its entries
    [[nodiscard]] Digest stored(std::size_t i) const {
      Digest hash;
      std::memcpy(hash.bytes.data(), tile.room.data() + i * sizeof hash, sizeof hash);
      return hash;
    }
  };
  static Result<> read(const fs::path& path, Buffer& buffer);
  Result<> load(std::uint64_t index, std::uint16_t width, Buffers& buffers) const;
  Result<> hash_bundle(std::uint64_t index, std::uint16_t width, Buffers& buffers) const;
  [[nodiscard]] std::unexpected<Error> mismatch(std::uint64_t index, std::uint16_t width, std::size_t at, std::size_t offset,
                                                std::span<const Digest> from_bundle, std::span<const Digest> from_tile) const;
  [[nodiscard]] bool fit_the_rest(std::uint64_t index, std::span<const Digest> hashes) const;
  [[nodiscard]] fs::path file_of(const auto& coord) const { return log_directory(home_) / path_of(coord); }

  fs::path home_;
  const Checkpoint& checkpoint_;
  TreeSize size_;
  std::vector<Digest> row_;             // the roots of the full tiles of the level last checked
  std::vector<Digest> partial_leaves_;  // of the partial tile of level 0
};

Result<> LogCheck::read(const fs::path& path, Buffer& buffer) {
  const Fd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd) return fail(errno == ENOENT ? Errc::not_found : Errc::io, "cannot open `{}`: {}", path.string(), errno_text(errno));
  buffer.used = 0;
  if (buffer.room.empty()) buffer.room.resize(512 * 1024);
  while (true) {
    if (buffer.used == buffer.room.size()) buffer.room.resize(2 * buffer.used);
    const auto n = ::read(fd.get(), buffer.room.data() + buffer.used, buffer.room.size() - buffer.used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(Errc::io, "cannot read `{}`: {}", path.string(), errno_text(errno));
    if (n == 0) return {};
    buffer.used += static_cast<std::size_t>(n);
    if (buffer.used > tile_width * (2 + max_entry_bytes)) return {};  // longer than any file of the format: it will not fit
  }
}

// A partial file may have grown under a writer's hands; then the first part of the wider one serves.
Result<> LogCheck::load(std::uint64_t index, std::uint16_t width, Buffers& buffers) const {
  const BundleCoord bundle{index, width};
  const TileCoord tile{0, index, width};
  if (auto done = read(file_of(bundle), buffers.bundle); !done) {
    if (done.error().code != Errc::not_found) return done;
    const auto wider = TRY(read_bundle(home_, bundle));
    std::string prefix;
    for (const auto entry : wider->entries) TRY(append_to_bundle(prefix, entry));
    buffers.bundle.assign(prefix);
  }
  if (auto done = read(file_of(tile), buffers.tile); !done) {
    if (done.error().code != Errc::not_found) return done;
    buffers.tile.assign(encode_tile(TRY(read_tile(home_, tile)).hashes));
  }
  return {};
}

// The low byte of an entry's length stands right before the entry. Once read it becomes the 0x00 that a leaf hash begins with, so
// that leaf and prefix are hashed in one piece.
Result<> LogCheck::hash_bundle(std::uint64_t index, std::uint16_t width, Buffers& buffers) const {
  const auto broken = [&](std::string_view what, std::size_t entry, std::size_t offset) {
    return fail(Errc::corrupt, "`{}`: {} {} of {} (offset {})", shown(home_, file_of(BundleCoord{index, width})), what, entry, width,
                offset);
  };
  auto* bytes = buffers.bundle.room.data();
  const auto size = buffers.bundle.used;
  std::size_t at = 0;
  for (std::uint16_t i = 0; i < width; ++i) {
    const auto left = size - at;
    const auto length =
        left < 2 ? std::size_t{0}
                 : static_cast<std::size_t>(static_cast<std::uint8_t>(bytes[at]) << 8 | static_cast<std::uint8_t>(bytes[at + 1]));
    if (left < 2 || left - 2 < length) {
      // Perhaps the length of an entry before is wrong; then its hash is.
      for (std::uint16_t k = 0; k < i; ++k)
        if (buffers.stored(k) != buffers.leaves[k]) return broken("wrong bytes or length in entry", k, buffers.offsets[k]);
      return broken("ends within entry", i, at);
    }
    bytes[at + 1] = 0;
    buffers.leaves[i] = sha256(std::string_view{bytes + at + 1, length + 1});
    buffers.offsets[i] = at;
    at += 2 + length;
  }
  if (at == size) return {};
  for (std::uint16_t k = 0; k < width; ++k)
    if (buffers.stored(k) != buffers.leaves[k]) return broken("wrong bytes or length in entry", k, buffers.offsets[k]);
  return broken("bytes behind the last entry", width, at);
}

Result<> LogCheck::check_bundle(std::uint64_t index) {
  thread_local Buffers buffers;
  const auto width = index < full_tiles(size_, 0) ? tile_width : partial_width(size_, 0);
  TRY(load(index, width, buffers));
  const auto tile_size = width * sizeof(Digest);
  if (buffers.tile.used != tile_size)
    return fail(Errc::corrupt, "`{}`: {} bytes, not {} (offset {})", shown(home_, file_of(TileCoord{0, index, width})), buffers.tile.used,
                tile_size, std::min(buffers.tile.used, tile_size));
  TRY(hash_bundle(index, width, buffers));
  const auto hashed = std::span{buffers.leaves}.first(width);
  if (std::memcmp(hashed.data(), buffers.tile.room.data(), tile_size) != 0) {
    std::size_t at = 0;
    while (hashed[at] == buffers.stored(at)) ++at;
    return mismatch(index, width, at, buffers.offsets[at], hashed, TRY(decode_tile(buffers.tile.text(), width)));
  }
  if (width == tile_width)
    row_[index] = perfect_root(hashed);
  else
    partial_leaves_.assign(hashed.begin(), hashed.end());
  leaves += width;
  bytes_read += buffers.bundle.used + tile_size;
  ++tiles;
  ++bundles;
  return {};
}

// Whether hashes of a tile of level 0 are those that the rest of the log was built on.
bool LogCheck::fit_the_rest(std::uint64_t index, std::span<const Digest> hashes) const {
  if (hashes.size() == tile_width) {
    const auto above = index / tile_width;
    const auto width = above < full_tiles(size_, 1) ? tile_width : partial_width(size_, 1);
    const auto tile = read_tile(home_, {1, above, width});
    return tile && tile->hashes[index % tile_width] == perfect_root(hashes);
  }
  std::vector<Digest> peaks;
  const auto add_peaks = [&](std::span<const Digest> of_tile) {
    RightEdge edge;
    for (const auto& hash : of_tile) edge.add(hash);
    peaks.insert(peaks.end(), edge.peaks().begin(), edge.peaks().end());
  };
  for (auto level = static_cast<int>(tile_levels(size_)) - 1; level > 0; --level) {
    const auto l = static_cast<std::uint8_t>(level);
    if (partial_width(size_, l) == 0) continue;
    const auto tile = read_tile(home_, {l, full_tiles(size_, l), partial_width(size_, l)});
    if (!tile) return false;
    add_peaks(tile->hashes);
  }
  add_peaks(hashes);
  return RightEdge{size_, std::move(peaks)}.root() == checkpoint_.root;
}

std::unexpected<Error> LogCheck::mismatch(std::uint64_t index, std::uint16_t width, std::size_t at, std::size_t offset,
                                          std::span<const Digest> from_bundle, std::span<const Digest> from_tile) const {
  const auto leaf = index * tile_width + at;
  const auto bundle = shown(home_, file_of(BundleCoord{index, width}));
  const auto tile = shown(home_, file_of(TileCoord{0, index, width}));
  if (fit_the_rest(index, from_bundle))
    return fail(Errc::corrupt, "`{}`: the hash of leaf {} is not that of its entry (offset {})", tile, leaf, at * sizeof(Digest));
  if (fit_the_rest(index, from_tile))
    return fail(Errc::corrupt, "`{}`: the entry of leaf {} does not have its hash (offset {})", bundle, leaf, offset);
  return fail(Errc::corrupt, "`{}`: the entry of leaf {} (offset {}) does not have the hash in `{}` (offset {}), and neither fits the tree",
              bundle, leaf, offset, tile, at * sizeof(Digest));
}

// Level by level: each hash is the root of the full tile below it, and at the end stands the root of the checkpoint.
Result<> LogCheck::check_upper_tiles() {
  std::vector<std::vector<Digest>> partial{partial_leaves_};
  for (std::uint8_t level = 1; level < tile_levels(size_); ++level) {
    std::vector<Digest> roots;
    for (std::uint64_t index = 0; index * tile_width < row_.size(); ++index) {
      const auto below =
          std::span<const Digest>{row_}.subspan(index * tile_width, std::min<std::size_t>(tile_width, row_.size() - index * tile_width));
      const TileCoord coord{level, index, static_cast<std::uint16_t>(below.size())};
      const auto tile = TRY(read_tile(home_, coord));
      for (std::size_t i = 0; i < below.size(); ++i)
        if (tile.hashes[i] != below[i])
          return fail(Errc::corrupt, "`{}`: hash {} is not the root of the tile below it (offset {})", shown(home_, tile.file), i,
                      i * sizeof(Digest));
      if (below.size() == tile_width) roots.push_back(perfect_root(below));
      ++tiles;
      bytes_read += below.size_bytes();
    }
    const auto width = partial_width(size_, level);
    partial.emplace_back(row_.end() - width, row_.end());
    row_ = std::move(roots);
  }
  std::vector<Digest> peaks;
  for (auto level = partial.rbegin(); level != partial.rend(); ++level) {
    RightEdge of_level;
    for (const auto& hash : *level) of_level.add(hash);
    peaks.insert(peaks.end(), of_level.peaks().begin(), of_level.peaks().end());
  }
  if (RightEdge{size_, std::move(peaks)}.root() != checkpoint_.root)
    return fail(Errc::corrupt, "`ledger/checkpoint`: its root is not that of the {} entries in the log", size_.value);
  return {};
}

// A file that nobody reads could hold anything, and hide it.
Result<> check_for_strays(const fs::path& home, TreeSize size) {
  const auto root = log_directory(home);
  const auto belongs = [&](const std::string& path) {
    if (path == "checkpoint") return true;
    if (const auto tile = parse_tile_path(path))
      return tile->width == tile_width ? tile->index < full_tiles(size, tile->level)
                                       : tile->index == full_tiles(size, tile->level) && tile->width == partial_width(size, tile->level);
    if (const auto bundle = parse_bundle_path(path))
      return bundle->width == tile_width ? bundle->index < full_tiles(size, 0)
                                         : bundle->index == full_tiles(size, 0) && bundle->width == partial_width(size, 0);
    return false;
  };
  std::error_code error;
  for (fs::recursive_directory_iterator file{root, error}, end; !error && file != end; file.increment(error)) {
    std::error_code gone;
    const auto status = file->symlink_status(gone);
    if (gone || status.type() == fs::file_type::directory || status.type() == fs::file_type::not_found) continue;
    if (status.type() == fs::file_type::regular && belongs(file->path().lexically_relative(root).string())) continue;
    return fail(Errc::corrupt, "`{}` does not belong to a log of {} leaves", shown(home, file->path()), size.value);
  }
  for (fs::directory_iterator file{home / "blobs", error}, end; !error && file != end; file.increment(error))
    if (!pack_number(file->path()) || !file->is_regular_file()) return fail(Errc::corrupt, "`{}` is not a pack", shown(home, file->path()));
  return {};
}

struct PackTotals {
  std::atomic<std::uint64_t> blobs{0}, packs{0}, stored_bytes{0}, blob_bytes{0};
};

Result<> check_frames(const Pack& pack, std::span<const PackFrame> frames, PackTotals& totals) {
  for (const auto& frame : frames) {
    totals.blob_bytes += TRY(pack.check_frame(frame));
    totals.blobs += frame.entries.size();
  }
  return {};
}

// Frames before the seal: they tell better where a byte is broken.
Result<> check_small_pack(const Pack& pack, PackTotals& totals) {
  TRY(check_frames(pack, frames_of(pack.entries(), pack.data_end()), totals));
  TRY(pack.check_seal());
  totals.stored_bytes += pack.file_bytes();
  ++totals.packs;
  return {};
}

Result<> check_large_pack(const Pack& pack, PackTotals& totals, Crew& crew) {
  const auto frames = frames_of(pack.entries(), pack.data_end());
  constexpr std::size_t share = 8;
  const auto shares = (frames.size() + share - 1) / share;
  // The seal first, so that its long single task runs beside the others; its error comes last.
  Result<> seal;
  TRY(crew.run(shares + 1, [&](std::uint64_t i) -> Result<> {
    if (i == 0) {
      seal = pack.check_seal();
      return {};
    }
    const auto from = (i - 1) * share;
    return check_frames(pack, std::span{frames}.subspan(from, std::min(share, frames.size() - from)), totals);
  }));
  TRY(seal);
  totals.stored_bytes += pack.file_bytes();
  ++totals.packs;
  return {};
}

Result<> check_packs(std::span<const fs::path> packs, PackTotals& totals, Crew& crew) {
  for (std::size_t from = 0; from < packs.size();) {
    std::error_code ignored;
    auto to = from;
    while (to < packs.size() && fs::file_size(packs[to], ignored) < large_pack_bytes) ++to;
    TRY(crew.run(to - from, [&](std::uint64_t i) -> Result<> {
      const auto pack = TRY(Pack::open(packs[from + i]));
      return check_small_pack(pack, totals);
    }));
    if (to < packs.size()) {
      const auto pack = TRY(Pack::open(packs[to]));
      TRY(check_large_pack(pack, totals, crew));
      ++to;
    }
    from = to;
  }
  return {};
}

// Without the absolute path of the home, so that the message names the file as the format does.
Error relative_to(const fs::path& home, Error error) {
  const auto prefix = "`" + home.string() + "/";
  for (auto at = error.message.find(prefix); at != std::string::npos; at = error.message.find(prefix, at))
    error.message.erase(at + 1, prefix.size() - 1);
  return error;
}

Result<Verification> verify(const fs::path& home, unsigned threads, const std::function<void(const VerifyProgress&)>& progress) {
  const auto begun = Steady::now();
  const auto reader = TRY(Reader::open(home));
  Verification found;
  found.checkpoint = reader.checkpoint();
  const auto size = found.checkpoint.size;
  const auto packs = packs_in(home);

  LogCheck log{home, found.checkpoint};
  PackTotals totals;
  VerifyProgress shown_progress;
  shown_progress.leaves = size.value;
  std::error_code ignored;
  for (const auto& pack : packs) shown_progress.pack_bytes += fs::file_size(pack, ignored);
  Crew crew{threads, [&] {
              shown_progress.leaves_done = log.leaves;
              shown_progress.pack_bytes_done = totals.stored_bytes;
              if (progress) progress(shown_progress);
            }};

  TRY(crew.run(log.bundle_count(), [&](std::uint64_t index) { return log.check_bundle(index); }));
  TRY(log.check_upper_tiles());
  // A writer may be at work: what it adds lies beyond our checkpoint and is not ours to judge.
  if (auto strays = check_for_strays(home, size); !strays && !is_interrupted(home)) {
    const auto now = TRY(Reader::open(home));
    if (now.checkpoint().size == size) return std::unexpected(std::move(strays).error());
  }
  const auto log_ended = Steady::now();
  TRY(check_packs(packs, totals, crew));
  const auto ended = Steady::now();

  found.leaves = log.leaves;
  found.tiles = log.tiles;
  found.bundles = log.bundles;
  found.log_bytes = log.bytes_read;
  found.blobs = totals.blobs;
  found.packs = totals.packs;
  found.pack_bytes = totals.stored_bytes;
  found.blob_bytes = totals.blob_bytes;
  found.log_seconds = Seconds(log_ended - begun).count();
  found.blob_seconds = Seconds(ended - log_ended).count();
  found.seconds = Seconds(ended - begun).count();
  return found;
}

}  // namespace

Result<Verification> verify_home(const fs::path& home, unsigned threads, const std::function<void(const VerifyProgress&)>& progress) {
  auto found = verify(home, threads == 0 ? std::thread::hardware_concurrency() : threads, progress);
  if (!found) return std::unexpected(relative_to(home, std::move(found).error()));
  return found;
}

}  // namespace vouch
