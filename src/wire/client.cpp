#include "wire/client.h"

#include "wire/pace.h"
#include "wire/paginate.h"
#include "wire/retry.h"
#include "wire/serialise.h"
#include "wire/sigv4.h"

#include <deque>
#include <random>

namespace vouch::wire {
namespace {

constexpr Duration kProbeEvery = Duration::seconds(30);
constexpr Duration kCredentialsAgain = Duration::seconds(30);
constexpr Duration kSkewThatMatters = Duration::minutes(4);
constexpr int kFailuresToGiveUp = 5;

Duration sum(Duration a, Duration b) { return {a.micros + b.micros}; }

// How one service of one region has been doing: see the head of client.h.
struct Health {
  std::optional<Duration> bad_since;  // first request of the present streak of throttling or silence
  int streak = 0;
  bool given_up = false;
  Duration next_probe{};
  Error last{Errc::unreachable, {}};

  void good() { *this = Health{}; }
  // True when this one makes it enough.
  bool bad(Duration sent, Duration now, Duration patience, Error error) {
    if (!bad_since) bad_since = sent;
    ++streak;
    last = std::move(error);
    if (given_up || streak < kFailuresToGiveUp || now.micros - bad_since->micros < patience.micros) return false;
    given_up = true;
    next_probe = sum(now, kProbeEvery);
    return true;
  }
};

// A service of the account: its rate and its requests in flight, over all regions.
struct Throughput {
  Pace pace;
  std::uint32_t in_flight = 0;
};

struct Lane {
  Throughput* throughput = nullptr;
  Health health;
  std::deque<Client::CallId> ready;
};

struct Work {
  Client::CallId id = 0;
  Call call;
  Client::OnPage on_page;
  Client::OnDone on_done;
  Lane* lane = nullptr;
  const Service* service = nullptr;
  const Operation* operation = nullptr;

  std::uint32_t page = 1;
  Json params;  // of the present page, tokens among them
  Outcome outcome;
  bool asked = false;  // anything at all

  // Of the present page:
  std::optional<Duration> page_began;
  int failures = 0, throttles = 0;
  bool refreshed = false, corrected = false, redirected = false;

  // Of the present request:
  std::optional<Transport::Id> request;
  Duration sent{};
  bool overridden = false;
  std::string bucket;
};

std::string host_part(std::string_view url) {
  const auto begin = url.find("://") == std::string_view::npos ? 0 : url.find("://") + 3;
  const auto rest = url.substr(begin, url.find('/', begin) - begin);
  return std::string{rest.starts_with('[') ? rest : rest.substr(0, rest.find(':'))};
}

// "<Region>eu-west-1</Region>" of S3's AuthorizationHeaderMalformed, for answers without the header.
std::string region_in_body(std::string_view body) {
  const auto begin = body.substr(0, 4096).find("<Region>");
  if (begin == std::string_view::npos) return {};
  const auto rest = body.substr(begin + 8, 64);
  return std::string{rest.substr(0, rest.find('<'))};
}

bool is_redirect(const Answer& answer, const ServiceError& error) {
  return answer.status == 301 || answer.status == 307 || answer.status == 308 || error.code == "PermanentRedirect" ||
         error.code == "AuthorizationHeaderMalformed" || error.code == "IllegalLocationConstraintException";
}

bool is_signature_error(std::string_view code) {
  return code == "InvalidSignatureException" || code == "SignatureDoesNotMatch" || code == "AuthFailure" || code == "RequestExpired";
}

}  // namespace

struct Client::State {
  Models& models;
  const Settings& settings;
  CredentialSource& credentials;
  Transport& transport;
  const Clock& clock;
  ClientOptions options;

