#include "wire/serialise.h"

#include "base/file.h"
#include "wire/test_models.h"

#include <gtest/gtest.h>

namespace vouch::wire {
namespace {

// Agreement with botocore, operation by operation, is tested in tests/wire/differential.py; here is what callers depend on.
Result<Request> request(Models& models, std::string_view service, std::string_view operation, const Json& params) {
  const auto [found, op] = models.operation(service, operation).value();
  return serialise(*found, *op, params);
}

TEST(Serialise, WrongParamsAreNamedWithTheirPath) {
  auto models = test_models();
  const auto message = [&](const Json& params) {
    const auto result = request(models, "json", "GetThing", params);
    return result ? std::string{"accepted"} : result.error().message;
  };
  EXPECT_EQ(message(json::object{{"Name", "a"}}), "accepted");
  EXPECT_NE(message(json::object{}).find("`Name` is missing"), std::string::npos);
  EXPECT_NE(message(json::object{{"Name", 1}}).find("`Name` must be text"), std::string::npos);
  EXPECT_NE(
      message(json::object{{"Name", "a"}, {"Filter", json::object{{"Inner", json::object{{"Nmae", 1}}}}}}).find("`Filter.Inner.Nmae`"),
      std::string::npos);
  EXPECT_NE(
      message(json::object{{"Name", "a"}, {"Filter", json::object{{"Names", json::array{Json("x"), Json(2)}}}}}).find("`Filter.Names[1]`"),
      std::string::npos);
  EXPECT_NE(message(json::array{}).find("must be an object"), std::string::npos);
}

TEST(Serialise, EndlessNestingIsRefused) {
  auto models = test_models();
  Json inner = json::object{};
  for (int i = 0; i < 1000; ++i) inner = json::object{{"Inner", std::move(inner)}};
  EXPECT_FALSE(request(models, "json", "GetThing", json::object{{"Name", "a"}, {"Filter", inner}}));
}

TEST(Serialise, AHeaderCannotBeSplitIntoTwo) {
  auto models = Models::open({fs::path{VOUCH_SOURCE_DIR} / ".deps/botocore/botocore/data"}).value();
  EXPECT_FALSE(request(models, "s3", "ListBuckets", json::object{{"MaxBuckets", "x"}}));
  EXPECT_FALSE(request(models, "s3", "GetBucketAcl", json::object{{"Bucket", "b"}, {"ExpectedBucketOwner", "1\r\nX-Evil: 1"}}));
}

TEST(Serialise, S3ListingsAskForEncodedKeys) {
  auto models = Models::open({fs::path{VOUCH_SOURCE_DIR} / ".deps/botocore/botocore/data"}).value();
  EXPECT_NE(request(models, "s3", "ListObjectsV2", json::object{{"Bucket", "b"}})->query.find("encoding-type=url"), std::string::npos);
}

TEST(Serialise, AbsentIdempotencyTokensAreMadeUpAnew) {
  auto models = Models::open({fs::path{VOUCH_SOURCE_DIR} / ".deps/botocore/botocore/data"}).value();
  const Json params = json::object{{"ImageId", "ami-1"}, {"MinCount", 1}, {"MaxCount", 1}};
  const auto first = request(models, "ec2", "RunInstances", params).value().body,
             second = request(models, "ec2", "RunInstances", params).value().body;
  EXPECT_NE(first.find("ClientToken="), std::string::npos);
  EXPECT_NE(first, second);
}

}  // namespace
}  // namespace vouch::wire
