#include "wire/sigv4.h"

#include "base/digest.h"
#include "wire/percent.h"
#include "wire/timestamp.h"

#include <map>

namespace vouch::wire {
namespace {

struct Url {
  std::string_view scheme, authority, path, query;
};

Url split(std::string_view url) {
  Url out;
  const auto scheme = url.find("://");
  out.scheme = url.substr(0, scheme);
  auto rest = url.substr(scheme == std::string_view::npos ? 0 : scheme + 3);
  const auto path = rest.find_first_of("/?");
  out.authority = rest.substr(0, path);
  rest = path == std::string_view::npos ? std::string_view{} : rest.substr(path);
  const auto question = rest.find('?');
  out.path = rest.substr(0, question);
  if (question != std::string_view::npos) out.query = rest.substr(question + 1);
  return out;
}

std::string host_header(const Url& url) {
  std::string host{url.authority};
  if (url.scheme == "https" && host.ends_with(":443")) host.resize(host.size() - 4);
  if (url.scheme == "http" && host.ends_with(":80")) host.resize(host.size() - 3);
  return host;
}

// Dot segments and doubled slashes removed (RFC 3986 5.2.4), as every service but S3 does.
std::string normalised(std::string_view path) {
  std::vector<std::string_view> kept;
  std::size_t at = 0;
  while (at < path.size()) {
    const auto slash = std::min(path.find('/', at), path.size());
    const auto segment = path.substr(at, slash - at);
    at = slash + 1;
    if (segment.empty() || segment == ".") continue;
    if (segment != "..")
      kept.push_back(segment);
    else if (!kept.empty())
      kept.pop_back();
  }
  std::string out;
  for (const auto segment : kept) out.append("/").append(segment);
  if (path.ends_with('/') && !kept.empty()) out += '/';
  return out.empty() ? "/" : out;
}

std::string canonical_query(std::string_view query) {
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  while (!query.empty()) {
    const auto ampersand = query.find('&');
    const auto pair = query.substr(0, ampersand);
    const auto equals = pair.find('=');
    if (!pair.empty())
      pairs.emplace_back(pair.substr(0, equals), equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1));
    query = ampersand == std::string_view::npos ? std::string_view{} : query.substr(ampersand + 1);
  }
  std::ranges::sort(pairs);
  std::string out;
  for (const auto& [name, value] : pairs) {
    if (!out.empty()) out += '&';
    out.append(name).append("=").append(value);
  }
  return out;
}

std::string collapsed(std::string_view value) {
  std::string out;
  bool blank = false;
  for (const char c : value) {
    if (c == ' ' || c == '\t') {
      blank = true;
      continue;
    }
    if (blank && !out.empty()) out += ' ';
    blank = false;
    out += c;
  }
  return out;
}

constexpr std::array<std::string_view, 15> kUnsigned{
    "authorization",     "connection", "expect",     "keep-alive",      "proxy-authenticate", "proxy-authorization", "te",     "trailer",
    "transfer-encoding", "upgrade",    "user-agent", "x-amzn-trace-id", "traceparent",        "tracestate",          "baggage"};

std::map<std::string, std::string> signed_headers(const HttpRequest& request) {
  std::map<std::string, std::string> headers;
  for (const auto& [name, value] : request.headers) {
    std::string lower;
    for (const char c : name) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (std::find(kUnsigned.begin(), kUnsigned.end(), lower) != kUnsigned.end()) continue;
    auto& slot = headers[lower];
    slot += (slot.empty() ? "" : ",") + collapsed(value);
  }
  headers.emplace("host", host_header(split(request.url)));
  return headers;
}

std::string names_of(const std::map<std::string, std::string>& headers) {
  std::string names;
  for (const auto& [name, value] : headers) names.append(names.empty() ? "" : ";").append(name);
  return names;
}

Digest keyed(const Digest& key, std::string_view text) { return hmac_sha256(ByteView{key.bytes}, bytes_of(text)); }

}  // namespace

std::string canonical_request(const HttpRequest& request, const SigningScope& scope) {
  const auto url = split(request.url);
  const auto headers = signed_headers(request);
  std::string path{url.path.empty() ? "/" : url.path};
  if (scope.encode_path) path = percent_encode(normalised(path), "/");
  auto out = fmt::format("{}\n{}\n{}\n", request.method, path, canonical_query(url.query));
  for (const auto& [name, value] : headers) out += fmt::format("{}:{}\n", name, value);
  const auto* given = find_header(request.headers, "x-amz-content-sha256");
  out += fmt::format("\n{}\n{}", names_of(headers), given ? *given : to_hex(sha256(request.body)));
  return out;
}

void sign(HttpRequest& request, const Credentials& credentials, const SigningScope& scope, Instant at) {
  const auto date = to_sigv4_date(at);
  const auto day = std::string_view{date}.substr(0, 8);
  set_header(request.headers, "X-Amz-Date", date);
  if (!credentials.session_token.empty()) set_header(request.headers, "X-Amz-Security-Token", credentials.session_token);
  if (scope.content_sha256) set_header(request.headers, "X-Amz-Content-SHA256", to_hex(sha256(request.body)));

  const auto credential_scope = fmt::format("{}/{}/{}/aws4_request", day, scope.region, scope.service);
  const auto to_sign =
      fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", date, credential_scope, to_hex(sha256(canonical_request(request, scope))));
  auto key = hmac_sha256(bytes_of("AWS4" + credentials.secret_access_key), bytes_of(day));
  for (const std::string_view part : {std::string_view{scope.region}, std::string_view{scope.service}, std::string_view{"aws4_request"}})
    key = keyed(key, part);
  set_header(request.headers, "Authorization",
             fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}", credentials.access_key_id, credential_scope,
                         names_of(signed_headers(request)), to_hex(keyed(key, to_sign))));
}

}  // namespace vouch::wire
