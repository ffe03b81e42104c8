// wire/http_api.h - an HTTP API and what can be asked of it, as plain values. catalog/README.md describes the YAML that they are read from.
//
// REST and GraphQL alike. HttpDialect (wire/http_dialect.h) asks by them.
#pragma once

#include "wire/document.h"
#include "wire/member_path.h"
#include "wire/message.h"
#include "wire/url_template.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace vouch::wire {

// How one page leads to the next. Each style ends for a reason of its own, and none goes round in circles: a position that was asked
// before, or a page whose bytes came before, is malformed.
struct Paging {
  enum class Style {
    none,
    link,       // the Link header's rel="next", followed as it stands; ends without one
    next,       // a whole URL at `path`; ends when it is absent, null or ""
    cursor,     // a value at `path`, sent back as `as`; ends when it is absent, null or ""
    page,       // the number of the page, sent as `as`; ends at a page with fewer than `size` items (`size` 0: at an empty one)
    offset,     // the number of items so far, sent as `as`; ends likewise
    page_info,  // GraphQL: {hasNextPage, endCursor} at `path`, the cursor sent back as variable `as`
  };
  Style style = Style::none;
  MemberPath path = {};
  std::string as = {};     // a query parameter of a GET, a top-level member of a body, a GraphQL variable
  std::uint64_t from = 1;  // of page and offset: the first page's number. The first request says it too
  // The list of items. Needed by page, offset and totals; elsewhere it lets a 304 be trusted on the last page.
  MemberPath items = {};
  std::uint64_t size = 0;  // of a full page; 0: the number that the URL says as `per_page`, else unknown
  // How many items there are, as the API says it: in the answer, or in a header. Another count of items is a changed listing.
  std::optional<MemberPath> total = {};
  std::string total_header = {};
};

struct HttpOperation {
  std::string name = {};
  std::string method = "GET";  // or POST, for reads that an API makes by POST
  UrlTemplate url = {};        // "/orgs/{org}": behind the base; or absolute, on the base's own scheme, host and port
  Headers headers = {};        // beside those of the API
  Json body = nullptr;         // of a POST: see fill_body; null for none
  std::string graphql = {};    // a query: posted to HttpApi::graphql_url, the params being its variables; `url` and `body` are unused
  Paging paging = {};
  AnswerKind answer = AnswerKind::json;
};

// Names of headers by which an API tells its limits; empty where it does not.
struct LimitHeaders {
  std::string remaining = {};  // requests left
  // When there are more again: seconds since 1970; below 1e9 seconds from now; above 1e11 milliseconds since 1970; or RFC 3339.
  std::string reset = {};
  std::string resource = {};  // what the two above count: a name; without it all requests are counted together
};

struct HttpApi {
  std::string service = {};  // "github"
  std::string base = {};     // "https://api.github.com", "https://github.acme.example/api/v3"
  bool overridden = false;   // somebody configured it in place of the provider's own: answers are marked as simulated
  Headers headers = {};
  // Where queries go: "/graphql" stands behind the base like any URL; anything else is resolved against the base as a folder (RFC 3986), so
  // that "../graphql" is right for both bases above.
  std::string graphql_url = "/graphql";
  std::optional<MemberPath> error = {};  // of the text in an error's body, for people
  LimitHeaders limits = {};
  std::uint32_t in_flight = 8;
  std::map<std::string, HttpOperation, std::less<>> operations = {};
};

}  // namespace vouch::wire
