#include "controls/statement.h"

#include <cctype>

namespace vouch::controls {
namespace {

const std::set<std::string_view> clock_functions{
    "as_of", "now", "current_timestamp", "current_date", "today", "get_current_timestamp", "transaction_timestamp"};
const std::set<std::string_view> clock_words{"current_timestamp", "current_date"};

// Words that DuckDB turns into a function when no column has the name.
const std::set<std::string_view> session_words{"localtime",    "localtimestamp", "current_time",    "current_user",    "session_user",
                                               "current_role", "current_schema", "current_catalog", "current_database"};

// DuckDB calls some of these consistent; they tell of the session and not of the facts.
const std::set<std::string_view> session_functions{"current_setting",
                                                   "getvariable",
                                                   "current_localtime",
                                                   "current_localtimestamp",
                                                   "current_user",
                                                   "session_user",
                                                   "user",
                                                   "current_role",
                                                   "current_catalog",
                                                   "getenv",
                                                   "version",
                                                   "query",
                                                   "query_table",
                                                   "localtime",
                                                   "localtimestamp",
                                                   "current_time",
                                                   "txid_current",
                                                   "pg_conf_load_time",
                                                   "pg_postmaster_start_time"};

const std::set<std::string_view> row_functions{"unnest", "generate_series", "range", "json_each", "json_tree"};

// Their answer depends on the order in which rows come, and nobody promises one.
const std::set<std::string_view> ordered_aggregates{"first",
                                                    "last",
                                                    "any_value",
                                                    "arbitrary",
                                                    "list",
                                                    "array_agg",
                                                    "string_agg",
                                                    "group_concat",
                                                    "listagg",
                                                    "json_group_array",
                                                    "json_group_object",
                                                    "json_group_structure",
                                                    "reservoir_quantile"};
const std::set<std::string_view> ordered_windows{"row_number", "ntile", "first_value", "last_value", "nth_value", "lag", "lead"};
const std::set<std::string_view> list_sorts{"list_sort", "array_sort", "list_reverse_sort", "array_reverse_sort"};

const Json nothing;

const Json& member(const Json& node, std::string_view key) {
  const auto* found = find(node, key);
  return found ? *found : nothing;
}

std::string text(const Json& node, std::string_view key) {
  const auto* found = find_string(node, key);
  return found ? std::string{*found} : std::string{};
}

bool has_items(const Json& node, std::string_view key) {
  const auto* found = find_array(node, key);
  return found && !found->empty();
}

std::optional<std::size_t> location(const Json& node) {
  const auto& at = member(node, "query_location");
  if (at.is_int64() && at.get_int64() >= 0) return static_cast<std::size_t>(at.get_int64());
  return std::nullopt;  // json_serialize_sql writes 2^64-1 where it knows none
}

template <class Visit>
void each_child(const Json& node, const Visit& visit) {
  if (node.is_object()) {
    for (const auto& child : node.get_object()) visit(child.value());
  } else if (node.is_array()) {
    for (const auto& child : node.get_array()) visit(child);
  }
}

template <class Test>
bool any_node(const Json& node, const Test& test) {
  if (test(node)) return true;
  bool found = false;
  each_child(node, [&](const Json& child) { found = found || any_node(child, test); });
  return found;
}

class Survey {
 public:
  Survey(std::string_view sql, const Functions& functions, const facts::FactCatalog& tables)
      : sql_(sql), functions_(functions), tables_(tables) {}

  Result<> walk(const Json& node, const Json& parent) {
    if (node.is_object()) TRY(look(node, parent));
    Result<> result;
    each_child(node, [&](const Json& child) {
      if (result) result = walk(child, node.is_object() ? node : parent);
    });
    return result;
  }

  Statement found;

