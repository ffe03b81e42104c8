// portal/http_server.h - HTTP/1.1 on a TCP address and on a Unix socket, for a handful of routes.
//
// One thread runs it all. What strangers may send is bounded: the header, the body (by route), all bodies together, connections, and the
// time for each step. It speaks plain HTTP: TLS is a proxy's.
#pragma once

#include "base/error.h"
#include "base/file.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vouch::portal {

struct HttpRequest {
  std::string method, path;
  std::map<std::string, std::string> query;    // decoded; of one name the last
  std::map<std::string, std::string> headers;  // names in lower case; of one name the first
  std::string body;

  [[nodiscard]] std::string_view header(std::string_view name) const;  // empty when absent
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::uint32_t retry_after_seconds = 0;  // 0: no such header
};

// Called once, from any thread.
using Reply = std::function<void(HttpResponse)>;

struct Route {
  std::string method, path;  // "GET" answers HEAD too
  enum class Door { everywhere, socket };
  Door door = Door::everywhere;                    // socket: only for who may open the home's socket
  std::size_t body_bytes = 0;                      // the most that is taken
  std::function<void(HttpRequest, Reply)> answer;  // must not take long; whoever needs to, replies later
};

struct HttpLimits {
  std::size_t header_bytes = std::size_t{16} << 10;
  std::size_t bodies_bytes = std::size_t{128} << 20;  // of all requests under way
  std::size_t connections = 256;
  std::uint32_t idle_seconds = 60, header_seconds = 15, body_seconds = 60, write_seconds = 30;
};

class HttpServer {
 public:
  explicit HttpServer(std::vector<Route> routes, HttpLimits limits = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // "127.0.0.1:8430", "[::1]:0" (0: any free port). Returns what it listens on. Errc::usage for anything else, Errc::busy when the
  // address is taken, Errc::denied, Errc::io.
  Result<std::string> listen(std::string_view address);
  // Mode 0600. A file of that name is replaced: the caller holds the lock by which servers exclude each other.
  Result<> listen_locally(const fs::path& socket);

  // Called with each answer's status, on the server's thread.
  void observe(std::function<void(int status)> observer);

  // Serves until a SIGTERM, a SIGINT or stop() came; then `closing` is called on a thread of its own, to have whatever still owes a reply
  // give it, and run() returns when all that was being answered has been, or after some seconds. A second signal ends the process.
  void run(std::function<void()> closing);
  void stop();  // from any thread

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Whether an address as listen() takes it is reachable from this machine only.
bool is_loopback(std::string_view address);

// A socket's path as the system takes it, however long: at most 107 bytes fit. `directory` keeps it valid.
Result<std::string> socket_address(const fs::path& socket, Fd& directory);

}  // namespace vouch::portal
