// wire/paginate.h - from one page to the next.
//
// Spec: botocore 1.44.8 paginate.py. Its paginators use a sliver of JMESPath, which is all that is read here:
// fields, `.`, `[n]` and `[-1]`, `||`. Errc::unsupported for any other expression.
#pragma once

#include "base/json.h"
#include "wire/models.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vouch::wire {

// A parsed expression.
class Path {
 public:
  static Result<Path> parse(std::string_view expression);

  // What it selects; nullptr when it selects nothing or null. The first alternative of `||` that is not empty (null, false, "",
  // [] or {}) wins.
  [[nodiscard]] const Json* find(const Json& value) const;

  // The top-level members it may read: "NextMarker || Contents[-1].Key" reads NextMarker and Contents.
  [[nodiscard]] std::vector<std::string> roots() const;

 private:
  struct Step {
    std::string field;  // empty: an index
    int index = 0;
  };
  std::vector<std::vector<Step>> alternatives_;
};

struct NextPage {
  // Params of the next request; none when this page was the last.
  std::optional<Json> params;
  // The model has no paginator, yet the answer says that there is more: a member such as NextToken, Marker, IsTruncated.
  bool unmodelled = false;
};

// `asked` are the params that gave `value`. Errc::malformed when the answer's tokens are those that were asked with: the listing
// would never end.
Result<NextPage> next_page(const Operation& operation, const Json& asked, const Json& value);

// Members of an answer that only say where its pages are cut (tokens, "is truncated", the page size), never what is there: a
// caller that compares contents leaves them out. Top-level names, sorted. For operations without a paginator, the usual names that
// the output has.
std::vector<std::string> paging_members(const Operation& operation);

// The same for params: the input tokens, without the page size.
std::vector<std::string> token_params(const Operation& operation);

}  // namespace vouch::wire
