// controls/keyed.h - which tables of a query belong to one member each.
//
// A table is *keyed* when each of its rows can change what the query says of one member only: the one whose key the row's own columns hold.
// That is read from the syntax tree, from equalities that every row must meet to count (joins, WHERE, USING, correlation, GROUP BY,
// PARTITION BY, the columns of derived tables); nothing is proved by trying. What the tree does not show plainly is not keyed, which costs
// time and never a verdict.
#pragma once

#include "facts/tables.h"

#include <map>
#include <string>
#include <vector>

namespace vouch::controls {

// Column of the table -> column of the key; all of the key's columns are there.
using KeyColumns = std::map<std::string, std::string>;

// `tree` is the query's (Store::tree_of), `key` names columns that it returns.
std::map<std::string, KeyColumns> keyed_tables(const Json& tree, const facts::FactCatalog& tables, const std::vector<std::string>& key);

}  // namespace vouch::controls
