#include "ledger/disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <vector>

namespace vouch {

int Disk::open(const char* path, int flags, mode_t mode) { return ::open(path, flags | O_CLOEXEC, mode); }
ssize_t Disk::pwritev(int fd, const iovec* pieces, int count, off_t offset) { return ::pwritev(fd, pieces, count, offset); }
int Disk::fdatasync(int fd) { return ::fdatasync(fd); }
int Disk::fsync(int fd) { return ::fsync(fd); }
int Disk::ftruncate(int fd, off_t size) { return ::ftruncate(fd, size); }
int Disk::rename(const char* from, const char* to) { return ::rename(from, to); }
int Disk::exchange(const char* a, const char* b) { return ::renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE); }
int Disk::link(const char* from, const char* to) { return ::link(from, to); }
int Disk::unlink(const char* path) { return ::unlink(path); }
int Disk::rmdir(const char* path) { return ::rmdir(path); }
int Disk::mkdir(const char* path, mode_t mode) { return ::mkdir(path, mode); }

Disk& system_disk() {
  static Disk disk;
  return disk;
}

namespace disk {

std::unexpected<Error> error(std::string_view doing, const fs::path& path) {
  return fail(Errc::io, "cannot {} `{}`: {}", doing, path.string(), errno_text(errno));
}

Result<Fd> create(Disk& disk, const fs::path& path, mode_t mode) {
  Fd fd{disk.open(path.c_str(), O_RDWR | O_CREAT | O_EXCL, mode)};
  if (!fd) return error("create", path);
  return fd;
}

Result<> write(Disk& disk, int fd, std::span<const std::string_view> pieces, std::uint64_t offset, const fs::path& path) {
  std::vector<iovec> left;
  left.reserve(pieces.size());
  for (const auto piece : pieces)
    if (!piece.empty()) left.push_back({const_cast<char*>(piece.data()), piece.size()});
  for (std::size_t at = 0; at < left.size();) {
    const auto count = static_cast<int>(std::min<std::size_t>(left.size() - at, IOV_MAX));
    const auto n = disk.pwritev(fd, &left[at], count, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return error("write", path);
    offset += static_cast<std::uint64_t>(n);
    for (auto written = static_cast<std::size_t>(n); written > 0;) {
      const auto step = std::min(written, left[at].iov_len);
      left[at].iov_base = static_cast<char*>(left[at].iov_base) + step;
      left[at].iov_len -= step;
      written -= step;
      if (left[at].iov_len == 0) ++at;
    }
  }
  return {};
}

Result<> sync_data(Disk& disk, int fd, const fs::path& path) {
  if (disk.fdatasync(fd) != 0) return error("sync", path);
  return {};
}

Result<> sync_directory(Disk& disk, const fs::path& path) {
  const Fd fd{disk.open(path.c_str(), O_RDONLY | O_DIRECTORY, 0)};
  if (!fd) return error("open", path);
  if (disk.fsync(fd.get()) != 0) return error("sync", path);
  return {};
}

Result<> rename(Disk& disk, const fs::path& from, const fs::path& to) {
  if (disk.rename(from.c_str(), to.c_str()) != 0) return error("rename to", to);
  return {};
}

Result<> remove(Disk& disk, const fs::path& path) {
  if (disk.unlink(path.c_str()) != 0 && errno != ENOENT) return error("remove", path);
  return {};
}

}  // namespace disk
}  // namespace vouch
