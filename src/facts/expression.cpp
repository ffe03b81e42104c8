#include "facts/expression.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "base/encoding.h"

namespace vouch::facts {

using Node = Expression::Node;
using Function = const Json* (*)(Frame&, const std::vector<std::shared_ptr<const Node>>&);

struct Step {
  std::string member;  // empty: an index
  std::size_t index = 0;
};

struct Expression::Node {
  enum class Kind { literal, level, member, answer, key, params, account, region, partition, call } kind = Kind::literal;
  Json literal;
  std::size_t slot = 0;
  std::string name;  // of a member or level, for people too
  Function function = nullptr;
  std::vector<std::shared_ptr<const Node>> arguments;
  std::vector<Step> steps;

  const Json* evaluate(Frame& frame) const;

 private:
  [[nodiscard]] const Json* start(Frame& frame) const;
  // Whether the provider is answerable for what this reads.
  [[nodiscard]] bool of_answer() const { return kind == Kind::member || kind == Kind::level || kind == Kind::answer || kind == Kind::call; }
  [[nodiscard]] std::string path(std::size_t steps_taken) const;
};

namespace {

// Null is an answer here, as it is not for find().
const Json* member_of(const Json& value, std::string_view name) {
  const auto* object = value.if_object();
  return object ? object->if_contains(name) : nullptr;
}

}  // namespace

const Json* Node::start(Frame& frame) const {
  const auto text = [&](std::string_view value) { return value.empty() ? nullptr : frame.make(json::string{value}); };
  switch (kind) {
    case Kind::literal: return &literal;
    case Kind::level: return frame.levels[slot];
    case Kind::member: return frame.answer ? member_of(*frame.answer, name) : nullptr;
    case Kind::answer: return frame.answer;
    case Kind::key: return frame.key;
    case Kind::params: return frame.params;
    case Kind::account: return text(frame.account);
    case Kind::region: return text(frame.region);
    case Kind::partition: return text(frame.partition);
    case Kind::call: return function(frame, arguments);
  }
  return nullptr;
}

std::string Node::path(std::size_t steps_taken) const {
  std::string text = kind == Kind::answer ? "answer" : kind == Kind::call ? name + "(…)" : name;
  for (std::size_t i = 0; i < steps_taken; ++i)
    text += steps[i].member.empty() ? fmt::format("[{}]", steps[i].index) : fmt::format("{}{}", text.empty() ? "" : ".", steps[i].member);
  return text;
}

const Json* Node::evaluate(Frame& frame) const {
  const auto* value = start(frame);
  const auto missing_at = [&](std::size_t steps_taken) -> const Json* {
    if (frame.strict && of_answer() && frame.missing.empty()) frame.missing = path(steps_taken);
    return nullptr;
  };
  // A call that gives nothing has said itself what it missed.
  if (!value) return kind == Kind::member ? missing_at(0) : nullptr;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (value->is_null()) return nullptr;
    const auto& step = steps[i];
    if (!step.member.empty()) {
      value = member_of(*value, step.member);
    } else {
      const auto* list = value->if_array();
      value = list && step.index < list->size() ? &(*list)[step.index] : nullptr;
    }
    if (!value) return missing_at(i + 1);
  }
  return value->is_null() ? nullptr : value;
}

const Json* Expression::evaluate(Frame& frame) const { return root_ ? root_->evaluate(frame) : nullptr; }

std::string text_of(const Json& value) {
  if (const auto* text = value.if_string()) return std::string{*text};
  if (const auto spelled = canonical(value)) return *spelled;
  return json::serialize(value);
}

namespace {

using Arguments = std::vector<std::shared_ptr<const Node>>;

const Json* wrong(Frame& frame, std::string problem) {
  if (frame.problem.empty()) frame.problem = std::move(problem);
  return nullptr;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

const Json* json_value(Frame& frame, const Arguments& arguments) {
  const auto* value = arguments[0]->evaluate(frame);
  if (!value) return nullptr;
  const auto* text = value->if_string();
  if (!text) return value;
  if (text->empty()) return nullptr;  // how some services say that there is no policy
  auto parsed = parse_json(*text);
  if (!parsed) return wrong(frame, "a text that should hold JSON: " + parsed.error().message);
  return parsed->is_null() ? nullptr : frame.make(std::move(*parsed));
}

// An escape that is none stays as it stands: a text that was never encoded passes through.
const Json* urldecode(Frame& frame, const Arguments& arguments) {
  const auto* value = arguments[0]->evaluate(frame);
  if (!value) return nullptr;
  const auto text = text_of(*value);
  json::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low >= 0) {
      decoded.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      decoded.push_back(text[i]);
    }
  }
  return frame.make(std::move(decoded));
}

