// portal/hooks.h - takes in GitHub's webhooks: checks each, and keeps those that are GitHub's as evidence (docs/evidence.md, "Events
// leaf").
//
// One thread of its own. Deliveries that come together share one pack and one commit; each is answered when its entry is durable:
//   202 kept; 200 kept before. A delivery is known by the bytes that are signed: the headers with its id and its type are not, so who
//   caught one could send it under others
//   401 not signed with the secret (no more is said); 400, 415 signed, but nothing that we can keep; 503 not kept now, to be sent again
#pragma once

#include "collect/secrets.h"
#include "ledger/events.h"
#include "portal/delivery.h"
#include "portal/log.h"
#include "portal/metrics.h"
#include "wire/secret.h"

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

namespace vouch::portal {

class Hooks {
 public:
  // Reads from the ledger which deliveries are known. The references outlive it. Errc::config when the secrets' key is missing.
  static Result<std::unique_ptr<Hooks>> open(const fs::path& home, wire::Secret secret, const Clock& clock, Metrics& metrics, Log& log);
  ~Hooks();
  Hooks(const Hooks&) = delete;
  Hooks& operator=(const Hooks&) = delete;

  // From any thread; `reply` is called on the thread of Hooks.
  void take(HttpRequest request, Reply reply);

  // Answers all that was taken in, and ends the thread. What comes later is answered 503.
  void stop();

 private:
  struct Waiting {
    HttpRequest request;
    Reply reply;
  };
  // Checked, and about to be kept. A delivery that comes twice at once is one of these with two who wait.
  struct Kept {
    evidence::EventsLeaf leaf;
    std::string body;
    std::vector<Reply> replies;
  };

  Hooks(fs::path home, wire::Secret secret, collect::SecretsKey key, const Clock& clock, Metrics& metrics, Log& log);
  void work();
  void handle(std::vector<Waiting> batch);
  Result<> settle_doubt();
  void check(Waiting waiting, std::map<Digest, Kept>& kept);
  bool is_genuine(const HttpRequest& request);
  void read_secret();
  Result<> commit(const std::map<Digest, Kept>& kept);
  void refuse(const Reply& reply, int status, std::string_view outcome, std::string_view why);

  const fs::path home_;
  const wire::Secret secret_;
  const collect::SecretsKey key_;
  const Clock& clock_;
  Metrics& metrics_;
  Log& log_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Waiting> waiting_;
  bool stopping_ = false;

  // Of its thread:
  std::set<Digest> known_;  // received bodies
  bool in_doubt_ = false;   // whether `known_` is all that the ledger holds
  wire::SecretText text_;
  std::optional<Instant> read_at_;
  std::thread thread_;
};

}  // namespace vouch::portal
