// controls/statement.h - what stands in a SELECT, gathered from its syntax tree in one walk. Part of query.h's work.
#pragma once

#include "controls/query.h"

#include <map>

namespace vouch::controls {

// Text in lower case, as SQL compares names. ASCII only; other bytes stay.
std::string folded(std::string_view text);

// The class of a node ("FUNCTION", "COLUMN_REF", ...), or "" where the value is no expression.
std::string_view class_of(const Json& node);
// "COMPARE_LESSTHAN", "SELECT_NODE", ...
std::string_view type_of(const Json& node);
std::string function_of(const Json& node);  // folded; "" where it is no function

// Does this very node read the judged instant?
bool is_clock(const Json& node);
bool contains_clock(const Json& node);
// Free of columns, subqueries, clocks and parameters: the same for every row.
bool is_constant(const Json& node);

// Names are folded.
struct Statement {
  std::set<std::string> base_tables;  // as named in FROM, common table expressions among them
  // What may stand before a dot (tables, aliases, common table expressions), and which tables it names; "" is anything else.
  std::map<std::string, std::set<std::string>> relations;
  std::set<std::string> common_tables;
  std::multimap<std::string, const Json*> derived;  // an output name, and an expression that it can stand for
  std::set<std::string> opaque;                     // names whose values cannot be traced (column lists, lambda parameters)
  std::string untraceable;                          // why no column can be traced here; "" when each can
  std::vector<JudgedSql::Place> clocks;
};

// Walks a tree as json_serialize_sql gives it. `tree` must outlive the answer. Errc::config for what query.h refuses.
Result<Statement> survey(const Json& tree, std::string_view sql, const Functions& functions, const facts::FactCatalog& tables);

}  // namespace vouch::controls
