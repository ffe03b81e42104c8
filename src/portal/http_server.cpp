#include "portal/http_server.h"

#include "base/json.h"
#include "portal/http_text.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <csignal>
#include <optional>
#include <set>
#include <thread>

namespace vouch::portal {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using ErrorCode = boost::system::error_code;
using Tcp = asio::ip::tcp;
using Local = asio::local::stream_protocol;
using Stream = beast::basic_stream<asio::generic::stream_protocol, asio::any_io_executor>;

constexpr auto await = asio::as_tuple(asio::use_awaitable);
constexpr auto longest_goodbye = std::chrono::seconds(10);

// A connection, as far as others may touch it: one that only waits for its next request is closed when the server ends.
struct Connection {
  bool answering = false;
  std::function<void()> close;
};

// What all connections share. Lives on the server's thread.
struct Shared {
  std::vector<Route> routes;
  HttpLimits limits;
  std::function<void(int)> observer;
  std::set<Connection*> connections;
  std::size_t bodies_bytes = 0;
  bool closing = false;
};

class Registered {
 public:
  Registered(Shared& shared, Connection& connection) : shared_(shared), connection_(connection) {
    shared_.connections.insert(&connection_);
  }
  ~Registered() { shared_.connections.erase(&connection_); }
  Registered(const Registered&) = delete;
  Registered& operator=(const Registered&) = delete;

 private:
  Shared& shared_;
  Connection& connection_;
};

// Room for a body among those of all requests; given back at the end.
class BodyRoom {
 public:
  explicit BodyRoom(Shared& shared) : shared_(shared) {}
  ~BodyRoom() { shared_.bodies_bytes -= bytes_; }
  BodyRoom(const BodyRoom&) = delete;
  BodyRoom& operator=(const BodyRoom&) = delete;
  bool take(std::size_t bytes) {
    if (shared_.bodies_bytes + bytes > shared_.limits.bodies_bytes) return false;
    shared_.bodies_bytes += bytes;
    bytes_ += bytes;
    return true;
  }

 private:
  Shared& shared_;
  std::size_t bytes_ = 0;
};

using Parser = http::request_parser<http::string_body>;

std::string_view view(boost::core::string_view text) { return {text.data(), text.size()}; }

HttpResponse refusal(int status, std::string_view why) {
  return {.status = status, .content_type = "application/json", .body = json::serialize(json::object{{"error", why}}) + "\n"};
}

// The route of a request, or why there is none.
struct Chosen {
  const Route* route = nullptr;
  HttpResponse refused;
};

Chosen choose(const Shared& shared, std::string_view method, std::string_view path, Route::Door door) {
  bool other_method = false;
  for (const auto& route : shared.routes) {
    if (route.path != path || (route.door == Route::Door::socket && door != Route::Door::socket)) continue;
    if (route.method == method || (route.method == "GET" && method == "HEAD")) return {&route, {}};
    other_method = true;
  }
  if (other_method) return {nullptr, refusal(405, "this path takes another method")};
  return {nullptr, refusal(404, "there is nothing here")};
}

// Why a body is not read; nothing when it may be.
std::optional<HttpResponse> refuse_body(const Parser& parser, const Route& route, BodyRoom& room) {
  const auto length = parser.content_length();
  if (!length) {
    if (parser.chunked()) return refusal(411, "say the length of the body");
    return std::nullopt;
  }
  if (*length > route.body_bytes) return refusal(413, "the body is too large");
  if (room.take(*length)) return std::nullopt;
  auto busy = refusal(503, "too much is being read at once");
  busy.retry_after_seconds = 5;
  return busy;
}

HttpRequest request_of(Parser& parser, std::string path, std::map<std::string, std::string> query) {
  auto message = parser.release();
  HttpRequest request;
  request.method = view(message.method_string());
  request.path = std::move(path);
  request.query = std::move(query);
  for (const auto& field : message) request.headers.emplace(lower(view(field.name_string())), view(field.value()));
  request.body = std::move(message.body());
  return request;
}

// Hands the request to its route and waits for the reply, whichever thread gives it.
asio::awaitable<HttpResponse> ask(const Route& route, HttpRequest request) {
  const auto executor = co_await asio::this_coro::executor;
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(HttpResponse)>(
      [&route, executor](auto handler, HttpRequest asked) {
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        // Until it is called the server has work to do, and does not end.
        auto work = std::make_shared<asio::executor_work_guard<asio::any_io_executor>>(executor);
        route.answer(std::move(asked), [shared, work, executor](HttpResponse response) {
          asio::post(executor, [shared, work, answer = std::move(response)]() mutable { std::move (*shared)(std::move(answer)); });
        });
      },
      asio::use_awaitable, std::move(request));
}

http::response<http::string_body> message_of(HttpResponse response, unsigned version, bool keep_alive, bool head) {
  http::response<http::string_body> message{static_cast<http::status>(response.status), version};
  message.set(http::field::server, "vouch");
  message.set(http::field::content_type, response.content_type);
  message.set(http::field::cache_control, "no-store");
  message.set("X-Content-Type-Options", "nosniff");
  if (response.retry_after_seconds > 0) message.set(http::field::retry_after, std::to_string(response.retry_after_seconds));
  message.keep_alive(keep_alive);
  const auto length = response.body.size();
  if (!head) message.body() = std::move(response.body);
  message.content_length(length);
  return message;
}

class Session {
 public:
  Session(Shared& shared, Stream stream, Route::Door door) : shared_(shared), stream_(std::move(stream)), door_(door) {
    connection_.close = [this] {
      ErrorCode ignored;
      stream_.socket().close(ignored);
    };
  }

