#include "cli/source_access.h"

#include "cli/file_access.h"
#include "wire/aws_dialect.h"
#include "wire/endpoint.h"
#include "wire/http_dialect.h"

namespace vouch::cli {
namespace {

Result<> only(const Yaml& node, const std::vector<std::string>& words) {
  for (const auto& [name, value] : node.members())
    if (std::find(words.begin(), words.end(), name) == words.end())
      return value.wrong("unknown key `{}`; known here: {}", name, fmt::join(words, ", "));
  return {};
}

// ---- AWS

struct AwsSettings {
  std::string profile;
  std::vector<std::string> regions;
  AccountScope accounts;
};

Result<AwsSettings> read_aws(const Yaml& node) {
  std::vector<std::string> words{"on", "every", "profile", "regions"};
  words.insert(words.end(), std::begin(account_words), std::end(account_words));
  TRY(only(node, words));
  AwsSettings settings{.profile = {}, .regions = {}, .accounts = TRY(read_account_scope(node))};
  settings.profile = TRY(node.text_or("profile", ""));
  settings.regions = TRY(node["regions"].texts());
  for (const auto& region : settings.regions)
    if (region.empty() || region.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos)
      return node["regions"].wrong("`{}` is no region", region);
  return settings;
}

// Another account, by a role of it that the credentials of `from` may assume.
class EnteredAccount final : public SourceAccess {
 public:
  EnteredAccount(wire::RoleToAssume role, const std::vector<std::string>& regions, wire::CredentialSource& from,
                 const wire::Settings& settings, wire::Models& models)
      : regions_(regions),
        models_(models),
        credentials_(wire::assume_role(std::move(role), from, settings, sign_in_, models)),
        dialect_(models, settings, *credentials_, clock_),
        api_(collect::aws_api(models, settings, regions_.empty() ? "" : regions_.front())) {}
  [[nodiscard]] collect::Access access() override { return {*api_, dialect_, transport_, models_}; }
  [[nodiscard]] std::vector<std::string> regions() const override { return regions_; }

 private:
  const std::vector<std::string>& regions_;
  wire::Models& models_;
  SystemClock clock_;
  wire::CurlTransport transport_, sign_in_{wire::credential_http_limits()};
  std::unique_ptr<wire::CredentialSource> credentials_;
  wire::AwsDialect dialect_;
  std::unique_ptr<collect::Api> api_;
};

class AwsAccess final : public SourceAccess {
 public:
  AwsAccess(AwsSettings said, wire::Settings settings, wire::Models& models)
      : said_(std::move(said)),
        settings_(std::move(settings)),
        models_(models),
        credentials_(settings_, sign_in_, models_),
        dialect_(models_, settings_, credentials_, clock_),
        api_(collect::aws_api(models_, settings_, said_.regions.empty() ? "" : said_.regions.front())) {}
  [[nodiscard]] collect::Access access() override { return {*api_, dialect_, transport_, models_}; }
  [[nodiscard]] std::vector<std::string> regions() const override { return said_.regions; }
  [[nodiscard]] const AccountScope* accounts() const override { return &said_.accounts; }

  [[nodiscard]] std::unique_ptr<SourceAccess> enter(std::string_view partition, std::string_view account) override {
    wire::RoleToAssume role;
    role.role_arn = role_arn(said_.accounts, partition, account);
    role.external_id = said_.accounts.external_id;
    const auto nearest = said_.regions.empty() ? wire::global_region(models_, partition) : said_.regions.front();
    role.region = settings_.region().value_or(nearest);
    return std::make_unique<EnteredAccount>(std::move(role), said_.regions, credentials_, settings_, models_);
  }

