// wire/client.h - ask AWS: one operation at a time, many at once. Open this first.
//
//   Client client{models, settings, credentials, transport, clock};
//   client.call({"iam", "ListUsers", "us-east-1", params},
//               [](Page page) { … },          // each page as it arrives, also the answer that refuses us
//               [](const Outcome& outcome) { … });  // once, at the end
//   client.run();                             // returns when nothing is left to do; callbacks may call() more
//
// One client a set of credentials (an account). Nothing throws and call() never blocks; callbacks run inside run() or step(), on
// that thread. Nothing of a page is kept once its callback has returned.
//
// How it asks: at most `in_flight` requests at a time; one adaptive rate a service, which starts unlimited, falls when the service
// throttles and recovers; failures that may pass (throttling, 5xx, resets, cut-off bodies, time-outs) are retried with full jitter;
// Retry-After is honoured. Expired credentials are refreshed once, a wrong clock is corrected once, S3's region redirects are followed and
// remembered. A service that gives nothing but throttling, or no answer at all, for `patience` is given up: what waits for it ends at once
// with that outcome, and a probe every half minute finds out whether it is back.
#pragma once

#include "base/error.h"
#include "base/instant.h"
#include "base/json.h"
#include "wire/credentials.h"
#include "wire/endpoint.h"
#include "wire/http.h"
#include "wire/models.h"
#include "wire/parse.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace vouch::wire {

struct Call {
  std::string service;    // botocore's name: "s3"
  std::string operation;  // "ListBuckets"
  std::string region;     // asked and signed for; global services know better
  Json params = json::object();
};

struct Page {
  std::uint32_t number = 0;  // from 1
  Json params;               // the call's own, without page tokens
  Answer answer;             // as received
  Json value;                // parsed; an empty object when `error` is set
  std::optional<ServiceError> error;
};

// How a call ended. `heard` says it all: ok (every page is there), absent, denied, throttled or failed. expired and skewed only when they
// persisted after the one correction.
struct Outcome {
  Heard heard = Heard::failed;
  std::string code;            // the service's error code, or name_of(Errc) of what went wrong on our side; empty when ok
  std::string message;         // for people; empty when ok
  std::optional<Error> error;  // set when it was not the service that said so: unreachable, malformed, throttled at the deadline, usage …
  std::uint32_t pages = 0;     // that were handed over
  std::uint32_t requests = 0;  // that were sent, retries among them
  bool unmodelled_paging = false;  // the answer says there is more, and the model does not say how to ask for it: incomplete
  bool simulated = false;          // any answer came from a loopback or an overridden endpoint
  Instant started;                 // first request sent
  Instant ended;
};

struct ClientOptions {
  std::uint32_t in_flight = 32;
  std::uint32_t in_flight_per_service = 16;
  int attempts = 5;             // of one page, for failures
  int throttled_attempts = 10;  // of one page, for throttling
  Duration patience = Duration::seconds(60);
  Duration deadline = Duration::minutes(5);       // of one page, from its first request; waiting for its turn not counted
  Duration longest_wait = Duration::seconds(20);  // between attempts, whatever Retry-After says
  std::uint64_t seed = 0;                         // of the jitter; 0: from the system
};

struct Counters {
  std::uint64_t calls = 0, calls_done = 0;
  std::uint64_t requests = 0, retries = 0, throttled = 0, denied = 0, failed = 0;
  std::uint64_t bytes_received = 0;
  std::uint32_t in_flight = 0;
};

class Client {
 public:
  using CallId = std::uint64_t;
  using OnPage = std::function<void(Page)>;
  using OnDone = std::function<void(const Outcome&)>;

  // All outlive the client. `credentials` must not use `transport` (give a CredentialChain one of its own).
  Client(Models& models, const Settings& settings, CredentialSource& credentials, Transport& transport, const Clock& clock,
         ClientOptions options = {});
  ~Client();

  CallId call(Call call, OnPage on_page, OnDone on_done);
  void cancel(CallId id);  // neither callback is called any more
  void cancel_all();

  void step(Duration longest);  // one turn of the loop; for a progress bar between turns
  void run();                   // until idle
  [[nodiscard]] bool idle() const;

  [[nodiscard]] const Counters& counters() const;
  [[nodiscard]] bool simulated() const;  // any answer so far came from a loopback or an overridden endpoint

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vouch::wire