const Json* base64(Frame& frame, const Arguments& arguments) {
  const auto* value = arguments[0]->evaluate(frame);
  if (!value) return nullptr;
  const auto bytes = parse_base64(text_of(*value));
  if (!bytes) return wrong(frame, "a text that should be base64: " + bytes.error().message);
  return frame.make(json::string{vouch::text_of(ByteView{*bytes})});
}

const Json* csv(Frame& frame, const Arguments& arguments) {
  const auto* value = arguments[0]->evaluate(frame);
  if (!value) return nullptr;
  auto records = parse_csv(text_of(*value));
  if (!records) return wrong(frame, records.error().message);
  return frame.make(std::move(*records));
}

const Json* array(Frame& frame, const Arguments& arguments) {
  const auto* value = arguments[0]->evaluate(frame);
  if (!value) return nullptr;
  return value->is_array() ? value : frame.make(json::array{*value});
}

const Json* entries(Frame& frame, const Arguments& arguments) {
  const auto* value = arguments[0]->evaluate(frame);
  if (!value) return nullptr;
  const auto* map = value->if_object();
  if (!map) return wrong(frame, "entries() of something that is not a map");
  json::array list;
  for (const auto& member : *map) list.push_back(json::object{{"key", member.key()}, {"value", member.value()}});
  return frame.make(std::move(list));
}

const Json* first_of(const Json& object, std::initializer_list<std::string_view> names) {
  for (const auto name : names)
    if (const auto* value = find(object, name)) return value;
  return nullptr;
}

const Json* tag(Frame& frame, const Arguments& arguments) {
  const auto* tags = arguments[0]->evaluate(frame);
  const auto* wanted = arguments[1]->evaluate(frame);
  if (!tags || !wanted) return nullptr;
  const auto name = text_of(*wanted);
  if (tags->is_object()) return find(*tags, name);
  const auto* list = tags->if_array();
  if (!list) return wrong(frame, "tag() of something that is not a list");
  for (const auto& one : *list) {
    const auto* key = first_of(one, {"Key", "key", "TagKey"});
    if (key && text_of(*key) == name) return first_of(one, {"Value", "value", "TagValue"});
  }
  return nullptr;
}

const Json* concat(Frame& frame, const Arguments& arguments) {
  json::string joined;
  for (const auto& argument : arguments) {
    const auto* value = argument->evaluate(frame);
    if (!value) return nullptr;
    if (const auto* text = value->if_string())
      joined += *text;
    else
      joined += text_of(*value);
  }
  return frame.make(std::move(joined));
}

