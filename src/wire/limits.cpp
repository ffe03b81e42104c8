#include "wire/limits.h"

#include "wire/parse.h"
#include "wire/retry.h"

#include <algorithm>
#include <charconv>

namespace vouch::wire {
namespace {

constexpr Duration kSecondary = Duration::minutes(1);

// How long until the instant that a reset header names, in any of the ways that http_api.h lists.
std::optional<Duration> until_reset(std::string_view text, Instant now) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && end == text.data() + text.size() && number >= 0) {
    if (number < 1'000'000'000) return Duration::seconds(number);
    if (number < 100'000'000'000) return Instant{number * 1'000'000} - now;
    if (number < 100'000'000'000'000) return Instant{number * 1000} - now;
    return std::nullopt;
  }
  const auto at = parse_instant(text);
  return at && !at->is_infinite() ? std::optional{*at - now} : std::nullopt;
}

Duration sum(Duration a, Duration b) { return {a.micros + b.micros}; }

// A moment longer than was said: clocks are cut to whole seconds, and being early costs another refusal.
Duration a_second_more(Duration wait) { return sum(std::max(wait, Duration{}), Duration::seconds(1)); }

Instant their_now(const Answer& answer, const Limits::When& when) { return answer.server_date.value_or(when.wall); }

}  // namespace

bool Limits::is_exhausted(const Answer& answer) const {
  const auto* remaining = headers_.remaining.empty() ? nullptr : find_header(answer.headers, headers_.remaining);
  return remaining && *remaining == "0";
}

void Limits::close(const std::string& operation, std::string resource, Duration until) {
  resources_.insert_or_assign(operation, resource);
  auto& place = until_[std::move(resource)];
  place = std::max(place, until);
}

void Limits::heard(const std::string& operation, const Answer& answer, const When& when) {
  if (headers_.remaining.empty()) return;
  const auto* resource = headers_.resource.empty() ? nullptr : find_header(answer.headers, headers_.resource);
  if (resource) {
    auto& place = resources_[operation];
    if (place != *resource) place = *resource;
  }
  const auto* reset = headers_.reset.empty() ? nullptr : find_header(answer.headers, headers_.reset);
  if (!reset || !is_exhausted(answer)) return;
  if (const auto wait = until_reset(*reset, their_now(answer, when)))
    close(operation, resource ? *resource : std::string{}, sum(when.now, a_second_more(*wait)));
}

void Limits::heard_cost(const std::string& operation, const Json& rate_limit, const Answer& answer, const When& when) {
  const auto number = [&](std::string_view name) -> std::optional<std::int64_t> {
    const auto* value = find(rate_limit, name);
    const auto* found = value ? value->if_int64() : nullptr;
    return found ? std::optional{*found} : std::nullopt;
  };
  const auto remaining = number("remaining");
  const auto* reset = find_string(rate_limit, "resetAt");
  if (!remaining || !reset || *remaining >= std::max<std::int64_t>(number("cost").value_or(1), 1)) return;
  const auto wait = until_reset(std::string_view{*reset}, their_now(answer, when));
  if (!wait) return;
  const auto known = resources_.find(operation);
  close(operation, known == resources_.end() ? "graphql" : known->second, sum(when.now, a_second_more(*wait)));
}

void Limits::refused(const std::string& operation, const Answer& answer, const When& when) {
  if (const auto wait = asked_to_wait(answer.headers, their_now(answer, when))) {
    all_until_ = std::max(all_until_, sum(when.now, *wait));
    return;
  }
  // By its reset; or by the refusal of a request that was under way beside this one: that is one refusal.
  if (closed(operation, when.now).wait.micros > 0) return;
  if (answer.status == 429 && headers_.remaining.empty()) return;
  constexpr int most_doublings = 10;
  all_until_ = sum(when.now, {kSecondary.micros << std::min(streak_, most_doublings)});
  ++streak_;
}

void Limits::served(const When& when) {
  if (streak_ > 0 && when.sent >= all_until_) streak_ = 0;
}

Closed Limits::closed(const std::string& operation, Duration now) const {
  if (all_until_ > now) return {{all_until_.micros - now.micros}, "the service asks us to wait"};
  const auto resource = resources_.find(operation);
  const auto until = until_.find(resource == resources_.end() ? std::string_view{} : std::string_view{resource->second});
  if (until == until_.end() || until->second <= now) return {};
  return {{until->second.micros - now.micros},
          until->first.empty() ? "no requests are left" : fmt::format("no requests are left ({})", until->first)};
}

}  // namespace vouch::wire
