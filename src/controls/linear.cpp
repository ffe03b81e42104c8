#include "controls/linear.h"

namespace vouch::controls {
namespace {

// A value that the data side can take: one of a column or the constant, shifted.
struct Term {
  std::vector<std::string> tables;
  std::string column;
  std::optional<Instant> constant;
  Duration offset;
  std::string cycle;  // not a value: the name that is being traced was met again
  friend auto operator<=>(const Term&, const Term&) = default;
};
using Terms = std::set<Term>;

enum class Operator { less, less_or_equal, greater, greater_or_equal, equality };

const std::map<std::string_view, Operator> operators{
    {"COMPARE_LESSTHAN", Operator::less},          {"COMPARE_LESSTHANOREQUALTO", Operator::less_or_equal},
    {"COMPARE_GREATERTHAN", Operator::greater},    {"COMPARE_GREATERTHANOREQUALTO", Operator::greater_or_equal},
    {"COMPARE_EQUAL", Operator::equality},         {"COMPARE_NOTEQUAL", Operator::equality},
    {"COMPARE_DISTINCT_FROM", Operator::equality}, {"COMPARE_NOT_DISTINCT_FROM", Operator::equality}};

Operator turned(Operator op) {
  switch (op) {
    case Operator::less: return Operator::greater;
    case Operator::less_or_equal: return Operator::greater_or_equal;
    case Operator::greater: return Operator::less;
    case Operator::greater_or_equal: return Operator::less_or_equal;
    case Operator::equality: break;
  }
  return op;
}

// Functions that answer with (one of) their first argument's values, of one row or of many, and those that choose among all.
const std::set<std::string_view> choosing_first{"min",         "max",        "any_value", "first",  "last",   "arbitrary", "arg_min",
                                                "arg_max",     "min_by",     "max_by",    "argmin", "argmax", "mode",      "nullif",
                                                "first_value", "last_value", "nth_value", "lag",    "lead"};
const std::set<std::string_view> choosing_any{"coalesce", "ifnull", "greatest", "least"};

constexpr std::string_view help =
    "compare as_of(), plus or minus constant intervals, with a time column (`created < as_of() - interval 90 day`), or state `tick: 1d`";

template <class... Args>
std::unexpected<Error> refuse(fmt::format_string<Args...> format, Args&&... args) {
  return fail(Errc::config, "{}: {}", fmt::format(format, std::forward<Args>(args)...), help);
}

const json::array& list(const Json& node, std::string_view key) {
  static const json::array none;
  const auto* found = find_array(node, key);
  return found ? *found : none;
}

const Json& part(const Json& node, std::string_view key) {
  static const Json none;
  const auto* found = find(node, key);
  return found ? *found : none;
}

bool is_cast_to_instant(const Json& node) {
  const auto* type = class_of(node) == "CAST" ? find_string(part(node, "cast_type"), "id") : nullptr;
  return type && *type == "TIMESTAMP WITH TIME ZONE";
}

class Linear {
 public:
  Linear(table::Store& store, const Statement& statement, const std::vector<const facts::FactTable*>& named)
      : store_(store), statement_(statement), named_(named) {}

  Result<> visit(const Json& node) {
    if (is_clock(node)) return refuse("as_of() stands outside of a comparison");
    const auto type = type_of(node);
    if (const auto op = operators.find(type); class_of(node) == "COMPARISON" && op != operators.end())
      return comparison(part(node, "left"), op->second, part(node, "right"));
    if (class_of(node) == "BETWEEN") {
      // A BETWEEN is two comparisons, whichever of the three reads the clock.
      TRY(comparison(part(node, "input"), Operator::greater_or_equal, part(node, "lower")));
      return comparison(part(node, "input"), Operator::less_or_equal, part(node, "upper"));
    }
    return children(node);
  }

  std::set<Threshold> found;

 private:
  Result<> children(const Json& node) {
    if (node.is_object()) {
      for (const auto& child : node.get_object()) TRY(visit(child.value()));
    } else if (node.is_array()) {
      for (const auto& child : node.get_array()) TRY(visit(child));
    }
    return {};
  }

