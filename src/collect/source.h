// collect/source.h - which calls to make: the source files of the catalogue.
//
// Format: catalog/README.md, "Sources". Every mistake is a Problem "file:line: reason" and costs only the operation it stands in
// (and those that iterate over it or wait for it). A home's files take the place of shipped ones operation by operation.
//
// A source is the AWS API (the folder `aws`, driven by botocore's models) or an HTTP API that one of its files describes under `api:`
// (source_http.h). Nothing else is known of a provider.
#pragma once

#include "base/catalog.h"
#include "base/json.h"
#include "collect/expression.h"
#include "collect/source_http.h"
#include "wire/csv.h"

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
  Path path;              // ends in `[]`; for AWS also one value, which is then the only element
};

// A listing that is read newest first, and only as far as it is new (docs/evidence.md, "Increments").
struct Increment {
  Path items;  // ends in `[]`
  Path by;     // of an item: when it last changed
};

struct SourceOperation {
  std::string service;
  std::string operation;                    // "ListBuckets"
  std::vector<std::string> actions;         // permissions that the call needs; for AWS never empty
  std::optional<wire::HttpOperation> http;  // how it is asked; none: by the service models
  std::optional<wire::CsvShape> csv;        // of a file: what stands in it
  bool regional = false;
  std::optional<ForEach> for_each;
  std::optional<Path> again_for;  // elements of its own answers for which it is asked too: the branches of a tree
  Template params;
  Template key;  // an object without members when none is declared
  // What the manifest says in place of `params`, where these are a ticket that is another in each run; an object without members: nothing.
  Template recorded;
  // Asked only where both texts of a pair say the same, each pair {"left", "right"}.
  std::vector<Template> only_if;
  std::optional<Expression> region;
  std::vector<std::string> absent, gone;
  std::vector<Path> volatiles, sets, secrets;
  std::optional<std::pair<Path, Json>> until;
  std::string after;  // "iam:GenerateCredentialReport"; empty: none
  std::vector<std::string> only_in;
  std::optional<Increment> increment;
  std::optional<Duration> remembers;  // how far back the provider still tells; none: it forgets nothing
  std::string where;                  // file:line

  [[nodiscard]] std::string name() const { return service + ":" + operation; }
};

struct Source {
  std::string name;                                                        // "aws"
  std::optional<HttpSource> http;                                          // none: AWS
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
