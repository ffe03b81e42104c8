#include "controls/unread.h"

#include <set>

namespace vouch::controls {
namespace {

using Key = std::map<std::string, std::string>;

constexpr std::size_t most_reasons = 3;

// What stands for members that nobody could list: the hole's key, or no more of it than a member's where it names just one.
Key unread_key(const Control& control, const facts::Hole& hole) {
  Key key;
  for (const auto& column : control.key) {
    const auto value = hole.key.find(column);
    if (value == hole.key.end()) return hole.key;
    key.insert(*value);
  }
  return key;
}

// "aws_iam_user of account=2"
std::string unread_name(const Control& control, const facts::Hole& hole) {
  if (const auto one = hole.key.find(control.key.back()); one != hole.key.end()) return one->second;
  return hole.key.empty() ? fmt::format("all of {}", hole.table) : fmt::format("{} of {}", hole.table, to_text(hole.key));
}

}  // namespace

HoleIndex::HoleIndex(const Control& control, std::span<const facts::Hole> holes) : holes_(holes), met_(holes.size()) {
  std::map<std::vector<std::string>, Group> groups;
  for (std::size_t i = 0; i < holes.size(); ++i) {
    std::vector<std::string> columns, values;
    for (const auto& [column, value] : holes[i].key) {
      if (std::find(control.key.begin(), control.key.end(), column) == control.key.end()) continue;
      columns.push_back(column);
      values.push_back(value);
    }
    auto& group = groups[columns];
    group.columns = columns;
    group.by_values[values].push_back(i);
  }
  for (auto& [columns, group] : groups) groups_.push_back(std::move(group));
}

std::vector<std::size_t> HoleIndex::concerning(const Key& key) const {
  std::vector<std::size_t> concerned;
  for (const auto& group : groups_) {
    std::vector<std::string> values;
    for (const auto& column : group.columns) values.push_back(key.at(column));
    if (const auto found = group.by_values.find(values); found != group.by_values.end())
      concerned.insert(concerned.end(), found->second.begin(), found->second.end());
  }
  return concerned;
}

void HoleIndex::leave_unread(MemberVerdict& member) {
  const auto concerned = concerning(member.key);
  for (const auto i : concerned) met_[i] = true;
  if (!concerned.empty()) leave_unknown(member, holes_, concerned);
}

void leave_unknown(MemberVerdict& member, std::span<const facts::Hole> holes, const std::vector<std::size_t>& concerned) {
  std::set<std::string> reasons;
  for (const auto i : concerned) {
    reasons.insert(holes[i].reason);
    if (holes[i].leaf && (!member.leaf || *member.leaf < *holes[i].leaf)) member.leaf = holes[i].leaf;
  }
  member.answer = Answer::unknown;
  member.reason.clear();
  std::size_t told = 0;
  for (const auto& reason : reasons) {
    if (told == most_reasons) {
      member.reason += fmt::format("; and {} more", reasons.size() - told);
      break;
    }
    member.reason += (told++ ? "; " : "") + reason;
  }
}

void add_unread(const Control& control, ControlVerdict& verdict, std::span<const facts::Hole> holes, const std::vector<bool>& met) {
  std::map<Key, std::vector<std::size_t>> unread;
  for (std::size_t i = 0; i < holes.size(); ++i)
    if (!met[i] &&
        std::find(control.population_tables.begin(), control.population_tables.end(), holes[i].table) != control.population_tables.end())
      unread[unread_key(control, holes[i])].push_back(i);
  for (const auto& [key, at_holes] : unread) {
    MemberVerdict member{};
    member.key = key;
    member.name = unread_name(control, holes[at_holes.front()]);
    leave_unknown(member, holes, at_holes);
    const auto place = std::lower_bound(verdict.members.begin(), verdict.members.end(), key,
                                        [](const MemberVerdict& a, const Key& b) { return a.key < b; });
    verdict.members.insert(place, std::move(member));
  }
}

}  // namespace vouch::controls
