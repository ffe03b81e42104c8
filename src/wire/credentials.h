// wire/credentials.h - who we are to AWS.
//
// Spec: botocore 1.44.8 credentials.py: environment; assume-role profiles; web identity; SSO; shared credentials file;
// credential_process; keys in the config file; container; instance metadata (version 2 only). Secrets never stand in errors or logs.
#pragma once

#include "base/error.h"
#include "base/instant.h"
#include "wire/http.h"
#include "wire/profile.h"

#include <memory>
#include <optional>
#include <string>

namespace vouch::wire {

class Models;

struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;       // empty for long-lived keys
  std::optional<Instant> expires;  // none for long-lived keys
  std::string source;              // for people: "environment", "profile `ops` assuming arn:aws:iam::…"
};

// Hands out credentials that are still good. It may ask the network, and then waits for it.
class CredentialSource {
 public:
  virtual ~CredentialSource() = default;
  // Errc::denied, Errc::unreachable, Errc::config, Errc::malformed; Errc::not_found when nothing is configured, with what was tried.
  virtual Result<Credentials> get(Instant now) = 0;
  // The service called these expired: the next get() asks anew.
  virtual void forget() = 0;
};

// The same ones for ever.
class FixedCredentials final : public CredentialSource {
 public:
  explicit FixedCredentials(Credentials credentials) : credentials_(std::move(credentials)) {}
  Result<Credentials> get(Instant) override { return credentials_; }
  void forget() override {}

 private:
  Credentials credentials_;
};

// The chain. The first provider that is configured is used, and its failure is an error: it never falls through to somebody else's
// identity. Credentials are asked for anew when a quarter of their life is left, at most 15 minutes before they expire; while that
// fails, the old ones serve until their last minute. `transport` is used for nothing else while a get() runs; all outlive the chain.
class CredentialChain final : public CredentialSource {
 public:
  CredentialChain(Settings settings, Transport& transport, Models& models);
  ~CredentialChain() override;
  Result<Credentials> get(Instant now) override;
  void forget() override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// For a chain's transport: metadata services answer at once or are not there.
HttpLimits credential_http_limits();

// Another role, assumed with the credentials of `from`: one account of an organisation. Refreshed like the chain.
struct RoleToAssume {
  std::string role_arn;
  std::string session_name = "vouch";
  std::string external_id;
  std::string region = "us-east-1";
  Duration duration = Duration::hours(1);
};
std::unique_ptr<CredentialSource> assume_role(RoleToAssume role, CredentialSource& from, const Settings& settings, Transport& transport,
                                              Models& models);

}  // namespace vouch::wire
