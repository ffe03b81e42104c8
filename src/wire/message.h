// wire/message.h - what goes over the wire: a request, an answer, and the headers of both. Plain values.
#pragma once

#include "base/digest.h"
#include "base/error.h"
#include "base/instant.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vouch::wire {

// In the order in which they are sent or came. Names keep their case; they are compared without it.
using Headers = std::vector<std::pair<std::string, std::string>>;

// The first header of that name, else nullptr.
const std::string* find_header(const Headers& headers, std::string_view name);
void set_header(Headers& headers, std::string_view name, std::string value);  // replaces all of that name

// What an operation and its params become, before an endpoint is known.
struct Request {
  std::string method = "GET";
  std::string path = "/";  // percent-encoded, as sent
  std::string query;       // percent-encoded, without the `?`
  Headers headers;         // without Host, date and signature
  std::string body;
  std::string host_prefix;  // put in front of the endpoint's host: "123456789012."
};

// What is sent.
struct HttpRequest {
  std::string method = "GET";
  std::string url;  // absolute: http or https
  Headers headers;
  std::string body;
};

struct Answer {
  int status = 0;
  Headers headers;
  std::string body;  // as received; no content encoding is ever asked for

  std::string endpoint;                // scheme://host[:port] that answered
  std::optional<Instant> server_date;  // its Date header
  std::string request_id;              // x-amzn-requestid, x-amz-request-id or x-github-request-id; empty when there is none
  std::optional<Digest> certificate;   // SHA-256 of the TLS leaf certificate (DER); none over plain http
  bool simulated = false;              // a loopback address, or an endpoint that somebody configured in place of the provider's own
};

}  // namespace vouch::wire
