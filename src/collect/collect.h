// collect/collect.h - run one source against one account, and store what it said. Open this first; collect/api.h for what differs from API
// to API.
//
// One run ends in one leaf. Only reads the account it observes. Keeps every new answer as received (secrets hashed at the door),
// also those that refuse us: a denied call is evidence of a gap. What is stored, and under which names: docs/evidence.md.
//
// While it runs nothing of it can be seen: bodies gather in a pack that appears at the end, complete and synced, and the leaf
// follows it. A crash, a full disk or a cancelled run leaves the ledger as it was; what such a run had put aside is removed by the
// next one. Two runs of one home exclude each other by `collect.lock`, held from start to end; the lock of the ledger is taken only
// for the commit, so that people and other commands can write while a long run goes on.
//
// Memory holds one record for each request (some 300 bytes), never the bodies.
//
// What makes the next run cheaper (validators of pages, how far increments were read) is kept in `cache/` (collect/cache.h), which may be
// deleted at any time.
#pragma once

#include "base/catalog.h"
#include "base/instant.h"
#include "collect/api.h"
#include "collect/evidence.h"
#include "ledger/position.h"
#include "wire/client.h"
#include "wire/credentials.h"
#include "wire/models.h"

#include <atomic>
#include <optional>
#include <string>
#include <vector>

namespace vouch::collect {

// How the account is reached. All outlive the run; whatever signs the dialect's requests in must not use `transport`.
struct Access {
  const Api& api;
  wire::Dialect& dialect;
  wire::Transport& transport;
  const wire::Models& models;  // whose text the catalog leaf names
};

struct Options {
  fs::path home;                     // holds a log (ledger/create.h)
  SecretsKey secrets_key;            // read_secrets_key(home)
  std::string binary;                // our version, for the catalog leaf and the receipts
  std::vector<std::string> regions;  // to read; empty: all that are enabled in the account
  // The account that is meant, where that is known before it answers, and its partition: what keeps us out is then recorded of it. Another
  // account that answers in its place is asked nothing more.
  std::string account = {}, partition = {};
  Duration schedule = Duration::days(1);  // how far apart two runs are meant to be
  bool simulated_time = false;            // `clock` does not tell the true time: marks the leaf as simulated
  // Only whether each call is allowed: of every listing the first page, of a `for each` the first element, in one region. What such a run
  // stores is no evidence of anything: give it a home of its own.
  bool probe = false;
  wire::ClientOptions client;
  Duration wait_for_ledger = Duration::minutes(1);  // at the commit, while another process writes
  const std::atomic<bool>* cancelled = nullptr;     // set it to end the run; what is in flight is dropped and nothing is recorded
};

// Where a run stands. `operations` counts an operation once for each region; it grows when the regions become known.
struct Progress {
  std::string account;  // empty until we know who we are
  std::uint64_t operations = 0, operations_done = 0;
  std::uint64_t requests = 0, retried = 0, throttled = 0, denied = 0, failed = 0;
  std::uint64_t new_bodies = 0;
  double requests_per_second = 0;  // of the last seconds
  Duration elapsed;
  std::string current;  // "s3:GetBucketPolicy", the last one that was heard of
};

// Called on the thread of run(), between requests; must not take long.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void progress(const Progress&) {}  // about ten times a second, and at the end
  virtual void ended(const TreeEntry&) {}    // an operation of a scope came to its end
};

// What a run brought.
struct Collection {
  bool cancelled = false;  // then nothing below was recorded
  CollectionLeaf leaf;
  std::optional<LeafIndex> index;  // of the leaf; none when cancelled
  Tree tree;                       // empty when the outcome is denied or failed
  bool unchanged = false;          // the tree is that of the run before
};

// Runs once. Fails only when nothing could be recorded: Errc::busy (another run; the message has its pid, or the ledger's writer did not
// end in time), Errc::not_found (no log in `home`), Errc::io (a full disk), Errc::corrupt (what the run before stored can't be
// read; `vouch verify` says more). An account that does not answer or refuses us is no such failure: its leaf says so.
Result<Collection> run(const Source& source, const CatalogFiles& catalog, const Access& access, const Clock& clock, const Options& options,
                       Observer& observer);

}  // namespace vouch::collect
