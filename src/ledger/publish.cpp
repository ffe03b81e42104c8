#include "ledger/publish.h"

#include "ledger/log_files.h"

#include <fcntl.h>
#include <atomic>
#include <cerrno>
#include <future>
#include <mutex>

namespace vouch {

namespace {

constexpr std::size_t worth_starting_early = 64 * 1024;
constexpr std::size_t most_hands = 8;       // threads that sync
constexpr std::size_t worth_a_hand = 8;     // files
constexpr std::size_t most_unsynced = 256;  // each is an open file

std::size_t size_of(std::span<const std::string_view> pieces) {
  std::size_t bytes = 0;
  for (const auto piece : pieces) bytes += piece.size();
  return bytes;
}

}  // namespace

std::set<std::string> partial_paths(TreeSize size) {
  std::set<std::string> paths;
  for (const auto& tile : partial_tiles(size)) paths.insert(path_of(tile));
  if (const auto width = partial_width(size, 0); width > 0) paths.insert(path_of(BundleCoord{full_tiles(size, 0), width}));
  return paths;
}

Publisher::Publisher(Disk& disk, fs::path home, Edge edge, Partials partials)
    : disk_(&disk),
      home_(std::move(home)),
      log_(log_directory(home_)),
      temporary_(home_ / "ledger.new"),
      edge_(std::move(edge)),
      partials_(partials == Partials::in_place ? partial_paths(edge_.size()) : std::set<std::string>{}) {}

Result<> Publisher::make_folder(const fs::path& folder) {
  if (known_folders_.contains(folder)) return {};
  if (disk_->mkdir(folder.c_str(), 0755) == 0) {
    unsynced_folders_.insert(folder);
    unsynced_folders_.insert(folder.parent_path());
  } else if (errno == ENOENT) {
    TRY(make_folder(folder.parent_path()));
    return make_folder(folder);
  } else if (errno != EEXIST) {
    return disk::error("make folder", folder);
  }
  known_folders_.insert(folder);
  return {};
}

Result<> Publisher::write_new(std::span<const std::string_view> pieces, Fd& fd) {
  fd.reset(disk_->open(temporary_.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0644));
  if (!fd) return disk::error("create", temporary_);
  TRY(disk::write(*disk_, fd.get(), pieces, 0, temporary_));
  // Lets the disk begin while the next file is prepared. No more than a hint, so its answer does not matter.
  if (size_of(pieces) >= worth_starting_early) ::sync_file_range(fd.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
  return {};
}

Result<> Publisher::write(const std::string& path, std::span<const std::string_view> pieces) {
  const auto target = log_ / path;
  TRY(make_folder(target.parent_path()));
  Fd fd;
  TRY(write_new(pieces, fd));
  TRY(disk::rename(*disk_, temporary_, target));
  unsynced_folders_.insert(target.parent_path());
  unsynced_[path] = std::move(fd);
  return unsynced_.size() < most_unsynced ? Result<>{} : sync();
}

Result<> Publisher::add(const Batch& batch) {
  const FullFiles full{
      [this](const BundleCoord& bundle, std::span<const std::string_view> pieces) { return write(path_of(bundle), pieces); },
      [this](const TileCoord& tile, std::span<const Digest> hashes) {
        const std::array<std::string_view, 1> pieces{std::string_view{reinterpret_cast<const char*>(hashes.data()), hashes.size_bytes()}};
        return write(path_of(tile), pieces);
      },
  };
  return edge_.grow(batch, &full);
}

// Exchanged, not replaced: where a rename replaces a file, ext4 writes the new one out first and makes us wait.
Result<> Publisher::write_checkpoint(std::string_view note) {
  Fd fd;
  const std::array<std::string_view, 1> pieces{note};
  TRY(write_new(pieces, fd));
  const auto target = checkpoint_path(home_);
  if (disk_->exchange(temporary_.c_str(), target.c_str()) == 0)
    TRY(disk::remove(*disk_, temporary_));
  else
    TRY(disk::rename(*disk_, temporary_, target));
  unsynced_["checkpoint"] = std::move(fd);
  unsynced_folders_.insert(log_);
  return {};
}

Result<> Publisher::publish(const Checkpoint& checkpoint) {
  const auto size = checkpoint.size;
  const auto paths = partial_paths(size);
  if (const auto width = partial_width(size, 0); width > 0) {
    const auto path = path_of(BundleCoord{full_tiles(size, 0), width});
    const std::array<std::string_view, 1> pieces{edge_.bundle()};
    if (!partials_.contains(path)) TRY(write(path, pieces));
  }
  for (const auto& tile : partial_tiles(size)) {
    const auto path = path_of(tile);
    const auto bytes = encode_tile(edge_.tile(tile.level));
    const std::array<std::string_view, 1> pieces{bytes};
    if (!partials_.contains(path)) TRY(write(path, pieces));
  }
  TRY(write_checkpoint(checkpoint.note));
  return remove_superseded(paths);
}

Result<> Publisher::remove_superseded(const std::set<std::string>& kept) {
  std::set<fs::path> folders;
  for (const auto& path : kept) folders.insert((log_ / path).parent_path());
  for (const auto& path : partials_) {
    if (kept.contains(path)) continue;
    const auto file = log_ / path;
    TRY(disk::remove(*disk_, file));
    unsynced_.erase(path);
    const auto folder = file.parent_path();
    if (folders.contains(folder)) continue;
    if (disk_->rmdir(folder.c_str()) != 0 && errno != ENOENT && errno != ENOTEMPTY) return disk::error("remove folder", folder);
    known_folders_.erase(folder);
    unsynced_folders_.erase(folder);
    unsynced_folders_.insert(folder.parent_path());
  }
  partials_ = kept;
  return {};
}

Result<> Publisher::sync() {
  // Side by side: the file system then writes one transaction for many of them, and their waits overlap.
  std::atomic<bool> ended{false};
  std::mutex mutex;
  auto next = unsynced_.begin();
  const auto sync_some = [&]() -> Result<> {
    while (!ended) {
      std::unique_lock held{mutex};
      if (next == unsynced_.end()) return {};
      const auto& [path, fd] = *next++;
      held.unlock();
      if (auto synced = disk::sync_data(*disk_, fd.get(), log_ / path); !synced) {
        ended = true;  // of a disk that fails once nothing more is asked
        return synced;
      }
    }
    return {};
  };
  std::vector<std::future<Result<>>> hands;
  for (std::size_t i = 1; i < most_hands && i * worth_a_hand < unsynced_.size(); ++i)
    hands.push_back(std::async(std::launch::async, sync_some));
  auto synced = sync_some();
  for (auto& hand : hands)
    if (auto done = hand.get(); !done) synced = std::move(done);
  TRY(synced);
  unsynced_.clear();
  for (const auto& folder : unsynced_folders_) TRY(disk::sync_directory(*disk_, folder));
  unsynced_folders_.clear();
  return {};
}

Result<> remove_stale_partials(Disk& disk, const fs::path& home, TreeSize since, TreeSize size) {
  const auto kept = partial_paths(size);
  const auto clear = [&](const fs::path& folder) -> Result<> {
    std::error_code error;
    std::vector<fs::path> files;
    for (fs::directory_iterator file{folder, error}, end; !error && file != end; file.increment(error)) files.push_back(file->path());
    bool empty = true;
    for (const auto& file : files) {
      if (kept.contains(file.lexically_relative(log_directory(home)).string()))
        empty = false;
      else
        TRY(disk::remove(disk, file));
    }
    if (empty && disk.rmdir(folder.c_str()) != 0 && errno != ENOENT) return disk::error("remove folder", folder);
    if (!files.empty()) TRY(disk::sync_directory(disk, empty ? folder.parent_path() : folder));
    return {};
  };
  for (std::uint8_t level = 0; level < tile_levels(size); ++level) {
    for (auto index = full_tiles(since, level); index <= full_tiles(size, level); ++index) {
      TRY(clear(partial_directory(home, TileCoord{level, index, tile_width})));
      if (level == 0) TRY(clear(partial_directory(home, BundleCoord{index, tile_width})));
    }
  }
  return {};
}

}  // namespace vouch
