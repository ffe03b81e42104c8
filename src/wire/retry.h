// wire/retry.h - what may be asked again, and when. Spec: botocore 1.44.8 retries/standard.py.
#pragma once

#include "base/instant.h"
#include "wire/message.h"
#include "wire/parse.h"

#include <optional>

namespace vouch::wire {

// An error answer that may be another one next time: 500, 502, 503, 504, time-outs on the server's side.
bool is_transient(const ServiceError& error, int status);

// Full jitter: `random` (0 to 1) times base * 2^(attempt - 1), at most 20 s; base is 1 s for throttling, else 50 ms. `attempt` counts
// from 1.
Duration backoff(int attempt, bool throttled, double random);

// Retry-After (seconds or an HTTP date) or x-amz-retry-after (milliseconds).
std::optional<Duration> asked_to_wait(const Headers& headers, Instant now);

}  // namespace vouch::wire
