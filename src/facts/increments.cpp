// Folds manifests that add to others (docs/evidence.md, "Increments"): rows are added and replaced, and never end.
//
// Of an incremental operation Listing::carried holds the requests that are not wholly in the tables: without pages those that were not
// answered, since when; with pages those whose answers had not the shape that the tables need. What an increment did not bring no later one
// brings again, so the latter stay holes until the operation is read as a whole.
#include "facts/account.h"

namespace vouch::facts {

// From the oldest to `manifest` itself.
Result<std::vector<std::pair<Digest, evidence::Manifest>>> Account::not_folded_yet(const Digest& digest, const evidence::Manifest& manifest,
                                                                                   const Listing& listing) {
  std::vector<std::pair<Digest, evidence::Manifest>> chain;
  if (listing.manifest == to_hex(digest)) return chain;
  chain.emplace_back(digest, manifest);
  std::set<Digest> folded;
  for (auto at = listing.manifest; !at.empty();) {
    const auto known = TRY(parse_digest(at));
    folded.insert(known);
    if (chain.back().second.base == known) break;  // nearly always: nothing else need be read
    const auto older = TRY(folding_.answers.manifest(known));
    at = older.base ? to_hex(*older.base) : "";
  }
  while (chain.back().second.base && !folded.contains(*chain.back().second.base)) {
    const auto base = *chain.back().second.base;
    chain.emplace_back(base, TRY(folding_.answers.manifest(base)));
  }
  std::reverse(chain.begin(), chain.end());
  return chain;
}

Result<> Account::fold_increments(const evidence::TreeEntry& entry, Listing& listing, const Moment& moment,
                                  const evidence::Manifest& newest) {
  std::vector<Unanswered> unanswered;
  for (const auto& [digest, manifest] : TRY(not_folded_yet(entry.manifest, newest, listing))) {
    if (!manifest.base) std::erase_if(listing.carried, [](const auto& one) { return !one.second.pages.empty(); });
    PageFold fold{folding_.answers, entry.operation, live_tables(entry, listing), about(entry, moment)};
    TRY(fold_increment(manifest, fold, listing, moment, unanswered));
    listing.manifest = to_hex(digest);
  }

  std::set<std::string> kept;
  for (const auto& [params, standing] : listing.carried)
    if (!standing.pages.empty()) kept.insert(params);
  Requests refused;
  for (const auto& request : newest.requests) {
    if (!request.hole || kept.contains(request.params) || refused.contains(request.params)) continue;
    const auto before = listing.carried.find(request.params);
    refused[request.params].ended = before != listing.carried.end() ? before->second.ended : moment.previously;
    unanswered.push_back({request.params, request.key, reason_of(request)});
  }
  std::erase_if(listing.carried, [](const auto& one) { return one.second.pages.empty(); });
  listing.carried.merge(refused);
  fold_holes(entry, unanswered, moment, kept);
  return {};
}

// One manifest's answers. Those of a request that turns out to be spoiled are left out as a whole, and its key becomes a hole.
Result<> Account::fold_increment(const evidence::Manifest& manifest, PageFold& fold, Listing& listing, const Moment& moment,
                                 std::vector<Unanswered>& unanswered) {
  std::vector<Page> pages;
  pages.reserve(manifest.requests.size());
  for (const auto& request : manifest.requests) pages.push_back(page_of(request));
  const auto sound = [&] {
    std::vector<PageOf> shown;
    for (std::size_t i = 0; i < pages.size(); ++i) {
      const auto& request = manifest.requests[i];
      if (!request.is_answer() || fold.spoiled().contains(request.params)) continue;
      const auto carried = listing.carried.find(request.params);
      const bool was_hole = carried != listing.carried.end() && carried->second.ended;
      shown.push_back({&request.params, &pages[i], was_hole ? carried->second.ended : moment.previously});
    }
    return shown;
  };
  TRY(fold.read(sound(), {}));
  if (!fold.spoiled().empty()) TRY(fold.read(sound(), {}));
  TRY(fold.repeats(folding_.store));  // fetches the rows that are concerned
  const auto folded =
      TRY(fold.apply(folding_.store, false, {moment.started, moment.previously, moment.leaf}, moment.ended, listing.observed));
  count(folded);
  if (folded.observed) listing.observed = folded.observed;
  for (std::size_t i = 0; i < pages.size(); ++i) {
    const auto& request = manifest.requests[i];
    const auto why = fold.spoiled().find(request.params);
    if (why == fold.spoiled().end() || !request.is_answer()) continue;
    auto& carried = listing.carried[request.params];
    if (carried.pages.empty()) unanswered.push_back({request.params, request.key, "failed: " + why->second});
    if (!carried.ended) carried.ended = moment.previously;
    carried.pages.push_back(pages[i]);
  }
  return {};
}

}  // namespace vouch::facts
