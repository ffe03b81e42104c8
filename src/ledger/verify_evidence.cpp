// Every blob that a leaf leads to must be there: a pack that was taken away whole leaves no broken byte behind.
#include "ledger/blobs.h"
#include "ledger/events.h"
#include "ledger/evidence.h"
#include "ledger/read.h"
#include "ledger/verify.h"

#include <unordered_set>

namespace vouch {
namespace {

class EvidenceCheck {
 public:
  explicit EvidenceCheck(const Blobs& blobs) : blobs_(blobs) {}

  Result<> check_leaf(std::string_view entry) {
    if (evidence::has_kind(entry, "catalog")) {
      const auto leaf = TRY(evidence::parse_catalog_leaf(entry));
      TRY(expect(leaf.catalog, "the catalogue"));
      return expect(leaf.models, "the service models");
    }
    if (evidence::has_kind(entry, "events")) return expect(TRY(evidence::parse_events_leaf(entry)).body, "the body");
    if (!evidence::has_kind(entry, "collection")) return {};
    const auto leaf = TRY(evidence::parse_collection_leaf(entry));
    if (!leaf.tree) return {};
    TRY(expect(*leaf.times, "the times"));
    TRY(expect(*leaf.receipts, "the receipts"));
    return check_tree(*leaf.tree);
  }

 private:
  // What did not change since an earlier run is the same blob, and is walked once.
  bool is_new(const Digest& digest) { return seen_.insert(digest).second; }

  Result<> expect(const Digest& digest, std::string_view what) const {
    if (blobs_.has(digest)) return {};
    return fail(Errc::corrupt, "{} (blob {}) is missing under `blobs/`", what, to_hex(digest));
  }

  Result<std::string> read(const Digest& digest, std::string_view what) const {
    TRY(expect(digest, what));
    return blobs_.get(digest);
  }

  Result<> check_tree(const Digest& digest) {
    if (!is_new(digest)) return {};
    const auto tree = TRY(evidence::parse_tree(TRY(read(digest, "the tree"))));
    for (const auto& entry : tree.entries) TRY_WITHIN(check_manifest(entry.manifest), "{}", entry.operation);
    return {};
  }

  // With all that it adds to, however many runs that are.
  Result<> check_manifest(Digest digest) {
    std::string_view what = "the manifest";
    while (is_new(digest)) {
      const auto manifest = TRY(evidence::parse_manifest(TRY(read(digest, what))));
      for (const auto& request : manifest.requests)
        if (request.body && is_new(*request.body))
          TRY_WITHIN(expect(*request.body, "the body"), "{} page {}", request.params, request.page);
      if (!manifest.base) return {};
      digest = *manifest.base;
      what = "the manifest that another adds to";
    }
    return {};
  }

  const Blobs& blobs_;
  std::unordered_set<Digest> seen_;
};

}  // namespace

Result<> verify_evidence(const fs::path& home) {
  const auto log = TRY(Reader::open(home));
  const auto blobs = TRY(Blobs::open(home));
  EvidenceCheck check{blobs};
  return log.for_each(LeafIndex{0}, log.checkpoint().size, [&](LeafIndex index, std::string_view entry) -> Result<> {
    auto checked = check.check_leaf(entry);
    if (!checked) return fail(Errc::corrupt, "leaf {}: {}", index.value, checked.error().message);
    return {};
  });
}

}  // namespace vouch
