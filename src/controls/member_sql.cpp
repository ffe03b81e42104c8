#include "controls/member_sql.h"

namespace vouch::controls {
namespace {

constexpr std::size_t most_reasons = 3;

}  // namespace

std::string numbered(std::size_t count) {
  std::string names;
  for (std::size_t i = 0; i < count; ++i) names += fmt::format("{}c{}", i ? ", " : "", i);
  return names;
}

std::size_t place_of(const std::vector<std::string>& columns, std::string_view name) {
  return static_cast<std::size_t>(std::find(columns.begin(), columns.end(), name) - columns.begin());
}

std::vector<std::string> sorted_key(const Control& control) {
  auto key = control.key;
  std::sort(key.begin(), key.end());
  return key;
}

std::string key_list(const std::vector<std::string>& key, const std::vector<std::string>& columns) {
  std::string list;
  for (std::size_t i = 0; i < key.size(); ++i) list += fmt::format("{}c{} as k{}", i ? ", " : "", place_of(columns, key[i]), i);
  return list;
}

std::string each_key(std::size_t count, std::string_view form, std::string_view between) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    if (i) text += between;
    for (const char c : form) c == '#' ? text += std::to_string(i) : text += c;
  }
  return text;
}

std::string derived(std::string_view sql, std::size_t columns) { return fmt::format("(\n{}\n) as q({})", sql, numbered(columns)); }

std::string reason_of_row(const Control& control) { return fmt::format("cast(c{} as varchar)", place_of(control.fails_columns, "reason")); }

std::string reasons_of(const Control& control) { return reasons_among(fmt::format("list({})", reason_of_row(control))); }

std::string reasons_among(std::string_view listed) {
  return fmt::format("array_to_string(list_sort(list_distinct({}))[1:{}], '; ')", listed, most_reasons);
}

std::string name_of_row(const Control& control) {
  const auto name = place_of(control.population_columns, "name");
  return name < control.population_columns.size() ? fmt::format("cast(c{} as varchar)", name) : "null::varchar";
}

std::string name_of_group(const Control& control) { return fmt::format("min({})", name_of_row(control)); }

}  // namespace vouch::controls
