// wire/url.h - absolute http(s) URLs as text: whose they are, and what a reference in an answer means (RFC 3986).
#pragma once

#include "base/error.h"

#include <string>
#include <string_view>

namespace vouch::wire {

// "https://api.github.com": scheme and host in lower case, the port only where it is not the scheme's own. Errc::malformed for anything
// that is no http or https URL, for user names before the host (they disguise it), and for white space, backslashes and bytes outside
// ASCII.
Result<std::string> origin_of_url(std::string_view url);

// An absolute URL from a reference: absolute already, "//host/x", "/x", "?x", "../x". Fragments are dropped. Errc::malformed as above.
Result<std::string> resolve_url(std::string_view base, std::string_view reference);

// The URL with its query parameter `name` (percent-encoded here) set to that value: replaced where it stands, else added.
std::string with_query(std::string_view url, std::string_view name, std::string_view value);

// The value of a query parameter as it stands there, empty when it is not there.
std::string_view query_value(std::string_view url, std::string_view name);

// FNV-1a, 64 bits: the same on every machine, so that it may be stored. Not for secrets.
std::uint64_t hash_of(std::string_view text);

}  // namespace vouch::wire
