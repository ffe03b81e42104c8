// portal/health.h - whether what should happen happens: /healthz and /state.
#pragma once

#include "portal/runs.h"

namespace vouch::portal {

// Why the server is not well; empty when it is. A source is overdue when its last recorded run began more than two schedules ago, or,
// where there was none, when one schedule has passed since `since`. A run that was refused is recorded: /metrics and `vouch status` tell.
std::vector<std::string> complaints(const std::vector<SourceState>& sources, Instant since, Instant now);

// What /state answers: {"now", "since", "version", "sources": [{"source", "every", "last": {...} | null, "next", "running_since"}]}.
Json state_json(const std::vector<SourceState>& sources, Instant since, Instant now, std::string_view version);

}  // namespace vouch::portal
