#include "base/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/parser.h>
#include <yaml-cpp/yaml.h>
#include <charconv>
#include <set>

namespace vouch {
namespace {

constexpr int max_depth = 32;
constexpr std::size_t max_bytes = 4u << 20;

// Looks at the parser's events before any tree is built, so that hostile nesting and aliases cost nothing.
class Guard final : public YAML::EventHandler {
 public:
  std::string problem;
  YAML::Mark at;

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { refuse(mark, "aliases are not accepted"); }
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override { enter(mark); }
  void OnSequenceEnd() override { --depth_; }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override { enter(mark); }
  void OnMapEnd() override { --depth_; }

 private:
  void enter(const YAML::Mark& mark) {
    if (++depth_ > max_depth) refuse(mark, "nested too deeply");
  }
  void refuse(const YAML::Mark& mark, std::string why) {
    if (problem.empty()) {
      problem = std::move(why);
      at = mark;
    }
    throw YAML::ParserException(mark, problem);
  }
  int depth_ = 0;
};

// yaml-cpp keeps duplicate keys; the second would be unreachable.
std::optional<std::pair<int, std::string>> find_duplicate(const YAML::Node& node) {
  if (node.IsMap()) {
    std::set<std::string> seen;
    for (const auto& member : node) {
      if (!member.first.IsScalar()) return std::pair{member.first.Mark().line + 1, std::string{"a key must be a plain text"}};
      if (!seen.insert(member.first.Scalar()).second)
        return std::pair{member.first.Mark().line + 1, fmt::format("`{}` stands here twice", member.first.Scalar())};
      if (auto below = find_duplicate(member.second)) return below;
    }
  } else if (node.IsSequence()) {
    for (const auto& element : node)
      if (auto below = find_duplicate(element)) return below;
  }
  return std::nullopt;
}

Json json_of(const YAML::Node& node) {
  if (node.IsMap()) {
    json::object object;
    for (const auto& member : node) object[member.first.Scalar()] = json_of(member.second);
    return object;
  }
  if (node.IsSequence()) {
    json::array array;
    for (const auto& element : node) array.push_back(json_of(element));
    return array;
  }
  if (!node.IsScalar()) return nullptr;
  const auto& text = node.Scalar();
  if (node.Tag() == "!") return json::string{text};  // quoted
  if (text == "true" || text == "false") return text == "true";
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && end == text.data() + text.size()) return number;
  return json::string{text};
}

}  // namespace

Result<Yaml> Yaml::parse(std::string_view text, std::string file) {
  if (text.size() > max_bytes) return fail(Errc::config, "{}: larger than 4 MiB", file);
  try {
    const std::string copy{text};
    {
      std::istringstream stream{copy};
      YAML::Parser parser{stream};
      Guard guard;
      while (parser.HandleNextDocument(guard)) {
      }
    }
    auto node = std::make_shared<YAML::Node>(YAML::Load(copy));
    if (const auto twice = find_duplicate(*node)) return fail(Errc::config, "{}:{}: {}", file, twice->first, twice->second);
    return Yaml{std::move(node), std::make_shared<const std::string>(std::move(file)), 1};
  } catch (const YAML::Exception& error) {
    return fail(Errc::config, "{}:{}: {}", file, error.mark.line + 1, error.msg);
  } catch (const std::exception& error) {  // yaml-cpp lets a few of the standard library's through
    return fail(Errc::config, "{}: {}", file, error.what());
  }
}

std::string Yaml::where() const { return fmt::format("{}:{}", *file_, node_ ? line() : parent_line_); }
int Yaml::line() const { return node_ ? node_->Mark().line + 1 : 0; }
bool Yaml::is_absent() const { return !node_ || node_->IsNull() || !node_->IsDefined(); }
bool Yaml::is_map() const { return node_ && node_->IsMap(); }
bool Yaml::is_list() const { return node_ && node_->IsSequence(); }
bool Yaml::is_scalar() const { return node_ && node_->IsScalar(); }

Yaml Yaml::operator[](std::string_view key) const {
  if (is_map())
    for (const auto& member : *node_)
      if (member.first.Scalar() == key) return {std::make_shared<const YAML::Node>(member.second), file_, member.first.Mark().line + 1};
  return {nullptr, file_, node_ ? line() : parent_line_};
}

std::vector<Yaml> Yaml::items() const {
  std::vector<Yaml> items;
  if (is_absent()) return items;
  if (!is_list()) return {*this};
  for (const auto& element : *node_) items.push_back({std::make_shared<const YAML::Node>(element), file_, line()});
  return items;
}

std::vector<std::pair<std::string, Yaml>> Yaml::members() const {
  std::vector<std::pair<std::string, Yaml>> members;
  if (is_map())
    for (const auto& member : *node_)
      members.emplace_back(member.first.Scalar(),
                           Yaml{std::make_shared<const YAML::Node>(member.second), file_, member.first.Mark().line + 1});
  return members;
}

Result<std::string> Yaml::text() const {
  if (!is_scalar()) return wrong("a text is expected here");
  return node_->Scalar();
}

Result<std::int64_t> Yaml::integer() const {
  const auto value = TRY(text());
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc{} || end != value.data() + value.size()) return wrong("`{}` is not an integer", value);
  return number;
}

Result<bool> Yaml::boolean() const {
  const auto value = TRY(text());
  if (value == "true") return true;
  if (value == "false") return false;
  return wrong("`{}` is neither true nor false", value);
}

Result<std::vector<std::string>> Yaml::texts() const {
  std::vector<std::string> texts;
  for (const auto& item : items()) texts.push_back(TRY(item.text()));
  return texts;
}

Result<std::string> Yaml::text(std::string_view key) const {
  const auto member = (*this)[key];
  if (member.is_absent()) return wrong("missing `{}`", key);
  return member.text();
}

Result<std::string> Yaml::text_or(std::string_view key, std::string_view otherwise) const {
  const auto member = (*this)[key];
  return member.is_absent() ? Result<std::string>{std::string{otherwise}} : member.text();
}

Result<> Yaml::only(std::initializer_list<std::string_view> keys) const {
  if (!is_map()) return wrong("a map is expected here");
  for (const auto& [key, value] : members())
    if (std::find(keys.begin(), keys.end(), key) == keys.end())
      return fail(Errc::config, "{}:{}: unknown key `{}`; known here: {}", *file_, value.parent_line_, key, fmt::join(keys, ", "));
  return {};
}

Json Yaml::to_json() const { return node_ ? json_of(*node_) : Json{nullptr}; }

}  // namespace vouch
