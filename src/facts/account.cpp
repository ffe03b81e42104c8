#include "facts/account.h"

namespace vouch::facts {
namespace {

constexpr std::size_t pages_at_once = 100;

}  // namespace

Account::Account(Folding& folding, std::string source, std::string account)
    : folding_(folding), source_(std::move(source)), account_(std::move(account)), holes_(source_, account_) {}

namespace {

// The times, the schedule and the evidence of a run, as vouch.run keeps them.
Result<std::optional<evidence::CollectionLeaf>> read_run(table::Store& store, const std::string& source, const std::string& account,
                                                         std::string_view condition) {
  const auto rows =
      TRY(store.query(fmt::format("select started, ended, schedule, tree, times from vouch.run where source = ? and account = ? {} "
                                  "order by leaf desc limit 1",
                                  condition),
                      {source, account}));
  if (rows.rows.empty()) return std::optional<evidence::CollectionLeaf>{};
  const auto& row = rows.rows[0];
  evidence::CollectionLeaf run;
  run.started = std::get<Instant>(row[0]);
  run.ended = std::get<Instant>(row[1]);
  run.schedule = {std::get<std::int64_t>(row[2])};
  if (const auto tree = table::to_text(row[3]); !tree.empty()) run.tree = TRY(parse_digest(tree));
  if (const auto times = table::to_text(row[4]); !times.empty()) run.times = TRY(parse_digest(times));
  return std::optional{run};
}

std::optional<Instant> instant_or_nothing(const table::Value& value) {
  const auto* at = std::get_if<Instant>(&value);
  return at ? std::optional{*at} : std::nullopt;
}

// When an operation was read; what the tree does not name was read at some time of the run.
evidence::Span span_of(const evidence::Tree& tree, const evidence::Times& times, const evidence::CollectionLeaf& leaf,
                       std::string_view operation, const evidence::Scope& scope) {
  const auto* entry = tree.find(operation, scope);
  const auto place = entry ? static_cast<std::size_t>(entry - tree.entries.data()) : times.size();
  return place < times.size() ? times[place] : evidence::Span{leaf.started, leaf.ended};
}

table::Value value_of(const std::optional<Instant>& at) { return at ? table::Value{*at} : table::Value{}; }

}  // namespace

Result<> Account::fetch() {
  last_ = TRY(read_run(folding_.store, source_, account_, ""));
  known_ = last_.has_value();
  if (!known_) return {};
  last_with_tree_ = TRY(read_run(folding_.store, source_, account_, "and tree <> ''"));
  TRY(holes_.fetch(folding_.store));
  const auto rows =
      TRY(folding_.store.query("select operation, region, manifest, carried, ended, observed, complete, repeats from vouch.listing "
                               "where source = ? and account = ?",
                               {source_, account_}));
  for (const auto& row : rows.rows)
    listings_.emplace(Scoped{table::to_text(row[0]), table::to_text(row[1])},
                      Listing{table::to_text(row[2]), TRY(read_carried(table::to_text(row[3]))), instant_or_nothing(row[4]),
                              instant_or_nothing(row[5]), std::get<bool>(row[6]), std::get<bool>(row[7]), true, false});
  return {};
}

Result<> Account::fold(LeafIndex index, const evidence::CollectionLeaf& leaf) {
  fold_time(index, leaf);
  if (leaf.tree && leaf.times) {
    if (!last_with_tree_ || last_with_tree_->tree != leaf.tree) TRY_WITHIN(fold_tree(index, leaf), "leaf {}", index.value);
    last_with_tree_ = leaf;
    times_.reset();
  }
  last_ = leaf;
  known_ = true;
  return {};
}

void Account::fail_blindly(LeafIndex index, const evidence::CollectionLeaf& leaf) {
  if (!known_) return;
  const HoleId whole{source_, "", ""};
  holes_.open(whole, {{"account", account_}}, last_->ended, leaf.started, "collection failed: " + leaf.reason, index);
  all_changed();
}

// The holes that the run itself tells: before the first, too long after the one before, or because it brought nothing.
void Account::fold_time(LeafIndex index, const evidence::CollectionLeaf& leaf) {
  const HoleId whole{source_, "", ""};
  const std::map<std::string, std::string> key{{"account", account_}};
  if (!known_) {
    holes_.add(whole, key, beginning, leaf.started, "not collected", {});
    all_changed();
  }
  if (!leaf.tree) {
    const auto from = known_ ? last_->ended : leaf.started;
    if (holes_.open(whole, key, from, leaf.started, fmt::format("collection {}: {}", name_of(leaf.outcome), leaf.reason), index))
      all_changed();
    return;
  }
  if (holes_.close(whole, leaf.started)) {
    all_changed();
  } else if (known_ && leaf.started - last_->ended > tolerance_of(last_->schedule)) {
    holes_.add(whole, key, last_->ended, leaf.started, fmt::format("no collection for {}", to_string(leaf.started - last_->ended)), index);
    all_changed();
  }
}

Result<> Account::fold_tree(LeafIndex index, const evidence::CollectionLeaf& leaf) {
  auto tree = TRY(folding_.answers.tree(*leaf.tree));
  const auto times = TRY(folding_.answers.times(*leaf.times));
  if (!tree_ && last_with_tree_) tree_ = TRY(folding_.answers.tree(*last_with_tree_->tree));
  const auto moment_of = [&](const evidence::TreeEntry& entry) -> Result<Moment> {
    const auto& listing = listings_[{entry.operation, entry.scope.region}];
    const auto own = span_of(tree, times, leaf, entry.operation, entry.scope);
    const auto before = TRY(last_complete(entry.operation, entry.scope, listing));
    return Moment{index, leaf.partition, own.started, own.ended, before};
  };
  for (const auto& entry : tree.entries) {
    if (tables_from(entry.operation).empty()) continue;
    const auto* before = tree_ ? tree_->find(entry.operation, entry.scope) : nullptr;
    if (before && *before == entry) continue;
    TRY_WITHIN(fold_entry(entry, TRY(moment_of(entry))), "{}{}", entry.operation,
               entry.scope.region.empty() ? "" : " in " + entry.scope.region);
  }
  if (tree_)
    for (const auto& entry : tree_->entries)
      if (!tree.find(entry.operation, entry.scope) && !tables_from(entry.operation).empty()) {
        auto moment = TRY(moment_of(entry));
        moment.started = leaf.started;
        no_longer_asked(entry, moment);
      }
  tree_ = std::move(tree);
  return {};
}

Result<std::optional<Instant>> Account::last_complete(const std::string& operation, const evidence::Scope& scope, const Listing& listing) {
  if (!listing.complete || !last_with_tree_) return listing.ended;
  if (!times_) times_ = TRY(folding_.answers.times(*last_with_tree_->times));
  return std::optional{span_of(*tree_, *times_, *last_with_tree_, operation, scope).ended};
}

Result<> Account::fold_entry(const evidence::TreeEntry& entry, const Moment& moment) {
  auto& listing = listings_[{entry.operation, entry.scope.region}];
  const HoleId whole{entry.operation, entry.scope.region, ""};
  const auto key = key_of_scope(entry.scope.region);
  if (!listing.stored && !listing.dirty) {
    holes_.add(whole, key, beginning, moment.started, fmt::format("{} not collected", entry.operation), {});
    changed(entry.operation);
  }
  listing.dirty = true;
  auto reason = fmt::format("{} {}", entry.operation, entry.reason.empty() ? name_of(entry.outcome) : entry.reason);
  if (entry.outcome == evidence::Outcome::complete || entry.outcome == evidence::Outcome::partial) {
    auto folded = fold_manifest(entry, listing, moment);
    if (folded) {
      if (holes_.close(whole, moment.started)) changed(entry.operation);
      listing.complete = true;
      listing.ended.reset();
      return {};
    }
    if (is_damage(folded.error())) return folded;
    reason = fmt::format("{} failed: {}", entry.operation, folded.error().message);
  }
  if (holes_.open(whole, key, moment.previously.value_or(moment.started), moment.started, reason, moment.leaf)) changed(entry.operation);
  listing.complete = false;
  listing.ended = moment.previously;
  return {};
}

// Every page that will stand, in the manifest's order.
std::vector<PageOf> Account::all_pages(const Difference& difference, const Requests& before, const Moment& moment) {
  std::vector<PageOf> all;
  for (const auto* requests : {&difference.current, &difference.carried})
    for (const auto& [params, standing] : *requests) {
      const auto old = before.find(params);
      const auto seen_before = old != before.end() && old->second.ended ? old->second.ended : moment.previously;
      for (const auto& page : standing.pages) all.push_back({&params, &page, seen_before});
    }
  std::stable_sort(all.begin(), all.end(), [](const PageOf& a, const PageOf& b) { return *a.params < *b.params; });
  return all;
}

// A long listing of which nothing stood before, its rows to the database as they are read: memory does not grow with it. Nothing, and
// nothing has changed, where that would not do: a key stands on two pages, or an answer has not the shape that its tables need.
Result<std::optional<Folded>> Account::fold_in_parts(const evidence::TreeEntry& entry, const Listing& listing, const Difference& difference,
                                                     const Moment& moment) {
  const auto tables = live_tables(entry, listing);
  const auto& pages = difference.shown;
  const bool fresh = listing.manifest.empty() && std::ranges::all_of(tables, [](const Live* live) { return live->is_fresh(); });
  if (!fresh || pages.size() <= pages_at_once) return std::optional<Folded>{};
  PageFold fold{folding_.answers, entry.operation, tables, about(entry, moment)};
  Folded folded;
  for (std::size_t from = 0; from < pages.size(); from += pages_at_once) {
    const auto first = pages.begin() + static_cast<std::ptrdiff_t>(from);
    const auto read = fold.read_on({first, first + static_cast<std::ptrdiff_t>(std::min(pages_at_once, pages.size() - from))});
    if (!read && is_damage(read.error())) return std::unexpected(read.error());
    if (!read || !fold.spoiled().empty() || fold.repeats()) {
      for (auto* live : tables) TRY(live->take_back(folding_.store));
      return std::optional<Folded>{};
    }
    folded.add(TRY(fold.apply(folding_.store, false, {moment.started, moment.previously, moment.leaf}, moment.ended, listing.observed)));
    for (auto* live : tables) TRY(live->hand_over(folding_.store));
  }
  return std::optional{std::move(folded)};
}

Result<> Account::fold_manifest(const evidence::TreeEntry& entry, Listing& listing, const Moment& moment) {
  auto& answers = folding_.answers;
  const auto manifest = TRY(answers.manifest(entry.manifest));
  if (manifest.base || tables_from(entry.operation).front()->incremental) return fold_increments(entry, listing, moment, manifest);
  evidence::Manifest stood;
  if (!listing.manifest.empty()) stood = TRY(answers.manifest(TRY(parse_digest(listing.manifest))));
  const auto before = standing_after(stood, listing.carried);
  auto difference = compare(before, manifest, moment.previously);

  const auto finish = [&](const Folded& folded, bool repeats) {
    count(folded);
    listing.repeats = repeats;
    listing.manifest = to_hex(entry.manifest);
    listing.carried = std::move(difference.carried);
    if (folded.observed) listing.observed = folded.observed;
    fold_holes(entry, difference.unanswered, moment);
  };
  bool whole = listing.repeats || stood.base;
  if (!whole)
    if (const auto folded = TRY(fold_in_parts(entry, listing, difference, moment))) {
      finish(*folded, false);
      return {};
    }

  PageFold fold{answers, entry.operation, live_tables(entry, listing), about(entry, moment)};
  const auto read = [&]() -> Result<> {
    return whole ? fold.read(all_pages(difference, before, moment), {}) : fold.read(difference.shown, difference.hidden);
  };
  // Answers that turn out to be spoiled count as not given, which makes another difference.
  const auto read_what_is_sound = [&]() -> Result<> {
    const auto known = fold.spoiled().size();
    TRY(read());
    if (fold.spoiled().size() == known) return {};
    difference = compare(before, manifest, moment.previously, fold.spoiled());
    return read();
  };
  TRY(read_what_is_sound());
  if (!whole && TRY(fold.repeats(folding_.store))) {
    whole = true;
    TRY(read_what_is_sound());
  }
  finish(TRY(fold.apply(folding_.store, whole, {moment.started, moment.previously, moment.leaf}, moment.ended, listing.observed)), whole);
  return {};
}

// Requests without an answer are holes of their own keys; those that were and are no more, end.
void Account::fold_holes(const evidence::TreeEntry& entry, const std::vector<Unanswered>& unanswered, const Moment& moment,
                         const std::set<std::string>& kept) {
  std::set<HoleId> still;
  for (const auto& params : kept) still.insert({entry.operation, entry.scope.region, params});
  for (const auto& [params, key, reason] : unanswered) {
    const HoleId id{entry.operation, entry.scope.region, params};
    still.insert(id);
    auto concerned = key_of_scope(entry.scope.region);
    if (const auto columns = parse_json(key); columns && columns->is_object()) concerned.merge(key_of(*columns));
    if (holes_.open(id, concerned, moment.previously.value_or(moment.started), moment.started,
                    fmt::format("{} {}", entry.operation, reason), moment.leaf))
      changed(entry.operation);
  }
  for (const auto& id : holes_.open_requests(entry.operation, entry.scope.region))
    if (!still.contains(id) && holes_.close(id, moment.started)) changed(entry.operation);
}

void Account::no_longer_asked(const evidence::TreeEntry& entry, const Moment& moment) {
  auto& listing = listings_[{entry.operation, entry.scope.region}];
  holes_.open({entry.operation, entry.scope.region, ""}, key_of_scope(entry.scope.region), moment.previously.value_or(moment.started),
              moment.started, fmt::format("{} no longer collected", entry.operation), moment.leaf);
  changed(entry.operation);
  listing.complete = false;
  listing.ended = moment.previously;
  listing.dirty = true;
}

std::vector<Live*> Account::live_tables(const evidence::TreeEntry& entry, const Listing& listing) {
  const bool fresh = !listing.stored && listing.manifest.empty();
  std::vector<Live*> tables;
  for (const auto* table : tables_from(entry.operation)) tables.push_back(&live(*table, entry.scope.region, fresh));
  return tables;
}

About Account::about(const evidence::TreeEntry& entry, const Moment& moment) const {
  About about;
  about.account = account_;
  about.region = entry.scope.region;
  about.partition = moment.partition;
  return about;
}

void Account::count(const Folded& folded) {
  folding_.rows_opened += folded.opened;
  folding_.rows_closed += folded.closed;
  folding_.changed.insert(folded.changed.begin(), folded.changed.end());
}

std::vector<const FactTable*> Account::tables_from(std::string_view operation) const {
  auto tables = folding_.catalog.from(operation);
  std::erase_if(tables, [&](const FactTable* table) { return table->source != source_; });
  return tables;
}

void Account::all_changed() {
  for (const auto& table : folding_.catalog.tables)
    if (table.source == source_) folding_.changed.insert(table.name);
}

void Account::changed(std::string_view operation) {
  for (const auto* table : tables_from(operation)) folding_.changed.insert(table->name);
}

std::map<std::string, std::string> Account::key_of_scope(const std::string& region) const {
  std::map<std::string, std::string> key{{"account", account_}};
  if (!region.empty()) key["region"] = region;
  return key;
}

Live& Account::live(const FactTable& table, const std::string& region, bool fresh) {
  return live_.try_emplace({&table, region}, table, account_, region, fresh).first->second;
}

Result<> Account::write_ended() {
  for (auto& [table, live] : live_)
    if (live.closed_rows() > 50'000) TRY(live.write(folding_.store, false));
  return {};
}

Result<> Account::write() {
  auto& store = folding_.store;
  for (auto& [table, live] : live_) TRY(live.write(store, true));
  TRY(holes_.write(store));
  for (const auto& [id, listing] : listings_)
    if (listing.stored && listing.dirty)
      TRY(store.execute("delete from vouch.listing where source = ? and account = ? and operation = ? and region = ?",
                        {source_, account_, id.first, id.second}));
  auto rows = TRY(store.appender("vouch.listing"));
  for (const auto& [id, listing] : listings_) {
    if (!listing.dirty) continue;
    rows.add_text(source_).add_text(account_).add_text(id.first).add_text(id.second).add_text(listing.manifest);
    rows.add_text(write_carried(listing.carried)).add(value_of(listing.ended)).add(value_of(listing.observed));
    TRY(rows.add(listing.complete).add(listing.repeats).end_row());
  }
  return rows.flush();
}

}  // namespace vouch::facts
