#include "controls/choice.h"

#include "base/digest.h"
#include "base/encoding.h"

namespace vouch::controls {

void choose(ControlCatalog& catalog, const Choice& choice, Problems& problems) {
  for (const auto* ids : {&choice.on, &choice.off})
    for (const auto& id : *ids)
      if (!catalog.find(id))
        problems.push_back(
            {Errc::config, fmt::format("{}: there is no control `{}`; `vouch catalog list` has them all", choice.where, id)});
  for (auto& control : catalog.controls) {
    control.on = choice.off.contains(control.id) ? false : choice.on.contains(control.id) || control.shelf == "soc2";
    control.zone = choice.zone;
    // Where windows begin decides what a periodic control says.
    if (control.kind == Kind::periodic) control.digest = to_hex(sha256(control.digest + choice.zone.name()));
  }
}

void leave_out_unread(ControlCatalog& catalog, const facts::FactCatalog& tables, const Choice& choice,
                      const std::set<std::string>& in_view) {
  for (auto& control : catalog.controls) {
    for (const auto& name : control.tables) {
      const auto* table = tables.find(name);
      if (table && !table->is_of_ledger() && !in_view.contains(table->source)) control.unread = table->source;
    }
    if (!control.unread.empty() && !choice.on.contains(control.id)) control.on = false;
  }
}

std::vector<Framework> frameworks_in_force(const ControlCatalog& catalog) {
  auto frameworks = catalog.frameworks;
  for (auto& framework : frameworks)
    for (auto& criterion : framework.criteria)
      std::erase_if(criterion.controls, [&](const std::string& id) {
        const auto* control = catalog.find(id);
        return !control || !control->on;
      });
  return frameworks;
}

std::vector<std::string> narrowed(const ControlCatalog& catalog) {
  std::vector<std::string> ids;
  for (const auto& control : catalog.controls)
    if (!control.on && control.unread.empty() && control.shelf == "soc2") ids.push_back(control.id);
  return ids;
}

}  // namespace vouch::controls
