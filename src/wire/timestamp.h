// wire/timestamp.h - the spellings of an instant in AWS's protocols.
#pragma once

#include "base/instant.h"
#include "base/json.h"
#include "wire/models.h"

#include <string>
#include <string_view>

namespace vouch::wire {

std::string to_iso8601(Instant at);  // "2026-03-01T09:00:00Z", six fraction digits when there are any
std::string to_rfc822(Instant at);   // "Sun, 01 Mar 2026 09:00:00 GMT"
Json to_epoch_seconds(Instant at);   // an integer, or a fraction where there are microseconds
std::string to_text(Instant at, TimestampFormat format);

std::string to_sigv4_date(Instant at);  // "20260301T090000Z"

// RFC 822 (and its two-digit years), as HTTP's Date writes it.
Result<Instant> parse_rfc822(std::string_view text);

// A JSON number of seconds. Errc::malformed beyond the years 1 to 9999.
Result<Instant> from_epoch_seconds(double seconds);

}  // namespace vouch::wire
