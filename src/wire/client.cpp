#include "wire/client.h"

#include "base/digest.h"
#include "wire/pace.h"
#include "wire/retry.h"

#include <deque>
#include <map>
#include <random>

namespace vouch::wire {
namespace {

constexpr Duration kProbeEvery = Duration::seconds(30);
constexpr int kFailuresToGiveUp = 5;
constexpr std::string_view kListingChanged = "ListingChanged";

Duration sum(Duration a, Duration b) { return {a.micros + b.micros}; }

// How one service of one region has been doing: see the head of client.h.
struct Health {
  std::optional<Duration> bad_since;  // first request of the present streak of throttling or silence
  int streak = 0;
  bool given_up = false;
  Duration next_probe{};
  Error last{Errc::unreachable, {}};

  void good() {
    if (streak > 0) *this = Health{};
  }
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
  std::uint32_t in_flight = 0, most = 0;
};

struct Lane {
  Throughput* throughput = nullptr;
  Health* health = nullptr;
  std::deque<Client::CallId> ready;
};

// What was sent to sign in. A signature among it tells nothing and does no harm.
std::vector<std::string> credentials_in(const Headers& headers) {
  constexpr std::size_t shortest = 8;  // of what can be told from a word
  std::vector<std::string> found;
  for (const auto& [name, value] : headers) {
    std::string lower;
    for (const char c : name) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const auto speaks_of = [&](std::string_view word) { return lower.find(word) != std::string::npos; };
    if (!speaks_of("auth") && !speaks_of("token") && !speaks_of("key") && !speaks_of("secret")) continue;
    auto credential = value.substr(value.rfind(' ') + 1);  // "Bearer abc"
    if (credential.size() >= shortest) found.push_back(std::move(credential));
  }
  return found;
}

// Some services say in a refusal what they were sent: S3 the whole request, once as text and once as hexadecimal bytes.
void take_out(const std::vector<std::string>& credentials, std::string& text) {
  const auto replace_all = [&](std::string_view what) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at)) text.replace(at, what.size(), "(credential)");
  };
  for (const auto& credential : credentials) {
    replace_all(credential);
    replace_all(fmt::format("{:02x}", fmt::join(bytes_of(credential), " ")));
  }
}

struct Work {
  Client::CallId id = 0;
  Call call;
  Client::OnPage on_page;
  Client::OnDone on_done;
  Lane* lane = nullptr;
  std::unique_ptr<Exchange> exchange;  // made when its turn comes: thousands may wait

  std::uint32_t page = 1, reading = 1;
  Outcome outcome;
  bool asked = false;    // anything at all
  bool stopped = false;  // nothing more is wanted of it
  bool in_callback = false;

  // Of the present page:
  std::optional<Duration> page_began;
  int failures = 0, throttles = 0, limits = 0;

  // Of the present request:
  std::optional<Transport::Id> request;
  std::vector<std::string> credentials;  // sent with it
  Duration sent{};

  void turn_to(std::uint32_t number) {
    page = number;
    page_began.reset();
    failures = throttles = limits = 0;
  }
};

}  // namespace

struct Client::State {
  Dialect& dialect;
  Transport& transport;
  const Clock& clock;
  ClientOptions options;

  std::map<CallId, std::unique_ptr<Work>> works = {};
  std::map<std::string, Throughput, std::less<>> throughputs = {};
  std::map<std::string, Health, std::less<>> hosts = {};
  std::map<std::string, Lane, std::less<>> lanes = {};
  std::multimap<Duration, CallId> waiting = {};  // by the time at which they may be asked again
  CallId next_id = 1;
  std::uint32_t in_flight = 0;
  std::string next_lane = {};  // round robin
  Counters counters = {};
  bool simulated = false;
  std::mt19937_64 random = {};

  double chance() { return std::uniform_real_distribution<double>{0, 1}(random); }
  [[nodiscard]] Duration now() const { return transport.elapsed(); }

