// vouch collect and vouch scan.
#include "cli/history.h"
#include "cli/progress.h"
#include "cli/run_report.h"
#include "portal/ask.h"
#include "portal/http_text.h"

#include <functional>

namespace vouch::cli {
namespace {

using Tell = std::function<void(const Json& run)>;

// By the server of this home, when one runs; it says what `vouch collect` would have said.
Result<std::optional<Json>> ask_server_to_run(const Home& home, const std::string& source, const Tell& tell) {
  const auto answered = TRY(portal::ask_server(home.path, "POST", "/collect?source=" + portal::escape_query(source)));
  if (!answered) return std::nullopt;
  if (const auto* runs = find_array(answered->body, "runs"); answered->status == 200 && runs) {
    for (const auto& run : *runs) tell(run);
    return answered->body;
  }
  const auto* why = find_string(answered->body, "error");
  return fail(answered->status == 500 ? Errc::unreachable : Errc::usage, "the server of this home: {}",
              why ? std::string_view{*why} : std::string_view{"it did not collect"});
}

Result<Json> run_here(SourceRuns& sources, const SourceSettings& source, Format format, const Tell& tell) {
  const auto& cancelled = cancelled_by_signals();
  const auto observer = make_progress(source.name, format);
  const auto run = TRY(sources.run(source, cancelled, *observer, [&](const collect::Collection& ended) {
    observer->finish();
    tell(run_json(ended));
  }));
  if (run.cancelled()) return fail(Errc::usage, "cancelled: nothing of this run was recorded");
  return answer_json(run);
}

bool is_unreachable(const Json& run) {
  const auto* outcome = find_string(run, "outcome");
  return outcome && (*outcome == name_of(collect::Outcome::denied) || *outcome == name_of(collect::Outcome::failed));
}

// Of several sources: their lists one after the other, what changed in sum.
void add_answer(json::object& all, const Json& one) {
  for (const auto* name : {"runs", "left_out"})
    if (const auto* list = find_array(one, name))
      for (const auto& entry : *list) all[name].as_array().push_back(entry);
  if (const auto* facts = find_object(one, "facts"))
    for (auto& [what, count] : all["facts"].as_object())
      if (const auto* more = facts->if_contains(what); more && more->is_number())
        count = count.to_number<std::uint64_t>() + more->to_number<std::uint64_t>();
}

Result<Exit> collect_into(const Home& home, const Common& common, const CollectOptions& options, bool say_json) {
  const auto format = TRY(parse_format(common.format.value_or("table")));
  const auto since = options.since ? std::optional{TRY(instant_of(options.since, "--since"))} : std::nullopt;
  auto sources = TRY(SourceRuns::open(home));
  json::object all{{"runs", json::array()}, {"left_out", json::array()}, {"facts", {{"opened", 0}, {"closed", 0}}}};
  bool unreachable = false;
  const auto tell = [&](const Json& run) {
    unreachable = unreachable || is_unreachable(run);
    if (format != Format::json) print_run(run);
  };
  for (const auto& source : TRY(sources.chosen(options.sources))) {
    auto answer = TRY(ask_server_to_run(home, source.name, tell));
    if (!answer) answer = TRY(run_here(sources, source, format, tell));
    if (format != Format::json) print_end(*answer);
    add_answer(all, *answer);
  }
  if (!since && (format != Format::json || !say_json)) return unreachable ? Exit::undecided : Exit::ok;
  const auto now = SystemClock{}.now();
  auto facts = TRY(open_facts(home, sources.catalog()));
  const auto recalled = since ? TRY(recalled_since(facts, sources.described(), *since, now)) : std::vector<Recalled>{};
  if (format == Format::json) {
    auto out = envelope(now, TRY(facts.state()));
    for (auto& [name, value] : all) out[name] = std::move(value);
    if (since) out["history"] = recalled_json(recalled);
    fmt::print("{}\n", pretty(out));
  } else {
    print_recalled(recalled, *since, format);
  }
  return unreachable ? Exit::undecided : Exit::ok;
}

}  // namespace

Result<Exit> run_collect(const Common& common, const CollectOptions& options) {
  return collect_into(TRY(require_home(common.home)), common, options, true);
}

Result<Exit> run_scan(const Common& common, const CollectOptions& options) {
  const auto home = find_home(common.home);
  const auto format = TRY(parse_format(common.format.value_or("table")));
  if (!home.exists()) TRY(create_home(home.path, ""));
  const auto collected = TRY(collect_into(home, common, options, false));
  if (format != Format::json && format != Format::csv) fmt::print("\n");
  TRY(run_status(common, {}));
  return collected;  // a scan that ran and recorded is well, whatever it found
}

}  // namespace vouch::cli
