// portal/delivery.h - what a webhook delivery of GitHub says of itself, and whether it is GitHub's. Pure.
//
// Spec: docs.github.com/webhooks, "Webhook events and payloads: Delivery headers" and "Validating webhook deliveries".
#pragma once

#include "portal/http_server.h"

namespace vouch::portal {

// GitHub delivers no larger payload.
inline constexpr std::size_t most_delivery_bytes = std::size_t{25} << 20;

// Whether `signature` (X-Hub-Signature-256: "sha256=" and 64 lower-case hexadecimal digits) is the HMAC-SHA-256 of `body` with `secret`.
// Takes the same time wherever the two differ. Never with an empty secret.
bool is_signed(std::string_view body, std::string_view signature, std::string_view secret);

struct Delivery {
  std::string event;  // X-GitHub-Event: "pull_request"
  std::string id;     // X-GitHub-Delivery, a GUID; that of a redelivery is the same
};

// Errc::malformed when a header is missing or no such word, Errc::unsupported when the body is not sent as JSON.
Result<Delivery> read_delivery(const HttpRequest& request);

}  // namespace vouch::portal
