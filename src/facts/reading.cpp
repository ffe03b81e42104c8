#include "facts/reading.h"

#include "ledger/blobs.h"
#include "ledger/evidence.h"
#include "ledger/read.h"

namespace vouch::facts {
namespace {

// Sorted by params, then by page: one request's pages stand together.
void count(const evidence::Manifest& manifest, bool newest, Reading& reading, bool& all_say_a_total) {
  const auto& pages = manifest.requests;
  for (std::size_t i = 0; i < pages.size(); ++i) {
    const auto& page = pages[i];
    if (i == 0 || pages[i - 1].params != page.params) ++reading.requests;
    if (newest && page.hole) ++reading.refused;
    if (!page.hole) ++reading.pages;
    const bool last = i + 1 == pages.size() || pages[i + 1].params != page.params;
    if (!last) continue;
    if (page.total)
      reading.total = reading.total.value_or(0) + *page.total;
    else if (page.is_answer())
      all_say_a_total = false;
  }
}

Result<std::optional<Reading>> read_in(const Reader& log, const Blobs& blobs, const FactTable& table, LeafIndex index) {
  const auto leaf = TRY_WITHIN(evidence::parse_collection_leaf(TRY(log.entry(index))), "leaf {}", index.value);
  if (!leaf.tree) return std::nullopt;
  const auto tree = TRY(evidence::parse_tree(TRY(blobs.get(*leaf.tree))));
  Reading reading{.table = table.name, .operation = table.operation, .account = leaf.account, .leaf = index, .ended = leaf.ended};
  bool all_say_a_total = true;
  for (const auto& entry : tree.entries) {
    if (entry.operation != table.operation) continue;
    ++reading.scopes;
    if (reading.reason.empty()) reading.reason = entry.reason;
    bool newest = true;
    for (std::optional<Digest> at = entry.manifest; at; newest = false) {
      const auto manifest = TRY(evidence::parse_manifest(TRY(blobs.get(*at))));
      count(manifest, newest, reading, all_say_a_total);
      all_say_a_total = all_say_a_total && newest;  // of a growing listing the parts count what is in others too
      at = manifest.base;
    }
  }
  if (reading.scopes == 0) return std::nullopt;
  if (!all_say_a_total || !reading.is_all()) reading.total.reset();
  return reading;
}

}  // namespace

Result<std::vector<Reading>> how_read(Facts& facts, const fs::path& home, std::string_view name, Instant at) {
  const auto* table = facts.catalog().find(name);
  if (!table) return fail(Errc::usage, "there is no fact table `{}`", name);
  std::vector<Reading> readings;
  if (table->is_of_ledger()) return readings;
  const auto log = TRY(Reader::open(home));
  const auto blobs = TRY(Blobs::open(home));
  const auto runs = TRY(facts.store().query(
      "select max(leaf) from vouch.run where source = ? and tree <> '' and ended <= ? group by account order by account",
      {table->source, at}));
  for (const auto& run : runs.rows)
    if (auto reading = TRY(read_in(log, blobs, *table, LeafIndex{static_cast<std::uint64_t>(std::get<std::int64_t>(run[0]))})))
      readings.push_back(std::move(*reading));
  return readings;
}

}  // namespace vouch::facts
