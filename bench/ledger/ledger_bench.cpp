// Measures the ledger: appends, the latency of one commit beside that of a bare fdatasync, and verify. One line of JSON each.
#include "ledger/append.h"
#include "ledger/blobs.h"
#include "ledger/create.h"
#include "ledger/verify.h"

#include <fcntl.h>
#include <unistd.h>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <thread>

namespace vouch {
namespace {

constexpr std::string_view usage =
    "ledger_bench append HOME ENTRIES BYTES BATCH WRITERS   durable and signed; a fresh home\n"
    "ledger_bench latency HOME COUNT BYTES                  one entry a commit, in turn with a bare fdatasync\n"
    "ledger_bench blobs HOME MIB                            one pack of JSON-like blobs\n"
    "ledger_bench verify HOME\n";

using Words = std::vector<std::string>;
using Steady = std::chrono::steady_clock;

double seconds_since(Steady::time_point begun) { return std::chrono::duration<double>(Steady::now() - begun).count(); }

std::uint64_t number(const Words& words, std::size_t at) {
  std::uint64_t value = 0;
  std::from_chars(words.at(at).data(), words.at(at).data() + words.at(at).size(), value);
  return value;
}

std::string noise(std::size_t bytes, std::uint64_t seed) {
  std::string text(bytes, '\0');
  auto state = seed * 0x9e3779b97f4a7c15u + 1;
  for (auto& c : text) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    c = static_cast<char>(state >> 56);
  }
  return text;
}

Result<> append(const Words& words) {
  const fs::path home = words.at(2);
  const auto entries = number(words, 3), bytes = number(words, 4), batch = number(words, 5), writers = number(words, 6);
  TRY(create_log(home, "bench.example/ledger"));
  auto log = TRY(Appender::open(home));
  const auto body = noise(bytes, 1);
  std::atomic<std::uint64_t> next{0};
  std::atomic<bool> failed{false};
  const auto begun = Steady::now();
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t t = 0; t < writers; ++t)
      threads.emplace_back([&] {
        std::vector<std::string> mine(batch);
        for (auto at = next.fetch_add(batch); at < entries && !failed; at = next.fetch_add(batch)) {
          mine.resize(std::min(batch, entries - at));
          for (std::size_t i = 0; i < mine.size(); ++i) {
            mine[i] = body;
            fmt::format_to_n(mine[i].data(), 8, "{:08x}", at + i);
          }
          if (const auto committed = log.commit(mine); !committed) {
            fmt::print(stderr, "{}\n", committed.error().message);
            failed = true;
          }
        }
      });
  }
  const auto acknowledged = seconds_since(begun);
  if (failed) return fail(Errc::io, "an append failed");
  TRY(log.close());
  fmt::print("{{\"entries\": {}, \"append_seconds\": {:.6f}, \"closed_seconds\": {:.6f}}}\n", entries, acknowledged, seconds_since(begun));
  return {};
}

// In turn, so that both see the same disk in the same state.
Result<> latency(const Words& words) {
  const fs::path home = words.at(2);
  const auto count = number(words, 3), bytes = number(words, 4);
  TRY(create_log(home, "bench.example/ledger"));
  const auto bare_path = home / "bare";
  const Fd bare{::open(bare_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  TRY(write_all(bare.get(), std::string(1 << 20, '\0'), bare_path));
  if (::fsync(bare.get()) != 0) return fail(Errc::io, "fsync failed");
  const auto page = noise(4096, 2);
  const std::vector<std::string> entry{noise(bytes, 3)};
  std::vector<double> floor, commit;
  auto log = TRY(Appender::open(home));
  TRY(log.commit(entry));
  for (std::uint64_t i = 0; i < count; ++i) {
    auto begun = Steady::now();
    if (::pwrite(bare.get(), page.data(), page.size(), static_cast<off_t>(i % 256 * 4096)) < 0 || ::fdatasync(bare.get()) != 0)
      return fail(Errc::io, "fdatasync failed");
    floor.push_back(seconds_since(begun));
    begun = Steady::now();
    TRY(log.commit(entry));
    commit.push_back(seconds_since(begun));
  }
  TRY(log.close());
  const auto quantile = [](std::vector<double>& of, double q) {
    std::sort(of.begin(), of.end());
    return of[static_cast<std::size_t>(q * static_cast<double>(of.size() - 1))] * 1e6;
  };
  fmt::print("{{\"fdatasync_p50_us\": {:.1f}, \"fdatasync_p99_us\": {:.1f}, \"commit_p50_us\": {:.1f}, \"commit_p99_us\": {:.1f}}}\n",
             quantile(floor, 0.5), quantile(floor, 0.99), quantile(commit, 0.5), quantile(commit, 0.99));
  return {};
}

// Text with the redundancy of API answers: keys that repeat, values that mostly differ.
Result<> blobs(const Words& words) {
  const fs::path home = words.at(2);
  TRY(create_log(home, "bench.example/ledger"));
  auto pack = TRY(PackWriter::start(home));
  std::uint64_t written = 0, id = 0;
  while (written < number(words, 3) << 20) {
    std::string body = "{\"Users\":[";
    for (int i = 0; i < 100; ++i, ++id)
      body += fmt::format(
          "{{\"Path\":\"/\",\"UserName\":\"user-{}\",\"UserId\":\"AIDA{}\",\"Arn\":\"arn:aws:iam::123456789012:user/"
          "user-{}\",\"CreateDate\":\"2026-01-{:02}T{:02}:00:00Z\"}},",
          id, to_hex(sha256(std::to_string(id))).substr(0, 16), id, id % 28 + 1, id % 24);
    written += body.size();
    TRY(pack.add(body + "]}"));
  }
  return pack.finish();
}

Result<> verify(const Words& words) {
  const auto found = TRY(verify_home(words.at(2)));
  fmt::print("{{\"leaves\": {}, \"log_bytes\": {}, \"log_seconds\": {:.6f}, \"blob_bytes\": {}, \"blob_seconds\": {:.6f}}}\n", found.leaves,
             found.log_bytes, found.log_seconds, found.blob_bytes, found.blob_seconds);
  return {};
}

Result<> dispatch(const Words& words) {
  if (words.size() == 7 && words[1] == "append") return append(words);
  if (words.size() == 5 && words[1] == "latency") return latency(words);
  if (words.size() == 4 && words[1] == "blobs") return blobs(words);
  if (words.size() == 3 && words[1] == "verify") return verify(words);
  return fail(Errc::usage, "usage:\n{}", usage);
}

}  // namespace
}  // namespace vouch

int main(int argc, char** argv) {
  const auto done = vouch::dispatch({argv, argv + argc});
  if (!done) fmt::print(stderr, "ledger_bench: {}\n", done.error().message);
  return done ? 0 : 1;
}
