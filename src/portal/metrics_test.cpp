#include "portal/metrics.h"

#include "portal/log.h"

#include <gtest/gtest.h>

namespace vouch::portal {
namespace {

TEST(Metrics, each_family_has_its_help_and_type_once_and_then_its_samples) {
  Metrics metrics;
  metrics.add("vouch_collections_total", {{"source", "github"}, {"outcome", "complete"}});
  metrics.add("vouch_collections_total", {{"source", "aws"}, {"outcome", "partial"}}, 2);
  metrics.add("vouch_collections_total", {{"source", "github"}, {"outcome", "complete"}});
  metrics.set("vouch_ledger_entries", {}, 12);
  EXPECT_EQ(metrics.text(),
            "# HELP vouch_collections_total Collections that ended, by source and outcome; error: nothing could be recorded.\n"
            "# TYPE vouch_collections_total counter\n"
            "vouch_collections_total{source=\"aws\",outcome=\"partial\"} 2\n"
            "vouch_collections_total{source=\"github\",outcome=\"complete\"} 2\n"
            "# HELP vouch_ledger_entries Entries under the ledger's checkpoint.\n"
            "# TYPE vouch_ledger_entries gauge\n"
            "vouch_ledger_entries 12\n");
}

TEST(Metrics, a_label_cannot_end_its_value_or_its_line) {
  Metrics metrics;
  metrics.set("vouch_collection_running", {{"source", "a\"} 1\nvouch_evil 1 \\"}}, 1);
  EXPECT_NE(metrics.text().find("{source=\"a\\\"} 1\\nvouch_evil 1 \\\\\"} 1\n"), std::string::npos) << metrics.text();
}

TEST(Metrics, a_counter_is_there_before_anything_was_counted) {
  Metrics metrics;
  metrics.add("vouch_collection_overruns_total", {{"source", "aws"}}, 0);
  EXPECT_NE(metrics.text().find("vouch_collection_overruns_total{source=\"aws\"} 0\n"), std::string::npos);
}

TEST(Metrics, instants_keep_their_seconds) {
  Metrics metrics;
  metrics.set("vouch_start_time_seconds", {}, 1772355600.25);
  EXPECT_NE(metrics.text().find("vouch_start_time_seconds 1772355600.25\n"), std::string::npos) << metrics.text();
}

TEST(Log, one_event_is_one_line_whatever_its_values_hold) {
  std::string said;
  const FixedClock clock{parse_instant("2026-03-01T09:00:41Z").value()};
  Log log{clock, [&](std::string_view line) { said += line; }};
  log(Level::warn, "collected", {{"source", "aws"}, {"reason", "two\nlines, \"quoted\""}, {"nothing", ""}});
  EXPECT_EQ(said, "ts=2026-03-01T09:00:41Z level=warn event=collected source=aws reason=\"two\\nlines, \\\"quoted\\\"\" nothing=\"\"\n");
}

}  // namespace
}  // namespace vouch::portal
