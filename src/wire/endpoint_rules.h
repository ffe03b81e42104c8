// wire/endpoint_rules.h - the interpreter of botocore's endpoint rule sets (endpoint_provider.py). Inside endpoint.h.
#pragma once

#include "base/json.h"

#include <map>
#include <string>

namespace vouch::wire {

// Values of the rules' parameters, by name: texts, booleans, lists of texts.
using RuleScope = std::map<std::string, Json, std::less<>>;

struct RuleEndpoint {
  std::string url;
  Json properties;  // an object; authSchemes among others
};

// Evaluates `rules` (a rule set: parameters and rules). Defaults of parameters are filled in. Errc::usage with the rules' own message where
// they refuse; Errc::unsupported for a function that is not known; Errc::malformed for what is no rule set.
Result<RuleEndpoint> evaluate_rules(const Json& rules, const Json& partitions, RuleScope scope);

// The `outputs` of a region's partition, and its `name`; nullptr when `partitions` is none.
const Json* find_partition(const Json& partitions, std::string_view region);

}  // namespace vouch::wire
