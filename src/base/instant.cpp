#include "base/instant.h"

#include <charconv>
#include <chrono>

namespace vouch {
namespace {

using std::chrono::sys_days;

// Reads exactly `digits` decimal digits and moves on; false when they are not there.
bool read_digits(std::string_view& text, std::size_t digits, int& value) {
  if (text.size() < digits) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + digits, value);
  if (error != std::errc{} || end != text.data() + digits || text.front() == '-') return false;
  text.remove_prefix(digits);
  return true;
}

bool read_char(std::string_view& text, char wanted) {
  if (text.empty() || text.front() != wanted) return false;
  text.remove_prefix(1);
  return true;
}

// "Z", "+02:00" or "-05:30"; nothing when `text` is none of these.
std::optional<Duration> read_offset(std::string_view& text) {
  if (read_char(text, 'Z') || read_char(text, 'z')) return Duration{};
  if (text.empty() || (text.front() != '+' && text.front() != '-')) return std::nullopt;
  const bool behind = text.front() == '-';
  text.remove_prefix(1);
  int hours = 0, minutes = 0;
  if (!read_digits(text, 2, hours)) return std::nullopt;
  read_char(text, ':');
  if (!read_digits(text, 2, minutes) || hours > 23 || minutes > 59) return std::nullopt;
  const auto length = Duration::minutes(hours * 60 + minutes);
  return Duration{behind ? -length.micros : length.micros};
}

}  // namespace

std::string to_string(Instant at) {
  if (at.is_infinite()) return "infinity";
  const auto since_epoch = std::chrono::microseconds{at.micros};
  const auto day = std::chrono::floor<std::chrono::days>(std::chrono::sys_time<std::chrono::microseconds>{since_epoch});
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{since_epoch - day.time_since_epoch()};
  auto text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", int{date.year()}, unsigned{date.month()}, unsigned{date.day()},
                          time.hours().count(), time.minutes().count(), time.seconds().count());
  if (const auto fraction = time.subseconds().count(); fraction != 0) {
    text += fmt::format(".{:06}", fraction);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text + 'Z';
}

Result<Instant> parse_instant(std::string_view text) {
  const auto whole = text;
  const auto wrong = [&] { return fail(Errc::malformed, "`{}` is not an instant like 2026-03-01T09:00:00Z", whole); };
  if (text == "infinity") return Instant::infinity();
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  std::int64_t micros = 0;
  if (!read_digits(text, 4, year) || !read_char(text, '-') || !read_digits(text, 2, month) || !read_char(text, '-') ||
      !read_digits(text, 2, day))
    return wrong();
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return wrong();
  Duration offset{};
  if (!text.empty()) {
    if (!read_char(text, 'T') && !read_char(text, 't') && !read_char(text, ' ')) return wrong();
    if (!read_digits(text, 2, hour) || !read_char(text, ':') || !read_digits(text, 2, minute)) return wrong();
    if (read_char(text, ':')) {
      if (!read_digits(text, 2, second)) return wrong();
      if (read_char(text, '.')) {
        std::size_t digits = 0;
        for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits)
          if (digits < 6) micros = micros * 10 + (text[digits] - '0');
        if (digits == 0) return wrong();
        for (auto missing = digits; missing < 6; ++missing) micros *= 10;
        text.remove_prefix(digits);
      }
    }
    const auto zone = read_offset(text);
    if (!zone || !text.empty()) return wrong();
    offset = *zone;
    // A leap second (:60) is the first instant of the next minute, as POSIX counts.
    if (hour > 23 || minute > 59 || second > 60) return wrong();
  }
  const auto days = std::int64_t{sys_days{date}.time_since_epoch().count()};
  const auto length = Duration::days(days).micros + Duration::seconds(hour * 3600 + minute * 60 + second).micros;
  return Instant{length + micros - offset.micros};
}

Result<Duration> parse_duration(std::string_view text) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit{end, static_cast<std::size_t>(text.data() + text.size() - end)};
  if (error == std::errc{} && count >= 0 && count <= 100'000'000) {
    if (unit == "s") return Duration::seconds(count);
    if (unit == "m") return Duration::minutes(count);
    if (unit == "h") return Duration::hours(count);
    if (unit == "d" && count <= 100'000) return Duration::days(count);
    if (unit == "w" && count <= 10'000) return Duration::days(count * 7);
  }
  return fail(Errc::malformed, "`{}` is not a length of time like 90s, 10m, 24h, 30d or 2w", text);
}

std::string to_string(Duration length) {
  const auto seconds = length.micros / 1'000'000;
  if (seconds < 120) return fmt::format("{} s", seconds);
  if (seconds < 120 * 60) return fmt::format("{} min", seconds / 60);
  if (seconds < 48 * 3600) return fmt::format("{} h", seconds / 3600);
  return fmt::format("{} d", seconds / 86'400);
}

Instant SystemClock::now() const {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(since_epoch).count()};
}

}  // namespace vouch
