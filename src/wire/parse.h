// wire/parse.h - an answer's bytes become a value of the model. Needs no network: a stored body is enough.
//
// Spec: botocore 1.44.8 parsers.py. The value is an object by the model's member names. Timestamps are RFC 3339 text in UTC,
// blobs base64 text, integers integers; documents in text (IAM policies) stay as received. Absent members are absent, JSON null is
// absent, members that the model does not know are dropped, an empty XML list is an empty array. Request ids and what else the
// envelope adds never appear. NaN and infinities are the words "NaN", "Infinity", "-Infinity".
//
// Safe on any bytes: UTF-8 only, no DTD or entity expansion, at most 128 levels.
#pragma once

#include "base/json.h"
#include "wire/message.h"
#include "wire/models.h"

#include <optional>

namespace vouch::wire {

// What kind of answer it is; what a caller does about it depends on nothing else.
enum class Heard {
  ok,
  absent,     // the service says that the thing, or its setting, is not there: "NoSuchBucketPolicy", a 404
  denied,     // it knows us or not, but does not let us read
  throttled,  // asks us to slow down
  expired,    // our credentials' time is over
  skewed,     // our clock and theirs differ too much
  failed,     // any other error: 5xx, validation, an operation it lacks
};

std::string_view name_of(Heard heard);

struct ServiceError {
  Heard heard = Heard::failed;  // never ok
  std::string code;             // without ids: "AccessDenied", "NoSuchEntity"; the status as text when the answer names none
  std::string message;          // as received: may name resources and request ids
};

struct Parsed {
  Json value;                         // an object; empty for error answers
  std::optional<ServiceError> error;  // set for error answers
  [[nodiscard]] Heard heard() const { return error ? error->heard : Heard::ok; }
};

// `body` may come without its headers, as the ledger stores it; members that travel in headers are then absent, and an error code
// that stands only in a header falls back to the status. Errc::malformed when a success's body is not what the protocol says (HTML,
// garbage, a cut-off text, the root element of another operation): it is never an empty answer. An error's body that cannot be read
// is an error answer with the status as its code.
Result<Parsed> parse_answer(const Service& service, const Operation& operation, int status, const Headers& headers, std::string_view body,
                            json::storage_ptr storage = {});

// The class of an error by its code and status: see the table in parse_error.cpp.
Heard classify_error(std::string_view code, int status);

// An instant as any AWS service spells one: ISO 8601, RFC 822, or epoch seconds with or without a fraction.
Result<Instant> parse_timestamp(std::string_view text);

}  // namespace vouch::wire
