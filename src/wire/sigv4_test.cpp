#include "wire/sigv4.h"

#include "base/digest.h"

#include <gtest/gtest.h>

namespace vouch::wire {
namespace {

struct Vector {
  HttpRequest request;
  std::string token;
  SigningScope scope;
  std::string at, canonical_digest, signature;
};

TEST(SigV4, AgreesWithPublishedVectors) {
  const std::vector<Vector> vectors{
      {{"GET", "https://example.amazonaws.com/", {}, {}},
       "",
       {"us-east-1", "service", true, false},
       "2015-08-30T12:36:00Z",
       "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63",
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {{"POST",
        "https://iam.amazonaws.com/",
        {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}},
        "Action=ListUsers&Version=2010-05-08"},
       "TOKEN",
       {"us-east-1", "iam", true, false},
       "2026-11-24T00:00:00Z",
       "54820d6cbe43f818f903e1f6f8f3d70752f13624fabeb0e93cb1c3dda8de3f55",
       "db96e0fe0b801cad72be4dec4041b2c82b62b3e5076606afcfe24bb54ddb60f9"},
      {{"GET", "https://s3.us-east-1.amazonaws.com/production-data-bucket/a%20b%2Bc/%C3%A9?versionId=abc%2F1", {}, {}},
       "",
       {"us-east-1", "s3", false, true},
       "2026-11-24T00:00:00Z",
       "78a119c07b739b37a900fe5bb882ae9f87d4a0cad0af146778cb7b4a9f4e09d1",
       "cb7177782a68578f50453d2b6af3e4e4c654fac1a2dc0feee308205ad9eac49b"}};
  for (auto vector : vectors) {
    const Credentials credentials{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", vector.token, std::nullopt, {}};
    sign(vector.request, credentials, vector.scope, parse_instant(vector.at).value());
    EXPECT_EQ(to_hex(sha256(canonical_request(vector.request, vector.scope))), vector.canonical_digest) << vector.request.url;
    EXPECT_TRUE(find_header(vector.request.headers, "Authorization")->ends_with("Signature=" + vector.signature)) << vector.request.url;
  }
}

TEST(SigV4, SigningAgainReplacesTheFirstSignature) {
  HttpRequest request{"GET", "https://example.amazonaws.com/", {}, {}};
  const Credentials credentials{"AKIDEXAMPLE", "secret", "", std::nullopt, {}};
  const SigningScope scope{"us-east-1", "service", true, false};
  auto again = request;
  sign(request, credentials, scope, Instant{0});
  sign(again, credentials, scope, Instant{1'000'000'000'000});
  sign(again, credentials, scope, Instant{0});
  EXPECT_EQ(request.headers, again.headers);
}

}  // namespace
}  // namespace vouch::wire
