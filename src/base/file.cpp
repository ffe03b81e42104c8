#include "base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <cerrno>
#include <charconv>
#include <cstdlib>

namespace vouch {
namespace {

std::unexpected<Error> io_error(std::string_view doing, const fs::path& path, int error_number = errno) {
  const auto code = error_number == ENOENT ? Errc::not_found : Errc::io;
  return fail(code, "cannot {} `{}`: {}", doing, path.string(), errno_text(error_number));
}

}  // namespace

void Fd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Result<std::string> read_file(const fs::path& path, std::size_t max_bytes) {
  const Fd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd) return io_error("open", path);
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return io_error("stat", path);
  if (S_ISDIR(status.st_mode)) return io_error("read", path, EISDIR);
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > max_bytes) return fail(Errc::limit, "`{}` has {} bytes; at most {} are read", path.string(), size, max_bytes);
  std::string bytes(size, '\0');
  std::size_t have = 0;
  while (true) {
    if (have == bytes.size()) {  // grown meanwhile, or a file whose size is not told (/proc)
      if (have >= max_bytes) break;
      bytes.resize(have + 4096);
    }
    const auto n = ::read(fd.get(), bytes.data() + have, bytes.size() - have);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return io_error("read", path);
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  bytes.resize(have);
  return bytes;
}

Result<> write_all(int fd, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const auto n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return io_error("write", path);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Result<> write_file(const fs::path& path, std::string_view bytes, Sync sync, unsigned mode) {
  auto temporary = path.string() + ".XXXXXX";
  const Fd fd{::mkostemp(temporary.data(), O_CLOEXEC)};
  if (!fd) return io_error("create a file beside", path);
  const auto give_up = [&](std::unexpected<Error> error) {
    ::unlink(temporary.c_str());
    return error;
  };
  if (::fchmod(fd.get(), mode) != 0) return give_up(io_error("chmod", temporary));
  if (auto written = write_all(fd.get(), bytes, temporary); !written) return give_up(std::unexpected(std::move(written).error()));
  if (sync == Sync::yes && ::fsync(fd.get()) != 0) return give_up(io_error("sync", temporary));
  if (::rename(temporary.c_str(), path.c_str()) != 0) return give_up(io_error("rename to", path));
  return sync == Sync::yes ? sync_directory(path.parent_path()) : Result<>{};
}

std::optional<std::string_view> network_file_system_of(std::uint64_t number) {
  switch (number) {
    case 0x6969: return "nfs";
    case 0x517b:
    case 0xff534d42:
    case 0xfe534d42: return "smb";
    case 0x5346414f: return "afs";
    case 0x00c36400: return "ceph";
    case 0x0bd00bd0: return "lustre";
    case 0x7461636f: return "ocfs2";
    case 0x01161970: return "gfs2";
    default: return std::nullopt;
  }
}

std::optional<std::string_view> network_file_system(const fs::path& path) {
  std::error_code ignored;
  auto there = fs::absolute(path, ignored);
  while (!fs::exists(there, ignored) && there.has_relative_path()) there = there.parent_path();
  struct statfs about{};
  if (::statfs(there.c_str(), &about) != 0) return std::nullopt;
  return network_file_system_of(static_cast<std::uint64_t>(about.f_type) & 0xffffffff);
}

Result<> sync_directory(const fs::path& path) {
  const Fd fd{::open(path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!fd) return io_error("open", path);
  if (::fsync(fd.get()) != 0) return io_error("sync", path);
  return {};
}

Result<> make_directory(const fs::path& path) {
  if (path.empty() || fs::is_directory(path)) return {};
  if (auto parent = make_directory(path.parent_path()); !parent) return parent;
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) return io_error("make directory", path);
  return sync_directory(path.parent_path());
}

Result<LockFile> LockFile::acquire(const fs::path& path) {
  Fd fd{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)};
  if (!fd) return io_error("open", path);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return io_error("lock", path);
    char text[32] = {};
    const auto n = ::pread(fd.get(), text, sizeof text - 1, 0);
    std::string_view holder{text, n > 0 ? static_cast<std::size_t>(n) : 0};
    holder = holder.substr(0, holder.find('\n'));
    return fail(Errc::busy, "`{}` is held by process {}", path.string(), holder.empty() ? "unknown" : holder);
  }
  const auto pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(fd.get(), 0) != 0 || ::pwrite(fd.get(), pid.data(), pid.size(), 0) < 0) return io_error("write", path);
  return LockFile{std::move(fd)};
}

TemporaryDirectory::TemporaryDirectory() {
  auto name = (fs::temp_directory_path() / "vouch-XXXXXX").string();
  if (!::mkdtemp(name.data())) std::abort();
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace vouch
