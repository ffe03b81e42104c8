// controls/unread.h - what holes in the facts do to members. Of this module only.
//
// A hole concerns every member whose key agrees with the hole's on the columns that both have. A listing that is itself a hole adds a
// member of its own (key = the hole's key), so that an unread population is never an empty or a passing one.
#pragma once

#include "controls/evaluate.h"

namespace vouch::controls {

// Holes by the values of the key's columns that they name. `holes` outlives it.
class HoleIndex {
 public:
  HoleIndex(const Control& control, std::span<const facts::Hole> holes);
  // Indexes of the holes that concern the member of this key.
  [[nodiscard]] std::vector<std::size_t> concerning(const std::map<std::string, std::string>& key) const;

  // leave_unknown() where a hole concerns the member; such holes are met().
  void leave_unread(MemberVerdict& member);
  [[nodiscard]] const std::vector<bool>& met() const { return met_; }

 private:
  struct Group {
    std::vector<std::string> columns;
    std::map<std::vector<std::string>, std::vector<std::size_t>> by_values;
  };
  std::vector<Group> groups_;
  std::span<const facts::Hole> holes_;
  std::vector<bool> met_;
};

// Makes the member unknown, with the reasons of the holes that concern it.
void leave_unknown(MemberVerdict& member, std::span<const facts::Hole> holes, const std::vector<std::size_t>& concerned);

// Adds what stands for members that nobody could list: one for each key of those holes of the population's tables that are not `met`.
void add_unread(const Control& control, ControlVerdict& verdict, std::span<const facts::Hole> holes, const std::vector<bool>& met);

}  // namespace vouch::controls
