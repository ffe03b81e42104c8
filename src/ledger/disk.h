// ledger/disk.h - the system calls by which this module changes a home: a seam, so that tests make each of them fail once.
#pragma once

#include "base/file.h"

#include <sys/types.h>
#include <sys/uio.h>
#include <span>

namespace vouch {

// Each function is the system call of its name: -1 and errno on failure.
class Disk {
 public:
  virtual ~Disk() = default;
  virtual int open(const char* path, int flags, mode_t mode);
  virtual ssize_t pwritev(int fd, const iovec* pieces, int count, off_t offset);
  virtual int fdatasync(int fd);
  virtual int fsync(int fd);
  virtual int ftruncate(int fd, off_t size);
  virtual int rename(const char* from, const char* to);
  virtual int exchange(const char* a, const char* b);  // renameat2 with RENAME_EXCHANGE
  virtual int link(const char* from, const char* to);  // fails where `to` exists
  virtual int unlink(const char* path);
  virtual int rmdir(const char* path);
  virtual int mkdir(const char* path, mode_t mode);
};

// The real one. Stateless.
Disk& system_disk();

// What those calls are used for. Errors are Errc::io with path and errno's text.
namespace disk {

std::unexpected<Error> error(std::string_view doing, const fs::path& path);  // from errno

Result<Fd> create(Disk& disk, const fs::path& path, mode_t mode = 0644);  // a new file; one of that name is an error
Result<> write(Disk& disk, int fd, std::span<const std::string_view> pieces, std::uint64_t offset, const fs::path& path);
Result<> sync_data(Disk& disk, int fd, const fs::path& path);
Result<> sync_directory(Disk& disk, const fs::path& path);
Result<> rename(Disk& disk, const fs::path& from, const fs::path& to);
Result<> remove(Disk& disk, const fs::path& path);  // no error when it is not there

}  // namespace disk
}  // namespace vouch
