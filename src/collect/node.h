// collect/node.h - an operation in one scope, while it is asked.
#pragma once

#include "collect/asking.h"
#include "collect/content.h"

namespace vouch::collect {

struct Node {
  const SourceOperation* operation = nullptr;
  Scope scope;
  const wire::Service* service = nullptr;  // nullptr when the models know no such operation
  const wire::Operation* model = nullptr;
  std::string region;  // to ask, unless the element says otherwise
  Normal normal;

  Node* parent = nullptr;  // whose elements it is asked for
  Node* after = nullptr;
  std::vector<Node*> children, followers;

  std::vector<std::shared_ptr<Asking::Request>> held_back;  // until `after` has ended
  std::unordered_set<std::string> asked;                    // params, so that an element that is listed twice is asked for once
  std::size_t pending = 0;
  bool opened = false, ended = false;

  std::optional<Manifest> before;  // what the run before stored of it
  std::vector<Record> records{};
  std::optional<Instant> started, finished;
  Outcome outcome = Outcome::complete;
  std::string reason;
};

// "eu-central-1": nothing else becomes part of a host's name.
bool is_region_name(std::string_view text);

// What a node's answers amount to: its outcome and, where it is not complete, why.
struct Verdict {
  Outcome outcome = Outcome::complete;
  std::string reason;
  std::uint64_t denied = 0, failed = 0;  // requests
};
Verdict judge(const Node& node);

// How an error answer is read: as an absence that the source declares, as a thing that is gone, or as a hole.
// `empty_body`: an answer to HEAD, whose status is all it says.
void classify(const SourceOperation& operation, wire::Heard heard, std::string_view code, int status, bool empty_body, Entry& entry);

}  // namespace vouch::collect
