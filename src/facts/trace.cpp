// From a fact, or its absence, back to the bytes that a provider sent.
#include "facts/answers.h"
#include "facts/data.h"
#include "facts/row.h"
#include "ledger/read.h"

namespace vouch::facts {
namespace {

using Key = std::map<std::string, std::string>;

// The evidence of one collection.
struct Run {
  LeafIndex index;
  evidence::CollectionLeaf leaf;
  evidence::Tree tree;
};

class Tracer {
 public:
  Tracer(const Reader& log, const Blobs& blobs, const wire::Models& models, const FactTable& table)
      : log_(log), answers_(blobs, models), table_(table) {}

  Result<Run> run_at(LeafIndex index) {
    auto leaf = TRY_WITHIN(evidence::parse_collection_leaf(TRY(log_.entry(index))), "leaf {}", index.value);
    if (!leaf.tree) return fail(Errc::corrupt, "leaf {} names no tree", index.value);
    auto tree = TRY(answers_.tree(*leaf.tree));
    return Run{index, std::move(leaf), std::move(tree)};
  }

  // The page that shows the row with `key` (all key columns of the table, and region), as that run had it.
  Result<> find_row(const Run& run, const Key& key, std::vector<Trace>& traces) {
    return each_entry(run, key, [&](const evidence::TreeEntry& entry, const evidence::Manifest& manifest) -> Result<bool> {
      // Later pages stand before earlier ones.
      for (auto at = manifest.requests.rbegin(); at != manifest.requests.rend(); ++at)
        if (at->is_answer() && concerns(*at, key) && TRY(shows(run, entry, *at, key))) {
          traces.push_back(trace_of(run, entry, *at));
          return true;
        }
      return false;
    });
  }

  // The pages that would show it: of a `for each` those about this key, of a listing all.
  Result<> find_absence(const Run& run, const Key& key, std::vector<Trace>& traces) {
    return each_entry(run, key, [&](const evidence::TreeEntry& entry, const evidence::Manifest& manifest) -> Result<bool> {
      const auto known = traces.size();
      for (const auto& request : manifest.requests)
        if (!request.hole && concerns(request, key)) traces.push_back(trace_of(run, entry, request));
      return traces.size() > known;
    });
  }

 private:
  // `visit` says whether it found what it looks for; if not, an increment's base is looked at, and so on.
  template <class Visit>
  Result<> each_entry(const Run& run, const Key& key, const Visit& visit) {
    const auto region = key.find("region");
    for (const auto& entry : run.tree.entries) {
      if (entry.operation != table_.operation) continue;
      if (table_.regional && region != key.end() && region->second != entry.scope.region) continue;
      if (entry.outcome != evidence::Outcome::complete && entry.outcome != evidence::Outcome::partial) continue;
      auto shown = entry;
      for (;;) {
        const auto manifest = TRY(answers_.manifest(shown.manifest));
        if (TRY(visit(shown, manifest)) || !manifest.base) break;
        shown.manifest = *manifest.base;
      }
    }
    return {};
  }

  // Whether a request may be about the key: what it says it is about agrees with it.
  static bool concerns(const evidence::Entry& request, const Key& key) {
    const auto about = parse_json(request.key);
    if (!about || !about->is_object()) return true;
    for (const auto& [name, value] : key_of(*about))
      if (const auto wanted = key.find(name); wanted != key.end() && wanted->second != value) return false;
    return true;
  }

  Result<bool> shows(const Run& run, const evidence::TreeEntry& entry, const evidence::Entry& request, const Key& key) {
    const auto answer = TRY(answers_.answer(entry.operation, table_.form, page_of(request)));
    const auto params = TRY(parse_json(request.params));
    const auto about_key = request.key.empty() ? Json(nullptr) : TRY(parse_json(request.key));
    About about{&about_key, &params, run.leaf.account, entry.scope.region, run.leaf.partition};
    const Shape shape{table_};
    for (const auto& row : TRY(rows_of(table_, shape, answer, about))) {
      CellReader cells{row.values};
      bool agrees = true;
      for (const auto& column : table_.columns) {
        const auto text = table::to_text(cells.next());
        if (const auto wanted = key.find(column.name); wanted != key.end() && wanted->second != text) agrees = false;
      }
      if (agrees) return true;
    }
    return false;
  }

