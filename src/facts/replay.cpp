#include "facts/replay.h"

#include "facts/account.h"
#include "facts/row.h"
#include "facts/schema.h"

namespace vouch::facts {
namespace {

// What the database was built from.
struct Built {
  TreeSize size;
  std::string root, catalog, models;
  bool simulated = false;
};

Result<Built> read_built(table::Store& store) {
  const auto rows = TRY(store.query("select size, root, catalog, models, simulated from vouch.state"));
  if (rows.rows.size() != 1) return fail(Errc::corrupt, "vouch.state does not have one row");
  const auto& row = rows.rows[0];
  return Built{{static_cast<std::uint64_t>(std::get<std::int64_t>(row[0]))},
               table::to_text(row[1]),
               table::to_text(row[2]),
               table::to_text(row[3]),
               std::get<bool>(row[4])};
}

std::string root_text(const Digest& root) { return to_base64(root.bytes); }

// Whether what is built is a fold of a prefix of this log, with this catalogue and these models; else it is built anew.
Result<bool> goes_on(const Built& built, const Reader& log, const FactCatalog& catalog, const wire::Models& models) {
  if (built.size.value == 0) return built.catalog == to_hex(catalog.digest);
  if (built.catalog != to_hex(catalog.digest) || built.models != to_hex(models.digest())) return false;
  if (built.size > log.checkpoint().size) return false;
  return root_text(TRY(log.root_at(built.size))) == built.root;
}

class Replay {
 public:
  Replay(const Reader& log, const Blobs& blobs, const wire::Models& models, Facts& facts, const Progress& progress)
      : log_(log),
        models_(models),
        store_(facts.store()),
        progress_(progress),
        folding_{facts.store(), facts.catalog(), {blobs, models}, 0, 0, {}} {}

  Result<Replayed> run(Built built, bool anew) {
    if (anew) {
      TRY(make_schema(store_, folding_.catalog));
      built = Built{};
      for (const auto& table : folding_.catalog.tables) folding_.changed.insert(table.name);
    }
    done_.from = built.size;
    done_.to = log_.checkpoint().size;
    simulated_ = built.simulated;
    TRY(log_.for_each(LeafIndex{built.size.value}, done_.to, [&](LeafIndex index, std::string_view entry) { return visit(index, entry); }));
    for (auto& [id, account] : accounts_) TRY(account.write());
    TRY(write_runs());
    TRY(write_entry_rows());
    TRY(store_.execute("update vouch.state set size = ?, root = ?, catalog = ?, models = ?, simulated = ?",
                       {static_cast<std::int64_t>(done_.to.value), root_text(log_.checkpoint().root), to_hex(folding_.catalog.digest),
                        to_hex(models_.digest()), simulated_}));
    done_.manifests_read = folding_.answers.manifests_read;
    done_.bodies_read = folding_.answers.bodies_read;
    done_.rows_opened = folding_.rows_opened;
    done_.rows_closed = folding_.rows_closed;
    done_.changed_tables.assign(folding_.changed.begin(), folding_.changed.end());
    return std::move(done_);
  }

 private:
  Result<> visit(LeafIndex index, std::string_view entry) {
    if (evidence::has_kind(entry, "collection")) TRY(fold(index, entry));
    if (evidence::has_kind(entry, "scope")) TRY(fold_scope(index, entry));
    if (progress_) progress_(index.value + 1 - done_.from.value, done_.to.value - done_.from.value);
    return {};
  }

  Result<> fold(LeafIndex index, std::string_view entry) {
    auto leaf = evidence::parse_collection_leaf(entry);
    if (!leaf) return fail(Errc::corrupt, "leaf {}: {}", index.value, leaf.error().message);
    ++done_.collections;
    simulated_ = simulated_ || leaf->simulated;
    if (leaf->account.empty()) {
      for (auto* account : TRY(accounts_of(leaf->source))) account->fail_blindly(index, *leaf);
    } else {
      auto* account = TRY(account_of(leaf->source, leaf->account));
      TRY(account->fold(index, *leaf));
      TRY(account->write_ended());
    }
    TRY(fold_entry(index, "ledger:collection", TRY(parse_json(entry)), leaf->account, leaf->ended));
    runs_.emplace_back(index, std::move(*leaf));
    return {};
  }

  // A row for each account that the decision names.
  Result<> fold_scope(LeafIndex index, std::string_view entry) {
    auto leaf = evidence::parse_scope_leaf(entry);
    if (!leaf) return fail(Errc::corrupt, "leaf {}: {}", index.value, leaf.error().message);
    for (const auto& [account, in, reason] : leaf->accounts) {
      json::object decision{{"source", leaf->source}, {"at", to_string(leaf->at)}, {"in", in}};
      if (!reason.empty()) decision["reason"] = reason;
      TRY(fold_entry(index, "ledger:scope", Json(std::move(decision)), account, leaf->at));
    }
    // Whose rows count is another question from here on.
    for (const auto& table : folding_.catalog.tables)
      if (table.source == leaf->source) folding_.changed.insert(table.name);
    return {};
  }

