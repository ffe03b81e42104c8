// base/encoding.h - hexadecimal and base64 (RFC 4648), strictly: one text for each value.
#pragma once

#include "base/error.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vouch {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

inline ByteView bytes_of(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }
inline std::string_view text_of(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

std::string to_hex(ByteView bytes);  // lower case

// Errc::malformed for odd lengths and upper case: a digest has one spelling.
Result<Bytes> parse_hex(std::string_view text);

std::string to_base64(ByteView bytes);  // standard alphabet, padded

// Errc::malformed for white space, missing padding, and bits set behind the last byte.
Result<Bytes> parse_base64(std::string_view text);

}  // namespace vouch
