// What a SELECT that somebody else wrote may reach, read from the tree that DuckDB makes of it.
#include "table/session.h"

namespace vouch::table {
namespace {

// Table functions are known by name, all others refused: DuckDB has many that read files, run SQL held in a text, or take pointers.
constexpr std::string_view allowed_table_functions[] = {
    "range",          "generate_series",   "unnest",         "json_each",    "json_tree",        "repeat",
    "repeat_row",     "duckdb_tables",     "duckdb_columns", "duckdb_views", "duckdb_functions", "duckdb_types",
    "duckdb_schemas", "pragma_table_info", "summary",
};

// Scalar functions that show or change more than the row they are given.
constexpr std::string_view refused_functions[] = {
    "current_setting", "getenv", "write_log", "nextval", "currval", "setseed", "set_config", "pg_sleep", "load_extension", "getvariable",
};

// Views of DuckDB's that show paths, settings or secrets.
constexpr std::string_view refused_tables[] = {
    "pg_settings", "duckdb_settings",        "duckdb_secrets",   "duckdb_databases",     "duckdb_extensions",
    "duckdb_logs", "duckdb_temporary_files", "duckdb_variables", "pragma_database_list", "duckdb_external_file_cache",
};

template <std::size_t N>
bool contains(const std::string_view (&names)[N], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

std::string lower(std::string_view text) {
  std::string result{text};
  for (auto& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

std::string_view text_of(const Json& node, std::string_view key) {
  const auto* text = find_string(node, key);
  return text ? std::string_view{*text} : std::string_view{};
}

Result<> check_node(const Json& node) {
  if (const auto* list = node.if_array()) {
    for (const auto& element : *list) TRY(check_node(element));
    return {};
  }
  if (!node.is_object()) return {};
  const auto type = text_of(node, "type");
  if (type == "TABLE_FUNCTION")
    if (const auto* function = find(node, "function")) {
      const auto name = lower(text_of(*function, "function_name"));
      if (!contains(allowed_table_functions, name)) return fail(Errc::usage, "the table function `{}` may not be used here", name);
    }
  if (type == "FUNCTION" && contains(refused_functions, lower(text_of(node, "function_name"))))
    return fail(Errc::usage, "the function `{}` may not be used here", lower(text_of(node, "function_name")));
  if (type == "BASE_TABLE" || type == "SHOW_REF") {
    auto name = lower(text_of(node, "table_name"));
    std::erase(name, '"');
    if (contains(refused_tables, name)) return fail(Errc::usage, "`{}` may not be read here", name);
    if (name.find_first_of("/\\*?") != std::string::npos || name.find("://") != std::string::npos)
      return fail(Errc::usage, "`{}` is a file; only tables may be read here", name);
  }
  for (const auto& member : node.get_object()) TRY(check_node(member.value()));
  return {};
}

// Names that a WITH makes hide tables in the query that it belongs to, and in what comes after them in the WITH itself.
class TableNames {
 public:
  std::set<std::string> found;

  void visit(const Json& node) {
    if (const auto* list = node.if_array()) {
      for (const auto& element : *list) visit(element);
    } else if (node.is_object()) {
      visit_object(node);
    }
  }

 private:
  void visit_object(const Json& node) {
    const auto outside = hidden_;
    if (const auto* ctes = find(node, "cte_map"))
      if (const auto* map = find_array(*ctes, "map"))
        for (const auto& entry : *map) {
          if (const auto* value = find(entry, "value")) visit(*value);
          hidden_.insert(lower(text_of(entry, "key")));
        }
    if (text_of(node, "type") == "RECURSIVE_CTE_NODE") hidden_.insert(lower(text_of(node, "cte_name")));
    if (text_of(node, "type") == "BASE_TABLE") add(node);
    for (const auto& member : node.get_object())
      if (member.key() != "cte_map") visit(member.value());
    hidden_ = outside;
  }

  void add(const Json& node) {
    auto name = lower(text_of(node, "table_name"));
    const auto schema = lower(text_of(node, "schema_name")), catalog = lower(text_of(node, "catalog_name"));
    if (schema.empty() && catalog.empty() && hidden_.contains(name)) return;
    if (!schema.empty()) name = schema + "." + name;
    if (!catalog.empty()) name = catalog + "." + name;
    found.insert(std::move(name));
  }

  std::set<std::string> hidden_;
};

}  // namespace

Result<> check_select(const Json& tree) { return check_node(tree); }

std::vector<std::string> tables_in(const Json& tree) {
  TableNames names;
  names.visit(tree);
  return {names.found.begin(), names.found.end()};
}

}  // namespace vouch::table
