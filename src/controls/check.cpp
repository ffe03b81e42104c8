// What a control says, against the fact tables that there are.
#include "controls/keyed.h"
#include "controls/read.h"

#include <set>

namespace vouch::controls {
namespace {

// The line at which a text begins that the member holds: behind the key, or on the line below it for a block.
int first_line(std::string_view text, int line, std::string_view sql) {
  const auto words = sql.substr(0, sql.find('\n'));
  std::size_t at = 0;
  for (int i = 1; i < line && at != std::string_view::npos; ++i) {
    at = text.find('\n', at);
    if (at != std::string_view::npos) ++at;
  }
  if (at == std::string_view::npos) return line;
  const auto found = text.find(words, at);
  if (words.empty() || found == std::string_view::npos) return line;
  return line + static_cast<int>(
                    std::count(text.begin() + static_cast<std::ptrdiff_t>(at), text.begin() + static_cast<std::ptrdiff_t>(found), '\n'));
}

// Which line of the SQL a complaint is about: it says so ("LINE 3: "), or names what it does not know.
int line_within(std::string_view sql, std::string& message) {
  if (message.starts_with("LINE ")) {
    const auto end = message.find(": ");
    const int line = std::atoi(message.c_str() + 5);
    message.erase(0, end + 2);
    return line;
  }
  std::string_view named = message;
  const auto between = [&](std::string_view before, std::string_view after) -> std::string_view {
    const auto from = named.find(before);
    if (from == std::string_view::npos) return {};
    const auto rest = named.substr(from + before.size());
    return rest.substr(0, rest.find(after));
  };
  for (auto word : {between("`", "` is not a fact table"), between("Referenced column \"", "\""), between("Referenced table \"", "\""),
                    between("Table with name ", " "), between("Function with name ", " "), between("near \"", "\""),
                    between("No function matches the given name and argument types '", "(")}) {
    if (word.empty()) continue;
    if (const auto at = sql.find(word); at != std::string_view::npos)
      return 1 + static_cast<int>(std::count(sql.begin(), sql.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
  }
  return 1;
}

std::string on_one_line(std::string message) {
  std::replace(message.begin(), message.end(), '\n', ' ');
  return message;
}

bool is_key_column(const facts::FactCatalog& tables, const std::string& column) {
  if (column == "account" || column == "region") return true;
  return std::any_of(tables.tables.begin(), tables.tables.end(), [&](const facts::FactTable& table) {
    return std::find(table.key.begin(), table.key.end(), column) != table.key.end();
  });
}

std::set<std::string> set_of(const std::vector<std::string>& names) { return {names.begin(), names.end()}; }

std::vector<std::string> sorted(const std::set<std::string>& names) { return {names.begin(), names.end()}; }

}  // namespace

Result<ControlCheck> ControlCheck::against(const facts::FactCatalog& tables) {
  auto empty = TRY(facts::Facts::in_memory(tables));
  auto functions = TRY(Functions::of(empty.store()));
  return ControlCheck{std::move(empty), std::move(functions)};
}

Result<Query> ControlCheck::bind(const Control& control, const Yaml& file, std::string_view text, std::string_view member,
                                 std::string_view sql, Clock clock, std::vector<std::string>& columns) {
  const auto at_line = [&](Error error) {
    auto message = on_one_line(std::move(error.message));
    const auto first = first_line(text, file[member].line(), file.text(member).value_or(""));
    const auto path = file.where().substr(0, file.where().rfind(':'));
    const auto line = first + line_within(sql, message) - 1;
    return Error{Errc::config, fmt::format("{}:{}: `{}`: {}", path, line, member, message)};
  };
  auto query = understand(empty_.store(), functions_, empty_.catalog(), sql, clock == Clock::stands || control.tick.has_value());
  if (!query) return std::unexpected(at_line(std::move(query).error()));
  if (query->tables.empty()) return std::unexpected(at_line({Errc::config, "names no fact table"}));
  const auto shadows = TRY(empty_.as_of(query->tables, Instant{}));
  // One SELECT over fact tables, without unstable functions: understand() has seen to that, so it may run like the product's own SQL.
  auto rows = empty_.store().query(fmt::format("{} select * from (\n{}\n) limit 0", shadows, query->sql.at(Instant{})));
  if (!rows) return std::unexpected(at_line(std::move(rows).error()));
  columns = std::move(rows->columns);
  const std::set<std::string> distinct(columns.begin(), columns.end());
  if (distinct.size() != columns.size()) return std::unexpected(at_line({Errc::config, "returns two columns of one name"}));
  for (const auto& column : columns) {
    if (column != "at" && column != "judge_at") continue;
    const auto type = TRY(empty_.store().query(
        fmt::format("{} select typeof((select \"{}\" from (\n{}\n) limit 1))", shadows, column, query->sql.at(Instant{}))));
    if (const auto name = table::to_text(type.rows.at(0).at(0)); name != "TIMESTAMP WITH TIME ZONE")
      return std::unexpected(
          at_line({Errc::config, fmt::format("`{}` is an instant, not {}; write {}::timestamptz", column, name, column)}));
  }
  return query;
}

// The columns of `population`: what is not said to people or is an event's instant is the member's key.
Result<> ControlCheck::check_population(Control& control, const Yaml& file) const {
  const auto place = file["population"];
  const bool is_event = control.kind == Kind::event;
  control.key.clear();
  bool has_at = false;
  for (const auto& column : control.population_columns) {
    const bool instant = is_event && (column == "at" || column == "judge_at");
    has_at = has_at || (instant && column == "at");
    if (column != "name" && !instant) control.key.push_back(column);
  }
  if (control.key.empty()) return place.wrong("`population` returns no key column");
  for (const auto& column : control.key)
    if (!is_key_column(empty_.catalog(), column))
      return place.wrong("`population` returns `{}`, which is no key column of any table; return it as `name`, or not at all", column);
  if (!is_event) return {};
  if (!has_at) return place.wrong("`population` of an event control returns `at`, the event's instant, too");
  if (std::none_of(control.population_tables.begin(), control.population_tables.end(),
                   [&](const auto& name) { return dates_itself(name); }))
    return place.wrong(
        "`population` of an event control names a table whose rows date themselves (`event:` in its fact file); {} {} not, and what is "
        "first seen after its instant would not be found there",
        fmt::join(control.population_tables, ", "), control.population_tables.size() == 1 ? "does" : "do");
  return {};
}

Result<> ControlCheck::check_columns(const Yaml& file, std::string_view member, const std::vector<std::string>& returned,
                                     const Control& control, std::initializer_list<std::string_view> more) {
  auto expected = set_of(control.key);
  for (const auto column : more) expected.emplace(column);
  const auto found = set_of(returned);
  if (found == expected) return {};
  return file[member].wrong("`{}` returns {}; it must return the population's key and {}: {}", member, fmt::join(found, ", "),
                            more.size() == 1 ? "a reason" : "`at` and `evidence`", fmt::join(expected, ", "));
}

// What is unread of a source is a hole of its own account, and concerns no member whose key names another's.
Result<> ControlCheck::check_sources(const Control& control, const Yaml& file) const {
  std::set<std::string> sources;
  for (const auto& name : control.tables)
    if (const auto* table = empty_.catalog().find(name); table && !table->is_of_ledger()) sources.insert(table->source);
  if (sources.size() < 2) return {};
  for (const auto* column : {"account", "region"})
    if (std::find(control.key.begin(), control.key.end(), column) != control.key.end())
      return file["population"].wrong(
          "the control joins {}, whose accounts are not the same: leave `{}` out of the population's key, or what is "
          "unread of one of them makes nobody unknown",
          fmt::join(sources, " and "), column);
  return {};
}

bool ControlCheck::dates_itself(const std::string& table) const {
  const auto* found = empty_.catalog().find(table);
  return found && !found->event.empty();
}

Result<> ControlCheck::check(const View& view) {
  const auto wrong = [&](Error error) {
    return fail(Errc::config, "{}: view `{}`: {}", view.where, view.name, on_one_line(error.message));
  };
  if (empty_.catalog().find(view.name))
    return fail(Errc::config, "{}: `{}` is a fact table; give the view another name", view.where, view.name);
  auto query = understand(empty_.store(), functions_, empty_.catalog(), view.sql, true);
  if (!query) return wrong(std::move(query).error());
  const auto shadows = TRY(empty_.as_of(query->tables, Instant{}));
  auto rows = empty_.store().query(fmt::format("{} select * from (\n{}\n) limit 0", shadows, query->sql.at(Instant{})));
  if (!rows) return wrong(std::move(rows).error());
  return {};
}

Result<> ControlCheck::check(Control& control, const Yaml& file, std::string_view text) {
  auto population = TRY(bind(control, file, text, "population", control.population, Clock::moves, control.population_columns));
  control.population_tables = population.tables;
  TRY(check_population(control, file));

  Query verdict;
  if (control.kind == Kind::periodic) {
    verdict = TRY(bind(control, file, text, "done", control.done, Clock::moves, control.done_columns));
    TRY(check_columns(file, "done", control.done_columns, control, {"at", "evidence"}));
  } else {
    // What an event is judged on stands still at its instant, its clock too.
    const auto clock = control.kind == Kind::event ? Clock::stands : Clock::moves;
    verdict = TRY(bind(control, file, text, "fails", control.fails, clock, control.fails_columns));
    TRY(check_columns(file, "fails", control.fails_columns, control, {"reason"}));
  }

  control.verdict_tables = verdict.tables;
  control.is_recalled =
      std::all_of(verdict.tables.begin(), verdict.tables.end(), [&](const std::string& name) { return dates_itself(name); });
  auto tables = set_of(population.tables);
  tables.insert(verdict.tables.begin(), verdict.tables.end());
  control.tables = sorted(tables);
  TRY(check_sources(control, file));

  std::set<Threshold> thresholds(population.thresholds.begin(), population.thresholds.end());
  thresholds.insert(verdict.thresholds.begin(), verdict.thresholds.end());
  control.thresholds.assign(thresholds.begin(), thresholds.end());
  control.uses_as_of = !population.sql.clocks.empty() || (control.kind != Kind::event && !verdict.sql.clocks.empty());
  control.population_sql = std::move(population.sql);
  if (control.kind == Kind::event)
    control.keyed = keyed_tables(TRY(empty_.store().tree_of(verdict.sql.text)), empty_.catalog(), control.key);
  (control.kind == Kind::periodic ? control.done_sql : control.fails_sql) = std::move(verdict.sql);
  return {};
}

}  // namespace vouch::controls
