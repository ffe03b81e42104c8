// The SHA256_* functions are deprecated in OpenSSL 3 in favour of EVP; see the header for why they are used.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace vouch {

std::string to_hex(const Digest& digest) { return to_hex(ByteView{digest.bytes}); }

Result<Digest> parse_digest(std::string_view hex) {
  Digest digest;
  if (hex.size() != 64) return fail(Errc::malformed, "a SHA-256 has 64 hexadecimal digits, not {}", hex.size());
  const auto bytes = TRY(parse_hex(hex));
  std::copy(bytes.begin(), bytes.end(), digest.bytes.begin());
  return digest;
}

Sha256::Sha256() { SHA256_Init(&context_); }

Sha256& Sha256::add(ByteView bytes) {
  SHA256_Update(&context_, bytes.data(), bytes.size());
  return *this;
}

Digest Sha256::finish() {
  Digest digest;
  SHA256_Final(digest.bytes.data(), &context_);
  return digest;
}

Digest sha256(ByteView bytes) { return Sha256{}.add(bytes).finish(); }

Digest hmac_sha256(ByteView key, ByteView message) {
  Digest digest;
  unsigned length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), message.data(), message.size(), digest.bytes.data(), &length);
  return digest;
}

bool equal_constant_time(ByteView a, ByteView b) { return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0; }

}  // namespace vouch
