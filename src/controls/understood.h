// controls/understood.h - what was found out about controls when their SQL was checked, kept so that it is found out once.
//
// What is known of the shipped controls is found out when Vouch is built; a home keeps only what is known beyond that.
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

  // What it does not know itself, it asks `below`, which outlives it.
  void rest_on(const Understood& below) { below_ = &below; }

  // Fills what is derived of `control`; false when nothing is known of it. `of`: the digest of all that it was derived from.
  bool fill(Control& control, const Digest& of) const;
  void keep(const Control& control, const Digest& of);

  friend bool operator==(const Understood& a, const Understood& b) { return a.controls_ == b.controls_; }

 private:
  std::map<std::string, Json, std::less<>> controls_;  // by id
  const Understood* below_ = nullptr;
};

}  // namespace vouch::controls
