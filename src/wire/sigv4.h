// wire/sigv4.h - AWS Signature Version 4.
//
// Spec: AWS General Reference, "Signature Version 4"; botocore 1.44.8 auth.py. (curl has a signer, but not for S3 in the version we use.)
#pragma once

#include "base/instant.h"
#include "wire/credentials.h"
#include "wire/message.h"

#include <string>
#include <string_view>

namespace vouch::wire {

struct SigningScope {
  std::string region;
  std::string service;          // the signing name: "s3", "iam", "monitoring"
  bool encode_path = true;      // S3 signs the path as sent; all others encode it once more and remove dot segments
  bool content_sha256 = false;  // S3 wants the body's digest as a header of its own
};

// Adds X-Amz-Date, X-Amz-Security-Token, X-Amz-Content-SHA256 where needed, and Authorization.
void sign(HttpRequest& request, const Credentials& credentials, const SigningScope& scope, Instant at);

// The steps, for tests against published vectors. `request` already has its date (and token) headers.
std::string canonical_request(const HttpRequest& request, const SigningScope& scope);

}  // namespace vouch::wire
