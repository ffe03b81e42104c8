// wire/token_sign_in.h - sign-ins whose token somebody hands out for a while. Inside sign_in.h.
#pragma once

#include "base/json.h"
#include "wire/sign_in.h"

#include <functional>
#include <optional>

namespace vouch::wire {

struct Token {
  SecretText text;
  std::optional<Instant> expires;  // none: until it is refused
};

// Keeps a token until a quarter of its life is left, at most five minutes; while a new one can't be had, the old one serves to its last
// minute. Where there is none, the reason stands for half a minute: thousands of calls do not each ask again.
class TokenSignIn : public SignIn {
 public:
  Result<> sign(HttpRequest& request, Instant now) final;
  bool renew() final;

 protected:
  virtual Result<Token> fetch(Instant now) = 0;

 private:
  [[nodiscard]] bool is_due(Instant now) const;

  std::optional<Token> token_;
  Instant fetched_{}, not_before_{};
  std::optional<Error> failure_;
};

// One question to a token service, tried again while it is silent, broken or busy. `make` gives the request for the time that it is told.
// A refusal (400, 401, 403) is tried once more by the service's own clock when ours is apart from it. null: a 404.
// Errc::denied, Errc::unreachable, Errc::malformed, Errc::config (plain http to another machine, or what `make` says).
Result<Json> ask_for_token(Transport& transport, Instant now, const std::function<Result<HttpRequest>(Instant)>& make);

// {"access_token", "token_type", "expires_in"} of RFC 6749, section 5.1.
Result<Token> read_token_answer(const Json& answer, Instant now);

// A token that can stand in a header. Errc::malformed.
Result<SecretText> token_of(const Json& answer, std::string_view member);

HttpRequest form_request(std::string url, const std::vector<std::pair<std::string, std::string>>& fields);

}  // namespace vouch::wire
