// vouch next: what to do first. Members that one act clears (an SCP, a module, a person) are one line.
#include "cli/session.h"

namespace vouch::cli {
namespace {

constexpr std::size_t most_lines = 10;

struct Mend {
  std::string id, remedy, severity;
  std::int64_t clears = 0;
  std::vector<std::string> controls;
};

// A control without `mend` is an act of its own.
std::vector<Mend> mends_of(const controls::Stored& judged) {
  std::map<std::string, Mend> by_id;
  for (const auto& control : judged.controls) {
    if (control.verdict.fail == 0) continue;
    const auto id = control.mend.empty() ? control.id : control.mend;
    auto& mend = by_id[id];
    mend.id = id;
    if (mend.controls.empty() || severity_rank(control.severity) < severity_rank(mend.severity)) {
      mend.severity = control.severity;
      mend.remedy = control.remedy;
    }
    mend.clears += control.verdict.fail;
    mend.controls.push_back(control.id);
  }
  std::vector<Mend> mends;
  for (auto& [id, mend] : by_id) mends.push_back(std::move(mend));
  std::stable_sort(mends.begin(), mends.end(), [](const Mend& a, const Mend& b) {
    return std::tuple{severity_rank(a.severity), -a.clears} < std::tuple{severity_rank(b.severity), -b.clears};
  });
  return mends;
}

}  // namespace

Result<Exit> run_next(const Common& common) {
  const auto home = TRY(require_home(common.home));
  const auto format = TRY(parse_format(common.format.value_or("table")));
  const auto at = SystemClock{}.now();
  const auto judged = TRY(judge(home, at));
  const auto& state = judged.state;
  const auto mends = mends_of(judged);
  std::int64_t all = 0, shown = 0, unknown = 0;
  for (const auto& mend : mends) all += mend.clears;
  for (const auto& control : judged.controls) unknown += control.verdict.unknown;
  const auto lines = std::min(mends.size(), most_lines);
  if (format == Format::json) {
    auto out = envelope(at, state);
    json::array list;
    for (const auto& mend : mends)
      list.push_back({{"mend", mend.id},
                      {"clears", mend.clears},
                      {"severity", mend.severity},
                      {"controls", json::value_from(mend.controls)},
                      {"remedy", mend.remedy}});
    out["mends"] = std::move(list);
    out["failing"] = all;
    out["unknown"] = unknown;
    fmt::print("{}\n", pretty(out));
    return Exit::ok;
  }
  Grid grid{{{"clears", true}, {"severity"}, {"mend"}, {"controls", true}, {"how"}}, {}};
  std::size_t mend_width = 4;
  for (std::size_t i = 0; i < lines; ++i) mend_width = std::max(mend_width, mends[i].id.size());
  for (std::size_t i = 0; i < lines; ++i) {
    const auto& mend = mends[i];
    shown += mend.clears;
    grid.rows.push_back({grouped(static_cast<std::uint64_t>(mend.clears)), mend.severity, mend.id, std::to_string(mend.controls.size()),
                         format == Format::table ? shorten(mend.remedy, std::max<std::size_t>(terminal_width(), 60) -
                                                                            std::min<std::size_t>(mend_width + 32, 40))
                                                 : mend.remedy});
  }
  if (!grid.rows.empty()) fmt::print("{}", render(grid, format));
  if (format == Format::csv) return Exit::ok;
  if (all == 0)
    fmt::print("{}\n", unknown ? "nothing that was seen fails" : "nothing fails");
  else
    fmt::print("\n{}\n", paint(fmt::format("{} {} of {}", count_of(lines, "mend clears", "mends clear"),
                                           grouped(static_cast<std::uint64_t>(shown)), grouped(static_cast<std::uint64_t>(all))),
                               Tone::strong));
  if (unknown)
    fmt::print("{}\n", paint(fmt::format("{} unknown: `vouch status` says where",
                                         count_of(static_cast<std::uint64_t>(unknown), "member is", "members are")),
                             Tone::doubt));
  fmt::print("{}", footer(at, state));
  return Exit::ok;
}

}  // namespace vouch::cli
