#include "collect/content.h"

namespace vouch::collect {

namespace {

using Steps = std::span<const Step>;

// Calls `act` with each object (or list) that holds what the path ends at, and the last step.
template <class Act>
void at_end(Json& value, Steps steps, const Act& act) {
  if (steps.empty()) return;
  const auto& step = steps.front();
  if (auto* list = value.if_array(); list && step.kind != Step::Kind::element) {
    const auto rest = step.kind == Step::Kind::all ? steps.subspan(1) : steps;
    for (auto& element : *list) at_end(element, rest, act);
    return;
  }
  if (steps.size() == 1) return act(value, step);
  if (step.kind == Step::Kind::member) {
    if (auto* object = value.if_object()) {
      if (const auto found = object->find(step.member); found != object->end()) at_end(found->value(), steps.subspan(1), act);
    }
  } else if (auto* list = value.if_array(); list && step.index < list->size()) {
    at_end((*list)[step.index], steps.subspan(1), act);
  }
}

void sort_list(Json& value) {
  auto* list = value.if_array();
  if (!list) return;
  std::vector<std::pair<std::string, Json>> elements;
  elements.reserve(list->size());
  for (auto& element : *list) elements.emplace_back(canonical(element).value_or(std::string()), std::move(element));
  std::ranges::sort(elements, {}, &std::pair<std::string, Json>::first);
  list->clear();
  for (auto& [text, element] : elements) list->push_back(std::move(element));
}

// A path to a list may end in `[]` or in the member.
Steps without_last_all(Steps steps) {
  return !steps.empty() && steps.back().kind == Step::Kind::all ? steps.first(steps.size() - 1) : steps;
}

}  // namespace

Json normalise(Json value, const Normal& normal) {
  if (auto* object = value.if_object()) {
    for (const auto& member : normal.paging) object->erase(member);
  }
  for (const auto& path : normal.volatiles) {
    at_end(value, without_last_all(path), [](Json& holder, const Step& last) {
      if (auto* object = holder.if_object(); object && last.kind == Step::Kind::member) object->erase(last.member);
    });
  }
  // Inner lists first, so that an outer one is sorted by what its elements come to be.
  std::vector<Steps> sets(normal.sets.begin(), normal.sets.end());
  std::ranges::sort(sets, std::greater<>{}, [](Steps steps) { return steps.size(); });
  for (const auto& path : sets) {
    if (path.size() == 1 && path.front().kind == Step::Kind::all) sort_list(value);  // the answer itself
    at_end(value, without_last_all(path), [](Json& holder, const Step& last) {
      auto* object = holder.if_object();
      if (!object || last.kind != Step::Kind::member) return;
      if (const auto found = object->find(last.member); found != object->end()) sort_list(found->value());
    });
  }
  return value;
}

Result<Digest> content_of(const Json& value, const Normal& normal) {
  if (normal.paging.empty() && normal.volatiles.empty() && normal.sets.empty()) return sha256(TRY(canonical(value)));
  Json copy(value, json::make_shared_resource<json::monotonic_resource>());
  return sha256(TRY(canonical(normalise(std::move(copy), normal))));
}

}  // namespace vouch::collect
