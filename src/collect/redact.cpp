#include "collect/edits.h"
#include "wire/parse.h"

namespace vouch::collect {

namespace {

std::string spell_as_it_is(std::string_view text) { return std::string(text); }

// A body that is one member: a document, a report, bytes. As JSON where it is JSON.
Redacted redact_text(std::string_view body, std::string_view member, std::span<const Path> listed, const SecretsKey& key) {
  Place place;
  place.enter(member);
  const Token whole{.begin = 0, .end = body.size(), .text = std::string(body), .path = {}};
  Edits edits(key);
  if (place.is_listed(listed)) {
    edits.replace(whole, place.text(), spell_as_it_is);
  } else {
    Edits of_json(key);
    if (search_json(body, nullptr, member, listed, of_json)) return std::move(of_json).apply(body);
    edits.search(whole, place, spell_as_it_is);
  }
  return std::move(edits).apply(body);
}

// CBOR has no texts that could be replaced in place. Its answers hold no secrets, or are not kept.
Result<Redacted> refuse_secrets(const wire::Service& service, const wire::Operation& operation, std::string_view body,
                                std::span<const Path> listed, const SecretsKey& key) {
  const auto parsed = TRY(wire::parse_answer(service, operation, 200, {}, body));
  Edits edits(key);
  TRY(search_json(json::serialize(parsed.value), operation.output.shape, {}, listed, edits));
  if (!edits.empty()) return fail(Errc::malformed, "a secret in CBOR, which can't be replaced");
  return Redacted{.body = std::string(body), .paths = {}};
}

}  // namespace

Result<Redacted> redact(const wire::Service& service, const wire::Operation& operation, std::string_view body, std::span<const Path> listed,
                        const SecretsKey& key) {
  if (body.empty()) return Redacted{};
  const wire::Shape* shape = operation.output.shape;
  std::string_view payload;
  if (shape && !shape->payload.empty()) {
    const auto* member = shape->find(shape->payload);
    payload = shape->payload;
    if (member && member->shape && (member->shape->kind == wire::Kind::string || member->shape->kind == wire::Kind::blob)) {
      return redact_text(body, payload, listed, key);
    }
    shape = member ? member->shape : nullptr;
  }
  Edits edits(key);
  switch (service.protocol) {
    case wire::Protocol::json:
    case wire::Protocol::rest_json: TRY(search_json(body, shape, payload, listed, edits)); break;
    case wire::Protocol::query:
    case wire::Protocol::ec2:
    case wire::Protocol::rest_xml: TRY(search_xml(body, shape, payload, operation.output.result_wrapper, listed, edits)); break;
    case wire::Protocol::cbor: return refuse_secrets(service, operation, body, listed, key);
  }
  return std::move(edits).apply(body);
}

Result<Redacted> redact_document(wire::AnswerKind kind, std::string_view body, std::span<const Path> listed, const SecretsKey& key) {
  if (body.empty()) return Redacted{};
  if (kind != wire::AnswerKind::json) return redact_text(body, "answer", listed, key);
  Edits edits(key);
  TRY(search_json(body, nullptr, {}, listed, edits));
  return std::move(edits).apply(body);
}

}  // namespace vouch::collect
