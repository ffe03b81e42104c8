// base/instant.h - points in time and lengths of time.
//
// Always UTC, in microseconds since 1970-01-01T00:00:00Z (leap seconds not counted, as POSIX does). `infinity` is the end
// of what is still so; it is DuckDB's 'infinity' and JSON's null. Plain values.
#pragma once

#include "base/error.h"

#include <compare>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace vouch {

struct Duration {
  std::int64_t micros = 0;

  static constexpr Duration seconds(std::int64_t n) { return {n * 1'000'000}; }
  static constexpr Duration minutes(std::int64_t n) { return seconds(n * 60); }
  static constexpr Duration hours(std::int64_t n) { return minutes(n * 60); }
  static constexpr Duration days(std::int64_t n) { return hours(n * 24); }
  friend constexpr auto operator<=>(const Duration&, const Duration&) = default;
};

struct Instant {
  std::int64_t micros = 0;

  static constexpr Instant infinity() { return {std::numeric_limits<std::int64_t>::max()}; }
  [[nodiscard]] constexpr bool is_infinite() const { return *this == infinity(); }
  friend constexpr auto operator<=>(const Instant&, const Instant&) = default;
};

constexpr Instant operator+(Instant at, Duration length) { return at.is_infinite() ? at : Instant{at.micros + length.micros}; }
constexpr Instant operator-(Instant at, Duration length) { return at.is_infinite() ? at : Instant{at.micros - length.micros}; }
constexpr Duration operator-(Instant later, Instant earlier) { return {later.micros - earlier.micros}; }

// RFC 3339 in UTC, "2026-03-01T09:00:00Z"; a fraction only when there is one, 1 to 6 digits. Infinity is "infinity".
std::string to_string(Instant at);

// RFC 3339 with `Z` or an offset; seconds and the time of day may be left out ("2026-03-01T09:00Z", "2026-03-01");
// "infinity". More than six fraction digits are cut. Errc::malformed for all else, also for dates that do not exist.
Result<Instant> parse_instant(std::string_view text);

// "90s", "10m", "24h", "30d", "2w". Errc::malformed for all else.
Result<Duration> parse_duration(std::string_view text);

// For people: "4 min", "3 h", "12 d".
std::string to_string(Duration length);

// Where the time comes from. Passed in, so that a test hands over a fixed hour.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Instant now() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override;
};

class FixedClock final : public Clock {
 public:
  explicit FixedClock(Instant at) : at_(at) {}
  [[nodiscard]] Instant now() const override { return at_; }

 private:
  Instant at_;
};

}  // namespace vouch
