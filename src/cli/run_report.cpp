#include "cli/run_report.h"

#include "cli/output.h"

namespace vouch::cli {

Json run_json(const collect::Collection& run) {
  const auto& leaf = run.leaf;
  json::array incomplete;
  for (const auto& entry : run.tree.entries)
    if (entry.outcome != collect::Outcome::complete)
      incomplete.push_back({{"operation", entry.operation},
                            {"region", entry.scope.region.empty() ? Json(nullptr) : Json(json::string(entry.scope.region))},
                            {"outcome", name_of(entry.outcome)},
                            {"reason", entry.reason}});
  return {{"source", leaf.source},
          {"account", leaf.account},
          {"leaf", run.index ? Json(run.index->value) : Json(nullptr)},
          {"outcome", name_of(leaf.outcome)},
          {"reason", leaf.reason},
          {"started", to_string(leaf.started)},
          {"ended", to_string(leaf.ended)},
          {"unchanged", run.unchanged},
          {"counts",
           {{"operations", leaf.counts.operations},
            {"requests", leaf.counts.requests},
            {"new_bodies", leaf.counts.new_bodies},
            {"denied", leaf.counts.denied},
            {"failed", leaf.counts.failed},
            {"retried", leaf.counts.retried}}},
          {"incomplete", std::move(incomplete)}};
}

namespace {

std::string_view text_of(const Json& value, std::string_view key) {
  const auto* text = find_string(value, key);
  return text ? std::string_view{*text} : std::string_view{};
}

std::uint64_t number_of(const Json& value, std::string_view group, std::string_view key) {
  const auto* members = find_object(value, group);
  const auto* number = members ? members->if_contains(key) : nullptr;
  return number && number->is_number() ? number->to_number<std::uint64_t>() : 0;
}

Tone tone_of(std::string_view outcome) {
  if (outcome == name_of(collect::Outcome::complete)) return Tone::good;
  return outcome == name_of(collect::Outcome::partial) ? Tone::doubt : Tone::bad;
}

void print_incomplete(const json::array& entries) {
  constexpr std::size_t most = 8;
  for (std::size_t i = 0; i < std::min(most, entries.size()); ++i) {
    const auto region = text_of(entries[i], "region");
    fmt::print("  {} {}{}{}: {}\n", paint(text_of(entries[i], "outcome"), Tone::doubt), text_of(entries[i], "operation"),
               region.empty() ? "" : " in ", region, text_of(entries[i], "reason"));
  }
  if (entries.size() > most) fmt::print("  and {} more: vouch sql 'select * from coverage'\n", entries.size() - most);
}

}  // namespace

void print_run(const Json& run) {
  const auto outcome = text_of(run, "outcome");
  const auto account = text_of(run, "account");
  const auto started = parse_instant(text_of(run, "started")), ended = parse_instant(text_of(run, "ended"));
  const auto took = started && ended ? static_cast<double>((*ended - *started).micros) / 1e6 : 0.0;
  const auto* unchanged = find(run, "unchanged");
  fmt::print("{} {} account {}: {} in {:.1f} s, {} kept{}\n", paint(outcome, tone_of(outcome)), text_of(run, "source"),
             account.empty() ? "unknown" : account, count_of(number_of(run, "counts", "requests"), "request", "requests"), took,
             count_of(number_of(run, "counts", "new_bodies"), "new answer", "new answers"),
             unchanged && *unchanged == Json(true) ? ", nothing changed" : "");
  // The reason of a run sums up what is incomplete in it, or tells why there is nothing at all.
  if (const auto* incomplete = find_array(run, "incomplete"); incomplete && !incomplete->empty())
    print_incomplete(*incomplete);
  else if (const auto reason = text_of(run, "reason"); !reason.empty())
    fmt::print("  {}\n", reason);
}

Json answer_json(const SourceRun& run) {
  json::array runs, left_out;
  for (const auto& collection : run.collections) runs.push_back(run_json(collection));
  for (const auto& one : run.left_out)
    left_out.push_back({{"source", runs.front().at("source")}, {"account", one.account}, {"reason", one.reason}});
  return {{"runs", std::move(runs)},
          {"left_out", std::move(left_out)},
          {"facts", {{"opened", run.replayed.rows_opened}, {"closed", run.replayed.rows_closed}}}};
}

void print_end(const Json& answer) {
  const auto* runs = find_array(answer, "runs");
  const auto* left_out = find_array(answer, "left_out");
  if (runs && left_out && (runs->size() > 1 || !left_out->empty())) {
    std::map<std::string_view, std::size_t> reasons;
    for (const auto& one : *left_out) ++reasons[text_of(one, "reason")];
    fmt::print("{} collected, {} left out\n", count_of(runs->size(), "account", "accounts"), left_out->size());
    for (const auto& [reason, count] : reasons) fmt::print("  left out {}: {}\n", count, reason);
  }
  const auto opened = number_of(answer, "facts", "opened"), closed = number_of(answer, "facts", "closed");
  if (opened + closed > 0)
    fmt::print("  {}, {}\n", count_of(opened, "fact is new", "facts are new"), count_of(closed, "has ended", "have ended"));
}

}  // namespace vouch::cli
