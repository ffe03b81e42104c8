// wire/credential_formats.h - credentials as programs, metadata services and caches write them. Inside credentials.h.
//
// All are bytes that somebody else wrote: Errc::malformed says what is missing, and never quotes a value.
#pragma once

#include "base/error.h"
#include "wire/credentials.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vouch::wire {

// Standard output of a credential_process: Version 1, AccessKeyId, SecretAccessKey, SessionToken?, Expiration?
Result<Credentials> parse_process_credentials(std::string_view text);

// Of a container's or an instance's metadata service: AccessKeyId, SecretAccessKey, Token, Expiration; `Code` other than Success is
// refused.
Result<Credentials> parse_metadata_credentials(std::string_view text);

// ~/.aws/sso/cache/*.json, as `aws sso login` writes it.
struct SsoToken {
  std::string access_token;
  Instant expires;
  std::string refresh_token, client_id, client_secret;  // empty when it cannot be refreshed
  std::optional<Instant> registration_expires;
};
Result<SsoToken> parse_sso_token(std::string_view text);

// A command line as a POSIX shell would split it, without anything else that a shell does. Errc::malformed for an open quote.
Result<std::vector<std::string>> split_command(std::string_view line);

}  // namespace vouch::wire
