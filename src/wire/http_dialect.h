// wire/http_dialect.h - any HTTP API that is described by data (wire/http_api.h).
//
// What becomes of an answer:
//   2xx              the document; a 204 has none (null). 202 says "not yet": asked again
//   304              to our validator: the page is unchanged
//   301 302 307 308  of a GET: followed once a page, on the base's own scheme, host and port only; anything else fails with the status
//   401              the sign-in is renewed once; then denied
//   404, 410         absent: what that means, the caller's catalogue says
//   403, 451         denied, unless it is a limit:
//   429, or 403      with no requests remaining: a limit until its reset. With Retry-After: for that long. 429 with neither, where the API
//   tells
//                    its limits otherwise, and a 403 whose text speaks of a rate limit: a minute, twice that the next time, and so on
//   408, 5xx         failed, tried again
//   200 or 400 of GraphQL with `errors`: an error with the first one's type as code, whatever data came with it
// Codes are the status as text, or GraphQL's type. Where a limit says that nothing is left, nothing is sent until it ends.
//
// A token is never sent to another origin than the base's, nor over plain http to anything but this machine.
#pragma once

#include "wire/dialect.h"
#include "wire/http_api.h"
#include "wire/sign_in.h"

#include <memory>

namespace vouch::wire {

struct HttpService;  // what all calls of one API have in common

class HttpDialect final : public Dialect {
 public:
  // All outlive it; `sign_in` must not use the client's transport.
  HttpDialect(const HttpApi& api, SignIn& sign_in, const Clock& clock);
  ~HttpDialect() override;

  [[nodiscard]] Place place(const Call& call) const override;
  std::unique_ptr<Exchange> begin(const Call& call) override;

 private:
  std::unique_ptr<HttpService> service_;
};

}  // namespace vouch::wire
