// base/digest.h - SHA-256, the name of everything that is stored.
#pragma once

#include "base/encoding.h"
#include "base/error.h"

#include <openssl/sha.h>
#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace vouch {

struct Digest {
  std::array<std::uint8_t, 32> bytes{};
  friend auto operator<=>(const Digest&, const Digest&) = default;
};

std::string to_hex(const Digest& digest);

// Exactly 64 lower-case hexadecimal digits; Errc::malformed for all else.
Result<Digest> parse_digest(std::string_view hex);

// A running hash. OpenSSL's one-shot and EVP calls fetch the algorithm each time, which costs more than hashing a tree
// node does; its plain SHA256_* functions do not.
class Sha256 {
 public:
  Sha256();
  Sha256& add(ByteView bytes);
  Sha256& add(std::string_view text) { return add(bytes_of(text)); }
  Sha256& add(std::uint8_t byte) { return add(ByteView{&byte, 1}); }
  [[nodiscard]] Digest finish();  // once; the object is spent

 private:
  SHA256_CTX context_;
};

Digest sha256(ByteView bytes);
inline Digest sha256(std::string_view text) { return sha256(bytes_of(text)); }

// HMAC-SHA-256 (RFC 2104): how a secret is kept as a value that can be compared and not read.
Digest hmac_sha256(ByteView key, ByteView message);

// Takes the same time wherever the two differ.
bool equal_constant_time(ByteView a, ByteView b);

}  // namespace vouch

template <>
struct std::hash<vouch::Digest> {
  std::size_t operator()(const vouch::Digest& digest) const noexcept {
    std::size_t value = 0;
    std::memcpy(&value, digest.bytes.data(), sizeof value);
    return value;
  }
};