 private:
  AwsSettings said_;
  wire::Settings settings_;
  wire::Models& models_;
  SystemClock clock_;
  wire::CurlTransport transport_, sign_in_{wire::credential_http_limits()};
  wire::CredentialChain credentials_;
  wire::AwsDialect dialect_;
  std::unique_ptr<collect::Api> api_;
};

// ---- HTTP

constexpr std::string_view takes_webhooks = "github";

using Kind = collect::SignInWay::Kind;

// The word of vouch.yaml by which a way to sign in is chosen; empty: none is needed.
std::string_view word_of(Kind kind) {
  switch (kind) {
    case Kind::none: return "";
    case Kind::bearer:
    case Kind::header: return "token";
    case Kind::basic: return "basic";
    case Kind::github_app: return "app";
    case Kind::oauth_client: return "client";
    case Kind::google_service_account: return "service account";
  }
  return "";
}

struct HttpSettings {
  std::string endpoint;  // empty: the provider's own
  std::string base;      // the provider's own
  Json settings = json::object();
  collect::SignInWay way;
  std::string id, subject;             // of an app, client or user; in whose name
  std::optional<wire::Secret> secret;  // token, key or password
};

// Never says what stands there: it may be the secret itself.
Result<wire::Secret> read_secret(const Yaml& node, std::string_view name, const fs::path& home) {
  const auto reference = node[name];
  if (reference.is_absent()) return node.wrong("missing `{}`", name);
  if (!reference.is_map() || reference.members().size() != 1)
    return reference.wrong(
        "`{}` says where the secret is, and never the secret itself: {{env: NAME}}, {{file: PATH}} or {{command: [PROGRAM, …]}}", name);
  const auto [kind, value] = reference.members().front();
  if (kind == "env") return wire::Secret::environment(TRY(value.text()));
  if (kind == "file") return wire::Secret::file(home / TRY(value.text()));
  if (kind == "command") return wire::Secret::command(TRY(value.texts()));
  return reference.wrong("`{}` is one of {{env: NAME}}, {{file: PATH}} and {{command: [PROGRAM, …]}}", name);
}

// Over plain http to this machine only.
bool is_safe_for_secrets(std::string_view url) {
  constexpr std::string_view plain = "http://";
  if (!url.starts_with(plain)) return url.starts_with("https://");
  url.remove_prefix(plain.size());
  return wire::is_loopback(url.substr(0, url.find_first_of(":/")));
}

Result<> read_sign_in(const Yaml& node, const fs::path& home, HttpSettings& settings) {
  const auto word = word_of(settings.way.kind);
  if (word.empty()) return {};
  const auto given = node[word];
  if (word == "token") {
    settings.secret = TRY(read_secret(node, word, home));
    return {};
  }
  if (!given.is_map()) return given.wrong("`{}` is a map", word);
  switch (settings.way.kind) {
    case Kind::basic:
      TRY(only(given, {"user", "password"}));
      settings.id = TRY(given.text("user"));
      settings.secret = TRY(read_secret(given, "password", home));
      break;
    case Kind::github_app:
      TRY(only(given, {"id", "key"}));
      settings.id = TRY(given.text("id"));
      settings.secret = TRY(read_secret(given, "key", home));
      break;
    case Kind::oauth_client:
      TRY(only(given, {"id", "secret", "token url"}));
      settings.id = TRY(given.text("id"));
      settings.way.token_url = TRY(given.text_or("token url", settings.way.token_url));
      if (!given["token url"].is_absent() && !is_safe_for_secrets(settings.way.token_url))
        return given["token url"].wrong("`{}`: a secret is only sent over https", settings.way.token_url);
      settings.secret = TRY(read_secret(given, "secret", home));
      break;
    default:
      TRY(only(given, {"key", "subject"}));
      settings.subject = TRY(given.text_or("subject", ""));
      settings.secret = TRY(read_secret(given, "key", home));
      break;
  }
  return {};
}

Result<HttpSettings> read_http(const SourceSettings& said, const collect::HttpSource& source, const fs::path& home) {
  const auto& node = said.said;
  std::vector<std::string> words{"on", "every", "endpoint"}, ways;
  words.insert(words.end(), source.settings.begin(), source.settings.end());
  bool nobody_asked = false;
  for (const auto& way : source.sign_in) {
    const std::string word{word_of(way.kind)};
    nobody_asked = nobody_asked || word.empty();
    if (!word.empty() && std::find(ways.begin(), ways.end(), word) == ways.end()) ways.push_back(word);
  }
  words.insert(words.end(), ways.begin(), ways.end());
  if (said.name == takes_webhooks) words.emplace_back("webhook");
  TRY(only(node, words));

  HttpSettings settings;
  settings.endpoint = TRY(node.text_or("endpoint", ""));
  while (settings.endpoint.ends_with('/')) settings.endpoint.pop_back();
  if (!settings.endpoint.empty() && !settings.endpoint.starts_with("https://") && !settings.endpoint.starts_with("http://"))
    return node["endpoint"].wrong("`{}` is no URL", settings.endpoint);
  for (const auto& name : source.settings) {
    if (node[name].is_absent() && !said.on) continue;
    const auto usual = source.defaults.find(name);
    settings.settings.get_object()[name] = TRY(usual == source.defaults.end() ? node.text(name) : node.text_or(name, usual->second));
  }
  if (said.on) {
    auto base = collect::fill_base(source.api.base, settings.settings);
    if (!base) return node.wrong("{}", base.error().message);
    settings.base = *std::move(base);
  }
  const auto chosen = std::find_if(source.sign_in.begin(), source.sign_in.end(), [&](const collect::SignInWay& way) {
    const auto word = word_of(way.kind);
    return !word.empty() && !node[word].is_absent();
  });
  if (chosen != source.sign_in.end()) {
    settings.way = *chosen;
    if (said.on) {
      auto url = collect::fill_base(settings.way.token_url, settings.settings);
      if (!url) return node.wrong("{}", url.error().message);
      settings.way.token_url = *std::move(url);
    }
    TRY(read_sign_in(node, home, settings));
  } else if (said.on && !nobody_asked) {
    return node.wrong("`{}` needs a way to sign in: {}", said.name, fmt::join(ways, ", "));
  }
  return settings;
}

class HttpAccess final : public SourceAccess {
 public:
  HttpAccess(const HttpSettings& settings, const collect::Source& source, wire::Models& models)
      : models_(models),
        http_(api_of(settings, *source.http)),
        sign_in_(sign_in_of(settings)),
        dialect_(http_, *sign_in_, clock_),
        api_(collect::http_api(source, settings.settings)) {}
  [[nodiscard]] collect::Access access() override { return {*api_, dialect_, transport_, models_}; }

