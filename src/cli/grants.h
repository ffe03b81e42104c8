// cli/grants.h - a list of permissions in the forms in which providers take them.
//
// Sizes: a managed IAM policy holds 6,144 characters and a role's inline policies 10,240, white space not counted (IAM quotas, "IAM and
// STS character limits"). Forms that make the policy too cut it into managed ones; `policy()` is one document, to be put inline.
// CloudFormation: AWS::IAM::Role, AWS::IAM::ManagedPolicy. GitHub: "Registering a GitHub App from a manifest".
#pragma once

#include "base/json.h"

#include <string>
#include <vector>

namespace vouch::cli::grants {

using Actions = std::vector<std::string>;

constexpr std::size_t managed_policy_limit = 6144, inline_policy_limit = 10240;  // characters

// Characters that IAM counts.
std::size_t size_of(const Json& policy);

// One statement that allows the actions on everything: a collector can't know the resources before it has listed them.
Json policy(const Actions& actions);
// The same actions in as few policies of at most `limit` characters as their order allows.
std::vector<Json> policies(const Actions& actions, std::size_t limit);

// A role that only `principal` may assume, and only with `external_id`. What is empty is asked for when the form is used.
struct Reader {
  std::string role, principal, external_id;
};
std::string terraform(const Actions& actions, const Reader& reader);  // HCL
Json stack(const Actions& actions, const Reader& reader);             // a CloudFormation template, for a stack or a stack set

// Of actions "permission:access". `name` is the App's, `home` the page that GitHub wants of it.
Json app_manifest(const Actions& actions, std::string name, std::string home);

}  // namespace vouch::cli::grants
