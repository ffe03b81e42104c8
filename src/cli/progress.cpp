#include "cli/progress.h"

#include <csignal>

#include <unistd.h>

namespace vouch::cli {
namespace {

std::string numbers(const collect::Progress& at) {
  auto text = fmt::format("{}/{} operations · {} requests · {:.0f}/s", at.operations_done, at.operations, grouped(at.requests),
                          at.requests_per_second);
  if (at.retried) text += fmt::format(" · {} retried", grouped(at.retried));
  if (at.denied) text += fmt::format(" · {} denied", grouped(at.denied));
  return text;
}

class Bar final : public RunProgress {
 public:
  explicit Bar(std::string source) : source_(std::move(source)) {}
  void progress(const collect::Progress& at) override {
    constexpr std::size_t cells = 24;
    const auto full = at.operations ? std::min<std::size_t>(cells, cells * at.operations_done / at.operations) : 0;
    std::string bar;
    for (std::size_t i = 0; i < cells; ++i) bar += i < full ? "━" : "╌";
    const auto line = fmt::format("{} {} {} · {}", source_, bar, numbers(at), at.current);
    fmt::print(stderr, "\r\x1b[2K{}", shorten(line, 118));
    std::fflush(stderr);
  }
  void finish() override { fmt::print(stderr, "\r\x1b[2K"); }

 private:
  std::string source_;
};

class Lines final : public RunProgress {
 public:
  explicit Lines(std::string source) : source_(std::move(source)) {}
  void progress(const collect::Progress& at) override {
    const auto seconds = at.elapsed.micros / 1'000'000;
    if (seconds < next_) return;
    next_ = seconds + 10;
    if (seconds > 0) fmt::print(stderr, "{}: {}\n", source_, numbers(at));
  }
  void finish() override {}

 private:
  std::string source_;
  std::int64_t next_ = 0;
};

class Silent final : public RunProgress {
 public:
  void finish() override {}
};

}  // namespace

std::unique_ptr<RunProgress> make_progress(std::string source, Format format) {
  if (format == Format::json) return std::make_unique<Silent>();
  if (::isatty(STDERR_FILENO) == 1) return std::make_unique<Bar>(std::move(source));
  return std::make_unique<Lines>(std::move(source));
}

const std::atomic<bool>& cancelled_by_signals() {
  static std::atomic<bool> cancelled = false;
  struct sigaction action{};
  action.sa_handler = [](int) { cancelled = true; };
  action.sa_flags = SA_RESETHAND;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  return cancelled;
}

}  // namespace vouch::cli
