// facts/tables.h - the fact tables that the catalogue describes (catalog/facts/**/*.yaml; format in catalog/README.md).
//
// A table holds one row for each *version* of a resource. On disk, in this order:
//   account text, [region text], the declared columns, then
//   valid_from timestamptz, valid_to timestamptz ('infinity' while current), basis text, seen_before timestamptz, leaf bigint
// half-open, UTC, microseconds. `seen_before` is the earlier bound of `valid_from` where no event dates it (NULL: dated by an event, or
// nothing was observed before). `basis` is "snapshots", or "recalled" where the row dates itself (FactTable::event).
#pragma once

#include "base/catalog.h"
#include "base/digest.h"
#include "base/instant.h"
#include "facts/expression.h"

#include <string>
#include <string_view>
#include <vector>

namespace vouch::facts {

constexpr Instant beginning{-62'135'596'800'000'000};  // 0001-01-01, before all evidence

enum class Type { text, integer, number, boolean, time, json };
std::string_view name_of(Type type);

struct Column {
  std::string name;
  Type type;
  Expression value;
  bool optional = false;  // `text? …`: may be missing from a strict answer
};

// What the bodies of an operation are, and with it how strictly they are read: of AWS the models know what may be missing; of an HTTP
// API only the fact file does, so what it does not find there is an error of the answer's shape.
enum class Form { aws, json, text };

struct FactTable {
  std::string name;       // aws_s3_bucket
  std::string says;       // what a row is, for people
  std::string where;      // file:line of its definition
  std::string source;     // "aws": the folder it stands in
  std::string operation;  // "s3:ListBuckets"
  bool regional = false;  // has a `region` column: its operation is asked by region
  Form form = Form::aws;
  bool incremental = false;      // its operation brings only what is new: rows are added and replaced, and never end
  std::vector<Unfold> rows;      // empty: the answer itself is the one row
  std::size_t levels = 0;        // places in Frame::levels that rows and columns use
  std::vector<Column> columns;   // as declared, without account and region
  std::vector<std::string> key;  // as declared; account, and region where there is one, belong to every key
  std::vector<std::string> latest;
  std::string born;  // column, or empty
  // Column that holds the instant at which the row came to be as it stands (a review's submission), or empty. A version that shows an
  // instant which the one before did not begins there, however late it was first seen; and a listing that comes later tells of all the
  // time before it, so that a hole which one has closed is none any more (Facts::holes).
  std::string event;
  std::optional<Expression> observed;

  // Rows come from the ledger's own entries ("ledger:collection", "ledger:scope"): complete by nature, and never collected.
  [[nodiscard]] bool is_of_ledger() const { return operation.starts_with("ledger:"); }

  // All columns on disk before valid_from: account, region where there is one, then those declared.
  [[nodiscard]] std::vector<std::pair<std::string, Type>> on_disk() const;
};

struct FactCatalog {
  std::vector<FactTable> tables;  // sorted by name
  Digest digest;                  // of all that decides which rows an answer gives
  [[nodiscard]] const FactTable* find(std::string_view name) const;
  // Tables that a change of this operation touches.
  [[nodiscard]] std::vector<const FactTable*> from(std::string_view operation) const;
};

// Reads every file under facts/. What is wrong goes to `problems`, and that table is left out. Whether a table is regional is told by
// the source file that names its operation (sources/); a fact from an operation that no source names is a problem.
FactCatalog read_fact_catalog(const CatalogFiles& files, Problems& problems);

}  // namespace vouch::facts
