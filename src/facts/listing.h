// facts/listing.h - one operation in one scope: which of its requests stand in the tables, and how the next run's differ. Of this module
// only.
#pragma once

#include "base/instant.h"
#include "facts/answers.h"

#include <map>

namespace vouch::facts {

// What stands in the tables of one request: all its pages, from the last run in which each of them was answered.
struct Standing {
  std::vector<Page> pages;
  std::optional<Instant> ended;  // of that run's operation, where it is not the run before
};
using Requests = std::map<std::string, Standing>;  // by params

struct Listing {
  std::string manifest;          // hex; what stands, apart from `carried`; empty when nothing was ever folded in
  Requests carried;              // requests that are holes in `manifest` and stand as an earlier run showed them; without pages: not at all
  std::optional<Instant> ended;  // when it was last complete; told only while it is not
  std::optional<Instant> observed;  // latest own date of an answer
  bool complete = false;            // in the run before
  bool repeats = false;             // some key is shown by more than one page: pages cannot be folded in one by one
  bool stored = false, dirty = false;
};

std::string write_carried(const Requests& carried);
Result<Requests> read_carried(std::string_view text);

// A request of the new run that was not answered.
struct Unanswered {
  std::string params, key;
  std::string reason;  // "denied (AccessDenied)"
};

// "denied (AccessDenied)", of a hole.
std::string reason_of(const evidence::Entry& hole);

// One page whose rows are to be read: newly shown, or no longer.
struct PageOf {
  const std::string* params;
  const Page* page;
  std::optional<Instant> seen_before;  // when the request was last seen otherwise
};

// The difference between what stands and a new manifest. Points into both and into `current`.
struct Difference {
  Requests current;  // what will stand and is in the new manifest
  Requests carried;  // what will stand and is not
  std::vector<Unanswered> unanswered;
  std::vector<PageOf> shown, hidden;
};

// Requests with a key of their own whose answer has not the shape that its tables need: params, and why.
using Spoiled = std::map<std::string, std::string>;

// `before`: what stands. `previously`: when the operation was last complete. What is spoiled counts as not answered.
Difference compare(const Requests& before, const evidence::Manifest& manifest, std::optional<Instant> previously,
                   const Spoiled& spoiled = {});

// What stands after `manifest` was folded in: its answered requests, but those that are carried as they are carried.
Requests standing_after(const evidence::Manifest& manifest, const Requests& carried);

// Requests of a manifest whose every page was answered.
Requests answered(const evidence::Manifest& manifest);

}  // namespace vouch::facts
