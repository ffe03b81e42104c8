// ledger/events.h - the leaf of what a provider told by itself: one webhook delivery.
//
// Spec: docs/evidence.md, "Events leaf". It has one spelling, canonical JSON (RFC 8785), and is read back strictly, like the documents of
// ledger/evidence.h. Plain values.
#pragma once

#include "base/digest.h"
#include "base/instant.h"

#include <string>
#include <string_view>

namespace vouch::evidence {

struct EventsLeaf {
  std::string source;    // "github"
  std::string event;     // as the provider calls it: "pull_request"
  std::string delivery;  // the provider's id of the delivery
  Instant received;
  Digest body;                // as kept, secrets hashed at the door; the blob's name
  Digest received_body;       // as received; the same where nothing was hashed
  std::uint64_t secrets = 0;  // texts of the body that were replaced by a keyed hash
  friend bool operator==(const EventsLeaf&, const EventsLeaf&) = default;
};

std::string write(const EventsLeaf& leaf);
Result<EventsLeaf> parse_events_leaf(std::string_view text);

}  // namespace vouch::evidence
