// wire/credential_providers.h - where credentials come from, one function a place. Inside credentials.h.
//
// A provider that is not configured answers nullopt; one that is configured and fails answers an error.
#pragma once

#include "base/json.h"
#include "wire/credentials.h"
#include "wire/models.h"

#include <optional>
#include <string>
#include <vector>

namespace vouch::wire {

struct ProviderContext {
  const Settings& settings;
  Transport& transport;
  Models& models;
  Instant now;
};

using Found = Result<std::optional<Credentials>>;

Found from_environment(const ProviderContext& context);
Found from_web_identity_variables(const ProviderContext& context);
Found from_web_identity_profile(const ProviderContext& context, std::string_view profile);
Found from_sso(const ProviderContext& context, std::string_view profile);
Found from_shared_file(const ProviderContext& context, std::string_view profile);  // ~/.aws/credentials
Found from_process(const ProviderContext& context, std::string_view profile);
Found from_config_file(const ProviderContext& context, std::string_view profile);
Found from_container(const ProviderContext& context);
Found from_instance(const ProviderContext& context);

// STS AssumeRole, signed by `source`.
Result<Credentials> assume(const ProviderContext& context, const RoleToAssume& role, const Credentials& source);

}  // namespace vouch::wire
