// wire/document.h - an answer that no service model describes becomes a value. Needs no network: a stored body is enough.
#pragma once

#include "base/json.h"

#include <optional>
#include <string_view>

namespace vouch::wire {

enum class AnswerKind {
  json,  // the value is the document
  csv,   // the value is the whole body as one JSON string
  text,  // the same
};

std::string_view name_of(AnswerKind kind);
std::optional<AnswerKind> parse_answer_kind(std::string_view name);

// Strict, so that two readers never see two documents: RFC 8259, nothing behind it, UTF-8 without a byte order mark, at most 128 levels
// deep, no member twice in one object, no integer beyond 64 bits (a double would change it). Fractions are the nearest double.
// Errc::malformed for all else, for an empty body too (a 204 has no document: the caller knows the status).
// Values are made faster in a monotonic `storage`.
Result<Json> parse_document(std::string_view body, AnswerKind kind, json::storage_ptr storage = {});

}  // namespace vouch::wire