  asio::awaitable<void> serve() {
    const Registered registered{shared_, connection_};
    while (!shared_.closing) {
      Parser parser;
      parser.header_limit(static_cast<std::uint32_t>(shared_.limits.header_bytes));
      parser.body_limit(boost::none);  // until the header told the route, which has its own
      if (!co_await read_header(parser)) break;
      connection_.answering = true;
      const bool again = co_await answer(parser);
      connection_.answering = false;
      if (!again) break;
    }
    co_await part();
  }

 private:
  // Reads on for a moment: closing on what was never read would take our last answer away from whoever is still sending.
  asio::awaitable<void> part() {
    ErrorCode error;
    stream_.socket().shutdown(asio::socket_base::shutdown_send, error);
    if (error) co_return;
    expire_after(2);
    std::size_t most = std::size_t{1} << 20;
    while (most > 0) {
      buffer_.clear();
      const auto [ended, some] = co_await stream_.async_read_some(buffer_.prepare(std::min<std::size_t>(most, 65536)), await);
      if (ended) co_return;
      most -= some;
    }
  }

  void expire_after(std::uint32_t seconds) { stream_.expires_after(std::chrono::seconds(seconds)); }

  asio::awaitable<bool> read_header(Parser& parser) {
    if (buffer_.size() == 0) {  // the next request may take its time to begin, and not to go on
      expire_after(shared_.limits.idle_seconds);
      const auto [waited, some] = co_await stream_.async_read_some(buffer_.prepare(4096), await);
      if (waited) co_return false;
      buffer_.commit(some);
    }
    expire_after(shared_.limits.header_seconds);
    const auto [error, size] = co_await http::async_read_header(stream_, buffer_, parser, await);
    if (!error) co_return true;
    if (error == http::error::header_limit)
      co_await send(refusal(431, "the header is too large"), false, false, 11);
    else if (error.category() == http::make_error_code(http::error::bad_method).category() && error != http::error::end_of_stream)
      co_await send(refusal(400, "this is no HTTP request"), false, false, 11);
    co_return false;
  }

