#include "cli/session.h"

#include "facts/replay.h"

#include <unistd.h>

namespace vouch::cli {

void print_problems(const Problems& problems) {
  for (const auto& problem : problems) fmt::print(stderr, "{} {}\n", paint("!", Tone::doubt), problem.message);
}

Result<Catalog> Catalog::read(const Home& home) {
  Catalog catalog;
  catalog.files = TRY(read_catalog(home.path));
  catalog.tables = facts::read_fact_catalog(catalog.files, catalog.problems);
  catalog.controls = controls::read_control_catalog(catalog.files, catalog.tables, catalog.problems);
  return catalog;
}

Result<facts::Facts> open_facts(const Home& home, const Catalog& catalog) {
  const auto on_wait = [](std::string_view holder) { fmt::print(stderr, "waiting for the facts, held by {}\n", holder); };
  const auto log = TRY(Reader::open(home.path));
  auto opened = facts::Facts::open(home.path, catalog.tables, table::Mode::reading, on_wait);
  if (opened) {
    const auto state = TRY(opened->state());
    if (state.size == log.checkpoint().size) return opened;
  } else if (opened.error().code != Errc::not_found) {
    return opened;
  }
  const auto models = TRY(wire::Models::open(wire::Models::data_directories()));
  const auto blobs = TRY(Blobs::open(home.path));
  if (!opened) {
    fmt::print(stderr, "building the facts from the ledger\n");
    TRY(facts::rebuild(home.path, log, blobs, models, catalog.tables));
  } else {
    opened = fail(Errc::busy, "");  // gives up the reader's place before the writer asks for its own
    auto facts = TRY(facts::Facts::open(home.path, catalog.tables, table::Mode::writing, on_wait));
    TRY(facts::replay(log, blobs, models, facts));
  }
  return facts::Facts::open(home.path, catalog.tables, table::Mode::reading, on_wait);
}

bool says_simulated(std::string_view entry) {
  // Leaves are canonical JSON, in which a member has one spelling; a text that imitates one is escaped there.
  return entry.find(R"("kind":"collection")") != std::string_view::npos && entry.find(R"("simulated":true)") != std::string_view::npos;
}

Result<bool> is_simulated(const Reader& log) {
  bool simulated = false;
  TRY(log.for_each(LeafIndex{0}, log.checkpoint().size, [&](LeafIndex, std::string_view entry) -> Result<> {
    simulated = simulated || says_simulated(entry);
    return {};
  }));
  return simulated;
}

Result<Instant> instant_of(const std::optional<std::string>& as_of) {
  const auto now = SystemClock{}.now();
  if (!as_of) return now;
  const auto at = parse_instant(*as_of);
  if (!at) return fail(Errc::usage, "--as-of: {}", at.error().message);
  if (*at > now) return fail(Errc::usage, "--as-of {}: that has not happened yet; it is {}", *as_of, to_string(now));
  return *at;
}

}  // namespace vouch::cli
