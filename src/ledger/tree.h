// ledger/tree.h - the Merkle tree of RFC 6962 (section 2.1), as pure functions over hashes.
//
// Nothing here reads a file: what proofs need of a stored tree comes in as a NodeSource. All values are plain; every function
// may be called from any thread.
#pragma once

#include "base/digest.h"
#include "ledger/position.h"

#include <functional>
#include <span>
#include <vector>

namespace vouch {

Digest leaf_hash(std::string_view entry);                   // SHA-256(0x00 || entry)
Digest node_hash(const Digest& left, const Digest& right);  // SHA-256(0x01 || left || right)
Digest empty_root();                                        // SHA-256 of nothing
Digest perfect_root(std::span<const Digest> hashes);        // of 2^k hashes; an assertion otherwise

// The right edge of a tree: the roots of the perfect subtrees that its size is made of, largest first. All that is needed to
// append and to know the root.
class RightEdge {
 public:
  RightEdge() = default;
  RightEdge(TreeSize size, std::vector<Digest> peaks);  // one peak for each bit set in `size`

  void add(const Digest& leaf);
  // A perfect subtree of 2^level leaves; the size must be a multiple of that.
  void add_subtree(const Digest& root, unsigned level);
  [[nodiscard]] TreeSize size() const { return size_; }
  [[nodiscard]] Digest root() const;
  [[nodiscard]] const std::vector<Digest>& peaks() const { return peaks_; }

 private:
  TreeSize size_;
  std::vector<Digest> peaks_;
};

// Where a perfect subtree stands: it holds the 2^level leaves from index * 2^level on.
struct NodeCoord {
  unsigned level = 0;
  std::uint64_t index = 0;
  friend bool operator==(const NodeCoord&, const NodeCoord&) = default;
};

using NodeSource = std::function<Result<Digest>(NodeCoord)>;

// The root of the first `size` leaves.
Result<Digest> root_of(TreeSize size, const NodeSource& nodes);

// PATH(index, D[size]), leaf's sibling first. Errc::usage unless index < size.
Result<std::vector<Digest>> inclusion_proof(LeafIndex index, TreeSize size, const NodeSource& nodes);

// PROOF(older, D[newer]). Empty when older is 0 or equals newer. Errc::usage when older > newer.
Result<std::vector<Digest>> consistency_proof(TreeSize older, TreeSize newer, const NodeSource& nodes);

// Errc::corrupt, saying how, when the proof does not lead from the leaf to the root (RFC 9162, 2.1.3.2).
Result<> verify_inclusion(const Digest& leaf, LeafIndex index, TreeSize size, std::span<const Digest> proof, const Digest& root);

// Errc::corrupt when the older tree is not shown to be a prefix of the newer (RFC 9162, 2.1.4.2). A tree of size 0 is a prefix
// of every tree, with an empty proof.
Result<> verify_consistency(TreeSize older, TreeSize newer, std::span<const Digest> proof, const Digest& older_root,
                            const Digest& newer_root);

}  // namespace vouch
