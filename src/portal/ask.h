// portal/ask.h - how another command of the same home asks a server that runs for it, by its socket.
#pragma once

#include "base/file.h"
#include "base/json.h"

#include <optional>
#include <string_view>

namespace vouch::portal {

struct Answered {
  int status;
  Json body;
};

// Waits for the answer, however long it takes. Nothing when no server runs for `home`; a socket that a dead one left is removed.
// Errc::unreachable: the server went away before it answered. Errc::denied: the socket is somebody else's.
Result<std::optional<Answered>> ask_server(const fs::path& home, std::string_view method, std::string_view target);

fs::path socket_path(const fs::path& home);       // HOME/serve.sock
fs::path server_lock_path(const fs::path& home);  // HOME/serve.lock: holds the server's pid while it runs

}  // namespace vouch::portal