  std::map<CallId, std::unique_ptr<Work>> works;
  std::map<std::string, Throughput, std::less<>> throughputs;  // by service
  std::map<std::string, Lane, std::less<>> lanes;              // by service and region
  std::multimap<Duration, CallId> waiting;                     // by the time at which they may be asked again
  std::map<std::string, std::string, std::less<>> bucket_regions;
  CallId next_id = 1;
  std::uint32_t in_flight = 0;
  std::string next_lane;  // round robin
  Duration skew{};        // server minus ours
  std::optional<std::pair<Duration, Error>> no_credentials;
  Counters counters;
  bool simulated = false;
  std::mt19937_64 random;

  double chance() { return std::uniform_real_distribution<double>{0, 1}(random); }
  [[nodiscard]] Duration now() const { return transport.elapsed(); }

  Lane& lane_of(const Call& call) {
    const auto [at, is_new] = lanes.try_emplace(call.service + " " + call.region);
    if (is_new) at->second.throughput = &throughputs[call.service];
    return at->second;
  }

  Work* find_work(CallId id) {
    const auto at = works.find(id);
    return at == works.end() ? nullptr : at->second.get();
  }

  // ---- ends ----

  void finish(Work& work) {
    auto owned = std::move(works.at(work.id));
    works.erase(work.id);
    auto& outcome = owned->outcome;
    outcome.ended = clock.now();
    if (!owned->asked) outcome.started = outcome.ended;
    ++counters.calls_done;
    if (outcome.heard == Heard::denied) ++counters.denied;
    if (outcome.heard == Heard::failed || outcome.heard == Heard::throttled) ++counters.failed;
    if (owned->on_done) owned->on_done(outcome);
  }

  void finish(Work& work, Error error) {
    auto& outcome = work.outcome;
    outcome.heard = error.code == Errc::throttled ? Heard::throttled : error.code == Errc::denied ? Heard::denied : Heard::failed;
    if (outcome.code.empty()) outcome.code = name_of(error.code);
    outcome.message = error.message;
    outcome.error = std::move(error);
    finish(work);
  }

  // ---- sending ----

  // Everything that may go now goes; returns how long until something else may.
  Duration dispatch() {
    for (auto at = waiting.begin(); at != waiting.end() && at->first <= now(); at = waiting.erase(at))
      if (auto* work = find_work(at->second)) work->lane->ready.push_front(work->id);
    Duration soonest = Duration::hours(1);
    bool any = true;
    while (any && in_flight < options.in_flight) {
      any = false;
      auto at = lanes.upper_bound(next_lane);
      for (std::size_t i = 0; i < lanes.size() && in_flight < options.in_flight; ++i) {
        if (at == lanes.end()) at = lanes.begin();
        next_lane = at->first;
        auto& lane = at->second;
        ++at;
        any = dispatch_one(lane, soonest) || any;
      }
    }
    if (!waiting.empty()) soonest = std::min(soonest, Duration{waiting.begin()->first.micros - now().micros});
    return std::max(soonest, Duration{});
  }

  bool dispatch_one(Lane& lane, Duration& soonest) {
    Work* work = nullptr;
    while (!lane.ready.empty() && !(work = find_work(lane.ready.front()))) lane.ready.pop_front();  // cancelled ones
    if (!work || lane.throughput->in_flight >= options.in_flight_per_service) return false;
    if (lane.health.given_up && now() < lane.health.next_probe) {
      lane.ready.pop_front();
      finish(*work, given_up_error(*work));
      return true;
    }
    if (const auto wait = lane.throughput->pace.wait(now()); wait.micros > 0) {
      soonest = std::min(soonest, wait);
      return false;
    }
    lane.ready.pop_front();
    if (lane.health.given_up) lane.health.next_probe = sum(now(), kProbeEvery);
    if (auto sent = send(*work); !sent) finish(*work, std::move(sent).error());
    return true;
  }

  static Error given_up_error(const Work& work) {
    auto error = work.lane->health.last;
    return std::move(error).within(fmt::format("{} in `{}` is given up for now", work.call.service, work.call.region));
  }