 private:
  Result<> look(const Json& node, const Json& parent) {
    const auto kind = class_of(node);
    const auto type = type_of(node);
    if (!member(node, "sample").is_null()) return refuse(node, "a sample answers differently each time; leave TABLESAMPLE away");
    if (has_items(node, "modifiers")) TRY(modifiers(node));
    if (find(node, "cte_map")) TRY(common_tables(node));
    if (kind == "FUNCTION") TRY(function(node, parent));
    if (kind == "WINDOW") TRY(window(node));
    if (kind == "COLUMN_REF") TRY(column(node));
    if (kind == "STAR") star(node);
    if (kind == "LAMBDA") lambda(member(node, "lhs"));
    if (kind == "PARAMETER") return refuse(node, "a control takes no parameters");
    if (!kind.empty() && kind != "STAR" && !text(node, "alias").empty()) found.derived.emplace(folded(text(node, "alias")), &node);
    if (find(node, "from_table")) TRY(relation(member(node, "from_table")));
    if (find(node, "column_name_alias") || type == "JOIN" || type == "SUBQUERY") TRY(relation(node));
    if (type == "SET_OPERATION_NODE" || type == "RECURSIVE_CTE_NODE") set_operation(node);
    return {};
  }

  // A node is seen once as a table expression and once by the walk; noting it twice does no harm.
  Result<> relation(const Json& node) {
    const auto type = type_of(node);
    const auto alias = folded(text(node, "alias"));
    if (!alias.empty()) found.relations[alias].insert(type == "BASE_TABLE" ? folded(text(node, "table_name")) : std::string{});
    if (const auto* names = find_array(node, "column_name_alias"))
      for (const auto& name : *names)
        if (name.is_string()) found.opaque.insert(folded(name.get_string()));
    if (type == "BASE_TABLE") {
      const auto name = text(node, "table_name");
      if (!text(node, "schema_name").empty() || !text(node, "catalog_name").empty())
        return refuse(node, "name the table `{}` without schema: a control sees the facts of one instant", name);
      if (!member(node, "at_clause").is_null())
        return refuse(node, "AT is for other databases; facts are read as they stood at the judged instant");
      found.base_tables.insert(folded(name));
      if (alias.empty()) found.relations[folded(name)].insert(folded(name));
    } else if (type == "TABLE_FUNCTION") {
      const auto name = function_of(member(node, "function"));
      if (!row_functions.contains(name)) return refuse(node, "`{}` is not a table function that a control may read", name);
      found.opaque.insert(
          {"key", "value", "type", "atom", "id", "parent", "fullkey", "path", "json", "unnest", "range", "generate_series"});
    } else if (type == "JOIN" && text(node, "ref_type") == "POSITIONAL") {
      return refuse(node, "a POSITIONAL join depends on the order of rows; join on a key");
    } else if (type == "PIVOT" || type == "SHOW_REF") {
      if (type == "SHOW_REF") return refuse(node, "DESCRIBE and SUMMARIZE are no facts");
      found.untraceable = "PIVOT makes columns whose origin cannot be traced";
    }
    return {};
  }

  Result<> modifiers(const Json& node) {
    bool ordered = false, cut = false, distinct_on = false;
    for (const auto& modifier : *find_array(node, "modifiers")) {
      const auto type = type_of(modifier);
      ordered = ordered || type == "ORDER_MODIFIER";
      cut = cut || type == "LIMIT_MODIFIER" || type == "LIMIT_PERCENT_MODIFIER";
      distinct_on = distinct_on || has_items(modifier, "distinct_on_targets");
    }
    if (cut && !ordered) return refuse(node, "LIMIT without ORDER BY picks rows by chance; say which come first");
    if (distinct_on && !ordered) return refuse(node, "DISTINCT ON without ORDER BY picks rows by chance; say which come first");
    return {};
  }

  Result<> common_tables(const Json& node) {
    const auto* map = find_array(member(node, "cte_map"), "map");
    if (!map) return {};
    for (const auto& entry : *map) {
      const auto name = folded(text(entry, "key"));
      if (tables_.find(name)) return refuse(node, "`{}` is a fact table; give the common table expression another name", name);
      found.common_tables.insert(name);
      found.relations[name].insert("");
      if (const auto* names = find_array(member(entry, "value"), "aliases"))
        for (const auto& alias : *names)
          if (alias.is_string()) found.opaque.insert(folded(alias.get_string()));
    }
    return {};
  }

