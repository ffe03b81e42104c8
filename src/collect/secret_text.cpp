// What is a secret by its form, or by the name it goes by.
#include "base/instant.h"
#include "collect/secrets.h"

#include <bitset>
#include <cmath>

namespace vouch::collect {

namespace {

bool is_alnum(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
char lower(char c) { return is_upper(c) ? static_cast<char>(c + 32) : c; }
bool is_word(char c) { return is_alnum(c) || c == '_' || c == '-'; }
bool is_base64(char c) { return is_alnum(c) || c == '+' || c == '/'; }

template <class Accept>
std::size_t run_of(std::string_view text, std::size_t at, Accept accept) {
  const auto begin = at;
  while (at < text.size() && accept(text[at])) ++at;
  return at - begin;
}

// Tokens that carry their issuer's prefix: at least so many characters of that kind follow.
struct Prefix {
  std::string_view anchor;
  std::size_t least;
  bool (*accept)(char);
};
bool is_dotted_word(char c) { return is_word(c) || c == '.'; }
bool is_path_word(char c) { return is_word(c) || c == '/'; }
constexpr Prefix prefixes[] = {
    {"ghp_", 30, is_alnum},
    {"gho_", 30, is_alnum},
    {"ghu_", 30, is_alnum},
    {"ghs_", 30, is_alnum},
    {"ghr_", 30, is_alnum},
    {"github_pat_", 30, is_word},
    {"glpat-", 20, is_word},
    {"xoxb-", 16, is_word},
    {"xoxp-", 16, is_word},
    {"xoxa-", 16, is_word},
    {"xoxr-", 16, is_word},
    {"xoxs-", 16, is_word},
    {"xapp-", 16, is_word},
    {"sk_live_", 16, is_alnum},
    {"rk_live_", 16, is_alnum},
    {"sk_test_", 16, is_alnum},
    {"rk_test_", 16, is_alnum},
    {"whsec_", 24, is_base64},
    {"AIza", 35, is_word},
    {"ya29.", 20, is_dotted_word},
    {"GOCSPX-", 20, is_word},
    {"npm_", 36, is_alnum},
    {"pypi-", 50, is_word},
    {"sk-ant-", 20, is_word},
    {"sk-proj-", 20, is_word},
    {"SG.", 60, is_dotted_word},
    {"dop_v1_", 60, is_alnum},
    {"shpat_", 32, is_alnum},
    {"hvs.", 24, is_word},
    {"dckr_pat_", 20, is_word},
    {"hooks.slack.com/services/", 20, is_path_word},
};

std::optional<Span> issued_token(std::string_view text, std::size_t at) {
  if (at > 0 && is_alnum(text[at - 1])) return std::nullopt;
  for (const auto& prefix : prefixes) {
    if (!text.substr(at).starts_with(prefix.anchor)) continue;
    const auto length = run_of(text, at + prefix.anchor.size(), prefix.accept);
    if (length >= prefix.least) return Span{at, at + prefix.anchor.size() + length};
  }
  return std::nullopt;
}

// RFC 7515 in compact form: three base64url parts, the first of which is a JSON object.
std::optional<Span> json_web_token(std::string_view text, std::size_t at) {
  if (!text.substr(at).starts_with("eyJ") || (at > 0 && is_word(text[at - 1]))) return std::nullopt;
  auto end = at;
  for (const std::size_t least : {10, 10, 16}) {
    if (end != at) {
      if (end >= text.size() || text[end] != '.') return std::nullopt;
      ++end;
    }
    const auto length = run_of(text, end, is_word);
    if (length < least) return std::nullopt;
    end += length;
  }
  return Span{at, end};
}

// RFC 7468, and what PGP makes of it. Certificates and public keys have other labels.
std::optional<Span> private_key(std::string_view text, std::size_t at) {
  constexpr std::string_view begin = "-----BEGIN ";
  if (!text.substr(at).starts_with(begin)) return std::nullopt;
  const auto label_end = text.find("-----", at + begin.size());
  if (label_end == std::string_view::npos || label_end - at > 80) return std::nullopt;
  if (text.substr(at, label_end - at).find("PRIVATE KEY") == std::string_view::npos) return std::nullopt;
  const auto end = text.find("-----END ", label_end);
  const auto close = end == std::string_view::npos ? end : text.find("-----", end + 9);
  return Span{at, close == std::string_view::npos ? text.size() : close + 5};
}

// "aws_secret_access_key = …", "SecretAccessKey":"…": forty characters of base64 behind a name with "secret" in it.
std::optional<Span> aws_secret_key(std::string_view text, std::size_t at) {
  constexpr std::string_view word = "secret";
  if (text.size() - at < word.size()) return std::nullopt;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (lower(text[at + i]) != word[i]) return std::nullopt;
  }
  auto begin = at + word.size();
  begin += std::min<std::size_t>(run_of(text, begin, is_word), 24);
  const auto gap = run_of(text, begin, [](char c) { return std::string_view(" \t\r\n\"'=:>\\").find(c) != std::string_view::npos; });
  if (gap == 0 || gap > 12) return std::nullopt;
  begin += gap;
  if (run_of(text, begin, is_base64) != 40) return std::nullopt;
  const auto key = text.substr(begin, 40);
  const bool mixed = std::ranges::any_of(key, is_digit) && std::ranges::any_of(key, is_upper) &&
                     std::ranges::any_of(key, [](char c) { return c >= 'a' && c <= 'z'; });
  return mixed ? std::optional(Span{begin, begin + 40}) : std::nullopt;
}

// "postgres://user:password@host"
std::optional<Span> url_password(std::string_view text, std::size_t at) {
  if (!text.substr(at).starts_with("://")) return std::nullopt;
  const auto begin = at + 3;
  const auto length = run_of(text, begin, [](char c) { return std::string_view(" \t\r\n\"'<>/@?#").find(c) == std::string_view::npos; });
  const auto user_info = text.substr(begin, length);
  const auto colon = user_info.find(':');
  if (begin + length >= text.size() || text[begin + length] != '@' || colon == std::string_view::npos) return std::nullopt;
  const auto password = user_info.substr(colon + 1);
  const bool placeholder = password.starts_with("$") || password.starts_with("{") || password.starts_with("*");
  return password.size() < 3 || placeholder ? std::nullopt : std::optional(Span{begin + colon + 1, begin + length});
}

// The first two bytes of every anchor: most of a text is passed over by one look into this table.
const std::bitset<65536>& anchors() {
  static const auto table = [] {
    std::bitset<65536> bits;
    const auto add = [&](std::string_view anchor) {
      bits.set(static_cast<std::size_t>(static_cast<unsigned char>(anchor[0])) << 8 | static_cast<unsigned char>(anchor[1]));
    };
    for (const auto& prefix : prefixes) add(prefix.anchor);
    for (const std::string_view anchor : {"ey", "--", "se", "Se", "SE", "sE", ":/"}) add(anchor);
    return bits;
  }();
  return table;
}

std::string letters_of(std::string_view name) {
  std::string letters;
  for (const char c : name) {
    if (is_alnum(c)) letters += lower(c);
  }
  return letters;
}

bool contains_one(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(words, [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

bool ends_in_one(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(words, [&](std::string_view word) { return text.ends_with(word); });
}

double entropy_bits(std::string_view text) {
  std::array<std::size_t, 256> counts{};
  for (const char c : text) ++counts[static_cast<unsigned char>(c)];
  double bits = 0;
  for (const auto count : counts) {
    if (count == 0) continue;
    const auto share = static_cast<double>(count) / static_cast<double>(text.size());
    bits -= share * std::log2(share);
  }
  return bits;
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !std::isxdigit(static_cast<unsigned char>(text[i]))) return false;
  }
  return true;
}

// Says where something is, when it was or which it is, or is a word of a vocabulary.
bool is_plainly_no_secret(std::string_view value) {
  if (value.empty() || value.starts_with("arn:") || value.starts_with("{{resolve:") || value.starts_with("hmac-sha256:")) return true;
  if (value.starts_with("${") || value.find("://") != std::string_view::npos) return true;  // a URL's password is found by its form
  if (value.size() == 20 && (value.starts_with("AKIA") || value.starts_with("ASIA"))) return true;
  if (std::ranges::all_of(value, [&](char c) { return c == value.front(); })) return true;  // "****"
  if (value.size() < 9 && std::ranges::all_of(value, is_digit)) return true;
  if (value.size() >= 10 && parse_instant(value)) return true;
  if (value.front() == '/' && std::ranges::all_of(value, [](char c) { return is_word(c) || c == '/' || c == '.'; })) return true;
  const auto word = letters_of(value);
  static const std::set<std::string_view> words = {
      "true",      "false",    "none",     "null",   "required", "optional", "enabled",  "disabled", "default", "active",  "inactive",
      "plaintext", "changeme", "redacted", "hidden", "managed",  "external", "password", "secret",   "token",   "rotated", "rotating"};
  return words.contains(word);
}

bool looks_random(std::string_view value, std::size_t least) {
  if (value.size() < least) return false;
  if (std::ranges::any_of(value, [](char c) { return static_cast<unsigned char>(c) <= ' '; })) return false;
  const bool digit = std::ranges::any_of(value, is_digit);
  const bool upper = std::ranges::any_of(value, is_upper);
  const bool small = std::ranges::any_of(value, [](char c) { return c >= 'a' && c <= 'z'; });
  return int{digit} + int{upper} + int{small} >= 2 && (digit || value.size() >= 24) && entropy_bits(value) >= 3.0;
}

}  // namespace

std::vector<Span> find_secrets(std::string_view text) {
  std::vector<Span> found;
  const auto& table = anchors();
  for (std::size_t at = 0; at + 8 < text.size();) {
    const auto pair = static_cast<std::size_t>(static_cast<unsigned char>(text[at])) << 8 | static_cast<unsigned char>(text[at + 1]);
    std::optional<Span> span;
    if (table.test(pair)) {
      for (const auto look : {private_key, json_web_token, issued_token, aws_secret_key, url_password}) {
        if ((span = look(text, at))) break;
      }
    }
    if (span) found.push_back(*span);
    at = span ? span->end : at + 1;
  }
  return found;
}

namespace {

// What a name says of the value that goes by it.
enum class Named { nothing, perhaps, password, always };

Named read_name(std::string_view name) {
  const auto letters = letters_of(name);
  static const std::set<std::string_view> always = {"secretstring", "secretbinary",       "secretaccesskey",  "sessiontoken",
                                                    "keymaterial",  "masteruserpassword", "base32stringseed", "qrcodepng"};
  const bool password = contains_one(letters, {"password", "passwd", "passphrase"}) || letters.ends_with("pwd");
  if (!password && !contains_one(letters, {"secret", "token", "apikey", "privatekey", "credential", "authkey", "keymaterial"}) &&
      !always.contains(letters)) {
    return Named::nothing;
  }
  // These speak about a secret.
  if (ends_in_one(letters, {"id",     "ids",   "arn",    "arns",        "name",     "names",    "type",   "version", "stage",
                            "stages", "date",  "time",   "used",        "changed",  "expiry",   "ttl",    "days",    "age",
                            "length", "count", "policy", "required",    "status",   "enabled",  "url",    "uri",     "endpoint",
                            "path",   "file",  "region", "issuer",      "audience", "rotation", "tokens", "at",      "expiration",
                            "reset",  "mode",  "format", "description", "hash"})) {
    return Named::nothing;
  }
  static const std::set<std::string_view> of_paging = {"nexttoken",   "continuationtoken",  "nextcontinuationtoken", "paginationtoken",
                                                       "clienttoken", "clientrequesttoken", "idempotencytoken",      "nextpagetoken"};
  if (of_paging.contains(letters)) return Named::nothing;
  if (always.contains(letters)) return Named::always;
  return password ? Named::password : Named::perhaps;
}

// The members of a page have the same names over and over.
Named named(std::string_view name) {
  constexpr std::size_t most = 4096;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  thread_local std::unordered_map<std::string, Named, Hash, std::equal_to<>> known;
  if (const auto found = known.find(name); found != known.end()) return found->second;
  if (known.size() >= most) known.clear();
  return known.emplace(name, read_name(name)).first->second;
}

}  // namespace

bool is_secret_value(std::string_view name, std::string_view value, bool free_form) {
  if (name.size() > 256 || value.size() < 6) return false;
  const auto says = named(name);
  if (says == Named::nothing || is_plainly_no_secret(value)) return false;
  if (says == Named::always) return true;
  if (free_form) return says == Named::password || looks_random(value, 12);
  return looks_random(value, 16) && !is_uuid(value);
}

std::string keyed_hash(const SecretsKey& key, std::string_view secret) {
  return "hmac-sha256:" + to_hex(hmac_sha256(key.bytes, bytes_of(secret)));
}

}  // namespace vouch::collect
