#include "facts/page_fold.h"

namespace vouch::facts {

void Folded::add(const Folded& more) {
  opened += more.opened;
  closed += more.closed;
  for (const auto& table : more.changed)
    if (std::ranges::find(changed, table) == changed.end()) changed.push_back(table);
  if (more.observed) observed = std::max(observed.value_or(*more.observed), *more.observed);
}

Result<> PageFold::read(const std::vector<PageOf>& shown, const std::vector<PageOf>& hidden) {
  repeats_ = false;
  for (auto& table : tables_) {
    table.hidden.clear();
    table.seen.clear();
  }
  for (const auto& page : hidden) TRY(read_page(page, 0, false));
  return read_on(shown);
}

Result<> PageFold::read_on(const std::vector<PageOf>& shown) {
  seen_before_.clear();
  for (auto& table : tables_) {
    table.shown.clear();
    table.observed.assign(shown.size(), std::nullopt);
  }
  for (const auto& page : shown) {
    auto read = read_page(page, seen_before_.size(), true);
    if (!read && (is_damage(read.error()) || page.page->key.empty())) return read;
    if (!read) spoiled_.emplace(*page.params, std::move(read).error().message);
    seen_before_.push_back(page.seen_before);
  }
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
    for (auto& row : rows) {
      const auto says = sha256(row.values);
      if (!shown) {
        table.hidden.emplace(says, std::move(row.key));
        continue;
      }
      repeats_ = !table.seen.insert(std::hash<std::string_view>{}(row.key)).second || repeats_;
      if (table.hidden.erase(says) == 0) table.shown.push_back({std::move(row), place});
    }
  }
  return {};
}

Result<bool> PageFold::repeats(table::Store& store) {
  bool repeats = repeats_;
  for (auto& table : tables_) {
    std::unordered_set<std::string_view> hidden;
    for (const auto& [says, key] : table.hidden) hidden.insert(key);
    std::vector<std::string_view> keys(hidden.begin(), hidden.end());
    for (const auto& one : table.shown) keys.push_back(one.row.key);
    TRY(table.live->fetch(store, keys));
    if (table.live->empty()) continue;
    // A key that these pages did not show before and that is there all the same is shown by a page that did not change.
    for (const auto& one : table.shown) repeats = repeats || (!hidden.contains(one.row.key) && table.live->has(one.row.key));
  }
  return repeats;
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

  auto gone = whole ? table.live->keys() : std::vector<std::string>{};
  for (auto& [says, key] : std::exchange(table.hidden, {})) gone.push_back(std::move(key));
  if (!gone.empty()) {
    std::unordered_set<std::string_view> still;
    for (const auto& one : table.shown) still.insert(one.row.key);
    // What is missing from a self-dated answer was missing at its date.
    const auto at = table.observed.empty() || !table.observed.back() ? sight.at : sight_of(table.observed.size() - 1).at;
    for (const auto& key : gone)
      if (!still.contains(key) && table.live->end(key, at)) ++folded.closed;
  }
  if (whole) {  // the last page that shows a key stands
    std::vector<bool> stands(table.shown.size());
    {
      std::unordered_map<std::string_view, std::size_t> last;
      for (std::size_t i = 0; i < table.shown.size(); ++i) last[table.shown[i].row.key] = i;
      for (const auto& [key, i] : last) stands[i] = true;
    }
    std::vector<Shown> kept;
    for (std::size_t i = 0; i < table.shown.size(); ++i)
      if (stands[i]) kept.push_back(std::move(table.shown[i]));
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
