#include "wire/sign_in.h"

#include "base/encoding.h"

#include <optional>

namespace vouch::wire {
namespace {

class NoSignIn final : public SignIn {
 public:
  Result<> sign(HttpRequest&, Instant) override { return {}; }
  bool renew() override { return false; }
  [[nodiscard]] bool is_anonymous() const override { return true; }
};

// A header whose value is made of a secret once, and kept.
class HeaderSignIn : public SignIn {
 public:
  HeaderSignIn(std::string header, Secret secret) : header_(std::move(header)), secret_(std::move(secret)) {}

  Result<> sign(HttpRequest& request, Instant) final {
    if (value_.empty()) value_ = make(TRY(secret_.read_token()));
    set_header(request.headers, header_, std::string{value_.view()});
    return {};
  }
  // A file or a command may say something else by now.
  bool renew() final {
    if (!secret_.may_change()) return false;
    value_ = {};
    return true;
  }

 private:
  [[nodiscard]] virtual SecretText make(const SecretText& secret) const = 0;

  std::string header_;
  Secret secret_;
  SecretText value_;
};

class TemplateSignIn final : public HeaderSignIn {
 public:
  TemplateSignIn(std::string header, std::string value, Secret token)
      : HeaderSignIn(std::move(header), std::move(token)), value_(std::move(value)) {}

 private:
  [[nodiscard]] SecretText make(const SecretText& secret) const override {
    constexpr std::string_view place = "{token}";
    std::string out = value_;
    if (const auto at = out.find(place); at != std::string::npos) out.replace(at, place.size(), secret.view());
    return SecretText{std::move(out)};
  }
  std::string value_;
};

class BasicSignIn final : public HeaderSignIn {
 public:
  BasicSignIn(std::string user, Secret password) : HeaderSignIn("Authorization", std::move(password)), user_(std::move(user)) {}

 private:
  [[nodiscard]] SecretText make(const SecretText& secret) const override {
    auto pair = fmt::format("{}:{}", user_, secret.view());
    auto value = "Basic " + to_base64(bytes_of(pair));
    wipe(pair);
    return SecretText{std::move(value)};
  }
  std::string user_;
};

}  // namespace

std::unique_ptr<SignIn> no_sign_in() { return std::make_unique<NoSignIn>(); }

std::unique_ptr<SignIn> header_sign_in(std::string header, std::string value, Secret token) {
  return std::make_unique<TemplateSignIn>(std::move(header), std::move(value), std::move(token));
}

std::unique_ptr<SignIn> bearer_sign_in(Secret token) { return header_sign_in("Authorization", "Bearer {token}", std::move(token)); }

std::unique_ptr<SignIn> basic_sign_in(std::string user, Secret password) {
  return std::make_unique<BasicSignIn>(std::move(user), std::move(password));
}

}  // namespace vouch::wire