  Lane& lane_of(const Call& call) {
    auto place = dialect.place(call);
    const auto [at, is_new] = lanes.try_emplace(std::move(place.queue));
    if (is_new) {
      auto& throughput = throughputs[place.throughput];
      throughput.most = place.in_flight != 0 ? place.in_flight : options.in_flight_per_service;
      at->second.throughput = &throughput;
      at->second.health = &hosts[place.host];
    }
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

  void finish_ok(Work& work) {
    work.outcome.heard = Heard::ok;
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
    if (!work) return false;
    if (work->stopped) {
      lane.ready.pop_front();
      finish_ok(*work);
      return true;
    }
    if (lane.throughput->in_flight >= lane.throughput->most) return false;
    if (lane.health->given_up && now() < lane.health->next_probe) {
      lane.ready.pop_front();
      finish(*work, given_up_error(*work));
      return true;
    }
    if (!work->exchange) work->exchange = dialect.begin(work->call);
    if (const auto closed = work->exchange->closed(now()); closed.wait.micros > 0) {
      if (closed.wait <= options.longest_limit_wait) {
        soonest = std::min(soonest, closed.wait);
        return false;
      }
      lane.ready.pop_front();
      finish(*work, limit_error(*work, closed));
      return true;
    }
    if (const auto wait = lane.throughput->pace.wait(now()); wait.micros > 0) {
      soonest = std::min(soonest, wait);
      return false;
    }
    lane.ready.pop_front();
    if (lane.health->given_up) lane.health->next_probe = sum(now(), kProbeEvery);
    if (auto sent = send(*work); !sent) finish(*work, std::move(sent).error());
    return true;
  }

  static Error given_up_error(const Work& work) {
    auto error = work.lane->health->last;
    const auto& call = work.call;
    const auto where = call.region.empty() ? fmt::format("`{}`", call.service) : fmt::format("{} in `{}`", call.service, call.region);
    return std::move(error).within(fmt::format("{} is given up for now", where));
  }

  static Error limit_error(const Work& work, const Closed& closed) {
    return {Errc::throttled, fmt::format("{}:{} is not asked for another {}: {}", work.call.service, work.call.operation,
                                         to_string(closed.wait), closed.why)};
  }

  Result<> send(Work& work) {
    std::optional<Validator> known;
    if (work.call.known && work.reading == 1) known = work.call.known(work.page);
    auto request = TRY(work.exchange->prepare(known ? &*known : nullptr, now()));
    if (!work.asked) work.outcome.started = clock.now();
    work.asked = true;
    work.sent = now();
    if (!work.page_began) work.page_began = work.sent;
    work.lane->throughput->pace.sent(work.sent);
    ++work.lane->throughput->in_flight;
    ++in_flight;
    ++work.outcome.requests;
    ++counters.requests;
    work.credentials = credentials_in(request.headers);
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
    if (answer.status >= 400) take_out(work->credentials, answer.body);
    counters.bytes_received += answer.body.size();
    answer.simulated = answer.simulated || work->exchange->overridden();
    simulated = simulated || answer.simulated;
    work->outcome.simulated = work->outcome.simulated || answer.simulated;
    auto understood = work->exchange->understand(answer, now());
    if (!understood) return on_garbage(*work, std::move(understood).error());
    if (understood->error) return on_error(*work, std::move(answer), std::move(*understood));
    work->lane->health->good();
    on_page(*work, std::move(answer), std::move(*understood));
  }

  void on_silence(Work& work, Error error) {
    if (error.code != Errc::unreachable) return finish(work, std::move(error));
    if (work.lane->health->bad(work.sent, now(), options.patience, error)) give_up(*work.lane->health);
    retry_or_finish(work, {}, std::move(error));
  }

  // Cut off or rewritten on its way, or a server that is broken: worth another try, never an empty answer.
  void on_garbage(Work& work, Error error) { retry_or_finish(work, {}, std::move(error)); }

  void on_error(Work& work, Answer answer, Understood understood) {
    auto& error = *understood.error;
    auto asked = asked_to_wait(answer.headers, clock.now());
    if (understood.wait) asked = std::max(asked.value_or(Duration{}), *understood.wait);
    if (error.heard == Heard::throttled) {
      ++counters.throttled;
      if (const auto closed = work.exchange->closed(now()); closed.wait.micros > 0)
        return on_limit(work, closed, std::move(answer), std::move(error));
      auto& lane = *work.lane;
      lane.throughput->pace.throttled(now());
      Error said{Errc::throttled, fmt::format("{}:{} is throttled ({})", work.call.service, work.call.operation, error.code)};
      if (lane.health->bad(work.sent, now(), options.patience, said)) give_up(*lane.health);
      return retry_or_finish(work, {true, asked}, std::move(said), &answer, &error);
    }
    work.lane->health->good();
    if (work.exchange->correct(answer, error)) return again(work, Duration{});
    if (understood.transient) {
      Error said{Errc::unreachable, fmt::format("{}:{} fails with {}", work.call.service, work.call.operation, error.code)};
      return retry_or_finish(work, {false, asked}, std::move(said), &answer, &error);
    }
    finish_refused(work, std::move(answer), std::move(error));
  }

  // The service answers, it only wants us to wait: the page keeps its place and its time.
  void on_limit(Work& work, const Closed& closed, Answer answer, ServiceError error) {
    work.lane->health->good();
    if (closed.wait > options.longest_limit_wait || ++work.limits >= options.throttled_attempts) {
      work.outcome.error = limit_error(work, closed);
      return finish_refused(work, std::move(answer), std::move(error));
    }
    work.page_began.reset();
    again(work, Duration{});
  }

  void again(Work& work, Duration wait) {
    ++counters.retries;
    if (wait.micros <= 0)
      work.lane->ready.push_front(work.id);
    else
      waiting.emplace(sum(now(), wait), work.id);
  }

  struct Retry {
    bool throttled = false;
    std::optional<Duration> asked = {};  // to wait that long
  };

  void retry_or_finish(Work& work, Retry retry, Error error, Answer* answer = nullptr, ServiceError* said = nullptr) {
    const int attempt = retry.throttled ? ++work.throttles : ++work.failures;
    const int most = retry.throttled ? options.throttled_attempts : options.attempts;
    auto wait = backoff(attempt, retry.throttled, chance());
    if (retry.asked) wait = std::max(wait, *retry.asked);
    wait = std::min(wait, options.longest_wait);
    const bool in_time = sum(now(), wait) < sum(*work.page_began, options.deadline);
    if (attempt < most && in_time && !work.lane->health->given_up) return again(work, wait);
    if (answer && said) {
      if (retry.throttled) work.outcome.error = error;
      return finish_refused(work, std::move(*answer), std::move(*said));
    }
    finish(work, std::move(error).within(fmt::format("{}:{}, {} attempts", work.call.service, work.call.operation, attempt)));
  }

  // The service is not coming back soon: those that wait for another try learn it now, the rest when their turn comes.
  void give_up(const Health& health) {
    std::erase_if(waiting, [&](const auto& entry) {
      auto* work = find_work(entry.second);
      const bool is_here = work && work->lane->health == &health;
      if (is_here) work->lane->ready.push_back(work->id);
      return is_here;
    });
  }

  // Hands a page over; false when its call is gone.
  bool hand_over(Work& work, Page page) {
    const auto id = work.id;
    ++work.outcome.pages;
    if (!work.on_page) return true;
    work.in_callback = true;
    work.on_page(std::move(page));
    auto* still = find_work(id);
    if (still) still->in_callback = false;
    return still != nullptr;
  }

  void finish_refused(Work& work, Answer answer, ServiceError error) {
    work.outcome.heard = error.heard;
    work.outcome.code = error.code;
    work.outcome.message = error.message;
    Page page{.number = work.page,
              .reading = work.reading,
              .params = work.call.params,
              .answer = std::move(answer),
              .value = Json(json::object()),
              .error = std::move(error)};
    if (hand_over(work, std::move(page))) finish(work);
  }

  void on_page(Work& work, Answer answer, Understood understood) {
    auto turn = work.exchange->turn(answer, understood);
    if (understood.unchanged) ++counters.unchanged;
    Page page{.number = work.page,
              .reading = work.reading,
              .params = work.call.params,
              .answer = std::move(answer),
              .value = std::move(understood.value),
              .unchanged = understood.unchanged};
    if (turn) page.validator = std::move(turn->validator);
    if (turn) page.total = turn->total;
    if (!hand_over(work, std::move(page))) return;
    if (work.stopped) return finish_ok(work);
    if (!turn) return finish(work, std::move(turn).error());
    work.outcome.unmodelled_paging = work.outcome.unmodelled_paging || turn->unmodelled;
    switch (turn->to) {
      case Turn::To::end: return finish_ok(work);
      case Turn::To::next_page: work.turn_to(work.page + 1); break;
      case Turn::To::first_page:
        work.turn_to(1);
        ++work.reading;
        work.outcome.pages = 0;
        break;
      case Turn::To::changed:
        work.outcome.code = kListingChanged;
        return finish(work,
                      {Errc::malformed, fmt::format("{}:{} lists another number of items than it says there are, also when read again",
                                                    work.call.service, work.call.operation)});
    }
    work.lane->ready.push_front(work.id);  // before calls that have not begun: tokens do not live for ever
  }
};

Client::Client(Dialect& dialect, Transport& transport, const Clock& clock, ClientOptions options)
    : state_(new State{dialect, transport, clock, options}) {
  state_->random.seed(options.seed != 0 ? options.seed : std::random_device{}());
}

Client::~Client() { cancel_all(); }

Client::CallId Client::call(Call call, OnPage on_page, OnDone on_done) {
  auto work = std::make_unique<Work>();
  const auto id = state_->next_id++;
  work->id = id;
  work->call = std::move(call);
  if (work->call.params.is_null()) work->call.params = json::object();
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

void Client::stop(CallId id) {
  auto* work = state_->find_work(id);
  if (!work || work->stopped) return;
  work->stopped = true;
  if (work->in_callback) return;
  if (work->request) {
    state_->transport.cancel(*work->request);
    state_->release(*work);
  }
  work->lane->ready.push_front(id);
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
