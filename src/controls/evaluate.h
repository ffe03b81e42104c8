// controls/evaluate.h - decide what held at an instant.
//
// The verdict of a member is what the control's plain SQL says over the facts as they stood, unless something that the SQL reads was not
// observed for it: then it is unknown, whatever the SQL says, with the hole's reason. A listing that is itself a hole adds a
// member of its own (key = the hole's key), so that an unread population is never an empty or a passing one.
#pragma once

#include "controls/control.h"

#include <optional>
#include <string>
#include <vector>

namespace vouch::controls {

enum class Answer { pass, fail, unknown, waived, empty };
std::string_view name_of(Answer answer);

struct MemberVerdict {
  std::map<std::string, std::string> key;  // the population's key columns
  std::string name;                        // what people call it
  Answer answer;
  std::string basis = "snapshots";
  std::string reason;                      // of fail and unknown
  std::optional<LeafIndex> leaf;           // the collection that showed it
  // When it began: first seen so, and when the state before was last seen (nothing: unknown, or dated by an event).
  std::optional<Instant> since, since_earliest;
};

struct ControlVerdict {
  std::string control;
  Instant as_of;
  Answer answer;  // fail if any fails, else unknown if any is, else waived if any is, else pass; empty without members
  std::string empty_because;  // how an empty population was shown
  std::int64_t population = 0, pass = 0, fail = 0, unknown = 0, waived = 0;
  std::vector<MemberVerdict> members;  // sorted by key
};

// Errc::malformed when the SQL fails at run time (a control checked by read_control_catalog can still divide by a text): the control
// is then unknown for the caller, with that reason, never pass.
Result<ControlVerdict> evaluate(const Control& control, facts::Facts& facts, Instant at);

// All of them; a control that cannot be evaluated is unknown with its reason.
std::vector<ControlVerdict> evaluate_all(const ControlCatalog& catalog, facts::Facts& facts, Instant at);

}  // namespace vouch::controls
