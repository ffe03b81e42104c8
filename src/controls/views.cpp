#include "controls/views.h"

#include "base/yaml.h"
#include "controls/statement.h"

#include <algorithm>
#include <set>

namespace vouch::controls {
namespace {

constexpr std::string_view blank = " \t\r\n";

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }

bool is_name(std::string_view text) {
  return !text.empty() && text[0] >= 'a' && text[0] <= 'z' && std::all_of(text.begin(), text.end(), is_word);
}

Result<View> read_view(const Yaml& item) {
  TRY(item.only({"view", "says", "sql"}));
  View view{TRY(item.text("view")), item.where(), TRY(item.text("sql"))};
  if (!is_name(view.name)) return item["view"].wrong("`{}` is no name: small letters, digits and underscores", view.name);
  TRY(item.text("says"));
  if (view.sql.contains("--") || view.sql.contains(';')) return item["sql"].wrong("a view is one SELECT without comments and semicolons");
  std::replace(view.sql.begin(), view.sql.end(), '\n', ' ');
  return view;
}

std::set<std::string, std::less<>> words_of(std::string_view sql) {
  std::set<std::string, std::less<>> words;
  std::string word;
  for (const char c : folded(sql)) {
    if (is_word(c))
      word += c;
    else if (!word.empty())
      words.insert(std::exchange(word, {}));
  }
  words.insert(word);
  return words;
}

}  // namespace

Views Views::read(const CatalogFiles& files, Problems& problems) {
  Views views;
  for (const auto* file : files.in("views")) {
    const auto root = Yaml::parse(file->text, file->path);
    if (!root) {
      problems.push_back(root.error());
      continue;
    }
    for (const auto& item : root->items()) {
      auto view = read_view(item);
      if (view)
        views.views_.insert_or_assign(view->name, *view);
      else
        problems.push_back(view.error());
    }
  }
  return views;
}

std::string Views::before(std::string_view sql) const {
  std::string list;
  for (const auto& word : words_of(sql))
    if (const auto found = views_.find(word); found != views_.end())
      list += fmt::format("{}{} as ({})", list.empty() ? "" : ", ", found->second.name, found->second.sql);
  if (list.empty()) return std::string{sql};
  const auto rest = sql.substr(std::min(sql.size(), sql.find_first_not_of(blank)));
  for (const std::string_view own : {"with recursive", "with"})
    if (rest.size() > own.size() && folded(rest.substr(0, own.size())) == own && blank.contains(rest[own.size()]))
      return fmt::format("{} {},{}", own, list, rest.substr(own.size()));
  return fmt::format("with {} {}", list, rest);
}

}  // namespace vouch::controls