const Json* lower(Frame& frame, const Arguments& arguments) {
  const auto* value = arguments[0]->evaluate(frame);
  if (!value) return nullptr;
  json::string text{text_of(*value)};
  for (auto& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return frame.make(std::move(text));
}

const Json* split(Frame& frame, const Arguments& arguments) {
  const auto* value = arguments[0]->evaluate(frame);
  const auto* by = arguments[1]->evaluate(frame);
  const auto* which = arguments[2]->evaluate(frame);
  if (!value || !by || !which || !which->is_int64()) return nullptr;
  const auto text = text_of(*value), separator = text_of(*by);
  if (separator.empty()) return nullptr;
  std::size_t from = 0;
  for (auto left = which->get_int64(); left > 0; --left) {
    const auto at = text.find(separator, from);
    if (at == std::string::npos) return nullptr;
    from = at + separator.size();
  }
  return frame.make(json::string{std::string_view{text}.substr(from, text.find(separator, from) - from)});
}

// Content with any of its values, a null among them.
const Json* coalesce(Frame& frame, const Arguments& arguments) {
  const auto before = std::exchange(frame.missing, {});
  std::string missing;
  const Json* found = nullptr;
  bool any = false;
  for (const auto& argument : arguments) {
    found = argument->evaluate(frame);
    any = any || found || frame.missing.empty();
    if (missing.empty()) missing = std::exchange(frame.missing, {});
    if (found) break;
  }
  frame.missing = !before.empty() || any ? before : missing;
  return found;
}

// Of a text in characters, of a list or map in elements.
const Json* length(Frame& frame, const Arguments& arguments) {
  const auto* value = arguments[0]->evaluate(frame);
  if (!value) return nullptr;
  if (const auto* list = value->if_array()) return frame.make(static_cast<std::int64_t>(list->size()));
  if (const auto* map = value->if_object()) return frame.make(static_cast<std::int64_t>(map->size()));
  const auto text = text_of(*value);
  return frame.make(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

const Json* equals(Frame& frame, const Arguments& arguments) {
  const auto* left = arguments[0]->evaluate(frame);
  const auto* right = arguments[1]->evaluate(frame);
  return left && right ? frame.make(text_of(*left) == text_of(*right)) : nullptr;
}

const Json* contains(Frame& frame, const Arguments& arguments) {
  const auto* list = arguments[0]->evaluate(frame);
  const auto* wanted = arguments[1]->evaluate(frame);
  if (!list || !wanted) return nullptr;
  const auto text = text_of(*wanted);
  const auto* elements = list->if_array();
  if (!elements) return wrong(frame, "contains() of something that is not a list");
  return frame.make(std::any_of(elements->begin(), elements->end(), [&](const Json& one) { return text_of(one) == text; }));
}

struct Known {
  std::string_view name;
  Function function;
  std::size_t least, most;
};
constexpr std::size_t any = 64;
constexpr Known functions[] = {
    {"json", json_value, 1, 1}, {"urldecode", urldecode, 1, 1}, {"base64", base64, 1, 1},
    {"csv", csv, 1, 1},         {"array", array, 1, 1},         {"entries", entries, 1, 1},
    {"tag", tag, 2, 2},         {"concat", concat, 1, any},     {"lower", lower, 1, 1},
    {"split", split, 3, 3},     {"coalesce", coalesce, 1, any}, {"length", length, 1, 1},
    {"equals", equals, 2, 2},   {"contains", contains, 2, 2},
};

}  // namespace

class ExpressionParser {
 public:
  ExpressionParser(std::string_view text, std::span<const std::string> levels) : text_(text), levels_(levels) {}

  Result<Expression> whole() {
    auto node = TRY(expression());
    blanks();
    if (at_ != text_.size()) return wrong("nothing is expected here");
    return finish(std::move(node), text_);
  }

  Result<Unfold> unfold(std::vector<std::string>& names) {
    Unfold unfold;
    do {
      TRY(level(unfold, names));
      blanks();
    } while (take(','));
    if (at_ != text_.size()) return wrong("a comma or the end is expected here");
    return unfold;
  }

 private:
  static constexpr int max_depth = 32;

  static Expression finish(std::shared_ptr<Node> node, std::string_view text) {
    Expression expression;
    expression.root_ = std::move(node);
    expression.text_ = text;
    return expression;
  }

  template <class... Args>
  std::unexpected<Error> wrong(fmt::format_string<Args...> format, Args&&... args) const {
    return fail(Errc::config, "`{}`, character {}: {}", text_, at_ + 1, fmt::format(format, std::forward<Args>(args)...));
  }

  // EXPRESSION[].more[] as name: each `[]` but the last opens a level without a name.
  Result<> level(Unfold& unfold, std::vector<std::string>& names) {
    levels_ = names;
    blanks();
    auto from = at_;
    const auto begin = at_;
    std::shared_ptr<Node> node;
    if (text_.substr(at_).starts_with("[]")) {
      node = std::make_shared<Node>();
      node->kind = Node::Kind::answer;
    } else {
      node = TRY(expression());
    }
    for (;;) {
      const auto end = at_;
      const bool spread = take("[]");
      const bool optional = take('?');
      auto value = finish(std::move(node), text_.substr(from, end - from));
      const bool more = spread && at_ < text_.size() && (text_[at_] == '.' || text_[at_] == '[');
      const auto name = more ? std::string{} : TRY(level_name());
      unfold.levels.push_back({std::move(value), slot_for(names, name), spread, optional});
      if (!more) return {};
      node = std::make_shared<Node>();
      node->kind = Node::Kind::level;
      node->name = text_.substr(begin, at_ - begin);
      node->slot = unfold.levels.back().slot;
      from = at_;
      levels_ = names;
      TRY(steps(*node));
    }
  }

  static std::size_t slot_for(std::vector<std::string>& names, const std::string& name) {
    if (!name.empty())
      if (const auto known = std::find(names.begin(), names.end(), name); known != names.end())
        return static_cast<std::size_t>(known - names.begin());
    names.push_back(name);
    return names.size() - 1;
  }

  Result<std::string> level_name() {
    blanks();
    if (word() != "as") return wrong("`as NAME` is expected here");
    blanks();
    auto name = word();
    if (name.empty()) return wrong("a name is expected here");
    return name;
  }

  Result<std::shared_ptr<Node>> expression() {
    if (++depth_ > max_depth) return wrong("nested too deeply");
    blanks();
    auto node = std::make_shared<Node>();
    if (at_ < text_.size() && text_[at_] == '\'') {
      node->literal = json::string{TRY(quoted())};
    } else if (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
      node->literal = static_cast<std::int64_t>(TRY(number()));
    } else {
      const auto name = word();
      if (name.empty()) return wrong("a name, a 'text' or a number is expected here");
      if (take('('))
        TRY(call(*node, name));
      else
        start(*node, name);
    }
    TRY(steps(*node));
    --depth_;
    return node;
  }

  void start(Node& node, const std::string& name) const {
    static const std::map<std::string_view, Node::Kind> words{{"answer", Node::Kind::answer}, {"key", Node::Kind::key},
                                                              {"params", Node::Kind::params}, {"account", Node::Kind::account},
                                                              {"region", Node::Kind::region}, {"partition", Node::Kind::partition}};
    if (const auto level = std::find(levels_.begin(), levels_.end(), name); level != levels_.end()) {
      node.kind = Node::Kind::level;
      node.name = name;
      node.slot = static_cast<std::size_t>(level - levels_.begin());
    } else if (const auto known = words.find(name); known != words.end()) {
      node.kind = known->second;
    } else if (name == "true" || name == "false") {
      node.literal = name == "true";
    } else {
      node.kind = Node::Kind::member;
      node.name = name;
    }
  }

  Result<> call(Node& node, std::string_view name) {
    const auto known = std::find_if(std::begin(functions), std::end(functions), [&](const Known& one) { return one.name == name; });
    if (known == std::end(functions)) return wrong("there is no function `{}`", name);
    do {
      node.arguments.push_back(TRY(expression()));
      blanks();
    } while (take(','));
    if (!take(')')) return wrong("a comma or `)` is expected here");
    if (node.arguments.size() < known->least || node.arguments.size() > known->most)
      return wrong("{}() takes {} values", name, known->least == known->most ? std::to_string(known->least) : "one or more");
    node.kind = Node::Kind::call;
    node.name = name;
    node.function = known->function;
    return {};
  }

  Result<> steps(Node& node) {
    for (;;) {
      if (at_ + 1 < text_.size() && text_[at_] == '[' && text_[at_ + 1] == ']') return {};
      if (take('.')) {
        auto member = at_ < text_.size() && text_[at_] == '\'' ? TRY(quoted()) : word();
        if (member.empty()) return wrong("the name of a member is expected here");
        node.steps.push_back({std::move(member), 0});
      } else if (take('[')) {
        node.steps.push_back({{}, TRY(number())});
        if (!take(']')) return wrong("`]` is expected here");
      } else {
        return {};
      }
    }
  }

  Result<std::string> quoted() {
    std::string value;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] != '\'') {
        value += text_[at_];
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '\'') {
        value += '\'';
        ++at_;
      } else {
        ++at_;
        return value;
      }
    }
    return wrong("the text has no end");
  }

  Result<std::size_t> number() {
    std::size_t value = 0;
    const auto* begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error != std::errc{} || value > std::size_t{1} << 31) return wrong("a number is expected here");
    at_ += static_cast<std::size_t>(end - begin);
    return value;
  }

  std::string word() {
    const auto from = at_;
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    const auto inside = [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '-'; };
    if (at_ < text_.size() && letter(text_[at_]))
      while (at_ < text_.size() && inside(text_[at_])) ++at_;
    return std::string{text_.substr(from, at_ - from)};
  }

  void blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  std::string_view text_;
  std::span<const std::string> levels_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

