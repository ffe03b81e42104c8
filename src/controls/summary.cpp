#include "controls/summary.h"

#include "base/json.h"

namespace vouch::controls {
namespace {

constexpr std::int64_t version = 3;
constexpr std::array answers{Answer::pass, Answer::fail, Answer::unknown, Answer::waived, Answer::empty};

Json instant_json(Instant at) { return at.micros; }

Json control_json(const StoredControl& control) {
  const auto& verdict = control.verdict;
  return {{"id", control.id},
          {"statement", control.statement},
          {"owner", control.owner},
          {"severity", control.severity},
          {"mend", control.mend},
          {"remedy", control.remedy},
          {"expires", instant_json(control.expires)},
          {"answer", name_of(verdict.answer)},
          {"empty_because", verdict.empty_because},
          {"population", verdict.population},
          {"pass", verdict.pass},
          {"fail", verdict.fail},
          {"unknown", verdict.unknown},
          {"waived", verdict.waived}};
}

Json framework_json(const Framework& framework) {
  json::array criteria;
  for (const auto& criterion : framework.criteria)
    criteria.push_back({{"id", criterion.id},
                        {"category", criterion.category},
                        {"says", criterion.says},
                        {"controls", json::value_from(criterion.controls)}});
  return {{"id", framework.id}, {"title", framework.title}, {"criteria", std::move(criteria)}};
}

Result<std::string> text(const Json& value, std::string_view key) { return std::string{TRY(require_string(value, key))}; }

Result<StoredControl> read_control(const Json& value, Instant at) {
  StoredControl control;
  control.id = TRY(text(value, "id"));
  control.statement = TRY(text(value, "statement"));
  control.owner = TRY(text(value, "owner"));
  control.severity = TRY(text(value, "severity"));
  control.mend = TRY(text(value, "mend"));
  control.remedy = TRY(text(value, "remedy"));
  control.expires = {TRY(require_integer(value, "expires"))};
  auto& verdict = control.verdict;
  verdict.control = control.id;
  verdict.as_of = at;
  const auto word = TRY(text(value, "answer"));
  const auto answer = std::find_if(answers.begin(), answers.end(), [&](Answer one) { return name_of(one) == word; });
  if (answer == answers.end()) return fail(Errc::malformed, "`{}` is no verdict", word);
  verdict.answer = *answer;
  verdict.empty_because = TRY(text(value, "empty_because"));
  verdict.population = TRY(require_integer(value, "population"));
  verdict.pass = TRY(require_integer(value, "pass"));
  verdict.fail = TRY(require_integer(value, "fail"));
  verdict.unknown = TRY(require_integer(value, "unknown"));
  verdict.waived = TRY(require_integer(value, "waived"));
  return control;
}

Result<Framework> read_framework(const Json& value) {
  Framework framework;
  framework.id = TRY(text(value, "id"));
  framework.title = TRY(text(value, "title"));
  const auto* criteria = find_array(value, "criteria");
  if (!criteria) return fail(Errc::malformed, "no criteria");
  for (const auto& one : *criteria) {
    Criterion criterion;
    criterion.id = TRY(text(one, "id"));
    criterion.category = TRY(text(one, "category"));
    criterion.says = TRY(text(one, "says"));
    if (const auto* controls = find_array(one, "controls"))
      for (const auto& control : *controls)
        if (const auto* id = control.if_string()) criterion.controls.emplace_back(*id);
    framework.criteria.push_back(std::move(criterion));
  }
  return framework;
}

Result<Stored> parse_summary(std::string_view bytes, Instant at) {
  const auto value = TRY(parse_json(bytes));
  if (TRY(require_integer(value, "v")) != version) return fail(Errc::unsupported, "another version");
  Stored stored;
  stored.catalog = TRY(text(value, "catalog"));
  stored.at = {TRY(require_integer(value, "at"))};
  stored.state.size = {static_cast<std::uint64_t>(TRY(require_integer(value, "size")))};
  stored.state.root = TRY(text(value, "root"));
  const auto* simulated = find(value, "simulated");
  if (!simulated || !simulated->is_bool()) return fail(Errc::malformed, "does not say whether it is simulated");
  stored.state.simulated = simulated->get_bool();
  if (find(value, "last_run")) stored.state.last_run = Instant{TRY(require_integer(value, "last_run"))};
  const auto* controls = find_array(value, "controls");
  const auto* frameworks = find_array(value, "frameworks");
  const auto* narrowed = find_array(value, "narrowed");
  if (!controls || !frameworks || !narrowed) return fail(Errc::malformed, "not whole");
  for (const auto& control : *controls) stored.controls.push_back(TRY(read_control(control, at)));
  for (const auto& framework : *frameworks) stored.frameworks.push_back(TRY(read_framework(framework)));
  for (const auto& id : *narrowed)
    if (id.is_string()) stored.narrowed.emplace_back(id.get_string());
  if (const auto* left_out = find(value, "left_out")) stored.left_out = read_left_out(*left_out);
  return stored;
}

}  // namespace

Result<> write_summary(const fs::path& file, const Stored& stored) {
  json::array controls, frameworks;
  for (const auto& control : stored.controls) controls.push_back(control_json(control));
  for (const auto& framework : stored.frameworks) frameworks.push_back(framework_json(framework));
  const json::object summary{{"v", version},
                             {"catalog", stored.catalog},
                             {"at", instant_json(stored.at)},
                             {"size", static_cast<std::int64_t>(stored.state.size.value)},
                             {"root", stored.state.root},
                             {"simulated", stored.state.simulated},
                             {"last_run", stored.state.last_run ? instant_json(*stored.state.last_run) : Json(nullptr)},
                             {"controls", std::move(controls)},
                             {"frameworks", std::move(frameworks)},
                             {"narrowed", json::value_from(stored.narrowed)},
                             {"left_out", to_json(stored.left_out)}};
  return write_file(file, TRY(canonical(summary)), Sync::no);
}

std::optional<Stored> read_summary(const fs::path& file, std::string_view catalog_digest, TreeSize size, Instant at) {
  const auto bytes = read_file(file, 64u << 20);
  if (!bytes) return std::nullopt;
  auto stored = parse_summary(*bytes, at);
  if (!stored || stored->catalog != catalog_digest || stored->state.size != size || at < stored->at) return std::nullopt;
  const bool expired =
      std::any_of(stored->controls.begin(), stored->controls.end(), [&](const auto& control) { return at >= control.expires; });
  if (expired) return std::nullopt;
  return std::move(*stored);
}

}  // namespace vouch::controls
