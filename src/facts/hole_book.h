// facts/hole_book.h - the holes of one account while leaves are folded in. Of this module only.
#pragma once

#include "facts/schema.h"
#include "ledger/position.h"
#include "table/store.h"

#include <map>

namespace vouch::facts {

// Which hole: a whole source, an operation in a region, or one of its requests.
struct HoleId {
  std::string subject, region, params;
  friend auto operator<=>(const HoleId&, const HoleId&) = default;
};

class HoleBook {
 public:
  HoleBook(std::string source, std::string account) : source_(std::move(source)), account_(std::move(account)) {}

  // Reads the holes that are open.
  Result<> fetch(table::Store& store);

  [[nodiscard]] bool is_open(const HoleId& id) const { return open_.contains(id); }
  [[nodiscard]] std::vector<HoleId> open_requests(const std::string& subject, const std::string& region) const;

  // From `from` on. Where it is open already for another reason, that one ends at `now` and this one begins there. True when
  // anything changed.
  bool open(const HoleId& id, const std::map<std::string, std::string>& key, Instant from, Instant now, const std::string& reason,
            LeafIndex leaf);
  bool close(const HoleId& id, Instant to);
  // One that is over already.
  void add(const HoleId& id, const std::map<std::string, std::string>& key, Instant from, Instant to, const std::string& reason,
           std::optional<LeafIndex> leaf);

  Result<> write(table::Store& store);

 private:
  struct Record {
    std::string key, reason;
    Instant from, to;
    std::optional<LeafIndex> leaf;
    std::int64_t row = -1;
  };
  std::string source_, account_;
  std::map<HoleId, Record> open_;
  std::vector<std::pair<HoleId, Record>> over_;
  std::vector<std::int64_t> stale_;
};

}  // namespace vouch::facts
