// controls/keyed.h - which tables of a query belong to one member each.
//
// A table is *keyed* by columns of the key when each of its rows can change what the query says of those members only whose key has the
// values that the row's own columns hold: by the whole key of one member each, by a part of it (account, repository) of those that share
// it. That is read from the syntax tree, from equalities that every row must meet to count (joins, WHERE, USING, correlation, GROUP BY,
// PARTITION BY, the columns of derived tables); nothing is proved by trying. What the tree does not show plainly is not keyed, which costs
// time and never a verdict.
#pragma once

#include "facts/tables.h"

#include <map>
#include <string>
#include <vector>

namespace vouch::controls {

// Column of the table -> column of the key; never empty.
using KeyColumns = std::map<std::string, std::string>;

// `tree` is the query's (Store::tree_of), `key` names columns that it returns.
std::map<std::string, KeyColumns> keyed_tables(const Json& tree, const facts::FactCatalog& tables, const std::vector<std::string>& key);

}  // namespace vouch::controls
