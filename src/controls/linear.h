// controls/linear.h - at which instants a query's comparisons with as_of() change. Part of query.h's work.
#pragma once

#include "controls/statement.h"

namespace vouch::controls {

// The thresholds of every comparison with the judged instant. Never leaves one out: where a comparison's data side may come from several
// columns each of them counts, over all rows of their tables, whatever the joins and conditions around it. Errc::config for what is
// not linear, with what to write instead. `named` are the fact tables that the query names.
Result<std::vector<Threshold>> thresholds_of(table::Store& store, const Json& tree, const Statement& statement,
                                             const std::vector<const facts::FactTable*>& named);

}  // namespace vouch::controls
