#include "wire/process.h"

#include "base/file.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <chrono>

extern char** environ;

namespace vouch::wire {
namespace {

using SteadyClock = std::chrono::steady_clock;

// A child that is killed and waited for if nobody has waited for it.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    wait();
  }
  int wait() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
    pid_ = 0;
    return status;
  }

 private:
  pid_t pid_;
};

}  // namespace

Result<std::string> run_process(const std::vector<std::string>& words, Duration longest, std::size_t max_bytes) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return fail(Errc::io, "pipe: {}", errno_text(errno));
  Fd reader{ends[0]}, writer{ends[1]};

  std::vector<char*> arguments;
  for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, writer.get(), STDOUT_FILENO);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return fail(error == ENOENT ? Errc::not_found : Errc::io, "`{}`: {}", words[0], errno_text(error));
  Child child{pid};
  writer.reset();

  std::string output;
  const auto deadline = SteadyClock::now() + std::chrono::microseconds{longest.micros};
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - SteadyClock::now()).count();
    pollfd entry{reader.get(), POLLIN, 0};
    if (left <= 0) return fail(Errc::unreachable, "`{}` takes longer than {}", words[0], to_string(longest));
    if (poll(&entry, 1, static_cast<int>(left)) <= 0) continue;
    std::array<char, 4096> buffer;
    const auto got = read(reader.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    output.append(buffer.data(), static_cast<std::size_t>(got));
    if (output.size() > max_bytes) return fail(Errc::limit, "`{}` prints more than {} bytes", words[0], max_bytes);
  }
  const int status = child.wait();
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return fail(Errc::denied, "`{}` fails", words[0]);
  return output;
}

}  // namespace vouch::wire
