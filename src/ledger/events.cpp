#include "ledger/events.h"

#include "base/json.h"
#include "ledger/evidence.h"

namespace vouch::evidence {

std::string write(const EventsLeaf& leaf) {
  json::object out{{"body", to_hex(leaf.body)}, {"delivery", json::string(leaf.delivery)}, {"event", json::string(leaf.event)},
                   {"kind", "events"},          {"received", to_string(leaf.received)},    {"received_body", to_hex(leaf.received_body)},
                   {"secrets", leaf.secrets},   {"source", json::string(leaf.source)},     {"v", 1}};
  return canonical(Json(std::move(out))).value_or(std::string());  // it holds no fraction, which alone could fail
}

Result<EventsLeaf> parse_events_leaf(std::string_view text) {
  if (text.size() > max_leaf_bytes)
    return fail(Errc::malformed, "{} bytes are more than the {} of such a leaf", text.size(), max_leaf_bytes);
  const auto value = TRY(parse_json(text, 4));
  if (TRY(require_integer(value, "v")) != 1) return fail(Errc::malformed, "not version 1");
  if (TRY(require_string(value, "kind")) != "events") return fail(Errc::malformed, "not an events leaf");
  EventsLeaf leaf;
  leaf.source = TRY(require_string(value, "source"));
  leaf.event = TRY(require_string(value, "event"));
  leaf.delivery = TRY(require_string(value, "delivery"));
  const auto received = TRY(require_string(value, "received"));
  leaf.received = TRY_WITHIN(parse_instant(received), "`received`");
  const auto body = TRY(require_string(value, "body")), as_received = TRY(require_string(value, "received_body"));
  leaf.body = TRY_WITHIN(parse_digest(body), "`body`");
  leaf.received_body = TRY_WITHIN(parse_digest(as_received), "`received_body`");
  const auto secrets = TRY(require_integer(value, "secrets"));
  if (secrets < 0) return fail(Errc::malformed, "`secrets` is out of range");
  leaf.secrets = static_cast<std::uint64_t>(secrets);
  if (write(leaf) != text) return fail(Errc::malformed, "not in canonical form, or with members that this version does not know");
  return leaf;
}

}  // namespace vouch::evidence
