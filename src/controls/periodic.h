// controls/periodic.h - periodic controls as of an instant: who owes an act in every window, and whether it was done.
//
// Windows are the calendar's (base/zone.h) in the company's zone. An act counts for the window in which its `at` lies, and for no other:
// what comes a day late came in the next one. `grace` is for its evidence, which may arrive when the window is over.
//
// As of T the members are the rows of `population` over the facts at T. With W the window of T and V the one before it, a member is
//   pass     when it has an act in W, or in V;
//   fail     when V and its grace are over without one, and the member was in the population when V ended;
//   unknown  when the facts that would tell were not read; and, pending, in all other cases: until V's grace is over, or, for who owes
//            nothing for V, until W's is.
// Acts are what `done` says over the facts at T, and over those at the end of V's grace (a source may have forgotten them since).
#pragma once

#include "controls/evaluate.h"

namespace vouch::controls {

// Of a control of kind periodic; else as evaluate().
Result<ControlVerdict> evaluate_windows(const Control& control, facts::Facts& facts, Instant at);

// The first instant after `at` at which a member's answer changes though no fact does: a window or its grace is over.
Result<Instant> next_due(const Control& control, facts::Facts& facts, Instant at);

}  // namespace vouch::controls
