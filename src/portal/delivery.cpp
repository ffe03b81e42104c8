#include "portal/delivery.h"

#include "base/digest.h"
#include "portal/http_text.h"

#include <algorithm>

namespace vouch::portal {
namespace {

constexpr std::size_t longest_word = 64;

Result<std::string> read_word(const HttpRequest& request, std::string_view header) {
  const auto text = request.header(header);
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  if (text.empty() || text.size() > longest_word || !std::ranges::all_of(text, fits)) return fail(Errc::malformed, "no usable {}", header);
  return std::string(text);
}

}  // namespace

bool is_signed(std::string_view body, std::string_view signature, std::string_view secret) {
  constexpr std::string_view prefix = "sha256=";
  if (secret.empty() || !signature.starts_with(prefix)) return false;
  const auto said = parse_digest(signature.substr(prefix.size()));
  return said && equal_constant_time(said->bytes, hmac_sha256(bytes_of(secret), bytes_of(body)).bytes);
}

Result<Delivery> read_delivery(const HttpRequest& request) {
  const auto type = lower(request.header("content-type"));
  if (type != "application/json" && !type.starts_with("application/json;"))
    return fail(Errc::unsupported, "set the webhook's content type to application/json");
  Delivery delivery;
  delivery.event = TRY(read_word(request, "x-github-event"));
  delivery.id = TRY(read_word(request, "x-github-delivery"));
  return delivery;
}

}  // namespace vouch::portal
