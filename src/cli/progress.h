// cli/progress.h - how a collection is getting on: a live bar on a terminal, a plain line now and then elsewhere, nothing for machines.
// All on stderr.
#pragma once

#include "cli/output.h"
#include "collect/collect.h"

#include <atomic>
#include <memory>

namespace vouch::cli {

class RunProgress : public collect::Observer {
 public:
  virtual void finish() = 0;  // removes the bar
};

std::unique_ptr<RunProgress> make_progress(std::string source, Format format);

// Becomes true by Ctrl-C or SIGTERM, which end a run between two requests: what it had gathered is dropped, and the ledger stays as it
// was. The second signal ends the process at once.
const std::atomic<bool>& cancelled_by_signals();

}  // namespace vouch::cli
