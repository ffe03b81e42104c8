#include "collect/asking.h"

#include "collect/request.h"

namespace vouch::collect {

namespace {

// Of one operation and scope, more than are ever in flight: the client is never short of them.
constexpr std::size_t most_calls = 64;

constexpr Duration until_pause = Duration::seconds(2);
constexpr Duration until_patience = Duration::seconds(60);

std::string canonical_text(const Json& value) { return canonical(value).value_or("{}"); }

Entry unknown_operation() {
  Entry entry;
  entry.params = "{}";
  entry.error = "UnknownOperation";
  entry.hole = Hole::failed;
  return entry;
}

}  // namespace

Asking::Asking(const Source& source, const Access& access, wire::Client& client, const Options& options, const History& history,
               const Cache& cache, PackWriter& pack, const Whoami& whoami, Observer& observer)
    : source_(source),
      access_(access),
      client_(client),
      options_(options),
      history_(history),
      cache_(cache),
      pack_(pack),
      whoami_(whoami),
      observer_(observer) {
  tree_.source = source.name;
  tree_.account = whoami.account;
  describe_regions_.service = "ec2";
  describe_regions_.operation = "DescribeRegions";
  describe_regions_.sets.push_back({{.kind = Step::Kind::member, .member = "Regions", .index = 0}});
}

Asking::~Asking() = default;

void Asking::start() {
  regional_operations_ = static_cast<std::uint64_t>(std::ranges::count_if(source_.operations, &SourceOperation::regional));
  regions_ = options_.regions;
  if (options_.probe && regional_operations_ > 0) regions_ = {regions_.empty() ? whoami_.home_region : regions_.front()};
  regions_known_ = !regions_.empty();
  add_global_nodes();
  if (regions_known_) add_regional_nodes();
  // Nodes are added while others are opened, so not by iterator.
  for (std::size_t i = 0; i < nodes_.size(); ++i) open(*nodes_[i]);
}

void Asking::open(Node& node) {
  if (node.opened || error_) return;
  // A listing whose elements are asked for in every region waits until the regions are known.
  const auto feeds_regions = [&] {
    return std::ranges::any_of(source_.operations, [&](const SourceOperation& other) {
      return other.regional && other.for_each && other.for_each->operation == node.operation->name();
    });
  };
  if (node.after && !node.after->ended) return;
  if (node.scope.region.empty() && &node != regions_node_ && !regions_known_ && feeds_regions()) return;
  node.opened = true;
  if (!node.known) {
    node.records.emplace_back().entry = unknown_operation();
  } else if (!node.parent) {
    enqueue(node, nullptr, nullptr);
  }
  ask_held_back(node);
  ask_what_is_owed(node);
  end_if_done(node);
}

// Elements of an increment are listed once. Those that did not answer then are asked for until they do.
void Asking::ask_what_is_owed(Node& node) {
  if (!node.base || !node.parent || !node.parent->incremental) return;
  for (const auto& entry : node.before->requests) {
    if (!entry.hole || entry.error == depends_on || !node.asked.insert(entry.params).second) continue;
    auto params = parse_json(entry.params);
    auto key = entry.key.empty() ? Result<Json>(json::object()) : parse_json(entry.key);
    if (!params || !key)
      return break_off({Errc::corrupt, fmt::format("the manifest of {}: its params are no JSON", node.operation->name())});
    auto request = std::make_shared<Request>();
    request->node = &node;
    request->params = std::move(*params);
    request->key = std::move(*key);
    request->params_text = entry.params;
    request->region = node.region;
    ask_in_turn(std::move(request));
  }
}

void Asking::enqueue(Node& node, const Json* element, const Request* parent) {
  if (!node.known || (options_.probe && !node.asked.empty())) return;
  const auto& operation = *node.operation;
  const Surroundings around{.variable = operation.for_each ? std::string_view(operation.for_each->variable) : std::string_view(),
                            .element = element,
                            .params = parent ? &parent->params : nullptr,
                            .key = parent ? &parent->key : nullptr,
                            .account = whoami_.account,
                            .region = node.scope.region,
                            .partition = whoami_.partition,
                            .settings = &access_.api.settings()};
  auto request = std::make_shared<Request>();
  request->node = &node;
  const auto holds = [&](const Template& pair) {
    const auto filled = pair.fill(around);
    const auto *left = find(filled, "left"), *right = find(filled, "right");
    return left && right && *left == *right;
  };
  if (!std::ranges::all_of(operation.only_if, holds)) return;
  request->params = operation.params.fill(around);
  request->key = operation.key.fill(around);
  const auto recorded = operation.recorded.fill(around);
  request->params_text = canonical_text(recorded.get_object().empty() ? request->params : recorded);
  request->region = node.region;
  if (operation.region) {
    const auto region = evaluate(*operation.region, around);
    if (region && region->is_string() && is_region_name(region->get_string())) request->region = region->get_string();
  }
  if (!node.asked.insert(request->params_text).second) return;
  ask_in_turn(std::move(request));
}

void Asking::ask_in_turn(std::shared_ptr<Request> request) {
  auto& node = *request->node;
  ++node.pending;
  if (node.opened && node.calls < most_calls) return ask(std::move(request));
  HeldBack held{.params = json::serialize(request->params),
                .key = json::serialize(request->key),
                .params_text = std::move(request->params_text),
                .region = std::move(request->region)};
  if (held.params == held.params_text) held.params.clear();
  node.held_back.push_back(std::move(held));
}

void Asking::ask_held_back(Node& node) {
  const auto read = [](const std::string& text) { return parse_json(text).value_or(Json(json::object())); };
  while (node.opened && node.calls < most_calls && !node.held_back.empty()) {
    auto held = std::move(node.held_back.front());
    node.held_back.pop_front();
    auto request = std::make_shared<Request>();
    request->node = &node;
    request->params = read(held.params.empty() ? held.params_text : held.params);
    request->key = read(held.key);
    request->params_text = std::move(held.params_text);
    request->region = std::move(held.region);
    ask(std::move(request));
  }
}

void Asking::ask(std::shared_ptr<Request> request) {
  auto& node = *request->node;
  const auto& operation = *node.operation;
  ++node.calls;
  if (!request->first_asked) request->first_asked = access_.transport.elapsed();
  if (node.remembered) request->remembered = node.remembered->find(request->params_text);
  if (operation.increment) {
    request->newest_first.emplace(*operation.increment, node.base && request->remembered ? request->remembered->cursor : std::nullopt);
  }
  auto call = access_.api.call(operation);
  call.region = request->region;
  call.params = request->params;
  if (request->newest_first && request->remembered && node.base) {
    // Where the newest page is the same, nothing is new.
    call.known = [request](std::uint32_t page) -> std::optional<wire::Validator> {
      const auto& pages = request->remembered->pages;
      return page == 1 && request->remembered->cursor && !pages.empty() ? pages.front() : std::nullopt;
    };
  }
  // A page that the run before has no body of can't be kept unchanged.
  if (!node.incremental && !operation.until && request->remembered) {
    call.known = [request](std::uint32_t page) -> std::optional<wire::Validator> {
      const auto& pages = request->remembered->pages;
      const auto* before = request->node->before ? request->node->before->find(request->params_text, page - 1) : nullptr;
      return before && before->is_answer() && page <= pages.size() ? pages[page - 1] : std::nullopt;
    };
  }
  request->call = client_.call(
      std::move(call), [this, request](wire::Page page) { on_page(request, std::move(page)); },
      [this, request](const wire::Outcome& outcome) { on_done(request, outcome); });
}

void Asking::on_page(const std::shared_ptr<Request>& request, wire::Page page) {
  current_ = request->node->operation->name();
  if (error_) return;
  if (request->node->operation->until) {
    request->held.push_back(std::move(page));
  } else {
    keep(request, std::move(page));
  }
}

void Asking::on_done(const std::shared_ptr<Request>& request, const wire::Outcome& outcome) {
  auto& node = *request->node;
  current_ = node.operation->name();
  --node.calls;
  if (error_) return;
  const bool sent = outcome.requests > 0;
  if (sent && (!node.started || outcome.started < *node.started)) node.started = outcome.started;
  if (!node.finished || outcome.ended > *node.finished) node.finished = outcome.ended;
  if (ask_again(request, outcome)) return;
  for (auto& page : std::exchange(request->held, {})) keep(request, std::move(page));

  // What ended without an answer of the service's, or before its last page, is a hole behind the pages that came.
  auto hole = blank(*request, outcome.pages);
  if (outcome.error) {
    hole.entry.error = outcome.code.empty() ? std::string(name_of(outcome.error->code)) : printable(outcome.code);
    hole.entry.hole = outcome.heard == wire::Heard::denied || outcome.error->code == Errc::denied ? Hole::denied : Hole::failed;
  } else if (outcome.unmodelled_paging) {
    hole.entry.error = "UnmodelledPaging";
    hole.entry.hole = Hole::failed;
  }
  if (outcome.heard == wire::Heard::ok && !hole.entry.hole && !request->refused) remember(*request);
  if (hole.entry.hole && !request->refused) node.records.push_back(std::move(hole));
  --node.pending;
  ask_held_back(node);
  end_if_done(node);
}

Record Asking::blank(const Request& request, std::uint32_t page) {
  Record record;
  record.entry.params = request.params_text;
  if (!request.key.get_object().empty()) record.entry.key = canonical_text(request.key);
  record.entry.page = page;
  return record;
}

// An `until` that has not come true yet is asked again; in the end that counts as a failure.
bool Asking::ask_again(const std::shared_ptr<Request>& request, const wire::Outcome& outcome) {
  const auto& until = request->node->operation->until;
  if (!until || outcome.heard != wire::Heard::ok || request->held.empty()) return false;
  const Json* value = select(request->held.back().value, until->first);
  if (value && *value == until->second) return false;
  request->held.clear();
  const auto now = access_.transport.elapsed().micros;
  if (now < request->first_asked->micros + until_patience.micros) {
    waiting_.push_back({Duration{now + until_pause.micros}, request});
    return true;
  }
  auto record = blank(*request, 0);
  record.entry.error = "NotReady";
  record.entry.hole = Hole::failed;
  request->node->records.push_back(std::move(record));
  return false;
}

void Asking::end_if_done(Node& node) {
  if (node.ended || !node.opened || node.pending > 0 || error_) return;
  if (node.parent && !node.parent->ended) return;
  node.inherits = node.parent && node.parent->outcome == Outcome::partial && inherit_holes(node);
  const auto verdict = judge(node);
  node.outcome = verdict.outcome;
  node.reason = verdict.reason;
  const bool bad = node.outcome == Outcome::failed || node.outcome == Outcome::denied;
  counts_.denied += verdict.denied;
  counts_.failed += verdict.failed;
  if (bad && verdict.denied + verdict.failed == 0) (node.outcome == Outcome::denied ? counts_.denied : counts_.failed) += 1;
  node.ended = true;
  end(node);
  if (error_) return;

  if (&node == regions_node_) {
    regions_known_ = true;
    if (node.outcome == Outcome::complete) {
      add_regional_nodes();
    } else {
      give_up_regional(node.reason);
    }
    for (std::size_t i = 0; i < nodes_.size(); ++i) open(*nodes_[i]);
  }
  for (auto* follower : node.followers) open(*follower);
  for (auto* child : node.children) end_if_done(*child);
}

void Asking::end(Node& node) {
  std::ranges::sort(node.records, {},
                    [](const Record& record) { return std::pair(std::string_view(record.entry.params), record.entry.page); });
  auto digest = store_manifest(node);
  if (!digest) return break_off(std::move(digest).error());
  TreeEntry entry{
      .scope = node.scope, .operation = node.operation->name(), .outcome = node.outcome, .reason = node.reason, .manifest = *digest};
  observer_.ended(entry);
  tree_.entries.push_back(std::move(entry));
  ++counts_.operations;
  RememberedOperation remembering(*digest, question_of(*node.operation));
  remembering.take_from(std::move(node.remembering));
  if (node.incremental && node.remembered) remembering.keep_others_of(*node.remembered);
  if (node.incremental || !remembering.empty()) remembering_.add(node.operation->name(), node.scope, std::move(remembering));
  node.before.reset();
  node.asked = {};
}

// An increment without anything new leaves what stands, so that an unchanged world hashes the same.
Result<Digest> Asking::store_manifest(const Node& node) {
  if (brought_nothing(node)) return *node.base;
  Manifest manifest{.operation = node.operation->name(), .scope = node.scope, .requests = {}, .base = node.base};
  manifest.requests.reserve(node.records.size());
  for (const auto& record : node.records) manifest.requests.push_back(record.entry);
  return pack_.add(write(manifest));
}

std::size_t Asking::endpoint_index(const std::string& endpoint) {
  const auto found = std::ranges::find(endpoints_, endpoint);
  if (found != endpoints_.end()) return static_cast<std::size_t>(found - endpoints_.begin());
  endpoints_.push_back(endpoint);
  return endpoints_.size() - 1;
}

void Asking::break_off(Error error) {
  if (!error_) error_ = std::move(error);
}

bool Asking::step(Duration longest) {
  if (error_) return false;
  const auto now = access_.transport.elapsed();
  while (!waiting_.empty() && waiting_.front().until <= now) {
    auto request = std::move(waiting_.front().request);
    waiting_.pop_front();
    ask(std::move(request));
  }
  if (client_.idle() && waiting_.empty()) return false;
  if (!waiting_.empty()) longest = std::min(longest, Duration{std::max<std::int64_t>(waiting_.front().until.micros - now.micros, 0)});
  if (client_.idle()) {
    access_.transport.step(longest);  // the client does not wait when it has nothing to do
  } else {
    client_.step(longest);
  }
  return !error_;
}

std::uint64_t Asking::operations() const { return regions_known_ ? nodes_.size() : nodes_.size() + regional_operations_; }

std::vector<Asking::Answered> Asking::take_answered() {
  tree_.sort();
  std::vector<Answered> answered(tree_.entries.size());
  for (const auto& node : nodes_) {
    const auto* entry = tree_.find(node->operation->name(), node->scope);
    auto& place = answered[static_cast<std::size_t>(entry - tree_.entries.data())];
    place.operation = node->operation->name();
    place.scope = node->scope;
    // Where a listing was empty nothing was asked, and what is known is as old as the listing.
    const Node* asked = node.get();
    while (asked->parent && !asked->started) asked = asked->parent;
    place.started = asked->started;
    place.ended = asked->started ? asked->finished : std::nullopt;
    place.records = std::move(node->records);
  }
  return answered;
}

}  // namespace vouch::collect