Result<Expression> Expression::parse(std::string_view text, std::span<const std::string> levels) {
  return ExpressionParser{text, levels}.whole();
}

Result<Unfold> Unfold::parse(std::string_view text, std::vector<std::string>& names) { return ExpressionParser{text, {}}.unfold(names); }

Result<Json> parse_csv(std::string_view text) {
  std::vector<std::string> header, record;
  json::array records;
  std::string field;
  bool quoted = false, any_field = false;
  const auto end_record = [&] {
    if (!any_field && field.empty() && record.empty()) return;  // an empty line
    record.push_back(std::exchange(field, {}));
    any_field = false;
    if (header.empty()) {
      header = std::exchange(record, {});
      return;
    }
    json::object one;
    for (std::size_t i = 0; i < record.size() && i < header.size(); ++i) one[header[i]] = record[i];
    records.push_back(std::move(one));
    record.clear();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c != '"') {
        field += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        field += '"';
        ++i;
      } else {
        quoted = false;
      }
    } else if (c == '"' && field.empty()) {
      quoted = any_field = true;
    } else if (c == ',') {
      record.push_back(std::exchange(field, {}));
      any_field = true;
    } else if (c == '\n' || c == '\r') {
      end_record();
    } else {
      field += c;
    }
  }
  if (quoted) return fail(Errc::malformed, "comma separated values: a quote that does not end");
  end_record();
  return records;
}

}  // namespace vouch::facts
