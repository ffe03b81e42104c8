// cli/progress.h - how a collection is getting on: a live bar on a terminal, a plain line now and then elsewhere, nothing for machines.
// All on stderr.
#pragma once

#include "cli/output.h"
#include "collect/collect.h"

#include <memory>

namespace vouch::cli {

class RunProgress : public collect::Observer {
 public:
  virtual void finish() = 0;  // removes the bar
};

std::unique_ptr<RunProgress> make_progress(std::string source, Format format);

}  // namespace vouch::cli
