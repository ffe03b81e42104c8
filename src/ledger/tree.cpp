#include "ledger/tree.h"

#include <bit>
#include <cassert>

namespace vouch {
namespace {

// The largest power of two strictly below n; n > 1.
std::uint64_t split(std::uint64_t n) { return std::bit_floor(n - 1); }

// MTH of the leaves [from, to) of a tree in which `from` is a multiple of the power of two that covers to - from.
Result<Digest> range_root(std::uint64_t from, std::uint64_t to, const NodeSource& nodes) {
  const auto n = to - from;
  if (std::has_single_bit(n)) {
    const auto level = static_cast<unsigned>(std::countr_zero(n));
    return nodes({level, from >> level});
  }
  const auto k = split(n);
  const auto left = TRY(range_root(from, from + k, nodes));
  return node_hash(left, TRY(range_root(from + k, to, nodes)));
}

Result<> inclusion(std::uint64_t index, std::uint64_t from, std::uint64_t to, const NodeSource& nodes, std::vector<Digest>& proof) {
  if (to - from == 1) return {};
  const auto middle = from + split(to - from);
  const bool left = index < middle;
  TRY(left ? inclusion(index, from, middle, nodes, proof) : inclusion(index, middle, to, nodes, proof));
  proof.push_back(TRY(left ? range_root(middle, to, nodes) : range_root(from, middle, nodes)));
  return {};
}

// SUBPROOF of RFC 6962: `whole` while the older tree is the whole of what the verifier already has.
Result<> consistency(std::uint64_t older, std::uint64_t from, std::uint64_t to, bool whole, const NodeSource& nodes,
                     std::vector<Digest>& proof) {
  if (older == to) {
    if (!whole) proof.push_back(TRY(range_root(from, to, nodes)));
    return {};
  }
  const auto middle = from + split(to - from);
  if (older <= middle) {
    TRY(consistency(older, from, middle, whole, nodes, proof));
    proof.push_back(TRY(range_root(middle, to, nodes)));
  } else {
    TRY(consistency(older, middle, to, false, nodes, proof));
    proof.push_back(TRY(range_root(from, middle, nodes)));
  }
  return {};
}

}  // namespace

Digest leaf_hash(std::string_view entry) { return Sha256{}.add(std::uint8_t{0}).add(entry).finish(); }

Digest node_hash(const Digest& left, const Digest& right) {
  std::array<std::uint8_t, 65> bytes;
  bytes[0] = 1;
  std::copy(left.bytes.begin(), left.bytes.end(), bytes.begin() + 1);
  std::copy(right.bytes.begin(), right.bytes.end(), bytes.begin() + 33);
  return sha256(ByteView{bytes});
}

Digest empty_root() { return sha256(std::string_view{}); }

Digest perfect_root(std::span<const Digest> hashes) {
  assert(std::has_single_bit(hashes.size()));
  if (hashes.size() == 1) return hashes[0];
  std::vector<Digest> row(hashes.size() / 2);
  for (std::size_t i = 0; i < row.size(); ++i) row[i] = node_hash(hashes[2 * i], hashes[2 * i + 1]);
  for (auto n = row.size() / 2; n > 0; n /= 2)
    for (std::size_t i = 0; i < n; ++i) row[i] = node_hash(row[2 * i], row[2 * i + 1]);
  return row[0];
}

RightEdge::RightEdge(TreeSize size, std::vector<Digest> peaks) : size_(size), peaks_(std::move(peaks)) {
  assert(static_cast<std::size_t>(std::popcount(size.value)) == peaks_.size());
}

void RightEdge::add(const Digest& leaf) { add_subtree(leaf, 0); }

void RightEdge::add_subtree(const Digest& root, unsigned level) {
  assert(size_.value % (std::uint64_t{1} << level) == 0);
  auto hash = root;
  for (auto bits = size_.value >> level; (bits & 1) != 0; bits >>= 1) {
    hash = node_hash(peaks_.back(), hash);
    peaks_.pop_back();
  }
  peaks_.push_back(hash);
  size_.value += std::uint64_t{1} << level;
}

Digest RightEdge::root() const {
  if (peaks_.empty()) return empty_root();
  auto hash = peaks_.back();
  for (auto peak = peaks_.rbegin() + 1; peak != peaks_.rend(); ++peak) hash = node_hash(*peak, hash);
  return hash;
}

Result<Digest> root_of(TreeSize size, const NodeSource& nodes) {
  if (size.value == 0) return empty_root();
  return range_root(0, size.value, nodes);
}

Result<std::vector<Digest>> inclusion_proof(LeafIndex index, TreeSize size, const NodeSource& nodes) {
  if (!contains(size, index)) return fail(Errc::usage, "no leaf {} in a log of {} leaves", index.value, size.value);
  std::vector<Digest> proof;
  TRY(inclusion(index.value, 0, size.value, nodes, proof));
  return proof;
}

Result<std::vector<Digest>> consistency_proof(TreeSize older, TreeSize newer, const NodeSource& nodes) {
  if (older > newer) return fail(Errc::usage, "a log of {} leaves is not older than one of {}", older.value, newer.value);
  std::vector<Digest> proof;
  if (older.value != 0) TRY(consistency(older.value, 0, newer.value, true, nodes, proof));
  return proof;
}

Result<> verify_inclusion(const Digest& leaf, LeafIndex index, TreeSize size, std::span<const Digest> proof, const Digest& root) {
  if (!contains(size, index)) return fail(Errc::corrupt, "no leaf {} in a log of {} leaves", index.value, size.value);
  auto fn = index.value;
  auto sn = size.value - 1;
  auto hash = leaf;
  for (const auto& sibling : proof) {
    if (sn == 0) return fail(Errc::corrupt, "the inclusion proof has too many hashes");
    if ((fn & 1) != 0 || fn == sn) {
      hash = node_hash(sibling, hash);
      for (; (fn & 1) == 0 && fn != 0; fn >>= 1) sn >>= 1;
    } else {
      hash = node_hash(hash, sibling);
    }
    fn >>= 1;
    sn >>= 1;
  }
  if (sn != 0) return fail(Errc::corrupt, "the inclusion proof has too few hashes");
  if (hash != root)
    return fail(Errc::corrupt, "the inclusion proof of leaf {} does not lead to the root of size {}", index.value, size.value);
  return {};
}

Result<> verify_consistency(TreeSize older, TreeSize newer, std::span<const Digest> proof, const Digest& older_root,
                            const Digest& newer_root) {
  if (older > newer) return fail(Errc::corrupt, "a log of {} leaves cannot follow one of {}", newer.value, older.value);
  if (older.value == 0 || older == newer) {
    if (!proof.empty()) return fail(Errc::corrupt, "the consistency proof has too many hashes");
    if (older.value == 0 ? older_root != empty_root() : older_root != newer_root)
      return fail(Errc::corrupt, "two roots for one size, {}", older.value);
    if (newer.value == 0 && newer_root != empty_root()) return fail(Errc::corrupt, "the root of size 0 is not that of an empty log");
    return {};
  }
  auto rest = proof;
  Digest first = older_root;  // the subtree that both share; told by the proof unless the older tree is a perfect one
  if (!std::has_single_bit(older.value)) {
    if (rest.empty()) return fail(Errc::corrupt, "the consistency proof has too few hashes");
    first = rest.front();
    rest = rest.subspan(1);
  }
  auto fn = older.value - 1;
  auto sn = newer.value - 1;
  for (; (fn & 1) != 0; fn >>= 1) sn >>= 1;
  auto old_hash = first;
  auto new_hash = first;
  for (const auto& sibling : rest) {
    if (sn == 0) return fail(Errc::corrupt, "the consistency proof has too many hashes");
    if ((fn & 1) != 0 || fn == sn) {
      old_hash = node_hash(sibling, old_hash);
      new_hash = node_hash(sibling, new_hash);
      for (; (fn & 1) == 0 && fn != 0; fn >>= 1) sn >>= 1;
    } else {
      new_hash = node_hash(new_hash, sibling);
    }
    fn >>= 1;
    sn >>= 1;
  }
  if (sn != 0) return fail(Errc::corrupt, "the consistency proof has too few hashes");
  if (old_hash != older_root || new_hash != newer_root)
    return fail(Errc::corrupt, "the log of {} leaves is not shown to continue that of {}", newer.value, older.value);
  return {};
}

}  // namespace vouch
