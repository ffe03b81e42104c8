#include "ledger/edge.h"

#include <algorithm>
#include <future>
#include <thread>

namespace vouch {
namespace {

constexpr std::size_t worth_a_thread_bytes = 512 * 1024;

void hash_leaves(Batch& batch, std::size_t from, std::size_t to) {
  const std::string_view bytes = batch.encoded;
  for (auto i = from; i < to; ++i) {
    const auto begin = batch.begin_of(i) + 2;
    batch.leaves[i] = leaf_hash(bytes.substr(begin, batch.ends[i] - begin));
  }
}

void hash_leaves(Batch& batch) {
  batch.leaves.resize(batch.ends.size());
  const auto n = batch.leaves.size();
  if (batch.encoded.size() < worth_a_thread_bytes || n < 2 || std::thread::hardware_concurrency() < 2) return hash_leaves(batch, 0, n);
  auto half = std::async(std::launch::async, [&] { hash_leaves(batch, 0, n / 2); });
  hash_leaves(batch, n / 2, n);
  half.get();
}

}  // namespace

Result<Batch> Batch::of(std::span<const std::string> entries) {
  std::size_t bytes = 0;
  for (const auto& entry : entries) bytes += 2 + entry.size();
  Batch batch;
  batch.encoded.reserve(bytes);
  batch.ends.reserve(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    TRY_WITHIN(append_to_bundle(batch.encoded, entries[i]), "entry {} of {}", i + 1, entries.size());
    batch.ends.push_back(batch.encoded.size());
  }
  hash_leaves(batch);
  return batch;
}

Result<Batch> Batch::parse(std::string_view encoded, std::uint64_t count) {
  Batch batch;
  std::size_t at = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (encoded.size() - at < 2) return fail(Errc::malformed, "{} entries end within the length of entry {}", count, i);
    const auto length = static_cast<std::size_t>(static_cast<std::uint8_t>(encoded[at]) << 8 | static_cast<std::uint8_t>(encoded[at + 1]));
    if (encoded.size() - at - 2 < length) return fail(Errc::malformed, "{} entries end within entry {}", count, i);
    at += 2 + length;
    batch.ends.push_back(at);
  }
  if (at != encoded.size()) return fail(Errc::malformed, "bytes behind the last of {} entries", count);
  batch.encoded = encoded;
  hash_leaves(batch);
  return batch;
}

Result<Edge> Edge::make(TreeSize size, std::vector<std::vector<Digest>> tiles, std::string bundle) {
  Edge edge;
  edge.size_ = size;
  for (std::uint8_t level = 0; level < tile_levels(size); ++level) {
    if (level >= tiles.size() || tiles[level].size() != partial_width(size, level))
      return fail(Errc::corrupt, "the partial tile of level {} does not fit a log of {} leaves", level, size.value);
    Level made{std::move(tiles[level]), {}};
    for (const auto& hash : made.hashes) made.tree.add(hash);
    edge.levels_.push_back(std::move(made));
  }
  const auto entries = decode_bundle(bundle, partial_width(size, 0));
  if (!entries) return fail(Errc::corrupt, "the partial bundle: {}", entries.error().message);
  for (std::size_t i = 0; i < entries->size(); ++i)
    if (leaf_hash((*entries)[i]) != edge.levels_[0].hashes[i])
      return fail(Errc::corrupt, "entry {} of the partial bundle does not have its leaf hash", i);
  edge.bundle_ = std::move(bundle);
  return edge;
}

Result<> Edge::add(std::size_t level, const Digest& hash, const FullFiles* full) {
  if (level == levels_.size()) levels_.emplace_back();
  levels_[level].hashes.push_back(hash);
  levels_[level].tree.add(hash);
  if (levels_[level].hashes.size() < tile_width) return {};
  const auto index = ((size_.value - 1) >> (8 * (level + 1)));
  if (full) TRY(full->tile({static_cast<std::uint8_t>(level), index, tile_width}, levels_[level].hashes));
  const auto root = levels_[level].tree.peaks().front();
  levels_[level].hashes.clear();
  levels_[level].tree = {};
  return add(level + 1, root, full);
}

Result<> Edge::grow(const Batch& batch, const FullFiles* full) {
  const std::string_view bytes = batch.encoded;
  std::size_t taken = 0;  // entries of the batch whose bytes are in a bundle
  for (std::size_t i = 0; i < batch.leaves.size(); ++i) {
    ++size_.value;
    if (size_.value % tile_width == 0) {  // entries before their hashes: a reader who finds the tile finds the bundle
      const auto begin = batch.begin_of(taken);
      const std::array<std::string_view, 2> pieces{bundle_, bytes.substr(begin, batch.ends[i] - begin)};
      if (full) TRY(full->bundle({size_.value / tile_width - 1, tile_width}, pieces));
      bundle_.clear();
      taken = i + 1;
    }
    TRY(add(0, batch.leaves[i], full));
  }
  bundle_ += bytes.substr(batch.begin_of(taken));
  return {};
}

Digest Edge::root() const {
  std::vector<Digest> peaks;
  for (auto level = levels_.rbegin(); level != levels_.rend(); ++level)
    peaks.insert(peaks.end(), level->tree.peaks().begin(), level->tree.peaks().end());
  return RightEdge{size_, std::move(peaks)}.root();
}

std::span<const Digest> Edge::tile(std::uint8_t level) const {
  return level < levels_.size() ? std::span<const Digest>{levels_[level].hashes} : std::span<const Digest>{};
}

}  // namespace vouch
