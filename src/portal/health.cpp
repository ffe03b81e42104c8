#include "portal/health.h"

namespace vouch::portal {
namespace {

Json instant_json(const std::optional<Instant>& at) { return at && !at->is_infinite() ? Json(to_string(*at)) : Json(nullptr); }

}  // namespace

std::vector<std::string> complaints(const std::vector<SourceState>& sources, Instant since, Instant now) {
  std::vector<std::string> reasons;
  for (const auto& source : sources) {
    if (!source.every) continue;
    const auto due = (source.last_started ? *source.last_started : since - *source.every) + *source.every;
    if (now - due <= *source.every) continue;
    reasons.push_back(source.last_started ? fmt::format("{}: its last run began {}, and one is due every {}", source.source,
                                                        to_string(*source.last_started), evidence::write_schedule(*source.every))
                                          : fmt::format("{}: it was never collected, and a run is due every {}", source.source,
                                                        evidence::write_schedule(*source.every)));
  }
  return reasons;
}

Json state_json(const std::vector<SourceState>& sources, Instant since, Instant now, std::string_view version) {
  json::array list;
  for (const auto& source : sources) {
    Json last(nullptr);
    if (source.last_started) {
      last = {{"started", instant_json(source.last_started)},
              {"ended", instant_json(source.last_ended)},
              {"outcome", json::string(source.last_outcome)},
              {"reason", json::string(source.last_reason)}};
    }
    list.push_back({{"source", json::string(source.source)},
                    {"every", source.every ? Json(evidence::write_schedule(*source.every)) : Json(nullptr)},
                    {"last", std::move(last)},
                    {"next", instant_json(source.next)},
                    {"running_since", instant_json(source.running_since)}});
  }
  return {{"now", to_string(now)}, {"since", to_string(since)}, {"version", json::string(version)}, {"sources", std::move(list)}};
}

}  // namespace vouch::portal
