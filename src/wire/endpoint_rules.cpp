#include "wire/endpoint_rules.h"

#include "wire/percent.h"

#include <charconv>
#include <regex>

namespace vouch::wire {
namespace {

bool is_truthy(const Json& value) {
  if (value.is_null()) return false;
  if (value.is_bool()) return value.get_bool();
  if (value.is_string()) return !value.get_string().empty();
  return true;
}

bool is_host_label(std::string_view text) {
  if (text.empty() || text.size() > 63 || text.front() == '-' || text.back() == '-') return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '-'; });
}

bool is_host_label(std::string_view text, bool allow_subdomains) {
  if (!allow_subdomains) return is_host_label(text);
  for (;;) {
    const auto dot = text.find('.');
    if (!is_host_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_ipv4(std::string_view text) {
  int parts = 0;
  for (;;) {
    const auto dot = text.find('.');
    int value = -1;
    const auto part = text.substr(0, dot);
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (error != std::errc{} || end != part.data() + part.size() || value < 0 || value > 255) return false;
    ++parts;
    if (dot == std::string_view::npos) return parts == 4;
    text.remove_prefix(dot + 1);
  }
}

bool is_bucket_host(std::string_view bucket, bool allow_subdomains) {
  if (bucket.size() < 3 || is_ipv4(bucket)) return false;
  if (std::any_of(bucket.begin(), bucket.end(), [](char c) { return c >= 'A' && c <= 'Z'; })) return false;
  return is_host_label(bucket, allow_subdomains);
}

Json parse_arn(std::string_view text) {
  std::array<std::string_view, 6> parts;
  for (std::size_t i = 0; i < 5; ++i) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) return nullptr;
    parts[i] = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  parts[5] = text;
  if (parts[0] != "arn" || parts[1].empty() || parts[2].empty() || parts[5].empty()) return nullptr;
  json::array resource;
  for (std::string_view rest = parts[5];;) {
    const auto end = rest.find_first_of(":/");
    resource.emplace_back(rest.substr(0, end));
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return json::object{
      {"partition", parts[1]}, {"service", parts[2]}, {"region", parts[3]}, {"accountId", parts[4]}, {"resourceId", std::move(resource)}};
}

Json parse_url(std::string_view text) {
  const auto scheme_end = text.find("://");
  const auto scheme = text.substr(0, scheme_end);
  if (scheme_end == std::string_view::npos || (scheme != "https" && scheme != "http") || text.find('?') != std::string_view::npos)
    return nullptr;
  const auto rest = text.substr(scheme_end + 3);
  const auto slash = rest.find('/');
  const auto authority = rest.substr(0, slash);
  const std::string path{slash == std::string_view::npos ? std::string_view{} : rest.substr(slash)};
  const auto host = authority.starts_with('[') ? authority : authority.substr(0, authority.find(':'));
  return json::object{{"scheme", scheme},
                      {"authority", authority},
                      {"path", path},
                      {"normalizedPath", path.ends_with('/') ? path : path + "/"},
                      {"isIp", is_ipv4(host) || host.starts_with('[')}};
}

Json attribute(const Json& value, std::string_view path) {
  const Json* at = &value;
  while (at && !path.empty()) {
    const auto dot = path.find('.');
    auto part = path.substr(0, dot);
    path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
    const auto bracket = part.find('[');
    const auto name = part.substr(0, bracket);
    if (!name.empty()) at = at->is_object() ? at->get_object().if_contains(name) : nullptr;
    if (!at || bracket == std::string_view::npos) continue;
    std::size_t index = 0;
    std::from_chars(part.data() + bracket + 1, part.data() + part.size(), index);
    at = at->is_array() ? at->get_array().if_contains(index) : nullptr;
  }
  return at ? *at : Json(nullptr);
}

class Evaluation {
 public:
  Evaluation(const Json& partitions, RuleScope scope) : partitions_(partitions), scope_(std::move(scope)) {}

  // Null when no rule matched.
  Result<std::optional<RuleEndpoint>> run(const json::array& rules, int depth) {
    if (depth > 64) return fail(Errc::malformed, "endpoint rules are nested too deeply");
    for (const auto& rule : rules) {
      const auto before = scope_;  // what a rule assigned is gone when it did not match
      if (auto found = TRY(run_rule(rule, depth))) return found;
      scope_ = before;
    }
    return std::nullopt;
  }

 private:
  Result<std::optional<RuleEndpoint>> run_rule(const Json& rule, int depth) {
    if (const auto* conditions = vouch::find_array(rule, "conditions"))
      for (const auto& condition : *conditions)
        if (!is_truthy(TRY(call(condition)))) return std::nullopt;
    const std::string_view type = TRY(require_string(rule, "type"));
    if (type == "tree") {
      const auto* inner = vouch::find_array(rule, "rules");
      if (!inner) return fail(Errc::malformed, "an endpoint rule tree without rules");
      return run(*inner, depth + 1);
    }
    if (type == "error") {
      const auto* message = vouch::find(rule, "error");
      return fail(Errc::usage, "{}", message ? as_text(TRY(resolve(*message))) : "the endpoint rules refuse");
    }
    const auto* endpoint = vouch::find(rule, "endpoint");
    const auto* url = endpoint ? vouch::find(*endpoint, "url") : nullptr;
    if (!url) return fail(Errc::malformed, "an endpoint rule without URL");
    RuleEndpoint out{as_text(TRY(resolve(*url))), json::object{}};
    if (const auto* properties = vouch::find(*endpoint, "properties")) out.properties = TRY(resolve_deep(*properties));
    return out;
  }

  static std::string as_text(const Json& value) { return value.is_string() ? std::string{value.get_string()} : std::string{}; }

  [[nodiscard]] Json lookup(std::string_view name) const {
    const auto at = scope_.find(name);
    return at == scope_.end() ? Json(nullptr) : at->second;
  }

  // "{Bucket}.s3.{partition#dnsSuffix}"
  Json interpolate(std::string_view text) const {
    std::string out;
    while (!text.empty()) {
      const auto open = text.find('{');
      out += text.substr(0, open);
      if (open == std::string_view::npos) break;
      const auto close = text.find('}', open);
      if (close == std::string_view::npos) break;
      const auto inside = text.substr(open + 1, close - open - 1);
      const auto hash = inside.find('#');
      const auto value = lookup(inside.substr(0, hash));
      out += as_text(hash == std::string_view::npos ? value : attribute(value, inside.substr(hash + 1)));
      text.remove_prefix(close + 1);
    }
    return Json(out);
  }

  Result<Json> resolve(const Json& value) {
    if (value.is_string()) return value.get_string().find('{') == json::string::npos ? value : interpolate(value.get_string());
    if (const auto* reference = vouch::find_string(value, "ref")) return lookup(*reference);
    if (vouch::find(value, "fn")) return call(value);
    return value;
  }

  Result<Json> resolve_deep(const Json& value) {
    if (value.is_array()) {
      json::array out;
      for (const auto& item : value.get_array()) out.push_back(TRY(resolve_deep(item)));
      return Json(std::move(out));
    }
    if (value.is_object() && !vouch::find(value, "ref") && !vouch::find(value, "fn")) {
      json::object out;
      for (const auto& [key, item] : value.get_object()) out[key] = TRY(resolve_deep(item));
      return Json(std::move(out));
    }
    return resolve(value);
  }

  Result<Json> call(const Json& expression) {
    const std::string_view name = TRY(require_string(expression, "fn"));
    std::vector<Json> arguments;
    if (const auto* argv = vouch::find_array(expression, "argv"))
      for (const auto& argument : *argv) arguments.push_back(TRY(resolve(argument)));
    arguments.resize(std::max<std::size_t>(arguments.size(), 4));
    auto result = TRY(apply(name, arguments));
    if (const auto* assign = vouch::find_string(expression, "assign")) scope_.insert_or_assign(std::string{*assign}, result);
    return result;
  }

  Result<Json> apply(std::string_view name, const std::vector<Json>& a) {
    const bool is_text = a[0].is_string();
    const std::string_view text = is_text ? std::string_view{a[0].get_string()} : std::string_view{};
    if (name == "isSet") return Json(!a[0].is_null());
    if (name == "not") return Json(!is_truthy(a[0]));
    if (name == "booleanEquals" || name == "stringEquals") return Json(!a[0].is_null() && a[0] == a[1]);
    if (name == "getAttr") return attribute(a[0], as_text(a[1]));
    if (name == "aws.partition") {
      const auto* partition = find_partition(partitions_, text);
      return partition ? *partition : Json(nullptr);
    }
    if (name == "aws.parseArn") return is_text ? parse_arn(text) : Json(nullptr);
    if (name == "parseURL") return is_text ? parse_url(text) : Json(nullptr);
    if (name == "uriEncode") return is_text ? Json(percent_encode(text)) : Json(nullptr);
    if (name == "isValidHostLabel") return Json(is_text && is_host_label(text, is_truthy(a[1])));
    if (name == "aws.isVirtualHostableS3Bucket") return Json(is_text && is_bucket_host(text, is_truthy(a[1])));
    if (name == "substring") return substring(text, a);
    return fail(Errc::unsupported, "endpoint rules use the unknown function `{}`", name);
  }

  static Json substring(std::string_view text, const std::vector<Json>& a) {
    if (!a[1].is_int64() || !a[2].is_int64()) return nullptr;
    const auto start = a[1].get_int64(), stop = a[2].get_int64(), size = static_cast<std::int64_t>(text.size());
    const bool ascii = std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    if (start < 0 || start >= stop || size < stop || !ascii) return nullptr;
    const auto from = is_truthy(a[3]) ? size - stop : start;
    return Json(text.substr(static_cast<std::size_t>(from), static_cast<std::size_t>(stop - start)));
  }

  const Json& partitions_;
  RuleScope scope_;
};

bool lists_region(const Json& partition, std::string_view region) {
  const auto* regions = find_object(partition, "regions");
  return regions && regions->contains(region);
}

bool matches_region(const Json& partition, std::string_view region) {
  const auto* pattern = find_string(partition, "regionRegex");
  if (!pattern) return false;
  try {
    const std::regex regex{pattern->begin(), pattern->end()};
    return std::regex_search(region.begin(), region.end(), regex, std::regex_constants::match_continuous);
  } catch (const std::regex_error&) {
    return false;
  }
}

}  // namespace

const Json* find_partition(const Json& partitions, std::string_view region) {
  const auto* list = find_array(partitions, "partitions");
  if (!list || list->empty()) return nullptr;
  const Json* found = nullptr;
  for (const auto& partition : *list)
    if (!found && lists_region(partition, region)) found = &partition;
  if (region.size() <= 64)
    for (const auto& partition : *list)
      if (!found && matches_region(partition, region)) found = &partition;
  return find(found ? *found : list->front(), "outputs");
}

Result<RuleEndpoint> evaluate_rules(const Json& rules, const Json& partitions, RuleScope scope) {
  const auto* list = find_array(rules, "rules");
  if (!list) return fail(Errc::malformed, "no endpoint rule set");
  if (const auto* parameters = find_object(rules, "parameters"))
    for (const auto& [name, parameter] : *parameters)
      if (const auto* otherwise = find(parameter, "default"); otherwise && !scope.contains(name)) scope.emplace(name, *otherwise);
  auto endpoint = TRY(Evaluation(partitions, std::move(scope)).run(*list, 0));
  if (!endpoint) return fail(Errc::usage, "no endpoint rule matches");
  return std::move(*endpoint);
}

}  // namespace vouch::wire
