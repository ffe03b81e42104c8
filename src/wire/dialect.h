// wire/dialect.h - what an API is like, apart from the asking: how its requests are written and its answers read.
//
// The client (wire/client.h) owns queues, rates, retries and time; a dialect owns everything that only its API knows. There are two:
// AwsDialect (wire/aws_dialect.h, botocore's models) and HttpDialect (wire/http_dialect.h, any HTTP API that is described by data).
// All of it runs on the client's thread. Times are Transport::elapsed().
#pragma once

#include "base/error.h"
#include "base/instant.h"
#include "base/json.h"
#include "wire/message.h"
#include "wire/parse.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace vouch::wire {

// What is remembered of one page, so that the next run need not read it again while it has not changed. Plain values, to be stored.
struct Validator {
  std::string etag = {};                    // as received, sent as If-None-Match; empty when there was none
  std::string last_modified = {};           // sent as If-Modified-Since where there is no ETag
  std::string next = {};                    // where the next page is (a link, a cursor, a number); empty: it was the last
  std::optional<std::uint64_t> items = {};  // how many it listed, where that is known
  std::uint64_t asked = 0;                  // hash of the request's URL: a validator counts for the same one only

  friend bool operator==(const Validator&, const Validator&) = default;
};

struct Call {
  std::string service;    // botocore's name, "s3"; or the name of an HTTP API, "github"
  std::string operation;  // "ListBuckets", "branch_protection"
  std::string region;     // AWS: asked and signed for; global services know better. Elsewhere empty
  Json params = json::object();
  // What the run before remembers of a page (numbers count from 1). A page that is the same still comes back as Page::unchanged.
  std::function<std::optional<Validator>(std::uint32_t page)> known = {};
};

// Where a call stands in the queues.
struct Place {
  std::string queue;            // calls that wait for the same thing
  std::string host;             // what is up or down as one, and is given up as one
  std::string throughput;       // whose rate and requests in flight are counted together
  std::uint32_t in_flight = 0;  // most of that throughput; 0: ClientOptions::in_flight_per_service
};

// What an answer says.
struct Understood {
  Json value = nullptr;                    // of a success
  std::optional<ServiceError> error = {};  // set for error answers
  bool transient = false;                  // an error that may be another answer next time
  bool unchanged = false;                  // the page is the one that our validator names; no value
  std::optional<Duration> wait = {};       // before it is asked again, at least
};

// What follows a page.
struct Turn {
  enum class To {
    end,         // it was the last
    next_page,   // the exchange now stands there
    first_page,  // the listing changed while it was read: it is read again, and what came of it so far does not count
    changed,     // so it did the second time
  };
  To to = To::end;
  bool unmodelled = false;  // the answer says that there is more, and nothing says how to ask for it
  std::optional<Validator> validator = {};
  std::optional<std::uint64_t> total = {};  // at the end, where the API says a total: it does, and as many came
};

// A limit of the API that has been reached: until then nothing of the kind should be asked. Zero when there is none.
struct Closed {
  Duration wait{};
  std::string why = {};  // "no requests left (core)"
};

// One call in progress. Asked in this order, page by page: prepare, understand, then either correct or turn.
class Exchange {
 public:
  virtual ~Exchange() = default;

  // The request of the present page, as of now: signatures and tokens age, so each attempt has its own. `known` may be nullptr.
  virtual Result<HttpRequest> prepare(const Validator* known, Duration now) = 0;

  // Errc::malformed for what is no answer of this API: HTML, garbage, a text that was cut off. It is never an empty answer.
  virtual Result<Understood> understand(const Answer& answer, Duration now) = 0;

  // Sets right what can be set right (an expired sign-in, a wrong clock, a moved address); true when the page should be asked again
  // at once. Each kind is tried once a page. What could not be set right may get its final class here (expired for good: denied).
  virtual bool correct(const Answer& answer, ServiceError& error) = 0;

  // Errc::malformed for pages that lead nowhere: a page that comes again, a link back or to another host.
  virtual Result<Turn> turn(const Answer& answer, const Understood& understood) = 0;

  [[nodiscard]] virtual Closed closed(Duration now) const = 0;
  [[nodiscard]] virtual bool overridden() const = 0;  // the last request went to an endpoint that somebody configured
};

class Dialect {
 public:
  virtual ~Dialect() = default;
  [[nodiscard]] virtual Place place(const Call& call) const = 0;
  virtual std::unique_ptr<Exchange> begin(const Call& call) = 0;  // both outlive the exchange
};

}  // namespace vouch::wire
