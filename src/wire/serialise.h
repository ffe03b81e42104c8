// wire/serialise.h - an operation and its params become a request.
//
// Spec: the AWS protocols query, ec2, json, rest-json, rest-xml and smithy-rpc-v2-cbor, as botocore 1.44.8 serialize.py writes them.
#pragma once

#include "base/json.h"
#include "wire/message.h"
#include "wire/models.h"

namespace vouch::wire {

// `params` is an object by the model's member names: timestamps as RFC 3339 text or epoch seconds, blobs as base64 text.
// Errc::usage names the path of a param that is unknown, missing or of another kind than the model says; Errc::unsupported for
// event streams. Idempotency tokens that are absent are filled in with a random UUID.
Result<Request> serialise(const Service& service, const Operation& operation, const Json& params);

}  // namespace vouch::wire
