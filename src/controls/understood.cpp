#include "controls/understood.h"

#include "base/json.h"

namespace vouch::controls {
namespace {

constexpr std::int64_t layout = 1;  // raised when more, or something else, is derived

json::array list_of(const std::vector<std::string>& texts) { return json::array(texts.begin(), texts.end()); }

Json to_json(const JudgedSql& sql) {
  json::array clocks;
  for (const auto& place : sql.clocks) clocks.push_back(json::array{place.begin, place.end});
  return json::object{{"text", sql.text}, {"clocks", std::move(clocks)}};
}

Json to_json(const Threshold& threshold) {
  json::object out{{"tables", list_of(threshold.tables)}, {"column", threshold.column}, {"offset", threshold.offset.micros}};
  if (threshold.constant) out["constant"] = threshold.constant->micros;
  out["at"] = threshold.at;
  out["after"] = threshold.after;
  return out;
}

// Reads members of what write() wrote, and remembers whether all of it had the right kind.
class Reading {
 public:
  explicit Reading(const Json& value) : value_(value) {}
  [[nodiscard]] bool well() const { return well_; }

  std::string text(std::string_view name) {
    const auto* found = find_string(value_, name);
    return found ? std::string{*found} : (well_ = false, std::string{});
  }
  bool flag(std::string_view name) {
    const auto* found = find(value_, name);
    return found && found->is_bool() ? found->get_bool() : (well_ = false);
  }
  std::int64_t number(std::string_view name) {
    const auto* found = find(value_, name);
    return found && found->is_int64() ? found->get_int64() : (well_ = false, 0);
  }
  std::vector<std::string> texts(std::string_view name) {
    std::vector<std::string> all;
    for (const auto& item : list(name)) {
      if (const auto* one = item.if_string())
        all.emplace_back(*one);
      else
        well_ = false;
    }
    return all;
  }
  const json::array& list(std::string_view name) {
    static const json::array none;
    const auto* found = find_array(value_, name);
    return found ? *found : (well_ = false, none);
  }
  const json::object& object(std::string_view name) {
    static const json::object none;
    const auto* found = find_object(value_, name);
    return found ? *found : (well_ = false, none);
  }

  JudgedSql sql(std::string_view name) {
    JudgedSql out;
    const Json inner = object(name);
    Reading reading{inner};
    out.text = reading.text("text");
    for (const auto& item : reading.list("clocks")) {
      const auto* place = item.if_array();
      if (!place || place->size() != 2 || !(*place)[0].is_int64() || !(*place)[1].is_int64()) return well_ = false, JudgedSql{};
      const auto begin = (*place)[0].get_int64(), end = (*place)[1].get_int64();
      if (begin < 0 || end < begin || static_cast<std::size_t>(end) > out.text.size()) return well_ = false, JudgedSql{};
      out.clocks.push_back({static_cast<std::size_t>(begin), static_cast<std::size_t>(end)});
    }
    well_ = well_ && reading.well();
    return out;
  }

  std::vector<Threshold> thresholds() {
    std::vector<Threshold> all;
    for (const auto& item : list("thresholds")) {
      Reading reading{item};
      Threshold one;
      one.tables = reading.texts("tables");
      one.column = reading.text("column");
      one.offset = {reading.number("offset")};
      if (find(item, "constant")) one.constant = Instant{reading.number("constant")};
      one.at = reading.flag("at");
      one.after = reading.flag("after");
      well_ = well_ && reading.well();
      all.push_back(std::move(one));
    }
    return all;
  }

 private:
  const Json& value_;
  bool well_ = true;
};

}  // namespace

Understood Understood::read(std::string_view text) {
  Understood out;
  const auto parsed = parse_json(text);
  if (!parsed) return out;
  const auto* version = find(*parsed, "v");
  const auto* controls = find_object(*parsed, "controls");
  if (!version || *version != Json(layout) || !controls) return out;
  for (const auto& [id, known] : *controls) out.controls_.emplace(std::string{id}, known);
  return out;
}

std::string Understood::write() const {
  json::object controls;
  for (const auto& [id, known] : controls_) controls[id] = known;
  return json::serialize(json::object{{"v", layout}, {"controls", std::move(controls)}});
}

bool Understood::fill(Control& control, const Digest& of) const {
  const auto found = controls_.find(control.id);
  if (found == controls_.end()) return false;
  Reading reading{found->second};
  if (reading.text("of") != to_hex(of)) return false;
  auto derived = control;
  derived.key = reading.texts("key");
  derived.population_tables = reading.texts("population_tables");
  derived.verdict_tables = reading.texts("verdict_tables");
  derived.tables = reading.texts("tables");
  derived.uses_as_of = reading.flag("uses_as_of");
  derived.is_recalled = reading.flag("is_recalled");
  derived.population_sql = reading.sql("population_sql");
  derived.fails_sql = reading.sql("fails_sql");
  derived.done_sql = reading.sql("done_sql");
  derived.population_columns = reading.texts("population_columns");
  derived.fails_columns = reading.texts("fails_columns");
  derived.done_columns = reading.texts("done_columns");
  for (const auto& [table, columns] : reading.object("keyed")) {
    auto& held = derived.keyed[std::string{table}];
    if (const auto* pairs = columns.if_object())
      for (const auto& [column, key] : *pairs)
        if (const auto* name = key.if_string()) held.emplace(column, *name);
  }
  derived.thresholds = reading.thresholds();
  if (!reading.well()) return false;
  control = std::move(derived);
  return true;
}

void Understood::keep(const Control& control, const Digest& of) {
  json::object keyed;
  for (const auto& [table, columns] : control.keyed) {
    json::object pairs;
    for (const auto& [column, key] : columns) pairs[column] = key;
    keyed[table] = std::move(pairs);
  }
  json::array thresholds;
  for (const auto& threshold : control.thresholds) thresholds.push_back(to_json(threshold));
  controls_[control.id] = json::object{{"of", to_hex(of)},
                                       {"key", list_of(control.key)},
                                       {"population_tables", list_of(control.population_tables)},
                                       {"verdict_tables", list_of(control.verdict_tables)},
                                       {"tables", list_of(control.tables)},
                                       {"uses_as_of", control.uses_as_of},
                                       {"is_recalled", control.is_recalled},
                                       {"population_sql", to_json(control.population_sql)},
                                       {"fails_sql", to_json(control.fails_sql)},
                                       {"done_sql", to_json(control.done_sql)},
                                       {"population_columns", list_of(control.population_columns)},
                                       {"fails_columns", list_of(control.fails_columns)},
                                       {"done_columns", list_of(control.done_columns)},
                                       {"keyed", std::move(keyed)},
                                       {"thresholds", std::move(thresholds)}};
}

}  // namespace vouch::controls
