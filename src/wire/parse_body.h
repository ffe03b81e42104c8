// wire/parse_body.h - a body becomes a value, one function a protocol. Inside parse.h.
#pragma once

#include "base/json.h"
#include "wire/models.h"

#include <string>
#include <string_view>

namespace vouch::wire {

inline constexpr int kDeepestAnswer = 128;  // levels

// Each reads one value of `use` into `out`, whose storage it uses. Errc::malformed.
Result<> read_json(const Member& use, std::string_view body, Json& out);
Result<> read_cbor(const Member& use, std::string_view body, Json& out);

// `wrapper` is a query protocol's result element below the root, empty for all others. `root_ending`, if not empty, is what the root's
// name must end with.
Result<> read_xml(const Member& use, std::string_view body, std::string_view root_ending, std::string_view wrapper, Json& out);

// The text of the root element alone (S3's GetBucketLocation).
Result<std::string> read_xml_root_text(std::string_view body);

struct XmlError {
  std::string code, message;
};
// Code and Message of an error document in any of the shapes that query, ec2 and rest-xml use. Errc::malformed for anything else.
Result<XmlError> read_xml_error(std::string_view body);
// The same for a success's status: S3 answers 200 and an <Error> to calls that failed late.
bool is_xml_error(std::string_view body);

// Of JSON or CBOR: `__type`, `code`, `message`, as written. Empty when it has none. Errc::malformed.
struct TypedError {
  std::string type, code, message;
};
Result<TypedError> read_json_error(std::string_view body);
Result<TypedError> read_cbor_error(std::string_view body);

// A scalar out of XML text or a header. An empty text is an absent value for all but text and blobs: `out` stays null.
Result<> read_scalar(const Member& use, std::string_view text, Json& out);

// Seconds since 1970 or text as RFC 3339 text.
Result<> put_timestamp(double seconds, Json& out);
Result<> put_timestamp(std::string_view text, Json& out);
void put_real(double value, Json& out);  // NaN and infinities become words

}  // namespace vouch::wire
