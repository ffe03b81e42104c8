// collect/source_http.h - an HTTP API as a source file describes it: where it is, how to sign in, how its calls and pages look.
//
// Format: catalog/README.md, "HTTP APIs". Plain values of the reader's (source.h); what asks is wire's (wire/http_api.h).
#pragma once

#include "base/json.h"
#include "collect/expression.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace vouch::collect {

// How the next page is found.
struct Paging {
  enum class Style {
    none,
    link,       // the Link header's rel=next
    next,       // `path`: a whole URL in the answer
    cursor,     // `path`: a value that is sent back as `as`
    page,       // `as` counts pages from `from`; a page with fewer than `size` of `path` is the last
    offset,     // `as` counts items likewise
    page_info,  // `path`: a GraphQL connection's pageInfo; its endCursor is sent back as the variable `as`
  } style = Style::none;
  Path path;
  std::string as;
  std::int64_t from = 0, size = 0;
};

// Where the API says how many items there are.
struct Total {
  Path path;           // of the answer; empty: a header
  std::string header;  // its name
  Path items;          // what is counted
};

struct HttpCall {
  enum class Method { get, post, graphql } method = Method::get;
  std::string url;    // below the API's base: "/orgs/{organisation}"; `{x}` is the param x
  std::string query;  // GraphQL's; params are its variables
  Json body;          // of `post`; a text that is `{x}` as a whole becomes the param x
  Paging paging;
  std::optional<Total> total;
  enum class Answer { json, csv, text } answer = Answer::json;
};

// One way to prove who we are. `kind` is a word of the format; what it needs besides the settings stands in `given`.
struct SignInWay {
  enum class Kind { none, bearer, basic, header, github_app, oauth_client, google_service_account } kind = Kind::none;
  std::string header, value;        // header: name, and its value with `{token}`
  std::string token_url;            // oauth client
  std::vector<std::string> scopes;  // oauth client, google service account
};

// The first call, and what of its answer says whose evidence this is.
struct WhoamiRule {
  std::string operation;                   // "github:organisation"; empty: nobody is asked
  std::variant<Path, Expression> account;  // of the answer, or `$settings.x`
  std::optional<Path> identity;            // of the answer
};

struct HttpApi {
  std::string base;  // "https://api.github.com", without a slash at its end
  std::vector<std::pair<std::string, std::string>> headers;
  std::vector<std::string> settings;  // what vouch.yaml must say
  std::vector<SignInWay> sign_in;
  WhoamiRule whoami;
  Paging paging;  // of operations that do not say theirs
  std::string graphql_url = "/graphql";
  std::string limit_remaining, limit_reset, limit_resource;  // names of headers; empty: none
  std::uint32_t in_flight = 8;
  std::optional<Path> error;  // of an error's body: its text
  std::string where;          // file:line
};

}  // namespace vouch::collect
