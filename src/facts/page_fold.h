// facts/page_fold.h - folds pages of one operation and scope into its tables: reads all of them first, then changes the rows. Of this
// module only.
#pragma once

#include "facts/listing.h"
#include "facts/live.h"

namespace vouch::facts {

struct Folded {
  std::uint64_t opened = 0, closed = 0;
  std::vector<std::string> changed;  // tables
  std::optional<Instant> observed;   // the latest date that an answer gave itself

  void add(const Folded& more);
};

class PageFold {
 public:
  // All of it must outlive this.
  PageFold(Answers& answers, std::string_view operation, std::vector<Live*> tables, About about)
      : answers_(answers), operation_(operation), about_(about) {
    for (auto* live : tables) tables_.push_back({live, {}, {}, {}, {}});
  }

  // Reads pages that are newly shown, in the manifest's order, and those that no longer are. Rows that both show alike are dropped: they
  // stand as they stood. An answer that has not the shape that its tables need is spoiled() where its request has a key of its own, else
  // Errc::malformed; nothing was changed in either case.
  Result<> read(const std::vector<PageOf>& shown, const std::vector<PageOf>& hidden);
  // Further pages in place of those that were read, which apply() has seen.
  Result<> read_on(const std::vector<PageOf>& shown);

  [[nodiscard]] const Spoiled& spoiled() const { return spoiled_; }

  // Whether a key stands on more than one page of all that were read, so that a page that no longer shows it does not tell that it is gone.
  // Now and then that is said of keys of one hash.
  [[nodiscard]] bool repeats() const { return repeats_; }
  // The same, pages that did not change among them. Fetches the rows concerned.
  Result<bool> repeats(table::Store& store);

  // `whole`: the pages read are all there are, rows that none of them shows have gone. `ended`: bounds an answer's own date.
  Result<Folded> apply(table::Store& store, bool whole, const Sight& sight, Instant ended, std::optional<Instant> observed_before);

 private:
  struct Shown {
    Row row;
    std::size_t page;  // its place among the pages shown
  };
  struct Table {
    Live* live;
    std::vector<Shown> shown;
    std::unordered_map<Digest, std::string> hidden;  // keys, by what the rows say
    std::vector<std::optional<Instant>> observed;    // of each page shown
    std::unordered_set<std::size_t> seen;            // hashes of the keys of all pages shown
  };
  Result<> read_page(const PageOf& page, std::size_t place, bool shown);
  void apply(Table& table, bool whole, const Sight& sight, Instant ended, std::optional<Instant> observed_before, Folded& folded);

  Answers& answers_;
  std::string_view operation_;
  About about_;
  std::vector<Table> tables_;
  Spoiled spoiled_;
  bool repeats_ = false;
  std::vector<std::optional<Instant>> seen_before_;  // of each page shown
};

}  // namespace vouch::facts
