#include "ledger/evidence.h"

#include <tuple>

namespace vouch::evidence {

namespace {

// Texts in a document are either ours or have come out of an answer as valid UTF-8; anything else would have no canonical form.
std::string literal(std::string_view text) {
  auto spelled = canonical(Json(json::string(text)));
  return spelled ? std::move(*spelled) : std::string("\"\"");
}

std::string spell(const Json& value) {
  auto spelled = canonical(value);
  return spelled ? std::move(*spelled) : std::string();
}

auto order_of(const Entry& entry) { return std::pair(std::string_view(entry.params), entry.page); }
// `{}` sorts behind `{"region"…`: `}` is above `"`.
auto order_of(const TreeEntry& entry) {
  return std::tuple(std::string_view(entry.operation), entry.scope.region.empty(), std::string_view(entry.scope.region));
}

void write_entry(const Entry& entry, std::string& out) {
  const char* separator = "{";
  const auto member = [&](std::string_view name, std::string_view value) {
    out += separator;
    out += '"';
    out += name;
    out += "\":";
    out += value;
    separator = ",";
  };
  if (entry.absent) member("absent", "true");
  if (entry.body) member("body", literal(to_hex(*entry.body)));
  if (entry.content) member("content", literal(to_hex(*entry.content)));
  if (!entry.error.empty()) member("error", literal(entry.error));
  if (entry.gone) member("gone", "true");
  if (entry.hole) member("hole", *entry.hole == Hole::denied ? "\"denied\"" : "\"failed\"");
  if (!entry.key.empty()) member("key", entry.key);
  member("page", std::to_string(entry.page));
  member("params", entry.params);
  if (!entry.secrets.empty()) {
    std::string list;
    for (const auto& path : entry.secrets) list += (list.empty() ? "[" : ",") + literal(path);
    member("secrets", list + "]");
  }
  member("status", std::to_string(entry.status));
  if (entry.total) member("total", std::to_string(*entry.total));
  out += '}';
}

std::string write_count(std::uint64_t value) { return std::to_string(value); }

}  // namespace

std::string_view name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::complete: return "complete";
    case Outcome::partial: return "partial";
    case Outcome::denied: return "denied";
    case Outcome::failed: return "failed";
  }
  return "failed";
}

Json to_json(const Scope& scope) {
  json::object object;
  if (!scope.region.empty()) object["region"] = scope.region;
  return Json(std::move(object));
}

void Manifest::sort() {
  std::ranges::sort(requests, {}, [](const Entry& entry) { return order_of(entry); });
}

const Entry* Manifest::find(std::string_view params, std::uint32_t page) const {
  const auto found = std::ranges::lower_bound(requests, std::pair(params, page), {}, [](const Entry& entry) { return order_of(entry); });
  return found != requests.end() && found->params == params && found->page == page ? &*found : nullptr;
}

void Tree::sort() {
  std::ranges::sort(entries, {}, [](const TreeEntry& entry) { return order_of(entry); });
}

const TreeEntry* Tree::find(std::string_view operation, const Scope& scope) const {
  const auto found = std::ranges::lower_bound(entries, std::tuple(operation, scope.region.empty(), std::string_view(scope.region)), {},
                                              [](const TreeEntry& entry) { return order_of(entry); });
  return found != entries.end() && found->operation == operation && found->scope == scope ? &*found : nullptr;
}

bool has_kind(std::string_view leaf, std::string_view kind) {
  return leaf.find(fmt::format("\"kind\":\"{}\"", kind)) != std::string_view::npos;
}

std::string write(const Manifest& manifest) {
  std::string out = "{";
  if (manifest.base) out += fmt::format("\"base\":\"{}\",", to_hex(*manifest.base));
  out += fmt::format("\"operation\":{},\"requests\":[", literal(manifest.operation));
  out.reserve(out.size() + manifest.requests.size() * 300);
  for (std::size_t i = 0; i < manifest.requests.size(); ++i) {
    if (i > 0) out += ',';
    write_entry(manifest.requests[i], out);
  }
  return out += fmt::format("],\"scope\":{},\"v\":1}}", spell(to_json(manifest.scope)));
}

std::string write(const Tree& tree) {
  std::string out = fmt::format("{{\"account\":{},\"entries\":[", literal(tree.account));
  const char* separator = "";
  for (const auto& entry : tree.entries) {
    out += fmt::format("{}{{\"manifest\":\"{}\",\"operation\":{},\"outcome\":\"{}\",", separator, to_hex(entry.manifest),
                       literal(entry.operation), name_of(entry.outcome));
    if (!entry.reason.empty()) out += fmt::format("\"reason\":{},", literal(entry.reason));
    out += fmt::format("\"scope\":{}}}", spell(to_json(entry.scope)));
    separator = ",";
  }
  return out += fmt::format("],\"source\":{},\"v\":1}}", literal(tree.source));
}

// Most of an unchanged run is this document, so it says each operation once and each instant as a distance.
std::string write(const Times& times) {
  Instant since = times.empty() ? Instant{} : times.front().started;
  for (const auto& span : times) since = std::min(since, span.started);
  since.micros -= since.micros % 1'000'000;
  auto out = fmt::format("{{\"since\":\"{}\",\"spans\":[", to_string(since));
  for (const auto& span : times)
    out += fmt::format("{}[{},{}]", out.ends_with('[') ? "" : ",", (span.started - since).micros, (span.ended - since).micros);
  return out += "],\"v\":1}";
}

