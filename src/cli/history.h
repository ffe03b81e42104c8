// cli/history.h - how far back what sources told reaches: `vouch collect --since T`.
//
// Tables whose rows date themselves (FactTable::event) hold what happened before the first collection too, as far as its source still
// remembered it then (basis `recalled`). A source that forgets says after how long (`remembers:` in its source file): what lies between T
// and that horizon of the first collection is lost for good, unless another source tells it.
#pragma once

#include "cli/session.h"
#include "collect/source.h"

namespace vouch::cli {

struct Recalled {
  std::string source, account, table;
  std::optional<Instant> first;       // the oldest event since T; none: there is none
  std::uint64_t events = 0;           // since T
  std::optional<Duration> remembers;  // none: the source forgets nothing
  std::optional<Instant> lost_until;  // what happened from T until then can't be told any more
};

// Of each table that dates itself, in each account that was collected. Sorted by source, account, table.
Result<std::vector<Recalled>> recalled_since(facts::Facts& facts, const collect::SourceCatalog& sources, Instant since, Instant now);

json::array recalled_json(std::span<const Recalled> recalled);
void print_recalled(std::span<const Recalled> recalled, Instant since, Format format);

}  // namespace vouch::cli
