// collect/permissions.h - what a source needs to be allowed, told by its own files: the smallest set with which every call is answered.
//
// An action is written as its provider writes it: an IAM action ("s3:GetEncryptionConfiguration"), a permission of a GitHub App
// ("members:read"), an OAuth scope ("okta.users.read").
#pragma once

#include "collect/source.h"

#include <string>
#include <vector>

namespace vouch::collect {

struct Permission {
  std::string action;
  std::vector<std::string> operations;  // that need it, as the catalogue names them: "s3:GetBucketEncryption"
};

// Each action once, sorted by name. Empty where the source's files name none. Of AWS, ec2:DescribeRegions too, for all that is regional.
std::vector<Permission> permissions(const Source& source);

}  // namespace vouch::collect