  Result<Credentials> current_credentials() {
    if (no_credentials && now() < no_credentials->first) return std::unexpected(no_credentials->second);
    no_credentials.reset();
    auto found = credentials.get(clock.now());
    if (!found) {
      auto error = std::move(found).error().within("credentials");
      if (error.code == Errc::throttled) error.code = Errc::unreachable;
      no_credentials.emplace(sum(now(), kCredentialsAgain), error);
      return std::unexpected(std::move(error));
    }
    return found;
  }

  Result<HttpRequest> prepare(Work& work) {
    if (!work.operation) {
      const auto [service, operation] = TRY(models.operation(work.call.service, work.call.operation));
      work.service = service;
      work.operation = operation;
    }
    const auto& service = *work.service;
    const auto& operation = *work.operation;
    auto request = TRY(serialise(service, operation, work.params));
    auto region = work.call.region;
    if (service.name == "s3") {
      if (const auto* bucket = find_string(work.params, "Bucket")) work.bucket = *bucket;
      if (const auto known = bucket_regions.find(work.bucket); known != bucket_regions.end()) region = known->second;
    }
    auto resolved = TRY(resolve_endpoint(models, service, operation, region, work.params, settings));
    auto& endpoint = resolved.endpoint;
    work.overridden = endpoint.overridden;
    auto url = endpoint.url;
    const auto host = host_part(url);
    const bool takes_prefix = !is_loopback(host) && host.find_first_not_of("0123456789.:[]") != std::string::npos;
    if (!request.host_prefix.empty() && takes_prefix) url.insert(url.find("://") + 3, request.host_prefix);
    std::string_view path = request.path;
    if (resolved.strip_bucket) path = path.find('/', 1) == std::string_view::npos ? "" : path.substr(path.find('/', 1));
    url += path.empty() && request.query.empty() ? std::string_view{"/"} : path;
    if (path.empty() && !request.query.empty() && url.find('/', url.find("://") + 3) == std::string::npos) url += '/';
    if (!request.query.empty()) url.append("?").append(request.query);

    HttpRequest http{std::move(request.method), std::move(url), std::move(request.headers), std::move(request.body)};
    if (operation.unsigned_request) return http;
    const bool is_s3 = endpoint.signing_name == "s3" || endpoint.signing_name == "s3-outposts" || endpoint.signing_name == "s3express";
    const auto identity = TRY(current_credentials());
    sign(http, identity, {endpoint.signing_region, endpoint.signing_name, !is_s3, is_s3}, clock.now() + skew);
    return http;
  }

  Result<> send(Work& work) {
    auto request = TRY(prepare(work));
    if (!work.asked) work.outcome.started = clock.now();
    work.asked = true;
    work.sent = now();
    if (!work.page_began) work.page_began = work.sent;
    work.lane->throughput->pace.sent(work.sent);
    ++work.lane->throughput->in_flight;
    ++in_flight;
    ++work.outcome.requests;
    ++counters.requests;
    const auto id = work.id;
    work.request = transport.submit(std::move(request), [this, id](Result<Answer> answer) { on_answer(id, std::move(answer)); });
    return {};
  }

  // ---- answers ----

  void release(Work& work) {
    --work.lane->throughput->in_flight;
    --in_flight;
    work.request.reset();
  }

  void on_answer(CallId id, Result<Answer> result) {
    auto* work = find_work(id);
    if (!work) return;
    release(*work);
    if (!result) return on_silence(*work, std::move(result).error());
    auto& answer = *result;
    counters.bytes_received += answer.body.size();
    answer.simulated = answer.simulated || work->overridden;
    simulated = simulated || answer.simulated;
    work->outcome.simulated = work->outcome.simulated || answer.simulated;
    auto parsed = parse_answer(*work->service, *work->operation, answer.status, answer.headers, answer.body);
    if (!parsed) return on_garbage(*work, std::move(parsed).error());
    if (parsed->error) return on_error(*work, std::move(answer), *std::move(parsed->error));
    work->lane->health.good();
    on_page(*work, std::move(answer), std::move(parsed->value));
  }

