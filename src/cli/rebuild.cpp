// vouch rebuild: fold the whole ledger again. Facts are derived; deleting them costs only time.
#include "cli/session.h"

namespace vouch::cli {

Result<Exit> run_rebuild(const Common& common) {
  const auto home = TRY(require_home(common.home));
  const auto format = TRY(parse_format(common.format.value_or("table")));
  const auto catalog = TRY(Catalog::read(home));
  print_problems(catalog.problems);
  const auto started = SystemClock{}.now();
  const auto done = TRY(project(home, catalog, true));
  const auto seconds = static_cast<double>((SystemClock{}.now() - started).micros) / 1e6;
  if (format == Format::json) {
    auto facts = TRY(open_facts(home, catalog));
    auto out = envelope(started, TRY(facts.state()));
    out["entries"] = done.to.value;
    out["collections"] = done.collections;
    out["bodies_read"] = done.bodies_read;
    out["rows"] = done.rows_opened;
    out["seconds"] = seconds;
    fmt::print("{}\n", pretty(out));
    return Exit::ok;
  }
  fmt::print("{} and {} read, {} written in {:.2f} s ({}/s)\n", count_of(done.to.value, "entry", "entries"),
             count_of(done.bodies_read, "answer", "answers"), count_of(done.rows_opened, "row", "rows"), seconds,
             grouped(static_cast<std::uint64_t>(static_cast<double>(done.rows_opened) / std::max(seconds, 1e-6))));
  return Exit::ok;
}

}  // namespace vouch::cli
