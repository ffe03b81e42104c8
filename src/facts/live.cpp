#include "facts/live.h"

#include "facts/schema.h"

namespace vouch::facts {
namespace {

constexpr std::size_t few_keys = 400;

// A key without columns of its own (one row an account) has one first cell: nothing.
std::string_view first_cell(std::string_view key) { return key.empty() ? key : CellReader{key}.skip(); }

}  // namespace

Live::Live(const FactTable& table, std::string account, std::string region, bool fresh)
    : table_(table), shape_(table), account_(std::move(account)), region_(std::move(region)), fresh_(fresh), all_known_(fresh) {
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    if (table.columns[i].name == table.event) event_ = i;
}

std::optional<Instant> Live::event_of(std::string_view values) const {
  if (!event_) return std::nullopt;
  CellReader cells{values};
  for (std::size_t i = 0; i < *event_; ++i) cells.skip();
  const auto value = cells.next();
  const auto* at = std::get_if<Instant>(&value);
  return at ? std::optional{*at} : std::nullopt;
}

// An instant that lies in the future, or before what stood in its place was gone, dates nothing: the observation stands.
Live::Beginning Live::beginning_of(std::optional<Instant> event, std::optional<Instant> not_before, Instant at) {
  if (event && *event <= at && (!not_before || *not_before <= *event)) return {*event, true};
  return {not_before ? std::max(at, *not_before) : at, false};
}

Result<> Live::read(table::Store& store, const std::string& condition, std::vector<table::Value> values) {
  std::string columns;
  for (const auto& column : table_.columns) columns += quote(column.name) + ", ";
  values.insert(values.begin(), account_);
  if (table_.regional) values.insert(values.begin() + 1, region_);
  if (event_) TRY(read_ends(store, condition, values));
  const auto declared = table_.columns.size();
  const auto take = [&](const std::vector<table::Value>& row) -> Result<> {
    Version version;
    for (std::size_t c = 0; c < declared; ++c) pack(version.values, row[c]);
    version.from = std::get<Instant>(row[declared]);
    if (const auto* seen = std::get_if<Instant>(&row[declared + 1])) version.seen_before = *seen;
    version.leaf = {static_cast<std::uint64_t>(std::get<std::int64_t>(row[declared + 2]))};
    version.row = std::get<std::int64_t>(row[declared + 3]);
    version.dated = table::to_text(row[declared + 4]) == "recalled";
    auto key = key_of_values(shape_, version.values);
    // What was fetched before may have changed here since.
    if (!known_.contains(first_cell(key))) rows_.emplace(std::move(key), std::move(version));
    return {};
  };
  return store.each(
      fmt::format("select {}valid_from, seen_before, leaf, rowid, basis from facts.main.{} where valid_to = 'infinity' and account = ?{}{}",
                  columns, quote(table_.name), table_.regional ? " and region = ?" : "", condition),
      values, take);
}

Result<> Live::read_ends(table::Store& store, const std::string& condition, const std::vector<table::Value>& values) {
  std::string columns, groups;
  for (std::size_t i = 0; i < table_.columns.size(); ++i) {
    const bool in_key = std::find(shape_.key.begin(), shape_.key.end(), i) != shape_.key.end();
    columns += (in_key ? quote(table_.columns[i].name) : std::string{"null"}) + ", ";
    if (in_key) groups += ", " + quote(table_.columns[i].name);
  }
  const auto rows = TRY(store.query(fmt::format("select {}max(valid_to) from facts.main.{} where valid_to <> 'infinity' and account = ?{}{}"
                                                " group by account{}",
                                                columns, quote(table_.name), table_.regional ? " and region = ?" : "", condition, groups),
                                    values));
  for (const auto& row : rows.rows) {
    std::string packed;
    for (std::size_t c = 0; c < table_.columns.size(); ++c) pack(packed, row[c]);
    // What ended here since is later.
    ends_.emplace(key_of_values(shape_, packed), std::get<Instant>(row.back()));
  }
  return {};
}

Result<> Live::fetch(table::Store& store, const std::vector<std::string_view>& keys) {
  if (all_known_) return {};
  std::unordered_set<std::string, Hash, std::equal_to<>> wanted;
  for (const auto key : keys)
    if (const auto cell = first_cell(key); !known_.contains(cell)) wanted.emplace(cell);
  if (wanted.empty()) return {};
  if (wanted.size() > few_keys || shape_.key.empty()) return fetch_all(store);
  std::string places;
  std::vector<table::Value> values;
  for (const auto& cell : wanted) {
    places += places.empty() ? "?" : ", ?";
    values.push_back(CellReader{cell}.next());
  }
  TRY(read(store, fmt::format(" and {} in ({})", quote(table_.columns[shape_.key[0]].name), places), std::move(values)));
  known_.merge(wanted);
  return {};
}

Result<> Live::fetch_all(table::Store& store) {
  if (all_known_) return {};
  TRY(read(store, "", {}));
  all_known_ = true;
  return {};
}

std::vector<std::string> Live::keys() const {
  std::vector<std::string> keys;
  keys.reserve(rows_.size());
  for (const auto& [key, version] : rows_) keys.push_back(key);
  return keys;
}

void Live::close(Version&& version, Instant at) {
  if (version.row >= 0) stale_.push_back(version.row);
  // A version that would begin and end at one instant never was.
  if (at <= version.from) return;
  version.to = at;
  if (event_) ends_.insert_or_assign(key_of_values(shape_, version.values), at);
  closed_.push_back(std::move(version));
}

Shows Live::show(Row row, const Sight& sight) {
  const auto seen_before = sight.seen_before ? std::optional{std::min(*sight.seen_before, sight.at)} : std::nullopt;
  const auto event = event_of(row.values);
  const auto [there, is_new] = rows_.try_emplace(std::move(row.key));
  if (is_new) {
    const auto ended = ends_.find(there->first);
    const auto begins = event ? beginning_of(event, ended == ends_.end() ? std::nullopt : std::optional{ended->second}, sight.at)
                              : Beginning{sight.at, false};
    there->second =
        Version{std::move(row.values), begins.at, Instant::infinity(), begins.dated ? std::nullopt : seen_before, sight.leaf, -1, true,
                begins.dated};
    return Shows::first;
  }
  auto& version = there->second;
  if (version.values == row.values) return Shows::same;
  const bool same = same_version(shape_, version.values, row.values);
  if (!same) {
    const auto tells = event && event != event_of(version.values) ? event : std::nullopt;
    const auto [from, dated] = beginning_of(tells, version.from, sight.at);
    auto old =
        std::exchange(version, Version{{}, from, Instant::infinity(), dated ? std::nullopt : seen_before, sight.leaf, -1, true, dated});
    close(std::move(old), from);
  }
  version.values = std::move(row.values);
  version.dirty = true;
  return same ? Shows::latest : Shows::another;
}

bool Live::end(std::string_view key, Instant at) {
  const auto there = rows_.find(key);
  if (there == rows_.end()) return false;
  close(std::move(there->second), at);
  rows_.erase(there);
  return true;
}

Result<> Live::write(table::Store& store, bool all) {
  if (all)
    for (auto& [key, version] : rows_)
      if (version.dirty && version.row >= 0) stale_.push_back(version.row);
  for (std::size_t from = 0; from < stale_.size(); from += 1000) {
    const auto to = std::min(stale_.size(), from + 1000);
    TRY(store.execute(fmt::format(
        "delete from facts.main.{} where rowid in ({})", quote(table_.name),
        fmt::join(stale_.begin() + static_cast<std::ptrdiff_t>(from), stale_.begin() + static_cast<std::ptrdiff_t>(to), ", "))));
  }
  stale_.clear();

  std::optional<table::Appender> appender;
  const auto append = [&](const Version& version) -> Result<> {
    if (!appender) appender = TRY(store.appender(table_.name));
    appender->add_text(account_);
    if (table_.regional) appender->add_text(region_);
    for (CellReader cells{version.values}; !cells.done();) cells.append_to(*appender);
    appender->add(version.from).add(version.to).add_text(version.dated ? "recalled" : "snapshots");
    appender->add(version.seen_before ? table::Value{*version.seen_before} : table::Value{});
    return appender->add(static_cast<std::int64_t>(version.leaf.value)).end_row();
  };
  for (const auto& version : closed_) TRY(append(version));
  closed_.clear();
  // Each row goes as it is written: a large table must not stand in memory twice.
  for (auto row = rows_.begin(); all && row != rows_.end(); row = rows_.erase(row))
    if (row->second.dirty) TRY(append(row->second));
  if (appender) TRY(appender->flush());
  return {};
}

Result<> Live::hand_over(table::Store& store) {
  TRY(write(store, true));
  fresh_ = all_known_ = false;
  return {};
}

Result<> Live::take_back(table::Store& store) {
  std::vector<table::Value> values{account_};
  if (table_.regional) values.emplace_back(region_);
  TRY(store.execute(
      fmt::format("delete from facts.main.{} where account = ?{}", quote(table_.name), table_.regional ? " and region = ?" : ""),
      std::move(values)));
  rows_.clear();
  closed_.clear();
  fresh_ = all_known_ = true;
  return {};
}

}  // namespace vouch::facts
