// portal/serve.h - the server of a home: collects by schedule, and answers. Open this first.
//
//   schedule.h     when each source is collected (pure)
//   runs.h         the thread that collects, one source at a time
//   http_server.h  HTTP on an address and on HOME/serve.sock
//   hooks.h        keeps webhooks as evidence
//   health.h, metrics.h, log.h   what an operator sees of it
//   ask.h          how other commands of the same home reach it
//
//   GET  /healthz   200 when the ledger opens and no source is overdue by more than one schedule; else 503 with the reasons
//   GET  /metrics   Prometheus' text format
//   POST /hooks/github   takes in a webhook delivery; 202 when it is kept for good
// and by the socket alone, which only its owner may open (0600):
//   GET  /state                 sources, their last and next run, and which is running
//   POST /collect?source=NAME   queues a run now; answers when it has ended, with what it came to
// No route shows evidence.
#pragma once

#include "base/file.h"
#include "portal/runs.h"
#include "wire/secret.h"

#include <optional>

namespace vouch::portal {

inline constexpr std::string_view default_address = "127.0.0.1:8437";

struct Options {
  fs::path home;
  std::string version;
  std::vector<Planned> sources;  // `last` is read from the ledger
  std::string listen{default_address};
  std::optional<wire::Secret> github_secret;  // of its webhooks; none: there is no /hooks/github
};

// Serves until SIGTERM or SIGINT: then the run under way is cancelled, nothing is left half written, the socket is removed, and it returns.
// Errc::busy names the process that serves this home already, or says that the address is taken; Errc::usage, Errc::io.
Result<> serve(Options options, Collect collect, const Clock& clock, Log& log);

}  // namespace vouch::portal
