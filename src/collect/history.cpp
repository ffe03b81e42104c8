#include "collect/history.h"

namespace vouch::collect {

namespace {

constexpr std::uint64_t leaves_at_once = 256;  // a bundle's

// Leaves of our own making, so one that does not parse is damage.
template <class T>
Result<T> ours(Result<T> parsed, LeafIndex at) {
  if (!parsed) return fail(Errc::corrupt, "leaf {}: {}", at.value, parsed.error().message);
  return parsed;
}

}  // namespace

Result<History> History::read(const fs::path& home, std::string_view source, std::string_view account) {
  const auto log = TRY(Reader::open(home));
  History history(TRY(Blobs::open(home)));
  bool account_found = account.empty();
  const auto look = [&](LeafIndex at, std::string_view text) -> Result<> {
    const auto value = TRY_WITHIN(parse_json(text), "leaf {}", at.value);
    const auto* kind = find_string(value, "kind");
    if (kind && *kind == "catalog") history.catalog_.emplace(at, TRY(ours(parse_catalog_leaf(text), at)));
    if (!kind || *kind != "collection" || account_found) return {};
    const auto* scope = find_object(value, "scope");
    const auto* its_source = find_string(value, "source");
    const auto* its_account = scope ? find_string(*find(value, "scope"), "account") : nullptr;
    if (!its_source || *its_source != source || !its_account || *its_account != account || !find(value, "tree")) return {};
    history.last_ = TRY(ours(parse_collection_leaf(text), at));
    return {};
  };
  for (auto to = log.checkpoint().size.value; to > 0 && (!account_found || !history.catalog_);) {
    const auto from = (to - 1) / leaves_at_once * leaves_at_once;
    // Within a bundle the walk goes forward, so the last one that fits stands; a bundle's catalog leaf must not replace a later one.
    const auto catalog = history.catalog_;
    TRY(log.for_each(LeafIndex{from}, TreeSize{to}, look));
    if (catalog) history.catalog_ = catalog;
    account_found = account_found || history.last_.has_value();
    to = from;
  }
  if (history.last_) {
    const auto text = TRY_WITHIN(history.blobs_.get(*history.last_->tree), "the tree of run {}", history.last_->run);
    auto tree = parse_tree(text);
    if (!tree) return fail(Errc::corrupt, "the tree of run {}: {}", history.last_->run, tree.error().message);
    history.tree_ = std::move(*tree);
  }
  return history;
}

Result<std::optional<Manifest>> History::manifest(std::string_view operation, const Scope& scope) const {
  const auto* entry = tree_.find(operation, scope);
  if (!entry) return std::nullopt;
  const auto text = TRY_WITHIN(blobs_.get(entry->manifest), "the manifest of {} of run {}", operation, last_->run);
  auto manifest = parse_manifest(text);
  if (!manifest) return fail(Errc::corrupt, "the manifest of {} of run {}: {}", operation, last_->run, manifest.error().message);
  return std::move(*manifest);
}

}  // namespace vouch::collect
