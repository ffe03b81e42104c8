#include "controls/keyed.h"

#include "controls/statement.h"

#include <memory>

namespace vouch::controls {
namespace {

// Columns of the key that a value is bound to: a row that holds it changes only what the query says of members with that value there.
using Bound = std::set<std::string>;

const Json& part(const Json& node, std::string_view key) {
  static const Json none;
  const auto* found = find(node, key);
  return found ? *found : none;
}

const json::array& list(const Json& node, std::string_view key) {
  static const json::array none;
  const auto* found = find_array(node, key);
  return found ? *found : none;
}

std::string text(const Json& node, std::string_view key) {
  const auto* found = find_string(node, key);
  return found ? folded(*found) : std::string{};
}

std::vector<std::string> names_of(const Json& column) {
  std::vector<std::string> names;
  for (const auto& name : list(column, "column_names"))
    if (name.is_string()) names.push_back(folded(name.get_string()));
  return names;
}

std::string output_name(const Json& item) {
  if (auto alias = text(item, "alias"); !alias.empty()) return alias;
  const auto names = names_of(item);
  return names.empty() ? std::string{} : names.back();
}

bool is_plain_star(const Json& item) {
  return class_of(item) == "STAR" && text(item, "relation_name").empty() && list(item, "replace_list").empty() &&
         list(item, "exclude_list").empty() && list(item, "rename_list").empty() && list(item, "qualified_exclude_list").empty() &&
         part(item, "expr").is_null() && !(part(item, "columns").is_bool() && part(item, "columns").get_bool());
}

// Visits the expressions below a node, without those of subqueries, which are handed over themselves.
template <class Visit>
void each_expression(const Json& node, const Visit& visit) {
  if (node.is_object()) {
    visit(node);
    if (class_of(node) == "SUBQUERY") {
      each_expression(part(node, "child"), visit);
      return;
    }
    for (const auto& child : node.get_object()) each_expression(child.value(), visit);
  } else if (node.is_array()) {
    for (const auto& child : node.get_array()) each_expression(child, visit);
  }
}

struct Scope;

// A common table expression, and what it sees. A null query cannot be looked into.
struct Common {
  const Json* query = nullptr;
  const Scope* outer = nullptr;
  std::map<std::string, const Common*> tables;
};
using Tables = std::map<std::string, const Common*>;

// What one name in FROM stands for: a fact table, a query, or something whose columns nobody tells.
struct Instance {
  std::string alias;
  const facts::FactTable* table = nullptr;
  const Json* node = nullptr;      // of a table, in the tree
  const Common* common = nullptr;  // where it has a name of its own
  const Json* query = nullptr;
  std::optional<std::set<std::string>> columns;
  bool visible = true;
  std::map<std::string, Bound> bound;

  [[nodiscard]] bool has(const std::string& column) const { return columns && columns->contains(column); }
};

struct Scope {
  std::vector<Instance> instances;
  std::map<std::string, std::set<std::size_t>> merged;  // by USING: behind the first that has the column
  std::set<std::string> blurred;                        // by USING of a join that can leave either side empty
  std::set<std::string> aliases;                        // of the select list
  const Scope* outer = nullptr;
};

struct Place {
  std::size_t instance;
  std::string column;
};

// A range of instances: those below one side of a join.
struct Range {
  std::size_t begin, end;
  [[nodiscard]] bool contains(std::size_t i) const { return begin <= i && i < end; }
};

class Analysis {
 public:
  Analysis(const facts::FactCatalog& facts, const std::vector<std::string>& key) : facts_(facts), key_(key) {}

  void run(const Json& tree) {
    std::map<std::string, Bound> outputs;
    for (const auto& column : key_) outputs[folded(column)].insert(column);
    query(part(tree, "node"), outputs, {}, nullptr);
    drop_unseen(tree);
  }

  std::map<std::string, KeyColumns> found() const {
    std::map<std::string, KeyColumns> keyed;
    if (queries_ > most_queries) return keyed;
    for (const auto& [name, columns] : columns_) {
      KeyColumns of_table;  // two columns of the key in one of the table's: one of them says enough
      for (const auto& key : key_) {
        const auto candidates = columns.find(key);
        if (candidates != columns.end() && !candidates->second.empty()) of_table.emplace(*candidates->second.begin(), key);
      }
      if (!of_table.empty()) keyed.emplace(name, std::move(of_table));
    }
    return keyed;
  }

