// ledger/evidence.h - what a run stores, as values: leaf, tree, manifest, times, receipts.
//
// Spec: docs/evidence.md. Each value has one spelling, canonical JSON (RFC 8785), and reads it back strictly: unknown members,
// wrong kinds, an order other than the stated one and anything beyond the limits are Errc::malformed, so that two texts never mean
// the same. Plain values.
#pragma once

#include "base/digest.h"
#include "base/instant.h"
#include "base/json.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vouch::evidence {

enum class Outcome { complete, partial, denied, failed };
std::string_view name_of(Outcome outcome);

enum class Hole { denied, failed };

// Either the account as a whole or one region of it.
struct Scope {
  std::string region;  // empty: the account
  friend auto operator<=>(const Scope&, const Scope&) = default;
};
Json to_json(const Scope& scope);

// One page of one request, as a manifest lists it.
struct Entry {
  std::string params;  // canonical JSON of an object, without page tokens
  std::string key;     // the same; empty when the source declares none
  std::uint32_t page = 0;
  int status = 0;     // HTTP's; 0 when no answer came
  std::string error;  // a code without ids; empty for an answer
  bool absent = false, gone = false;
  std::optional<Hole> hole;
  std::optional<Digest> content, body;  // also of an error that was received
  std::vector<std::string> secrets;     // sorted paths
  std::optional<std::uint64_t> total;   // of a listing's last page: how many items there are, as the API says and as many as came

  // Whether `body` is what was asked for, and not an error.
  [[nodiscard]] bool is_answer() const { return body && !absent && !gone && !hole; }
  friend bool operator==(const Entry&, const Entry&) = default;
};

struct Manifest {
  std::string operation;  // "s3:GetBucketPolicy"
  Scope scope;
  std::vector<Entry> requests;  // sorted by params, then page
  // Of an increment: the manifest that it adds to (docs/evidence.md, "Increments"). `requests` are then only what this run brought.
  std::optional<Digest> base = {};

  void sort();
  [[nodiscard]] const Entry* find(std::string_view params, std::uint32_t page) const;  // of a sorted one
};

struct TreeEntry {
  Scope scope;
  std::string operation;
  Outcome outcome = Outcome::complete;
  std::string reason;  // empty when complete
  Digest manifest;
  friend bool operator==(const TreeEntry&, const TreeEntry&) = default;
};

struct Tree {
  std::string source, account;
  std::vector<TreeEntry> entries;  // sorted by operation, then by the canonical form of scope

  void sort();
  [[nodiscard]] const TreeEntry* find(std::string_view operation, const Scope& scope) const;  // of a sorted one
};

struct Span {
  Instant started, ended;
  friend bool operator==(const Span&, const Span&) = default;
};
using Times = std::vector<Span>;  // one for each entry of the tree, in its order

struct Receipt {
  std::string operation;
  Scope scope;
  std::string params;  // canonical JSON
  std::uint32_t page = 0;
  std::string request_id;       // empty when the service gave none
  std::optional<Instant> date;  // the server's
  std::string endpoint;         // scheme, host and port
  std::optional<Digest> tls;    // of the certificate; none over plain http
};

struct Receipts {
  std::string binary;
  Digest catalog;
  std::vector<Receipt> receipts;
};

struct Counts {
  std::uint64_t operations = 0, requests = 0, new_bodies = 0, denied = 0, failed = 0, retried = 0;
  friend bool operator==(const Counts&, const Counts&) = default;
};

struct CollectionLeaf {
  std::string run;  // "2026-03-01T09:00:00Z-5f3a9c21"
  std::string source;
  std::string account, partition;  // empty when we never learnt who we are; only AWS has partitions
  std::string identity;            // an ARN, a login; empty likewise, and where the API does not tell
  Duration schedule;
  Instant started, ended;
  Outcome outcome = Outcome::failed;
  std::string reason;  // empty when complete
  bool simulated = false;
  std::optional<Digest> tree, times, receipts;  // all or none
  std::uint64_t catalog = 0;                    // index of the catalog leaf in force
  Counts counts;
  friend bool operator==(const CollectionLeaf&, const CollectionLeaf&) = default;
};

struct CatalogLeaf {
  Digest catalog, models;
  std::string binary;
  friend bool operator==(const CatalogLeaf&, const CatalogLeaf&) = default;
};

// Which accounts of a source are read, and which are left out and why, as it was decided from what the source lists of itself and from
// vouch.yaml. Written when a decision differs from the one before; of very many accounts in several leaves of one instant.
struct ScopeLeaf {
  struct Account {
    std::string account;
    bool in = true;
    std::string reason;  // of an account that is left out
    friend bool operator==(const Account&, const Account&) = default;
  };
  std::string source;
  Instant at;
  std::vector<Account> accounts;  // sorted
  friend bool operator==(const ScopeLeaf&, const ScopeLeaf&) = default;
};

// A leaf of a collection or a catalogue is at most this long; a longer reason is cut, at a character's edge, and ends in "…".
constexpr std::size_t max_leaf_bytes = 1023;
// The others, as long as an entry of the ledger may be.
constexpr std::size_t max_scope_bytes = 65'535;

// Whether a leaf is of that kind, without parsing it: leaves are canonical JSON, where a member has one spelling and a text that
// imitates one is escaped.
bool has_kind(std::string_view leaf, std::string_view kind);

std::string write(const Manifest& manifest);
std::string write(const Tree& tree);
std::string write(const Times& times);
std::string write(const Receipts& receipts);
std::string write(const CollectionLeaf& leaf);
std::string write(const CatalogLeaf& leaf);
std::string write(const ScopeLeaf& leaf);
// As many leaves as it takes: an entry of a ledger has an end.
std::vector<std::string> write_in_parts(const ScopeLeaf& leaf);

Result<Manifest> parse_manifest(std::string_view text);
Result<Tree> parse_tree(std::string_view text);
Result<Times> parse_times(std::string_view text);
Result<Receipts> parse_receipts(std::string_view text);
Result<CollectionLeaf> parse_collection_leaf(std::string_view text);
Result<CatalogLeaf> parse_catalog_leaf(std::string_view text);
Result<ScopeLeaf> parse_scope_leaf(std::string_view text);

// "1d", "6h", "10m", "90s": the largest unit that divides it.
std::string write_schedule(Duration schedule);

}  // namespace vouch::evidence