  Result<> comparison(const Json& left, Operator op, const Json& right) {
    const bool on_left = moves(left), on_right = moves(right);
    if (on_left && on_right) return refuse("as_of() stands on both sides of a comparison");
    if (!on_left && !on_right) {
      TRY(visit(left));
      return visit(right);
    }
    const auto& clock = on_left ? left : right;
    const auto& data = on_left ? right : left;
    if (!on_left) op = turned(op);
    TRY(visit(data));  // a condition in it may hold comparisons of its own
    if (const auto offset = TRY(linear(clock))) return meet(TRY(values(data)), Duration{-offset->micros}, op);
    return difference(clock, op, data);
  }

  // as_of() - created > interval 90 day, and created - as_of() < interval 7 day
  Result<> difference(const Json& clock, Operator op, const Json& data) {
    const auto& sides = list(clock, "children");
    if (function_of(clock) != "-" || sides.size() != 2) return refuse("a comparison is not linear in as_of()");
    if (!is_constant(data)) return refuse("an age is compared with something that is no constant interval");
    const auto length = TRY(interval(data));
    if (const auto offset = TRY(linear(sides[0])); offset && !moves(sides[1])) {
      TRY(visit(sides[1]));
      return meet(TRY(values(sides[1])), Duration{length.micros - offset->micros}, op);
    }
    if (const auto offset = TRY(linear(sides[1])); offset && !moves(sides[0])) {
      TRY(visit(sides[0]));
      return meet(TRY(values(sides[0])), Duration{-length.micros - offset->micros}, turned(op));
    }
    return refuse("a comparison is not linear in as_of()");
  }

  // as_of() `op` value + offset, for each value
  Result<> meet(const Terms& terms, Duration offset, Operator op) {
    for (const auto& term : terms) {
      Threshold threshold{term.tables, term.column, term.constant, {term.offset.micros + offset.micros}};
      threshold.at = op == Operator::less || op == Operator::greater_or_equal || op == Operator::equality;
      threshold.after = op == Operator::greater || op == Operator::less_or_equal || op == Operator::equality;
      found.insert(std::move(threshold));
    }
    return {};
  }

  // Does the value itself move with the clock? What a comparison inside of it makes of the clock is that comparison's matter.
  static bool moves(const Json& node) {
    if (is_clock(node)) return true;
    if (class_of(node) == "BETWEEN" || (class_of(node) == "COMPARISON" && operators.contains(type_of(node)))) return false;
    if (node.is_object())
      return std::any_of(node.get_object().begin(), node.get_object().end(), [](const auto& child) { return moves(child.value()); });
    return node.is_array() && std::any_of(node.get_array().begin(), node.get_array().end(), [](const Json& child) { return moves(child); });
  }

  // as_of() + offset; nothing when the node is no such sum.
  Result<std::optional<Duration>> linear(const Json& node) {
    if (is_clock(node)) return Duration{};
    if (is_cast_to_instant(node)) return linear(part(node, "child"));
    const auto name = function_of(node);
    const auto& sides = list(node, "children");
    if ((name != "+" && name != "-") || sides.size() != 2) return std::nullopt;
    const bool moving_first = contains_clock(sides[0]);
    if (!moving_first && name == "-") return std::nullopt;
    const auto& moving = moving_first ? sides[0] : sides[1];
    const auto& shift = moving_first ? sides[1] : sides[0];
    if (!is_constant(shift)) return std::nullopt;
    const auto inner = TRY(linear(moving));
    if (!inner) return std::nullopt;
    const auto length = TRY(interval(shift));
    return Duration{name == "+" ? inner->micros + length.micros : inner->micros - length.micros};
  }