 private:
  // `outputs`: what the query's columns are bound to, by name.
  void query(const Json& node, const std::map<std::string, Bound>& outputs, Tables tables, const Scope* outer) {
    if (++queries_ > most_queries) return;  // common tables that name others twice and more unfold without end
    for (const auto& entry : list(part(node, "cte_map"), "map")) {
      const auto& value = part(entry, "value");
      const bool readable = list(value, "aliases").empty() && list(value, "key_targets").empty();
      common_.push_back(std::make_unique<Common>(Common{readable ? &part(part(value, "query"), "node") : nullptr, outer, tables}));
      tables[text(entry, "key")] = common_.back().get();
    }
    const auto type = type_of(node);
    if (type == "SELECT_NODE") select(node, outputs, tables, outer);
    if (type == "SET_OPERATION_NODE") set_operation(node, outputs, tables, outer);
  }

  static bool is_cut(const Json& node) {
    return std::any_of(list(node, "modifiers").begin(), list(node, "modifiers").end(), [](const Json& modifier) {
      return type_of(modifier).starts_with("LIMIT") || !list(modifier, "distinct_on_targets").empty();
    });
  }

  void set_operation(const Json& node, const std::map<std::string, Bound>& outputs, const Tables& tables, const Scope* outer) {
    std::vector<const Json*> branches;
    for (const auto& child : list(node, "children")) branches.push_back(&child);
    for (const auto* side : {"left", "right"})
      if (const auto* child = find(node, side)) branches.push_back(child);
    for (auto*& branch : branches)
      if (const auto* inner = find(*branch, "node")) branch = inner;
    const auto first = branches.empty() ? std::nullopt : outputs_of(*branches[0]);
    const bool by_place = text(node, "setop_type") != "union_by_name" && !is_cut(node) && first;
    for (const auto* branch : branches) {
      std::map<std::string, Bound> own;
      if (const auto names = outputs_of(*branch); by_place && names && names->size() == first->size())
        for (std::size_t i = 0; i < names->size(); ++i)
          if (const auto bound = outputs.find((*first)[i]); bound != outputs.end()) own[(*names)[i]] = bound->second;
      query(*branch, own, tables, outer);
    }
  }

  // Names of a query's columns by place; nothing where * hides them or a name stands twice.
  static std::optional<std::vector<std::string>> outputs_of(const Json& node) {
    if (type_of(node) == "SET_OPERATION_NODE") {
      const auto* left = find(node, "left");
      if (!left && !list(node, "children").empty()) left = &list(node, "children")[0];
      if (left && find(*left, "node")) left = find(*left, "node");
      return left ? outputs_of(*left) : std::nullopt;
    }
    std::vector<std::string> names;
    std::set<std::string> distinct;
    for (const auto& item : list(node, "select_list")) {
      if (class_of(item) == "STAR") return std::nullopt;
      names.push_back(output_name(item));
      if (!names.back().empty() && !distinct.insert(names.back()).second) return std::nullopt;
    }
    return names;
  }

  void select(const Json& node, const std::map<std::string, Bound>& outputs, const Tables& tables, const Scope* outer) {
    Scope scope;
    scope.outer = outer;
    for (const auto& item : list(node, "select_list"))
      if (auto alias = text(item, "alias"); !alias.empty()) scope.aliases.insert(std::move(alias));
    links_.emplace_back();
    from(part(node, "from_table"), scope, tables);
    conditions(part(node, "where_clause"), scope, {0, scope.instances.size()}, Join::inner, {});
    bind_outputs(node, outputs, scope);
    spread(scope, links_.back());
    links_.pop_back();
    for (auto& instance : scope.instances) {
      if (instance.table) note(instance);
      // A query in FROM may be correlated with its neighbours (LATERAL); one with a name sees what was in sight where it was given.
      if (instance.query && instance.common) query(*instance.query, instance.bound, instance.common->tables, instance.common->outer);
      if (instance.query && !instance.common) query(*instance.query, instance.bound, tables, &scope);
    }
    for (const auto* clause : {"select_list", "where_clause", "group_expressions", "having", "qualify", "modifiers"})
      subqueries(part(node, clause), tables, scope);
    join_subqueries(part(node, "from_table"), tables, scope);
  }

