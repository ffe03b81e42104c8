#include "collect/permissions.h"

#include <map>

namespace vouch::collect {

std::vector<Permission> permissions(const Source& source) {
  std::map<std::string, std::vector<std::string>> needed;
  for (const auto& operation : source.operations)
    for (const auto& action : operation.actions) needed[action].push_back(operation.name());
  std::vector<Permission> list;
  for (auto& [action, operations] : needed) list.push_back({action, std::move(operations)});
  return list;
}

}  // namespace vouch::collect
