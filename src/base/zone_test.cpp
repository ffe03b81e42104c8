#include "base/zone.h"

#include <gtest/gtest.h>

namespace vouch {
namespace {

Zone zone(std::string_view name) { return Zone::of(name).value(); }
Instant at(std::string_view text) { return parse_instant(text).value(); }
std::string text(const Window& window) { return to_string(window.from) + " " + to_string(window.to); }

TEST(Zone, windows_begin_at_local_midnight_summer_and_winter) {
  const auto berlin = zone("Europe/Berlin");
  EXPECT_EQ(text(window_at(berlin, Span::quarter, at("2026-05-01"))), "2026-03-31T22:00:00Z 2026-06-30T22:00:00Z");
  EXPECT_EQ(text(window_at(berlin, Span::quarter, at("2026-02-01"))), "2025-12-31T23:00:00Z 2026-03-31T22:00:00Z");
  EXPECT_EQ(text(window_at(berlin, Span::day, at("2026-03-29T12:00Z"))), "2026-03-28T23:00:00Z 2026-03-29T22:00:00Z");  // 23 hours
  EXPECT_EQ(text(window_at(berlin, Span::day, at("2026-10-25T12:00Z"))), "2026-10-24T22:00:00Z 2026-10-25T23:00:00Z");  // 25 hours
  EXPECT_EQ(text(window_at(berlin, Span::week, at("2026-03-29T21:59:59Z"))), "2026-03-22T23:00:00Z 2026-03-29T22:00:00Z");
  EXPECT_EQ(text(window_at(berlin, Span::half, at("2026-07-01"))), "2026-06-30T22:00:00Z 2026-12-31T23:00:00Z");
}

TEST(Zone, of_utc_needs_no_files_and_its_windows_are_the_calendar_s) {
  const Zone utc;
  EXPECT_EQ(text(window_at(utc, Span::month, at("2028-02-29T23:59:59Z"))), "2028-02-01T00:00:00Z 2028-03-01T00:00:00Z");
  EXPECT_EQ(text(window_at(utc, Span::year, at("2026-06-01"))), "2026-01-01T00:00:00Z 2027-01-01T00:00:00Z");
  EXPECT_EQ(text(window_at(utc, Span::week, at("2026-01-01"))), "2025-12-29T00:00:00Z 2026-01-05T00:00:00Z");
  EXPECT_EQ(text(window_before(utc, Span::month, window_at(utc, Span::month, at("2026-01-15")))),
            "2025-12-01T00:00:00Z 2026-01-01T00:00:00Z");
}

TEST(Zone, a_day_whose_midnight_never_was_begins_when_clocks_went_forward) {
  // Summer time in São Paulo began at midnight of 15 October 2017: that day began at one o'clock.
  EXPECT_EQ(text(window_at(zone("America/Sao_Paulo"), Span::day, at("2017-10-15T12:00Z"))), "2017-10-15T03:00:00Z 2017-10-16T02:00:00Z");
}

TEST(Zone, every_instant_lies_in_its_window_and_windows_adjoin) {
  for (const auto* name :
       {"UTC", "Europe/Berlin", "America/Sao_Paulo", "Africa/Cairo", "Asia/Kathmandu", "Pacific/Apia", "America/St_Johns"}) {
    const auto here = zone(name);
    for (const auto span : {Span::day, Span::week, Span::month, Span::quarter, Span::half, Span::year})
      for (auto instant = at("2011-12-28"); instant < at("2019-01-01"); instant = instant + Duration::hours(127)) {
        const auto window = window_at(here, span, instant);
        ASSERT_TRUE(window.from <= instant && instant < window.to) << name << " " << name_of(span) << " " << to_string(instant);
        ASSERT_EQ(window_before(here, span, window).to, window.from) << name << " " << name_of(span) << " " << to_string(instant);
        ASSERT_EQ(window_at(here, span, window.from), window);
        ASSERT_EQ(window_at(here, span, window.to - Duration{1}), window);
      }
  }
}

TEST(Zone, of_an_unknown_name_is_an_error_that_says_what_a_name_is) {
  for (const auto* name : {"Mars/Olympus", "", "/etc/passwd", "../Europe/Berlin", "Fixed/UTC+01:00:00"}) {
    const auto found = Zone::of(name);
    ASSERT_FALSE(found) << name;
    EXPECT_EQ(found.error().code, Errc::config);
    EXPECT_NE(found.error().message.find("Europe/Berlin"), std::string::npos);
  }
}

}  // namespace
}  // namespace vouch
