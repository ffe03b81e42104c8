#include "collect/permissions.h"

#include <map>

namespace vouch::collect {

std::vector<Permission> permissions(const Source& source) {
  std::map<std::string, std::vector<std::string>> needed;
  for (const auto& operation : source.operations)
    for (const auto& action : operation.actions) needed[action].push_back(operation.name());
  // Which regions there are is asked before anything is asked in one.
  if (!source.http)
    for (const auto& operation : source.operations)
      if (operation.regional) needed["ec2:DescribeRegions"].push_back(operation.name());
  std::vector<Permission> list;
  for (auto& [action, operations] : needed) list.push_back({action, std::move(operations)});
  return list;
}

}  // namespace vouch::collect
