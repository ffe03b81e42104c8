// wire/client.h - ask an API: one operation at a time, many at once. Open this first.
//
//   AwsDialect aws{models, settings, credentials, clock};     // or HttpDialect github{api, sign_in, clock};
//   Client client{aws, transport, clock};
//   client.call({"iam", "ListUsers", "us-east-1", params},
//               [](Page page) { … },          // each page as it arrives, also the answer that refuses us
//               [](const Outcome& outcome) { … });  // once, at the end
//   client.run();                             // returns when nothing is left to do; callbacks may call() more
//
// One client a sign-in (an account). Nothing throws and call() never blocks; callbacks run inside run() or step(), on that thread.
// Nothing of a page is kept once its callback has returned.
//
// How it asks: at most `in_flight` requests at a time; one adaptive rate a service, which starts unlimited, falls when the service
// throttles and recovers; failures that may pass (throttling, 5xx, resets, cut-off bodies, time-outs) are retried with full jitter;
// Retry-After is honoured. What the dialect can set right (an expired sign-in, a wrong clock, a moved address) is set right once a page.
// A service that gives nothing but throttling, or no answer at all, for `patience` is given up: what waits for it ends at once
// with that outcome, and a probe every half minute finds out whether it is back. A stated limit (GitHub's requests an hour) is no failure:
// what it holds up waits until the limit ends, or, where that is further away than `longest_limit_wait`, ends as throttled.
#pragma once

#include "base/error.h"
#include "base/instant.h"
#include "base/json.h"
#include "wire/dialect.h"
#include "wire/http.h"
#include "wire/parse.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace vouch::wire {

struct Page {
  std::uint32_t number = 0;  // from 1
  // A listing that turned out to change while it was read is read again, once, from page 1 on: pages of reading 2 take the place of
  // all that came before.
  std::uint32_t reading = 1;
  Json params;    // the call's own, without page tokens
  Answer answer;  // as received
  Json value;     // parsed; an empty object when `error` is set, null when `unchanged`
  std::optional<ServiceError> error = {};
  bool unchanged = false;                   // it is the page that Call::known remembers; no body
  std::optional<Validator> validator = {};  // to be remembered for the next run; none when the API gives none
  std::optional<std::uint64_t> total = {};  // of the last page: so many items there are, the API says, and so many came
};

// How a call ended. `heard` says it all: ok (every page is there), absent, denied, throttled or failed. expired and skewed only when they
// persisted after the one correction.
struct Outcome {
  Heard heard = Heard::failed;
  // The service's error code, or name_of(Errc) of what went wrong on our side, or "ListingChanged": another number of items came than the
  // service says there are, twice. Empty when ok.
  std::string code;
  std::string message;         // for people; empty when ok
  std::optional<Error> error;  // set when it was not the service that said so: unreachable, malformed, throttled at the deadline, usage …
  std::uint32_t pages = 0;     // that were handed over, of the last reading
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
  Duration deadline = Duration::minutes(5);             // of one page, from its first request; waiting for its turn not counted
  Duration longest_wait = Duration::seconds(20);        // between attempts, whatever Retry-After says
  Duration longest_limit_wait = Duration::minutes(15);  // for a stated limit to end; counts neither as a failure nor for `deadline`
  std::uint64_t seed = 0;                               // of the jitter; 0: from the system
};

struct Counters {
  std::uint64_t calls = 0, calls_done = 0;
  std::uint64_t requests = 0, retries = 0, throttled = 0, denied = 0, failed = 0;
  std::uint64_t unchanged = 0;  // pages that cost no body
  std::uint64_t bytes_received = 0;
  std::uint32_t in_flight = 0;
};

class Client {
 public:
  using CallId = std::uint64_t;
  using OnPage = std::function<void(Page)>;
  using OnDone = std::function<void(const Outcome&)>;

  // All outlive the client. Whatever signs the dialect's requests in must not use `transport`.
  Client(Dialect& dialect, Transport& transport, const Clock& clock, ClientOptions options = {});
  ~Client();

  CallId call(Call call, OnPage on_page, OnDone on_done);
  void cancel(CallId id);  // neither callback is called any more
  void cancel_all();
  // No further page is asked for, and the outcome is ok: what the caller wanted of the listing has come.
  void stop(CallId id);

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
