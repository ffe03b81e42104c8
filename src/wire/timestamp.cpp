#include "wire/timestamp.h"

#include "wire/parse.h"

#include <charconv>
#include <cmath>

namespace vouch::wire {
namespace {

constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::int64_t kEarliest = -62'135'596'800;  // 0001-01-01
constexpr std::int64_t kLatest = 253'402'300'799;    // 9999-12-31T23:59:59

struct Civil {
  int year, month, day, hour, minute, second, weekday;
  std::int64_t micros;
};

Civil civil(Instant at) {
  using namespace std::chrono;
  const sys_time<microseconds> time{microseconds{at.micros}};
  const auto days = floor<std::chrono::days>(time);
  const year_month_day date{days};
  const hh_mm_ss clock{time - days};
  return {static_cast<int>(date.year()),
          static_cast<int>(static_cast<unsigned>(date.month())),
          static_cast<int>(static_cast<unsigned>(date.day())),
          static_cast<int>(clock.hours().count()),
          static_cast<int>(clock.minutes().count()),
          static_cast<int>(clock.seconds().count()),
          static_cast<int>(weekday{days}.c_encoding()),
          clock.subseconds().count()};
}

// Digits at the front of `rest`, taken off it; -1 when there are none or more than `most`.
int take_number(std::string_view& rest, std::size_t most) {
  int value = 0;
  std::size_t used = 0;
  while (used < rest.size() && rest[used] >= '0' && rest[used] <= '9') {
    if (used == most) return -1;
    value = value * 10 + (rest[used++] - '0');
  }
  rest.remove_prefix(used);
  return used == 0 ? -1 : value;
}

bool take(std::string_view& rest, char c) {
  if (rest.empty() || rest.front() != c) return false;
  rest.remove_prefix(1);
  return true;
}

// Seconds that the zone is ahead of UTC.
std::optional<int> take_zone(std::string_view zone) {
  if (zone == "GMT" || zone == "UTC" || zone == "UT" || zone == "Z") return 0;
  if (zone.size() != 5 || (zone[0] != '+' && zone[0] != '-')) return std::nullopt;
  auto digits = zone.substr(1);
  const int value = take_number(digits, 4);
  if (value < 0 || !digits.empty()) return std::nullopt;
  const int seconds = (value / 100 * 60 + value % 100) * 60;
  return zone[0] == '-' ? -seconds : seconds;
}

std::optional<double> number_in(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string to_iso8601(Instant at) {
  const auto c = civil(at);
  auto text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", c.year, c.month, c.day, c.hour, c.minute, c.second);
  if (c.micros != 0) text += fmt::format(".{:06}", c.micros);
  return text + "Z";
}

std::string to_rfc822(Instant at) {
  const auto c = civil(at);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[static_cast<std::size_t>(c.weekday)], c.day,
                     kMonths[static_cast<std::size_t>(c.month - 1)], c.year, c.hour, c.minute, c.second);
}

Json to_epoch_seconds(Instant at) {
  if (at.micros % 1'000'000 == 0) return Json(at.micros / 1'000'000);
  return Json(static_cast<double>(at.micros) / 1e6);
}

std::string to_text(Instant at, TimestampFormat format) {
  if (format == TimestampFormat::rfc822) return to_rfc822(at);
  if (format == TimestampFormat::unix_seconds) {
    const auto seconds = to_epoch_seconds(at);
    return seconds.is_int64() ? fmt::format("{}", seconds.get_int64()) : fmt::format("{}", seconds.get_double());
  }
  return to_iso8601(at);
}

std::string to_sigv4_date(Instant at) {
  const auto c = civil(at);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", c.year, c.month, c.day, c.hour, c.minute, c.second);
}

Result<Instant> parse_rfc822(std::string_view text) {
  const auto wrong = [&] { return fail(Errc::malformed, "`{}` is no RFC 822 date", text); };
  auto rest = text;
  if (const auto comma = rest.find(','); comma != std::string_view::npos) rest.remove_prefix(comma + 1);
  while (take(rest, ' ')) continue;
  const int day = take_number(rest, 2);
  if (!take(rest, ' ') && !take(rest, '-')) return wrong();
  const auto month = std::find(kMonths.begin(), kMonths.end(), rest.substr(0, 3));
  if (day < 0 || month == kMonths.end()) return wrong();
  rest.remove_prefix(3);
  if (!take(rest, ' ') && !take(rest, '-')) return wrong();
  const auto year_digits = rest.find(' ');
  int year = take_number(rest, 4);
  if (year < 0 || !take(rest, ' ')) return wrong();
  if (year_digits == 2) year += year < 70 ? 2000 : 1900;
  const int hour = take_number(rest, 2);
  if (!take(rest, ':')) return wrong();
  const int minute = take_number(rest, 2);
  const int second = take(rest, ':') ? take_number(rest, 2) : 0;
  if (!take(rest, ' ')) return wrong();
  const auto zone = take_zone(rest);
  if (hour < 0 || minute < 0 || second < 0 || !zone) return wrong();
  const auto base = parse_instant(
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", year, month - kMonths.begin() + 1, day, hour, minute, std::min(second, 59)));
  if (!base) return wrong();
  return *base - Duration::seconds(*zone);
}

Result<Instant> from_epoch_seconds(double seconds) {
  if (!(seconds >= static_cast<double>(kEarliest) && seconds <= static_cast<double>(kLatest)))
    return fail(Errc::malformed, "`{}` seconds since 1970 is beyond the years 1 to 9999", seconds);
  return Instant{static_cast<std::int64_t>(std::llround(seconds * 1e6))};
}

Result<Instant> parse_timestamp(std::string_view text) {
  if (const auto seconds = number_in(text)) return from_epoch_seconds(*seconds);
  if (auto instant = parse_instant(text); instant && !instant->is_infinite()) return *instant;
  // Without a zone, or with one that has no colon: both occur in older services.
  if (text.size() >= 19 && text[10] == 'T') {
    if (text.find_first_of("Z+-", 19) == std::string_view::npos) {
      if (auto instant = parse_instant(fmt::format("{}Z", text))) return *instant;
    } else if (const auto sign = text.find_first_of("+-", 19); sign != std::string_view::npos && text.size() - sign == 5) {
      if (auto instant = parse_instant(fmt::format("{}:{}", text.substr(0, sign + 3), text.substr(sign + 3)))) return *instant;
    }
  }
  if (auto instant = parse_rfc822(text)) return *instant;
  return fail(Errc::malformed, "`{}` is no timestamp", text.substr(0, 64));
}

}  // namespace vouch::wire
