#include "wire/paginate.h"

#include <charconv>

namespace vouch::wire {
namespace {

bool is_nothing(const Json& value) {
  switch (value.kind()) {
    case json::kind::null: return true;
    case json::kind::bool_: return !value.get_bool();
    case json::kind::string: return value.get_string().empty();
    case json::kind::array: return value.get_array().empty();
    case json::kind::object: return value.get_object().empty();
    default: return false;
  }
}

bool is_field_character(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// Members by which services that have no paginator say that there is more.
constexpr std::array<std::string_view, 10> kMoreMembers{"NextToken", "nextToken",   "NextMarker", "nextMarker",     "Marker",
                                                        "marker",    "IsTruncated", "Truncated",  "HasMoreResults", "PaginationToken"};

}  // namespace

Result<Path> Path::parse(std::string_view expression) {
  const auto unsupported = [&] { return fail(Errc::unsupported, "paginator expression `{}`", expression); };
  Path path;
  std::string_view rest = expression;
  for (bool more = true; more;) {
    const auto bars = rest.find("||");
    std::string_view text = trimmed(rest.substr(0, bars));
    more = bars != std::string_view::npos;
    if (more) rest.remove_prefix(bars + 2);

    std::vector<Step> steps;
    while (!text.empty()) {
      if (text.front() == '[') {
        const auto close = text.find(']');
        if (steps.empty() || close == std::string_view::npos) return unsupported();
        int index = 0;
        const auto [end, error] = std::from_chars(text.data() + 1, text.data() + close, index);
        if (error != std::errc{} || end != text.data() + close) return unsupported();
        steps.push_back({{}, index});
        text.remove_prefix(close + 1);
        continue;
      }
      if (!steps.empty()) {
        if (text.front() != '.') return unsupported();
        text.remove_prefix(1);
      }
      std::size_t size = 0;
      while (size < text.size() && is_field_character(text[size])) ++size;
      if (size == 0) return unsupported();
      steps.push_back({std::string{text.substr(0, size)}, 0});
      text.remove_prefix(size);
    }
    if (steps.empty()) return unsupported();
    path.alternatives_.push_back(std::move(steps));
  }
  return path;
}

const Json* Path::find(const Json& value) const {
  const Json* last = nullptr;
  for (const auto& steps : alternatives_) {
    const Json* at = &value;
    for (const auto& step : steps) {
      if (!step.field.empty()) {
        at = at->is_object() ? at->get_object().if_contains(step.field) : nullptr;
      } else if (at->is_array()) {
        const auto& array = at->get_array();
        const auto size = static_cast<std::int64_t>(array.size());
        const auto index = step.index < 0 ? size + step.index : step.index;
        at = index >= 0 && index < size ? &array[static_cast<std::size_t>(index)] : nullptr;
      } else {
        at = nullptr;
      }
      if (!at) break;
    }
    last = at && !at->is_null() ? at : nullptr;
    if (last && !is_nothing(*last)) return last;
  }
  return last;
}

std::vector<std::string> Path::roots() const {
  std::vector<std::string> out;
  for (const auto& steps : alternatives_) out.push_back(steps.front().field);
  return out;
}

Result<NextPage> next_page(const Operation& operation, const Json& asked, const Json& value) {
  NextPage next;
  if (!operation.paginator) {
    for (const auto name : kMoreMembers) {
      const auto* member = find(value, name);
      next.unmodelled = next.unmodelled || (member && !is_nothing(*member));
    }
    return next;
  }
  const auto& paginator = *operation.paginator;
  if (!paginator.more_results.empty()) {
    const auto* more = TRY(Path::parse(paginator.more_results)).find(value);
    if (!more || is_nothing(*more)) return next;
  }
  json::object params = asked.is_object() ? asked.get_object() : json::object{};
  bool any = false, same = true;
  for (std::size_t i = 0; i < paginator.input_tokens.size(); ++i) {
    const auto path = TRY(Path::parse(paginator.output_tokens[i]));
    const auto* token = path.find(value);
    const auto& name = paginator.input_tokens[i];
    const auto* before = params.if_contains(name);
    if (token && is_nothing(*token)) token = nullptr;
    same = same && (token ? before && *before == *token : !before);
    any = any || token;
    if (token)
      params[name] = *token;
    else
      params.erase(name);
  }
  if (!any) {
    if (!paginator.more_results.empty())
      return fail(Errc::malformed, "{}: the answer says that there is more, and has no token to ask for it", operation.name);
    return next;
  }
  if (same)
    return fail(Errc::malformed, "{}: the answer gives the page token that it was asked with, so its pages would never end",
                operation.name);
  next.params = Json(std::move(params));
  return next;
}

std::vector<std::string> paging_members(const Operation& operation) {
  std::vector<std::string> out;
  const auto* shape = operation.output.shape;
  if (!operation.paginator) {
    for (const auto name : kMoreMembers)
      if (shape && shape->find(name)) out.emplace_back(name);
  } else {
    const auto& paginator = *operation.paginator;
    std::vector<std::string> results;
    for (const auto& key : paginator.result_keys)
      if (const auto path = Path::parse(key)) std::ranges::copy(path->roots(), std::back_inserter(results));
    auto expressions = paginator.output_tokens;
    expressions.push_back(paginator.more_results);
    for (const auto& expression : expressions) {
      const auto path = Path::parse(expression);
      if (!path) continue;
      for (auto& root : path->roots())
        if (std::find(results.begin(), results.end(), root) == results.end()) out.push_back(std::move(root));
    }
    // Answers of some services repeat what they were asked with.
    auto echoed = paginator.input_tokens;
    echoed.push_back(paginator.limit_key);
    for (const auto& name : echoed)
      if (!name.empty() && shape && shape->find(name)) out.push_back(name);
  }
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::vector<std::string> token_params(const Operation& operation) {
  return operation.paginator ? operation.paginator->input_tokens : std::vector<std::string>{};
}

}  // namespace vouch::wire