  // Rows of the tables that read the entry itself. They date themselves, and nothing ends them.
  Result<> fold_entry(LeafIndex index, std::string_view kind, const Json& answer, const std::string& account, Instant from) {
    for (const auto* table : folding_.catalog.from(kind)) {
      About about;
      about.account = account;
      for (auto& row : TRY_WITHIN(rows_of(*table, Shape{*table}, answer, about), "table `{}`, leaf {}", table->name, index.value))
        entry_rows_.push_back({table, index, account, std::move(row.values), from});
      folding_.changed.insert(table->name);
    }
    return {};
  }

  Result<> write_entry_rows() {
    for (const auto& table : folding_.catalog.tables) {
      if (!table.is_of_ledger()) continue;
      auto rows = TRY(store_.appender(table.name));
      for (const auto& row : entry_rows_) {
        if (row.table != &table) continue;
        rows.add_text(row.account);
        for (CellReader cells{row.values}; !cells.done();) cells.append_to(rows);
        rows.add(row.from).add(Instant::infinity()).add_text("recalled").add(table::Value{});
        TRY(rows.add(static_cast<std::int64_t>(row.leaf.value)).end_row());
      }
      TRY(rows.flush());
    }
    return {};
  }

  Result<Account*> account_of(const std::string& source, const std::string& account) {
    const auto known = accounts_.find({source, account});
    if (known != accounts_.end()) return &known->second;
    Account fetched{folding_, source, account};
    TRY(fetched.fetch());
    return &accounts_.emplace(std::pair{source, account}, std::move(fetched)).first->second;
  }

  // All that were ever collected, before these leaves or in them.
  Result<std::vector<Account*>> accounts_of(const std::string& source) {
    const auto rows = TRY(store_.query("select distinct account from vouch.run where source = ? and account <> ''", {source}));
    for (const auto& row : rows.rows) TRY(account_of(source, table::to_text(row[0])));
    std::vector<Account*> found;
    for (auto& [id, account] : accounts_)
      if (id.first == source) found.push_back(&account);
    return found;
  }

  Result<> write_runs() {
    auto rows = TRY(store_.appender("vouch.run"));
    for (const auto& [index, leaf] : runs_) {
      rows.add_text(leaf.source).add_text(leaf.account).add(static_cast<std::int64_t>(index.value)).add_text(leaf.run);
      rows.add(leaf.started).add(leaf.ended).add(leaf.schedule.micros).add_text(name_of(leaf.outcome)).add_text(leaf.reason);
      TRY(rows.add_text(leaf.tree ? to_hex(*leaf.tree) : "").add_text(leaf.times ? to_hex(*leaf.times) : "").end_row());
    }
    return rows.flush();
  }

  const Reader& log_;
  const wire::Models& models_;
  table::Store& store_;
  const Progress& progress_;
  Folding folding_;
  Replayed done_;
  bool simulated_ = false;
  std::map<std::pair<std::string, std::string>, Account> accounts_;
  std::vector<std::pair<LeafIndex, evidence::CollectionLeaf>> runs_;
  struct EntryRow {
    const FactTable* table;
    LeafIndex leaf;
    std::string account, values;
    Instant from;
  };
  std::vector<EntryRow> entry_rows_;
};

}  // namespace

Result<Replayed> replay(const Reader& log, const Blobs& blobs, const wire::Models& models, Facts& facts, const Progress& progress) {
  auto& store = facts.store();
  const auto built = TRY(read_built(store));
  const bool anew = !TRY(goes_on(built, log, facts.catalog(), models));
  if (!anew && built.size == log.checkpoint().size) {
    Replayed nothing;
    nothing.from = nothing.to = built.size;
    return nothing;
  }
  Replayed done;
  TRY(store.transaction([&]() -> Result<> {
    done = TRY((Replay{log, blobs, models, facts, progress}.run(built, anew)));
    return {};
  }));
  facts.changed();
  return done;
}

Result<Replayed> rebuild(const fs::path& home, const Reader& log, const Blobs& blobs, const wire::Models& models, FactCatalog catalog,
                         const Progress& progress) {
  // A folder of its own, so that two rebuilds are not in each other's way.
  auto name = (home / "facts-XXXXXX").string();
  if (!::mkdtemp(name.data())) return fail(Errc::io, "cannot make a folder in `{}`: {}", home.string(), errno_text(errno));
  struct Folder {
    fs::path path;
    ~Folder() {
      std::error_code ignored;
      fs::remove_all(path, ignored);
    }
  } const folder{name};
  Replayed done;
  {
    auto facts = TRY(Facts::create(folder.path, std::move(catalog)));
    done = TRY(replay(log, blobs, models, facts, progress));
  }
  TRY(table::Store::replace(home / "facts.duckdb", folder.path / "facts.duckdb"));
  return done;
}

}  // namespace vouch::facts
