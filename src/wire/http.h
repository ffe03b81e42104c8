// wire/http.h - HTTP without blocking: requests are submitted, a loop is stepped, answers come back.
//
// CurlTransport is the real one (libcurl's multi interface): HTTP/2 where TLS offers it, else 1.1; connections reused; TLS verified
// against AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE, SSL_CERT_FILE or the system's store; proxies only as the standard variables say. Redirects are
// not followed (a signature names its host). Not thread-safe: one thread steps a transport.
#pragma once

#include "base/error.h"
#include "base/instant.h"
#include "wire/message.h"

#include <cstdint>
#include <functional>
#include <memory>

namespace vouch::wire {

class Transport {
 public:
  using Id = std::uint64_t;
  // Errc::unreachable: refused, reset, timed out, TLS, cut off before its announced length. Errc::limit: longer than allowed.
  using Done = std::function<void(Result<Answer>)>;

  virtual ~Transport() = default;

  // Never calls `done` before it returns. `done` runs inside step(), exactly once, unless cancelled.
  virtual Id submit(HttpRequest request, Done done) = 0;
  virtual void cancel(Id id) = 0;

  // Moves bytes and runs callbacks; waits at most `longest` for something to happen. Callbacks may submit and cancel.
  virtual void step(Duration longest) = 0;

  // Time that has passed, never set back: what time-outs and waits are measured with. A scripted transport lets it pass in step().
  [[nodiscard]] virtual Duration elapsed() const = 0;

  // One request, waited for. Steps the loop, so not from inside a callback.
  Result<Answer> fetch(HttpRequest request);
};

struct HttpLimits {
  Duration connect = Duration::seconds(5);
  Duration idle = Duration::seconds(30);  // with fewer bytes than that: whole seconds
  long slowest_bytes_per_second = 64;
  Duration total = Duration::minutes(10);  // of one request
  std::uint64_t body_bytes = std::uint64_t{256} << 20;
  long connections_per_host = 32;
};

class CurlTransport final : public Transport {
 public:
  explicit CurlTransport(HttpLimits limits = {});
  ~CurlTransport() override;
  Id submit(HttpRequest request, Done done) override;
  void cancel(Id id) override;
  void step(Duration longest) override;
  [[nodiscard]] Duration elapsed() const override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// 127.0.0.0/8, ::1, localhost and names under it.
bool is_loopback(std::string_view host);

}  // namespace vouch::wire
