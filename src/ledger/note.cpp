#include "ledger/note.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <algorithm>

namespace vouch {
namespace {

constexpr std::string_view em_dash = "\xe2\x80\x94 ";
constexpr std::size_t max_signatures = 100;  // as golang.org/x/mod/sumdb/note: a note is not a place to hide work in
constexpr std::size_t max_note_bytes = 1'000'000;

using Seed = std::array<std::uint8_t, 32>;
struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using KeyHandle = std::unique_ptr<EVP_PKEY, FreeKey>;
using ContextHandle = std::unique_ptr<EVP_MD_CTX, FreeContext>;

struct Scalar {
  char32_t value = 0;
  std::size_t bytes = 0;  // 0: not UTF-8
};

// One code point, shortest form only, no surrogates.
Scalar first_scalar(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const auto lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) return {};
  char32_t value = lead & (0xff >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    value = value << 6 | (byte(i) & 0x3f);
  }
  constexpr std::array<char32_t, 5> least = {0, 0, 0x80, 0x800, 0x10000};
  if (value < least[bytes] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return {};
  return {value, bytes};
}

bool is_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
         c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

bool is_key_name(std::string_view name) {
  if (name.empty()) return false;
  while (!name.empty()) {
    const auto scalar = first_scalar(name);
    if (scalar.bytes == 0 || scalar.value == '+' || scalar.value < 0x20 || is_space(scalar.value)) return false;
    name.remove_prefix(scalar.bytes);
  }
  return true;
}

Result<> check_characters(std::string_view note) {
  for (std::size_t at = 0; at < note.size();) {
    const auto scalar = first_scalar(note.substr(at));
    if (scalar.bytes == 0) return fail(Errc::malformed, "the note is not UTF-8 (offset {})", at);
    if (scalar.value < 0x20 && scalar.value != '\n') return fail(Errc::malformed, "a control character in the note (offset {})", at);
    at += scalar.bytes;
  }
  return {};
}

std::uint32_t big_endian_32(ByteView bytes) {
  return static_cast<std::uint32_t>(bytes[0]) << 24 | static_cast<std::uint32_t>(bytes[1]) << 16 |
         static_cast<std::uint32_t>(bytes[2]) << 8 | bytes[3];
}

std::uint32_t key_id(std::string_view name, KeyType type, const std::array<std::uint8_t, 32>& public_key) {
  const auto hash = Sha256{}.add(name).add(std::uint8_t{'\n'}).add(static_cast<std::uint8_t>(type)).add(ByteView{public_key}).finish();
  return big_endian_32(hash.bytes);
}

bool verify_ed25519(const std::array<std::uint8_t, 32>& public_key, std::string_view text, ByteView signature) {
  const KeyHandle key{EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, public_key.data(), public_key.size())};
  const ContextHandle context{EVP_MD_CTX_new()};
  return key && context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), bytes_of(text).data(), text.size()) == 1;
}

std::uint64_t time_of(ByteView cosignature) {
  return static_cast<std::uint64_t>(big_endian_32(cosignature)) << 32 | big_endian_32(cosignature.subspan(4));
}

// "name+hhhhhhhh+base64" with the base64 of a type byte and 32 bytes, as both kinds of key text have it.
struct KeyText {
  std::string name;
  std::uint32_t id = 0;
  std::uint8_t type = 0;
  std::array<std::uint8_t, 32> bytes{};
  ~KeyText() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
};

Result<KeyText> parse_key_text(std::string_view text, std::string_view what) {
  const auto refuse = [&](std::string_view why) { return fail(Errc::malformed, "not a {}: {}", what, why); };
  const auto first = text.find('+');
  const auto second = first == std::string_view::npos ? first : text.find('+', first + 1);
  if (second == std::string_view::npos) return refuse("it has the form name+id+key");
  KeyText key;
  key.name = text.substr(0, first);
  if (!is_key_name(key.name)) return refuse("the name is empty or has white space");
  const auto id = parse_hex(text.substr(first + 1, second - first - 1));
  if (!id || id->size() != 4) return refuse("the id has 8 hexadecimal digits");
  auto bytes = parse_base64(text.substr(second + 1));
  if (!bytes || bytes->empty()) return refuse("the key is not base64");
  key.id = big_endian_32(*id);
  key.type = bytes->front();
  const bool fits = bytes->size() == key.bytes.size() + 1;
  if (fits) std::copy(bytes->begin() + 1, bytes->end(), key.bytes.begin());
  OPENSSL_cleanse(bytes->data(), bytes->size());
  if (key.type != static_cast<std::uint8_t>(KeyType::ed25519) && key.type != static_cast<std::uint8_t>(KeyType::cosignature))
    return fail(Errc::unsupported, "a {} of type {:#04x}; known are Ed25519 (0x01) and Ed25519 cosignatures (0x04)", what, key.type);
  if (!fits) return refuse("an Ed25519 key has 32 bytes");
  return key;
}

}  // namespace

