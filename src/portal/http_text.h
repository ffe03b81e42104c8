// portal/http_text.h - the texts of a request that we read ourselves.
#pragma once

#include "base/error.h"

#include <map>
#include <string>
#include <string_view>

namespace vouch::portal {

// ASCII only.
std::string lower(std::string_view text);

// "source=aws&x=%20y" decoded; of one name the last. Errc::malformed for broken escapes.
Result<std::map<std::string, std::string>> parse_query(std::string_view text);
// The inverse of one value.
std::string escape_query(std::string_view text);

}  // namespace vouch::portal