  // What the data side can be.
  Result<Terms> values(const Json& node) {
    if (is_constant(node)) return constant(node);
    if (is_cast_to_instant(node)) return values(part(node, "child"));
    const auto kind = class_of(node);
    const auto name = function_of(node);
    const auto& arguments = list(node, "children");
    if (kind == "COLUMN_REF") return column(node);
    if (kind == "SUBQUERY") return scalar(node);
    if (kind == "CASE") {
      Terms all = TRY(values(part(node, "else_expr")));
      for (const auto& check : list(node, "case_checks")) all.merge(TRY(values(part(check, "then_expr"))));
      return all;
    }
    if ((name == "+" || name == "-") && arguments.size() == 2) return shifted(name, arguments);
    if (choosing_any.contains(name) || type_of(node) == "OPERATOR_COALESCE") {
      Terms all;
      for (const auto& argument : arguments) all.merge(TRY(values(argument)));
      return all;
    }
    if (choosing_first.contains(name) && !arguments.empty()) return values(arguments[0]);
    if (kind == "WINDOW") {
      const auto* function = find_string(node, "function_name");
      if (function && choosing_first.contains(folded(*function)) && !arguments.empty() && part(node, "default_expr").is_null())
        return values(arguments[0]);
    }
    return refuse("the data side of a comparison with as_of() computes an instant");
  }

  Result<Terms> constant(const Json& node) {
    auto rows = evaluate(node, "select epoch_us(cast(x as timestamptz)), isfinite(cast(x as timestamptz)) from ({}) t(x)");
    if (!rows) return refuse("as_of() is compared with something that is no instant");
    const auto& row = rows->rows.at(0);
    const auto* micros = std::get_if<std::int64_t>(&row.at(0));
    const auto* finite = std::get_if<bool>(&row.at(1));
    if (!micros || !finite || !*finite) return Terms{};  // NULL and infinity are never met
    return Terms{Term{{}, {}, Instant{*micros}, {}, {}}};
  }

  Result<Terms> shifted(const std::string& name, const json::array& sides) {
    const bool data_first = !is_constant(sides[0]);
    const auto& data = data_first ? sides[0] : sides[1];
    const auto& shift = data_first ? sides[1] : sides[0];
    if (!is_constant(shift) || (!data_first && name == "-"))
      return refuse("the data side of a comparison with as_of() computes an instant");
    const auto length = TRY(interval(shift));
    const auto inner = TRY(values(data));
    Terms moved;
    for (auto term : inner) {
      if (!term.cycle.empty()) return refuse("`{}` is shifted and keeps its name; give the shifted column another", term.cycle);
      term.offset.micros += name == "+" ? length.micros : -length.micros;
      moved.insert(std::move(term));
    }
    return moved;
  }

  Result<Terms> scalar(const Json& node) {
    const auto& select = part(part(node, "subquery"), "node");
    const auto& items = list(select, "select_list");
    const auto* kind = find_string(node, "subquery_type");
    if (!kind || *kind != "SCALAR" || type_of(select) != "SELECT_NODE" || items.size() != 1)
      return refuse("the data side of a comparison with as_of() is a subquery of more than one column or branch");
    return values(items[0]);
  }

  Result<Terms> column(const Json& node) {
    const auto& names = list(node, "column_names");
    if (!statement_.untraceable.empty()) return refuse("{}", statement_.untraceable);
    if (names.empty() || names.size() > 2 || !names.back().is_string()) return refuse("a column of a structure is compared with as_of()");
    const auto name = folded(names.back().get_string());
    const auto before_dot = names.size() == 2 ? statement_.relations.find(folded(names[0].get_string())) : statement_.relations.end();
    if (names.size() == 2 && before_dot == statement_.relations.end())
      return refuse("a member of `{}` is compared with as_of()", std::string_view{names[0].get_string()});
    if (statement_.opaque.contains(name) || (names.size() == 1 && statement_.relations.contains(name)))
      return refuse("`{}` is compared with as_of() and its origin cannot be traced; give the column another name", name);
    if (tracing_.contains(name)) return Terms{Term{{}, {}, {}, {}, name}};

    if (before_dot != statement_.relations.end() && before_dot->second.size() == 1)
      for (const auto* table : named_)
        if (before_dot->second.contains(table->name)) return of_tables(name, {table});

    Terms all;
    tracing_.insert(name);
    const auto [first, last] = statement_.derived.equal_range(name);
    for (auto it = first; it != last; ++it) {
      auto terms = values(*it->second);
      if (!terms) {
        tracing_.erase(name);
        return terms;
      }
      all.merge(*terms);
    }
    tracing_.erase(name);
    std::erase_if(all, [&](const Term& term) { return term.cycle == name; });
    all.merge(TRY(of_tables(name, named_)));
    if (first == last && all.empty()) return refuse("`{}` is compared with as_of() and is no time column of a fact table", name);
    return all;
  }

