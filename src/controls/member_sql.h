// controls/member_sql.h - pieces of SQL around a control's own, in which members are told apart. Of this module only.
//
// A control's SQL stands as a derived table whose columns are c0, c1, … in its own order, so that no name of the author's is pasted or
// needs quoting; the key's columns leave it as k0, k1, … in the order of their names, so that sorted rows are sorted as a std::map is.
#pragma once

#include "controls/control.h"

namespace vouch::controls {

std::string numbered(std::size_t count);  // "c0, c1, …"
std::size_t place_of(const std::vector<std::string>& columns, std::string_view name);
std::vector<std::string> sorted_key(const Control& control);
// "c2 as k0, c0 as k1"
std::string key_list(const std::vector<std::string>& key, const std::vector<std::string>& columns);
// `form` once for each of them, '#' standing for its number: each_key(2, "p.k# = f.k#", " and ").
std::string each_key(std::size_t count, std::string_view form, std::string_view between);
// "(\n<sql>\n) as q(c0, c1, …)"
std::string derived(std::string_view sql, std::size_t columns);
// The reason of a row of `fails`.
std::string reason_of_row(const Control& control);
// The reasons of a group of rows, sorted, at most a few, as one text; `listed`: all of them, as a list.
std::string reasons_of(const Control& control);
std::string reasons_among(std::string_view listed);
// The name that people use, of a row or a group of rows of the population; NULL where the population returns none.
std::string name_of_row(const Control& control);
std::string name_of_group(const Control& control);

}  // namespace vouch::controls
