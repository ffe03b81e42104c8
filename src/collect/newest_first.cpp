#include "collect/newest_first.h"

#include "base/instant.h"

#include <charconv>

namespace vouch::collect {

namespace {

template <class T>
int order(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

std::optional<double> number_of(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

// The list of items; the reader has seen that only its last step unfolds.
json::array* items_of(Json& answer, const Path& path) {
  Json* at = &answer;
  for (const auto& step : std::span(path).first(path.size() - 1)) {
    auto* object = at->if_object();
    at = object ? object->if_contains(step.member) : nullptr;
    if (!at) return nullptr;
  }
  return at->if_array();
}

Result<std::string> moment_of(const Json& item, const Path& by) {
  const auto* value = select(item, by);
  if (value && value->is_string()) return std::string(value->get_string());
  if (value && value->is_number()) return json::serialize(*value);
  return fail(Errc::malformed, "an item without {}", to_string(by));
}

}  // namespace

int compare_moments(std::string_view a, std::string_view b) {
  if (a == b) return 0;
  if (a.empty() || b.empty()) return a.empty() ? -1 : 1;
  const auto at = parse_instant(a), other = parse_instant(b);
  if (at && other) return order(at->micros, other->micros);
  const auto number = number_of(a), second = number_of(b);
  if (number && second) return order(*number, *second);
  return order(a, b);
}

Result<> NewestFirst::read(Json& answer) {
  brought_something_ = false;
  auto* items = items_of(answer, increment_.items);
  if (!items) return fail(Errc::malformed, "answered without {}", to_string(increment_.items));
  json::array fresh;
  std::string previous;
  for (auto& item : *items) {
    const auto moment = TRY(moment_of(item, increment_.by));
    if (!previous.empty() && compare_moments(moment, previous) > 0)
      return fail(Errc::malformed, "`{}` is not newest first", to_string(increment_.items));
    previous = moment;
    const auto digest = sha256(TRY(canonical(item)));
    const auto against_before = before_ ? compare_moments(moment, before_->at) : 1;
    const bool known = against_before < 0 || (against_before == 0 && std::ranges::binary_search(before_->known, digest));
    reached_the_known_ = reached_the_known_ || against_before < 0;
    const auto against_newest = compare_moments(moment, newest_.at);
    if (against_newest > 0) newest_ = Cursor{.at = moment, .known = {}};
    if (against_newest >= 0) {
      const auto place = std::ranges::lower_bound(newest_.known, digest);
      if (place == newest_.known.end() || *place != digest) newest_.known.insert(place, digest);
    }
    if (!known) fresh.push_back(std::move(item));
  }
  brought_something_ = !fresh.empty();
  reaches_back_ = compare_moments(previous, newest_.at) < 0;
  *items = std::move(fresh);
  return {};
}

}  // namespace vouch::collect
