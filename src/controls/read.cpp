#include "controls/read.h"

#include "controls/understood.h"

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

// Members that every control may have.
constexpr std::array<std::string_view, 14> common_members{"id",       "kind",   "shelf",       "statement",  "owner",
                                                          "severity", "settle", "mend_within", "population", "mend",
                                                          "remedy",   "tick",   "equivalents", "differs"};

Result<> only(const Yaml& file, std::initializer_list<std::string_view> more) {
  for (const auto& [name, value] : file.members())
    if (std::find(common_members.begin(), common_members.end(), name) == common_members.end() &&
        std::find(more.begin(), more.end(), name) == more.end())
      return value.wrong("`{}` is not known here", name);
  return {};
}

// The shortest that a window can be: an hour of it can be lost to summer time.
Duration shortest(Span span) {
  static constexpr std::array<std::int64_t, 6> days{1, 7, 28, 90, 181, 365};
  return Duration{Duration::days(days[static_cast<std::size_t>(span)]).micros - Duration::hours(1).micros};
}

// What a control of each kind is evaluated by.
Result<> parse_kind(const Yaml& file, const Views& views, Control& control) {
  TRY(control.kind == Kind::periodic ? only(file, {"done", "every", "grace"}) : only(file, {"fails"}));
  control.population = views.before(TRY(file.text("population")));
  control.tick = TRY(length(file, "tick"));
  if (control.tick && control.tick->micros < Duration::seconds(1).micros) return file["tick"].wrong("a tick is at least 1s");
  if (control.kind != Kind::periodic) {
    control.fails = views.before(TRY(file.text("fails")));
    return {};
  }
  control.done = views.before(TRY(file.text("done")));
  const auto every = parse_span(TRY(file.text("every")));
  if (!every) return file["every"].wrong("`every` is one of day, week, month, quarter, half, year");
  control.every = *every;
  control.grace = TRY(length(file, "grace")).value_or(Duration{});
  if (control.grace >= shortest(control.every))
    return file["grace"].wrong("a grace that is as long as the window would put off every verdict; it is shorter than a {}",
                               name_of(control.every));
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
  Criterion criterion;
  criterion.id = TRY(item.text("id"));
  criterion.category = TRY(item.text("category"));
  criterion.says = TRY(item.text("says"));
  return criterion;
}

// What verdicts depend on, and nothing that only people read. A change of how verdicts are computed raises `meaning`.
std::string digest_of(const Control& control) {
  constexpr std::int64_t meaning = 1;
  json::object said{{"meaning", meaning},
                    {"id", control.id},
                    {"kind", name_of(control.kind)},
                    {"population", control.population},
                    {"fails", control.fails}};
  if (control.kind == Kind::periodic)
    said["due"] = json::object{{"done", control.done}, {"every", name_of(control.every)}, {"grace", control.grace.micros}};
  if (control.tick) said["tick"] = control.tick->micros;
  return to_hex(sha256(canonical(Json(std::move(said))).value_or("")));
}

std::string path_name(const CatalogFile& file) { return fs::path{file.part}.stem().string(); }

}  // namespace

std::string_view name_of(Kind kind) { return kind == Kind::state ? "state" : kind == Kind::event ? "event" : "periodic"; }

