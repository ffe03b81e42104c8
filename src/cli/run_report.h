// cli/run_report.h - what is told of a source's run, as JSON and for people. People are told from the JSON: it may have come from the
// server of the home.
#pragma once

#include "cli/source_run.h"

namespace vouch::cli {

// What `vouch collect` says of it (docs/json.md): `runs`, `left_out` and `facts`. And the same for people.
Json run_json(const collect::Collection& collection);
Json answer_json(const SourceRun& run);
void print_run(const Json& run);
void print_end(const Json& answer);

}  // namespace vouch::cli
