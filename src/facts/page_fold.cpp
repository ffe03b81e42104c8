#include "facts/page_fold.h"

namespace vouch::facts {

Result<> PageFold::read(const std::vector<PageOf>& shown, const std::vector<PageOf>& hidden) {
  seen_before_.clear();
  for (auto& table : tables_) {
    table.shown.clear();
    table.hidden.clear();
    table.observed.assign(shown.size(), std::nullopt);
  }
  for (const auto& page : shown) {
    auto read = read_page(page, seen_before_.size(), true);
    if (!read && (is_damage(read.error()) || page.page->key.empty())) return read;
    if (!read) spoiled_.emplace(*page.params, std::move(read).error().message);
    seen_before_.push_back(page.seen_before);
  }
  for (const auto& page : hidden) TRY(read_page(page, 0, false));
  return {};
}

Result<> PageFold::read_page(const PageOf& page, std::size_t place, bool shown) {
  if (!page.page->body) return {};  // an absence shows no row
  const auto answer = TRY(answers_.answer(operation_, tables_.front().live->table().form, *page.page));
  const auto params = TRY(parse_json(*page.params));
  const auto key = page.page->key.empty() ? Json(nullptr) : TRY(parse_json(page.page->key));
  auto about = about_;
  about.params = &params;
  about.key = &key;
  for (auto& table : tables_) {
    auto rows = TRY(rows_of(table.live->table(), table.live->shape(), answer, about, shown ? &table.observed[place] : nullptr));
    if (shown)
      for (auto& row : rows) table.shown.push_back({std::move(row), place});
    else
      for (auto& row : rows) table.hidden.push_back(std::move(row.key));
  }
  return {};
}

Result<bool> PageFold::repeats(table::Store& store) {
  for (auto& table : tables_) {
    std::unordered_map<std::string_view, std::size_t> pages;
    if (seen_before_.size() > 1) {
      pages.reserve(table.shown.size());
      for (const auto& [row, page] : table.shown)
        if (!pages.emplace(row.key, page).second) return true;
    }
    std::vector<std::string_view> keys;
    keys.reserve(table.shown.size() + table.hidden.size());
    for (const auto& one : table.shown) keys.push_back(one.row.key);
    keys.insert(keys.end(), table.hidden.begin(), table.hidden.end());
    TRY(table.live->fetch(store, keys));
    if (table.live->empty()) continue;
    // A key that these pages did not show before and that is there all the same is shown by a page that did not change.
    const std::unordered_set<std::string_view> hidden{table.hidden.begin(), table.hidden.end()};
    for (const auto& one : table.shown)
      if (!hidden.contains(one.row.key) && table.live->has(one.row.key)) return true;
  }
  return false;
}

Result<Folded> PageFold::apply(table::Store& store, bool whole, const Sight& sight, Instant ended, std::optional<Instant> observed_before) {
  Folded folded;
  for (auto& table : tables_) {
    if (whole) TRY(table.live->fetch_all(store));
    apply(table, whole, sight, ended, observed_before, folded);
  }
  return folded;
}

void PageFold::apply(Table& table, bool whole, const Sight& sight, Instant ended, std::optional<Instant> observed_before, Folded& folded) {
  const auto opened = folded.opened, closed = folded.closed;
  bool touched = false;
  // An answer that dates itself was made before this run asked; never before the answer that it follows.
  const auto sight_of = [&](std::size_t page) {
    Sight own{sight.at, seen_before_[page], sight.leaf};
    if (const auto& date = table.observed[page]) {
      own.at = std::min(*date, ended);
      if (observed_before) own.at = std::max(own.at, *observed_before);
      own.seen_before = observed_before;
    }
    return own;
  };
  for (const auto& date : table.observed)
    if (date) folded.observed = std::max(folded.observed.value_or(*date), std::min(*date, ended));

  auto gone = whole ? table.live->keys() : std::exchange(table.hidden, {});
  if (!gone.empty()) {
    std::unordered_set<std::string_view> still;
    for (const auto& one : table.shown) still.insert(one.row.key);
    // What is missing from a self-dated answer was missing at its date.
    const auto at = table.observed.empty() || !table.observed.back() ? sight.at : sight_of(table.observed.size() - 1).at;
    for (const auto& key : gone)
      if (!still.contains(key) && table.live->end(key, at)) ++folded.closed;
  }
  if (whole) {  // the last page that shows a key stands
    std::unordered_map<std::string_view, std::size_t> last;
    for (std::size_t i = 0; i < table.shown.size(); ++i) last[table.shown[i].row.key] = i;
    std::vector<Shown> kept;
    for (std::size_t i = 0; i < table.shown.size(); ++i)
      if (last.at(table.shown[i].row.key) == i) kept.push_back(table.shown[i]);
    table.shown = std::move(kept);
  }
  table.live->reserve(table.shown.size());
  for (auto& [row, page] : table.shown) {
    const auto shown = table.live->show(std::move(row), sight_of(page));
    touched = touched || shown != Shows::same;
    folded.opened += shown == Shows::first || shown == Shows::another;
    folded.closed += shown == Shows::another;
  }
  if (touched || folded.closed != closed || folded.opened != opened) folded.changed.push_back(table.live->table().name);
}

}  // namespace vouch::facts
