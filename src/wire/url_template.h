// wire/url_template.h - "/repos/{owner}/{repo}/branches/{branch}/protection": a URL with places for params.
//
// A value is percent-encoded as one path segment or one query value (RFC 6570's simple expansion; all but unreserved characters are
// encoded, so a branch `release/1` stays one segment).
#pragma once

#include "base/json.h"

#include <string>
#include <string_view>
#include <vector>

namespace vouch::wire {

class UrlTemplate {
 public:
  UrlTemplate() = default;
  // Errc::config for an open brace, a name that is none (letters, digits, `_`, `-`), a fragment, white space.
  static Result<UrlTemplate> parse(std::string_view text);

  // Errc::usage when a param is missing, is no text, integer or boolean, or is empty or `.` or `..` as a whole path segment: each of
  // these would ask for something else.
  [[nodiscard]] Result<std::string> fill(const Json& params) const;

  [[nodiscard]] std::vector<std::string> names() const;  // of its params, each once, in order
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  struct Piece {
    std::string literal = {}, name = {};  // the literal, then the param's value; no name in the last piece
    bool is_segment = false;              // the value is a whole path segment
  };
  std::string text_;
  std::vector<Piece> pieces_;
};

// The same for a JSON body: a string that is nothing but `{name}` becomes the param's own value, `{name}` inside a longer one its text.
// Errc::usage when a param is missing.
Result<Json> fill_body(const Json& body, const Json& params);
std::vector<std::string> names_in_body(const Json& body);

}  // namespace vouch::wire
