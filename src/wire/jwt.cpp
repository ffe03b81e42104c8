#include "wire/jwt.h"

#include "base/encoding.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <memory>

namespace vouch::wire {
namespace {

constexpr int kFewestBits = 2048;

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

// RFC 7515: base64url without padding.
std::string encode(std::string_view text) {
  auto out = to_base64(bytes_of(text));
  while (out.ends_with('=')) out.pop_back();
  for (auto& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return out;
}

int no_password(char*, int, int, void*) { return 0; }  // instead of OpenSSL's question at the terminal

Result<Key> read_key(std::string_view pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> source{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free};
  Key key{source ? PEM_read_bio_PrivateKey(source.get(), nullptr, &no_password, nullptr) : nullptr, &EVP_PKEY_free};
  ERR_clear_error();
  if (!key || EVP_PKEY_base_id(key.get()) != EVP_PKEY_RSA)
    return fail(Errc::config, "the key is no RSA private key in PEM without a password");
  if (EVP_PKEY_bits(key.get()) < kFewestBits) return fail(Errc::config, "the key has fewer than {} bits", kFewestBits);
  return key;
}

}  // namespace

Result<std::string> sign_jwt(const json::object& claims, std::string_view key, std::string_view key_id) {
  const auto private_key = TRY(read_key(key));
  json::object header{{"alg", "RS256"}, {"typ", "JWT"}};
  if (!key_id.empty()) header.emplace("kid", json::string_view{key_id.data(), key_id.size()});
  auto token = encode(json::serialize(header)) + "." + encode(json::serialize(claims));

  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
  std::size_t size = 0;
  const auto text = bytes_of(token);
  if (!context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, private_key.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, text.data(), text.size()) != 1)
    return fail(Errc::config, "the key can't sign");
  Bytes signature(size);
  if (EVP_DigestSign(context.get(), signature.data(), &size, text.data(), text.size()) != 1)
    return fail(Errc::config, "the key can't sign");
  signature.resize(size);
  return token + "." + encode(text_of(signature));
}

}  // namespace vouch::wire
