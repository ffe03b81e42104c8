// wire/jwt.h - a signed JSON Web Token (RFC 7519) with RS256 (RFC 7518, section 3.3): how apps and service accounts ask for their tokens.
#pragma once

#include "base/json.h"

#include <string>
#include <string_view>

namespace vouch::wire {

// `key` is an RSA private key in PEM (PKCS #1 or #8, without a password); `key_id` becomes the header's `kid` unless it is empty.
// Errc::config for any other key, or one of fewer than 2048 bits. Errors never quote it.
Result<std::string> sign_jwt(const json::object& claims, std::string_view key, std::string_view key_id = {});

}  // namespace vouch::wire
