#include "wire/url_template.h"

#include "wire/percent.h"

#include <algorithm>

namespace vouch::wire {
namespace {

bool is_name(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-'; });
}

// A param as text: of strings, integers and booleans.
std::optional<std::string> text_of_value(const Json& value) {
  switch (value.kind()) {
    case json::kind::string: return std::string{value.get_string()};
    case json::kind::int64: return fmt::format("{}", value.get_int64());
    case json::kind::uint64: return fmt::format("{}", value.get_uint64());
    case json::kind::bool_: return value.get_bool() ? "true" : "false";
    default: return std::nullopt;
  }
}

Result<std::string> text_of_param(const Json& params, std::string_view name) {
  const auto* value = find(params, name);
  if (!value) return fail(Errc::usage, "the param `{}` is missing", name);
  auto text = text_of_value(*value);
  if (!text) return fail(Errc::usage, "the param `{}` is neither text nor a number", name);
  return *std::move(text);
}

// The next `{name}` from `at` on; a brace that opens none is text.
struct Place {
  std::size_t begin, end;
  std::string_view name;
};
std::optional<Place> next_place(std::string_view text, std::size_t at) {
  for (auto open = text.find('{', at); open != std::string_view::npos; open = text.find('{', open + 1)) {
    const auto close = text.find('}', open);
    if (close == std::string_view::npos) return std::nullopt;
    const auto name = text.substr(open + 1, close - open - 1);
    if (is_name(name)) return Place{open, close + 1, name};
  }
  return std::nullopt;
}

Result<Json> fill_text(const json::string& text, const Json& params) {
  auto place = next_place(text, 0);
  if (!place) return Json(text);
  if (place->begin == 0 && place->end == text.size()) {
    const auto* object = params.if_object();
    const auto* value = object ? object->if_contains(place->name) : nullptr;
    if (!value) return fail(Errc::usage, "the param `{}` is missing", place->name);
    return *value;
  }
  std::string out;
  std::size_t at = 0;
  for (; place; place = next_place(text, at)) {
    out.append(std::string_view{text}.substr(at, place->begin - at)).append(TRY(text_of_param(params, place->name)));
    at = place->end;
  }
  out.append(std::string_view{text}.substr(at));
  return Json(out);
}

void add_names(const Json& body, std::vector<std::string>& names) {
  if (const auto* object = body.if_object()) {
    for (const auto& [key, value] : *object) add_names(value, names);
  } else if (const auto* array = body.if_array()) {
    for (const auto& value : *array) add_names(value, names);
  } else if (const auto* text = body.if_string()) {
    for (auto place = next_place(*text, 0); place; place = next_place(*text, place->end))
      if (std::ranges::find(names, place->name) == names.end()) names.emplace_back(place->name);
  }
}

}  // namespace

Result<UrlTemplate> UrlTemplate::parse(std::string_view text) {
  const auto wrong = [&](std::string_view why) { return fail(Errc::config, "URL `{}`: {}", text, why); };
  UrlTemplate url;
  url.text_ = text;
  bool in_query = false;
  for (std::size_t at = 0; at <= text.size();) {
    const auto open = std::min(text.find('{', at), text.size());
    const auto literal = text.substr(at, open - at);
    if (literal.find('}') != std::string_view::npos) return wrong("a `}` without its `{`");
    if (!std::ranges::all_of(literal, [](char c) { return c > ' ' && c < '\x7f' && c != '#' && c != '\\'; }))
      return wrong("white space, `#`, a backslash or letters outside ASCII; write them percent-encoded");
    in_query = in_query || literal.find('?') != std::string_view::npos;
    Piece piece{.literal = std::string{literal}};
    if (open == text.size()) {
      url.pieces_.push_back(std::move(piece));
      return url;
    }
    const auto close = text.find('}', open);
    if (close == std::string_view::npos) return wrong("a `{` without its `}`");
    piece.name = text.substr(open + 1, close - open - 1);
    if (!is_name(piece.name)) return wrong("braces hold the name of a param: letters, digits, `_` and `-`");
    const auto after = close + 1 < text.size() ? text[close + 1] : '/';
    const bool begins = literal.ends_with('/') || (literal.empty() && url.pieces_.empty());
    piece.is_segment = !in_query && begins && (after == '/' || after == '?');
    url.pieces_.push_back(std::move(piece));
    at = close + 1;
  }
  return url;
}

Result<std::string> UrlTemplate::fill(const Json& params) const {
  std::string url;
  url.reserve(text_.size() + 64);
  for (const auto& piece : pieces_) {
    url += piece.literal;
    if (piece.name.empty()) continue;
    const auto value = TRY(text_of_param(params, piece.name));
    if (piece.is_segment && (value.empty() || value == "." || value == ".."))
      return fail(Errc::usage, "the param `{}` is `{}`, which can't stand in `{}`: it would name another thing", piece.name, value, text_);
    url += percent_encode(value);
  }
  return url;
}

std::vector<std::string> UrlTemplate::names() const {
  std::vector<std::string> names;
  for (const auto& piece : pieces_)
    if (!piece.name.empty() && std::ranges::find(names, piece.name) == names.end()) names.push_back(piece.name);
  return names;
}

Result<Json> fill_body(const Json& body, const Json& params) {
  if (const auto* object = body.if_object()) {
    json::object out;
    for (const auto& [key, value] : *object) out.emplace(key, TRY(fill_body(value, params)));
    return Json(std::move(out));
  }
  if (const auto* array = body.if_array()) {
    json::array out;
    for (const auto& value : *array) out.push_back(TRY(fill_body(value, params)));
    return Json(std::move(out));
  }
  if (const auto* text = body.if_string()) return fill_text(*text, params);
  return body;
}

std::vector<std::string> names_in_body(const Json& body) {
  std::vector<std::string> names;
  add_names(body, names);
  return names;
}

}  // namespace vouch::wire
