// base/json.h - JSON values, and the one spelling of each: RFC 8785 (JSON Canonicalization Scheme).
//
// Values are Boost.JSON's; `Json` is never thrown over: parsing returns a Result.
#pragma once

#include "base/error.h"

#include <boost/json.hpp>
#include <string>
#include <string_view>

namespace vouch {

namespace json = boost::json;
using Json = json::value;

// One JSON text, nothing behind it, valid UTF-8, at most `max_depth` deep. Duplicate keys: the last one stands.
// A fraction may come out one unit in its last place off (Boost.JSON 1.81 reads fast, not exactly); integers are exact.
// Errc::malformed with the byte offset for all else.
Result<Json> parse_json(std::string_view text, std::size_t max_depth = 64);

// RFC 8785: keys sorted by UTF-16 code units, numbers as ECMAScript prints them, no white space. Integers beyond 2^53 keep
// all their digits (I-JSON would lose them; AWS has such ids). Errc::malformed for NaN and infinities.
Result<std::string> canonical(const Json& value);

// For people and pipes: indented by two, keys in the order in which they were put in.
std::string pretty(const Json& value);

// Members of an object, by kind; nullptr when absent, null or of another kind.
const Json* find(const Json& value, std::string_view key);
const json::string* find_string(const Json& value, std::string_view key);
const json::array* find_array(const Json& value, std::string_view key);
const json::object* find_object(const Json& value, std::string_view key);

// The same, for members that must be there: Errc::malformed names the missing one.
Result<std::string_view> require_string(const Json& value, std::string_view key);
Result<std::int64_t> require_integer(const Json& value, std::string_view key);

}  // namespace vouch
