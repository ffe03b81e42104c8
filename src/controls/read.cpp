#include "controls/read.h"

#include <set>

namespace vouch::controls {
namespace {

bool is_id(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

Result<std::optional<Duration>> length(const Yaml& file, std::string_view member) {
  const auto node = file[member];
  if (node.is_absent()) return std::nullopt;
  auto parsed = parse_duration(TRY(node.text()));
  if (!parsed) return node.wrong("`{}`: {}", member, parsed.error().message);
  return *parsed;
}

Result<std::string> one_of(const Yaml& file, std::string_view member, std::initializer_list<std::string_view> choices) {
  auto text = TRY(file.text(member));
  if (std::find(choices.begin(), choices.end(), text) == choices.end())
    return file[member].wrong("`{}` is no {}; it is one of {}", text, member, fmt::join(choices, ", "));
  return text;
}

// What a state control is evaluated by; the other kinds will have parsers of their own beside it.
Result<> parse_state(const Yaml& file, Control& control) {
  TRY(file.only({"id", "kind", "statement", "owner", "severity", "settle", "mend_within", "population", "fails", "mend", "remedy", "tick",
                 "equivalents", "differs"}));
  control.population = TRY(file.text("population"));
  control.fails = TRY(file.text("fails"));
  control.tick = TRY(length(file, "tick"));
  if (control.tick && control.tick->micros < Duration::seconds(1).micros) return file["tick"].wrong("a tick is at least 1s");
  return {};
}

Result<> parse_tools(const Yaml& file, Control& control) {
  for (const auto& [tool, checks] : file["equivalents"].members()) control.equivalents[tool] = TRY(checks.texts());
  for (const auto& [tool, checks] : file["differs"].members()) {
    if (!checks.is_map()) return checks.wrong("`differs` names each check and why: {{{}: {{check_id: why}}}}", tool);
    for (const auto& [check, why] : checks.members()) control.differs[tool][check] = TRY(why.text());
  }
  for (const auto* member : {"equivalents", "differs"})
    if (!file[member].is_absent() && !file[member].is_map()) return file[member].wrong("`{}` is a map from tool to checks", member);
  return {};
}

Result<Criterion> parse_criterion(const Yaml& item) {
  TRY(item.only({"id", "category", "says", "controls"}));
  Criterion criterion;
  criterion.id = TRY(item.text("id"));
  criterion.category = TRY(item.text("category"));
  criterion.says = TRY(item.text("says"));
  if (!item["controls"].is_absent()) criterion.controls = TRY(item["controls"].texts());
  return criterion;
}

// What verdicts depend on, and nothing that only people read. A change of how verdicts are computed raises `meaning`.
std::string digest_of(const Control& control) {
  constexpr std::int64_t meaning = 1;
  json::object said{
      {"meaning", meaning}, {"id", control.id}, {"kind", control.kind}, {"population", control.population}, {"fails", control.fails}};
  if (control.tick) said["tick"] = control.tick->micros;
  return to_hex(sha256(canonical(Json(std::move(said))).value_or("")));
}

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

std::string path_name(const CatalogFile& file) { return fs::path{file.part}.stem().string(); }

}  // namespace

Result<Control> parse_control(const Yaml& file) {
  Control control;
  if (!file.is_map()) return file.wrong("a control is a map with `id`, `kind`, `statement`, `population` and `fails`");
  control.where = file.where();
  control.id = TRY(file.text("id"));
  if (!is_id(control.id)) return file["id"].wrong("`{}` is no id: small letters, digits and hyphens", control.id);
  control.kind = TRY(one_of(file, "kind", {"state", "event", "periodic"}));
  if (control.kind != "state") return file["kind"].wrong("controls of kind `{}` are not yet evaluated; `state` is", control.kind);
  TRY(parse_state(file, control));
  control.statement = TRY(file.text("statement"));
  control.severity = TRY(one_of(file, "severity", {"critical", "high", "medium", "low"}));
  control.owner = TRY(file.text_or("owner", ""));
  control.remedy = TRY(file.text_or("remedy", ""));
  control.mend = TRY(file.text_or("mend", control.id));
  control.settle = TRY(length(file, "settle")).value_or(control.settle);
  control.mend_within = TRY(length(file, "mend_within"));
  TRY(parse_tools(file, control));
  control.digest = digest_of(control);
  return control;
}

Result<Framework> parse_framework(const Yaml& file) {
  if (!file.is_map()) return file.wrong("a framework is a map with `framework`, `title` and `criteria`");
  TRY(file.only({"framework", "title", "criteria"}));
  Framework framework;
  framework.id = TRY(file.text("framework"));
  framework.title = TRY(file.text("title"));
  if (!file["criteria"].is_list()) return file["criteria"].wrong("`criteria` is a list of {{id, category, says, controls}}");
  std::set<std::string> ids;
  for (const auto& item : file["criteria"].items()) {
    auto criterion = TRY(parse_criterion(item));
    if (!ids.insert(criterion.id).second) return item.wrong("criterion `{}` stands here twice", criterion.id);
    framework.criteria.push_back(std::move(criterion));
  }
  return framework;
}

Result<ControlCheck> ControlCheck::against(const facts::FactCatalog& tables) {
  auto empty = TRY(facts::Facts::in_memory(tables));
  auto functions = TRY(Functions::of(empty.store()));
  return ControlCheck{std::move(empty), std::move(functions)};
}

Result<Query> ControlCheck::bind(const Control& control, const Yaml& file, std::string_view text, std::string_view member,
                                 std::string_view sql, std::vector<std::string>& columns) {
  const auto at_line = [&](Error error) {
    auto message = on_one_line(std::move(error.message));
    const auto first = first_line(text, file[member].line(), sql);
    const auto path = file.where().substr(0, file.where().rfind(':'));
    const auto line = first + line_within(sql, message) - 1;
    return Error{Errc::config, fmt::format("{}:{}: `{}`: {}", path, line, member, message)};
  };
  auto query = understand(empty_.store(), functions_, empty_.catalog(), sql, control.tick.has_value());
  if (!query) return std::unexpected(at_line(std::move(query).error()));
  if (query->tables.empty()) return std::unexpected(at_line({Errc::config, "names no fact table"}));
  const auto shadows = TRY(empty_.as_of(query->tables, Instant{}));
  // One SELECT over fact tables, without unstable functions: understand() has seen to that, so it may run like the product's own SQL.
  auto rows = empty_.store().query(fmt::format("{} select * from (\n{}\n) limit 0", shadows, query->sql.at(Instant{})));
  if (!rows) return std::unexpected(at_line(std::move(rows).error()));
  columns = std::move(rows->columns);
  const std::set<std::string> distinct(columns.begin(), columns.end());
  if (distinct.size() != columns.size()) return std::unexpected(at_line({Errc::config, "returns two columns of one name"}));
  return query;
}

Result<> ControlCheck::check(Control& control, const Yaml& file, std::string_view text) {
  auto population = TRY(bind(control, file, text, "population", control.population, control.population_columns));
  control.key.clear();
  for (const auto& column : control.population_columns)
    if (column != "name") control.key.push_back(column);
  if (control.key.empty()) return file["population"].wrong("`population` returns no key column");
  for (const auto& column : control.key)
    if (!is_key_column(empty_.catalog(), column))
      return file["population"].wrong("`population` returns `{}`, which is no key column of any table; return it as `name`, or not at all",
                                      column);

  auto fails = TRY(bind(control, file, text, "fails", control.fails, control.fails_columns));
  auto expected = std::set<std::string>(control.key.begin(), control.key.end());
  expected.insert("reason");
  const std::set<std::string> returned(control.fails_columns.begin(), control.fails_columns.end());
  if (returned != expected)
    return file["fails"].wrong("`fails` returns {}; it must return the population's key and a reason: {}", fmt::join(returned, ", "),
                               fmt::join(expected, ", "));

  control.population_tables = population.tables;
  const std::set<std::string> tables = [&] {
    std::set<std::string> all(population.tables.begin(), population.tables.end());
    all.insert(fails.tables.begin(), fails.tables.end());
    return all;
  }();
  control.tables.assign(tables.begin(), tables.end());
  control.uses_as_of = !population.sql.clocks.empty() || !fails.sql.clocks.empty();
  std::set<Threshold> thresholds(population.thresholds.begin(), population.thresholds.end());
  thresholds.insert(fails.thresholds.begin(), fails.thresholds.end());
  control.thresholds.assign(thresholds.begin(), thresholds.end());
  control.population_sql = std::move(population.sql);
  control.fails_sql = std::move(fails.sql);
  return {};
}

namespace {

// Controls by id; nothing for one that is wrong, so that whoever names it is not told twice.
using ControlsById = std::map<std::string, std::optional<Control>>;

Result<Control> read_control(const CatalogFile& file, ControlCheck& check) {
  const auto yaml = TRY(Yaml::parse(file.text, file.path));
  auto control = TRY(parse_control(yaml));
  if (control.id != path_name(file))
    return yaml["id"].wrong("`{}` stands in a file of another name; call the file {}.yaml", control.id, control.id);
  TRY(check.check(control, yaml, file.text));
  return control;
}

ControlsById read_controls(const CatalogFiles& files, ControlCheck& check, Problems& problems) {
  // The last file of a name is the one in force; one before it that is wrong harms nobody.
  std::map<std::string, const CatalogFile*> in_force;
  for (const auto* file : files.in("controls")) {
    auto& place = in_force[path_name(*file)];
    if (place && place->shipped == file->shipped)
      problems.push_back({Errc::config, fmt::format("{}:1: control `{}` stands in {} as well", file->path, path_name(*file), place->path)});
    place = file;
  }
  ControlsById controls;
  for (const auto& [id, file] : in_force) {
    auto control = read_control(*file, check);
    if (!control) problems.push_back(control.error());
    controls[id] = control ? std::optional{std::move(*control)} : std::nullopt;
  }
  return controls;
}

Result<Framework> read_framework(const CatalogFile& file, const ControlsById& controls, Problems& problems) {
  const auto yaml = TRY(Yaml::parse(file.text, file.path));
  auto framework = TRY(parse_framework(yaml));
  const auto items = yaml["criteria"].items();
  for (std::size_t i = 0; i < items.size(); ++i) {
    auto& listed = framework.criteria[i].controls;
    for (const auto& node : items[i]["controls"].items()) {
      const auto id = node.text().value_or("");
      if (!controls.contains(id))
        problems.push_back(node.wrong("`{}` lists the control `{}`, which is not there", framework.criteria[i].id, id).error());
    }
    std::erase_if(listed, [&](const std::string& id) { return !controls.contains(id) || !controls.at(id); });
  }
  return framework;
}

}  // namespace

ControlCatalog read_control_catalog(const CatalogFiles& files, const facts::FactCatalog& tables, Problems& problems) {
  ControlCatalog catalog;
  auto check = ControlCheck::against(tables);
  if (!check) {
    problems.push_back(std::move(check).error().within("controls cannot be checked"));
    return catalog;
  }
  auto controls = read_controls(files, *check, problems);
  std::map<std::string, const CatalogFile*> frameworks;
  for (const auto* file : files.in("frameworks")) frameworks[path_name(*file)] = file;
  for (const auto& [name, file] : frameworks) {
    auto framework = read_framework(*file, controls, problems);
    if (framework)
      catalog.frameworks.push_back(std::move(*framework));
    else
      problems.push_back(framework.error());
  }
  for (auto& [id, control] : controls)
    if (control) catalog.controls.push_back(std::move(*control));
  return catalog;
}

const Control* ControlCatalog::find(std::string_view id) const {
  const auto at = std::lower_bound(controls.begin(), controls.end(), id,
                                   [](const Control& control, std::string_view wanted) { return control.id < wanted; });
  return at != controls.end() && at->id == id ? &*at : nullptr;
}

std::vector<std::string> ControlCatalog::criteria_of(std::string_view control, std::string_view framework) const {
  std::vector<std::string> ids;
  for (const auto& candidate : frameworks) {
    if (candidate.id != framework) continue;
    for (const auto& criterion : candidate.criteria)
      if (std::find(criterion.controls.begin(), criterion.controls.end(), control) != criterion.controls.end()) ids.push_back(criterion.id);
  }
  return ids;
}

}  // namespace vouch::controls
