#include "wire/endpoint.h"

#include "wire/endpoint_rules.h"

namespace vouch::wire {
namespace {

// "CloudWatch Logs" is CLOUDWATCH_LOGS in variables and cloudwatch_logs in files.
std::string spelt(std::string_view service_id, bool upper) {
  std::string out;
  for (const char c : service_id) {
    const auto byte = static_cast<unsigned char>(c);
    out += c == ' ' || c == '-' ? '_' : static_cast<char>(upper ? std::toupper(byte) : std::tolower(byte));
  }
  return out;
}

bool is_on(const Settings& settings, std::string_view variable, std::string_view key) {
  auto value = find_variable(settings.environment, variable);
  if (!value) value = settings.setting(key);
  return value && spelt(*value, false) == "true";
}

RuleScope rule_scope(const Service& service, const Operation& operation, std::string_view region, const Json& params,
                     const Settings& settings, const std::string& configured) {
  RuleScope scope;
  const auto* parameters = find_object(service.endpoint_rules, "parameters");
  if (!parameters) return scope;
  for (const auto& [name, parameter] : *parameters) {
    const auto* built_in = find_string(parameter, "builtIn");
    if (!built_in) continue;
    const std::string_view which = *built_in;
    const std::string key{name};
    if (which == "AWS::Region") scope[key] = region;
    if (which == "AWS::UseFIPS") scope[key] = is_on(settings, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint");
    if (which == "AWS::UseDualStack") scope[key] = is_on(settings, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint");
    if (which == "SDK::Endpoint" && !configured.empty()) scope[key] = configured;
    if (which == "AWS::S3::ForcePathStyle")
      scope[key] =
          !configured.empty() ? settings.setting("s3.addressing_style") != "virtual" : settings.setting("s3.addressing_style") == "path";
    if (which == "AWS::S3::Accelerate" || which == "AWS::S3::UseGlobalEndpoint" || which == "AWS::STS::UseGlobalEndpoint" ||
        which == "AWS::S3::DisableMultiRegionAccessPoints")
      scope[key] = false;
    if (which == "AWS::S3::UseArnRegion" || which == "AWS::S3Control::UseArnRegion") scope[key] = true;
  }
  for (const auto& [name, value] : operation.static_context) scope[name] = value;
  if (operation.input.shape)
    for (const auto& member : operation.input.shape->members)
      if (const auto* value = member.context_param.empty() ? nullptr : find(params, member.name)) scope[member.context_param] = *value;
  return scope;
}

// The scheme to sign with: the first of those we have.
Result<> apply_auth_scheme(const Json& properties, Endpoint& endpoint) {
  const auto* schemes = find_array(properties, "authSchemes");
  if (!schemes) return {};
  for (const auto& scheme : *schemes) {
    const auto* name = find_string(scheme, "name");
    if (!name || *name != "sigv4") continue;
    if (const auto* region = find_string(scheme, "signingRegion")) endpoint.signing_region = *region;
    if (const auto* signing_name = find_string(scheme, "signingName")) endpoint.signing_name = *signing_name;
    return {};
  }
  return fail(Errc::unsupported, "this endpoint wants a signature other than SigV4");
}

// "http://127.0.0.1:5000", "http://[::1]:5000": a host that is no name.
bool is_address(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return false;
  const auto rest = url.substr(scheme + 3);
  const auto authority = rest.substr(0, rest.find('/'));
  return authority.starts_with('[') || (!authority.empty() && authority.find_first_not_of("0123456789.:") == std::string_view::npos);
}

void drop_last_slash(std::string& url) {
  while (url.ends_with('/')) url.pop_back();
}

}  // namespace

std::string configured_endpoint(const Service& service, const Settings& settings) {
  if (is_on(settings, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls")) return {};
  if (auto url = find_variable(settings.environment, "AWS_ENDPOINT_URL_" + spelt(service.service_id, true))) return *url;
  if (auto url = find_variable(settings.environment, "AWS_ENDPOINT_URL")) return *url;
  if (const auto services = settings.setting("services")) {
    const auto section = settings.config.find("services " + *services);
    if (section != settings.config.end()) {
      const auto at = section->second.find(spelt(service.service_id, false) + ".endpoint_url");
      if (at != section->second.end() && !at->second.empty()) return at->second;
    }
  }
  return settings.setting("endpoint_url").value_or("");
}

Result<Resolved> resolve_endpoint(const Models& models, const Service& service, const Operation& operation, std::string_view region,
                                  const Json& params, const Settings& settings) {
  auto configured = configured_endpoint(service, settings);
  drop_last_slash(configured);
  if (!configured.empty() && !configured.starts_with("http://") && !configured.starts_with("https://"))
    return fail(Errc::config, "the endpoint `{}` that is configured for {} is no http or https URL", configured, service.name);
  Resolved out{{configured, std::string{region}, service.signing_name, !configured.empty()}, false};
  if (service.endpoint_rules.is_null()) {
    if (configured.empty())
      out.endpoint.url = service.global_endpoint.empty()
                             ? fmt::format("https://{}.{}.{}", service.endpoint_prefix, region,
                                           partition_of(models, region) == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com")
                             : "https://" + service.global_endpoint;
    return out;
  }
  auto ruled = TRY_WITHIN(
      evaluate_rules(service.endpoint_rules, models.partitions(), rule_scope(service, operation, region, params, settings, configured)),
      "endpoint of {} in `{}`", service.name, region);
  drop_last_slash(ruled.url);
  // Some rules put an account's id before the host (s3control), which an address cannot carry. A bucket behind it stays.
  out.endpoint.url = is_address(configured) && !ruled.url.starts_with(configured) ? configured : std::move(ruled.url);
  TRY_WITHIN(apply_auth_scheme(ruled.properties, out.endpoint), "endpoint of {} in `{}`", service.name, region);
  out.strip_bucket = service.name == "s3" && operation.request_uri.starts_with("/{Bucket}");
  return out;
}

Result<Resolved> Endpoints::of(const Service& service, const Operation& operation, std::string_view region, const Json& params) {
  constexpr std::size_t most = 4096;  // one for each bucket that is asked about
  auto key = fmt::format("{}\n{}\n{}", service.name, region, service.name == "s3" && operation.request_uri.starts_with("/{Bucket}"));
  for (const auto& [name, value] : operation.static_context) key += "\n" + std::string(name) + "=" + json::serialize(value);
  if (operation.input.shape)
    for (const auto& member : operation.input.shape->members)
      if (const auto* value = member.context_param.empty() ? nullptr : find(params, member.name))
        key += "\n" + member.context_param + "=" + json::serialize(*value);
  if (const auto found = known_.find(key); found != known_.end()) return found->second;
  auto resolved = TRY(resolve_endpoint(models_, service, operation, region, params, settings_));
  if (known_.size() >= most) known_.clear();
  known_.emplace(std::move(key), resolved);
  return resolved;
}

std::string partition_of(const Models& models, std::string_view region) {
  const auto* outputs = find_partition(models.partitions(), region);
  const auto* name = outputs ? find_string(*outputs, "name") : nullptr;
  return name ? std::string{*name} : "aws";
}

std::string global_region(const Models& models, std::string_view partition) {
  if (const auto* list = find_array(models.partitions(), "partitions"))
    for (const auto& item : *list)
      if (const auto* id = find_string(item, "id"); id && *id == partition)
        if (const auto* outputs = find(item, "outputs"))
          if (const auto* region = find_string(*outputs, "implicitGlobalRegion")) return std::string{*region};
  return "us-east-1";
}

}  // namespace vouch::wire
