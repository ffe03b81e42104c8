// ledger/position.h - where a leaf stands, and how many leaves there are. Two types, so that they do not mix.
#pragma once

#include <compare>
#include <cstdint>

namespace vouch {

// Counted from 0.
struct LeafIndex {
  std::uint64_t value = 0;
  LeafIndex& operator++() {
    ++value;
    return *this;
  }
  friend constexpr auto operator<=>(const LeafIndex&, const LeafIndex&) = default;
};

// The number of leaves; a tree of size n holds the leaves 0 to n-1.
struct TreeSize {
  std::uint64_t value = 0;
  friend constexpr auto operator<=>(const TreeSize&, const TreeSize&) = default;
};

constexpr bool contains(TreeSize size, LeafIndex index) { return index.value < size.value; }

}  // namespace vouch
