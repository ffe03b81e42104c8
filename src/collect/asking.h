// collect/asking.h - ask all operations of a source, each in its scopes, and gather what becomes of them.
//
// One node an operation and scope. Elements of a listing become requests of the operations that iterate over it as its pages
// arrive; a node ends when what it waits for has ended and its own requests are answered. All on one thread, inside step().
#pragma once

#include "collect/cache.h"
#include "collect/collect.h"
#include "collect/history.h"
#include "ledger/blobs.h"

#include <deque>
#include <memory>
#include <unordered_set>

namespace vouch::collect {

// What is remembered of one answer, besides its manifest entry.
struct Record {
  Entry entry{};
  std::string request_id;
  std::optional<Instant> date;
  std::optional<Digest> tls;
  std::size_t endpoint = 0;  // into Asking::endpoints()
  bool new_body = false;
};

struct Node;

class Asking {
 public:
  // All outlive it. Bodies go to `pack` as they come.
  Asking(const Source& source, const Access& access, wire::Client& client, const Options& options, const History& history,
         const Cache& cache, PackWriter& pack, const Whoami& whoami, Observer& observer);
  ~Asking();

  void start();
  // One turn. False when all has ended, or could not be stored (Errc::io, Errc::corrupt in `error()`).
  bool step(Duration longest);
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

  // At the end: nodes in the order of the tree.
  struct Answered {
    std::string operation;
    Scope scope;
    std::optional<Instant> started, ended;  // of its own requests, else of those that it waited for; none when nothing was asked
    std::deque<Record> records;             // in the order of the manifest
  };
  [[nodiscard]] std::vector<Answered> take_answered();
  [[nodiscard]] const Tree& tree() const { return tree_; }
  [[nodiscard]] const std::vector<std::string>& endpoints() const { return endpoints_; }
  [[nodiscard]] const Counts& counts() const { return counts_; }
  [[nodiscard]] const Cache& remembered() const { return remembering_; }  // for the next run, once this one is stored

  [[nodiscard]] std::uint64_t operations() const;
  [[nodiscard]] std::uint64_t operations_done() const { return tree_.entries.size(); }
  [[nodiscard]] const std::string& current() const { return current_; }

  struct Request;

 private:
  Node& add_node(const SourceOperation& operation, const Scope& scope);
  void link(Node& node);
  void settle_bases();
  void add_global_nodes();
  void add_regional_nodes();
  void give_up_regional(const std::string& why);
  void open(Node& node);
  void enqueue(Node& node, const Json* element, const Request* parent);
  void ask_in_turn(std::shared_ptr<Request> request);
  void ask_held_back(Node& node);
  void ask(std::shared_ptr<Request> request);
  void on_page(const std::shared_ptr<Request>& request, wire::Page page);
  void on_done(const std::shared_ptr<Request>& request, const wire::Outcome& outcome);
  [[nodiscard]] static Record blank(const Request& request, std::uint32_t page);
  bool ask_again(const std::shared_ptr<Request>& request, const wire::Outcome& outcome);
  void ask_what_is_owed(Node& node);
  void keep(const std::shared_ptr<Request>& request, wire::Page page);
  Result<bool> keep_answer(Request& request, wire::Page& page, Record& record);
  Result<> keep_unchanged(Request& request, wire::Page& page, Record& record);
  Result<> keep_error(Request& request, const wire::Page& page, Record& record);
  static void begin_again(Request& request);
  static void remember(Request& request);
  // `content` equal to that of the run before: its body stands; else this one is stored.
  Result<> keep_body(Request& request, const Digest& content, Redacted redacted, Record& record);
  void end_if_done(Node& node);
  void end(Node& node);
  Result<Digest> store_manifest(const Node& node);
  void note_regions(const Json& value);
  std::size_t endpoint_index(const std::string& endpoint);
  void break_off(Error error);

  const Source& source_;
  const Access& access_;
  wire::Client& client_;
  const Options& options_;
  const History& history_;
  const Cache& cache_;
  PackWriter& pack_;
  const Whoami& whoami_;
  Observer& observer_;

  SourceOperation describe_regions_;  // ours, when the source does not list it
  std::vector<std::unique_ptr<Node>> nodes_;
  Node* regions_node_ = nullptr;
  std::vector<std::string> regions_;
  bool regions_known_ = false;
  std::uint64_t regional_operations_ = 0;

  struct Waiting {
    Duration until;
    std::shared_ptr<Request> request;
  };
  std::deque<Waiting> waiting_;  // to be asked again, soonest first: all wait equally long

  Tree tree_;
  Cache remembering_;
  std::vector<std::string> endpoints_;
  Counts counts_;
  std::string current_;
  std::optional<Error> error_;
};

}  // namespace vouch::collect
