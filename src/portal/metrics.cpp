#include "portal/metrics.h"

#include <fmt/format.h>
#include <algorithm>
#include <cassert>
#include <cmath>

namespace vouch::portal {
namespace {

struct Family {
  std::string_view name, kind, help;
};

constexpr Family families[] = {
    {"vouch_build_info", "gauge", "Always 1; the label says which version runs."},
    {"vouch_start_time_seconds", "gauge", "When the server started, in seconds since 1970."},
    {"vouch_collections_total", "counter", "Collections that ended, by source and outcome; error: nothing could be recorded."},
    {"vouch_collection_requests_total", "counter", "Requests sent to the source."},
    {"vouch_collection_retried_total", "counter", "Requests sent again after a failure."},
    {"vouch_collection_throttled_total", "counter", "Requests that the source put off."},
    {"vouch_collection_denied_total", "counter", "Requests that the source refused."},
    {"vouch_collection_failed_total", "counter", "Requests without a usable answer."},
    {"vouch_collection_new_bodies_total", "counter", "Answers that differed from the run before."},
    {"vouch_collection_seconds_total", "counter", "Time spent on collections."},
    {"vouch_collection_last_duration_seconds", "gauge", "How long the last collection took."},
    {"vouch_collection_last_success_timestamp_seconds", "gauge", "When a collection last ended complete or partial."},
    {"vouch_collection_next_run_timestamp_seconds", "gauge", "When the source is collected next."},
    {"vouch_collection_running", "gauge", "1 while the source is collected."},
    {"vouch_collection_overruns_total", "counter", "Runs skipped because an earlier one of the source had not ended."},
    {"vouch_collection_missed_total", "counter", "Runs skipped because nobody was there to start them."},
    {"vouch_ledger_entries", "gauge", "Entries under the ledger's checkpoint."},
    {"vouch_webhooks_total", "counter", "Webhook deliveries, by outcome: accepted, duplicate, refused, failed."},
    {"vouch_webhook_commits_total", "counter", "Commits to the ledger that accepted deliveries shared."},
    {"vouch_http_requests_total", "counter", "Requests answered by this server, by status."},
};

// `quotes`: inside a label's value they are escaped too.
std::string escaped(std::string_view text, bool quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
  return out;
}

std::string written(const Labels& labels) {
  if (labels.empty()) return {};
  std::string out = "{";
  for (const auto& [name, value] : labels) out += fmt::format("{}{}=\"{}\"", out.size() > 1 ? "," : "", name, escaped(value, true));
  return out + "}";
}

std::string written(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

[[maybe_unused]] bool is_known(std::string_view name) {
  return std::ranges::any_of(families, [&](const Family& family) { return family.name == name; });
}

}  // namespace

void Metrics::add(std::string_view family, const Labels& labels, double amount) {
  assert(is_known(family));
  const std::lock_guard held{mutex_};
  samples_[std::string(family)][labels] += amount;
}

void Metrics::set(std::string_view family, const Labels& labels, double value) {
  assert(is_known(family));
  const std::lock_guard held{mutex_};
  samples_[std::string(family)][labels] = value;
}

std::string Metrics::text() const {
  const std::lock_guard held{mutex_};
  std::string out;
  for (const auto& family : families) {
    const auto samples = samples_.find(family.name);
    if (samples == samples_.end()) continue;
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", family.name, escaped(family.help, false), family.name, family.kind);
    for (const auto& [labels, value] : samples->second) out += fmt::format("{}{} {}\n", family.name, written(labels), written(value));
  }
  return out;
}

}  // namespace vouch::portal
