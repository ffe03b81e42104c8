#include "collect/expression.h"

namespace vouch::collect {

namespace {

// Members of AWS's models, and names of tags: anything but what the syntax needs.
bool is_member_character(char c) { return c != '.' && c != '[' && c != ']' && c != '$' && static_cast<unsigned char>(c) > ' '; }

Result<Step> parse_index(std::string_view text, std::size_t& at) {
  const auto close = text.find(']', at);
  if (close == std::string_view::npos) return fail(Errc::malformed, "`{}`: `[` is never closed", text);
  const auto inner = text.substr(at + 1, close - at - 1);
  at = close + 1;
  if (inner.empty()) return Step{.kind = Step::Kind::all, .member = {}, .index = 0};
  if (inner.size() > 6 || !std::ranges::all_of(inner, [](char c) { return c >= '0' && c <= '9'; })) {
    return fail(Errc::malformed, "`{}`: `[{}]` is neither `[]` nor a number", text, inner);
  }
  return Step{.kind = Step::Kind::element, .member = {}, .index = std::stoul(std::string(inner))};
}

void visit_from(const Json& value, std::span<const Step> steps, const std::function<void(const Json&)>& visit) {
  if (steps.empty()) return visit(value);
  const auto& step = steps.front();
  const auto rest = steps.subspan(1);
  if (step.kind == Step::Kind::member) {
    if (const Json* member = find(value, step.member)) visit_from(*member, rest, visit);
  } else if (const auto* list = value.if_array()) {
    if (step.kind == Step::Kind::all) {
      for (const auto& element : *list) visit_from(element, rest, visit);
    } else if (step.index < list->size()) {
      visit_from((*list)[step.index], rest, visit);
    }
  }
}

Json fill_value(const Json& written, const Surroundings& around, bool& missing);

Json fill_text(const json::string& text, const Surroundings& around, bool& missing) {
  if (text.empty() || text.front() != '$') return Json(text);
  // make() has parsed it before, so it parses.
  const auto expression = parse_expression(std::string_view(text));
  auto value = expression ? evaluate(*expression, around) : std::nullopt;
  if (value) return std::move(*value);
  missing = true;
  return Json();
}

Json fill_value(const Json& written, const Surroundings& around, bool& missing) {
  if (const auto* text = written.if_string()) return fill_text(*text, around, missing);
  if (const auto* list = written.if_array()) {
    json::array filled;
    for (const auto& element : *list) {
      bool left_out = false;
      auto value = fill_value(element, around, left_out);
      if (!left_out) filled.push_back(std::move(value));
    }
    return Json(std::move(filled));
  }
  if (const auto* object = written.if_object()) {
    json::object filled;
    for (const auto& [name, member] : *object) {
      bool left_out = false;
      auto value = fill_value(member, around, left_out);
      if (!left_out) filled.emplace(name, std::move(value));
    }
    return Json(std::move(filled));
  }
  return written;
}

Result<> gather(const Json& written, std::vector<Expression>& into) {
  if (const auto* text = written.if_string()) {
    if (!text->empty() && text->front() == '$') into.push_back(TRY(parse_expression(std::string_view(*text))));
  } else if (const auto* list = written.if_array()) {
    for (const auto& element : *list) TRY(gather(element, into));
  } else if (const auto* object = written.if_object()) {
    for (const auto& [name, member] : *object) TRY(gather(member, into));
  }
  return {};
}

}  // namespace

Result<Path> parse_path(std::string_view text) {
  Path path;
  std::size_t at = 0;
  while (at < text.size()) {
    if (text[at] == '[') {
      path.push_back(TRY(parse_index(text, at)));
    } else {
      auto end = at;
      while (end < text.size() && is_member_character(text[end])) ++end;
      if (end == at) return fail(Errc::malformed, "`{}`: no member's name at offset {}", text, at);
      path.push_back({.kind = Step::Kind::member, .member = std::string(text.substr(at, end - at)), .index = 0});
      at = end;
    }
    if (at == text.size()) break;
    if (text[at] == '.') {
      if (++at == text.size() || text[at] == '[') return fail(Errc::malformed, "`{}`: no member's name at offset {}", text, at);
    } else if (text[at] != '[') {
      return fail(Errc::malformed, "`{}`: unexpected `{}` at offset {}", text, text[at], at);
    }
  }
  if (path.empty()) return fail(Errc::malformed, "an empty path");
  return path;
}

std::string to_string(const Path& path) {
  std::string text;
  for (const auto& step : path) {
    switch (step.kind) {
      case Step::Kind::member: text += (text.empty() ? "" : ".") + step.member; break;
      case Step::Kind::all: text += "[]"; break;
      case Step::Kind::element: text += fmt::format("[{}]", step.index); break;
    }
  }
  return text;
}

void for_each_selected(const Json& value, const Path& path, const std::function<void(const Json&)>& visit) {
  visit_from(value, path, visit);
}

const Json* select(const Json& value, const Path& path) {
  const Json* found = nullptr;
  visit_from(value, path, [&](const Json& selected) {
    if (!found && !selected.is_null()) found = &selected;
  });
  return found;
}

Result<Expression> parse_expression(std::string_view text) {
  if (text.size() < 2 || text.front() != '$') return fail(Errc::malformed, "`{}` is no expression: `$` and a name are expected", text);
  auto path = TRY(parse_path(text.substr(1)));
  if (std::ranges::any_of(path, [](const Step& step) { return step.kind == Step::Kind::all; })) {
    return fail(Errc::malformed, "`{}`: `[]` has no place in an expression", text);
  }
  if (path.front().kind != Step::Kind::member) return fail(Errc::malformed, "`{}`: a name is expected behind `$`", text);
  Expression expression{.root = path.front().member, .path = {}};
  path.erase(path.begin());
  expression.path = std::move(path);
  return expression;
}

std::optional<Json> evaluate(const Expression& expression, const Surroundings& around) {
  const auto walk = [&](const Json* from) -> std::optional<Json> {
    const Json* found = from ? select(*from, expression.path) : nullptr;
    return found ? std::optional(*found) : std::nullopt;
  };
  const auto word = [&](std::string_view text) -> std::optional<Json> {
    if (text.empty() || !expression.path.empty()) return std::nullopt;
    return Json(json::string(text));
  };
  // The variable first: whoever names it `region` means the element.
  if (!around.variable.empty() && expression.root == around.variable) return walk(around.element);
  if (expression.root == "params") return walk(around.params);
  if (expression.root == "key") return walk(around.key);
  if (expression.root == "settings") return walk(around.settings);
  if (expression.root == "account") return word(around.account);
  if (expression.root == "region") return word(around.region);
  if (expression.root == "partition") return word(around.partition);
  return std::nullopt;
}

Result<Template> Template::make(Json written) {
  std::vector<Expression> expressions;
  TRY(gather(written, expressions));
  Template made;
  made.written_ = std::move(written);
  return made;
}

Json Template::fill(const Surroundings& around) const {
  bool missing = false;
  return fill_value(written_, around, missing);
}

std::vector<Expression> Template::expressions() const {
  std::vector<Expression> found;
  [[maybe_unused]] const auto result = gather(written_, found);  // make() has checked
  return found;
}

}  // namespace vouch::collect