 private:
  static wire::HttpApi api_of(const HttpSettings& settings, const collect::HttpSource& source) {
    auto api = source.api;
    api.base = settings.base;
    if (!settings.endpoint.empty()) {
      api.overridden = settings.endpoint != api.base;
      api.base = settings.endpoint;
    }
    return api;
  }

  std::unique_ptr<wire::SignIn> sign_in_of(const HttpSettings& settings) {
    switch (settings.way.kind) {
      case Kind::none: break;
      case Kind::bearer: return wire::bearer_sign_in(*settings.secret);
      case Kind::header: return wire::header_sign_in(settings.way.header, settings.way.value, *settings.secret);
      case Kind::basic: return wire::basic_sign_in(settings.id, *settings.secret);
      case Kind::github_app: {
        const auto* organisation = find_string(settings.settings, "organisation");
        return wire::github_app_sign_in({.base = http_.base,
                                         .id = settings.id,
                                         .key = *settings.secret,
                                         .organisation = organisation ? std::string{*organisation} : std::string{},
                                         .headers = http_.headers},
                                        for_tokens_);
      }
      case Kind::oauth_client:
        return wire::oauth_client_sign_in(
            {.token_url = settings.way.token_url, .id = settings.id, .secret = *settings.secret, .scopes = settings.way.scopes},
            for_tokens_);
      case Kind::google_service_account:
        return wire::google_sign_in({.key = *settings.secret, .subject = settings.subject, .scopes = settings.way.scopes}, for_tokens_);
    }
    return wire::no_sign_in();
  }

  wire::Models& models_;
  SystemClock clock_;
  wire::CurlTransport transport_, for_tokens_;
  wire::HttpApi http_;
  std::unique_ptr<wire::SignIn> sign_in_;
  wire::HttpDialect dialect_;
  std::unique_ptr<collect::Api> api_;
};

}  // namespace

Result<std::optional<wire::Secret>> webhook_secret(const SourceSettings& source, const fs::path& home) {
  const auto webhook = source.said["webhook"];
  if (source.name != takes_webhooks || webhook.is_absent()) return std::nullopt;
  if (!webhook.is_map()) return webhook.wrong("`webhook` is a map: {{secret: {{env: NAME}}}}");
  TRY(webhook.only({"secret"}));
  return TRY(read_secret(webhook, "secret", home));
}

Result<> check_sources(const Settings& settings, const collect::SourceCatalog& catalog) {
  for (const auto& said : settings.sources) {
    const auto* source = catalog.find(said.name);
    if (!source) {
      std::vector<std::string> names;
      for (const auto& one : catalog.sources) names.push_back(one.name);
      return said.said.wrong("there is no source `{}`; there is {}", said.name, fmt::join(names, ", "));
    }
    if (source->http && source->http->is_files()) {
      TRY(check_file_source(said, *source));
    } else if (source->http) {
      TRY(read_http(said, *source->http, {}));
      TRY(webhook_secret(said, {}));
    } else {
      TRY(read_aws(said.said));
    }
  }
  return {};
}

Result<std::unique_ptr<SourceAccess>> open_source(const SourceSettings& said, const collect::Source& source, wire::Models& models,
                                                  const fs::path& home) {
  if (source.http && source.http->is_files()) return open_file_source(said, source, models, home);
  if (source.http) return std::make_unique<HttpAccess>(TRY(read_http(said, *source.http, home)), source, models);
  auto settings = TRY(read_aws(said.said));
  auto aws = TRY(wire::Settings::load(wire::process_environment(), settings.profile));
  return std::make_unique<AwsAccess>(std::move(settings), std::move(aws), models);
}

}  // namespace vouch::cli
