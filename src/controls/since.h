// controls/since.h - since when members are what they are.
//
// Walks back over the instants at which the control's tables, their coverage or the clock could have changed a verdict, and evaluates the
// control at each, for all members at once, until every member's answer differs. A member's `since` is the first instant of its
// present answer, seen without interruption; `since_earliest` is when the state before was last seen, and nothing where the clock alone
// made the change (an age that was reached is dated to the microsecond) or nothing was seen before.
#pragma once

#include "controls/evaluate.h"

namespace vouch::controls {

struct DateLimits {
  std::size_t evaluations = 512;  // at most so many; a member whose beginning lies further back keeps no `since`
};

// Members of the other kinds keep the `since` that evaluate() gave.
//
// Fills `since`, `since_earliest` and `leaf` of the members of `verdict`, which evaluate() gave for the same control and facts.
Result<> date(const Control& control, facts::Facts& facts, ControlVerdict& verdict, const DateLimits& limits = {});

}  // namespace vouch::controls
