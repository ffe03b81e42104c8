// portal/schedule.h - when each source is collected. Pure: it is told the time, and says what to start; it starts nothing itself.
//
// A source has beats, `every` apart. Where they lie follows from the home's name and the source's, so that homes which were started
// together do not ask in step, and a restart changes nothing. Each beat is owed one run. What becomes of a beat:
//   a run waits for it, and starts as soon as no other is under way: runs of one home exclude each other (collect/collect.h);
//   or it is skipped, and reported: the source's run of an earlier beat is still waiting or under way (overrun), or nobody was there to
//   start it (missed: the machine slept). Never two runs make up for two beats.
// A run that went wrong is tried again a minute after its end, then after two, four …, unless a beat comes first. Somebody may ask for a
// run at any time: it is the one that waits, or one behind the one that is under way.
//
// Not for many threads at once.
#pragma once

#include "base/instant.h"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vouch::portal {

struct LastRun {
  Instant started, ended;
  bool well = true;
  std::string outcome, reason;  // for people
};

struct Planned {
  std::string source;
  std::optional<Duration> every;  // none: only when somebody asks
  std::optional<LastRun> last;    // what the ledger says
};

struct Due {
  std::uint64_t run;  // counts up from 1
  std::string source;
  std::optional<Instant> beat;  // none: somebody asked, or an earlier run went wrong
};

struct Skipped {
  enum class Why { overrun, missed };
  std::string source;
  Instant beat;  // the last of them
  std::uint64_t beats;
  Why why;
};

class Schedule {
 public:
  // `home`: any text that tells this home from others. A source that was never collected, or for which a beat has passed since its last
  // run, is due at once.
  Schedule(std::string_view home, std::vector<Planned> sources, Instant now);

  // Lets time pass. What is due now waits for start().
  std::vector<Skipped> advance(Instant now);

  // The run to start now, in the order in which they came due; none while one is under way. To be followed by ended().
  std::optional<Due> start();
  std::vector<Skipped> ended(Instant now, bool well);

  // The number of the run that will answer; none when there is no such source.
  std::optional<std::uint64_t> ask(std::string_view source);

  // When advance() will next have something to say; infinity when never.
  [[nodiscard]] Instant next() const;

  // Of one source: the next instant at which it will be due by itself; none when never, or when there is no such source.
  [[nodiscard]] std::optional<Instant> next(std::string_view source) const;
  [[nodiscard]] const std::optional<Due>& running() const { return running_; }

 private:
  struct Source {
    std::string name;
    std::optional<Duration> every;
    Duration phase;
    Instant beat = Instant::infinity();  // the next one
    std::optional<Instant> retry;
    std::optional<std::uint64_t> again;  // the run that was asked for while one was under way
    std::uint64_t failures = 0;          // in a row
  };

  [[nodiscard]] bool is_running(const Source& source) const { return running_ && running_->source == source.name; }
  Due* waiting_for(std::string_view source);
  void pass_beats(Source& source, Instant now, std::vector<Skipped>& skipped);

  std::vector<Source> sources_;
  std::deque<Due> waiting_;
  std::optional<Due> running_;
  std::uint64_t runs_ = 0;
};

// The first beat after `at`. Its distance from `at` is above zero and at most `every`.
Instant beat_after(Instant at, Duration every, Duration phase);

// In [0, every).
Duration phase_of(std::string_view home, std::string_view source, Duration every);

}  // namespace vouch::portal
