#include "table/store.h"

namespace vouch::table {

std::string to_text(const Value& value) {
  struct Text {
    std::string operator()(std::monostate) const { return {}; }
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(std::int64_t v) const { return std::to_string(v); }
    std::string operator()(double v) const { return fmt::format("{}", v); }
    std::string operator()(const std::string& v) const { return v; }
    std::string operator()(Instant v) const { return to_string(v); }
  };
  return std::visit(Text{}, value);
}

Json to_json(const Value& value) {
  struct AsJson {
    Json operator()(std::monostate) const { return nullptr; }
    Json operator()(bool v) const { return v; }
    Json operator()(std::int64_t v) const { return v; }
    Json operator()(double v) const {
      // JSON has no other numbers.
      if (v != v) return json::string{"NaN"};
      if (v - v != 0) return json::string{v > 0 ? "Infinity" : "-Infinity"};
      return v;
    }
    Json operator()(const std::string& v) const { return json::string{v}; }
    Json operator()(Instant v) const { return v.is_infinite() ? Json(nullptr) : Json(json::string{to_string(v)}); }
  };
  return std::visit(AsJson{}, value);
}

}  // namespace vouch::table
