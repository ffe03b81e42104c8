#include "portal/ask.h"

#include "portal/http_server.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <unistd.h>

namespace vouch::portal {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using ErrorCode = boost::system::error_code;
using Local = asio::local::stream_protocol;

constexpr std::uint64_t most_answer_bytes = std::uint64_t{256} << 20;

// Whoever holds the lock is alive, so that nobody's socket is taken away.
void remove_stale(const fs::path& home) {
  if (const auto lock = LockFile::acquire(server_lock_path(home))) ::unlink(socket_path(home).c_str());
}

std::string_view view(boost::core::string_view text) { return {text.data(), text.size()}; }

}  // namespace

fs::path socket_path(const fs::path& home) { return home / "serve.sock"; }
fs::path server_lock_path(const fs::path& home) { return home / "serve.lock"; }

Result<std::optional<Answered>> ask_server(const fs::path& home, std::string_view method, std::string_view target) {
  const auto path = fs::absolute(socket_path(home));
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return std::nullopt;
  Fd directory;
  const auto address = TRY(socket_address(path, directory));
  asio::io_context io;
  Local::socket socket{io};
  ErrorCode error;
  socket.connect(Local::endpoint{address}, error);
  if (error == asio::error::connection_refused || error == boost::system::errc::no_such_file_or_directory) {
    remove_stale(home);
    return std::nullopt;
  }
  if (error == asio::error::access_denied) return fail(Errc::denied, "`{}`: {}", path.string(), error.message());
  const auto lost = [&](const ErrorCode& why) {
    return fail(Errc::unreachable, "the server of this home did not answer by `{}`: {}", path.string(), why.message());
  };
  if (error) return lost(error);
  http::request<http::empty_body> request{http::string_to_verb({method.data(), method.size()}), {target.data(), target.size()}, 11};
  request.set(http::field::host, "vouch");
  request.keep_alive(false);
  request.content_length(0);
  http::write(socket, request, error);
  if (error) return lost(error);
  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(most_answer_bytes);
  http::read(socket, buffer, parser, error);
  if (error) return lost(error);
  const auto& response = parser.get();
  auto body = parse_json(view({response.body().data(), response.body().size()}));
  if (!body) return std::unexpected(std::move(body).error().within("the server's answer"));
  return Answered{static_cast<int>(response.result_int()), std::move(*body)};
}

}  // namespace vouch::portal