  void subqueries(const Json& node, const Tables& tables, const Scope& scope) {
    each_expression(node, [&](const Json& one) {
      if (class_of(one) == "SUBQUERY") query(part(part(one, "subquery"), "node"), {}, tables, &scope);
    });
  }

  void join_subqueries(const Json& node, const Tables& tables, const Scope& scope) {
    if (type_of(node) == "TABLE_FUNCTION") subqueries(part(node, "function"), tables, scope);
    if (type_of(node) != "JOIN") return;
    subqueries(part(node, "condition"), tables, scope);
    join_subqueries(part(node, "left"), tables, scope);
    join_subqueries(part(node, "right"), tables, scope);
  }

  // ---- FROM

  enum class Join { inner, left, right, full };

  Range from(const Json& node, Scope& scope, const Tables& tables) {
    const auto begin = scope.instances.size();
    const auto type = type_of(node);
    if (type == "JOIN") {
      const auto left = from(part(node, "left"), scope, tables);
      const auto right = from(part(node, "right"), scope, tables);
      join(node, scope, left, right);
    } else if (type != "EMPTY" && node.is_object()) {
      scope.instances.push_back(instance_of(node, tables));
    }
    return {begin, scope.instances.size()};
  }

  Instance instance_of(const Json& node, const Tables& tables) {
    Instance instance;
    const auto type = type_of(node);
    const bool renamed = !list(node, "column_name_alias").empty();
    instance.alias = text(node, "alias");
    if (type == "BASE_TABLE") {
      const auto name = text(node, "table_name");
      if (instance.alias.empty()) instance.alias = name;
      if (const auto common = tables.find(name); common != tables.end()) {
        instance.common = common->second;
        if (common->second->query && !renamed) look_into(*common->second->query, common->second->tables, instance);
      } else if (const auto* table = facts_.find(name)) {
        instance.table = table;
        instance.node = &node;
        instance.columns.emplace();
        for (const auto& [column, unused] : table->on_disk()) instance.columns->insert(column);
        if (renamed) instance.columns.reset();
      }
    } else if (type == "SUBQUERY" && !renamed) {
      look_into(part(part(node, "subquery"), "node"), tables, instance);
    }
    return instance;
  }

  void look_into(const Json& query, const Tables& tables, Instance& instance) {
    instance.query = &query;
    instance.columns = columns_of(query, tables);
  }

  // Names of a query's columns, those that a plain * stands for among them; nothing where they cannot be told.
  std::optional<std::set<std::string>> columns_of(const Json& query, Tables tables) {
    if (const auto names = outputs_of(query)) return std::set<std::string>(names->begin(), names->end());
    if (type_of(query) != "SELECT_NODE" || !list(part(query, "cte_map"), "map").empty()) return std::nullopt;
    std::set<std::string> columns;
    for (const auto& item : list(query, "select_list")) {
      if (class_of(item) != "STAR") {
        columns.insert(output_name(item));
        continue;
      }
      if (!is_plain_star(item) || !add_columns(part(query, "from_table"), tables, columns)) return std::nullopt;
    }
    return columns;
  }

  bool add_columns(const Json& node, const Tables& tables, std::set<std::string>& columns) {
    if (type_of(node) == "JOIN") {
      const auto type = text(node, "join_type");
      return add_columns(part(node, "left"), tables, columns) &&
             (type == "semi" || type == "anti" || add_columns(part(node, "right"), tables, columns));
    }
    const auto instance = instance_of(node, tables);
    if (instance.columns) columns.insert(instance.columns->begin(), instance.columns->end());
    return instance.columns.has_value();
  }

  void join(const Json& node, Scope& scope, Range left, Range right) {
    const auto type = text(node, "join_type");
    const bool half = type == "semi" || type == "anti";
    const auto kind = type == "inner" ? Join::inner : type == "left" || half ? Join::left : type == "right" ? Join::right : Join::full;
    conditions(part(node, "condition"), scope, {left.begin, right.end}, kind, right);
    for (const auto& name : list(node, "using_columns")) {
      if (!name.is_string()) continue;
      const auto column = folded(name.get_string());
      const auto a = place_in(scope, left, column), b = place_in(scope, right, column);
      if (a && b) link(*a, *b, kind, right);
      if (kind == Join::right || kind == Join::full || !a || !b) scope.blurred.insert(column);
      if (b) scope.merged[column].insert(b->instance);
    }
    if (half)
      for (auto i = right.begin; i < right.end; ++i) scope.instances[i].visible = false;
  }

