// facts/account.h - folds the collections of one source and account into the tables, one after the other. Of this module only.
#pragma once

#include "facts/facts.h"
#include "facts/hole_book.h"
#include "facts/listing.h"
#include "facts/live.h"
#include "facts/page_fold.h"

namespace vouch::facts {

// What all accounts of a replay share.
struct Folding {
  table::Store& store;
  const FactCatalog& catalog;
  Answers answers;
  std::uint64_t rows_opened = 0, rows_closed = 0;
  std::set<std::string> changed;  // tables
};

class Account {
 public:
  Account(Folding& folding, std::string source, std::string account);

  // What the database knows of it.
  Result<> fetch();

  // Errc::corrupt when evidence is not what its name says; what a provider answered is never an error but a hole.
  Result<> fold(LeafIndex index, const evidence::CollectionLeaf& leaf);
  // A collection of this source that failed before it knew the account.
  void fail_blindly(LeafIndex index, const evidence::CollectionLeaf& leaf);

  // Frees memory; to be called between leaves.
  Result<> write_ended();
  Result<> write();

 private:
  // Where an entry of a tree stands in time.
  struct Moment {
    LeafIndex leaf;
    std::string partition;
    Instant started, ended;
    std::optional<Instant> previously;  // when the operation was last complete
  };
  using Scoped = std::pair<std::string, std::string>;  // operation, region

  void fold_time(LeafIndex index, const evidence::CollectionLeaf& leaf);
  Result<> fold_tree(LeafIndex index, const evidence::CollectionLeaf& leaf);
  Result<> fold_entry(const evidence::TreeEntry& entry, const Moment& moment);
  Result<> fold_manifest(const evidence::TreeEntry& entry, Listing& listing, const Moment& moment);
  Result<> fold_increments(const evidence::TreeEntry& entry, Listing& listing, const Moment& moment, const evidence::Manifest& newest);
  Result<> fold_increment(const evidence::Manifest& manifest, PageFold& fold, Listing& listing, const Moment& moment,
                          std::vector<Unanswered>& unanswered);
  Result<std::vector<std::pair<Digest, evidence::Manifest>>> not_folded_yet(const Digest& digest, const evidence::Manifest& manifest,
                                                                            const Listing& listing);
  static std::vector<PageOf> all_pages(const Difference& difference, const Requests& before, const Moment& moment);
  Result<std::optional<Folded>> fold_in_parts(const evidence::TreeEntry& entry, const Listing& listing, const Difference& difference,
                                              const Moment& moment);
  // `kept`: params whose holes stay as they are.
  void fold_holes(const evidence::TreeEntry& entry, const std::vector<Unanswered>& unanswered, const Moment& moment,
                  const std::set<std::string>& kept = {});
  void no_longer_asked(const evidence::TreeEntry& entry, const Moment& moment);
  Result<std::optional<Instant>> last_complete(const std::string& operation, const evidence::Scope& scope, const Listing& listing);

  std::vector<Live*> live_tables(const evidence::TreeEntry& entry, const Listing& listing);
  About about(const evidence::TreeEntry& entry, const Moment& moment) const;
  void count(const Folded& folded);
  std::vector<const FactTable*> tables_from(std::string_view operation) const;
  void all_changed();
  void changed(std::string_view operation);
  std::map<std::string, std::string> key_of_scope(const std::string& region) const;
  Live& live(const FactTable& table, const std::string& region, bool fresh);

  Folding& folding_;
  std::string source_, account_;
  bool known_ = false;                            // whether there was any run
  std::optional<evidence::CollectionLeaf> last_;  // only its times, schedule and tree count
  std::optional<evidence::CollectionLeaf> last_with_tree_;
  std::optional<evidence::Tree> tree_;    // of last_with_tree_
  std::optional<evidence::Times> times_;  // likewise
  HoleBook holes_;
  std::map<Scoped, Listing> listings_;
  std::map<std::pair<const FactTable*, std::string>, Live> live_;
};

}  // namespace vouch::facts
