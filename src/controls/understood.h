// controls/understood.h - what was found out about controls when their SQL was checked, kept so that it is found out once.
//
// Derived: another text of a control or of any fact file, or a text here that cannot be read, costs only another check. A control with a
// mistake is never in it.
#pragma once

#include "base/digest.h"
#include "controls/control.h"

#include <map>
#include <string>
#include <string_view>

namespace vouch::controls {

class Understood {
 public:
  // `text` as write() gave it; of anything else nothing is known.
  static Understood read(std::string_view text);
  [[nodiscard]] std::string write() const;

  // Fills what is derived of `control`; false when nothing is known of it. `of`: the digest of all that it was derived from.
  bool fill(Control& control, const Digest& of) const;
  void keep(const Control& control, const Digest& of);

  friend bool operator==(const Understood&, const Understood&) = default;

 private:
  std::map<std::string, Json, std::less<>> controls_;  // by id
};

}  // namespace vouch::controls
