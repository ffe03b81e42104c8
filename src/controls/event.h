// controls/event.h - event controls as of an instant: each event is judged once, on the facts of its own instant.
//
// As of T the members are the rows of `population` over the facts at T whose `at` has come. One whose `judge_at` has not is unknown until
// then. The others fail when `fails` names them over the facts as they stood at their `judge_at`, with as_of() = `judge_at`; unknown when a
// table that `fails` names was not covered there for them. Rows that date themselves (facts: `event:`) stand in their tables from that
// date on, and a listing that came later covers the time before it; all else is only known from when it was seen.
//
// What was judged stays judged where a listing of the population is a hole now; what that hides of newer events is a member of its own.
//
// Cost: one run of `fails` for each stretch of time in which no table changed that is not keyed (controls/keyed.h), whatever the
// number of events; one for each instant when `fails` reads the clock.
#pragma once

#include "controls/evaluate.h"

namespace vouch::controls {

// Of a control of kind event; else as evaluate().
Result<ControlVerdict> evaluate_events(const Control& control, facts::Facts& facts, Instant at);

// The first instant after `at` at which an event comes or is judged, among those known at `at`. Nothing: there is none.
Result<std::optional<Instant>> next_event(const Control& control, facts::Facts& facts, Instant at);

}  // namespace vouch::controls
