// controls/read.h - the parts of read_control_catalog: one file each, before and against the fact tables.
#pragma once

#include "base/yaml.h"
#include "controls/control.h"
#include "controls/views.h"

namespace vouch::controls {

// A control file's own form; its SQL with the views that it names. Errc::config at file:line.
Result<Control> parse_control(const Yaml& file, const Views& views);
// `base`: the framework of that id which this file adds to; a criterion that is there already needs no more than its controls.
Result<Framework> parse_framework(const Yaml& file, const Framework& base = {});

// Fills what is derived. `empty` are facts without rows; `text` the file's, for lines. Errc::config at file:line.
class ControlCheck {
 public:
  static Result<ControlCheck> against(const facts::FactCatalog& tables);
  Result<> check(Control& control, const Yaml& file, std::string_view text);
  // Of a view by itself (controls/views.h).
  Result<> check(const View& view);

 private:
  ControlCheck(facts::Facts empty, Functions functions) : empty_(std::move(empty)), functions_(std::move(functions)) {}
  enum class Clock { moves, stands };
  Result<Query> bind(const Control& control, const Yaml& file, std::string_view text, std::string_view member, std::string_view sql,
                     Clock clock, std::vector<std::string>& columns);
  Result<> check_population(Control& control, const Yaml& file) const;
  Result<> check_sources(const Control& control, const Yaml& file) const;
  static Result<> check_columns(const Yaml& file, std::string_view member, const std::vector<std::string>& returned, const Control& control,
                                std::initializer_list<std::string_view> more);
  [[nodiscard]] bool dates_itself(const std::string& table) const;
  facts::Facts empty_;
  Functions functions_;
};

}  // namespace vouch::controls
