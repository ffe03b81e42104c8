// base/yaml.h - YAML with positions, for files that a person wrote: vouch.yaml and the catalogue.
//
// A thin reader over yaml-cpp whose every complaint begins with file:line. Anchors and aliases are refused (a small file could
// unfold into a huge one), so are duplicate keys and documents deeper than 32 levels.
#pragma once

#include "base/error.h"
#include "base/json.h"

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace YAML {
class Node;
}

namespace vouch {

// A node of a document, and where it stands. Cheap to copy; keeps its document alive.
class Yaml {
 public:
  // Parses one document. `file` is only for messages.
  static Result<Yaml> parse(std::string_view text, std::string file);

  [[nodiscard]] std::string where() const;  // "catalog/controls/iam/mfa.yaml:7"
  [[nodiscard]] int line() const;           // counted from 1; 0 for a member that is absent
  [[nodiscard]] bool is_absent() const;     // no such member, or written as null
  [[nodiscard]] bool is_map() const;
  [[nodiscard]] bool is_list() const;
  [[nodiscard]] bool is_scalar() const;

  [[nodiscard]] Yaml operator[](std::string_view key) const;                // an absent node when there is none
  [[nodiscard]] std::vector<Yaml> items() const;                            // of a list; a scalar or map counts as a list of one
  [[nodiscard]] std::vector<std::pair<std::string, Yaml>> members() const;  // of a map, in the file's order

  // Errc::config when the node is not of that form.
  [[nodiscard]] Result<std::string> text() const;
  [[nodiscard]] Result<std::int64_t> integer() const;
  [[nodiscard]] Result<bool> boolean() const;
  [[nodiscard]] Result<std::vector<std::string>> texts() const;  // a list of scalars, or one scalar

  // Errc::config "file:line: missing `key`" when absent.
  [[nodiscard]] Result<std::string> text(std::string_view key) const;
  [[nodiscard]] Result<std::string> text_or(std::string_view key, std::string_view otherwise) const;

  // Refuses members that nobody would read: a misspelt key is an error and not a silent default.
  [[nodiscard]] Result<> only(std::initializer_list<std::string_view> keys) const;

  // The same data without positions. Plain scalars become null, booleans and integers where they read as such.
  [[nodiscard]] Json to_json() const;

  template <class... Args>
  [[nodiscard]] std::unexpected<Error> wrong(fmt::format_string<Args...> format, Args&&... args) const {
    return fail(Errc::config, "{}: {}", where(), fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  Yaml(std::shared_ptr<const YAML::Node> node, std::shared_ptr<const std::string> file, int parent_line)
      : node_(std::move(node)), file_(std::move(file)), parent_line_(parent_line) {}

  std::shared_ptr<const YAML::Node> node_;  // null when absent
  std::shared_ptr<const std::string> file_;
  int parent_line_ = 0;  // an absent member is reported at its parent
};

}  // namespace vouch