  // The column of this name, in those of the tables that have one.
  static Result<Terms> of_tables(const std::string& name, const std::vector<const facts::FactTable*>& tables) {
    Term term{{}, name, {}, {}, {}};
    for (const auto* table : tables)
      for (const auto& column : table->columns) {
        if (column.name != name) continue;
        if (column.type != facts::Type::time) return refuse("`{}` of `{}` is no time column", name, table->name);
        term.tables.push_back(table->name);
      }
    std::sort(term.tables.begin(), term.tables.end());
    return term.tables.empty() ? Terms{} : Terms{term};
  }

  Result<Duration> interval(const Json& node) {
    auto rows =
        evaluate(node, "select epoch_us(x), date_part('year', x) * 12 + date_part('month', x) from ({}) t(x) where typeof(x) = 'INTERVAL'");
    if (!rows || rows->rows.empty()) return refuse("something is added to an instant that is no constant interval");
    const auto* micros = std::get_if<std::int64_t>(&rows->rows[0].at(0));
    const auto* months = std::get_if<std::int64_t>(&rows->rows[0].at(1));
    if (!micros || !months) return refuse("something is added to an instant that is no constant interval");
    if (*months != 0) return refuse("months and years have no fixed length; say the interval in days");
    return Duration{*micros};
  }

  // DuckDB itself says what a constant is.
  Result<table::Rows> evaluate(const Json& node, fmt::format_string<std::string&> around) {
    json::object select{{"type", "SELECT_NODE"},
                        {"modifiers", json::array{}},
                        {"cte_map", json::object{{"map", json::array{}}}},
                        {"select_list", json::array{}},
                        {"from_table", json::object{{"type", "EMPTY"}, {"alias", ""}, {"sample", nullptr}}},
                        {"where_clause", nullptr},
                        {"group_expressions", json::array{}},
                        {"group_sets", json::array{}},
                        {"aggregate_handling", "STANDARD_HANDLING"},
                        {"having", nullptr},
                        {"sample", nullptr},
                        {"qualify", nullptr}};
    select["select_list"].get_array().push_back(node);
    json::object statement{{"node", std::move(select)}, {"named_param_map", json::array{}}};
    json::array statements;
    statements.push_back(Json(std::move(statement)));
    const json::object tree{{"error", false}, {"statements", std::move(statements)}};
    auto text = TRY(store_.query("select json_deserialize_sql(cast($1 as json))", {json::serialize(tree)}));
    auto* sql = text.rows.empty() ? nullptr : std::get_if<std::string>(&text.rows[0].at(0));
    if (!sql) return fail(Errc::malformed, "a constant that DuckDB does not write down");
    return store_.query(fmt::format(around, *sql));
  }

  table::Store& store_;
  const Statement& statement_;
  const std::vector<const facts::FactTable*>& named_;
  std::set<std::string> tracing_;
};

}  // namespace

Result<std::vector<Threshold>> thresholds_of(table::Store& store, const Json& tree, const Statement& statement,
                                             const std::vector<const facts::FactTable*>& named) {
  Linear linear{store, statement, named};
  TRY(linear.visit(tree));
  return std::vector<Threshold>(linear.found.begin(), linear.found.end());
}

}  // namespace vouch::controls
