// controls/choice.h - which controls count in a home, and where its days begin: what vouch.yaml says of controls.
#pragma once

#include "controls/control.h"

#include <set>

namespace vouch::controls {

struct Choice {
  std::set<std::string> on, off;  // ids that differ from what their shelf says: `soc2` is on, `hardening` off
  Zone zone;
  std::string where = "vouch.yaml";  // file:line, for problems
  friend bool operator==(const Choice& a, const Choice& b) { return a.on == b.on && a.off == b.off && a.zone.name() == b.zone.name(); }
};

// Sets `on` and `zone` of the catalogue's controls. An id that names no control is a problem.
void choose(ControlCatalog& catalog, const Choice& choice, Problems& problems);

// The frameworks, with the controls that are on.
std::vector<Framework> frameworks_in_force(const ControlCatalog& catalog);

// Controls of the shelf `soc2` that are off: a narrowing, to be shown wherever verdicts are. Sorted.
std::vector<std::string> narrowed(const ControlCatalog& catalog);

}  // namespace vouch::controls
