#include "portal/schedule.h"

#include "base/digest.h"

#include <algorithm>

namespace vouch::portal {
namespace {

constexpr Duration first_retry = Duration::minutes(1);

// After the n-th failure in a row.
Duration backoff(std::uint64_t failures, Duration every) {
  auto wait = first_retry;
  for (std::uint64_t i = 1; i < failures && wait < every; ++i) wait.micros *= 2;
  return std::min(wait, every);
}

}  // namespace

Instant beat_after(Instant at, Duration every, Duration phase) {
  const auto since = at.micros - phase.micros;
  auto whole = since / every.micros;
  if (since < 0 && since % every.micros != 0) --whole;  // rounded down, also before 1970
  return {phase.micros + (whole + 1) * every.micros};
}

Duration phase_of(std::string_view home, std::string_view source, Duration every) {
  const auto digest = sha256(fmt::format("{}\n{}", home, source));
  std::uint64_t number = 0;
  for (int i = 0; i < 8; ++i) number = number << 8 | digest.bytes[static_cast<std::size_t>(i)];
  return {static_cast<std::int64_t>(number % static_cast<std::uint64_t>(every.micros))};
}

Schedule::Schedule(std::string_view home, std::vector<Planned> sources, Instant now) {
  for (auto& planned : sources) {
    Source source;
    source.name = std::move(planned.source);
    source.every = planned.every;
    if (source.every) {
      const auto every = *source.every;
      source.phase = phase_of(home, source.name, every);
      const auto next = beat_after(now, every, source.phase);
      const auto before = next - every;  // the one that may be owed; those before it are history
      const bool owed = !planned.last || planned.last->started < before;
      source.beat = owed ? before : next;
      if (planned.last && !planned.last->well) {
        source.failures = 1;
        source.retry = std::min(planned.last->ended, now) + backoff(1, every);
      }
    }
    sources_.push_back(std::move(source));
  }
}

Due* Schedule::waiting_for(std::string_view source) {
  const auto found = std::find_if(waiting_.begin(), waiting_.end(), [&](const Due& due) { return due.source == source; });
  return found == waiting_.end() ? nullptr : &*found;
}

void Schedule::pass_beats(Source& source, Instant now, std::vector<Skipped>& skipped) {
  const auto every = *source.every;
  const auto next = beat_after(now, every, source.phase);
  if (source.beat - now > Duration{2 * every.micros}) source.beat = next;  // the clock was set back, and by more than a correction
  if (source.beat > now) return;
  const auto last = next - every;
  auto passed = static_cast<std::uint64_t>((last - source.beat).micros / every.micros) + 1;
  const auto skip = [&](std::uint64_t beats, Instant beat, Skipped::Why why) {
    if (beats > 0) skipped.push_back({source.name, beat, beats, why});
  };
  if (is_running(source)) {
    skip(passed, last, Skipped::Why::overrun);
  } else {
    auto* due = waiting_for(source.name);
    if (due && due->beat) {  // whoever waits answers for the newest beat
      skip(passed, last - every, Skipped::Why::overrun);
    } else {
      skip(passed - 1, last - every, Skipped::Why::missed);
      if (!due) due = &waiting_.emplace_back(Due{++runs_, source.name, std::nullopt});
    }
    due->beat = last;
    source.retry.reset();
  }
  source.beat = next;
}

std::vector<Skipped> Schedule::advance(Instant now) {
  std::vector<Skipped> skipped;
  for (auto& source : sources_) {
    if (!source.every) continue;
    pass_beats(source, now, skipped);
    if (!source.retry || *source.retry > now || is_running(source)) continue;
    source.retry.reset();
    if (!waiting_for(source.name)) waiting_.push_back({++runs_, source.name, std::nullopt});
  }
  return skipped;
}

std::optional<Due> Schedule::start() {
  if (running_ || waiting_.empty()) return std::nullopt;
  running_ = std::move(waiting_.front());
  waiting_.pop_front();
  for (auto& source : sources_)
    if (source.name == running_->source) source.retry.reset();
  return running_;
}

std::vector<Skipped> Schedule::ended(Instant now, bool well) {
  auto skipped = advance(now);  // beats that came while it ran
  for (auto& source : sources_) {
    if (!is_running(source)) continue;
    source.failures = well ? 0 : source.failures + 1;
    if (!well && source.every) {
      const auto retry = now + backoff(source.failures, *source.every);
      if (retry < source.beat) source.retry = retry;
    }
    if (source.again) waiting_.push_back({*source.again, source.name, std::nullopt});
    source.again.reset();
  }
  running_.reset();
  return skipped;
}

std::optional<std::uint64_t> Schedule::ask(std::string_view name) {
  const auto source = std::find_if(sources_.begin(), sources_.end(), [&](const Source& one) { return one.name == name; });
  if (source == sources_.end()) return std::nullopt;
  if (const auto* due = waiting_for(name)) return due->run;
  if (is_running(*source)) {
    if (!source->again) source->again = ++runs_;
    return source->again;
  }
  return waiting_.emplace_back(Due{++runs_, source->name, std::nullopt}).run;
}

Instant Schedule::next() const {
  auto next = Instant::infinity();
  for (const auto& source : sources_) {
    next = std::min(next, source.beat);
    if (source.retry && !is_running(source)) next = std::min(next, *source.retry);
  }
  return next;
}

std::optional<Instant> Schedule::next(std::string_view name) const {
  for (const auto& source : sources_) {
    if (source.name != name || !source.every) continue;
    return source.retry && !is_running(source) ? std::min(source.beat, *source.retry) : source.beat;
  }
  return std::nullopt;
}

}  // namespace vouch::portal
