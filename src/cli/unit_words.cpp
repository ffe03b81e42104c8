#include "cli/unit_words.h"

#include "base/yaml.h"

#include <fmt/ranges.h>
#include <algorithm>

namespace vouch::cli {
namespace {

using Scope = UnitMeaning::Scope;

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
// Whatever is not ASCII is taken for a letter: a word of another language is one word, and unknown.
bool is_letter(char c) { return is_upper(c) || is_lower(c) || (static_cast<unsigned char>(c) & 0x80); }

// Where a capital begins a word: devSandbox, PCIProd.
bool begins_word(std::string_view name, std::size_t at) {
  if (at == 0 || !is_upper(name[at])) return false;
  return is_lower(name[at - 1]) || (is_upper(name[at - 1]) && at + 1 < name.size() && is_lower(name[at + 1]));
}

std::string joined(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, " ")); }

// As written (CICD, PoCs: capitals in the middle begin no word) and taken apart, so that both find it.
std::vector<std::string> spellings(const std::string& name) {
  std::string small = name;
  std::transform(small.begin(), small.end(), small.begin(), [](char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; });
  std::vector<std::string> spelt{joined(words_of(name)), joined(words_of(small))};
  if (spelt[0] == spelt[1]) spelt.pop_back();
  return spelt;
}

Result<UnitMeaning> read_meaning(const Yaml& node) {
  TRY(node.only({"names", "scope", "reason", "look", "divided"}));
  UnitMeaning meaning;
  const auto scope = TRY(node.text("scope"));
  if (scope == "in")
    meaning.scope = Scope::in;
  else if (scope == "out")
    meaning.scope = Scope::out;
  else if (scope != "look")
    return node["scope"].wrong("`{}` is no scope; it is one of in, look, out", scope);
  meaning.reason = TRY(node.text("reason"));
  meaning.look = TRY(node.text_or("look", ""));
  for (const auto* key : {"reason", "look"})
    if (const auto text = TRY(node.text_or(key, "")); text.size() > 300 || text.find_first_of("\r\n") != std::string::npos)
      return node[key].wrong("`{}` is one line of at most 300 bytes", key);
  if (meaning.reason.empty()) return node["reason"].wrong("whoever says what a unit is says why: `reason`");
  if (const auto divided = node["divided"]; !divided.is_absent()) meaning.divided = TRY(divided.boolean());
  return meaning;
}

class Reader {
 public:
  explicit Reader(Problems& problems) : problems_(problems) {}

  UnitWords read(const CatalogFiles& files) {
    for (const auto* file : files.in("scope")) {
      in_this_file_.clear();
      note(read_file(*file));
    }
    return std::move(words_);
  }

 private:
  void note(Result<> done) {
    if (!done) problems_.push_back(std::move(done).error());
  }

  Result<> read_file(const CatalogFile& file) {
    const auto root = TRY(Yaml::parse(file.text, file.path));
    TRY(root.only({"units", "neutral"}));
    for (const auto& node : root["units"].items()) note(read_unit(node));
    for (const auto& name : TRY(root["neutral"].texts()))
      for (const auto& word : spellings(name)) words_.neutral.insert(word);
    return {};
  }

  Result<> read_unit(const Yaml& node) {
    const auto meaning = TRY(read_meaning(node));
    const auto names = TRY(node["names"].texts());
    if (names.empty()) return node.wrong("missing `names`");
    for (const auto& name : names) {
      if (words_of(name).empty()) return node["names"].wrong("`{}` has no word in it", name);
      for (const auto& spelt : spellings(name)) {
        if (!in_this_file_.insert(spelt).second) return node["names"].wrong("`{}` stands in this file twice", name);
        words_.names[spelt] = meaning;
      }
    }
    return {};
  }

  Problems& problems_;
  UnitWords words_;
  std::set<std::string> in_this_file_;
};

// What is found in a name.
struct Found {
  std::vector<std::pair<std::string, const UnitMeaning*>> known;
  std::vector<std::string> unknown;

  // The first that says so.
  [[nodiscard]] const UnitMeaning* saying(Scope scope) const {
    const auto at = std::find_if(known.begin(), known.end(), [&](const auto& one) { return one.second->scope == scope; });
    return at == known.end() ? nullptr : at->second;
  }
};

Found find_names(const UnitWords& known, const std::vector<std::string>& words) {
  Found found;
  for (std::size_t at = 0; at < words.size();) {
    auto end = words.size();
    auto name = known.names.end();
    for (; end > at; --end) {
      name = known.names.find(fmt::format(
          "{}", fmt::join(words.begin() + static_cast<std::ptrdiff_t>(at), words.begin() + static_cast<std::ptrdiff_t>(end), " ")));
      if (name != known.names.end()) break;
    }
    if (end > at) {
      found.known.emplace_back(name->first, &name->second);
      at = end;
      continue;
    }
    if (!known.neutral.contains(words[at])) found.unknown.push_back(words[at]);
    ++at;
  }
  return found;
}

}  // namespace

UnitWords read_unit_words(const CatalogFiles& files, Problems& problems) { return Reader{problems}.read(files); }

std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words;
  bool inside = false;
  for (std::size_t at = 0; at < name.size(); ++at) {
    const char c = name[at];
    if (!is_letter(c)) {
      inside = false;
      continue;
    }
    if (!inside || begins_word(name, at)) words.emplace_back();
    inside = true;
    words.back() += is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return words;
}

std::optional<UnitMeaning> meaning_of(const UnitWords& words, std::string_view name) {
  const auto found = find_names(words, words_of(name));
  if (const auto* in = found.saying(Scope::in)) return *in;
  const auto* out = found.saying(Scope::out);
  const auto* look = found.saying(Scope::look);
  if (!out) return look ? std::optional{*look} : std::nullopt;
  auto beside = found.unknown;
  for (const auto& [spelt, meaning] : found.known)
    if (meaning->scope == Scope::look) beside.push_back(spelt);
  if (beside.empty()) return *out;
  UnitMeaning doubtful;
  const auto said = std::find_if(found.known.begin(), found.known.end(), [](const auto& one) { return one.second->scope == Scope::out; });
  doubtful.reason =
      fmt::format("the name says `{}`, and more than that; leave it out where nothing of customers or production is in it", said->first);
  return doubtful;
}

}  // namespace vouch::cli
