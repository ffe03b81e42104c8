// cli/finding.h - what `vouch doctor` finds: what is looked at, how it stands, and how to mend it.
#pragma once

#include <string>
#include <vector>

namespace vouch::cli {

enum class Health { good, doubt, bad };  // bad: something will be unknown, or lost
std::string_view name_of(Health health);

struct Finding {
  std::string about;  // "home", "aws"
  Health health = Health::good;
  std::string says;
  std::string mend;  // empty: nothing to do
};
using Findings = std::vector<Finding>;

}  // namespace vouch::cli
