// vouch doctor: whether the home and each source are well, and how to mend what is not.
#include "cli/home_checkup.h"
#include "cli/source_run.h"

namespace vouch::cli {

std::string_view name_of(Health health) {
  switch (health) {
    case Health::good: return "good";
    case Health::doubt: return "doubt";
    case Health::bad: return "bad";
  }
  return "";
}

namespace {

// What the catalogue promises of the collecting itself: the controls that read the ledger's own entries.
Result<Findings> check_collecting(const Home& home, const Catalog& catalog, Instant now) {
  Findings findings;
  const auto judged = TRY(judge(home, now));
  for (const auto& one : judged.controls) {
    const auto* control = catalog.controls.find(one.id);
    const bool of_ledger = control && std::ranges::any_of(control->tables, [&](const auto& name) {
                             const auto* table = catalog.tables.find(name);
                             return table && table->is_of_ledger();
                           });
    if (!of_ledger || one.verdict.answer == controls::Answer::empty) continue;
    const bool well = one.verdict.answer == controls::Answer::pass;
    const auto said = fmt::format("{}: {}. {}", one.id, name_of(one.verdict.answer), one.statement);
    findings.push_back(
        {"collecting", well ? Health::good : Health::doubt, said, well ? "" : fmt::format("{} (`vouch show {}`)", one.remedy, one.id)});
  }
  return findings;
}

void print_findings(const Findings& findings) {
  std::string_view about;
  for (const auto& finding : findings) {
    if (finding.about != about) fmt::print("{}{}\n", about.empty() ? "" : "\n", paint(finding.about, Tone::strong));
    about = finding.about;
    const auto [sign, tone] = finding.health == Health::good    ? std::pair{"✓", Tone::good}
                              : finding.health == Health::doubt ? std::pair{"!", Tone::doubt}
                                                                : std::pair{"✗", Tone::bad};
    fmt::print("  {} {}\n", paint(sign, tone), finding.says);
    if (!finding.mend.empty()) fmt::print("      {}\n", finding.mend);
  }
}

Result<> print_json(const Home& home, const Findings& findings, Instant now) {
  const auto log = TRY(Reader::open(home.path));
  auto out = envelope(now, {.size = log.checkpoint().size,
                            .root = to_base64(log.checkpoint().root.bytes),
                            .simulated = TRY(is_simulated(log)),
                            .last_run = std::nullopt});
  auto& list = out["findings"].emplace_array();
  for (const auto& finding : findings)
    list.push_back({{"about", finding.about},
                    {"health", name_of(finding.health)},
                    {"says", finding.says},
                    {"mend", finding.mend.empty() ? Json(nullptr) : Json(json::string(finding.mend))}});
  fmt::print("{}\n", pretty(out));
  return {};
}

}  // namespace

Result<Exit> run_doctor(const Common& common, const DoctorOptions& options) {
  const auto format = TRY(parse_format(common.format.value_or("table")));
  const auto home = TRY(require_home(common.home));
  const auto now = SystemClock{}.now();
  auto findings = TRY(check_home(home, now));
  const auto add = [&](Findings more) { findings.insert(findings.end(), more.begin(), more.end()); };
  // Settings that can't be read are a finding too, and hide none of the others.
  if (auto sources = SourceRuns::open(home); !sources) {
    findings.push_back({"home", Health::bad, sources.error().message, "Mend what the message names; then ask again."});
  } else {
    if (!options.offline)
      for (const auto& source : TRY(sources->chosen(options.sources))) {
        if (is_terminal()) fmt::print(stderr, "asking {} …\n", source.name);
        add(TRY(sources->check(source)));
      }
    if (TRY(Reader::open(home.path)).checkpoint().size.value > 0) add(TRY(check_collecting(home, sources->catalog(), now)));
  }
  if (format == Format::json)
    TRY(print_json(home, findings, now));
  else
    print_findings(findings);
  const bool ill = std::ranges::any_of(findings, [](const auto& finding) { return finding.health == Health::bad; });
  return ill ? Exit::fails : Exit::ok;
}

}  // namespace vouch::cli