std::string write(const Receipts& receipts) {
  std::string out = fmt::format("{{\"binary\":{},\"catalog\":\"{}\",\"receipts\":[", literal(receipts.binary), to_hex(receipts.catalog));
  out.reserve(out.size() + receipts.receipts.size() * 300);
  const char* separator = "";
  for (const auto& receipt : receipts.receipts) {
    out += separator;
    out += '{';
    if (receipt.date) out += fmt::format("\"date\":\"{}\",", to_string(*receipt.date));
    out += fmt::format("\"endpoint\":{},\"operation\":{},\"page\":{},\"params\":{},", literal(receipt.endpoint), literal(receipt.operation),
                       receipt.page, receipt.params);
    if (!receipt.request_id.empty()) out += fmt::format("\"request_id\":{},", literal(receipt.request_id));
    out += fmt::format("\"scope\":{}", spell(to_json(receipt.scope)));
    if (receipt.tls) out += fmt::format(",\"tls\":\"{}\"", to_hex(*receipt.tls));
    out += '}';
    separator = ",";
  }
  return out += "],\"v\":1}";
}

namespace {

std::string write_whole(const CollectionLeaf& leaf) {
  std::string scope = "{";
  if (!leaf.account.empty()) scope += fmt::format("\"account\":{}", literal(leaf.account));
  if (!leaf.partition.empty()) scope += fmt::format("{}\"partition\":{}", leaf.account.empty() ? "" : ",", literal(leaf.partition));
  scope += '}';
  const auto& counts = leaf.counts;
  std::string out = fmt::format(
      "{{\"catalog\":{},\"counts\":{{\"denied\":{},\"failed\":{},\"new_bodies\":{},\"operations\":{},\"requests\":{},\"retried\":{}}},"
      "\"ended\":"
      "\"{}\"",
      leaf.catalog, write_count(counts.denied), write_count(counts.failed), write_count(counts.new_bodies), write_count(counts.operations),
      write_count(counts.requests), write_count(counts.retried), to_string(leaf.ended));
  if (!leaf.identity.empty()) out += fmt::format(",\"identity\":{}", literal(leaf.identity));
  out += fmt::format(",\"kind\":\"collection\",\"outcome\":\"{}\"", name_of(leaf.outcome));
  if (!leaf.reason.empty()) out += fmt::format(",\"reason\":{}", literal(leaf.reason));
  if (leaf.receipts) out += fmt::format(",\"receipts\":\"{}\"", to_hex(*leaf.receipts));
  out += fmt::format(",\"run\":{},\"schedule\":\"{}\",\"scope\":{}", literal(leaf.run), write_schedule(leaf.schedule), scope);
  if (leaf.simulated) out += ",\"simulated\":true";
  out += fmt::format(",\"source\":{},\"started\":\"{}\"", literal(leaf.source), to_string(leaf.started));
  if (leaf.times) out += fmt::format(",\"times\":\"{}\"", to_hex(*leaf.times));
  if (leaf.tree) out += fmt::format(",\"tree\":\"{}\"", to_hex(*leaf.tree));
  return out += ",\"v\":1}";
}

// At a character's edge.
std::string cut(std::string text, std::size_t length) {
  while (length > 0 && length < text.size() && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) --length;
  text.resize(std::min(length, text.size()));
  return text + "…";
}

}  // namespace

std::string write(const CollectionLeaf& leaf) {
  auto out = write_whole(leaf);
  auto shorter = leaf;
  // Escapes can make a text longer than what was cut, so look again.
  for (auto keep = leaf.reason.size(); out.size() > max_leaf_bytes && keep > 0; out = write_whole(shorter)) {
    keep -= std::min(keep, std::max<std::size_t>((out.size() - max_leaf_bytes) / 6, 1));
    shorter.reason = cut(leaf.reason, keep);
  }
  return out;
}

std::string write(const CatalogLeaf& leaf) {
  return fmt::format("{{\"binary\":{},\"catalog\":\"{}\",\"kind\":\"catalog\",\"models\":\"{}\",\"v\":1}}", literal(leaf.binary),
                     to_hex(leaf.catalog), to_hex(leaf.models));
}

std::string write(const ScopeLeaf& leaf) {
  std::string accounts;
  for (const auto& [account, in, reason] : leaf.accounts) {
    accounts += fmt::format("{}{{\"account\":{},\"in\":{}", accounts.empty() ? "" : ",", literal(account), in);
    if (!reason.empty()) accounts += fmt::format(",\"reason\":{}", literal(reason));
    accounts += '}';
  }
  return fmt::format("{{\"accounts\":[{}],\"at\":\"{}\",\"kind\":\"scope\",\"source\":{},\"v\":1}}", accounts, to_string(leaf.at),
                     literal(leaf.source));
}

std::vector<std::string> write_in_parts(const ScopeLeaf& leaf) {
  constexpr std::size_t around = 256, most = max_scope_bytes - around;
  std::vector<std::string> parts;
  ScopeLeaf part{leaf.source, leaf.at, {}};
  std::size_t bytes = 0;
  const auto finish = [&] {
    parts.push_back(write(part));
    part.accounts.clear();
    bytes = 0;
  };
  for (const auto& account : leaf.accounts) {
    const auto own = literal(account.account).size() + literal(account.reason).size() + 64;
    if (bytes + own > most && !part.accounts.empty()) finish();
    bytes += own;
    part.accounts.push_back(account);
  }
  finish();
  return parts;
}

std::string write_schedule(Duration schedule) {
  const auto seconds = schedule.micros / 1'000'000;
  for (const auto& [unit, length] : {std::pair{'d', 86400}, {'h', 3600}, {'m', 60}}) {
    if (seconds > 0 && seconds % length == 0) return fmt::format("{}{}", seconds / length, unit);
  }
  return fmt::format("{}s", seconds);
}

}  // namespace vouch::evidence
