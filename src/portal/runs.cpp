#include "portal/runs.h"

#include <algorithm>

namespace vouch::portal {
namespace {

// The system's clock may be set and the machine may sleep: the schedule is looked at again at least this often.
constexpr auto longest_nap = std::chrono::seconds(5);

double seconds(Duration length) { return static_cast<double>(length.micros) / 1e6; }
double seconds(Instant at) { return static_cast<double>(at.micros) / 1e6; }

Labels of(std::string_view source) { return {{"source", std::string(source)}}; }

std::vector<SourceState> states_of(const std::vector<Planned>& sources) {
  std::vector<SourceState> states;
  for (const auto& planned : sources) {
    SourceState state;
    state.source = planned.source;
    state.every = planned.every;
    if (planned.last) {
      state.last_started = planned.last->started;
      state.last_ended = planned.last->ended;
      state.last_outcome = planned.last->outcome;
      state.last_reason = planned.last->reason;
    }
    states.push_back(std::move(state));
  }
  return states;
}

}  // namespace

Runs::Runs(std::string_view home, std::vector<Planned> sources, Collect collect, const Clock& clock, Metrics& metrics, Log& log)
    : collect_(std::move(collect)),
      clock_(clock),
      metrics_(metrics),
      log_(log),
      since_(clock.now()),
      schedule_(home, sources, since_),
      sources_(states_of(sources)) {
  for (const auto& planned : sources) {
    const auto source = of(planned.source);
    for (const auto* family : {"vouch_collection_requests_total", "vouch_collection_retried_total", "vouch_collection_throttled_total",
                               "vouch_collection_denied_total", "vouch_collection_failed_total", "vouch_collection_new_bodies_total",
                               "vouch_collection_seconds_total", "vouch_collection_overruns_total", "vouch_collection_missed_total"})
      metrics_.add(family, source, 0);
    metrics_.set("vouch_collection_running", source, 0);
    if (planned.last && planned.last->well)
      metrics_.set("vouch_collection_last_success_timestamp_seconds", source, seconds(planned.last->ended));
  }
  publish_next();
}

Runs::~Runs() { stop(); }

void Runs::start() {
  thread_ = std::thread{[this] { work(); }};
}

void Runs::stop() {
  {
    const std::lock_guard held{mutex_};
    cancelled_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  std::multimap<std::uint64_t, Done> waiters;
  {
    const std::lock_guard held{mutex_};
    waiters.swap(waiters_);
  }
  Ran nothing;
  nothing.outcome = "cancelled";
  for (const auto& [run, done] : waiters) done(nothing);
}

Result<> Runs::ask(std::string_view source, Done done) {
  {
    const std::lock_guard held{mutex_};
    if (cancelled_) return fail(Errc::busy, "the server is being ended");
    const auto run = schedule_.ask(source);
    if (!run) return fail(Errc::not_found, "no source `{}` in vouch.yaml", source);
    waiters_.emplace(*run, std::move(done));
  }
  changed_.notify_all();
  return {};
}

std::vector<SourceState> Runs::state() const {
  const std::lock_guard held{mutex_};
  auto states = sources_;
  for (auto& state : states) state.next = schedule_.next(state.source);
  return states;
}

void Runs::work() {
  std::unique_lock held{mutex_};
  while (!cancelled_) {
    tell(schedule_.advance(clock_.now()));
    publish_next();
    if (const auto due = schedule_.start()) {
      run(*due, held);
      continue;
    }
    const auto next = schedule_.next();
    const auto until_next = next.is_infinite() ? Duration::days(1) : std::max(next - clock_.now(), Duration{0});
    changed_.wait_for(held, std::min<std::chrono::microseconds>(longest_nap, std::chrono::microseconds(until_next.micros)));
  }
}

void Runs::run(const Due& due, std::unique_lock<std::mutex>& held) {
  const auto state = std::find_if(sources_.begin(), sources_.end(), [&](const auto& one) { return one.source == due.source; });
  const auto started = clock_.now();
  state->running_since = started;
  metrics_.set("vouch_collection_running", of(due.source), 1);
  held.unlock();
  log_(Level::info, "collecting", {{"source", due.source}, {"scheduled", due.beat ? to_string(*due.beat) : "no"}});
  const auto ran = collect_(due.source, cancelled_);
  const auto ended = clock_.now();
  count(due, ran, started, ended);
  std::vector<Done> told;
  held.lock();
  state->running_since.reset();
  metrics_.set("vouch_collection_running", of(due.source), 0);
  if (ran.recorded()) {
    state->last_started = started;
    state->last_ended = ended;
    state->last_outcome = ran.outcome;
    state->last_reason = ran.reason;
  }
  tell(schedule_.ended(ended, ran.well()));
  const auto [first, last] = waiters_.equal_range(due.run);
  for (auto waiter = first; waiter != last; ++waiter) told.push_back(std::move(waiter->second));
  waiters_.erase(first, last);
  held.unlock();
  for (const auto& done : told) done(ran);
  held.lock();
}

void Runs::tell(const std::vector<Skipped>& skipped) {
  for (const auto& one : skipped) {
    const bool overrun = one.why == Skipped::Why::overrun;
    metrics_.add(overrun ? "vouch_collection_overruns_total" : "vouch_collection_missed_total", of(one.source),
                 static_cast<double>(one.beats));
    log_(Level::warn, overrun ? "overrun" : "missed",
         {{"source", one.source},
          {"beat", to_string(one.beat)},
          {"skipped", std::to_string(one.beats)},
          {"why", overrun ? "an earlier run has not ended" : "nobody was there to start it"}});
  }
}

void Runs::count(const Due& due, const Ran& ran, Instant started, Instant ended) {
  const auto took = ended - started;
  const auto source = of(due.source);
  const auto& counts = ran.counts;
  const auto add = [&](std::string_view family, std::uint64_t n) { metrics_.add(family, source, static_cast<double>(n)); };
  if (ran.outcome != "cancelled") metrics_.add("vouch_collections_total", {{"source", due.source}, {"outcome", ran.outcome}});
  add("vouch_collection_requests_total", counts.requests);
  add("vouch_collection_retried_total", counts.retried);
  add("vouch_collection_throttled_total", ran.throttled);
  add("vouch_collection_denied_total", counts.denied);
  add("vouch_collection_failed_total", counts.failed);
  add("vouch_collection_new_bodies_total", counts.new_bodies);
  metrics_.add("vouch_collection_seconds_total", source, std::max(0.0, seconds(took)));
  metrics_.set("vouch_collection_last_duration_seconds", source, std::max(0.0, seconds(took)));
  if (ran.well()) metrics_.set("vouch_collection_last_success_timestamp_seconds", source, seconds(ended));
  const auto level = ran.outcome == "complete" || ran.outcome == "cancelled" ? Level::info : ran.recorded() ? Level::warn : Level::error;
  log_(level, "collected",
       {{"source", due.source},
        {"outcome", ran.outcome},
        {"seconds", fmt::format("{:.1f}", seconds(took))},
        {"requests", std::to_string(counts.requests)},
        {"new_bodies", std::to_string(counts.new_bodies)},
        {"retried", std::to_string(counts.retried)},
        {"throttled", std::to_string(ran.throttled)},
        {"denied", std::to_string(counts.denied)},
        {"failed", std::to_string(counts.failed)},
        {"reason", ran.reason}});
}

void Runs::publish_next() {
  for (const auto& source : sources_)
    if (const auto next = schedule_.next(source.source))
      metrics_.set("vouch_collection_next_run_timestamp_seconds", of(source.source), seconds(*next));
}

}  // namespace vouch::portal
