// What is kept of each answer: its place in the manifest, and its body where it is a new one.
#include "collect/request.h"

namespace vouch::collect {

namespace {

// Of two pages that hold nothing the second one is no repetition of the first.
bool holds_an_item(const Json& value) {
  if (const auto* list = value.if_array()) return !list->empty();
  const auto* object = value.if_object();
  return object && std::ranges::any_of(*object, [](const auto& member) { return holds_an_item(member.value()); });
}

}  // namespace

std::string printable(std::string_view text) {
  std::string clean;
  for (const char c : text.substr(0, 128)) {
    if (c >= ' ' && c < '\x7f') clean += c;
  }
  return clean;
}

void Asking::keep(const std::shared_ptr<Request>& request, wire::Page page) {
  auto& node = *request->node;
  if (page.reading != request->reading) begin_again(*request);
  request->reading = page.reading;
  auto record = blank(*request, page.number - 1);
  auto& entry = record.entry;
  entry.status = page.answer.status;
  record.request_id = printable(page.answer.request_id);
  record.date = page.answer.server_date;
  record.tls = page.answer.certificate;
  record.endpoint = endpoint_index(page.answer.endpoint);
  if (page.error) {
    classify(*node.operation, *page.error, page.answer.status, !page.answer.body.empty(), entry);
    if (auto kept = keep_error(*request, page, record); !kept) return break_off(std::move(kept).error());
  } else if (auto kept = keep_answer(*request, page, record); !kept) {
    if (kept.error().code != Errc::malformed) return break_off(std::move(kept).error());
    entry.error = name_of(Errc::malformed);
    entry.hole = Hole::failed;
    if (request->newest_first) client_.stop(request->call);
  } else if (!*kept) {
    return;
  }
  const bool answered = entry.is_answer();
  request->refused = request->refused || entry.hole;
  node.records.push_back(std::move(record));
  if (!answered) return;
  if (options_.probe) client_.stop(request->call);
  if (&node == regions_node_) note_regions(page.value);
  if (const auto& branches = node.operation->again_for)
    for_each_selected(page.value, *branches, [&](const Json& element) { enqueue(node, &element, request.get()); });
  for (auto* child : node.children) {
    for_each_selected(page.value, child->operation->for_each->path, [&](const Json& element) { enqueue(*child, &element, request.get()); });
  }
}

// The listing changed while it was read, and is read again: what came of it so far does not count.
void Asking::begin_again(Request& request) {
  std::erase_if(request.node->records, [&](const Record& record) { return record.entry.params == request.params_text; });
  request.remembering = {};
  request.contents.clear();
  request.refused = false;
  if (request.newest_first) {
    const auto& node = *request.node;
    request.newest_first.emplace(*node.operation->increment, node.base && request.remembered ? request.remembered->cursor : std::nullopt);
  }
}

void Asking::remember(Request& request) {
  if (request.newest_first) request.remembering.cursor = request.newest_first->newest();
  request.node->remembering.remember(request.params_text, request.remembering);
}

// The page's value becomes the answer as it is stored; of an increment, with no more than the items that are new. False when there are
// none: then nothing is stored. A body is written only when its content is not that of the run before.
Result<bool> Asking::keep_answer(Request& request, wire::Page& page, Record& record) {
  auto& value = page.value;
  auto& node = *request.node;
  if (!node.incremental) {
    const auto& old = request.remembered ? request.remembered->pages : request.remembering.pages;
    request.remembering.pages.resize(page.number);
    request.remembering.pages.back() =
        page.validator || !page.unchanged || page.number > old.size() ? page.validator : old[page.number - 1];
  }
  if (page.unchanged && request.newest_first) {
    request.remembering.pages = request.remembered->pages;
    client_.stop(request.call);
    return false;
  }
  if (page.unchanged) {
    TRY(keep_unchanged(request, page, record));
    return true;
  }
  record.entry.total = page.total;
  auto redacted = TRY(access_.api.redact(*node.operation, page.answer.body, options_.secrets_key));
  if (!redacted.paths.empty()) value = TRY(access_.api.read(*node.operation, page.answer.status, redacted.body));
  access_.api.keep_what_the_body_says(*node.operation, value);
  const auto content = TRY(content_of(value, node.normal));
  // Under another token, or in another order: were it taken for a page of its own, those whom it stands in place of would be missing.
  if (holds_an_item(value) && !request.contents.insert(content).second) return fail(Errc::malformed, "the page is one that came before");
  if (auto& newest_first = request.newest_first) {
    TRY(newest_first->read(value));
    if (newest_first->reached_the_known()) client_.stop(request.call);
    if (page.number == 1 && page.validator && (newest_first->reaches_back() || page.validator->next.empty()))
      request.remembering.pages = {page.validator};
    // Of a listing that is read as a whole an empty page is an answer too: it shows that there is nothing.
    const bool as_a_whole = !node.base || !request.remembered || !request.remembered->cursor;
    if (!newest_first->brought_something() && !as_a_whole) return false;
  }
  TRY(keep_body(request, content, std::move(redacted), record));
  return true;
}

// The page that the run before stored. It is read again only where its elements are asked for.
Result<> Asking::keep_unchanged(Request& request, wire::Page& page, Record& record) {
  auto& node = *request.node;
  const auto* before = node.before ? node.before->find(request.params_text, page.number - 1) : nullptr;
  if (!before || !before->is_answer()) return fail(Errc::malformed, "unchanged, but never seen");
  auto& entry = record.entry;
  entry.status = before->status;
  entry.content = before->content;
  entry.body = before->body;
  entry.secrets = before->secrets;
  entry.total = page.total ? page.total : before->total;
  request.contents.insert(*before->content);
  if (node.children.empty() && !node.operation->again_for) return {};
  const auto body = TRY_WITHIN(history_.body(*before->body), "the answer of {} that did not change", node.operation->name());
  page.value = TRY(access_.api.read(*node.operation, before->status, body));
  return {};
}

// What a service said when it refused is evidence too. Its content is its code: the rest is ids and the words of the day.
Result<> Asking::keep_error(Request& request, const wire::Page& page, Record& record) {
  constexpr std::size_t longest = 64u << 10;
  if (page.answer.body.empty() || page.answer.body.size() > longest) return {};
  auto redacted = access_.api.redact_error(*request.node->operation, page.answer.body, options_.secrets_key);
  if (!redacted) return {};  // no text that could be searched for secrets: its code says enough
  const auto content = TRY(content_of(json::object{{"error", record.entry.error}, {"status", record.entry.status}}, {}));
  return keep_body(request, content, std::move(*redacted), record);
}

Result<> Asking::keep_body(Request& request, const Digest& content, Redacted redacted, Record& record) {
  auto& entry = record.entry;
  const auto* before = request.node->before ? request.node->before->find(entry.params, entry.page) : nullptr;
  if (before && before->content == content && before->body) {
    entry.body = before->body;
    entry.secrets = before->secrets;
  } else {
    entry.body = TRY(pack_.add(redacted.body));
    entry.secrets = std::move(redacted.paths);
    record.new_body = true;
    ++counts_.new_bodies;
  }
  entry.content = content;
  return {};
}

}  // namespace vouch::collect
