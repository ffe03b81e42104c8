// A small code host that answers from a script, for tests of HTTP sources. Nothing leaves the process, and time passes only in step().
#pragma once

#include "collect/collect.h"
#include "wire/scripted_transport.h"

#include <map>
#include <set>

namespace vouch::collect::test {

struct Pull {
  int number = 0;
  std::string updated;  // RFC 3339
  std::string title;
};

class Hub {
 public:
  Hub() : transport([this](const wire::HttpRequest& request, std::size_t) { return wire::ScriptedTransport::Reply{answer(request)}; }) {}

  // The world.
  std::string id = "4711";
  std::map<std::string, std::vector<Pull>> repositories;  // pulls in any order
  std::size_t page_size = 2;
  std::set<std::string> refused;               // paths that are answered with 403
  std::map<std::string, std::string> instead;  // other bodies, by path
  std::map<std::string, std::string> missing;  // bodies of a 404, by path
  bool etags = true;

  // What happened, as "/repos/a/pulls?page=2".
  std::vector<std::string> asked;
  std::size_t not_modified = 0;
  [[nodiscard]] std::size_t count(std::string_view beginning) const;

  wire::ScriptedTransport transport;

 private:
  Result<wire::Answer> answer(const wire::HttpRequest& request);
  Result<wire::Answer> page_of(const wire::HttpRequest& request, const std::string& target, const json::array& items) const;
};

// Its source file, and the settings that it needs.
CatalogFiles hub_catalog();
Json hub_settings();

}  // namespace vouch::collect::test
