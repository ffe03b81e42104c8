#include "collect/receipts.h"

namespace vouch::collect {

namespace {

struct Drawn {
  Digest lot;
  std::size_t operation, record;
  friend auto operator<=>(const Drawn&, const Drawn&) = default;
};

Digest lot_of(const Digest& tree, const Asking::Answered& answered, const Entry& entry) {
  return Sha256()
      .add(ByteView(tree.bytes))
      .add(fmt::format("\n{}\n{}\n{}\n{}", answered.operation, answered.scope.region, entry.params, entry.page))
      .finish();
}

}  // namespace

std::vector<Receipt> choose_receipts(std::vector<Asking::Answered> answered, std::span<const std::string> endpoints, const Digest& tree) {
  std::vector<Drawn> drawn;  // a heap, the largest lot in front
  for (std::size_t i = 0; i < answered.size(); ++i) {
    for (std::size_t j = 0; j < answered[i].records.size(); ++j) {
      const auto& entry = answered[i].records[j].entry;
      if (entry.status == 0) continue;  // no answer, no receipt
      Drawn lot{lot_of(tree, answered[i], entry), i, j};
      if (drawn.size() == drawn_receipts && lot > drawn.front()) continue;
      drawn.push_back(lot);
      std::ranges::push_heap(drawn);
      if (drawn.size() <= drawn_receipts) continue;
      std::ranges::pop_heap(drawn);
      drawn.pop_back();
    }
  }
  std::set<std::pair<std::size_t, std::size_t>> chosen;
  for (const auto& lot : drawn) chosen.emplace(lot.operation, lot.record);
  for (std::size_t i = 0; i < answered.size(); ++i) {
    for (std::size_t j = 0; j < answered[i].records.size(); ++j) {
      if (answered[i].records[j].new_body) chosen.emplace(i, j);
    }
  }
  std::vector<Receipt> receipts;
  receipts.reserve(chosen.size());
  for (const auto& [i, j] : chosen) {
    auto& record = answered[i].records[j];
    receipts.push_back({.operation = answered[i].operation,
                        .scope = answered[i].scope,
                        .params = std::move(record.entry.params),
                        .page = record.entry.page,
                        .request_id = std::move(record.request_id),
                        .date = record.date,
                        .endpoint = endpoints[record.endpoint],
                        .tls = record.tls});
  }
  return receipts;
}

Times round_times(std::span<const Asking::Answered> answered, Instant started, Instant ended) {
  constexpr std::int64_t second = 1'000'000;
  const auto grain = std::max<std::int64_t>((ended - started).micros / (40 * second), 1) * second;
  const auto down = [&](Instant at) { return std::clamp(Instant{at.micros / grain * grain}, started, ended); };
  const auto up = [&](Instant at) { return std::clamp(Instant{(at.micros + grain - 1) / grain * grain}, started, ended); };
  // One span for all regions of an operation: they are asked side by side, and a list that repeats itself takes no room.
  std::map<std::string_view, evidence::Span> spans;
  for (const auto& one : answered) {
    const evidence::Span own{down(one.started.value_or(started)), up(one.ended.value_or(ended))};
    auto& span = spans.try_emplace(one.operation, own).first->second;
    span = {std::min(span.started, own.started), std::max(span.ended, own.ended)};
  }
  Times times;
  times.reserve(answered.size());
  for (const auto& one : answered) times.push_back(spans.at(one.operation));
  return times;
}

}  // namespace vouch::collect
