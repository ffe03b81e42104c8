// facts/data.h - what a Facts object holds. Of this module only.
#pragma once

#include "facts/facts.h"
#include "facts/schema.h"

namespace vouch::facts {

// A source's account, and its latest collection.
struct LastRun {
  std::string source, account;
  Instant ended;
  Duration schedule;
};

// What of coverage holds at one instant; read once, asked for many tables.
struct CoverageAt {
  Instant at;
  struct Row {
    std::string subject;
    Hole hole;  // its table is empty
  };
  std::vector<Row> holes;
  std::vector<LastRun> runs;
  std::map<std::string, std::string> failures;               // source -> why, of sources whose every run failed before an account was known
  std::set<std::pair<std::string, std::string>> operations;  // account, operation: ever asked
};

// Accounts that were collected once and are left out: of each source, by the decisions in their order.
using LeftOut = std::map<std::string, std::map<Instant, std::vector<std::string>>>;

// What is known already of the time after one instant: holes that end, rows that a test dates ahead.
struct ChangesAfter {
  Instant at;
  std::map<std::string, Instant, std::less<>> tables, subjects;  // the first change of each that has one
};

struct Facts::Data {
  FactCatalog catalog;
  table::Store store;
  bool all_covered = false;  // of tests: only what is inserted as a hole is one
  std::optional<CoverageAt> coverage;
  std::optional<ChangesAfter> ahead;
  std::map<std::string, std::uint64_t, std::less<>> sizes;  // rows of each table; empty: not read
  std::optional<LeftOut> left_out;

  // By the decision in force at that instant, sorted. Nothing where the catalogue has no table of decisions.
  Result<const std::vector<std::string>*> left_out_of(const std::string& source, Instant instant);
};

}  // namespace vouch::facts
