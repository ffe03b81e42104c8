// facts/reading.h - how the rows of a table were come by: which call, how many requests and pages of how many, and what the API itself says
// of their number. A count is worth what is said here.
#pragma once

#include "facts/facts.h"

namespace vouch::facts {

// What one collection of one account asked for a table, all its regions together; of a growing listing also what the collections before
// brought, on which it builds.
struct Reading {
  std::string table, operation, account;
  LeafIndex leaf;
  Instant ended;
  std::uint64_t scopes = 0;    // regions that were asked; 1 where the account as a whole is
  std::uint64_t requests = 0;  // without their pages: 300 of a call that asks for each of 300 buckets
  std::uint64_t pages = 0;     // that were answered
  std::uint64_t refused = 0;   // requests that ended in a hole
  std::string reason{};        // why it is not all; empty when every page there is was read
  // How many items there are, where the API says so of each listing; a listing that brought another number is read again, or is a hole.
  std::optional<std::uint64_t> total{};

  [[nodiscard]] bool is_all() const { return refused == 0 && reason.empty(); }
};

// By account, of the last collection before `at` that brought something. Nothing for tables of the ledger itself, and where no
// collection asked for the table. Needs the ledger's blobs. Errc::usage when there is no such table.
Result<std::vector<Reading>> how_read(Facts& facts, const fs::path& home, std::string_view table, Instant at);

}  // namespace vouch::facts
