#include "wire/url.h"

#include "wire/percent.h"

#include <algorithm>
#include <charconv>

namespace vouch::wire {
namespace {

bool is_url_text(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f' && c != '\\' && c != '"' && c != '<' && c != '>'; });
}

std::string lower(std::string_view text) {
  std::string out{text};
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

// An absolute URL in its parts; views of its text.
struct Parts {
  std::string_view scheme, authority, path, query;  // the query with its `?`
};

std::optional<Parts> split(std::string_view url) {
  url = url.substr(0, url.find('#'));
  const auto colon = url.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  Parts parts;
  parts.scheme = url.substr(0, colon);
  auto rest = url.substr(colon + 3);
  const auto end = std::min(rest.find_first_of("/?"), rest.size());
  parts.authority = rest.substr(0, end);
  rest.remove_prefix(end);
  const auto question = std::min(rest.find('?'), rest.size());
  parts.path = rest.substr(0, question);
  parts.query = rest.substr(question);
  return parts;
}

// Text that may stand in a message: short, and without control characters.
std::string shown(std::string_view url) {
  std::string out{url.substr(0, 200)};
  std::ranges::replace_if(out, [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

// RFC 3986, section 5.2.4.
std::string without_dots(std::string_view path) {
  std::vector<std::string_view> kept;
  bool ends_open = false;
  for (std::size_t at = 1; at <= path.size();) {
    const auto end = std::min(path.find('/', at), path.size());
    const auto segment = path.substr(at, end - at);
    ends_open = segment == "." || segment == "..";
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (segment != ".") {
      kept.push_back(segment);
    }
    at = end + 1;
  }
  std::string out;
  for (const auto segment : kept) out.append("/").append(segment);
  if (ends_open || out.empty()) out += '/';
  return out;
}

bool is_reference_scheme(std::string_view reference) {
  const auto colon = reference.find_first_of(":/?#");
  return colon != std::string_view::npos && colon > 0 && reference[colon] == ':';
}

}  // namespace

Result<std::string> origin_of_url(std::string_view url) {
  const auto parts = split(url);
  const auto wrong = [&](std::string_view why) { return fail(Errc::malformed, "`{}` {}", shown(url), why); };
  if (!parts || !is_url_text(url)) return wrong("is no URL");
  const auto scheme = lower(parts->scheme);
  if (scheme != "https" && scheme != "http") return wrong("is neither http nor https");
  if (parts->authority.find('@') != std::string_view::npos) return wrong("has a user name before its host");
  auto host = parts->authority;
  std::string_view port;
  const auto bracket = host.starts_with('[') ? host.find(']') : 0;
  if (bracket == std::string_view::npos) return wrong("is no URL");
  if (const auto colon = host.find(':', bracket); colon != std::string_view::npos) {
    port = host.substr(colon + 1);
    host = host.substr(0, colon);
  }
  if (host.empty()) return wrong("names no host");
  auto origin = scheme + "://" + lower(host);
  if (port.empty()) return origin;
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc{} || end != port.data() + port.size() || number == 0) return wrong("has no valid port");
  if (number != (scheme == "https" ? 443 : 80)) origin += fmt::format(":{}", number);
  return origin;
}

Result<std::string> resolve_url(std::string_view base, std::string_view reference) {
  reference = reference.substr(0, reference.find('#'));
  if (!is_url_text(reference)) return fail(Errc::malformed, "`{}` is no URL", shown(reference));
  std::string url;
  const auto parts = split(base);
  if (!parts) return fail(Errc::malformed, "`{}` is no URL", shown(base));
  const auto root = std::string{parts->scheme} + "://" + std::string{parts->authority};
  if (is_reference_scheme(reference)) {
    url = reference;
  } else if (reference.starts_with("//")) {
    url = std::string{parts->scheme} + ":" + std::string{reference};
  } else if (reference.empty()) {
    url = root + std::string{parts->path} + std::string{parts->query};
  } else if (reference.front() == '?') {
    url = root + std::string{parts->path} + std::string{reference};
  } else {
    const auto question = std::min(reference.find('?'), reference.size());
    std::string path{reference.substr(0, question)};
    if (reference.front() != '/') path = std::string{parts->path.substr(0, parts->path.rfind('/') + 1)} + path;
    if (!path.starts_with('/')) path.insert(0, "/");
    url = root + without_dots(path) + std::string{reference.substr(question)};
  }
  TRY(origin_of_url(url));
  return url;
}

std::string with_query(std::string_view url, std::string_view name, std::string_view value) {
  const auto key = percent_encode(name) + "=";
  const auto question = std::min(url.find('?'), url.size());
  std::string out{url.substr(0, question)};
  char separator = '?';
  bool set = false;
  for (std::size_t at = question + 1; at <= url.size();) {
    const auto end = std::min(url.find('&', at), url.size());
    const auto part = url.substr(at, end - at);
    at = end + 1;
    if (part.empty() || (set && part.starts_with(key))) continue;
    out += std::exchange(separator, '&');
    if (part.starts_with(key)) {
      out.append(key).append(percent_encode(value));
      set = true;
    } else {
      out += part;
    }
  }
  if (!set) out.append(1, separator).append(key).append(percent_encode(value));
  return out;
}

std::string_view query_value(std::string_view url, std::string_view name) {
  const auto question = url.find('?');
  if (question == std::string_view::npos) return {};
  for (std::size_t at = question + 1; at < url.size();) {
    const auto end = std::min(url.find('&', at), url.size());
    const auto part = url.substr(at, end - at);
    if (part.size() > name.size() && part.starts_with(name) && part[name.size()] == '=') return part.substr(name.size() + 1);
    at = end + 1;
  }
  return {};
}

std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

}  // namespace vouch::wire
