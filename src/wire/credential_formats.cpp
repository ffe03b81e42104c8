#include "wire/credential_formats.h"

#include "base/json.h"
#include "wire/parse.h"

namespace vouch::wire {
namespace {

std::string text_or_empty(const Json& value, std::string_view key) {
  const auto* text = find_string(value, key);
  return text ? std::string{*text} : std::string{};
}

// A text that goes into headers.
Result<std::string> require_token(const Json& value, std::string_view key) {
  std::string text{TRY(require_string(value, key))};
  if (text.empty() || text.find_first_of("\r\n") != std::string::npos)
    return fail(Errc::malformed, "member `{}` is empty or holds a line break", key);
  return text;
}

Result<std::optional<Instant>> optional_instant(const Json& value, std::string_view key) {
  const auto* text = find_string(value, key);
  if (!text || text->empty()) return std::nullopt;
  auto at = parse_timestamp(*text);
  if (!at) return fail(Errc::malformed, "member `{}` is no timestamp", key);
  return *at;
}

Result<Json> parse_object(std::string_view text) {
  auto value = parse_json(text, 16);
  if (!value || !value->is_object()) return fail(Errc::malformed, "not a JSON object");
  return value;
}

Result<Credentials> parse_credentials(const Json& value, std::string_view token_name) {
  Credentials out;
  out.access_key_id = TRY(require_token(value, "AccessKeyId"));
  out.secret_access_key = TRY(require_token(value, "SecretAccessKey"));
  out.session_token = text_or_empty(value, token_name);
  if (out.session_token.find_first_of("\r\n") != std::string::npos)
    return fail(Errc::malformed, "member `{}` holds a line break", token_name);
  out.expires = TRY(optional_instant(value, "Expiration"));
  return out;
}

}  // namespace

Result<Credentials> parse_process_credentials(std::string_view text) {
  const auto value = TRY(parse_object(text));
  const auto* version = find(value, "Version");
  if (!version || !version->is_int64() || version->get_int64() != 1) return fail(Errc::malformed, "member `Version` is not 1");
  return parse_credentials(value, "SessionToken");
}

Result<Credentials> parse_metadata_credentials(std::string_view text) {
  const auto value = TRY(parse_object(text));
  if (const auto* code = find_string(value, "Code"); code && *code != "Success") return fail(Errc::denied, "the metadata service refuses");
  return parse_credentials(value, "Token");
}

Result<SsoToken> parse_sso_token(std::string_view text) {
  const auto value = TRY(parse_object(text));
  SsoToken token;
  token.access_token = TRY(require_token(value, "accessToken"));
  const auto expires = TRY(optional_instant(value, "expiresAt"));
  if (!expires) return fail(Errc::malformed, "no text member `expiresAt`");
  token.expires = *expires;
  token.refresh_token = text_or_empty(value, "refreshToken");
  token.client_id = text_or_empty(value, "clientId");
  token.client_secret = text_or_empty(value, "clientSecret");
  token.registration_expires = TRY(optional_instant(value, "registrationExpiresAt"));
  return token;
}

Result<std::vector<std::string>> split_command(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != 0) {
      if (c == quote)
        quote = 0;
      else if (c == '\\' && quote == '"' && i + 1 < line.size() && (line[i + 1] == '"' || line[i + 1] == '\\'))
        word += line[++i];
      else
        word += c;
    } else if (c == '"' || c == '\'') {
      quote = c;
      in_word = true;
    } else if (c == '\\' && i + 1 < line.size()) {
      word += line[++i];
      in_word = true;
    } else if (c == ' ' || c == '\t') {
      if (in_word) words.push_back(std::exchange(word, {}));
      in_word = false;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (quote != 0) return fail(Errc::malformed, "a quote is not closed");
  if (in_word) words.push_back(std::move(word));
  return words;
}

}  // namespace vouch::wire
