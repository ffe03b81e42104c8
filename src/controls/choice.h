// controls/choice.h - which controls count in a home, and where its days begin: what vouch.yaml says of controls.
#pragma once

#include "controls/control.h"

#include <set>

namespace vouch::controls {

struct Choice {
  std::set<std::string> on, off;  // ids that differ from what their shelf says: `soc2` is on, `hardening` off
  Zone zone;
  std::string where = "vouch.yaml";    // file:line, for problems
  std::set<std::string> sources = {};  // that are on: controls of others are out of view (leave_out_unread)
  friend bool operator==(const Choice& a, const Choice& b) {
    return a.on == b.on && a.off == b.off && a.zone.name() == b.zone.name() && a.sources == b.sources;
  }
};

// Sets `on` and `zone` of the catalogue's controls. An id that names no control is a problem.
void choose(ControlCatalog& catalog, const Choice& choice, Problems& problems);

// A control counts only where every source that its tables come from is read: one of a source that the company does not have, or that
// nobody has set up yet, would be noise and not an answer. Its `unread` then names that source. `in_view`: the sources that are on, and
// those of which the ledger holds a collection, so that nothing drops out of view by being switched off. An id under `on` in vouch.yaml
// counts all the same. To be called after choose().
void leave_out_unread(ControlCatalog& catalog, const facts::FactCatalog& tables, const Choice& choice,
                      const std::set<std::string>& in_view);

// The frameworks, with the controls that are on.
std::vector<Framework> frameworks_in_force(const ControlCatalog& catalog);

// Controls of the shelf `soc2` that are off, though their sources are read: a narrowing, to be shown wherever verdicts are. Sorted.
std::vector<std::string> narrowed(const ControlCatalog& catalog);

}  // namespace vouch::controls
