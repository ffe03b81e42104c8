// collect/history.h - what the ledger holds of the runs before: the catalogue in force, the last tree of an account, its manifests.
#pragma once

#include "collect/evidence.h"
#include "ledger/blobs.h"
#include "ledger/read.h"

#include <optional>
#include <utility>

namespace vouch::collect {

class History {
 public:
  // Looks from the newest leaf backwards, and no further than it must.
  static Result<History> read(const fs::path& home, std::string_view source, std::string_view account);

  [[nodiscard]] const std::optional<std::pair<LeafIndex, CatalogLeaf>>& catalog() const { return catalog_; }
  [[nodiscard]] const std::optional<CollectionLeaf>& last() const { return last_; }  // with a tree

  // What that run said of an operation; nullptr when it had nothing of it.
  [[nodiscard]] const TreeEntry* entry(std::string_view operation, const Scope& scope) const { return tree_.find(operation, scope); }
  // What it stored of it. Errc::corrupt.
  [[nodiscard]] Result<std::optional<Manifest>> manifest(std::string_view operation, const Scope& scope) const;
  [[nodiscard]] Result<std::string> body(const Digest& digest) const { return blobs_.get(digest); }

 private:
  explicit History(Blobs blobs) : blobs_(std::move(blobs)) {}

  Blobs blobs_;
  std::optional<std::pair<LeafIndex, CatalogLeaf>> catalog_;
  std::optional<CollectionLeaf> last_;
  Tree tree_;
};

}  // namespace vouch::collect
