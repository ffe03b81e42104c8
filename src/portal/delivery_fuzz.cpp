// What strangers send: headers, a query, a body. Nothing is taken for signed that is not, and what is read as a leaf is written as it was
// read.
#include "base/digest.h"
#include "ledger/events.h"
#include "portal/delivery.h"
#include "portal/http_text.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vouch;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto first = text.substr(0, text.find('\n'));
  const auto rest = text.substr(std::min(text.size(), first.size() + 1));
  const bool right = first == "sha256=" + to_hex(hmac_sha256(bytes_of("secret"), bytes_of(rest)));
  if (portal::is_signed(rest, first, "secret") != right) std::abort();
  if (const auto query = portal::parse_query(text)) {
    std::string again;
    for (const auto& [name, value] : *query) again += portal::escape_query(name) + "=" + portal::escape_query(value) + "&";
    if (portal::parse_query(again).value() != *query) std::abort();
  }
  portal::HttpRequest request;
  request.headers = {
      {"content-type", "application/json"}, {"x-github-event", std::string(first)}, {"x-github-delivery", std::string(rest)}};
  if (const auto delivery = portal::read_delivery(request)) {
    const evidence::EventsLeaf leaf{.source = "github",
                                    .event = delivery->event,
                                    .delivery = delivery->id,
                                    .received = {0},
                                    .body = sha256(text),
                                    .received_body = sha256(text),
                                    .secrets = 0};
    if (evidence::parse_events_leaf(write(leaf)).value() != leaf) std::abort();
  }
  if (const auto leaf = evidence::parse_events_leaf(text); leaf && write(*leaf) != text) std::abort();
  return 0;
}
