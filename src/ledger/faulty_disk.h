// ledger/faulty_disk.h - for tests: a disk that fails at a chosen call, and that can lose what was not synced.
#pragma once

#include "ledger/disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <cerrno>
#include <map>
#include <mutex>
#include <random>
#include <set>

namespace vouch {

// Counts the calls that change something. It does not sync in truth: it remembers what a sync would have made durable. Files are known
// under `root` only.
class FaultyDisk final : public Disk {
 public:
  enum class Fault {
    none,
    once,       // one call fails with EIO, the rest goes on
    full,       // from there on writes and new files fail with ENOSPC, the first write after half its bytes
    death,      // from there on nothing happens any more
    torn_death  // the same, but a write that is hit leaves half its bytes
  };

  FaultyDisk(fs::path root, Fault fault, std::size_t at) : root_(std::move(root)), fault_(fault), at_(at) {
    for (const auto& file : fs::recursive_directory_iterator{root_}) {
      if (!file.is_regular_file() || !is_ours(file.path())) continue;
      names_[file.path()] = ++last_id_;
      durable_content_[last_id_] = content_of(file.path());
    }
    durable_names_ = names_;
  }

  [[nodiscard]] std::size_t calls() const {
    const std::lock_guard held{mutex_};
    return calls_;
  }

  int open(const char* path, int flags, mode_t mode) override {
    const std::lock_guard held{mutex_};
    const bool creates = (flags & O_CREAT) != 0 && !fs::exists(path);
    if (creates && fails(Kind::space)) return -1;
    if (!creates && dead_) return fail_with(EIO);
    const int fd = Disk::open(path, flags, mode);
    if (fd < 0) return fd;
    if (creates) names_[path] = ++last_id_;
    fd_paths_[fd] = path;
    fd_ids_[fd] = names_.contains(path) ? names_[path] : 0;
    return fd;
  }

  ssize_t pwritev(int fd, const iovec* pieces, int count, off_t offset) override {
    const std::lock_guard held{mutex_};
    const auto half = [&]() -> ssize_t {
      iovec first = pieces[0];
      first.iov_len = (first.iov_len + 1) / 2;
      return Disk::pwritev(fd, &first, 1, offset);
    };
    const bool was_sound = !full_ && !dead_;
    if (fails(Kind::space)) {
      if (was_sound && fault_ == Fault::torn_death) (void)half();
      if (was_sound && fault_ == Fault::full) return half();
      return fail_with(fault_ == Fault::full ? ENOSPC : EIO);
    }
    return Disk::pwritev(fd, pieces, count, offset);
  }

  int fdatasync(int fd) override { return sync(fd); }
  int fsync(int fd) override { return sync(fd); }
  int ftruncate(int fd, off_t size) override {
    const std::lock_guard held{mutex_};
    return fails(Kind::other) ? -1 : Disk::ftruncate(fd, size);
  }
  int rename(const char* from, const char* to) override {
    const std::lock_guard held{mutex_};
    if (fails(Kind::other)) return -1;
    forget(to);
    const auto id = names_[from];
    if (Disk::rename(from, to) != 0) return -1;
    names_.erase(from);
    names_[to] = id;
    return 0;
  }
  int exchange(const char* a, const char* b) override {
    const std::lock_guard held{mutex_};
    if (fails(Kind::other)) return -1;
    if (Disk::exchange(a, b) != 0) return -1;
    std::swap(names_[a], names_[b]);
    return 0;
  }
  int link(const char* from, const char* to) override {
    const std::lock_guard held{mutex_};
    if (fails(Kind::space)) return -1;
    if (Disk::link(from, to) != 0) return -1;
    names_[to] = names_[from];
    return 0;
  }
  int unlink(const char* path) override {
    const std::lock_guard held{mutex_};
    if (fails(Kind::other)) return -1;
    forget(path);
    if (Disk::unlink(path) != 0) return -1;
    names_.erase(path);
    return 0;
  }
  int rmdir(const char* path) override {
    const std::lock_guard held{mutex_};
    return fails(Kind::other) ? -1 : Disk::rmdir(path);
  }
  int mkdir(const char* path, mode_t mode) override {
    const std::lock_guard held{mutex_};
    if (fs::exists(path)) return fail_with(EEXIST);
    return fails(Kind::space) ? -1 : Disk::mkdir(path, mode);
  }

