// portal/runs.h - collects: by schedule, and when somebody asks. One thread, one run at a time; all functions may be called from any.
#pragma once

#include "base/json.h"
#include "ledger/evidence.h"
#include "portal/log.h"
#include "portal/metrics.h"
#include "portal/schedule.h"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

namespace vouch::portal {

// What the collection of one source came to.
struct Ran {
  // The leaf's; "partial" where accounts fared differently. "error": nothing was recorded; "cancelled": the server ends.
  std::string outcome;
  std::string reason;  // empty when complete
  evidence::Counts counts;
  std::uint64_t throttled = 0;
  Json answer;  // what `vouch collect --format json` prints of it

  [[nodiscard]] bool recorded() const { return outcome != "error" && outcome != "cancelled"; }
  [[nodiscard]] bool well() const { return outcome == "complete" || outcome == "partial"; }
};

// Collects a source and folds what it brought; returns soon after `cancelled` is set. Called on the thread of Runs.
using Collect = std::function<Ran(const std::string& source, const std::atomic<bool>& cancelled)>;

struct SourceState {
  std::string source;
  std::optional<Duration> every;
  std::optional<Instant> last_started, last_ended;  // of the last that was recorded
  std::string last_outcome, last_reason;
  std::optional<Instant> next;           // by itself
  std::optional<Instant> running_since;  // none: it is not being collected
};

class Runs {
 public:
  // All references outlive it. Nothing runs before start().
  Runs(std::string_view home, std::vector<Planned> sources, Collect collect, const Clock& clock, Metrics& metrics, Log& log);
  ~Runs();
  Runs(const Runs&) = delete;
  Runs& operator=(const Runs&) = delete;

  void start();
  // Cancels the run under way and waits for its end. Whoever waits for a run is told "cancelled".
  void stop();

  // Queues a run now; `done` is called with what it came to, on the thread of Runs. Errc::not_found: no such source; Errc::busy: it stops.
  using Done = std::function<void(const Ran&)>;
  Result<> ask(std::string_view source, Done done);

  [[nodiscard]] std::vector<SourceState> state() const;
  [[nodiscard]] Instant since() const { return since_; }  // when it was made

 private:
  void work();
  void run(const Due& due, std::unique_lock<std::mutex>& held);
  void tell(const std::vector<Skipped>& skipped);
  void count(const Due& due, const Ran& ran, Instant started, Instant ended);
  void publish_next();

  const Collect collect_;
  const Clock& clock_;
  Metrics& metrics_;
  Log& log_;
  const Instant since_;
  std::atomic<bool> cancelled_ = false;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Schedule schedule_;
  std::vector<SourceState> sources_;
  std::multimap<std::uint64_t, Done> waiters_;  // by the number of the run
  std::thread thread_;
};

}  // namespace vouch::portal
