// wire/member_path.h - where something stands in a JSON document: "data.repository.pullRequests", "items[]", "\"@odata.nextLink\"".
//
// Members separated by dots; one whose name holds other characters than letters, digits, `_`, `-` and `$` stands in double quotes. `[]` may
// end a path and only says that a list is there; `[]` alone, and the empty path, are the document itself.
#pragma once

#include "base/json.h"

#include <string>
#include <string_view>
#include <vector>

namespace vouch::wire {

class MemberPath {
 public:
  MemberPath() = default;                                  // the document itself
  static Result<MemberPath> parse(std::string_view text);  // Errc::config

  // nullptr when it is not there; JSON null is there.
  [[nodiscard]] const Json* find(const Json& document) const;
  // Of a string, "" for anything else; of a list, nullptr for anything else.
  [[nodiscard]] std::string_view find_text(const Json& document) const;
  [[nodiscard]] const json::array* find_list(const Json& document) const;

  [[nodiscard]] const std::vector<std::string>& members() const { return members_; }

 private:
  std::vector<std::string> members_;
};

}  // namespace vouch::wire
