#include "wire/retry.h"

#include "wire/timestamp.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace vouch::wire {
namespace {

std::optional<std::int64_t> count_in(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
  return std::min<std::int64_t>(value, 1'000'000'000);
}

}  // namespace

bool is_transient(const ServiceError& error, int status) {
  if (status == 500 || status == 502 || status == 503 || status == 504) return true;
  for (const std::string_view code : {"RequestTimeout", "RequestTimeoutException", "PriorRequestNotComplete", "IDPCommunicationError",
                                      "InternalError", "InternalFailure", "ServiceUnavailable"})
    if (error.code == code) return true;
  return false;
}

Duration backoff(int attempt, bool throttled, double random) {
  const double base = throttled ? 1.0 : 0.05;
  const double longest = std::min(base * std::pow(2.0, std::min(attempt, 30) - 1), 20.0);
  return {static_cast<std::int64_t>(random * longest * 1e6)};
}

std::optional<Duration> asked_to_wait(const Headers& headers, Instant now) {
  if (const auto* header = find_header(headers, "x-amz-retry-after"))
    if (const auto milliseconds = count_in(*header)) return Duration{*milliseconds * 1000};
  const auto* header = find_header(headers, "Retry-After");
  if (!header) return std::nullopt;
  if (const auto seconds = count_in(*header)) return Duration::seconds(*seconds);
  const auto at = parse_rfc822(*header);
  if (!at) return std::nullopt;
  return std::max(*at - now, Duration{});
}

}  // namespace vouch::wire
