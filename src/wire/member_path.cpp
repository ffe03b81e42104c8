#include "wire/member_path.h"

namespace vouch::wire {
namespace {

bool is_plain(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '$'; }

}  // namespace

Result<MemberPath> MemberPath::parse(std::string_view text) {
  const auto wrong = [&](std::string_view why) { return fail(Errc::config, "path `{}`: {}", text, why); };
  MemberPath path;
  auto rest = text;
  if (rest.ends_with("[]")) rest.remove_suffix(2);
  if (rest.empty()) return path;
  for (;;) {
    std::size_t size = 0;
    if (rest.starts_with('"')) {
      const auto close = rest.find('"', 1);
      if (close == std::string_view::npos || close == 1) return wrong("a name in quotes is empty or does not end");
      path.members_.emplace_back(rest.substr(1, close - 1));
      size = close + 1;
    } else {
      while (size < rest.size() && is_plain(rest[size])) ++size;
      if (size == 0)
        return wrong("a member's name is missing; names with other characters than letters, digits, `_`, `-` and `$` stand in quotes");
      path.members_.emplace_back(rest.substr(0, size));
    }
    rest.remove_prefix(size);
    if (rest.empty()) return path;
    if (rest.front() != '.') return wrong("members are separated by dots");
    rest.remove_prefix(1);
  }
}

const Json* MemberPath::find(const Json& document) const {
  const Json* at = &document;
  for (const auto& member : members_) {
    const auto* object = at->if_object();
    at = object ? object->if_contains(member) : nullptr;
    if (!at) return nullptr;
  }
  return at;
}

std::string_view MemberPath::find_text(const Json& document) const {
  const auto* found = find(document);
  const auto* text = found ? found->if_string() : nullptr;
  return text ? std::string_view{*text} : std::string_view{};
}

const json::array* MemberPath::find_list(const Json& document) const {
  const auto* found = find(document);
  return found ? found->if_array() : nullptr;
}

}  // namespace vouch::wire