Result<Verifier> Verifier::make(std::string name, KeyType type, const std::array<std::uint8_t, 32>& public_key) {
  if (!is_key_name(name)) return fail(Errc::malformed, "`{}` cannot name a key: no white space, no `+`, not empty", name);
  Verifier verifier;
  verifier.id_ = key_id(name, type, public_key);
  verifier.name_ = std::move(name);
  verifier.type_ = type;
  verifier.public_key_ = public_key;
  return verifier;
}

Result<Verifier> Verifier::parse(std::string_view vkey) {
  const auto key = TRY(parse_key_text(vkey, "verifier key"));
  auto verifier = TRY(make(key.name, static_cast<KeyType>(key.type), key.bytes));
  if (verifier.id_ != key.id) return fail(Errc::malformed, "not a verifier key: the id does not belong to this name and key");
  return verifier;
}

std::string Verifier::to_text() const {
  Bytes bytes{static_cast<std::uint8_t>(type_)};
  bytes.insert(bytes.end(), public_key_.begin(), public_key_.end());
  return fmt::format("{}+{:08x}+{}", name_, id_, to_base64(bytes));
}

bool Verifier::verify(std::string_view text, ByteView signature) const {
  if (type_ == KeyType::ed25519) return signature.size() == 64 && verify_ed25519(public_key_, text, signature);
  if (signature.size() != 8 + 64) return false;
  const auto time = time_of(signature);
  if (time > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return false;
  return verify_ed25519(public_key_, fmt::format("cosignature/v1\ntime {}\n{}", time, text), signature.subspan(8));
}

struct Signer::Key {
  Seed seed;
  Verifier verifier;
  KeyHandle handle;
  ~Key() { OPENSSL_cleanse(seed.data(), seed.size()); }
};

Signer::Signer(std::unique_ptr<Key> key) : key_(std::move(key)) {}
Signer::Signer(Signer&&) noexcept = default;
Signer& Signer::operator=(Signer&&) noexcept = default;
Signer::~Signer() = default;

Result<Signer> Signer::from_seed(std::string name, const Seed& seed) {
  KeyHandle handle{EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size())};
  std::array<std::uint8_t, 32> public_key{};
  std::size_t length = public_key.size();
  if (!handle || EVP_PKEY_get_raw_public_key(handle.get(), public_key.data(), &length) != 1)
    return fail(Errc::unsupported, "this OpenSSL cannot use Ed25519 keys");
  auto verifier = TRY(Verifier::make(std::move(name), KeyType::ed25519, public_key));
  return Signer{std::unique_ptr<Key>{new Key{seed, std::move(verifier), std::move(handle)}}};
}

Result<Signer> Signer::generate(std::string name) {
  Seed seed{};
  if (RAND_priv_bytes(seed.data(), static_cast<int>(seed.size())) != 1) return fail(Errc::io, "the system gives no random bytes for a key");
  auto signer = from_seed(std::move(name), seed);
  OPENSSL_cleanse(seed.data(), seed.size());
  return signer;
}

Result<Signer> Signer::parse(std::string_view text) {
  constexpr std::string_view prefix = "PRIVATE+KEY+";
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (!text.starts_with(prefix)) return fail(Errc::malformed, "not a signer key: it begins with `{}`", prefix);
  const auto key = TRY(parse_key_text(text.substr(prefix.size()), "signer key"));
  if (key.type != static_cast<std::uint8_t>(KeyType::ed25519)) return fail(Errc::unsupported, "a signer key is of type 0x01");
  auto signer = TRY(from_seed(key.name, key.bytes));
  if (signer.verifier().id() != key.id) return fail(Errc::malformed, "not a signer key: the id does not belong to this name and key");
  return signer;
}

