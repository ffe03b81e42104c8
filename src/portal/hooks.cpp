#include "portal/hooks.h"

#include "base/json.h"
#include "ledger/append.h"
#include "ledger/blobs.h"
#include "ledger/evidence.h"
#include "ledger/read.h"

namespace vouch::portal {
namespace {

// One change at GitHub brings several deliveries within moments; a pack and a commit for each would be many.
constexpr auto gathering = std::chrono::milliseconds(200);
// GitHub gives up after ten seconds, and whoever holds the ledger holds it for moments.
constexpr auto longest_wait_for_ledger = std::chrono::seconds(5);
// A secret that is wrong may have been changed; but nobody makes us read it for each of his guesses.
constexpr auto between_readings = Duration::seconds(10);
constexpr auto longest_trust = Duration::minutes(5);

HttpResponse response(int status, Json body) {
  return {.status = status,
          .content_type = "application/json",
          .body = json::serialize(body) + "\n",
          .retry_after_seconds = status == 503 ? 30u : 0u};
}

HttpResponse not_kept() { return response(503, {{"error", "it could not be kept: send it again"}}); }

Result<Appender> open_ledger(const fs::path& home) {
  const auto until = std::chrono::steady_clock::now() + longest_wait_for_ledger;
  for (;;) {
    auto appender = Appender::open(home);
    if (appender || appender.error().code != Errc::busy || std::chrono::steady_clock::now() >= until) return appender;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

Result<std::set<Digest>> read_known(const fs::path& home) {
  std::set<Digest> known;
  const auto log = TRY(Reader::open(home));
  TRY(log.for_each(LeafIndex{0}, log.checkpoint().size, [&](LeafIndex, std::string_view entry) -> Result<> {
    if (evidence::has_kind(entry, "events")) known.insert(TRY(evidence::parse_events_leaf(entry)).received_body);
    return {};
  }));
  return known;
}

}  // namespace

Hooks::Hooks(fs::path home, wire::Secret secret, collect::SecretsKey key, const Clock& clock, Metrics& metrics, Log& log)
    : home_(std::move(home)), secret_(std::move(secret)), key_(key), clock_(clock), metrics_(metrics), log_(log) {
  for (const auto* outcome : {"accepted", "duplicate", "refused", "failed"})
    metrics_.add("vouch_webhooks_total", {{"outcome", outcome}}, 0);
  metrics_.add("vouch_webhook_commits_total", {}, 0);
}

Result<std::unique_ptr<Hooks>> Hooks::open(const fs::path& home, wire::Secret secret, const Clock& clock, Metrics& metrics, Log& log) {
  const auto key = TRY(collect::read_secrets_key(home));
  std::unique_ptr<Hooks> hooks{new Hooks(home, std::move(secret), key, clock, metrics, log)};
  hooks->known_ = TRY(read_known(home));
  hooks->thread_ = std::thread{[&working = *hooks] { working.work(); }};
  return hooks;
}

Hooks::~Hooks() { stop(); }

void Hooks::take(HttpRequest request, Reply reply) {
  {
    const std::lock_guard held{mutex_};
    if (!stopping_) {
      waiting_.push_back({std::move(request), std::move(reply)});
      changed_.notify_all();
      return;
    }
  }
  reply(response(503, {{"error", "the server is being ended"}}));
}

void Hooks::stop() {
  {
    const std::lock_guard held{mutex_};
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Hooks::work() {
  std::unique_lock held{mutex_};
  for (;;) {
    changed_.wait(held, [&] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    changed_.wait_for(held, gathering, [&] { return stopping_; });
    std::vector<Waiting> batch;
    batch.swap(waiting_);
    held.unlock();
    handle(std::move(batch));
    held.lock();
  }
}

void Hooks::handle(std::vector<Waiting> batch) {
  if (const auto sure = settle_doubt(); !sure) {
    log_(Level::error, "webhooks_lost", {{"count", std::to_string(batch.size())}, {"error", sure.error().message}});
    for (const auto& waiting : batch) {
      metrics_.add("vouch_webhooks_total", {{"outcome", "failed"}});
      waiting.reply(not_kept());
    }
    return;
  }
  std::map<Digest, Kept> kept;
  for (auto& waiting : batch) check(std::move(waiting), kept);
  if (kept.empty()) return;
  const auto committed = commit(kept);
  if (!committed) {
    in_doubt_ = true;
    log_(Level::error, "webhooks_lost", {{"count", std::to_string(kept.size())}, {"error", committed.error().message}});
  }
  for (auto& [received, one] : kept) {
    if (committed) {
      known_.insert(received);
      log_(Level::info, "webhook", {{"source", one.leaf.source}, {"type", one.leaf.event}, {"delivery", one.leaf.delivery}});
    }
    bool first = true;
    for (const auto& reply : one.replies) {
      const std::string_view outcome = !committed ? "failed" : first ? "accepted" : "duplicate";
      metrics_.add("vouch_webhooks_total", {{"outcome", std::string(outcome)}});
      reply(committed ? response(first ? 202 : 200, {{"kept", true}}) : not_kept());
      first = false;
    }
  }
}

// An entry whose commit failed may stand in the journal all the same, and whoever opens the ledger next finishes it.
Result<> Hooks::settle_doubt() {
  if (!in_doubt_) return {};
  TRY(finish_interrupted(home_));
  known_ = TRY(read_known(home_));
  in_doubt_ = false;
  return {};
}

void Hooks::check(Waiting waiting, std::map<Digest, Kept>& kept) {
  const auto& request = waiting.request;
  if (!is_genuine(request)) return refuse(waiting.reply, 401, "refused", "refused");
  auto delivery = read_delivery(request);
  if (!delivery) return refuse(waiting.reply, delivery.error().code == Errc::unsupported ? 415 : 400, "refused", delivery.error().message);
  const auto received = sha256(request.body);
  if (known_.contains(received)) {
    metrics_.add("vouch_webhooks_total", {{"outcome", "duplicate"}});
    return waiting.reply(response(200, {{"kept", true}}));
  }
  if (const auto same = kept.find(received); same != kept.end()) return same->second.replies.push_back(std::move(waiting.reply));
  const auto payload = parse_json(request.body);
  if (!payload || !payload->is_object()) return refuse(waiting.reply, 400, "refused", "the payload is no JSON object");
  auto redacted = collect::redact_document(wire::AnswerKind::json, request.body, {}, key_);
  if (!redacted) return refuse(waiting.reply, 400, "refused", "the payload cannot be searched for secrets");
  Kept one;
  one.leaf.source = "github";
  one.leaf.event = std::move(delivery->event);
  one.leaf.delivery = std::move(delivery->id);
  one.leaf.received = clock_.now();
  one.leaf.body = sha256(redacted->body);
  one.leaf.received_body = received;
  one.leaf.secrets = redacted->paths.size();
  one.body = std::move(redacted->body);
  one.replies.push_back(std::move(waiting.reply));
  kept.emplace(received, std::move(one));
}

void Hooks::refuse(const Reply& reply, int status, std::string_view outcome, std::string_view why) {
  metrics_.add("vouch_webhooks_total", {{"outcome", std::string(outcome)}});
  log_(Level::warn, "webhook_refused",
       {{"status", std::to_string(status)}, {"why", std::string(status == 401 ? "not signed with the secret" : why)}});
  reply(response(status, {{"error", json::string(why)}}));
}

bool Hooks::is_genuine(const HttpRequest& request) {
  const auto signature = request.header("x-hub-signature-256");
  if (signature.empty()) return false;
  const auto now = clock_.now();
  const auto older_than = [&](Duration age) { return !read_at_ || now - *read_at_ > age || now < *read_at_; };
  if (older_than(longest_trust)) read_secret();
  if (is_signed(request.body, signature, text_.view())) return true;
  if (!secret_.may_change() || !older_than(between_readings)) return false;
  read_secret();
  return is_signed(request.body, signature, text_.view());
}

void Hooks::read_secret() {
  read_at_ = clock_.now();
  auto text = secret_.read();
  if (text) {
    text_ = std::move(*text);
  } else {
    text_ = wire::SecretText{};
    log_(Level::error, "webhook_secret", {{"error", text.error().message}});
  }
}

// Blobs first, complete and synced; then the leaves that name them, in one batch.
Result<> Hooks::commit(const std::map<Digest, Kept>& kept) {
  auto pack = TRY(PackWriter::start(home_));
  std::vector<std::string> entries;
  for (const auto& [received, one] : kept) {
    TRY(pack.add(one.body));
    entries.push_back(write(one.leaf));
  }
  TRY(pack.finish());
  auto appender = TRY(open_ledger(home_));
  TRY(appender.append(entries));
  TRY(appender.close());
  metrics_.add("vouch_webhook_commits_total");
  return {};
}

}  // namespace vouch::portal
