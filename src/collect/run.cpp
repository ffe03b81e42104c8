#include "collect/asking.h"
#include "collect/cache.h"
#include "collect/collect.h"
#include "collect/history.h"
#include "collect/node.h"
#include "collect/receipts.h"
#include "collect/scope.h"
#include "ledger/append.h"
#include "ledger/create.h"

#include <random>

namespace vouch::collect {

namespace {

constexpr Duration turn = Duration{100'000};

std::string make_run_name(Instant started) {
  std::random_device chance;
  const Instant whole{started.micros / 1'000'000 * 1'000'000};
  return fmt::format("{}-{:08x}", to_string(whole), chance());
}

// The text of a catalogue, as the ledger keeps it: a change of any file is another text.
std::string catalog_text(const CatalogFiles& catalog) {
  json::array files;
  for (const auto& file : catalog.files) {
    files.push_back(json::object{{"part", file.part}, {"shipped", file.shipped}, {"text", file.text}});
  }
  return canonical(Json(json::object{{"files", std::move(files)}, {"v", 1}})).value_or(std::string());
}

// Requests a second over the last few turns.
class Speed {
 public:
  double at(Duration elapsed, std::uint64_t requests) {
    points_.push_back({elapsed.micros, requests});
    while (points_.size() > 2 && points_.front().first < elapsed.micros - window) points_.pop_front();
    const auto micros = elapsed.micros - points_.front().first;
    return micros > 0 ? static_cast<double>(requests - points_.front().second) * 1e6 / static_cast<double>(micros) : 0;
  }

 private:
  static constexpr std::int64_t window = 3'000'000;
  std::deque<std::pair<std::int64_t, std::uint64_t>> points_;
};

// One run, from its lock to its leaf.
class Run {
 public:
  Run(const Source& source, const CatalogFiles& catalog, const Access& access, const Clock& clock, const Options& options,
      Observer& observer)
      : source_(source),
        catalog_(catalog),
        access_(access),
        clock_(clock),
        options_(options),
        observer_(observer),
        client_(access.dialect, access.transport, clock, options.client),
        began_(access.transport.elapsed()) {}

  Result<Collection> go() {
    auto& leaf = collection_.leaf;
    leaf.source = source_.name;
    leaf.schedule = options_.schedule;
    leaf.started = clock_.now();
    leaf.run = make_run_name(leaf.started);
    identify();
    if (cancelled()) return give_up();
    if (whoami_.account.empty()) return record_nothing_asked();

    const auto history = TRY(History::read(options_.home, source_.name, whoami_.account));
    const auto cache = Cache::read(options_.home, source_.name, whoami_.account);
    auto pack = TRY(PackWriter::start(options_.home));
    Asking asking(source_, access_, client_, options_, history, cache, pack, whoami_, observer_);
    asking.start();
    bool going = true;
    while (going && !cancelled()) {
      going = asking.step(turn);
      report(&asking, false);
    }
    if (asking.error()) return std::unexpected(*asking.error());
    if (cancelled()) return give_up();
    TRY(store(asking, history, pack));
    TRY(commit(history, std::move(pack)));
    // What can't be remembered is asked again; the run itself is recorded.
    [[maybe_unused]] const auto remembered = asking.remembered().write(options_.home, source_.name, whoami_.account);
    report(&asking, true);
    return std::move(collection_);
  }

 private:
  [[nodiscard]] bool cancelled() const { return options_.cancelled && options_.cancelled->load(); }

  Result<Collection> give_up() {
    client_.cancel_all();
    Collection nothing;
    nothing.cancelled = true;
    return nothing;
  }

  // Who we are decides which account's evidence this is; without it no answer could be placed.
  void identify() {
    auto& leaf = collection_.leaf;
    question_ = access_.api.whoami();
    std::string why;
    const auto take = [&](const Json& answer) {
      auto who = access_.api.who(answer);
      if (who) {
        whoami_ = std::move(*who);
      } else {
        why = who.error().message;
      }
    };
    leaf.outcome = Outcome::failed;
    if (!question_.call) {
      take(Json());
    } else {
      client_.call(
          *question_.call,
          [&](const wire::Page& page) {
            if (!page.error) take(page.value);
          },
          [&](const wire::Outcome& outcome) {
            const bool refused = outcome.heard == wire::Heard::denied || (outcome.error && outcome.error->code == Errc::denied);
            if (refused) leaf.outcome = Outcome::denied;
            if (outcome.heard != wire::Heard::ok) why = outcome.error ? outcome.error->message : outcome.code;
          });
    }
    while (!client_.idle() && !cancelled()) {
      client_.step(turn);
      report(nullptr, false);
    }
    if (!options_.account.empty() && !whoami_.account.empty() && whoami_.account != options_.account) {
      why = fmt::format("account {} answers in its place", whoami_.account);
      whoami_ = {};
    }
    leaf.reason = fmt::format("{} {} ({})", question_.name, name_of(leaf.outcome), why);
    leaf.account = options_.account;
    leaf.partition = options_.partition;
    if (whoami_.account.empty()) return;
    leaf.reason.clear();
    leaf.account = whoami_.account;
    leaf.partition = whoami_.partition;
    leaf.identity = whoami_.identity;
  }

  Result<Collection> record_nothing_asked() {
    const auto history = TRY(History::read(options_.home, source_.name, {}));
    auto pack = TRY(PackWriter::start(options_.home));
    collection_.leaf.ended = std::max(clock_.now(), collection_.leaf.started);
    collection_.leaf.counts.requests = client_.counters().requests;
    TRY(commit(history, std::move(pack)));
    return std::move(collection_);
  }

  Result<> store(Asking& asking, const History& history, PackWriter& pack) {
    auto& leaf = collection_.leaf;
    leaf.ended = std::max(clock_.now(), leaf.started);
    auto answered = asking.take_answered();
    collection_.tree = asking.tree();
    leaf.counts = asking.counts();
    leaf.counts.requests = client_.counters().requests;
    leaf.counts.retried = client_.counters().retries;
    sum_up();
    leaf.tree = TRY(pack.add(write(collection_.tree)));
    leaf.times = TRY(pack.add(write(round_times(answered, leaf.started, leaf.ended))));
    const Receipts receipts{.binary = options_.binary,
                            .catalog = sha256(catalog_text(catalog_)),
                            .receipts = choose_receipts(std::move(answered), asking.endpoints(), *leaf.tree)};
    leaf.receipts = TRY(pack.add(write(receipts)));
    collection_.unchanged = history.last() && history.last()->tree == leaf.tree;
    return {};
  }

  // Outcome and reason of the whole, from those of the operations. Regions of one operation that ended alike count as one.
  void sum_up() {
    auto& leaf = collection_.leaf;
    leaf.outcome = Outcome::complete;
    std::vector<std::pair<std::string, std::size_t>> reasons;
    for (const auto& entry : collection_.tree.entries) {
      if (entry.outcome == Outcome::complete) continue;
      leaf.outcome = Outcome::partial;
      const auto reason = fmt::format("{} {}", entry.operation, entry.reason);
      const auto same = std::ranges::find(reasons, reason, &std::pair<std::string, std::size_t>::first);
      if (same == reasons.end()) {
        reasons.emplace_back(reason, entry.scope.region.empty() ? 0 : 1);
      } else {
        ++same->second;
      }
    }
    for (std::size_t i = 0; i < reasons.size(); ++i) {
      if (i == 5) {
        leaf.reason += fmt::format("; and {} more", reasons.size() - 5);
        break;
      }
      leaf.reason += (i == 0 ? "" : "; ") + reasons[i].first;
      if (reasons[i].second > 1) leaf.reason += fmt::format(" in {} regions", reasons[i].second);
    }
  }

  // Blobs first, complete and synced; then the leaves that name them, in one batch.
  Result<> commit(const History& history, PackWriter pack) {
    auto& leaf = collection_.leaf;
    leaf.simulated = options_.simulated_time || client_.simulated();
    const auto text = catalog_text(catalog_);
    const CatalogLeaf in_force{.catalog = sha256(text), .models = access_.models.digest(), .binary = options_.binary};
    const bool known =
        history.catalog() && history.catalog()->second.catalog == in_force.catalog && history.catalog()->second.models == in_force.models;
    if (!known) {
      TRY(pack.add(text));
      TRY(pack.add(access_.models.text()));
    }
    TRY(pack.finish());
    auto appender = TRY(open_ledger(options_.home, options_.wait_for_ledger));
    std::vector<std::string> entries;
    if (!known) entries.push_back(write(in_force));
    leaf.catalog = known ? history.catalog()->first.value : appender.size().value;
    entries.push_back(write(leaf));
    const auto committed = TRY(appender.append(entries));
    collection_.index = LeafIndex{committed.first.value + entries.size() - 1};
    return appender.close();
  }

  // `asking` is nullptr while we only learn who we are.
  void report(const Asking* asking, bool always) {
    const auto now = access_.transport.elapsed();
    if (!always && now.micros - reported_.micros < turn.micros) return;
    reported_ = now;
    const auto& counters = client_.counters();
    Progress progress;
    progress.account = whoami_.account;
    progress.requests = counters.requests;
    progress.retried = counters.retries;
    progress.throttled = counters.throttled;
    progress.requests_per_second = speed_.at(now, counters.requests);
    progress.elapsed = Duration{now.micros - began_.micros};
    progress.current = question_.name;
    if (asking) {
      progress.operations = asking->operations();
      progress.operations_done = asking->operations_done();
      progress.denied = asking->counts().denied;
      progress.failed = asking->counts().failed;
      progress.new_bodies = asking->counts().new_bodies;
      progress.current = asking->current();
    }
    observer_.progress(progress);
  }

  const Source& source_;
  const CatalogFiles& catalog_;
  const Access& access_;
  const Clock& clock_;
  const Options& options_;
  Observer& observer_;
  wire::Client client_;
  Api::Question question_;
  Whoami whoami_;
  Collection collection_;
  Speed speed_;
  Duration began_, reported_;
};

}  // namespace

Result<Collection> run(const Source& source, const CatalogFiles& catalog, const Access& access, const Clock& clock, const Options& options,
                       Observer& observer) {
  if (!has_log(options.home)) return fail(Errc::not_found, "there is no ledger in `{}`: `vouch init` makes one", options.home.string());
  const auto lock = TRY_WITHIN(LockFile::acquire(options.home / "collect.lock"), "another collection is running");
  return Run(source, catalog, access, clock, options, observer).go();
}

}  // namespace vouch::collect
