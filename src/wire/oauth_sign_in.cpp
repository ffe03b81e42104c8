#include "base/encoding.h"
#include "wire/document.h"
#include "wire/jwt.h"
#include "wire/percent.h"
#include "wire/token_sign_in.h"

namespace vouch::wire {
namespace {

class OauthClientSignIn final : public TokenSignIn {
 public:
  OauthClientSignIn(OauthClient client, Transport& transport) : client_(std::move(client)), transport_(transport) {}

 private:
  Result<Token> fetch(Instant now) override {
    const auto secret = TRY(client_.secret.read_token());
    const auto make = [&](Instant) -> Result<HttpRequest> {
      std::vector<std::pair<std::string, std::string>> fields{{"grant_type", "client_credentials"}};
      if (!client_.scopes.empty()) fields.emplace_back("scope", fmt::format("{}", fmt::join(client_.scopes, " ")));
      fields.insert(fields.end(), client_.extra.begin(), client_.extra.end());
      if (client_.secret_in_body) {
        fields.emplace_back("client_id", client_.id);
        fields.emplace_back("client_secret", secret.view());
      }
      auto request = form_request(client_.token_url, fields);
      if (!client_.secret_in_body) {
        const auto pair = percent_encode(client_.id) + ":" + percent_encode(secret.view());
        set_header(request.headers, "Authorization", "Basic " + to_base64(bytes_of(pair)));
      }
      return request;
    };
    const auto answer = TRY(ask_for_token(transport_, now, make));
    if (answer.is_null()) return fail(Errc::config, "there is no token service at `{}`", client_.token_url);
    return read_token_answer(answer, now);
  }

  OauthClient client_;
  Transport& transport_;
};

class GoogleSignIn final : public TokenSignIn {
 public:
  GoogleSignIn(GoogleServiceAccount account, Transport& transport) : account_(std::move(account)), transport_(transport) {}

 private:
  Result<Token> fetch(Instant now) override {
    const auto secret = TRY(account_.key.read());
    auto key = parse_document(secret.view(), AnswerKind::json);
    if (!key) return fail(Errc::config, "{} is no service account's key: not JSON", account_.key.where());
    const auto member = [&](std::string_view name) -> Result<std::string_view> {
      auto text = require_string(*key, name);
      if (!text) return fail(Errc::config, "{} is no service account's key: no `{}`", account_.key.where(), name);
      return text;
    };
    const auto email = TRY(member("client_email")), pem = TRY(member("private_key")), url = TRY(member("token_uri"));
    const auto* key_id = find_string(*key, "private_key_id");
    const auto make = [&](Instant at) -> Result<HttpRequest> {
      constexpr std::int64_t hour = 3600;
      const auto seconds = at.micros / 1'000'000;
      json::object claims{{"iss", json::string_view{email.data(), email.size()}},
                          {"scope", fmt::format("{}", fmt::join(account_.scopes, " "))},
                          {"aud", json::string_view{url.data(), url.size()}},
                          {"iat", seconds},
                          {"exp", seconds + hour}};
      if (!account_.subject.empty()) claims.emplace("sub", account_.subject);
      auto assertion =
          TRY_WITHIN(sign_jwt(claims, pem, key_id ? std::string_view{*key_id} : std::string_view{}), "{}", account_.key.where());
      return form_request(std::string{url},
                          {{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"}, {"assertion", std::move(assertion)}});
    };
    const auto answer = TRY(ask_for_token(transport_, now, make));
    if (answer.is_null()) return fail(Errc::config, "there is no token service at `{}`", url);
    return read_token_answer(answer, now);
  }

  GoogleServiceAccount account_;
  Transport& transport_;
};

}  // namespace

std::unique_ptr<SignIn> oauth_client_sign_in(OauthClient client, Transport& transport) {
  return std::make_unique<OauthClientSignIn>(std::move(client), transport);
}

std::unique_ptr<SignIn> google_sign_in(GoogleServiceAccount account, Transport& transport) {
  return std::make_unique<GoogleSignIn>(std::move(account), transport);
}

}  // namespace vouch::wire
