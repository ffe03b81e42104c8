// base/file.h - files: read whole, written all or nothing, locked.
//
// Durable means: after a power cut the file has the old content or the new one, never a mixture. Each write that matters goes
// to a temporary file in the same directory, is synced, renamed over its target, and the directory is synced.
#pragma once

#include "base/encoding.h"
#include "base/error.h"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace vouch {

namespace fs = std::filesystem;

// An open file descriptor, closed at the end of its life.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~Fd() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

// Errc::not_found, Errc::io; Errc::limit when larger than `max_bytes`.
Result<std::string> read_file(const fs::path& path, std::size_t max_bytes = std::size_t{1} << 30);

enum class Sync { no, yes };

// Writes to a temporary name beside `path` and renames. `mode` as chmod takes it. Errc::io leaves the old content.
Result<> write_file(const fs::path& path, std::string_view bytes, Sync sync = Sync::yes, unsigned mode = 0644);

// write(2) until all is written; Errc::io with `path` in the message (a full disk among them).
Result<> write_all(int fd, std::string_view bytes, const fs::path& path);

// Makes a directory and its parents, each synced into its parent.
Result<> make_directory(const fs::path& path);
Result<> sync_directory(const fs::path& path);

// The kind of network file system that `path`, or the nearest of its parents that is there, lies on ("nfs"); none where it is a local one.
// Over a network flock and fsync do not promise what a ledger needs. Numbers: statfs(2).
std::optional<std::string_view> network_file_system(const fs::path& path);
std::optional<std::string_view> network_file_system_of(std::uint64_t number);

// An exclusive flock(2) on a file that holds nothing but the pid of whoever holds it.
class LockFile {
 public:
  // Errc::busy names the holder's pid when another process (or another LockFile of this one) has it.
  static Result<LockFile> acquire(const fs::path& path);

 private:
  explicit LockFile(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

// A directory of its own under the system's temporary folder, removed with all in it at the end of its life. For tests.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

}  // namespace vouch
