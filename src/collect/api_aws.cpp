// AWS, as botocore's models describe it.
#include "collect/api.h"
#include "wire/endpoint.h"
#include "wire/paginate.h"
#include "wire/parse.h"

namespace vouch::collect {

namespace {

// An account has 12 digits; a stand-in may have others.
bool is_account(std::string_view text) {
  return !text.empty() && text.size() <= 32 &&
         std::ranges::all_of(text, [](char c) { return std::isalnum(static_cast<unsigned char>(c)); });
}

class AwsApi final : public Api {
 public:
  AwsApi(wire::Models& models, const wire::Settings& settings, std::string first_region)
      : models_(models), home_region_(settings.region().value_or(first_region.empty() ? "us-east-1" : std::move(first_region))) {}

  [[nodiscard]] Question whoami() const override {
    return {"sts:GetCallerIdentity",
            wire::Call{.service = "sts", .operation = "GetCallerIdentity", .region = home_region_, .params = json::object(), .known = {}}};
  }

  [[nodiscard]] Result<Whoami> who(const Json& answer) const override {
    const auto account = TRY(require_string(answer, "Account")), arn = TRY(require_string(answer, "Arn"));
    if (!is_account(account) || !arn.starts_with("arn:") || arn.size() > 512) return fail(Errc::malformed, "no account and ARN");
    Whoami who;
    who.account = account;
    who.identity = arn;
    who.partition = arn.substr(4, arn.find(':', 4) - 4);
    who.home_region = home_region_;
    who.global_region = wire::global_region(models_, who.partition);
    return who;
  }

  [[nodiscard]] bool knows(const SourceOperation& operation) const override { return model(operation).has_value(); }

  [[nodiscard]] wire::Call call(const SourceOperation& operation) const override {
    return {.service = operation.service, .operation = operation.operation, .region = {}, .params = {}, .known = {}};
  }

  [[nodiscard]] Result<Redacted> redact(const SourceOperation& operation, std::string_view body, const SecretsKey& key) const override {
    const auto [service, of_model] = TRY(model(operation));
    return collect::redact(*service, *of_model, body, operation.secrets, key);
  }
  [[nodiscard]] Result<Redacted> redact_error(const SourceOperation& operation, std::string_view body,
                                              const SecretsKey& key) const override {
    const auto [service, of_model] = TRY(model(operation));
    return collect::redact(*service, *of_model, body, {}, key);
  }

  [[nodiscard]] Result<Json> read(const SourceOperation& operation, int status, std::string_view body) const override {
    const auto [service, of_model] = TRY(model(operation));
    return std::move(TRY(wire::parse_answer(*service, *of_model, status, {}, body)).value);
  }

  // Members that travelled in headers are not in the body, and the body is what is kept.
  void keep_what_the_body_says(const SourceOperation& operation, Json& value) const override {
    const auto found = model(operation);
    auto* object = value.if_object();
    if (!found || !object || !found->second->output.shape) return;
    for (const auto& member : found->second->output.shape->members) {
      if (member.location == wire::Location::header || member.location == wire::Location::headers ||
          member.location == wire::Location::status_code) {
        object->erase(member.name);
      }
    }
  }

  [[nodiscard]] std::vector<std::string> paging_members(const SourceOperation& operation) const override {
    const auto found = model(operation);
    return found ? wire::paging_members(*found->second) : std::vector<std::string>{};
  }

  [[nodiscard]] const Json& settings() const override { return nothing_; }

 private:
  [[nodiscard]] Result<std::pair<const wire::Service*, const wire::Operation*>> model(const SourceOperation& operation) const {
    return models_.operation(operation.service, operation.operation);
  }

  wire::Models& models_;
  std::string home_region_;
  Json nothing_;
};

}  // namespace

std::unique_ptr<Api> aws_api(wire::Models& models, const wire::Settings& settings, std::string first_region) {
  return std::make_unique<AwsApi>(models, settings, std::move(first_region));
}

}  // namespace vouch::collect
