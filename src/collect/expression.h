// collect/expression.h - paths into answers, and what a source file says about params and keys.
//
// Format: catalog/README.md, "Sources". Pure values.
#pragma once

#include "base/json.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vouch::collect {

// A walk through members of a value: "Environment.Variables", "Reservations[].Instances[].State", "Rules[0].Id".
// `[]` unfolds a list, `[n]` takes an element; a path that begins with one speaks of an answer that is a list itself.
struct Step {
  enum class Kind { member, all, element } kind = Kind::member;
  std::string member;
  std::size_t index = 0;
  friend bool operator==(const Step&, const Step&) = default;
};
using Path = std::vector<Step>;

// Errc::malformed when it is no path.
Result<Path> parse_path(std::string_view text);
std::string to_string(const Path& path);

// All values that the path selects; lists are unfolded at `[]` only.
void for_each_selected(const Json& value, const Path& path, const std::function<void(const Json&)>& visit);

// The one value of a path without `[]`; nullptr when something on the way is absent or of another kind.
const Json* select(const Json& value, const Path& path);

// Text of a source file's `params`, `key` or `region`: sent as written, or, when it begins with `$`, taken from what is known when
// the request is made. `$x.Name` walks the element x of a `for each`; `$params.Name` and `$key.name` are what the request was made with
// that listed the element; `$account`, `$region` and `$partition` say where we are; `$settings.x` is said in vouch.yaml.
struct Expression {
  std::string root;  // the word behind `$`
  Path path;
};
Result<Expression> parse_expression(std::string_view text);

// What an expression may read. Null where there is none.
struct Surroundings {
  std::string_view variable;
  const Json* element = nullptr;
  const Json* params = nullptr;
  const Json* key = nullptr;
  std::string_view account, region, partition;
  const Json* settings = nullptr;
};
// nullopt when it selects nothing.
std::optional<Json> evaluate(const Expression& expression, const Surroundings& around);

// A JSON value in which some texts are expressions.
class Template {
 public:
  Template() = default;
  static Result<Template> make(Json written);  // Errc::malformed names the text that is no expression

  // A member whose expression selects nothing is left out.
  [[nodiscard]] Json fill(const Surroundings& around) const;
  [[nodiscard]] std::vector<Expression> expressions() const;
  [[nodiscard]] const Json& written() const { return written_; }

 private:
  Json written_ = json::object();
};

}  // namespace vouch::collect
