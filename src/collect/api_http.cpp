// Any other API: its answers are documents, and its source file says what stands where.
#include "collect/api.h"
#include "wire/document.h"

namespace vouch::collect {

namespace {

// A scalar as text; nothing for what names nobody.
std::optional<std::string> name_from(const Json* value) {
  if (!value) return std::nullopt;
  std::string text;
  if (const auto* string = value->if_string()) {
    text = *string;
  } else if (value->is_int64() || value->is_uint64()) {
    text = json::serialize(*value);
  }
  const bool printable = std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
  if (text.empty() || text.size() > 128 || !printable) return std::nullopt;
  return text;
}

class HttpSourceApi final : public Api {
 public:
  HttpSourceApi(const Source& source, Json settings) : source_(source), settings_(std::move(settings)) {}

  [[nodiscard]] Question whoami() const override {
    const auto& rule = source_.http->whoami;
    const auto* operation = rule.operation.empty() ? nullptr : source_.find(rule.operation);
    if (!operation) return {"whoami", std::nullopt};
    Surroundings around{};
    around.settings = &settings_;
    auto asked = call(*operation);
    asked.params = operation->params.fill(around);
    return {operation->name(), std::move(asked)};
  }

  [[nodiscard]] Result<Whoami> who(const Json& answer) const override {
    const auto& rule = source_.http->whoami;
    Surroundings around{};
    around.settings = &settings_;
    std::optional<std::string> account;
    if (const auto* path = std::get_if<Path>(&rule.account)) {
      account = name_from(select(answer, *path));
      if (!account) return fail(Errc::malformed, "answered without {}, which names the account", to_string(*path));
    } else {
      const auto said = evaluate(std::get<Expression>(rule.account), around);
      account = name_from(said ? &*said : nullptr);
      if (!account) return fail(Errc::config, "vouch.yaml says no account of `{}`", source_.name);
    }
    Whoami who;
    who.account = std::move(*account);
    if (rule.identity) who.identity = name_from(select(answer, *rule.identity)).value_or(std::string());
    return who;
  }

  [[nodiscard]] bool knows(const SourceOperation& operation) const override { return operation.http.has_value(); }

  [[nodiscard]] wire::Call call(const SourceOperation& operation) const override {
    return {.service = source_.http->api.service, .operation = operation.http->name, .region = {}, .params = {}, .known = {}};
  }

  [[nodiscard]] Result<Redacted> redact(const SourceOperation& operation, std::string_view body, const SecretsKey& key) const override {
    return redact_document(operation.http->answer, body, operation.secrets, key);
  }
  // An error's body may be any text.
  [[nodiscard]] Result<Redacted> redact_error(const SourceOperation&, std::string_view body, const SecretsKey& key) const override {
    return redact_document(wire::AnswerKind::text, body, {}, key);
  }

  [[nodiscard]] Result<Json> read(const SourceOperation& operation, int, std::string_view body) const override {
    return body.empty() ? Json() : wire::parse_document(body, operation.http->answer);
  }
  void keep_what_the_body_says(const SourceOperation&, Json&) const override {}

  [[nodiscard]] std::vector<std::string> paging_members(const SourceOperation&) const override { return {}; }
  [[nodiscard]] const Json& settings() const override { return settings_; }

 private:
  const Source& source_;
  Json settings_;
};

}  // namespace

std::unique_ptr<Api> http_api(const Source& source, Json settings) { return std::make_unique<HttpSourceApi>(source, std::move(settings)); }

}  // namespace vouch::collect
