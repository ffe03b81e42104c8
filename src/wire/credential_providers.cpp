#include "wire/credential_providers.h"

#include "base/encoding.h"
#include "base/file.h"
#include "wire/credential_formats.h"
#include "wire/endpoint.h"
#include "wire/parse.h"
#include "wire/process.h"
#include "wire/retry.h"
#include "wire/serialise.h"
#include "wire/sigv4.h"

#include <openssl/evp.h>

namespace vouch::wire {
namespace {

constexpr int kAttempts = 3;
constexpr std::size_t kLongestFile = 1 << 20;

std::optional<std::string> value_in(const Section* section, std::string_view key) {
  if (!section) return std::nullopt;
  const auto at = section->find(key);
  return at == section->end() || at->second.empty() ? std::nullopt : std::optional{at->second};
}

std::optional<std::string> variable(const ProviderContext& context, std::string_view name) {
  return find_variable(context.settings.environment, name);
}

fs::path in_home(const ProviderContext& context, const char* path) { return fs::path{variable(context, "HOME").value_or("/")} / path; }

// One call to AWS outside the client: few attempts, no paging.
Result<Json> ask(const ProviderContext& context, std::string_view service_name, std::string_view operation_name, const std::string& region,
                 const Json& params, const Credentials* credentials) {
  const auto [service, operation] = TRY(context.models.operation(service_name, operation_name));
  const auto request = TRY(serialise(*service, *operation, params));
  const auto resolved = TRY(resolve_endpoint(context.models, *service, *operation, region, params, context.settings));
  const auto& endpoint = resolved.endpoint;
  HttpRequest http{request.method, endpoint.url + request.path + (request.query.empty() ? "" : "?" + request.query), request.headers,
                   request.body};
  if (credentials && !operation->unsigned_request)
    sign(http, *credentials, {endpoint.signing_region, endpoint.signing_name, true, false}, context.now);
  for (int attempt = 1;; ++attempt) {
    const auto answer = context.transport.fetch(http);
    if (!answer && attempt < kAttempts) continue;
    if (!answer) return std::unexpected(answer.error());
    auto parsed = TRY(parse_answer(*service, *operation, answer->status, answer->headers, answer->body));
    if (!parsed.error) return std::move(parsed.value);
    if (attempt < kAttempts && (is_transient(*parsed.error, answer->status) || parsed.error->heard == Heard::throttled)) continue;
    return fail(parsed.error->heard == Heard::failed ? Errc::unreachable : Errc::denied, "{}:{} answers {}", service_name, operation_name,
                parsed.error->code);
  }
}

Result<Credentials> credentials_in(const Json& answer, std::string source) {
  const auto* found = find(answer, "Credentials");
  if (!found) return fail(Errc::malformed, "the answer has no credentials");
  Credentials out;
  out.access_key_id = TRY(require_string(*found, "AccessKeyId"));
  out.secret_access_key = TRY(require_string(*found, "SecretAccessKey"));
  out.session_token = TRY(require_string(*found, "SessionToken"));
  out.expires = TRY(parse_instant(TRY(require_string(*found, "Expiration"))));
  out.source = std::move(source);
  return out;
}

std::string region_of(const ProviderContext& context, const Section* section) {
  if (auto region = value_in(section, "region")) return *region;
  return context.settings.region().value_or("us-east-1");
}

Found static_keys(const Section* section, std::string source) {
  const auto id = value_in(section, "aws_access_key_id");
  if (!id) return std::nullopt;
  const auto secret = value_in(section, "aws_secret_access_key");
  if (!secret) return fail(Errc::config, "{}: aws_access_key_id without aws_secret_access_key", source);
  return Credentials{*id, *secret, value_in(section, "aws_session_token").value_or(""), std::nullopt, std::move(source)};
}

Result<std::string> read_token_file(std::string_view path) {
  auto text = TRY(read_file(fs::path{path}, kLongestFile));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

Found web_identity(const ProviderContext& context, const std::string& token_file, const std::string& role, const std::string& session,
                   const std::string& region) {
  const auto token = TRY_WITHIN(read_token_file(token_file), "web identity token");
  const Json params = json::object{{"RoleArn", role}, {"RoleSessionName", session}, {"WebIdentityToken", token}};
  const auto answer = TRY(ask(context, "sts", "AssumeRoleWithWebIdentity", region, params, nullptr));
  return TRY(credentials_in(answer, fmt::format("web identity assuming {}", role)));
}

std::string sha1_hex(std::string_view text) {
  std::array<unsigned char, 20> digest{};
  std::size_t size = digest.size();
  EVP_Q_digest(nullptr, "SHA1", nullptr, text.data(), text.size(), digest.data(), &size);
  return to_hex(ByteView{digest});
}

Result<SsoToken> refresh_sso_token(const ProviderContext& context, const fs::path& cache, const SsoToken& token,
                                   const std::string& region) {
  const Json params = json::object{{"clientId", token.client_id},
                                   {"clientSecret", token.client_secret},
                                   {"grantType", "refresh_token"},
                                   {"refreshToken", token.refresh_token}};
  const auto answer = TRY(ask(context, "sso-oidc", "CreateToken", region, params, nullptr));
  const auto* seconds = find(answer, "expiresIn");
  if (!seconds || !seconds->is_int64()) return fail(Errc::malformed, "the new SSO token has no `expiresIn`");
  // The file is the CLI's: only what changed is changed in it.
  auto file = TRY(parse_json(TRY(read_file(cache, kLongestFile)), 16));
  auto& members = file.as_object();
  members["accessToken"] = TRY(require_string(answer, "accessToken"));
  members["expiresAt"] = to_string(Instant{context.now.micros / 1'000'000 * 1'000'000} + Duration::seconds(seconds->get_int64()));
  if (const auto* refresh = find_string(answer, "refreshToken")) members["refreshToken"] = *refresh;
  TRY(write_file(cache, TRY(canonical(file)), Sync::no, 0600));
  return parse_sso_token(TRY(canonical(file)));
}

Result<std::string> get_text(const ProviderContext& context, HttpRequest request, std::string_view what) {
  const auto answer = TRY_WITHIN(context.transport.fetch(std::move(request)), "{}", what);
  if (answer.status != 200) return fail(answer.status < 500 ? Errc::denied : Errc::unreachable, "{} answers {}", what, answer.status);
  return answer.body;
}

// The hosts that a container's credentials may come from over plain http.
bool may_be_asked_in_the_clear(std::string_view url) {
  url.remove_prefix(std::string_view{"http://"}.size());
  const auto authority = url.substr(0, url.find('/'));
  const auto host = authority.starts_with('[') ? authority.substr(1, authority.find(']') - 1) : authority.substr(0, authority.find(':'));
  return is_loopback(host) || host == "169.254.170.2" || host == "169.254.170.23" || host == "fd00:ec2::23";
}

}  // namespace

Found from_environment(const ProviderContext& context) {
  const auto id = variable(context, "AWS_ACCESS_KEY_ID");
  if (!id) return std::nullopt;
  const auto secret = variable(context, "AWS_SECRET_ACCESS_KEY");
  if (!secret) return fail(Errc::config, "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not");
  std::optional<Instant> expires;
  if (const auto text = variable(context, "AWS_CREDENTIAL_EXPIRATION"))
    expires = TRY_WITHIN(parse_timestamp(*text), "AWS_CREDENTIAL_EXPIRATION");
  return Credentials{*id, *secret, variable(context, "AWS_SESSION_TOKEN").value_or(""), expires, "environment"};
}

Found from_web_identity_variables(const ProviderContext& context) {
  const auto file = variable(context, "AWS_WEB_IDENTITY_TOKEN_FILE");
  if (!file) return std::nullopt;
  const auto role = variable(context, "AWS_ROLE_ARN");
  if (!role) return fail(Errc::config, "AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not");
  return web_identity(context, *file, *role, variable(context, "AWS_ROLE_SESSION_NAME").value_or("vouch"), region_of(context, nullptr));
}

Found from_web_identity_profile(const ProviderContext& context, std::string_view profile) {
  const auto* section = context.settings.profile_section(profile);
  const auto file = value_in(section, "web_identity_token_file");
  if (!file) return std::nullopt;
  const auto role = value_in(section, "role_arn");
  if (!role) return fail(Errc::config, "profile `{}`: web_identity_token_file without role_arn", profile);
  return web_identity(context, *file, *role, value_in(section, "role_session_name").value_or("vouch"), region_of(context, section));
}

Found from_sso(const ProviderContext& context, std::string_view profile) {
  const auto* section = context.settings.profile_section(profile);
  const auto session = value_in(section, "sso_session");
  const auto* session_section = section;
  if (session) {
    const auto at = context.settings.config.find("sso-session " + *session);
    if (at == context.settings.config.end())
      return fail(Errc::config, "profile `{}` names the sso-session `{}`, which does not exist", profile, *session);
    session_section = &at->second;
  }
  const auto start = value_in(session_section, "sso_start_url");
  if (!session && !start) return std::nullopt;
  const auto region = value_in(session_section, "sso_region");
  const auto account = value_in(section, "sso_account_id"), role = value_in(section, "sso_role_name");
  if (!start || !region || !account || !role)
    return fail(Errc::config, "profile `{}`: SSO needs sso_start_url, sso_region, sso_account_id and sso_role_name", profile);
  const auto cache = in_home(context, ".aws/sso/cache") / (sha1_hex(session ? *session : *start) + ".json");
  const auto text = read_file(cache, kLongestFile);
  if (!text) return fail(Errc::denied, "profile `{}` is not signed in: run `aws sso login --profile {}`", profile, profile);
  auto token = TRY_WITHIN(parse_sso_token(*text), "`{}`", cache.string());
  const bool may_refresh = !token.refresh_token.empty() && !token.client_id.empty() && !token.client_secret.empty() &&
                           (!token.registration_expires || *token.registration_expires > context.now);
  if (token.expires - context.now < Duration::minutes(15) && may_refresh) {
    auto fresh = refresh_sso_token(context, cache, token, *region);
    if (fresh) token = std::move(*fresh);
  }
  if (token.expires <= context.now)
    return fail(Errc::denied, "the sign-in of profile `{}` has expired: run `aws sso login --profile {}`", profile, profile);
  const Json params = json::object{{"roleName", *role}, {"accountId", *account}, {"accessToken", token.access_token}};
  const auto answer = TRY(ask(context, "sso", "GetRoleCredentials", *region, params, nullptr));
  const auto* found = find(answer, "roleCredentials");
  if (!found) return fail(Errc::malformed, "sso:GetRoleCredentials answers without credentials");
  const auto milliseconds = TRY(require_integer(*found, "expiration"));
  return Credentials{std::string{TRY(require_string(*found, "accessKeyId"))}, std::string{TRY(require_string(*found, "secretAccessKey"))},
                     std::string{TRY(require_string(*found, "sessionToken"))}, Instant{milliseconds * 1000},
                     fmt::format("profile `{}` through SSO", profile)};
}

Found from_shared_file(const ProviderContext& context, std::string_view profile) {
  const auto section = context.settings.credentials.find(profile);
  return static_keys(section == context.settings.credentials.end() ? nullptr : &section->second,
                     fmt::format("profile `{}` of the credentials file", profile));
}

Found from_config_file(const ProviderContext& context, std::string_view profile) {
  return static_keys(context.settings.profile_section(profile), fmt::format("profile `{}` of the configuration file", profile));
}

Found from_process(const ProviderContext& context, std::string_view profile) {
  auto line = value_in(context.settings.profile_section(profile), "credential_process");
  if (!line) {
    const auto section = context.settings.credentials.find(profile);
    line = value_in(section == context.settings.credentials.end() ? nullptr : &section->second, "credential_process");
  }
  if (!line) return std::nullopt;
  const auto where = fmt::format("credential_process of profile `{}`", profile);
  const auto words = split_command(*line);
  if (!words || words->empty()) return fail(Errc::config, "{}: not a command", where);
  const auto output = TRY_WITHIN(run_process(*words, Duration::seconds(60), kLongestFile), "{}", where);
  auto credentials = TRY_WITHIN(parse_process_credentials(output), "{}", where);
  if (credentials.expires && *credentials.expires <= context.now) return fail(Errc::denied, "{}: its credentials have expired", where);
  credentials.source = where;
  return credentials;
}

Found from_container(const ProviderContext& context) {
  std::string url;
  if (const auto relative = variable(context, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")) {
    url = "http://169.254.170.2" + *relative;
  } else if (const auto full = variable(context, "AWS_CONTAINER_CREDENTIALS_FULL_URI")) {
    url = *full;
    const bool fits = url.starts_with("https://") || (url.starts_with("http://") && may_be_asked_in_the_clear(url));
    if (!fits) return fail(Errc::config, "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, a loopback or a container's metadata address");
  } else {
    return std::nullopt;
  }
  HttpRequest request{"GET", url, {{"Accept", "application/json"}}, {}};
  auto token = variable(context, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (const auto file = variable(context, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"))
    token = TRY_WITHIN(read_token_file(*file), "container token");
  if (token) {
    if (token->find_first_of("\r\n") != std::string::npos)
      return fail(Errc::config, "the container's authorization token holds a line break");
    request.headers.emplace_back("Authorization", *token);
  }
  auto text = get_text(context, request, "the container's credentials");
  for (int attempt = 1; !text && text.error().code == Errc::unreachable && attempt < kAttempts; ++attempt)
    text = get_text(context, request, "the container's credentials");
  auto credentials = TRY_WITHIN(parse_metadata_credentials(TRY(std::move(text))), "the container's credentials");
  credentials.source = "container";
  return credentials;
}

Found from_instance(const ProviderContext& context) {
  if (variable(context, "AWS_EC2_METADATA_DISABLED").value_or("") == "true") return std::nullopt;
  auto base = variable(context, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
  if (!base) base = context.settings.setting("ec2_metadata_service_endpoint");
  if (!base) {
    auto mode = variable(context, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
    if (!mode) mode = context.settings.setting("ec2_metadata_service_endpoint_mode");
    const bool v6 = mode && (*mode == "IPv6" || *mode == "ipv6");
    base = v6 ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
  }
  while (base->ends_with('/')) base->pop_back();
  // Version 2 only: without its token nothing is asked, so a server-side request forgery elsewhere on this host gains nothing from us.
  const auto token = context.transport.fetch({"PUT", *base + "/latest/api/token", {{"x-aws-ec2-metadata-token-ttl-seconds", "21600"}}, {}});
  if (!token || token->status != 200) return std::nullopt;  // not on an instance
  const Headers headers{{"x-aws-ec2-metadata-token", token->body}};
  const auto folder = *base + "/latest/meta-data/iam/security-credentials/";
  const auto role = TRY_WITHIN(context.transport.fetch({"GET", folder, headers, {}}), "the instance's role");
  if (role.status == 404) return std::nullopt;  // an instance without a role
  if (role.status != 200) return fail(Errc::unreachable, "the instance's role: the metadata service answers {}", role.status);
  const auto name = role.body.substr(0, role.body.find_first_of("\r\n"));
  auto credentials =
      TRY_WITHIN(parse_metadata_credentials(TRY(get_text(context, {"GET", folder + name, headers, {}}, "the instance's credentials"))),
                 "the instance's credentials");
  credentials.source = fmt::format("instance role `{}`", name);
  return credentials;
}

Result<Credentials> assume(const ProviderContext& context, const RoleToAssume& role, const Credentials& source) {
  json::object params{
      {"RoleArn", role.role_arn}, {"RoleSessionName", role.session_name}, {"DurationSeconds", role.duration.micros / 1'000'000}};
  if (!role.external_id.empty()) params["ExternalId"] = role.external_id;
  const auto answer =
      TRY_WITHIN(ask(context, "sts", "AssumeRole", role.region, Json(std::move(params)), &source), "assuming {}", role.role_arn);
  return credentials_in(answer, fmt::format("{}, assuming {}", source.source, role.role_arn));
}

}  // namespace vouch::wire
