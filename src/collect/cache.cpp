// A line of JSON for each operation, behind it one for each of its requests: the params, a tab, what is remembered.
#include "collect/cache.h"

namespace vouch::collect {

namespace {

constexpr std::size_t max_bytes = std::size_t{1} << 30;

fs::path file_of(const fs::path& home, std::string_view source, std::string_view account) {
  const auto plain = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_'; };
  const bool is_plain = account.size() <= 64 && std::ranges::all_of(account, plain);
  return home / "cache" / fmt::format("{}-{}.jsonl", source, is_plain ? std::string(account) : to_hex(sha256(account)));
}

std::string spell(const RememberedRequest& request) {
  json::array pages;
  for (const auto& page : request.pages) {
    pages.push_back(
        page ? Json(json::array{page->etag, page->last_modified, page->next, page->items ? Json(*page->items) : Json(), page->asked})
             : Json());
  }
  json::object object{{"pages", std::move(pages)}};
  if (request.cursor) {
    json::array known;
    for (const auto& digest : request.cursor->known) known.push_back(json::string(to_hex(digest)));
    object["cursor"] = json::object{{"at", request.cursor->at}, {"known", std::move(known)}};
  }
  return json::serialize(object);
}

std::optional<std::uint64_t> count_of(const Json& value) {
  if (value.is_uint64()) return value.get_uint64();
  if (value.is_int64() && value.get_int64() >= 0) return static_cast<std::uint64_t>(value.get_int64());
  return std::nullopt;
}

std::optional<wire::Validator> validator_of(const Json& value) {
  const auto* list = value.if_array();
  if (!list || list->size() != 5 || !std::all_of(list->begin(), list->begin() + 3, [](const Json& one) { return one.is_string(); }))
    return std::nullopt;
  const auto items = count_of((*list)[3]), asked = count_of((*list)[4]);
  if (!asked) return std::nullopt;
  const auto text = [&](std::size_t i) { return std::string((*list)[i].get_string()); };
  return wire::Validator{.etag = text(0), .last_modified = text(1), .next = text(2), .items = items, .asked = *asked};
}

std::optional<Cursor> cursor_of(const Json& value) {
  const auto* at = find_string(value, "at");
  const auto* known = find_array(value, "known");
  if (!at || !known) return std::nullopt;
  Cursor cursor{.at = std::string(*at), .known = {}};
  for (const auto& one : *known) {
    const auto digest = parse_digest(one.is_string() ? std::string_view(one.get_string()) : std::string_view());
    if (!digest) return std::nullopt;
    cursor.known.push_back(*digest);
  }
  return cursor;
}

}  // namespace

bool RememberedRequest::empty() const {
  return !cursor && std::ranges::none_of(pages, [](const auto& page) { return page.has_value(); });
}

std::optional<RememberedRequest> RememberedOperation::find(const std::string& params) const {
  const auto found = requests_.find(params);
  if (found == requests_.end()) return std::nullopt;
  const auto value = parse_json(found->second);
  const auto* pages = value ? find_array(*value, "pages") : nullptr;
  if (!pages) return std::nullopt;
  RememberedRequest request;
  for (const auto& page : *pages) request.pages.push_back(validator_of(page));
  if (const auto* cursor = vouch::find(*value, "cursor")) {
    request.cursor = cursor_of(*cursor);
    if (!request.cursor) return std::nullopt;
  }
  return request;
}

void RememberedOperation::remember(std::string params, const RememberedRequest& request) {
  if (!request.empty()) requests_.insert_or_assign(std::move(params), spell(request));
}

void RememberedOperation::keep_others_of(const RememberedOperation& older) {
  for (const auto& [params, request] : older.requests_) requests_.try_emplace(params, request);
}

Cache Cache::read(const fs::path& home, std::string_view source, std::string_view account) {
  Cache cache;
  const auto text = read_file(file_of(home, source, account), max_bytes);
  if (!text) return cache;
  RememberedOperation* operation = nullptr;
  for (std::string_view rest = *text; !rest.empty();) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (const auto tab = line.find('\t'); tab != std::string_view::npos) {
      if (operation) operation->requests_.emplace(line.substr(0, tab), line.substr(tab + 1));
      continue;
    }
    operation = nullptr;
    const auto head = parse_json(line);
    const auto* name = head ? find_string(*head, "operation") : nullptr;
    const auto* region = head ? find_string(*head, "region") : nullptr;
    const auto* manifest = head ? find_string(*head, "manifest") : nullptr;
    const auto* question = head ? find_string(*head, "question") : nullptr;
    if (!name || !region || !manifest || !question) continue;
    const auto of_manifest = parse_digest(*manifest), of_question = parse_digest(*question);
    if (!of_manifest || !of_question) continue;
    operation = &cache.operations_[{std::string(*name), Scope{std::string(*region)}}];
    *operation = RememberedOperation(*of_manifest, *of_question);
  }
  return cache;
}

Result<> Cache::write(const fs::path& home, std::string_view source, std::string_view account) const {
  if (operations_.empty()) return {};
  std::string text;
  for (const auto& [id, operation] : operations_) {
    text += json::serialize(json::object{{"operation", id.first},
                                         {"region", id.second.region},
                                         {"manifest", to_hex(operation.manifest_)},
                                         {"question", to_hex(operation.question_)}});
    text += '\n';
    for (const auto& [params, request] : operation.requests_) text.append(params).append("\t").append(request).append("\n");
  }
  TRY(make_directory(home / "cache"));
  return write_file(file_of(home, source, account), text, Sync::no, 0600);
}

const RememberedOperation* Cache::find(const std::string& operation, const Scope& scope, const Digest& manifest,
                                       const Digest& question) const {
  const auto found = operations_.find({operation, scope});
  const bool counts = found != operations_.end() && found->second.manifest_ == manifest && found->second.question_ == question;
  return counts ? &found->second : nullptr;
}

void Cache::add(const std::string& operation, const Scope& scope, RememberedOperation remembered) {
  operations_.insert_or_assign({operation, scope}, std::move(remembered));
}

}  // namespace vouch::collect
