// collect/cache.h - what is remembered of a source's account so that the next run asks for less: the validators of pages, and how far
// increments were read.
//
// home/cache/<source>-<account>.jsonl, mode 0600. Derived: without it everything is read as a whole. What it says of an operation counts
// only together with the manifest that it names, and for the same question: else it is as if it were not there.
#pragma once

#include "base/digest.h"
#include "base/file.h"
#include "collect/evidence.h"
#include "wire/dialect.h"

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace vouch::collect {

// How far a listing that comes newest first was read.
struct Cursor {
  std::string at;             // of the newest item, as the API spells it; empty: there was no item
  std::vector<Digest> known;  // the items of that very instant, sorted
  friend bool operator==(const Cursor&, const Cursor&) = default;
};

struct RememberedRequest {
  std::vector<std::optional<wire::Validator>> pages;
  std::optional<Cursor> cursor;
  [[nodiscard]] bool empty() const;
  friend bool operator==(const RememberedRequest&, const RememberedRequest&) = default;
};

// An operation in one scope. Requests are kept as they are spelled in the file, for there may be very many.
class RememberedOperation {
 public:
  RememberedOperation() = default;
  RememberedOperation(Digest manifest, Digest question) : manifest_(manifest), question_(question) {}

  [[nodiscard]] const Digest& manifest() const { return manifest_; }
  [[nodiscard]] const Digest& question() const { return question_; }
  [[nodiscard]] std::optional<RememberedRequest> find(const std::string& params) const;
  void remember(std::string params, const RememberedRequest& request);
  void take_from(RememberedOperation&& other) { requests_ = std::move(other.requests_); }
  void keep_others_of(const RememberedOperation& older);
  [[nodiscard]] bool empty() const { return requests_.empty(); }

 private:
  friend class Cache;
  Digest manifest_, question_;
  std::unordered_map<std::string, std::string> requests_;
};

class Cache {
 public:
  // What can't be read is not there.
  static Cache read(const fs::path& home, std::string_view source, std::string_view account);
  Result<> write(const fs::path& home, std::string_view source, std::string_view account) const;

  // nullptr unless it belongs to that manifest and question.
  [[nodiscard]] const RememberedOperation* find(const std::string& operation, const Scope& scope, const Digest& manifest,
                                                const Digest& question) const;
  void add(const std::string& operation, const Scope& scope, RememberedOperation remembered);

 private:
  std::map<std::pair<std::string, Scope>, RememberedOperation> operations_;
};

}  // namespace vouch::collect
