// collect/source.h - which calls to make: the source files of the catalogue.
//
// Format: catalog/README.md, "Sources". Every mistake is a Problem "file:line: reason" and costs only the operation it stands in
// (and those that iterate over it or wait for it). A home's files take the place of shipped ones operation by operation.
#pragma once

#include "base/catalog.h"
#include "base/json.h"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vouch::wire {
class Models;
}

namespace vouch::collect {

// A walk through members of a value: "Environment.Variables", "Reservations[].Instances[].State", "Rules[0].Id".
// `[]` unfolds a list, `[n]` takes an element.
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
// that listed the element; `$account`, `$region` and `$partition` say where we are.
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

struct ForEach {
  std::string variable;
  std::string operation;  // "s3:ListBuckets"
  Path path;              // ends in `[]`
};

struct SourceOperation {
  std::string service;
  std::string operation;  // "ListBuckets"
  bool regional = false;
  std::optional<ForEach> for_each;
  Template params;
  Template key;  // an object without members when none is declared
  std::optional<Expression> region;
  std::vector<std::string> absent, gone;
  std::vector<Path> volatiles, sets, secrets;
  std::optional<std::pair<Path, Json>> until;
  std::string after;  // "iam:GenerateCredentialReport"; empty: none
  std::vector<std::string> only_in;
  std::string where;  // file:line

  [[nodiscard]] std::string name() const { return service + ":" + operation; }
};

struct Source {
  std::string name;                                                        // "aws"
  std::vector<SourceOperation> operations;                                 // each behind the one that it iterates over or waits for
  [[nodiscard]] const SourceOperation* find(std::string_view name) const;  // "s3:ListBuckets"
};

struct SourceCatalog {
  std::vector<Source> sources;  // sorted by name
  [[nodiscard]] const Source* find(std::string_view name) const;
};

SourceCatalog read_source_catalog(const CatalogFiles& files, Problems& problems);

// What only the service models can tell: unknown services, operations and members. Operations that are wrong are left out, and so are
// those that need them.
void check_against_models(SourceCatalog& catalog, wire::Models& models, Problems& problems);

}  // namespace vouch::collect
