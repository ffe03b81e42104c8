#include "wire/link_header.h"

#include <algorithm>

namespace vouch::wire {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_word(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

// "next", "prev last": relations stand side by side.
bool holds_word(std::string_view words, std::string_view word) {
  for (std::size_t at = 0; at < words.size();) {
    const auto end = std::min(words.find_first_of(" \t", at), words.size());
    if (same_word(words.substr(at, end - at), word)) return true;
    at = end + 1;
  }
  return false;
}

// One header's value, read from left to right.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  // The target of the first link of that relation.
  Result<std::optional<std::string>> find(std::string_view relation) {
    for (;;) {
      while (rest_.starts_with(',') || is_space()) rest_.remove_prefix(1);
      if (rest_.empty()) return std::nullopt;
      const auto close = rest_.find('>');
      if (rest_.front() != '<' || close == std::string_view::npos) return wrong();
      const auto target = rest_.substr(1, close - 1);
      rest_.remove_prefix(close + 1);
      const auto relations = TRY(read_relations());
      if (holds_word(relations, relation)) return std::string{target};
    }
  }

 private:
  [[nodiscard]] bool is_space() const { return rest_.starts_with(' ') || rest_.starts_with('\t'); }
  void skip_space() {
    while (is_space()) rest_.remove_prefix(1);
  }
  static std::unexpected<Error> wrong() { return fail(Errc::malformed, "the Link header can't be read"); }

  // The params of one link, up to the comma behind it. The first `rel` counts.
  Result<std::string> read_relations() {
    std::optional<std::string> relations;
    for (;;) {
      skip_space();
      if (rest_.empty() || rest_.front() == ',') return relations.value_or("");
      if (rest_.front() != ';') return wrong();
      rest_.remove_prefix(1);
      skip_space();
      const auto end = std::min(rest_.find_first_of("=;, \t"), rest_.size());
      const auto name = rest_.substr(0, end);
      rest_.remove_prefix(end);
      skip_space();
      std::string value;
      if (rest_.starts_with('=')) {
        rest_.remove_prefix(1);
        skip_space();
        value = TRY(read_value());
      }
      if (!relations && same_word(name, "rel")) relations = std::move(value);
    }
  }

  Result<std::string> read_value() {
    if (!rest_.starts_with('"')) {
      const auto end = std::min(rest_.find_first_of(";, \t"), rest_.size());
      std::string value{rest_.substr(0, end)};
      rest_.remove_prefix(end);
      return value;
    }
    std::string value;
    for (std::size_t at = 1; at < rest_.size(); ++at) {
      if (rest_[at] == '"') {
        rest_.remove_prefix(at + 1);
        return value;
      }
      if (rest_[at] == '\\' && ++at == rest_.size()) break;
      value += rest_[at];
    }
    return wrong();
  }

  std::string_view rest_;
};

}  // namespace

Result<std::optional<std::string>> find_link(const Headers& headers, std::string_view relation) {
  for (const auto& [name, value] : headers) {
    if (!same_word(name, "link")) continue;
    auto found = TRY(Reader{value}.find(relation));
    if (found) return found;
  }
  return std::nullopt;
}

}  // namespace vouch::wire
