// collect/node.h - an operation in one scope, while it is asked.
#pragma once

#include "collect/asking.h"
#include "collect/cache.h"
#include "collect/content.h"

namespace vouch::collect {

// A request that is not asked yet, in few bytes: a listing may have hundreds of thousands of elements.
struct HeldBack {
  std::string params, key;  // as JSON; `params` is empty where the text says the same
  std::string params_text, region;
};

struct Node {
  const SourceOperation* operation = nullptr;
  Scope scope;
  bool known = false;  // the API has such an operation
  std::string region;  // to ask, unless the element says otherwise
  Normal normal;
  std::vector<Path> changing;  // the operation's volatile members, and of an HTTP API the one that leads to the next page

  Node* parent = nullptr;  // whose elements it is asked for
  Node* after = nullptr;
  std::vector<Node*> children, followers;

  std::deque<HeldBack> held_back;         // until `after` has ended, and while enough are being asked
  std::unordered_set<std::string> asked;  // params, so that an element that is listed twice is asked for once
  std::size_t pending = 0;                // requests without an outcome
  std::size_t calls = 0;                  // those of them that the client has
  bool opened = false, ended = false;
  bool inherits = false;  // holes of its parent

  std::optional<Manifest> before;                   // what the run before stored of it
  const RememberedOperation* remembered = nullptr;  // of that manifest
  RememberedOperation remembering;
  // Brings only what is new; to what `base` stands for, unless all is read anew.
  bool incremental = false;
  std::optional<Digest> base;

  std::deque<Record> records{};
  std::optional<Instant> started, finished;
  Outcome outcome = Outcome::complete;
  std::string reason;
};

// "eu-central-1": nothing else becomes part of a host's name.
bool is_region_name(std::string_view text);

// The error of a hole that an operation has because the one that lists its elements has it.
constexpr std::string_view depends_on = "DependsOn";

// Where elements of some keys could not be listed, the same keys are holes here. False when a hole of the listing has no key.
bool inherit_holes(Node& node);

// Whether an increment brought nothing: no answer, and refusals that its base shows already.
bool brought_nothing(const Node& node);

// What a node's answers amount to: its outcome and, where it is not complete, why.
struct Verdict {
  Outcome outcome = Outcome::complete;
  std::string reason;
  std::uint64_t denied = 0, failed = 0;  // requests
};
Verdict judge(const Node& node);

// What an operation asks, as a digest: an increment adds only to answers to the same question.
Digest question_of(const SourceOperation& operation);

// How an error answer is read: as an absence that the source declares, as a thing that is gone, or as a hole.
// `received`: it came with a body. A status without a word is anybody's on the way, and proves no absence.
void classify(const SourceOperation& operation, const wire::ServiceError& error, int status, bool received, Entry& entry);

}  // namespace vouch::collect
