#include "collect/edits.h"

namespace vouch::collect {

std::string Place::text() const {
  std::string text;
  for (const auto& step : steps_) {
    if (step.member.empty()) {
      text += fmt::format("[{}]", step.index);
    } else {
      if (!text.empty()) text += '.';
      text += step.member;
    }
  }
  return text;
}

bool Place::is_listed(std::span<const Path> listed) const {
  const auto matches = [&](const Path& path) {
    auto at = path.begin();
    const auto skip = [&] {
      while (at != path.end() && at->kind != collect::Step::Kind::member) ++at;
    };
    skip();
    for (const auto& step : steps_) {
      if (step.member.empty()) continue;
      if (at == path.end() || at->member != step.member) return false;
      ++at;
      skip();
    }
    return at == path.end();
  };
  return std::ranges::any_of(listed, matches);
}

void Edits::replace(const Token& token, std::string path, Spell spell) {
  if (token.text.empty()) return;
  edits_.push_back({token.begin, token.end, spell(keyed_hash(key_, token.text)), std::move(path), true});
}

void Edits::search(const Token& token, const Place& place, Spell spell) {
  const auto spans = find_secrets(token.text);
  if (spans.empty()) return;
  std::string text;
  std::size_t at = 0;
  for (const auto& span : spans) {
    text.append(token.text, at, span.begin - at);
    text += keyed_hash(key_, std::string_view(token.text).substr(span.begin, span.end - span.begin));
    at = span.end;
  }
  text.append(token.text, at);
  edits_.push_back({token.begin, token.end, spell(text), place.text(), false});
}

Redacted Edits::apply(std::string_view body) && {
  // Of two edits of one text the one that replaces it as a whole stands.
  std::ranges::sort(edits_, [](const Edit& a, const Edit& b) { return a.begin != b.begin ? a.begin < b.begin : a.whole > b.whole; });
  Redacted redacted;
  std::size_t at = 0;
  for (auto& edit : edits_) {
    if (edit.begin < at) continue;
    redacted.body.append(body, at, edit.begin - at);
    redacted.body += edit.bytes;
    redacted.paths.push_back(std::move(edit.path));
    at = edit.end;
  }
  redacted.body.append(body, at);
  std::ranges::sort(redacted.paths);
  redacted.paths.erase(std::ranges::unique(redacted.paths).begin(), redacted.paths.end());
  return redacted;
}

Half half_of_pair(std::string_view member) {
  static const std::map<std::string_view, Half> halves = {{"key", Half::name},
                                                          {"Key", Half::name},
                                                          {"name", Half::name},
                                                          {"Name", Half::name},
                                                          {"ParameterKey", Half::name},
                                                          {"ParameterName", Half::name},
                                                          {"TagKey", Half::name},
                                                          {"OptionName", Half::name},
                                                          {"value", Half::value},
                                                          {"Value", Half::value},
                                                          {"ParameterValue", Half::value},
                                                          {"TagValue", Half::value},
                                                          {"OptionValue", Half::value},
                                                          {"OutputKey", Half::name},
                                                          {"OutputValue", Half::value}};
  const auto found = halves.find(member);
  return found == halves.end() ? Half::neither : found->second;
}

}  // namespace vouch::collect
