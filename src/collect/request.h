// collect/request.h - one request, while it is asked.
#pragma once

#include "collect/newest_first.h"
#include "collect/node.h"

#include <set>

namespace vouch::collect {

// One request, with all its pages.
struct Asking::Request {
  Node* node = nullptr;
  Json params, key;
  std::string params_text;
  std::string region;
  std::vector<wire::Page> held;  // `until`: nothing counts before the member has its value
  std::optional<Duration> first_asked;
  bool refused = false;  // an answer was a hole already

  wire::Client::CallId call = 0;
  std::uint32_t reading = 1;
  std::optional<RememberedRequest> remembered;  // of the run before
  RememberedRequest remembering;
  std::set<Digest> contents;                // of the pages so far that hold anything
  std::optional<NewestFirst> newest_first;  // of an increment
};

// What came from a header may be any bytes.
std::string printable(std::string_view text);

}  // namespace vouch::collect
