// wire/sign_in.h - who we are to an HTTP API.
//
// A sign-in adds what a request needs. Those that fetch tokens use a transport of their own, and wait for it; tokens are kept in memory,
// fetched anew before they expire and when the API calls them expired. No secret appears in an error.
#pragma once

#include "base/error.h"
#include "base/instant.h"
#include "wire/http.h"
#include "wire/message.h"
#include "wire/secret.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace vouch::wire {

class SignIn {
 public:
  virtual ~SignIn() = default;
  // Errc::config (the secret can't be read), Errc::denied (the token service refuses us), Errc::unreachable, Errc::malformed (its answer
  // is none), Errc::not_found (the app is not installed).
  virtual Result<> sign(HttpRequest& request, Instant now) = 0;
  // The API called the sign-in expired: the next sign() fetches it anew. False when that would be the same one again.
  virtual bool renew() = 0;
  [[nodiscard]] virtual bool is_anonymous() const { return false; }  // adds nothing that must be kept secret
};

std::unique_ptr<SignIn> no_sign_in();

// `value` says the header's: "Bearer {token}", "SSWS {token}".
std::unique_ptr<SignIn> header_sign_in(std::string header, std::string value, Secret token);
std::unique_ptr<SignIn> bearer_sign_in(Secret token);
std::unique_ptr<SignIn> basic_sign_in(std::string user, Secret password);  // RFC 7617

// An installation token of a GitHub App. Spec: docs.github.com, "Generating a JSON Web Token (JWT) for a GitHub App" and "Generating an
// installation access token for a GitHub App".
struct GithubApp {
  std::string base;          // of the API
  std::string id;            // the app's id or client id
  Secret key;                // PEM, RSA
  std::string organisation;  // whose installation; empty: the app's only one
  Headers headers;           // of the API (version, Accept)
};
std::unique_ptr<SignIn> github_app_sign_in(GithubApp app, Transport& transport);

// OAuth 2.0 client credentials (RFC 6749, section 4.4).
struct OauthClient {
  std::string token_url;
  std::string id;
  Secret secret;
  std::vector<std::string> scopes;
  bool secret_in_body = false;                                  // client_secret_post; else client_secret_basic
  std::vector<std::pair<std::string, std::string>> extra = {};  // further form fields: audience, resource
};
std::unique_ptr<SignIn> oauth_client_sign_in(OauthClient client, Transport& transport);

// A Google service account (RFC 7523). `key` is the JSON file that Google hands out: client_email, private_key, token_uri.
struct GoogleServiceAccount {
  Secret key;
  std::string subject;  // the person in whose name it acts (domain-wide delegation); empty: itself
  std::vector<std::string> scopes;
};
std::unique_ptr<SignIn> google_sign_in(GoogleServiceAccount account, Transport& transport);

}  // namespace vouch::wire
