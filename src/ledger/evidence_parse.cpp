// Reading back what a run stored. Strictness comes from one rule: what was read must be written as the very bytes that were read.
#include "ledger/evidence.h"

#include <algorithm>
#include <functional>
#include <limits>

namespace vouch::evidence {

namespace {

constexpr std::size_t max_document_bytes = std::size_t{256} << 20;
constexpr std::size_t max_params_depth = 32;

Result<Json> document(std::string_view text, std::size_t max_bytes = max_document_bytes) {
  if (text.size() > max_bytes) return fail(Errc::malformed, "{} bytes are more than the {} of such a document", text.size(), max_bytes);
  auto value = TRY(parse_json(text, max_params_depth));
  if (!value.is_object()) return fail(Errc::malformed, "not an object");
  if (const Json* version = find(value, "v"); !version || !version->is_int64() || version->get_int64() != 1) {
    return fail(Errc::malformed, "not version 1");
  }
  return value;
}

template <class T>
Result<T> same_bytes(T value, std::string_view text) {
  if (write(value) != text) return fail(Errc::malformed, "not in canonical form, or with members that this version does not know");
  return value;
}

Result<Digest> require_digest(const Json& value, std::string_view name) {
  const auto text = TRY(require_string(value, name));
  return TRY_WITHIN(parse_digest(text), "`{}`", name);
}

Result<std::optional<Digest>> optional_digest(const Json& value, std::string_view name) {
  if (!find(value, name)) return std::nullopt;
  return TRY(require_digest(value, name));
}

Result<Instant> require_instant(const Json& value, std::string_view name) {
  const auto text = TRY(require_string(value, name));
  return TRY_WITHIN(parse_instant(text), "`{}`", name);
}

std::string optional_text(const Json& value, std::string_view name) {
  const auto* text = find_string(value, name);
  return text ? std::string(*text) : std::string();
}

Result<std::string> require_text(const Json& value, std::string_view name) { return std::string(TRY(require_string(value, name))); }

template <class Number>
Result<Number> require_count(const Json& value, std::string_view name) {
  const auto number = TRY(require_integer(value, name));
  if (number < 0 || !std::in_range<Number>(number)) return fail(Errc::malformed, "`{}` is out of range", name);
  return static_cast<Number>(number);
}

Result<std::string> object_text(const Json& value, std::string_view name) {
  if (!find_object(value, name)) return fail(Errc::malformed, "`{}` is not an object", name);
  return canonical(*find(value, name));
}

Result<Scope> require_scope(const Json& value) {
  const auto* object = find(value, "scope");
  if (!object || !object->is_object()) return fail(Errc::malformed, "`scope` is not an object");
  Scope scope{.region = optional_text(*object, "region")};
  if (find(*object, "region") && scope.region.empty()) return fail(Errc::malformed, "`region` is empty");
  return scope;
}

Result<const json::array*> require_list(const Json& value, std::string_view name) {
  const auto* list = find_array(value, name);
  if (!list) return fail(Errc::malformed, "`{}` is not a list", name);
  return list;
}

bool is_true(const Json& value, std::string_view name) {
  const Json* member = find(value, name);
  return member && member->is_bool() && member->get_bool();
}

Result<Outcome> require_outcome(const Json& value) {
  const auto name = TRY(require_string(value, "outcome"));
  for (const auto outcome : {Outcome::complete, Outcome::partial, Outcome::denied, Outcome::failed}) {
    if (name == name_of(outcome)) return outcome;
  }
  return fail(Errc::malformed, "`{}` is no outcome", name);
}

Result<Entry> read_entry(const Json& value) {
  Entry entry;
  entry.params = TRY(object_text(value, "params"));
  if (find(value, "key")) entry.key = TRY(object_text(value, "key"));
  entry.page = TRY(require_count<std::uint32_t>(value, "page"));
  entry.status = TRY(require_count<std::uint16_t>(value, "status"));
  entry.error = optional_text(value, "error");
  entry.absent = is_true(value, "absent");
  entry.gone = is_true(value, "gone");
  if (const auto hole = optional_text(value, "hole"); hole == "denied") {
    entry.hole = Hole::denied;
  } else if (hole == "failed") {
    entry.hole = Hole::failed;
  }
  entry.content = TRY(optional_digest(value, "content"));
  entry.body = TRY(optional_digest(value, "body"));
  if (find(value, "secrets")) {
    for (const auto& path : *TRY(require_list(value, "secrets"))) {
      if (!path.is_string()) return fail(Errc::malformed, "`secrets` holds something else than texts");
      entry.secrets.emplace_back(path.get_string());
    }
    if (!std::ranges::is_sorted(entry.secrets)) return fail(Errc::malformed, "`secrets` is not sorted");
  }
  if (find(value, "total")) entry.total = TRY(require_count<std::uint64_t>(value, "total"));
  const int refusals = int{entry.absent} + entry.gone + entry.hole.has_value();
  if (refusals > 1 || (refusals == 0 && !entry.body))
    return fail(Errc::malformed, "neither an answer nor one of `absent`, `gone` and `hole`");
  if (entry.body.has_value() != entry.content.has_value()) return fail(Errc::malformed, "`content` and `body` go together");
  return entry;
}

Result<TreeEntry> read_tree_entry(const Json& value) {
  TreeEntry entry;
  entry.scope = TRY(require_scope(value));
  entry.operation = TRY(require_text(value, "operation"));
  entry.outcome = TRY(require_outcome(value));
  entry.reason = optional_text(value, "reason");
  entry.manifest = TRY(require_digest(value, "manifest"));
  return entry;
}

Result<Receipt> read_receipt(const Json& value) {
  Receipt receipt;
  receipt.operation = TRY(require_text(value, "operation"));
  receipt.scope = TRY(require_scope(value));
  receipt.params = TRY(object_text(value, "params"));
  receipt.page = TRY(require_count<std::uint32_t>(value, "page"));
  receipt.request_id = optional_text(value, "request_id");
  if (find(value, "date")) receipt.date = TRY(require_instant(value, "date"));
  receipt.endpoint = TRY(require_text(value, "endpoint"));
  receipt.tls = TRY(optional_digest(value, "tls"));
  return receipt;
}

Result<Counts> read_counts(const Json& value) {
  const auto* counts = find(value, "counts");
  if (!counts || !counts->is_object()) return fail(Errc::malformed, "`counts` is not an object");
  return Counts{.operations = TRY(require_count<std::uint64_t>(*counts, "operations")),
                .requests = TRY(require_count<std::uint64_t>(*counts, "requests")),
                .new_bodies = TRY(require_count<std::uint64_t>(*counts, "new_bodies")),
                .denied = TRY(require_count<std::uint64_t>(*counts, "denied")),
                .failed = TRY(require_count<std::uint64_t>(*counts, "failed")),
                .retried = TRY(require_count<std::uint64_t>(*counts, "retried"))};
}

}  // namespace

Result<Manifest> parse_manifest(std::string_view text) {
  const auto value = TRY(document(text));
  Manifest manifest;
  manifest.operation = TRY(require_text(value, "operation"));
  manifest.scope = TRY(require_scope(value));
  manifest.base = TRY(optional_digest(value, "base"));
  for (const auto& element : *TRY(require_list(value, "requests"))) {
    manifest.requests.push_back(TRY_WITHIN(read_entry(element), "request {}", manifest.requests.size()));
  }
  for (std::size_t i = 1; i < manifest.requests.size(); ++i) {
    const auto& before = manifest.requests[i - 1];
    const auto& entry = manifest.requests[i];
    if (std::pair(before.params, before.page) >= std::pair(entry.params, entry.page))
      return fail(Errc::malformed, "request {} is out of order", i);
  }
  return same_bytes(std::move(manifest), text);
}

Result<Tree> parse_tree(std::string_view text) {
  const auto value = TRY(document(text));
  Tree tree;
  tree.source = TRY(require_text(value, "source"));
  tree.account = TRY(require_text(value, "account"));
  for (const auto& element : *TRY(require_list(value, "entries"))) {
    tree.entries.push_back(TRY_WITHIN(read_tree_entry(element), "entry {}", tree.entries.size()));
  }
  auto sorted = tree;
  sorted.sort();
  if (sorted.entries != tree.entries) return fail(Errc::malformed, "the entries are out of order");
  for (std::size_t i = 1; i < tree.entries.size(); ++i) {
    const auto& before = tree.entries[i - 1];
    if (before.operation == tree.entries[i].operation && before.scope == tree.entries[i].scope) {
      return fail(Errc::malformed, "{} stands there twice", before.operation);
    }
  }
  return same_bytes(std::move(tree), text);
}

namespace {

// [from, to], microseconds after `since`; bounded, so that no sum leaves the range of an instant.
Result<Span> read_span(const Json& value, Instant since) {
  constexpr std::int64_t longest = Duration::days(366).micros;
  const auto* pair = value.if_array();
  if (!pair || pair->size() != 2 || !(*pair)[0].is_int64() || !(*pair)[1].is_int64())
    return fail(Errc::malformed, "a span is two integers");
  const auto from = (*pair)[0].get_int64(), to = (*pair)[1].get_int64();
  if (from < 0 || to < 0 || from > longest || to > longest) return fail(Errc::malformed, "a span of more than a year");
  return Span{Instant{since.micros + from}, Instant{since.micros + to}};
}

}  // namespace

Result<Times> parse_times(std::string_view text) {
  const auto value = TRY(document(text));
  const auto since = TRY(require_instant(value, "since"));
  if (since.is_infinite()) return fail(Errc::malformed, "`since` is infinite");
  Times times;
  for (const auto& element : *TRY(require_list(value, "spans"))) times.push_back(TRY(read_span(element, since)));
  return same_bytes(std::move(times), text);
}

Result<Receipts> parse_receipts(std::string_view text) {
  const auto value = TRY(document(text));
  Receipts receipts;
  receipts.binary = TRY(require_text(value, "binary"));
  receipts.catalog = TRY(require_digest(value, "catalog"));
  for (const auto& element : *TRY(require_list(value, "receipts"))) receipts.receipts.push_back(TRY(read_receipt(element)));
  return same_bytes(std::move(receipts), text);
}

Result<CollectionLeaf> parse_collection_leaf(std::string_view text) {
  const auto value = TRY(document(text, max_leaf_bytes));
  CollectionLeaf leaf;
  if (TRY(require_string(value, "kind")) != "collection") return fail(Errc::malformed, "not a collection");
  leaf.run = TRY(require_text(value, "run"));
  leaf.source = TRY(require_text(value, "source"));
  if (const auto* scope = find(value, "scope")) {
    leaf.account = optional_text(*scope, "account");
    leaf.partition = optional_text(*scope, "partition");
  }
  leaf.identity = optional_text(value, "identity");
  const auto schedule = TRY(require_string(value, "schedule"));
  leaf.schedule = TRY_WITHIN(parse_duration(schedule), "`schedule`");
  leaf.started = TRY(require_instant(value, "started"));
  leaf.ended = TRY(require_instant(value, "ended"));
  leaf.outcome = TRY(require_outcome(value));
  leaf.reason = optional_text(value, "reason");
  leaf.simulated = is_true(value, "simulated");
  leaf.tree = TRY(optional_digest(value, "tree"));
  leaf.times = TRY(optional_digest(value, "times"));
  leaf.receipts = TRY(optional_digest(value, "receipts"));
  leaf.catalog = TRY(require_count<std::uint64_t>(value, "catalog"));
  leaf.counts = TRY(read_counts(value));
  const bool asked = leaf.outcome == Outcome::complete || leaf.outcome == Outcome::partial;
  if (leaf.tree.has_value() != asked || leaf.times.has_value() != asked || leaf.receipts.has_value() != asked) {
    return fail(Errc::malformed, "a {} collection {} tree, times and receipts", name_of(leaf.outcome), asked ? "has" : "has no");
  }
  return same_bytes(std::move(leaf), text);
}

Result<CatalogLeaf> parse_catalog_leaf(std::string_view text) {
  const auto value = TRY(document(text, max_leaf_bytes));
  if (TRY(require_string(value, "kind")) != "catalog") return fail(Errc::malformed, "not a catalog");
  CatalogLeaf leaf{.catalog = TRY(require_digest(value, "catalog")),
                   .models = TRY(require_digest(value, "models")),
                   .binary = TRY(require_text(value, "binary"))};
  return same_bytes(std::move(leaf), text);
}

Result<ScopeLeaf> parse_scope_leaf(std::string_view text) {
  const auto value = TRY(document(text, max_scope_bytes));
  if (TRY(require_string(value, "kind")) != "scope") return fail(Errc::malformed, "not a scope");
  ScopeLeaf leaf{.source = TRY(require_text(value, "source")), .at = TRY(require_instant(value, "at")), .accounts = {}};
  for (const auto& element : *TRY(require_list(value, "accounts")))
    leaf.accounts.push_back({TRY(require_text(element, "account")), is_true(element, "in"), optional_text(element, "reason")});
  const auto in_order = [](const auto& a, const auto& b) { return a.account < b.account; };
  if (std::ranges::adjacent_find(leaf.accounts, std::not_fn(in_order)) != leaf.accounts.end())
    return fail(Errc::malformed, "the accounts are out of order");
  return same_bytes(std::move(leaf), text);
}

}  // namespace vouch::evidence
