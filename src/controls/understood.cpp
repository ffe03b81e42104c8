#include "controls/understood.h"

#include "base/json.h"

namespace vouch::controls {
namespace {

constexpr std::int64_t layout = 2;  // raised when more, or something else, is derived

// All that a check derives (controls/control.h), in one place for both directions.
void for_each_derived(auto& control, const auto& visit) {
  visit("key", control.key);
  visit("population_tables", control.population_tables);
  visit("verdict_tables", control.verdict_tables);
  visit("tables", control.tables);
  visit("uses_as_of", control.uses_as_of);
  visit("is_recalled", control.is_recalled);
  visit("population_sql", control.population_sql);
  visit("fails_sql", control.fails_sql);
  visit("done_sql", control.done_sql);
  visit("population_columns", control.population_columns);
  visit("fails_columns", control.fails_columns);
  visit("done_columns", control.done_columns);
  visit("keyed", control.keyed);
  visit("thresholds", control.thresholds);
}

using Keyed = std::map<std::string, std::map<std::string, std::string>>;

Json to_json(bool value) { return value; }

Json to_json(const std::vector<std::string>& texts) { return json::array(texts.begin(), texts.end()); }

Json to_json(const Keyed& keyed) {
  json::object out;
  for (const auto& [table, columns] : keyed) {
    auto& pairs = out[table].emplace_object();
    for (const auto& [column, key] : columns) pairs[column] = key;
  }
  return out;
}

Json to_json(const JudgedSql& sql) {
  json::array clocks;
  for (const auto& place : sql.clocks) clocks.push_back(json::array{place.begin, place.end});
  return json::object{{"text", sql.text}, {"clocks", std::move(clocks)}};
}

Json to_json(const Threshold& threshold) {
  json::object out{{"tables", to_json(threshold.tables)}, {"column", threshold.column}, {"offset", threshold.offset.micros}};
  if (threshold.constant) out["constant"] = threshold.constant->micros;
  out["at"] = threshold.at;
  out["after"] = threshold.after;
  return out;
}

Json to_json(const std::vector<Threshold>& thresholds) {
  json::array out;
  for (const auto& threshold : thresholds) out.push_back(to_json(threshold));
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

  void take(std::string_view name, bool& member) { member = flag(name); }
  void take(std::string_view name, std::vector<std::string>& member) { member = texts(name); }

  void take(std::string_view name, JudgedSql& member) {
    member = {};
    const Json inner = object(name);
    Reading reading{inner};
    member.text = reading.text("text");
    for (const auto& item : reading.list("clocks")) {
      const auto* place = item.if_array();
      const bool whole = place && place->size() == 2 && (*place)[0].is_int64() && (*place)[1].is_int64();
      const auto begin = whole ? (*place)[0].get_int64() : -1, end = whole ? (*place)[1].get_int64() : -1;
      well_ = well_ && begin >= 0 && begin <= end && static_cast<std::size_t>(end) <= member.text.size();
      member.clocks.push_back({static_cast<std::size_t>(begin), static_cast<std::size_t>(end)});
    }
    well_ = well_ && reading.well();
  }

  void take(std::string_view name, Keyed& member) {
    member.clear();
    for (const auto& [table, columns] : object(name)) {
      auto& pairs = member[std::string{table}];
      const auto* written = columns.if_object();
      if (!written) {
        well_ = false;
        continue;
      }
      for (const auto& [column, key] : *written) {
        well_ = well_ && key.is_string();
        if (key.is_string()) pairs.emplace(column, key.get_string());
      }
    }
  }

  void take(std::string_view name, std::vector<Threshold>& member) {
    member.clear();
    for (const auto& item : list(name)) {
      Reading reading{item};
      Threshold one;
      one.tables = reading.texts("tables");
      one.column = reading.text("column");
      one.offset = {reading.number("offset")};
      if (find(item, "constant")) one.constant = Instant{reading.number("constant")};
      one.at = reading.flag("at");
      one.after = reading.flag("after");
      well_ = well_ && reading.well();
      member.push_back(std::move(one));
    }
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
  const auto* known = found == controls_.end() ? nullptr : find_string(found->second, "of");
  if (!known || *known != to_hex(of)) return below_ && below_->fill(control, of);
  Reading reading{found->second};
  auto derived = control;
  for_each_derived(derived, [&](std::string_view name, auto& member) { reading.take(name, member); });
  if (!reading.well()) return false;
  control = std::move(derived);
  return true;
}

void Understood::keep(const Control& control, const Digest& of) {
  json::object known{{"of", to_hex(of)}};
  for_each_derived(control, [&](std::string_view name, const auto& member) { known[name] = to_json(member); });
  controls_[control.id] = std::move(known);
}

}  // namespace vouch::controls