  void on_silence(Work& work, Error error) {
    if (error.code != Errc::unreachable) return finish(work, std::move(error));
    if (work.lane->health.bad(work.sent, now(), options.patience, error)) give_up(*work.lane);
    retry_or_finish(work, false, std::nullopt, std::move(error));
  }

  // Cut off or rewritten on its way, or a server that is broken: worth another try, never an empty answer.
  void on_garbage(Work& work, Error error) { retry_or_finish(work, false, std::nullopt, std::move(error)); }

  void on_error(Work& work, Answer answer, ServiceError error) {
    if (error.heard == Heard::throttled) {
      ++counters.throttled;
      auto& lane = *work.lane;
      lane.throughput->pace.throttled(now());
      Error said{Errc::throttled, fmt::format("{}:{} is throttled ({})", work.call.service, work.call.operation, error.code)};
      if (lane.health.bad(work.sent, now(), options.patience, said)) give_up(lane);
      const auto wait = asked_to_wait(answer.headers, clock.now());
      return retry_or_finish(work, true, wait, std::move(said), &answer, &error);
    }
    work.lane->health.good();
    if (correct(work, answer, error)) return again(work, Duration{});
    if (is_transient(error, answer.status)) {
      Error said{Errc::unreachable, fmt::format("{}:{} fails with {}", work.call.service, work.call.operation, error.code)};
      return retry_or_finish(work, false, asked_to_wait(answer.headers, clock.now()), std::move(said), &answer, &error);
    }
    finish_refused(work, std::move(answer), std::move(error));
  }

  // What can be set right and asked again at once: each of these is tried once a page.
  bool correct(Work& work, const Answer& answer, const ServiceError& error) {
    if (answer.server_date && (error.heard == Heard::skewed || is_signature_error(error.code)) && !work.corrected) {
      const auto apart = *answer.server_date - (clock.now() + skew);
      if (error.heard == Heard::skewed || std::abs(apart.micros) > kSkewThatMatters.micros) {
        work.corrected = true;
        skew = *answer.server_date - clock.now();
        return true;
      }
    }
    if (error.heard == Heard::expired && !work.refreshed) {
      work.refreshed = true;
      credentials.forget();
      return true;
    }
    if (work.call.service == "s3" && !work.bucket.empty() && !work.redirected && is_redirect(answer, error)) {
      const auto* header = find_header(answer.headers, "x-amz-bucket-region");
      const auto region = header ? *header : region_in_body(answer.body);
      if (region.empty() || region.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos) return false;
      work.redirected = true;
      bucket_regions.insert_or_assign(work.bucket, region);
      return true;
    }
    return false;
  }

  void again(Work& work, Duration wait) {
    ++counters.retries;
    if (wait.micros <= 0)
      work.lane->ready.push_front(work.id);
    else
      waiting.emplace(sum(now(), wait), work.id);
  }

  void retry_or_finish(Work& work, bool throttled, std::optional<Duration> asked, Error error, Answer* answer = nullptr,
                       ServiceError* said = nullptr) {
    const int attempt = throttled ? ++work.throttles : ++work.failures;
    const int most = throttled ? options.throttled_attempts : options.attempts;
    auto wait = backoff(attempt, throttled, chance());
    if (asked) wait = std::max(wait, *asked);
    wait = std::min(wait, options.longest_wait);
    const bool in_time = sum(now(), wait) < sum(*work.page_began, options.deadline);
    if (attempt < most && in_time && !work.lane->health.given_up) return again(work, wait);
    if (answer && said) {
      if (throttled) work.outcome.error = error;
      return finish_refused(work, std::move(*answer), std::move(*said));
    }
    finish(work, std::move(error).within(fmt::format("{}:{}, {} attempts", work.call.service, work.call.operation, attempt)));
  }