  Result<> function(const Json& node, const Json& parent) {
    const auto name = function_of(node);
    if (clock_functions.contains(name)) {
      if (has_items(node, "children")) return refuse(node, "`{}` takes no argument", name);
      return clock(node, name, true);
    }
    if (functions_.is_unstable(name) || session_functions.contains(name))
      return refuse(node, "`{}` can answer differently each time; a verdict depends on the facts and on as_of() alone", name);
    if (name == "age" && find_array(node, "children") && find_array(node, "children")->size() == 1)
      return refuse(node, "`age` of one argument reads DuckDB's own clock; compare with as_of() minus an interval");
    const bool sorted = list_sorts.contains(function_of(parent));
    if (ordered_aggregates.contains(name) && !has_items(member(node, "order_bys"), "orders") && !sorted)
      return refuse(node, "`{}` depends on the order of rows; write {}(x order by y), or min or max", name, name);
    return {};
  }

  Result<> window(const Json& node) {
    const auto name = folded(text(node, "function_name"));
    if (functions_.is_unstable(name)) return refuse(node, "`{}` can answer differently each time", name);
    const bool needs_order = ordered_windows.contains(name) || ordered_aggregates.contains(name);
    if (needs_order && !has_items(node, "orders") && !has_items(node, "arg_orders"))
      return refuse(node, "`{}` depends on the order of rows; write over (… order by y)", name);
    return {};
  }

  Result<> column(const Json& node) {
    const auto* names = find_array(node, "column_names");
    if (!names || names->size() != 1 || !(*names)[0].is_string()) return {};
    const auto name = folded((*names)[0].get_string());
    if (clock_words.contains(name)) return clock(node, name, false);
    if (session_words.contains(name))
      return refuse(node, "`{}` reads DuckDB's own clock or session; as_of() is the instant that is judged", name);
    return {};
  }

  void star(const Json& node) {
    if (const auto& columns = member(node, "columns"); columns.is_bool() && columns.get_bool())
      found.untraceable = "COLUMNS(…) makes columns whose origin cannot be traced";
    if (const auto* replaced = find_array(node, "replace_list"))
      for (const auto& entry : *replaced) found.derived.emplace(folded(text(entry, "key")), &member(entry, "value"));
    if (has_items(node, "rename_list")) found.untraceable = "RENAME makes columns whose origin cannot be traced";
  }

  void lambda(const Json& parameters) {
    any_node(parameters, [&](const Json& node) {
      if (const auto* names = find_array(node, "column_names"))
        for (const auto& name : *names)
          if (name.is_string()) found.opaque.insert(folded(name.get_string()));
      return false;
    });
  }

  // In a UNION the first branch names the columns, and each branch fills them by position.
  void set_operation(const Json& node) {
    std::vector<const Json*> branches;
    flatten(node, branches);
    const json::array* first = nullptr;
    for (const auto* branch : branches) {
      const auto* list = find_array(*branch, "select_list");
      if (!list || std::any_of(list->begin(), list->end(), [](const Json& item) { return class_of(item) == "STAR"; }) ||
          (first && first->size() != list->size())) {
        found.untraceable = "a set operation over * or without column lists hides where its columns come from; name them";
        return;
      }
      if (!first) first = list;
    }
    for (const auto* branch : branches)
      for (std::size_t i = 0; i < first->size(); ++i)
        if (const auto name = output_name((*first)[i]); !name.empty())
          found.derived.emplace(name, &(*find_array(*branch, "select_list"))[i]);
  }

  static void flatten(const Json& node, std::vector<const Json*>& branches) {
    if (const auto* inner = find(node, "node")) return flatten(*inner, branches);
    if (type_of(node) != "SET_OPERATION_NODE" && type_of(node) != "RECURSIVE_CTE_NODE") return branches.push_back(&node);
    if (const auto* children = find_array(node, "children"))
      for (const auto& child : *children) flatten(child, branches);
    for (const auto* side : {"left", "right"})
      if (const auto* child = find(node, side)) flatten(*child, branches);
  }