Result<Control> parse_control(const Yaml& file, const Views& views) {
  Control control;
  if (!file.is_map()) return file.wrong("a control is a map with `id`, `kind`, `statement`, `population` and `fails`");
  control.where = file.where();
  control.id = TRY(file.text("id"));
  if (!is_id(control.id)) return file["id"].wrong("`{}` is no id: small letters, digits and hyphens", control.id);
  const auto kind = TRY(one_of(file, "kind", {"state", "event", "periodic"}));
  control.kind = kind == "event" ? Kind::event : kind == "periodic" ? Kind::periodic : Kind::state;
  if (!file["shelf"].is_absent()) control.shelf = TRY(one_of(file, "shelf", {"soc2", "hardening"}));
  control.on = control.shelf == "soc2";
  TRY(parse_kind(file, views, control));
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

Result<Framework> parse_framework(const Yaml& file, const Framework& base) {
  if (!file.is_map()) return file.wrong("a framework is a map with `framework`, `title` and `criteria`");
  TRY(file.only({"framework", "title", "criteria"}));
  Framework framework = base;
  framework.id = TRY(file.text("framework"));
  if (base.id.empty()) framework.title = TRY(file.text("title"));
  if (!file["criteria"].is_list()) return file["criteria"].wrong("`criteria` is a list of {{id, category, says, controls}}");
  std::set<std::string> ids;
  for (const auto& item : file["criteria"].items()) {
    TRY(item.only({"id", "category", "says", "controls"}));
    const auto id = TRY(item.text("id"));
    if (!ids.insert(id).second) return item.wrong("criterion `{}` stands here twice", id);
    auto criterion = std::find_if(framework.criteria.begin(), framework.criteria.end(), [&](const auto& one) { return one.id == id; });
    if (criterion == framework.criteria.end()) criterion = framework.criteria.insert(criterion, TRY(parse_criterion(item)));
    if (item["controls"].is_absent()) continue;
    for (auto& control : TRY(item["controls"].texts()))
      if (std::find(criterion->controls.begin(), criterion->controls.end(), control) == criterion->controls.end())
        criterion->controls.push_back(std::move(control));
  }
  return framework;
}

namespace {

// Controls by id; nothing for one that is wrong, so that whoever names it is not told twice.
using ControlsById = std::map<std::string, std::optional<Control>>;

// What a control's derived part depends on, besides its own text.
Digest digest_of_ground(const CatalogFiles& files) {
  Sha256 hash;
  for (const auto* folder : {"facts", "views"})
    for (const auto* file : files.in(folder)) hash.add(file->part).add(fmt::format(" {} ", file->text.size())).add(file->text);
  return hash.finish();
}

// The checks, made only when something must be checked.
class Checks {
 public:
  Checks(const CatalogFiles& files, const facts::FactCatalog& tables, const Views& views, Problems& problems, Understood* understood)
      : tables_(tables), views_(views), problems_(problems), digest_(digest_of_ground(files)), understood_(understood) {}

  Result<> check(Control& control, const Yaml& yaml, std::string_view text) {
    const auto of = Sha256{}.add(digest_.bytes).add(text).finish();
    if (understood_ && understood_->fill(control, of)) return {};
    if (!check_) TRY(begin());
    TRY(check_->check(control, yaml, text));
    if (understood_) understood_->keep(control, of);
    return {};
  }

 private:
  Result<> begin() {
    check_.emplace(TRY_WITHIN(ControlCheck::against(tables_), "controls cannot be checked"));
    for (const auto& [name, view] : views_.all())
      if (auto checked = check_->check(view); !checked) problems_.push_back(checked.error());
    return {};
  }

  const facts::FactCatalog& tables_;
  const Views& views_;
  Problems& problems_;
  Digest digest_;
  Understood* understood_;
  std::optional<ControlCheck> check_;
};

Result<Control> read_control(const CatalogFile& file, const Views& views, Checks& checks) {
  const auto yaml = TRY(Yaml::parse(file.text, file.path));
  auto control = TRY(parse_control(yaml, views));
  if (control.id != path_name(file))
    return yaml["id"].wrong("`{}` stands in a file of another name; call the file {}.yaml", control.id, control.id);
  TRY(checks.check(control, yaml, file.text));
  return control;
}

ControlsById read_controls(const CatalogFiles& files, const Views& views, Checks& checks, Problems& problems) {
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
    auto control = read_control(*file, views, checks);
    if (!control) problems.push_back(control.error());
    controls[id] = control ? std::optional{std::move(*control)} : std::nullopt;
  }
  return controls;
}

// Adds a file's framework to `frameworks`, or its criteria to the framework of that id which is there.
Result<> read_framework(const CatalogFile& file, const ControlsById& controls, std::vector<Framework>& frameworks, Problems& problems) {
  const auto yaml = TRY(Yaml::parse(file.text, file.path));
  const auto id = yaml["framework"].text().value_or("");
  auto place = std::find_if(frameworks.begin(), frameworks.end(), [&](const auto& one) { return one.id == id; });
  auto framework = TRY(parse_framework(yaml, place == frameworks.end() ? Framework{} : *place));
  for (const auto& item : yaml["criteria"].items())
    for (const auto& node : item["controls"].items())
      if (const auto control = node.text().value_or(""); !controls.contains(control))
        problems.push_back(node.wrong("`{}` lists the control `{}`, which is not there", item["id"].text().value_or(""), control).error());
  for (auto& criterion : framework.criteria)
    std::erase_if(criterion.controls, [&](const std::string& control) { return !controls.contains(control) || !controls.at(control); });
  if (place == frameworks.end())
    frameworks.push_back(std::move(framework));
  else
    *place = std::move(framework);
  return {};
}

}  // namespace

ControlCatalog read_control_catalog(const CatalogFiles& files, const facts::FactCatalog& tables, Problems& problems,
                                    Understood* understood) {
  ControlCatalog catalog;
  const auto views = Views::read(files, problems);
  Checks checks{files, tables, views, problems, understood};
  auto controls = read_controls(files, views, checks, problems);
  for (const auto* file : files.in("frameworks"))
    if (auto read = read_framework(*file, controls, catalog.frameworks, problems); !read) problems.push_back(read.error());
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
