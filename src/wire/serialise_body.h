// wire/serialise_body.h - params as a body, one function a protocol. Inside serialise.h.
//
// All fail with Errc::usage, naming the path of the param that does not fit the model.
#pragma once

#include "base/instant.h"
#include "base/json.h"
#include "wire/models.h"

#include <string>

namespace vouch::wire {

inline constexpr int kDeepestParams = 64;

Result<std::string> query_body(const Service& service, const Operation& operation, const Json& params);  // query and ec2
Result<std::string> json_body(const Member& use, const Json& value);
Result<std::string> xml_body(const Member& use, const std::string& root, const Json& value);
Result<std::string> cbor_body(const Member& use, const Json& value);

// Where a value stands among the params, for messages: "Filters[2].Name".
class ParamPath {
 public:
  ParamPath() = default;
  ParamPath(const ParamPath& parent, std::string_view name) : parent_(&parent), name_(name), depth_(parent.depth_ + 1) {}
  ParamPath(const ParamPath& parent, std::size_t index) : parent_(&parent), index_(index), depth_(parent.depth_ + 1) {}
  [[nodiscard]] std::string text() const;
  [[nodiscard]] int depth() const { return depth_; }

 private:
  const ParamPath* parent_ = nullptr;
  std::string_view name_;
  std::size_t index_ = 0;
  int depth_ = 0;
};

// The value is of its shape's kind, no deeper than kDeepestParams; a structure has its required members and no unknown ones.
Result<> check_param(const Member& use, const Json& value, const ParamPath& path);

// A scalar as text: query, header, label and XML element. Blobs stay base64.
Result<std::string> scalar_text(const Member& use, const Json& value, TimestampFormat otherwise, const ParamPath& path);

Result<Instant> instant_param(const Json& value, const ParamPath& path);
Result<double> real_param(const Json& value, const ParamPath& path);  // also "NaN", "Infinity", "-Infinity"

}  // namespace vouch::wire
