// facts/expression.h - the small language in which a fact file says where a value stands in an answer (catalog/README.md, "Expressions").
//
//   expression = (path | call | 'text' | integer | true | false) step*
//   path       = the first word: a level of `rows`, `answer`, `key`, `params`, `account`, `region`, `partition`, else a member of the
//   answer step       = .member | .'any member' | [index] call       = name(expression, …) rows       = [expression] [] step* as name, …
//   `[]` may stand more than once: Reservations[].Instances[] as i. Without an
//                                                        expression the answer itself is the list. `[]?`: the list may be missing
//
// Parsed once, then evaluated for each row without parsing or looking up names of levels again. What is not there is nullptr, and so is
// JSON null; a function of what is not there is not there either (concat included), apart from coalesce. A value that does
// not have the form a function needs (json of a text that is none) is a problem of the answer's shape, kept in the frame.
//
// A strict frame also keeps what was missing: a path that ends at no value and at no null. `key`, `params` and literals are never
// missing; coalesce is content with one of its values.
#pragma once

#include "base/error.h"
#include "base/json.h"

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vouch::facts {

// What an expression is evaluated against. Owns the values that functions make; pointers are good as long as they are kept.
struct Frame {
  const Json* answer = nullptr;
  const Json* key = nullptr;     // the request's, or nullptr
  const Json* params = nullptr;  // likewise
  std::string_view account, region, partition;
  std::vector<const Json*> levels;  // by the position of their names; nullptr where a level is not open
  std::deque<Json> made;
  std::string problem;  // the first; empty when all is well
  bool strict = false;
  std::string missing;  // the first path that is not there, in a strict frame: "p.head.sha"

  const Json* make(Json value) { return &made.emplace_back(std::move(value)); }
  // Drops what was made since `made.size()` was `size`.
  void forget(std::size_t size) { made.resize(size); }
};

class Expression {
 public:
  // `levels`: names that `rows` gives. Errc::config with what is wrong and at which character; the caller knows the file and line.
  static Result<Expression> parse(std::string_view text, std::span<const std::string> levels = {});

  // nullptr when it is not there (or after a problem).
  const Json* evaluate(Frame& frame) const;
  [[nodiscard]] const std::string& text() const { return text_; }

  struct Node;

 private:
  friend class ExpressionParser;
  std::shared_ptr<const Node> root_;
  std::string text_;
};

// One level of `rows`: each element of a list, or the one value itself where no `[]` stands.
struct Level {
  Expression value;
  std::size_t slot = 0;  // its position in Frame::levels
  bool spread = true;
  bool optional = false;  // may be missing from a strict answer
};

// One text of `rows`: its levels, outermost first.
struct Unfold {
  std::vector<Level> levels;

  // Adds the names that it gives to `names`, which all texts of one table share; names of levels without one are empty there.
  static Result<Unfold> parse(std::string_view text, std::vector<std::string>& names);

  // Calls `row` for each combination of elements, with the frame's levels set.
  template <class Row>
  void for_each(Frame& frame, const Row& row, std::size_t depth = 0) const {
    if (depth == levels.size()) {
      row();
      return;
    }
    const auto& level = levels[depth];
    const auto made = frame.made.size();
    const bool strict = std::exchange(frame.strict, frame.strict && !level.optional);
    const auto* value = level.value.evaluate(frame);
    if (!value && frame.strict && frame.missing.empty()) frame.missing = level.value.text();
    frame.strict = strict;
    if (value && level.spread) {
      if (const auto* list = value->if_array()) {
        for (const auto& element : *list) {
          frame.levels[level.slot] = &element;
          for_each(frame, row, depth + 1);
        }
      } else if (frame.problem.empty()) {
        frame.problem = "`" + level.value.text() + "` is not a list";
      }
    } else if (value) {
      frame.levels[level.slot] = value;
      for_each(frame, row, depth + 1);
    }
    frame.levels[level.slot] = nullptr;
    frame.forget(made);
  }
};

// A scalar as text: numbers and booleans as JSON writes them, lists and objects as canonical JSON.
std::string text_of(const Json& value);

// Comma separated values (RFC 4180) as records named by the first line. Errc::malformed for a quote that does not end.
Result<Json> parse_csv(std::string_view text);

}  // namespace vouch::facts
