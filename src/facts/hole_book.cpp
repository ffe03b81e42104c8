#include "facts/hole_book.h"

namespace vouch::facts {

Result<> HoleBook::fetch(table::Store& store) {
  const auto rows = TRY(store.query(R"(select subject, region, params, key, reason, "from", leaf, rowid from vouch.hole )"
                                    R"(where "to" = 'infinity' and source = ? and account = ?)",
                                    {source_, account_}));
  for (const auto& row : rows.rows) {
    Record record{table::to_text(row[3]),        table::to_text(row[4]), std::get<Instant>(row[5]), Instant::infinity(), {},
                  std::get<std::int64_t>(row[7])};
    if (const auto* leaf = std::get_if<std::int64_t>(&row[6])) record.leaf = LeafIndex{static_cast<std::uint64_t>(*leaf)};
    open_.emplace(HoleId{table::to_text(row[0]), table::to_text(row[1]), table::to_text(row[2])}, std::move(record));
  }
  return {};
}

std::vector<HoleId> HoleBook::open_requests(const std::string& subject, const std::string& region) const {
  std::vector<HoleId> found;
  for (const auto& [id, record] : open_)
    if (id.subject == subject && id.region == region && !id.params.empty()) found.push_back(id);
  return found;
}

bool HoleBook::open(const HoleId& id, const std::map<std::string, std::string>& key, Instant from, Instant now, const std::string& reason,
                    LeafIndex leaf) {
  const auto there = open_.find(id);
  if (there != open_.end()) {
    if (there->second.reason == reason) return false;
    close(id, now);
    from = now;
  }
  open_[id] = {key_text(key), reason, from, Instant::infinity(), leaf, -1};
  return true;
}

bool HoleBook::close(const HoleId& id, Instant to) {
  const auto there = open_.find(id);
  if (there == open_.end()) return false;
  if (there->second.row >= 0) stale_.push_back(std::exchange(there->second.row, -1));
  there->second.to = to;
  if (there->second.from < to) over_.emplace_back(id, std::move(there->second));
  open_.erase(there);
  return true;
}

void HoleBook::add(const HoleId& id, const std::map<std::string, std::string>& key, Instant from, Instant to, const std::string& reason,
                   std::optional<LeafIndex> leaf) {
  if (from < to) over_.emplace_back(id, Record{key_text(key), reason, from, to, leaf, -1});
}

Result<> HoleBook::write(table::Store& store) {
  if (!stale_.empty()) TRY(store.execute(fmt::format("delete from vouch.hole where rowid in ({})", fmt::join(stale_, ", "))));
  stale_.clear();
  auto appender = TRY(store.appender("vouch.hole"));
  const auto append = [&](const HoleId& id, const Record& record) -> Result<> {
    appender.add_text(source_).add_text(account_).add_text(id.subject).add_text(id.region).add_text(id.params).add_text(record.key);
    appender.add(record.from).add(record.to).add_text(record.reason);
    return appender.add(record.leaf ? table::Value{static_cast<std::int64_t>(record.leaf->value)} : table::Value{}).end_row();
  };
  for (const auto& [id, record] : over_) TRY(append(id, record));
  for (const auto& [id, record] : open_)
    if (record.row < 0) TRY(append(id, record));
  over_.clear();
  return appender.flush();
}

}  // namespace vouch::facts
