// controls/evaluate.h - decide what held at an instant.
//
// Open first. A state control is decided here; controls/event.h and controls/periodic.h say what the other kinds mean.
//
// The verdict of a member is what the control's plain SQL says over the facts as they stood, unless something that the SQL reads was not
// observed for it: then it is unknown, whatever the SQL says, with the hole's reason. A listing that is itself a hole adds a
// member of its own (key = the hole's key), so that an unread population is never an empty or a passing one.
#pragma once

#include "controls/control.h"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace vouch::controls {

enum class Answer { pass, fail, unknown, waived, empty };
std::string_view name_of(Answer answer);

struct MemberVerdict {
  std::map<std::string, std::string> key;  // the population's key columns
  std::string name;                        // what people call it
  Answer answer;
  std::string basis = "snapshots";  // "recalled" where all that decides it was told later, by rows that date themselves
  std::string reason;               // of fail and unknown
  std::optional<LeafIndex> leaf;    // the collection that showed it
  // When it began: first seen so, and when the state before was last seen (nothing: unknown, or dated by an event).
  std::optional<Instant> since, since_earliest;
  // Of event controls: the event's instant, and the one whose facts decide. Nothing where the population tells none.
  std::optional<Instant> at = {}, judge_at = {};
  // Of periodic controls: the window that decided, when it is due, and what was done in it.
  struct Due {
    Window window;
    Instant until;  // its end plus the grace
    std::optional<Instant> done;
    std::string evidence;
  };
  std::optional<Due> due = {};
};

struct ControlVerdict {
  std::string control;
  Instant as_of;
  Answer answer;              // fail if any fails, else unknown if any is, else waived if any is, else pass; empty without members
  std::string empty_because;  // how an empty population was shown
  std::int64_t population = 0, pass = 0, fail = 0, unknown = 0, waived = 0;
  std::vector<MemberVerdict> members;  // sorted by key
  // Rows of `fails` outside of the population, as text: a mistake of the control that changes no verdict. At most a few.
  std::vector<std::string> outsiders;
};

// Errc::malformed when the SQL fails at run time (a control checked by read_control_catalog can still divide by a text): the control
// is then unknown for the caller, with that reason, never pass.
Result<ControlVerdict> evaluate(const Control& control, facts::Facts& facts, Instant at);

// The same for populations of any size: each member is handed over and not kept, in any order. The verdict has none.
// An error of the sink ends it and is returned.
using OnMember = std::function<Result<>(const MemberVerdict&)>;
Result<ControlVerdict> evaluate_each(const Control& control, facts::Facts& facts, Instant at, const OnMember& member);

// The two halves of evaluate(): what the SQL says of each member (pass or fail) ...
struct Snapshot {
  std::vector<MemberVerdict> members;  // sorted by key
  std::vector<std::string> outsiders;
  std::string empty_because;  // when there is no member
};
Result<Snapshot> snapshot(const Control& control, facts::Facts& facts, Instant at);

// How it was shown that the population is empty: `shadows` makes its tables hold what they held then (Facts::as_of).
std::string why_empty(const Control& control, facts::Facts& facts, std::string_view shadows);

// ... and what stays of it where the holes of the control's tables at `at` leave something unread.
ControlVerdict judge(const Control& control, Snapshot snapshot, std::span<const facts::Hole> holes, Instant at);

// A control that could not be evaluated: one member without key, unknown for that reason.
ControlVerdict undecided(const Control& control, Instant at, std::string reason);

// Counts the members and decides the control's own answer from them.
void count(ControlVerdict& verdict);
// One member more; decide() when all are counted.
void count(ControlVerdict& verdict, const MemberVerdict& member);
void decide(ControlVerdict& verdict);

// The instant that a control's SQL reads as as_of(): `at` itself, or under a tick the last multiple of it.
Instant clock_of(const Control& control, Instant at);

// "account=1 bucket=logs", for messages.
std::string to_text(const std::map<std::string, std::string>& key);

// All that are on; a control that cannot be evaluated is unknown with its reason.
std::vector<ControlVerdict> evaluate_all(const ControlCatalog& catalog, facts::Facts& facts, Instant at);

}  // namespace vouch::controls