std::string Signer::to_text() const {
  Bytes bytes{static_cast<std::uint8_t>(KeyType::ed25519)};
  bytes.insert(bytes.end(), key_->seed.begin(), key_->seed.end());
  auto text = fmt::format("PRIVATE+KEY+{}+{:08x}+{}", key_->verifier.name(), key_->verifier.id(), to_base64(bytes));
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return text;
}

const Verifier& Signer::verifier() const { return key_->verifier; }

std::array<std::uint8_t, 64> Signer::sign(std::string_view text) const {
  std::array<std::uint8_t, 64> signature{};
  std::size_t length = signature.size();
  const ContextHandle context{EVP_MD_CTX_new()};
  const bool signed_well = context && EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_->handle.get()) == 1 &&
                           EVP_DigestSign(context.get(), signature.data(), &length, bytes_of(text).data(), text.size()) == 1;
  if (!signed_well) std::abort();  // Ed25519 has no input that it cannot sign; only memory can have run out
  return signature;
}

Result<std::string> sign_note(std::string_view text, const Signer& signer) {
  if (text.empty() || text.back() != '\n') return fail(Errc::malformed, "a note's text ends with a line feed");
  TRY(check_characters(text));
  const auto id = signer.verifier().id();
  Bytes bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::uint8_t>(id >> shift));
  const auto signature = signer.sign(text);
  bytes.insert(bytes.end(), signature.begin(), signature.end());
  return fmt::format("{}\n{}{} {}\n", text, em_dash, signer.verifier().name(), to_base64(bytes));
}

Result<OpenedNote> open_note(std::string_view note, std::span<const Verifier> known) {
  if (note.size() > max_note_bytes) return fail(Errc::malformed, "a note of {} bytes; at most {} are read", note.size(), max_note_bytes);
  TRY(check_characters(note));
  const auto blank = note.rfind("\n\n");
  if (blank == std::string_view::npos) return fail(Errc::malformed, "the note has no blank line before its signatures");
  OpenedNote opened;
  opened.text = note.substr(0, blank + 1);
  auto lines = note.substr(blank + 2);
  if (lines.empty() || lines.back() != '\n') return fail(Errc::malformed, "the note does not end with a signature line");
  for (std::size_t count = 1; !lines.empty(); ++count) {
    if (count > max_signatures) return fail(Errc::malformed, "a note with more than {} signatures", max_signatures);
    const auto end = lines.find('\n');
    auto line = lines.substr(0, end);
    lines.remove_prefix(end + 1);
    if (!line.starts_with(em_dash)) return fail(Errc::malformed, "signature line {} does not begin with an em dash and a space", count);
    line.remove_prefix(em_dash.size());
    const auto space = line.find(' ');
    const auto name = line.substr(0, space);
    if (space == std::string_view::npos || !is_key_name(name)) return fail(Errc::malformed, "signature line {} names no key", count);
    const auto bytes = TRY_WITHIN(parse_base64(line.substr(space + 1)), "signature line {}", count);
    if (bytes.size() < 5) return fail(Errc::malformed, "signature line {} has no signature", count);
    Signature signature{std::string{name}, big_endian_32(bytes), std::nullopt};
    const auto verifier =
        std::find_if(known.begin(), known.end(), [&](const Verifier& v) { return v.name() == name && v.id() == signature.key_id; });
    if (verifier == known.end()) {
      opened.unverified.push_back(std::move(signature));
      continue;
    }
    const auto again = std::any_of(opened.verified.begin(), opened.verified.end(),
                                   [&](const Signature& s) { return s.name == name && s.key_id == signature.key_id; });
    if (again) return fail(Errc::malformed, "two signatures of `{}`", name);
    const auto payload = ByteView{bytes}.subspan(4);
    if (!verifier->verify(opened.text, payload)) return fail(Errc::corrupt, "the signature of `{}` does not verify", name);
    if (verifier->type() == KeyType::cosignature) signature.time = time_of(payload);
    opened.verified.push_back(std::move(signature));
  }
  if (opened.verified.empty()) return fail(Errc::corrupt, "no known key has signed the note");
  return opened;
}

}  // namespace vouch