  asio::awaitable<bool> answer(Parser& parser) {
    const auto& head = parser.get();
    const auto version = head.version();
    const bool is_head = head.method() == http::verb::head;
    const auto target = view(head.target());
    auto path = std::string(target.substr(0, target.find('?')));
    auto query = parse_query(target.size() > path.size() ? target.substr(path.size() + 1) : "");
    if (!query) co_return co_await send(refusal(400, "the query is malformed"), false, is_head, version);
    const auto chosen = choose(shared_, view(head.method_string()), path, door_);
    if (!chosen.route) co_return co_await send(chosen.refused, false, is_head, version);
    BodyRoom room{shared_};
    if (auto refused = refuse_body(parser, *chosen.route, room)) co_return co_await send(std::move(*refused), false, is_head, version);
    parser.body_limit(std::uint64_t{chosen.route->body_bytes});
    expire_after(shared_.limits.body_seconds);
    if (lower(view(head[http::field::expect])) == "100-continue") {
      http::response<http::empty_body> go_on{http::status::continue_, version};
      const auto [error, size] = co_await http::async_write(stream_, go_on, await);
      if (error) co_return false;
    }
    const auto [error, size] = co_await http::async_read(stream_, buffer_, parser, await);
    if (error) co_return false;
    const bool keep_alive = parser.keep_alive();
    stream_.expires_never();
    auto response = co_await ask(*chosen.route, request_of(parser, std::move(path), std::move(*query)));
    co_return co_await send(std::move(response), keep_alive, is_head, version);
  }

  // Whether the connection may be used again.
  asio::awaitable<bool> send(HttpResponse response, bool keep_alive, bool is_head, unsigned version) {
    if (shared_.observer) shared_.observer(response.status);
    keep_alive = keep_alive && !shared_.closing;
    auto message = message_of(std::move(response), version, keep_alive, is_head);
    expire_after(shared_.limits.write_seconds);
    const auto [error, size] = co_await http::async_write(stream_, message, await);
    co_return !error && keep_alive;
  }

  Shared& shared_;
  Stream stream_;
  const Route::Door door_;
  beast::flat_buffer buffer_;
  Connection connection_;
};

asio::awaitable<void> converse(Shared& shared, asio::generic::stream_protocol::socket socket, Route::Door door) {
  Session session{shared, Stream{std::move(socket)}, door};
  co_await session.serve();
}

template <class Protocol>
asio::awaitable<void> accept_all(Shared& shared, asio::basic_socket_acceptor<Protocol>& acceptor, Route::Door door) {
  const auto executor = co_await asio::this_coro::executor;
  while (acceptor.is_open()) {
    auto [error, socket] = co_await acceptor.async_accept(await);
    if (!acceptor.is_open()) break;
    if (error || shared.connections.size() >= shared.limits.connections) {
      // Out of descriptors, or too many guests: they wait in the system's queue, and we for a moment.
      asio::steady_timer pause{executor, std::chrono::milliseconds(error ? 100 : 10)};
      co_await pause.async_wait(await);
      continue;
    }
    asio::co_spawn(executor, converse(shared, asio::generic::stream_protocol::socket{std::move(socket)}, door), asio::detached);
  }
}

struct Address {
  std::string host, port;
};

std::optional<Address> parse_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  Address address{std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
  if (address.host.starts_with('[') && address.host.ends_with(']')) address.host = address.host.substr(1, address.host.size() - 2);
  if (address.port.empty() || address.port.size() > 5 || address.port.find_first_not_of("0123456789") != std::string::npos ||
      std::stoi(address.port) > 65535)
    return std::nullopt;
  return address;
}

}  // namespace

struct HttpServer::State {
  Shared shared;  // before `io`: connections that never ended are destroyed with that
  asio::io_context io{1};
  std::vector<std::unique_ptr<Tcp::acceptor>> tcp;
  std::unique_ptr<Local::acceptor> local;
  fs::path socket;
  asio::signal_set signals{io};
  std::thread closer;
  std::function<void()> closing;
  std::atomic<bool> closed = false;

  void close();
};

HttpServer::HttpServer(std::vector<Route> routes, HttpLimits limits) : state_(std::make_unique<State>()) {
  state_->shared.routes = std::move(routes);
  state_->shared.limits = limits;
}

HttpServer::~HttpServer() {
  if (state_->closer.joinable()) state_->closer.join();
}

void HttpServer::observe(std::function<void(int)> observer) { state_->shared.observer = std::move(observer); }

