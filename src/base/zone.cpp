#include "base/zone.h"

#include <cctz/civil_time.h>
#include <cctz/time_zone.h>

#include <array>

namespace vouch {
namespace {

using Seconds = cctz::time_point<cctz::seconds>;

constexpr std::array spans{Span::day, Span::week, Span::month, Span::quarter, Span::half, Span::year};

Seconds to_seconds(Instant at) {
  const auto micros = at.micros % 1'000'000;
  return Seconds{cctz::seconds{at.micros / 1'000'000 - (micros < 0 ? 1 : 0)}};
}

Date date_of(const cctz::civil_day& day) { return {day.year(), day.month(), day.day()}; }
cctz::civil_day day_of(Date date) { return cctz::civil_day{date.year, date.month, date.day}; }

Date first_of(Span span, Date date) {
  switch (span) {
    case Span::day: return date;
    case Span::week: return date_of(day_of(date) - (Zone::weekday(date) - 1));
    case Span::month: return {date.year, date.month, 1};
    case Span::quarter: return {date.year, (date.month - 1) / 3 * 3 + 1, 1};
    case Span::half: return {date.year, (date.month - 1) / 6 * 6 + 1, 1};
    case Span::year: break;
  }
  return {date.year, 1, 1};
}

// The first date of the window that follows the one which begins at `first`.
Date next_of(Span span, Date first) {
  switch (span) {
    case Span::day: return {first.year, first.month, first.day + 1};
    case Span::week: return {first.year, first.month, first.day + 7};
    case Span::month: return {first.year, first.month + 1, 1};
    case Span::quarter: return {first.year, first.month + 3, 1};
    case Span::half: return {first.year, first.month + 6, 1};
    case Span::year: break;
  }
  return {first.year + 1, 1, 1};
}

}  // namespace

Zone::Zone() : zone_(std::make_shared<const cctz::time_zone>(cctz::utc_time_zone())) {}

Result<Zone> Zone::of(std::string_view name) {
  Zone zone;
  zone.name_ = name;
  // What CCTZ takes beside the names of files: paths, and "Fixed/…" offsets of its own.
  const bool plain = !name.empty() && name.find("..") == std::string_view::npos && name[0] != '/' && !name.starts_with("Fixed/") &&
                     name.find(':') == std::string_view::npos;
  cctz::time_zone loaded;
  if (!plain || !cctz::load_time_zone(zone.name_, &loaded))
    return fail(Errc::config, "`{}` is no time zone that this machine knows; zones have names like Europe/Berlin (package tzdata)", name);
  zone.zone_ = std::make_shared<const cctz::time_zone>(loaded);
  return zone;
}

Date Zone::date_at(Instant at) const { return date_of(cctz::civil_day{cctz::convert(to_seconds(at), *zone_)}); }

Instant Zone::begin_of(Date date) const {
  const auto found = zone_->lookup(cctz::civil_second{day_of(date)});
  // Skipped: midnight never was, the day begins at the transition. Repeated: the first of the two.
  const auto at = found.kind == cctz::time_zone::civil_lookup::SKIPPED ? found.trans : found.pre;
  return {at.time_since_epoch().count() * 1'000'000};
}

int Zone::weekday(Date date) { return static_cast<int>(cctz::get_weekday(day_of(date))) + 1; }

std::string_view name_of(Span span) {
  static constexpr std::array<std::string_view, 6> names{"day", "week", "month", "quarter", "half", "year"};
  return names[static_cast<std::size_t>(span)];
}

std::optional<Span> parse_span(std::string_view text) {
  for (const auto span : spans)
    if (name_of(span) == text) return span;
  return std::nullopt;
}

Window window_at(const Zone& zone, Span span, Instant at) {
  auto first = first_of(span, zone.date_at(at));
  // Where clocks are put back over midnight, the evening comes twice; its second half belongs to the day that has begun already.
  if (at >= zone.begin_of(next_of(span, first))) first = first_of(span, next_of(span, first));
  return {zone.begin_of(first), zone.begin_of(next_of(span, first))};
}

Window window_before(const Zone& zone, Span span, const Window& window) { return window_at(zone, span, window.from - Duration{1}); }

}  // namespace vouch
