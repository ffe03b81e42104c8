// wire/limits.h - what an API says about how much may still be asked, and until when nothing should be.
//
// Spec: docs.github.com, "Rate limits for the REST API" and "Rate limits and query limits for the GraphQL API"; Okta, Jira and others tell
// theirs in the same way under other names. A primary limit closes one resource until it is reset; being told to wait (Retry-After, a
// secondary limit) closes all of the API. Times are Transport::elapsed().
#pragma once

#include "base/json.h"
#include "wire/dialect.h"
#include "wire/http_api.h"

#include <map>
#include <string>

namespace vouch::wire {

class Limits {
 public:
  explicit Limits(const LimitHeaders& headers) : headers_(headers) {}  // outlives it

  struct When {
    Duration sent, now;  // of the request and of its answer
    Instant wall;        // our clock, for answers without a Date
  };

  // An answer to `operation`, whatever it says.
  void heard(const std::string& operation, const Answer& answer, const When& when);
  // `rateLimit {cost, remaining, resetAt}` in GraphQL's data, where the query asks for it.
  void heard_cost(const std::string& operation, const Json& rate_limit, const Answer& answer, const When& when);
  // This answer refuses us because of a limit. Where nothing says for how long, and the API has no limits of this kind, nothing is closed:
  // the client's own patience decides.
  void refused(const std::string& operation, const Answer& answer, const When& when);
  // An answer that is none: the next secondary limit begins with a minute again.
  void served(const When& when);

  [[nodiscard]] Closed closed(const std::string& operation, Duration now) const;

  // No requests are left, as this answer says.
  [[nodiscard]] bool is_exhausted(const Answer& answer) const;

 private:
  void close(const std::string& operation, std::string resource, Duration until);

  const LimitHeaders& headers_;
  std::map<std::string, std::string, std::less<>> resources_;  // by operation, as far as it is known
  std::map<std::string, Duration, std::less<>> until_;         // by resource
  Duration all_until_{};
  int streak_ = 0;  // of secondary limits
};

}  // namespace vouch::wire