Result<std::string> HttpServer::listen(std::string_view text) {
  const auto said = parse_address(text);
  if (!said) return fail(Errc::usage, "`{}` is no address: say ADDRESS:PORT, like 127.0.0.1:8430 or [::1]:8430", text);
  ErrorCode error;
  const auto address = asio::ip::make_address(said->host == "localhost" ? "127.0.0.1" : said->host, error);
  if (error) return fail(Errc::usage, "`{}` is no IP address", said->host);
  const Tcp::endpoint endpoint{address, static_cast<std::uint16_t>(std::stoi(said->port))};
  auto acceptor = std::make_unique<Tcp::acceptor>(state_->io);
  acceptor->open(endpoint.protocol(), error);
  if (!error) acceptor->set_option(asio::socket_base::reuse_address{true}, error);
  if (!error) acceptor->bind(endpoint, error);
  if (!error) acceptor->listen(asio::socket_base::max_listen_connections, error);
  if (error == asio::error::address_in_use) return fail(Errc::busy, "`{}` is taken by another program", text);
  if (error == asio::error::access_denied) return fail(Errc::denied, "`{}`: {}", text, error.message());
  if (error) return fail(Errc::io, "cannot listen on `{}`: {}", text, error.message());
  const auto bound = acceptor->local_endpoint(error);
  state_->tcp.push_back(std::move(acceptor));
  const auto host = bound.address().is_v6() ? "[" + bound.address().to_string() + "]" : bound.address().to_string();
  return fmt::format("{}:{}", host, bound.port());
}

Result<> HttpServer::listen_locally(const fs::path& socket) {
  Fd directory;
  const auto address = TRY(socket_address(socket, directory));
  ::unlink(socket.c_str());
  ErrorCode error;
  auto acceptor = std::make_unique<Local::acceptor>(state_->io);
  acceptor->open(Local{}, error);
  const auto mask = ::umask(0177);  // never open to others, not even for a moment
  if (!error) acceptor->bind(Local::endpoint{address}, error);
  ::umask(mask);
  if (!error) acceptor->listen(asio::socket_base::max_listen_connections, error);
  if (error) return fail(Errc::io, "cannot listen on `{}`: {}", socket.string(), error.message());
  state_->local = std::move(acceptor);
  state_->socket = socket;
  return {};
}

void HttpServer::State::close() {
  if (shared.closing) return;
  shared.closing = true;
  ErrorCode ignored;
  for (auto& acceptor : tcp) acceptor->close(ignored);
  if (local) {
    ::unlink(socket.c_str());
    local->close(ignored);
  }
  signals.cancel(ignored);
  signals.clear(ignored);  // a second signal does what it always does
  for (auto* connection : shared.connections)
    if (!connection->answering) connection->close();
  closer = std::thread{[this] {
    if (closing) closing();
    asio::post(io, [this] { closed = true; });
  }};
}

void HttpServer::run(std::function<void()> closing) {
  auto& state = *state_;
  state.closing = std::move(closing);
  state.signals.add(SIGTERM);
  state.signals.add(SIGINT);
  state.signals.async_wait([&state](ErrorCode error, int) {
    if (!error) state.close();
  });
  for (auto& acceptor : state.tcp)
    asio::co_spawn(state.io, accept_all<Tcp>(state.shared, *acceptor, Route::Door::everywhere), asio::detached);
  if (state.local) asio::co_spawn(state.io, accept_all<Local>(state.shared, *state.local, Route::Door::socket), asio::detached);
  auto work = asio::make_work_guard(state.io);
  while (!state.closed) state.io.run_one();
  work.reset();
  state.closer.join();
  state.io.run_for(longest_goodbye);  // what was being answered
}

void HttpServer::stop() {
  asio::post(state_->io, [this] { state_->close(); });
}

bool is_loopback(std::string_view text) {
  const auto said = parse_address(text);
  if (!said) return false;
  ErrorCode error;
  const auto address = asio::ip::make_address(said->host, error);
  return said->host == "localhost" || (!error && address.is_loopback());
}

}  // namespace vouch::portal
