// portal/metrics.h - what /metrics shows: counters and gauges in Prometheus' text format.
//
// Spec: prometheus.io/docs/instrumenting/exposition_formats, "Text-based format", version 0.0.4. Which families there are stands in
// metrics.cpp, each with its kind and help; to name another is a programmer's mistake. May be used by many threads at once.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vouch::portal {

// In the order in which they are printed. Only texts of ours or of vouch.yaml: never one that a stranger chose.
using Labels = std::vector<std::pair<std::string, std::string>>;

class Metrics {
 public:
  void add(std::string_view family, const Labels& labels = {}, double amount = 1);  // 0: so that it is there from the start
  void set(std::string_view family, const Labels& labels, double value);
  [[nodiscard]] std::string text() const;

  static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::map<Labels, double>, std::less<>> samples_;
};

}  // namespace vouch::portal
