#include "facts/tables.h"

#include "base/yaml.h"

#include <map>
#include <set>

namespace vouch::facts {

std::string_view name_of(Type type) {
  static constexpr std::string_view names[] = {"text", "integer", "number", "boolean", "time", "json"};
  return names[static_cast<std::size_t>(type)];
}

namespace {

std::optional<Type> type_of(std::string_view word) {
  for (const auto type : {Type::text, Type::integer, Type::number, Type::boolean, Type::time, Type::json})
    if (name_of(type) == word) return type;
  return std::nullopt;
}

std::string folder_of(const CatalogFile& file) {
  const auto first = file.part.find('/');
  const auto second = file.part.find('/', first + 1);
  return second == std::string::npos ? "" : file.part.substr(first + 1, second - first - 1);
}

// What a fact needs to know of the operation that it reads.
struct Asked {
  bool regional = false, increment = false;
  Form form = Form::aws;
  std::string parent;  // as Operations names it, or empty
};
using Operations = std::map<std::string, Asked>;  // "source/service:Operation"

// "repo in repositories[]" -> "github/github:repositories".
std::string parent_of(std::string_view for_each, std::string_view source, std::string_view service) {
  const auto in = for_each.find(" in ");
  if (in == std::string_view::npos) return "";
  const auto listing = for_each.substr(in + 4);
  const auto name = listing.substr(0, listing.find_first_of(".["));
  return name.find(':') == std::string_view::npos ? fmt::format("{}/{}:{}", source, service, name) : fmt::format("{}/{}", source, name);
}

// Collect reads these files in full and reports what is wrong with them.
Operations read_operations(const CatalogFiles& files) {
  Operations operations;
  for (const auto* file : files.in("sources")) {
    const auto root = Yaml::parse(file->text, file->path);
    if (!root) continue;
    const auto source = folder_of(*file);
    const bool aws = source == aws_source;
    const auto service = root->text("service"), scope = root->text_or("scope", aws ? "region" : "global");
    if (!service || !scope) continue;
    for (const auto& item : (*root)["operations"].items()) {
      const auto name = item.text("operation"), answer = item.text_or("answer", "json"), each = item.text_or("for each", "");
      if (!name || !answer || !each) continue;
      operations[fmt::format("{}/{}:{}", source, *service, *name)] = {.regional = *scope == "region",
                                                                      .increment = !item["increment"].is_absent(),
                                                                      .form = aws                 ? Form::aws
                                                                              : *answer == "json" ? Form::json
                                                                                                  : Form::text,
                                                                      .parent = parent_of(*each, source, *service)};
    }
  }
  return operations;
}

// Elements of an increment are themselves only what is new.
bool is_incremental(const Operations& operations, const std::string& name) {
  auto found = operations.find(name);
  for (std::size_t depth = 0; found != operations.end() && depth < operations.size(); ++depth) {
    if (found->second.increment) return true;
    found = operations.find(found->second.parent);
  }
  return false;
}

bool is_name(std::string_view text) {
  return !text.empty() && text[0] >= 'a' && text[0] <= 'z' &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

constexpr std::string_view own_columns[] = {"account", "region", "valid_from", "valid_to", "basis", "seen_before", "leaf", "rowid"};

// Puts file:line before what the expression's parser says.
template <class T>
Result<T> at(const Yaml& place, Result<T> parsed) {
  if (parsed) return parsed;
  return std::unexpected(std::move(parsed).error().within(place.where()));
}

Result<Column> read_column(const std::string& name, const Yaml& node, const std::vector<std::string>& levels) {
  if (!is_name(name)) return node.wrong("`{}` is no name for a column: small letters, digits and `_`", name);
  if (std::find(std::begin(own_columns), std::end(own_columns), name) != std::end(own_columns))
    return node.wrong("the column `{}` is made by Vouch and not declared", name);
  const auto text = TRY(node.text());
  const auto blank = text.find(' ');
  auto word = std::string_view{text}.substr(0, blank);
  const bool optional = word.ends_with('?');
  if (optional) word.remove_suffix(1);
  const auto type = type_of(word);
  if (!type || blank == std::string::npos)
    return node.wrong("a column is TYPE EXPRESSION, or TYPE? EXPRESSION; types are text, integer, number, boolean, time, json");
  auto value = TRY(at(node, Expression::parse(std::string_view{text}.substr(blank + 1), levels)));
  return Column{name, *type, std::move(value), optional};
}

class TableReader {
 public:
  TableReader(const Yaml& node, std::string source, const Operations& operations) : node_(node), operations_(operations) {
    table_.source = std::move(source);
    table_.where = node.where();
  }

  Result<FactTable> read() {
    TRY(node_.only({"table", "says", "from", "rows", "key", "born", "event", "columns", "latest", "observed"}));
    table_.name = TRY(node_.text("table"));
    if (!is_name(table_.name)) return node_["table"].wrong("`{}` is no name for a table: small letters, digits and `_`", table_.name);
    table_.says = TRY(node_.text_or("says", ""));
    TRY(read_operation());
    std::vector<std::string> levels;
    for (const auto& text : node_["rows"].items()) table_.rows.push_back(TRY(at(text, Unfold::parse(TRY(text.text()), levels))));
    table_.levels = levels.size();
    TRY(read_columns(levels));
    TRY(read_key());
    if (const auto observed = node_["observed"]; !observed.is_absent())
      table_.observed = TRY(at(observed, Expression::parse(TRY(observed.text()))));
    return std::move(table_);
  }

 private:
  Result<> read_operation() {
    table_.operation = TRY(node_.text("from"));
    if (table_.is_of_ledger()) {
      if (table_.operation != "ledger:collection" && table_.operation != "ledger:scope")
        return node_["from"].wrong("of the ledger's entries `ledger:collection` and `ledger:scope` can be read, not `{}`",
                                   table_.operation);
      return {};
    }
    const auto known = operations_.find(table_.source + "/" + table_.operation);
    if (known == operations_.end()) return node_["from"].wrong("no file under sources/{} asks `{}`", table_.source, table_.operation);
    table_.regional = known->second.regional;
    table_.form = known->second.form;
    table_.incremental = is_incremental(operations_, known->first);
    return {};
  }

  Result<> read_columns(const std::vector<std::string>& levels) {
    const auto columns = node_["columns"];
    if (!columns.is_map()) return columns.wrong("missing `columns`");
    for (const auto& [name, value] : columns.members()) table_.columns.push_back(TRY(read_column(name, value, levels)));
    return {};
  }

  const Column* column(std::string_view name) const {
    for (const auto& one : table_.columns)
      if (one.name == name) return &one;
    return nullptr;
  }

  Result<> read_key() {
    table_.key = TRY(node_["key"].texts());
    if (table_.key.empty()) return node_.wrong("missing `key`");
    std::set<std::string> seen;
    for (const auto& name : table_.key) {
      const bool own = name == "account" || (name == "region" && table_.regional);
      if (!own && !column(name)) return node_["key"].wrong("the key column `{}` is not declared", name);
      if (!seen.insert(name).second) return node_["key"].wrong("`{}` stands here twice", name);
    }
    table_.latest = TRY(node_["latest"].texts());
    for (const auto& name : table_.latest)
      if (!column(name) || seen.contains(name)) return node_["latest"].wrong("`{}` is not a declared column outside the key", name);
    table_.born = TRY(node_.text_or("born", ""));
    if (!table_.born.empty()) {
      const auto* born = column(table_.born);
      if (!born || born->type != Type::time) return node_["born"].wrong("`{}` is not a declared column of type time", table_.born);
    }
    table_.event = TRY(node_.text_or("event", ""));
    if (!table_.event.empty()) {
      const auto* event = column(table_.event);
      if (!event || event->type != Type::time) return node_["event"].wrong("`{}` is not a declared column of type time", table_.event);
      if (std::find(table_.latest.begin(), table_.latest.end(), table_.event) != table_.latest.end())
        return node_["event"].wrong("`{}` is `latest` too: what dates a version cannot change within it", table_.event);
    }
    if (table_.is_of_ledger()) {
      const auto* event = column(table_.event);
      const bool is_scope = table_.operation == "ledger:scope";
      if (!event || event->value.text() != (is_scope ? "at" : "ended"))
        return is_scope ? node_.wrong("a decision on scope dates itself: `event` is the column `time at`")
                        : node_.wrong("a collection comes to be when it ended: `event` is the column `time ended`");
    }
    return {};
  }

  const Yaml& node_;
  const Operations& operations_;
  FactTable table_;
};

// All that decides rows; what is only said to people is left out.
Digest digest_of(const std::vector<FactTable>& tables) {
  Sha256 hash;
  const auto add = [&](std::string_view text) { hash.add(text).add(std::uint8_t{0}); };
  for (const auto& table : tables) {
    add(table.name);
    add(table.source);
    add(table.operation);
    add(table.regional ? "regional" : "global");
    if (table.form != Form::aws) add(table.form == Form::json ? "json" : "text");
    if (table.incremental) add("incremental");
    for (const auto& unfold : table.rows) {
      add("rows");
      for (const auto& level : unfold.levels) {
        add(level.value.text());
        add(fmt::format("{} {}{}", level.slot, level.spread, level.optional ? " ?" : ""));
      }
    }
    for (const auto& column : table.columns) {
      add(column.name);
      add(name_of(column.type));
      if (column.optional) add("?");
      add(column.value.text());
    }
    add("key");
    for (const auto& name : table.key) add(name);
    add("latest");
    for (const auto& name : table.latest) add(name);
    add(table.observed ? table.observed->text() : "");
    add(table.event);
  }
  return hash.finish();
}

}  // namespace

std::vector<std::pair<std::string, Type>> FactTable::on_disk() const {
  std::vector<std::pair<std::string, Type>> all{{"account", Type::text}};
  if (regional) all.emplace_back("region", Type::text);
  for (const auto& column : columns) all.emplace_back(column.name, column.type);
  return all;
}

const FactTable* FactCatalog::find(std::string_view name) const {
  const auto at =
      std::lower_bound(tables.begin(), tables.end(), name, [](const FactTable& table, std::string_view n) { return table.name < n; });
  return at != tables.end() && at->name == name ? &*at : nullptr;
}

std::vector<const FactTable*> FactCatalog::from(std::string_view operation) const {
  std::vector<const FactTable*> found;
  for (const auto& table : tables)
    if (table.operation == operation) found.push_back(&table);
  return found;
}

FactCatalog read_fact_catalog(const CatalogFiles& files, Problems& problems) {
  const auto operations = read_operations(files);
  std::map<std::string, FactTable> tables;
  for (const auto* file : files.in("facts")) {
    const auto root = Yaml::parse(file->text, file->path);
    if (!root) {
      problems.push_back(root.error());
      continue;
    }
    std::set<std::string> here;
    for (const auto& item : root->items()) {
      auto table = TableReader{item, folder_of(*file), operations}.read();
      if (!table) {
        problems.push_back(std::move(table).error());
      } else if (!here.insert(table->name).second) {
        problems.push_back(item.wrong("the table `{}` stands in this file twice", table->name).error());
      } else {
        tables.insert_or_assign(table->name, std::move(*table));
      }
    }
  }
  FactCatalog catalog;
  for (auto& [name, table] : tables) catalog.tables.push_back(std::move(table));
  catalog.digest = digest_of(catalog.tables);
  return catalog;
}

}  // namespace vouch::facts
