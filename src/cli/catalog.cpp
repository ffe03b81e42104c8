// vouch catalog check|list.
#include "cli/session.h"
#include "cli/unit_words.h"
#include "collect/source.h"
#include "controls/scenario.h"

namespace vouch::cli {
namespace {

// Without a home the shipped catalogue is meant.
Result<Catalog> catalog_of(const Common& common, Catalog::Check check) { return Catalog::read(find_home(common.home), check); }

}  // namespace

Result<Exit> run_catalog_check(const Common& common) {
  const auto format = TRY(parse_format(common.format.value_or("table")));
  const auto catalog = TRY(catalog_of(common, Catalog::Check::all));
  auto problems = catalog.problems;
  auto models = TRY(wire::Models::open(wire::Models::data_directories()));
  auto sources = collect::read_source_catalog(catalog.files, problems);
  collect::check_against_models(sources, models, problems);
  read_unit_words(catalog.files, problems);
  const auto scenarios = controls::run_scenarios(catalog.files, catalog.controls, catalog.tables);
  problems.insert(problems.end(), scenarios.problems.begin(), scenarios.problems.end());
  for (const auto& result : scenarios.results)
    if (!result.met) problems.push_back({Errc::config, fmt::format("{}: expected {}, got {}", result.where, result.expected, result.got)});
  std::size_t operations = 0;
  for (const auto& source : sources.sources) operations += source.operations.size();
  if (format == Format::json) {
    json::array list;
    for (const auto& problem : problems) list.push_back(json::string(problem.message));
    fmt::print("{}\n", pretty(json::object{{"as_of", to_string(SystemClock{}.now())},
                                           {"checkpoint", nullptr},
                                           {"simulated", false},
                                           {"operations", operations},
                                           {"tables", catalog.tables.tables.size()},
                                           {"controls", catalog.controls.controls.size()},
                                           {"expectations", scenarios.results.size()},
                                           {"problems", std::move(list)}}));
  } else {
    for (const auto& problem : problems) fmt::print("{} {}\n", paint("✗", Tone::bad), problem.message);
    fmt::print("{}, {}, {}, {} checked: {}\n", count_of(operations, "operation", "operations"),
               count_of(catalog.tables.tables.size(), "table", "tables"), count_of(catalog.controls.controls.size(), "control", "controls"),
               count_of(scenarios.results.size(), "expectation", "expectations"),
               problems.empty() ? paint("all well", Tone::good) : paint(count_of(problems.size(), "problem", "problems"), Tone::bad));
  }
  return problems.empty() ? Exit::ok : Exit::usage;
}

Result<Exit> run_catalog_list(const Common& common) {
  const auto format = TRY(parse_format(common.format.value_or("table")));
  const auto catalog = TRY(catalog_of(common, Catalog::Check::changed));
  print_problems(catalog.problems);
  if (format == Format::json) {
    json::array list;
    for (const auto& control : catalog.controls.controls)
      list.push_back({{"id", control.id},
                      {"kind", name_of(control.kind)},
                      {"shelf", control.shelf},
                      {"on", control.on},
                      {"unread", control.unread.empty() ? Json(nullptr) : Json(json::string(control.unread))},
                      {"statement", control.statement},
                      {"owner", control.owner},
                      {"severity", control.severity},
                      {"criteria", json::value_from(catalog.controls.criteria_of(control.id))},
                      {"tables", json::value_from(control.tables)},
                      {"mend", control.mend},
                      {"remedy", control.remedy},
                      {"equivalents", json::value_from(control.equivalents)},
                      {"differs", json::value_from(control.differs)},
                      {"where", control.where}});
    fmt::print(
        "{}\n",
        pretty(json::object{
            {"as_of", to_string(SystemClock{}.now())}, {"checkpoint", nullptr}, {"simulated", false}, {"controls", std::move(list)}}));
    return Exit::ok;
  }
  Grid grid{{{"control"}, {"shelf"}, {"on"}, {"kind"}, {"severity"}, {"criteria"}, {"statement"}}, {}};
  for (const auto& control : catalog.controls.controls)
    grid.rows.push_back({control.id, control.shelf, control.on ? "on" : "off", std::string{name_of(control.kind)}, control.severity,
                         fmt::format("{}", fmt::join(catalog.controls.criteria_of(control.id), " ")),
                         format == Format::table ? shorten(control.statement, 80) : control.statement});
  fmt::print("{}", render(grid, format));
  return Exit::ok;
}

}  // namespace vouch::cli