  // What a power cut may leave: of each name and of each page that was not synced, the old state or the new one, by chance.
  void cut_power(std::uint64_t seed) {
    std::mt19937_64 random{seed};
    std::set<fs::path> paths;
    for (const auto& [path, id] : names_) paths.insert(path);
    for (const auto& [path, id] : durable_names_) paths.insert(path);
    std::map<fs::path, std::string> left;
    for (const auto& path : paths) {
      const auto now = names_.find(path);
      const auto then = durable_names_.find(path);
      const bool same = now != names_.end() && then != durable_names_.end() && now->second == then->second;
      const bool take_new = same || random() % 2 == 0;
      if (take_new ? now == names_.end() : then == durable_names_.end()) continue;
      left[path] = survived(take_new ? now->second : then->second, random);
    }
    for (const auto& [path, id] : names_) fs::remove(path);
    for (const auto& [path, bytes] : left) {
      fs::create_directories(path.parent_path());
      (void)write_file(path, bytes, Sync::no);
    }
  }

 private:
  enum class Kind { space, other };

  bool is_ours(const fs::path& path) const {
    const auto first = path.lexically_relative(root_).begin()->string();
    return first == "ledger" || first == "blobs" || first.starts_with("ledger.journal");
  }
  static std::string content_of(const fs::path& path) { return read_file(path).value_or(""); }
  static int fail_with(int error) {
    errno = error;
    return -1;
  }

  bool fails(Kind kind) {
    const bool hit = calls_++ == at_ && fault_ != Fault::none;
    if (hit && fault_ == Fault::full) full_ = true;
    if (hit && (fault_ == Fault::death || fault_ == Fault::torn_death)) dead_ = true;
    if (dead_ || (hit && fault_ == Fault::once)) return fail_with(EIO) != 0;
    if (full_ && kind == Kind::space) return fail_with(ENOSPC) != 0;
    return false;
  }

  // Of a name that goes away the content may still come back.
  void forget(const fs::path& path) {
    if (const auto name = names_.find(path); name != names_.end()) lost_content_[name->second] = content_of(path);
  }

  int sync(int fd) {
    const std::lock_guard held{mutex_};
    if (fails(Kind::other)) return -1;
    const fs::path path = fd_paths_[fd];
    if (fs::is_directory(path)) {
      // With a folder whose removal is synced goes all that was in it.
      std::erase_if(durable_names_, [&](const auto& name) {
        const auto folder = name.first.parent_path();
        return folder == path || (folder.parent_path() == path && !fs::exists(folder));
      });
      for (const auto& [name, id] : names_)
        if (name.parent_path() == path) durable_names_[name] = id;
      return 0;
    }
    for (const auto& [name, id] : names_)
      if (id == fd_ids_[fd]) durable_content_[id] = content_of(name);
    return 0;
  }

  std::string survived(std::size_t id, std::mt19937_64& random) {
    std::string now = lost_content_[id];
    for (const auto& [path, other] : names_)
      if (other == id) now = content_of(path);
    const auto synced = durable_content_.find(id);
    const std::string then = synced == durable_content_.end() ? std::string{} : synced->second;
    if (now == then) return now;
    std::string mixed(random() % 2 == 0 ? now.size() : then.size(), '\0');
    for (std::size_t at = 0; at < mixed.size(); at += 4096) {
      const auto& from = random() % 2 == 0 ? now : then;
      if (at < from.size())
        std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(at), std::min<std::size_t>({4096, from.size() - at, mixed.size() - at}),
                    mixed.begin() + static_cast<std::ptrdiff_t>(at));
    }
    return mixed;
  }

  const fs::path root_;
  const Fault fault_;
  const std::size_t at_;
  mutable std::mutex mutex_;
  std::size_t calls_ = 0;
  bool dead_ = false, full_ = false;
  std::size_t last_id_ = 0;
  std::map<fs::path, std::size_t> names_, durable_names_;  // files by identity, which a rename keeps
  std::map<std::size_t, std::string> durable_content_, lost_content_;
  std::map<int, fs::path> fd_paths_;
  std::map<int, std::size_t> fd_ids_;
};

}  // namespace vouch
