// collect/source_http.h - an HTTP API as a source file describes it: what wire asks by, and what only collecting wants to know.
//
// Format: catalog/README.md, "HTTP APIs". Plain values of the reader's (source.h).
#pragma once

#include "collect/expression.h"
#include "wire/http_api.h"

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace vouch::collect {

// One way to prove who we are. What it needs besides stands in vouch.yaml.
struct SignInWay {
  enum class Kind { none, bearer, basic, header, github_app, oauth_client, google_service_account } kind = Kind::none;
  std::string header, value;        // header: its name, and its value with `{token}`
  std::string token_url;            // oauth client; may have places for settings, as `base` has
  std::vector<std::string> scopes;  // oauth client, google service account
};

// The first call, and what of its answer says whose evidence this is.
struct WhoamiRule {
  std::string operation;                   // "github:organisation"; empty: nobody is asked
  std::variant<Path, Expression> account;  // of the answer, or `$settings.x`
  std::optional<Path> identity;            // of the answer
};

struct HttpSource {
  wire::HttpApi api;                                         // its operations are those of the source, by SourceOperation::http->name
                                                             // `base` may have places for settings: fill_base
  std::vector<std::string> settings;                         // what vouch.yaml says
  std::map<std::string, std::string, std::less<>> defaults;  // of settings that vouch.yaml need not say
  std::vector<SignInWay> sign_in;                            // the first one counts whose settings are there
  WhoamiRule whoami;
  wire::Paging paging;  // of operations that do not say theirs
  std::string where;    // file:line

  // Its operations are CSV files of this machine (wire/file_dialect.h), and `api` is unused but for its service.
  [[nodiscard]] bool is_files() const { return api.base == "file:"; }
};

// "https://{domain}": where every customer has a host of his own. Errc::config when a setting is no part of a host's name: a slash, `@` or
// `#` in it would send the sign-in elsewhere.
Result<std::string> fill_base(std::string_view base, const Json& settings);

}  // namespace vouch::collect