  // The service is not coming back soon: those that wait for another try learn it now, the rest when their turn comes.
  void give_up(Lane& lane) {
    std::vector<CallId> ended;
    std::erase_if(waiting, [&](const auto& entry) {
      const auto* work = find_work(entry.second);
      const bool is_here = work && work->lane == &lane;
      if (is_here) ended.push_back(entry.second);
      return is_here;
    });
    for (const auto id : ended) lane.ready.push_back(id);
  }

  void finish_refused(Work& work, Answer answer, ServiceError error) {
    const auto id = work.id;
    work.outcome.heard = error.heard;
    work.outcome.code = error.code;
    work.outcome.message = error.message;
    ++work.outcome.pages;
    Page page{work.page, work.call.params, std::move(answer), Json(json::object()), std::move(error)};
    if (work.on_page) work.on_page(std::move(page));
    if (auto* still = find_work(id)) finish(*still);
  }

  void on_page(Work& work, Answer answer, Json value) {
    const auto id = work.id;
    auto next = next_page(*work.operation, work.params, value);
    ++work.outcome.pages;
    if (work.on_page) work.on_page({work.page, work.call.params, std::move(answer), std::move(value), std::nullopt});
    auto* still = find_work(id);
    if (!still) return;
    if (!next) return finish(*still, std::move(next).error());
    still->outcome.unmodelled_paging = still->outcome.unmodelled_paging || next->unmodelled;
    if (!next->params) {
      still->outcome.heard = Heard::ok;
      return finish(*still);
    }
    still->params = *std::move(next->params);
    ++still->page;
    still->page_began.reset();
    still->failures = still->throttles = 0;
    still->refreshed = still->corrected = still->redirected = false;
    still->lane->ready.push_front(id);  // before calls that have not begun: tokens do not live for ever
  }
};

Client::Client(Models& models, const Settings& settings, CredentialSource& credentials, Transport& transport, const Clock& clock,
               ClientOptions options)
    : state_(new State{models, settings, credentials, transport, clock, options, {}, {}, {}, {}, {}, 1, 0, {}, {}, {}, {}, false, {}}) {
  state_->random.seed(options.seed != 0 ? options.seed : std::random_device{}());
}

Client::~Client() { cancel_all(); }

Client::CallId Client::call(Call call, OnPage on_page, OnDone on_done) {
  auto work = std::make_unique<Work>();
  const auto id = state_->next_id++;
  work->id = id;
  work->call = std::move(call);
  if (work->call.params.is_null()) work->call.params = json::object();
  work->params = work->call.params;
  work->on_page = std::move(on_page);
  work->on_done = std::move(on_done);
  work->lane = &state_->lane_of(work->call);
  work->lane->ready.push_back(id);
  ++state_->counters.calls;
  state_->works.emplace(id, std::move(work));
  return id;
}

void Client::cancel(CallId id) {
  auto* work = state_->find_work(id);
  if (!work) return;
  if (work->request) {
    state_->transport.cancel(*work->request);
    state_->release(*work);
  }
  state_->works.erase(id);
}

void Client::cancel_all() {
  while (!state_->works.empty()) cancel(state_->works.begin()->first);
}

void Client::step(Duration longest) {
  const auto before = state_->counters.calls_done;
  const auto wait = state_->dispatch();
  if (idle()) return;
  const bool ended = state_->counters.calls_done != before;
  state_->transport.step(ended ? Duration{} : std::min(wait, longest));
}

void Client::run() {
  while (!idle()) step(Duration::seconds(1));
}

bool Client::idle() const { return state_->works.empty(); }

const Counters& Client::counters() const {
  state_->counters.in_flight = state_->in_flight;
  return state_->counters;
}

bool Client::simulated() const { return state_->simulated; }

}  // namespace vouch::wire
