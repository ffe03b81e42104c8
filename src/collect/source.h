// collect/source.h - which calls to make: the source files of the catalogue.
//
// Format: catalog/README.md, "Sources". Every mistake is a Problem "file:line: reason" and costs only the operation it stands in
// (and those that iterate over it or wait for it). A home's files take the place of shipped ones operation by operation.
#pragma once

#include "base/catalog.h"
#include "base/json.h"
#include "collect/expression.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vouch::wire {
class Models;
}

namespace vouch::collect {

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
