#include "wire/jwt.h"
#include "wire/percent.h"
#include "wire/token_sign_in.h"

namespace vouch::wire {
namespace {

// GitHub takes a token from at most ten minutes ahead, and clocks differ.
constexpr std::int64_t kBack = 60, kAhead = 540;

class GithubAppSignIn final : public TokenSignIn {
 public:
  GithubAppSignIn(GithubApp app, Transport& transport) : app_(std::move(app)), transport_(transport) {
    while (app_.base.ends_with('/')) app_.base.pop_back();
  }

 private:
  Result<Token> fetch(Instant now) override {
    if (installation_ == 0) installation_ = TRY(find_installation(now));
    const auto answer = TRY(ask(now, "POST", fmt::format("/app/installations/{}/access_tokens", installation_)));
    if (answer.is_null()) {
      installation_ = 0;  // it was taken away, or is another one by now
      return fail(Errc::not_found, "{} is no longer installed", described());
    }
    Token token;
    token.text = TRY(token_of(answer, "token"));
    token.expires = TRY(parse_instant(TRY(require_string(answer, "expires_at"))));
    return token;
  }

  Result<std::int64_t> find_installation(Instant now) {
    if (!app_.organisation.empty()) {
      const auto answer = TRY(ask(now, "GET", fmt::format("/orgs/{}/installation", percent_encode(app_.organisation))));
      if (answer.is_null()) return fail(Errc::not_found, "{} is not installed there", described());
      return require_integer(answer, "id");
    }
    const auto answer = TRY(ask(now, "GET", "/app/installations"));
    const auto* list = answer.if_array();
    if (!list || list->size() != 1)
      return fail(Errc::not_found, "{} has {} installations: say which organisation is meant", described(), list ? list->size() : 0);
    return require_integer(list->front(), "id");
  }

  Result<Json> ask(Instant now, std::string_view method, const std::string& path) {
    const auto key = TRY(app_.key.read());
    const auto make = [&](Instant at) -> Result<HttpRequest> {
      const auto seconds = at.micros / 1'000'000;
      const json::object claims{{"iat", seconds - kBack}, {"exp", seconds + kAhead}, {"iss", app_.id}};
      const auto jwt = TRY_WITHIN(sign_jwt(claims, key.view()), "{}", app_.key.where());
      HttpRequest request{std::string{method}, app_.base + path, app_.headers, {}};
      set_header(request.headers, "Authorization", "Bearer " + jwt);
      return request;
    };
    return ask_for_token(transport_, now, make);
  }

  [[nodiscard]] std::string described() const {
    return app_.organisation.empty() ? fmt::format("GitHub App {}", app_.id)
                                     : fmt::format("GitHub App {} for `{}`", app_.id, app_.organisation);
  }

  GithubApp app_;
  Transport& transport_;
  std::int64_t installation_ = 0;
};

}  // namespace

std::unique_ptr<SignIn> github_app_sign_in(GithubApp app, Transport& transport) {
  return std::make_unique<GithubAppSignIn>(std::move(app), transport);
}

}  // namespace vouch::wire
