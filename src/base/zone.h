// base/zone.h - civil time: where a company's days, weeks and quarters begin.
//
// Zones are IANA names ("Europe/Berlin"), read from the machine's own time zone files (package tzdata) by CCTZ; "UTC" needs none.
// Plain values; reading one zone from several threads is safe.
#pragma once

#include "base/instant.h"

#include <string>

namespace cctz {
class time_zone;
}

namespace vouch {

struct Date {
  std::int64_t year;
  int month, day;  // 1..12, 1..31
  friend auto operator<=>(const Date&, const Date&) = default;
};

class Zone {
 public:
  Zone();  // UTC
  // Errc::config when this machine knows no zone of that name.
  static Result<Zone> of(std::string_view name);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] Date date_at(Instant at) const;
  // The first instant of a date: where clocks are put forward over midnight, the instant at which they are. Days beyond the month's end
  // and months beyond the year's count on.
  [[nodiscard]] Instant begin_of(Date date) const;
  // 1 (Monday) to 7.
  static int weekday(Date date);

 private:
  std::string name_ = "UTC";
  std::shared_ptr<const cctz::time_zone> zone_;
};

// Spans that a calendar repeats. Weeks begin on Monday.
enum class Span { day, week, month, quarter, half, year };
std::string_view name_of(Span span);
std::optional<Span> parse_span(std::string_view text);

struct Window {
  Instant from, to;  // half-open
  friend bool operator==(const Window&, const Window&) = default;
};

// The window in which `at` lies, and the one before a window.
Window window_at(const Zone& zone, Span span, Instant at);
Window window_before(const Zone& zone, Span span, const Window& window);

}  // namespace vouch