  // ---- Equalities

  struct Link {
    Place from, to;  // `from` is bound to all that `to` is
  };

  // Conjuncts of an ON or WHERE that hold between columns. Only what lies in `range` can be meant; of an outer column only WHERE and the
  // ON of the side that can be empty tell.
  void conditions(const Json& node, Scope& scope, Range range, Join kind, Range right) {
    if (type_of(node) == "CONJUNCTION_AND") {
      for (const auto& child : list(node, "children")) conditions(child, scope, range, kind, right);
      return;
    }
    if (type_of(node) != "COMPARE_EQUAL" || class_of(node) != "COMPARISON") return;
    const auto& a = part(node, "left");
    const auto& b = part(node, "right");
    const auto here_a = resolve(a, scope, range), here_b = resolve(b, scope, range);
    if (here_a && here_b) return link(*here_a, *here_b, kind, right);
    for (const auto& [here, other] : {std::pair{here_a, &b}, std::pair{here_b, &a}})
      if (here && (kind == Join::inner || (kind == Join::left && right.contains(here->instance))))
        if (const auto bound = outer_bound(*other, scope))
          scope.instances[here->instance].bound[here->column].insert(bound->begin(), bound->end());
  }

  void link(const Place& a, const Place& b, Join kind, Range right) {
    const bool a_right = right.contains(a.instance), b_right = right.contains(b.instance);
    auto& links = links_.back();
    if (kind == Join::inner || (kind == Join::left && a_right && b_right) || (kind == Join::right && !a_right && !b_right)) {
      links.push_back({a, b});
      links.push_back({b, a});
    } else if (a_right != b_right && (kind == Join::left || kind == Join::right)) {
      // Rows of the side that can be empty reach those rows of the other that they equal, not the other way round.
      const bool from_a = (kind == Join::left) == a_right;
      links.push_back(from_a ? Link{a, b} : Link{b, a});
    }
  }

  static void spread(Scope& scope, const std::vector<Link>& links) {
    for (bool more = true; more;) {
      more = false;
      for (const auto& [from, to] : links) {
        const auto bound = scope.instances[to.instance].bound.find(to.column);
        if (bound == scope.instances[to.instance].bound.end()) continue;
        const auto given = bound->second;
        auto& own = scope.instances[from.instance].bound[from.column];
        const auto before = own.size();
        own.insert(given.begin(), given.end());
        more = more || own.size() != before;
      }
    }
  }

  // ---- Names

  // An unqualified name among the instances of a range.
  static std::optional<Place> place_in(const Scope& scope, Range range, const std::string& column) {
    std::optional<Place> place;
    if (scope.blurred.contains(column)) return place;
    const auto merged = scope.merged.find(column);
    for (auto i = range.begin; i < range.end; ++i) {
      if (!scope.instances[i].visible || !scope.instances[i].has(column)) continue;
      if (!place)
        place = Place{i, column};
      else if (merged == scope.merged.end() || !merged->second.contains(i))
        return std::nullopt;
    }
    return place;
  }

  static std::optional<Place> resolve(const Json& node, const Scope& scope, Range range) {
    if (class_of(node) != "COLUMN_REF") return std::nullopt;
    const auto names = names_of(node);
    if (names.size() == 1) return place_in(scope, range, names[0]);
    if (names.size() != 2) return std::nullopt;
    for (auto i = range.begin; i < range.end; ++i)
      if (scope.instances[i].visible && scope.instances[i].alias == names[0])
        return scope.instances[i].has(names[1]) ? std::optional{Place{i, names[1]}} : std::nullopt;
    return std::nullopt;
  }

  // Whether a name can be meant here at all; where it can and is not plain, nothing further out is looked at.
  static bool may_be_of(const Json& node, const Scope& scope) {
    const auto names = names_of(node);
    if (names.size() == 2 &&
        std::any_of(scope.instances.begin(), scope.instances.end(), [&](const auto& one) { return one.alias == names[0]; }))
      return true;
    const auto& column = names.front();
    return scope.aliases.contains(column) || scope.blurred.contains(column) ||
           std::any_of(scope.instances.begin(), scope.instances.end(),
                       [&](const Instance& one) { return !one.columns ? names.size() == 1 || one.alias.empty() : one.has(column); });
  }