  static std::string output_name(const Json& node) {
    if (const auto alias = text(node, "alias"); !alias.empty()) return folded(alias);
    const auto* names = find_array(node, "column_names");
    return names && !names->empty() && names->back().is_string() ? folded(names->back().get_string()) : std::string{};
  }

  // The tree tells where the word begins; the text must hold it there, plainly written.
  Result<> clock(const Json& node, const std::string& name, bool is_call) {
    const auto begin = location(node);
    if (!begin || *begin + name.size() > sql_.size() || folded(sql_.substr(*begin, name.size())) != name)
      return refuse(node, "write as_of() where the judged instant is meant, without quotes and schema");
    auto end = *begin + name.size();
    if (is_call) {
      const auto skip = [&] {
        while (end < sql_.size() && std::isspace(static_cast<unsigned char>(sql_[end]))) ++end;
      };
      skip();
      if (end < sql_.size() && sql_[end] == '(') {
        ++end;
        skip();
        if (end >= sql_.size() || sql_[end] != ')') return refuse(node, "write as_of() without anything between the parentheses");
        ++end;
      } else {
        end = *begin + name.size();  // a keyword that DuckDB reads as a call
      }
    }
    found.clocks.push_back({*begin, end});
    return {};
  }

  // "line 3: …" within the SQL, where the tree tells.
  template <class... Args>
  std::unexpected<Error> refuse(const Json& node, fmt::format_string<Args...> format, Args&&... args) const {
    const auto message = fmt::format(format, std::forward<Args>(args)...);
    const auto at = location(node);
    if (!at || *at > sql_.size()) return fail(Errc::config, "{}", message);
    const auto line = 1 + std::count(sql_.begin(), sql_.begin() + static_cast<std::ptrdiff_t>(*at), '\n');
    return fail(Errc::config, "LINE {}: {}", line, message);
  }

  std::string_view sql_;
  const Functions& functions_;
  const facts::FactCatalog& tables_;
};

}  // namespace

std::string folded(std::string_view text) {
  std::string lower{text};
  for (auto& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

std::string_view class_of(const Json& node) {
  const auto* kind = find_string(node, "class");
  return kind ? std::string_view{*kind} : std::string_view{};
}

std::string_view type_of(const Json& node) {
  const auto* type = find_string(node, "type");
  return type ? std::string_view{*type} : std::string_view{};
}

std::string function_of(const Json& node) { return class_of(node) == "FUNCTION" ? folded(text(node, "function_name")) : std::string{}; }

bool is_clock(const Json& node) {
  if (clock_functions.contains(function_of(node))) return true;
  const auto* names = class_of(node) == "COLUMN_REF" ? find_array(node, "column_names") : nullptr;
  return names && names->size() == 1 && (*names)[0].is_string() && clock_words.contains(folded((*names)[0].get_string()));
}

bool contains_clock(const Json& node) {
  return any_node(node, [](const Json& part) { return is_clock(part); });
}

bool is_constant(const Json& node) {
  return !any_node(node, [](const Json& part) {
    const auto kind = class_of(part);
    return is_clock(part) || kind == "COLUMN_REF" || kind == "SUBQUERY" || kind == "WINDOW" || kind == "LAMBDA" || kind == "STAR" ||
           kind == "POSITIONAL_REFERENCE" || kind == "LAMBDA_REF" || kind == "PARAMETER" || kind == "DEFAULT";
  });
}

Result<Statement> survey(const Json& tree, std::string_view sql, const Functions& functions, const facts::FactCatalog& tables) {
  Survey walk{sql, functions, tables};
  TRY(walk.walk(tree, nothing));
  auto& clocks = walk.found.clocks;
  std::sort(clocks.begin(), clocks.end());
  clocks.erase(std::unique(clocks.begin(), clocks.end()), clocks.end());
  return std::move(walk.found);
}

}  // namespace vouch::controls
