// controls/stored.h - verdicts kept beside the facts, so that `vouch status` needs no evaluation.
//
// Whoever projects calls store_verdicts() after it, in the database it has open for writing. What is stored is a function of the facts
// and the catalogue, however it came to be: built once or kept up after each collection. Each verdict carries the instant at which it
// expires: when the clock or the end of coverage can change it with no further entry.
//
// read_stored() needs neither the catalogue nor the fact tables: it tells from the catalogue's digest whether what is stored may be shown,
// and opens nothing but the database. Where it answers nothing, read the catalogue and ask status_at().
#pragma once

#include "controls/choice.h"
#include "controls/evaluate.h"
#include "controls/left_out.h"

#include <optional>
#include <string>
#include <vector>

namespace vouch::controls {

// Names the catalogue's text, all files in order, and what the home has chosen of it. Hex.
std::string digest_of(const CatalogFiles& files, const Choice& choice = {});

struct StoredControl {
  std::string id, statement, owner, severity, mend, remedy;
  Instant expires;
  ControlVerdict verdict;  // `as_of` is the instant asked for; members only as far as they were asked for
};

struct Stored {
  std::string catalog;                     // digest_of the catalogue that judged
  Instant at;                              // the instant that was judged
  facts::State state;                      // what the facts were built from
  std::vector<StoredControl> controls;     // those that are on; sorted by id
  std::vector<Framework> frameworks;       // with those alone
  std::vector<std::string> narrowed = {};  // controls of the shelf `soc2` that are off
  std::vector<LeftOut> left_out = {};      // accounts that are not read
};

enum class Members { none, not_passing, all };

// Evaluates the controls that read a changed table, have changed themselves, have expired, or have unknown members (whose
// reasons tell the time); all of them when nothing usable is stored. Runs in a transaction of its own. A control whose SQL fails is unknown
// with its reason; Errc::limit where the facts were opened with tight limits (table/store.h) and its SQL needs more.
// `from`: what the facts were built from before those tables changed (facts::Replayed). Verdicts of other facts count for nothing: a
// process that was killed after its facts and before its verdicts leaves such.
Result<> store_verdicts(const ControlCatalog& catalog, std::string_view catalog_digest, facts::Facts& facts, TreeSize from,
                        std::span<const std::string> changed_tables, Instant at);

// What is stored, if it is what an evaluation at `at` would say for the catalogue of this digest: nothing when nothing is stored, the
// catalogue is another one, `at` is before the instant that was judged, or a control has expired by then.
Result<std::optional<Stored>> read_stored(table::Store& store, std::string_view catalog_digest, Instant at,
                                          Members members = Members::none);

// All verdicts at `at`: what is stored of these facts where it still holds, evaluated where not. Order of the catalogue.
Result<std::vector<ControlVerdict>> status_at(const ControlCatalog& catalog, facts::Facts& facts, Instant at,
                                              Members members = Members::none);

}  // namespace vouch::controls