  static Trace trace_of(const Run& run, const evidence::TreeEntry& entry, const evidence::Entry& request) {
    return {run.index,    entry.operation,        evidence::to_json(entry.scope), parse_json(request.params).value_or(Json(nullptr)),
            request.page, to_hex(*run.leaf.tree), to_hex(entry.manifest),         request.body ? to_hex(*request.body) : ""};
  }

  const Reader& log_;
  Answers answers_;
  const FactTable& table_;
};

// The models in force when the collection was made; those of this binary when the ledger does not tell.
Result<wire::Models> models_of(const Reader& log, const Blobs& blobs, std::uint64_t catalog) {
  if (catalog < log.checkpoint().size.value)
    if (const auto leaf = evidence::parse_catalog_leaf(log.entry(LeafIndex{catalog}).value_or("")))
      if (auto text = blobs.get(leaf->models))
        if (auto models = wire::Models::from_text(std::move(*text))) return models;
  return wire::Models::open(wire::Models::data_directories());
}

}  // namespace

Result<std::vector<Trace>> Facts::trace(const fs::path& home, std::string_view table_name, const std::map<std::string, std::string>& key,
                                        Instant at) {
  const auto* table = data_->catalog.find(table_name);
  if (!table) return fail(Errc::usage, "there is no fact table `{}`", table_name);
  std::string where;
  std::vector<table::Value> values{at, at};
  const auto columns = table->on_disk();
  for (const auto& [name, value] : key) {
    if (std::none_of(columns.begin(), columns.end(), [&](const auto& column) { return column.first == name; }))
      return fail(Errc::usage, "`{}` has no column `{}`", table_name, name);
    where += fmt::format(" and {}::text = ?", quote(name));
    values.emplace_back(value);
  }
  std::vector<std::string> wanted{"account"};
  if (table->regional) wanted.emplace_back("region");
  for (const auto& name : table->key)
    if (std::find(wanted.begin(), wanted.end(), name) == wanted.end()) wanted.push_back(name);
  std::vector<std::string> selected;
  for (const auto& name : wanted) selected.push_back(quote(name));
  const auto rows =
      TRY(store().query(fmt::format("select leaf, {} from facts.main.{} where valid_from <= ? and ? < valid_to{} order by all limit 100",
                                    fmt::join(selected, ", "), quote(table->name), where),
                        values));

  const auto log = TRY(Reader::open(home));
  const auto blobs = TRY(Blobs::open(home));
  std::vector<Trace> traces;
  const auto trace_in = [&](LeafIndex index, const auto& find) -> Result<> {
    const auto leaf = TRY_WITHIN(evidence::parse_collection_leaf(TRY(log.entry(index))), "leaf {}", index.value);
    const auto models = TRY(models_of(log, blobs, leaf.catalog));
    Tracer tracer{log, blobs, models, *table};
    return find(tracer, TRY(tracer.run_at(index)));
  };
  for (const auto& row : rows.rows) {
    const auto* leaf = std::get_if<std::int64_t>(&row[0]);
    if (!leaf) continue;
    if (table->is_of_ledger()) {  // the entry is the evidence
      traces.push_back({LeafIndex{static_cast<std::uint64_t>(*leaf)}, table->operation, nullptr, nullptr, 0, "", "", ""});
      continue;
    }
    Key full;
    for (std::size_t i = 0; i < wanted.size(); ++i) full[wanted[i]] = table::to_text(row[i + 1]);
    TRY(trace_in(LeafIndex{static_cast<std::uint64_t>(*leaf)},
                 [&](Tracer& tracer, const Run& run) { return tracer.find_row(run, full, traces); }));
  }
  if (!rows.rows.empty() || table->is_of_ledger()) return traces;

  // Of each account that the key may mean, the latest run before `at` that brought something.
  const auto account = key.find("account");
  const auto runs =
      TRY(store().query("select max(leaf) from vouch.run where source = ? and tree <> '' and started <= ? and (account = ? or ? = '') "
                        "group by account order by account",
                        {table->source, at, account == key.end() ? "" : account->second, account == key.end() ? "" : account->second}));
  for (const auto& row : runs.rows)
    TRY(trace_in(LeafIndex{static_cast<std::uint64_t>(std::get<std::int64_t>(row[0]))},
                 [&](Tracer& tracer, const Run& run) { return tracer.find_absence(run, key, traces); }));
  return traces;
}

}  // namespace vouch::facts
