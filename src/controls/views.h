// controls/views.h - SQL that several controls share, by name (catalog/views/**/*.yaml).
//
// A control that names a view gets it as a common table expression before its own SQL, so that all that is found out about the control's
// SQL (tables, clocks, keys) is found out about the view's as well. It gets it on one line: lines of the control stay what they are.
#pragma once

#include "base/catalog.h"

#include <map>
#include <string>
#include <string_view>

namespace vouch::controls {

struct View {
  std::string name;
  std::string where;  // file:line
  std::string sql;    // on one line
};

class Views {
 public:
  // A later view of the same name takes the place of an earlier one. A view that is wrong is a problem at file:line and left out.
  static Views read(const CatalogFiles& files, Problems& problems);

  // `sql` with the views that it names before it.
  [[nodiscard]] std::string before(std::string_view sql) const;

  [[nodiscard]] const std::map<std::string, View, std::less<>>& all() const { return views_; }

 private:
  std::map<std::string, View, std::less<>> views_;
};

}  // namespace vouch::controls