  static std::optional<Bound> outer_bound(const Json& node, const Scope& scope) {
    if (class_of(node) != "COLUMN_REF" || names_of(node).empty()) return std::nullopt;
    for (const auto* at = &scope; at; at = at->outer) {
      if (at != &scope)
        if (const auto place = resolve(node, *at, {0, at->instances.size()})) {
          const auto& bound = at->instances[place->instance].bound;
          const auto found = bound.find(place->column);
          return found == bound.end() ? std::nullopt : std::optional{found->second};
        }
      if (may_be_of(node, *at)) return std::nullopt;
    }
    return std::nullopt;
  }

  // ---- Outputs

  void bind_outputs(const Json& node, const std::map<std::string, Bound>& outputs, Scope& scope) const {
    // A row that is left out by a limit, or that many sums count, says something of others.
    if (outputs.empty() || is_cut(node) || list(node, "group_sets").size() > 1) return;
    std::vector<const Json*> windows;
    for (const auto* clause : {"select_list", "qualify", "modifiers"})
      each_expression(part(node, clause), [&](const Json& one) {
        if (class_of(one) == "WINDOW") windows.push_back(&one);
      });
    const Range all{0, scope.instances.size()};
    const auto bind = [&](const std::optional<Place>& place, const Bound& bound) {
      if (!place) return;
      const auto parted = [&](const Json* window) {
        const auto& partitions = list(*window, "partitions");
        return std::any_of(partitions.begin(), partitions.end(), [&](const Json& by) {
          const auto at = resolve(by, scope, all);
          return at && at->instance == place->instance && at->column == place->column;
        });
      };
      if (std::all_of(windows.begin(), windows.end(), parted))
        scope.instances[place->instance].bound[place->column].insert(bound.begin(), bound.end());
    };
    std::set<std::string> named;
    bool star = false;
    for (const auto& item : list(node, "select_list")) {
      star = star || is_plain_star(item);
      const auto name = output_name(item);
      named.insert(name);
      if (const auto bound = outputs.find(name); bound != outputs.end() && class_of(item) == "COLUMN_REF")
        bind(resolve(item, scope, all), bound->second);
    }
    if (star)
      for (const auto& [name, bound] : outputs)
        if (!named.contains(name)) bind(place_in(scope, all, name), bound);
  }

  // ---- What was found

  // Several uses of a table must agree.
  void note(const Instance& instance) {
    seen_.insert(instance.node);
    std::map<std::string, std::set<std::string>> by_key;
    for (const auto& [column, bound] : instance.bound)
      for (const auto& key : bound) by_key[key].insert(column);
    const auto [known, is_new] = columns_.try_emplace(instance.table->name, by_key);
    if (is_new) return;
    for (auto& [key, columns] : known->second)
      std::erase_if(columns, [&](const std::string& column) { return !by_key[key].contains(column); });
  }

  // A table that stands where this analysis does not look may change anything.
  void drop_unseen(const Json& node) {
    if (node.is_object()) {
      if (type_of(node) == "BASE_TABLE" && !seen_.contains(&node)) columns_.erase(text(node, "table_name"));
      for (const auto& child : node.get_object()) drop_unseen(child.value());
    } else if (node.is_array()) {
      for (const auto& child : node.get_array()) drop_unseen(child);
    }
  }

  const facts::FactCatalog& facts_;
  const std::vector<std::string>& key_;
  std::map<std::string, std::map<std::string, std::set<std::string>>> columns_;  // table -> key column -> its columns, by every use
  std::set<const Json*> seen_;
  std::vector<std::vector<Link>> links_;
  std::vector<std::unique_ptr<Common>> common_;
  static constexpr int most_queries = 500;
  int queries_ = 0;
};

}  // namespace

std::map<std::string, KeyColumns> keyed_tables(const Json& tree, const facts::FactCatalog& tables, const std::vector<std::string>& key) {
  Analysis analysis{tables, key};
  analysis.run(tree);
  return analysis.found();
}

}  // namespace vouch::controls
