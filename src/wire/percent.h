// wire/percent.h - percent-encoding (RFC 3986): all but A-Z a-z 0-9 - . _ ~ and what `keep` names.
#pragma once

#include "base/error.h"

#include <string>
#include <string_view>

namespace vouch::wire {

std::string percent_encode(std::string_view text, std::string_view keep = {});

// Errc::malformed for a `%` without two hexadecimal digits. `+` stays a plus.
Result<std::string> percent_decode(std::string_view text);

}  // namespace vouch::wire
