// collect/edits.h - what redaction replaces in a body: spans of its bytes, and where they stand in the answer.
#pragma once

#include "collect/secrets.h"

#include <string>
#include <string_view>
#include <vector>

namespace vouch::collect {

// Where a walk through a body is, in names of the model. Names must outlive the step.
class Place {
 public:
  void enter(std::string_view member) { steps_.push_back({member, 0}); }
  void enter(std::size_t index) { steps_.push_back({{}, index}); }
  void leave() { steps_.pop_back(); }
  [[nodiscard]] std::size_t depth() const { return steps_.size(); }
  [[nodiscard]] std::string text() const;  // "Functions[3].Environment.Variables.DB_PASSWORD"

  // Whether one of the source's paths ends here; indexes do not count.
  [[nodiscard]] bool is_listed(std::span<const Path> listed) const;

 private:
  struct Step {
    std::string_view member;  // empty: an index
    std::size_t index;
  };
  std::vector<Step> steps_;
};

// A text of a body: its bytes as they stand there, and what they mean.
struct Token {
  std::size_t begin = 0, end = 0;  // of the bytes that a replacement takes the place of
  std::string text;
  std::string path;  // filled in when it may be needed after the walk has gone on
};

class Edits {
 public:
  // How a text is spelt in the body's format.
  using Spell = std::string (*)(std::string_view text);
  explicit Edits(const SecretsKey& key) : key_(key) {}

  // The text as a whole.
  void replace(const Token& token, std::string path, Spell spell);
  // What in it is secret by its form. Nothing when nothing is.
  void search(const Token& token, const Place& place, Spell spell);

  [[nodiscard]] bool empty() const { return edits_.empty(); }
  [[nodiscard]] Redacted apply(std::string_view body) &&;

 private:
  struct Edit {
    std::size_t begin, end;
    std::string bytes, path;
    bool whole;
  };
  const SecretsKey& key_;
  std::vector<Edit> edits_;
};

// In an object with a name and a value ("Key"/"Value", "name"/"value", "ParameterKey"/"ParameterValue"): which of the two a member is.
enum class Half { neither, name, value };
Half half_of_pair(std::string_view member);

// The formats. Errc::malformed when the body does not have that form.
Result<> search_json(std::string_view body, const wire::Shape* shape, std::string_view payload, std::span<const Path> listed, Edits& edits);
Result<> search_xml(std::string_view body, const wire::Shape* shape, std::string_view payload, std::string_view wrapper,
                    std::span<const Path> listed, Edits& edits);

}  // namespace vouch::collect
