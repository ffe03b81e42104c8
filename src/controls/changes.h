// controls/changes.h - when a control's verdicts can change though no fact does.
#pragma once

#include "controls/control.h"

#include <optional>
#include <vector>

namespace vouch::controls {

// The first instant after `at` at which some verdict can change while the facts stay as they stood at `at`. Never later than the true
// one; it can be earlier where the rows behind it do not matter in the end. Nothing: the clock alone changes nothing any more.
Result<std::optional<Instant>> next_clock_change(const Control& control, facts::Facts& facts, Instant at);

// Every such instant in (`from`, `to`), ascending, at most `limit` (the latest ones), over the facts as they stood at `from`.
Result<std::vector<Instant>> clock_changes(const Control& control, facts::Facts& facts, Instant from, Instant to, std::size_t limit);

// The first instant after `at` at which a stored verdict is no longer what an evaluation would say, if no further entry comes: the clock's
// next change, the next event or end of a window, or the tables' (their coverage ends). Infinity when there is none.
Result<Instant> expiry(const Control& control, facts::Facts& facts, Instant at);

}  // namespace vouch::controls
