#include "table/turnstile.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <fstream>
#include <sstream>
#include <thread>

namespace vouch::table {
namespace {

using SteadyClock = std::chrono::steady_clock;

Result<Fd> open_lock(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd >= 0) return Fd{fd};
  // A home that only its owner may write can still be read: flock works on any open file.
  const int readable = errno == EACCES || errno == EROFS ? ::open(path.c_str(), O_RDONLY | O_CLOEXEC) : -1;
  if (readable >= 0) return Fd{readable};
  return fail(Errc::io, "cannot open `{}`: {}", path.string(), errno_text(errno));
}

// True: taken. False: somebody else has it.
Result<bool> try_lock(const Fd& fd, int kind, const fs::path& path) {
  if (::flock(fd.get(), kind | LOCK_NB) == 0) return true;
  if (errno == EWOULDBLOCK || errno == EINTR) return false;
  return fail(Errc::io, "cannot lock `{}`: {}", path.string(), errno_text(errno));
}

// The processes that hold a flock on the file, as the kernel tells: "7: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF".
std::string holder_of(const Fd& fd) {
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return "another process";
  const auto file = fmt::format("{:02x}:{:02x}:{}", major(status.st_dev), minor(status.st_dev), status.st_ino);
  std::ifstream locks{"/proc/locks"};
  std::string holders;
  for (std::string line; std::getline(locks, line);) {
    if (line.find(" FLOCK ") == std::string::npos || line.find("->") != std::string::npos || line.find(file) == std::string::npos) continue;
    std::istringstream words{line};
    std::string number, flock, advisory, kind, pid;
    words >> number >> flock >> advisory >> kind >> pid;
    if (!holders.empty()) holders += ", ";
    holders += fmt::format("process {} ({})", pid, kind == "WRITE" ? "writing" : "reading");
  }
  return holders.empty() ? "another process" : holders;
}

// Asks again and again, the more rarely the longer it takes, and says once who is in the way.
class Wait {
 public:
  Wait(Duration limit, const Store::OnWait& on_wait) : limit_(limit), on_wait_(on_wait) {}

  // False when patience is over.
  bool on(const Fd& lock) {
    const auto waited = Duration{std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - begun_).count()};
    if (waited >= limit_) return false;
    if (!announced_ && on_wait_ && waited >= Turnstile::announce_after) {
      announced_ = true;
      on_wait_(holder_of(lock));
    }
    std::this_thread::sleep_for(pause_);
    pause_ = std::min(pause_ * 2, std::chrono::microseconds{5000});
    return true;
  }

 private:
  Duration limit_;
  const Store::OnWait& on_wait_;
  SteadyClock::time_point begun_ = SteadyClock::now();
  std::chrono::microseconds pause_{100};
  bool announced_ = false;
};

std::unexpected<Error> give_up(const fs::path& database, Duration wait, const Fd& lock) {
  return fail(Errc::busy, "`{}` is in use by {}; waited {} s for it", database.string(), holder_of(lock), wait.micros / 1'000'000);
}

}  // namespace

Result<Turnstile> Turnstile::pass(const fs::path& database, Mode mode, const Store::OnWait& on_wait, Duration limit) {
  const auto lock_path = fs::path{database}.replace_extension(".lock");
  const auto turnstile_path = fs::path{database}.replace_extension(".turnstile");
  auto lock = TRY(open_lock(lock_path));
  auto turnstile = TRY(open_lock(turnstile_path));
  Wait wait{limit, on_wait};

  if (mode == Mode::writing) {
    while (!TRY(try_lock(turnstile, LOCK_EX, turnstile_path)))
      if (!wait.on(turnstile)) return give_up(database, limit, turnstile);
    while (!TRY(try_lock(lock, LOCK_EX, lock_path)))
      if (!wait.on(lock)) return give_up(database, limit, lock);
    return Turnstile{std::move(lock)};
  }
  for (;;) {
    bool free = TRY(try_lock(turnstile, LOCK_SH, turnstile_path));
    const auto& in_the_way = free ? lock : turnstile;
    if (free) {
      const bool taken = TRY(try_lock(lock, LOCK_SH, lock_path));
      ::flock(turnstile.get(), LOCK_UN);
      if (taken) return Turnstile{std::move(lock)};
    }
    if (!wait.on(in_the_way)) return give_up(database, limit, in_the_way);
  }
}

}  // namespace vouch::table
