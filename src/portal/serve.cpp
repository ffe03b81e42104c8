#include "portal/serve.h"

#include "ledger/read.h"
#include "portal/ask.h"
#include "portal/health.h"
#include "portal/hooks.h"
#include "portal/http_server.h"

#include <chrono>
#include <thread>

namespace vouch::portal {
namespace {

// A command that removes a dead server's socket holds the lock for a moment.
Result<LockFile> acquire_lock(const fs::path& home) {
  auto lock = LockFile::acquire(server_lock_path(home));
  for (int i = 0; i < 20 && !lock && lock.error().code == Errc::busy; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    lock = LockFile::acquire(server_lock_path(home));
  }
  if (!lock) return std::unexpected(std::move(lock).error().within("a server runs for this home already"));
  return lock;
}

// Of several accounts of a source the last run of any.
Result<> read_last_runs(const Reader& log, std::vector<Planned>& sources) {
  return log.for_each(LeafIndex{0}, log.checkpoint().size, [&](LeafIndex, std::string_view entry) -> Result<> {
    if (!evidence::has_kind(entry, "collection")) return {};
    const auto leaf = TRY(evidence::parse_collection_leaf(entry));
    const bool well = leaf.outcome == evidence::Outcome::complete || leaf.outcome == evidence::Outcome::partial;
    for (auto& source : sources)
      if (source.source == leaf.source && (!source.last || source.last->started <= leaf.started))
        source.last = LastRun{.started = leaf.started,
                              .ended = leaf.ended,
                              .well = well,
                              .outcome = std::string(name_of(leaf.outcome)),
                              .reason = leaf.reason};
    return {};
  });
}

HttpResponse json_response(int status, const Json& body) { return {.status = status, .body = pretty(body) + "\n"}; }

HttpResponse error_response(int status, std::string_view why) { return json_response(status, {{"error", json::string(why)}}); }

class Server {
 public:
  Server(Options options, Collect collect, const Clock& clock, Log& log, std::string_view origin)
      : options_(std::move(options)), clock_(clock), log_(log), runs_(origin, options_.sources, std::move(collect), clock, metrics_, log) {
    metrics_.set("vouch_build_info", {{"version", options_.version}}, 1);
    metrics_.set("vouch_start_time_seconds", {}, static_cast<double>(runs_.since().micros) / 1e6);
  }

  Result<> run() {
    if (options_.github_secret) hooks_ = TRY(Hooks::open(options_.home, *options_.github_secret, clock_, metrics_, log_));
    HttpServer http{routes()};
    http.observe([this](int status) { metrics_.add("vouch_http_requests_total", {{"status", std::to_string(status)}}); });
    const auto address = TRY(http.listen(options_.listen));
    TRY(http.listen_locally(fs::absolute(socket_path(options_.home))));
    log_(Level::info, "serving", {{"home", options_.home.string()}, {"listen", address}, {"version", options_.version}});
    if (!is_loopback(address))
      log_(Level::warn, "plain_http",
           {{"listen", address}, {"what", "others can reach this address, and it speaks plain HTTP: put a proxy with TLS before it"}});
    runs_.start();
    http.run([this] {
      log_(Level::info, "stopping");
      if (hooks_) hooks_->stop();
      runs_.stop();
    });
    log_(Level::info, "stopped");
    return {};
  }

 private:
  std::vector<Route> routes() {
    std::vector<Route> routes;
    routes.push_back({.method = "GET", .path = "/healthz", .answer = [this](const HttpRequest&, const Reply& reply) { reply(healthz()); }});
    routes.push_back({.method = "GET", .path = "/metrics", .answer = [this](const HttpRequest&, const Reply& reply) { reply(metrics()); }});
    routes.push_back(
        {.method = "GET", .path = "/state", .door = Route::Door::socket, .answer = [this](const HttpRequest&, const Reply& reply) {
           reply(json_response(200, state_json(runs_.state(), runs_.since(), clock_.now(), options_.version)));
         }});
    routes.push_back(
        {.method = "POST", .path = "/collect", .door = Route::Door::socket, .answer = [this](const HttpRequest& request, Reply reply) {
           collect(request, std::move(reply));
         }});
    if (hooks_)
      routes.push_back({.method = "POST",
                        .path = "/hooks/github",
                        .body_bytes = most_delivery_bytes,
                        .answer = [this](HttpRequest request, Reply reply) { hooks_->take(std::move(request), std::move(reply)); }});
    return routes;
  }

  HttpResponse healthz() {
    auto reasons = complaints(runs_.state(), runs_.since(), clock_.now());
    if (auto opened = count_entries(); !opened) {
      log_(Level::error, "ledger", {{"error", opened.error().message}});
      reasons.insert(reasons.begin(), fmt::format("the ledger does not open: {}", name_of(opened.error().code)));
    }
    json::array list;
    for (const auto& reason : reasons) list.push_back(json::string(reason));
    return json_response(reasons.empty() ? 200 : 503, {{"healthy", reasons.empty()}, {"reasons", std::move(list)}});
  }

  HttpResponse metrics() {
    (void)count_entries();  // where it can't be read the last number stays, and /healthz says why
    return {.status = 200, .content_type = std::string(Metrics::content_type), .body = metrics_.text()};
  }

  Result<> count_entries() {
    const auto log = TRY(Reader::open(options_.home));
    metrics_.set("vouch_ledger_entries", {}, static_cast<double>(log.checkpoint().size.value));
    return {};
  }

  void collect(const HttpRequest& request, Reply reply) {
    const auto source = request.query.find("source");
    if (source == request.query.end()) return reply(error_response(400, "say which source: /collect?source=NAME"));
    const auto asked = runs_.ask(source->second, [reply](const Ran& ran) {
      if (ran.recorded()) {
        auto answer = ran.answer.is_object() ? ran.answer.get_object() : json::object{};
        answer["outcome"] = ran.outcome;
        reply(json_response(200, answer));
      } else {
        reply(error_response(ran.outcome == "cancelled" ? 503 : 500,
                             ran.outcome == "cancelled" ? "cancelled: nothing of this run was recorded" : ran.reason));
      }
    });
    if (!asked) reply(error_response(asked.error().code == Errc::not_found ? 404 : 503, asked.error().message));
  }

  const Options options_;
  const Clock& clock_;
  Log& log_;
  Metrics metrics_;
  Runs runs_;
  std::unique_ptr<Hooks> hooks_;
};

}  // namespace

Result<> serve(Options options, Collect collect, const Clock& clock, Log& log) {
  const auto lock = TRY(acquire_lock(options.home));
  const auto ledger = TRY(Reader::open(options.home));
  TRY(read_last_runs(ledger, options.sources));
  return Server{std::move(options), std::move(collect), clock, log, ledger.checkpoint().origin}.run();
}

}  // namespace vouch::portal
