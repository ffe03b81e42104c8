// controls/left_out.h - accounts that a source has and that are not read: a narrowing, to be shown wherever verdicts are.
#pragma once

#include "facts/facts.h"

#include <string>
#include <vector>

namespace vouch::controls {

struct LeftOut {
  std::string source, account;
  std::string reason;  // what vouch.yaml says, or the account's own state
  friend bool operator==(const LeftOut&, const LeftOut&) = default;
};

// By the decision of each source that was in force at `at` (table vouch_account). Sorted.
Result<std::vector<LeftOut>> accounts_left_out(facts::Facts& facts, Instant at);

Json to_json(const std::vector<LeftOut>& accounts);
std::vector<LeftOut> read_left_out(const Json& accounts);  // what is not of that form is not there

}  // namespace vouch::controls
