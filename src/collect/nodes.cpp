// Which nodes there are: the account's at once, each region's when the regions are known.
#include "collect/asking.h"
#include "collect/node.h"

namespace vouch::collect {

namespace {
constexpr std::string_view describe_regions = "ec2:DescribeRegions";
}  // namespace

namespace {

// Where an answer says which page comes next is no content of it.
std::vector<Path> changing_members(const SourceOperation& operation) {
  using Style = wire::Paging::Style;
  auto paths = operation.volatiles;
  if (!operation.http) return paths;
  const auto& paging = operation.http->paging;
  if (paging.style != Style::next && paging.style != Style::cursor && paging.style != Style::page_info) return paths;
  Path path;
  for (const auto& member : paging.path.members()) path.push_back({.kind = Step::Kind::member, .member = member, .index = 0});
  if (!path.empty()) paths.push_back(std::move(path));
  return paths;
}

}  // namespace

bool is_region_name(std::string_view text) {
  return !text.empty() && text.size() <= 32 &&
         std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

Node& Asking::add_node(const SourceOperation& operation, const Scope& scope) {
  auto node = std::make_unique<Node>();
  node->operation = &operation;
  node->scope = scope;
  node->region = scope.region.empty() ? whoami_.global_region : scope.region;
  node->known = access_.api.knows(operation);
  if (node->known) node->normal.paging = access_.api.paging_members(operation);
  node->changing = changing_members(operation);
  node->normal.volatiles = node->changing;
  node->normal.sets = operation.sets;
  if (auto before = history_.manifest(operation.name(), scope)) {
    node->before = std::move(*before);
  } else {
    break_off(std::move(before).error());
  }
  nodes_.push_back(std::move(node));
  return *nodes_.back();
}

// What it waits for stands before it, in its own scope or in that of the account.
void Asking::link(Node& node) {
  const auto find_node = [&](std::string_view name) -> Node* {
    for (const auto& other : nodes_) {
      if (other->operation->name() == name && (other->scope == node.scope || other->scope.region.empty())) return other.get();
    }
    return nullptr;
  };
  const auto& operation = *node.operation;
  if (operation.for_each && (node.parent = find_node(operation.for_each->operation))) node.parent->children.push_back(&node);
  if (!operation.after.empty() && (node.after = find_node(operation.after))) node.after->followers.push_back(&node);
  node.incremental = operation.increment || (node.parent && node.parent->incremental);
  const auto* stored = history_.entry(operation.name(), node.scope);
  node.remembered = stored ? cache_.find(operation.name(), node.scope, stored->manifest, question_of(operation)) : nullptr;
  if (node.incremental && node.remembered) node.base = stored->manifest;
}

// A listing and what is asked for its elements are increments together, or all of them are read as a whole: an operation that knows nothing
// yet must hear of every element.
void Asking::settle_bases() {
  for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node) {
    auto* parent = (*node)->parent;
    if (parent && parent->incremental && !(*node)->base) parent->base.reset();
  }
  for (const auto& node : nodes_) {
    if (node->parent && node->parent->incremental && !node->parent->base) node->base.reset();
  }
}

void Asking::add_global_nodes() {
  for (const auto& operation : source_.operations) {
    if (!operation.regional) link(add_node(operation, {}));
  }
  settle_bases();
  if (regions_known_ || regional_operations_ == 0) return;
  const auto listed = std::ranges::find_if(nodes_, [](const auto& node) { return node->operation->name() == describe_regions; });
  regions_node_ = listed != nodes_.end() ? listed->get() : &add_node(describe_regions_, {});
  regions_node_->region = whoami_.home_region;
}

void Asking::add_regional_nodes() {
  std::ranges::sort(regions_);
  regions_.erase(std::ranges::unique(regions_).begin(), regions_.end());
  for (const auto& region : regions_) {
    for (const auto& operation : source_.operations) {
      const auto& only = operation.only_in;
      if (operation.regional && (only.empty() || std::ranges::find(only, region) != only.end())) link(add_node(operation, {region}));
    }
  }
}

// Nothing regional can be asked: each of these operations is a hole for the whole account.
void Asking::give_up_regional(const std::string& why) {
  for (const auto& operation : source_.operations) {
    if (!operation.regional) continue;
    auto& node = add_node(operation, {});
    node.opened = node.ended = true;
    node.outcome = regions_node_->outcome == Outcome::denied ? Outcome::denied : Outcome::failed;
    node.reason = fmt::format("regions unknown: {} {}", describe_regions, why);
    (node.outcome == Outcome::denied ? counts_.denied : counts_.failed) += 1;
    end(node);
  }
}

void Asking::note_regions(const Json& value) {
  const auto* regions = find_array(value, "Regions");
  if (!regions) return;
  for (const auto& region : *regions) {
    const auto* name = find_string(region, "RegionName");
    const auto* status = find_string(region, "OptInStatus");
    if (name && is_region_name(*name) && !(status && *status == "not-opted-in")) regions_.emplace_back(*name);
  }
}

}  // namespace vouch::collect
