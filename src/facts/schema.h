// facts/schema.h - how facts stand in the database. Of this module only; the fact tables themselves are described in facts/tables.h.
//
// Schema `vouch` holds the bookkeeping that says what is known of what:
//   state    one row: what the facts were built from
//   run      one row for each collection
//   listing  one row for each operation and scope that was ever asked: what of it stands in the tables now
//   hole     what was not observed. `subject` is a source ("aws"), an operation ("s3:ListBuckets") or, in tests, a table; `params` names
//            the request, where the hole is one request's only; open ones end at 'infinity'
//   fact     one row for each fact table: source and operation, so that SQL can join them
// The view main.coverage shows for each table what was observed when, and what was not.
#pragma once

#include "facts/tables.h"
#include "table/store.h"

namespace vouch::facts {

constexpr std::int64_t schema_version = 1;
constexpr Duration longest_tolerance = Duration::hours(26);

// How far apart two runs may be for the time between them to count as covered.
constexpr Duration tolerance_of(Duration schedule) { return std::min(Duration{schedule.micros + schedule.micros / 2}, longest_tolerance); }

std::string quote(std::string_view identifier);  // "a ""b"""
std::string quote_text(std::string_view text);   // 'it''s'
std::string literal(Instant at);                 // TIMESTAMPTZ '2026-03-01T09:00:00Z'

// Drops all that is there and makes everything anew, empty.
Result<> make_schema(table::Store& store, const FactCatalog& catalog);

// {"account": "1", "bucket": "a"} as text and back.
std::string key_text(const std::map<std::string, std::string>& key);
std::map<std::string, std::string> key_of(const Json& object);

}  // namespace vouch::facts
