// vouch status: criteria and controls, with the members of each by verdict, on one screen.
#include "cli/session.h"

namespace vouch::cli {
namespace {

using controls::Answer;

Tone tone_of(Answer answer) {
  switch (answer) {
    case Answer::pass: return Tone::good;
    case Answer::fail: return Tone::bad;
    case Answer::unknown: return Tone::doubt;
    default: return Tone::faint;
  }
}

std::string_view mark_of(Answer answer) {
  switch (answer) {
    case Answer::pass: return "✓";
    case Answer::fail: return "✗";
    case Answer::unknown: return "?";
    case Answer::waived: return "~";
    case Answer::empty: return "·";
  }
  return "?";
}

// What needs a person comes first.
int order_of(Answer answer) {
  switch (answer) {
    case Answer::fail: return 0;
    case Answer::unknown: return 1;
    case Answer::waived: return 2;
    case Answer::pass: return 3;
    case Answer::empty: return 4;
  }
  return 1;
}

struct CriterionRow {
  const controls::Criterion* criterion;
  std::int64_t pass = 0, fail = 0, unknown = 0, waived = 0, empty = 0;  // controls by verdict
  void count(Answer answer) {
    switch (answer) {
      case Answer::pass: ++pass; break;
      case Answer::fail: ++fail; break;
      case Answer::unknown: ++unknown; break;
      case Answer::waived: ++waived; break;
      case Answer::empty: ++empty; break;
    }
  }
  [[nodiscard]] Answer answer() const {
    return fail ? Answer::fail : unknown ? Answer::unknown : waived ? Answer::waived : pass ? Answer::pass : Answer::empty;
  }
};

struct View {
  std::vector<const controls::StoredControl*> controls;  // worst first
  std::vector<CriterionRow> criteria;                    // those that a control serves
};

bool in_view(std::string_view criterion, const std::vector<std::string>& wanted) {
  return wanted.empty() || std::any_of(wanted.begin(), wanted.end(), [&](const auto& one) {
           return criterion == one || (criterion.starts_with(one) && criterion.size() > one.size() && criterion[one.size()] == '.');
         });
}

View view_of(const controls::Stored& judged, const std::vector<std::string>& wanted) {
  View view;
  std::map<std::string_view, const controls::StoredControl*> by_id;
  for (const auto& control : judged.controls) by_id[control.id] = &control;
  std::set<std::string_view> served;
  for (const auto& framework : judged.frameworks)
    for (const auto& criterion : framework.criteria) {
      if (criterion.controls.empty() || !in_view(criterion.id, wanted)) continue;
      CriterionRow row{&criterion};
      for (const auto& id : criterion.controls) {
        const auto found = by_id.find(id);
        if (found == by_id.end()) continue;
        served.insert(found->first);
        row.count(found->second->verdict.answer);
      }
      view.criteria.push_back(row);
    }
  for (const auto& control : judged.controls)
    if (wanted.empty() || served.contains(control.id)) view.controls.push_back(&control);
  const auto rank = [](const auto* control) {
    const auto& verdict = control->verdict;
    return std::tuple{order_of(verdict.answer), severity_rank(control->severity), -verdict.fail, -verdict.unknown};
  };
  std::stable_sort(view.controls.begin(), view.controls.end(), [&](const auto* a, const auto* b) { return rank(a) < rank(b); });
  return view;
}

Json status_json(const View& view, const controls::Stored& judged, Instant at) {
  auto out = envelope(at, judged.state);
  json::array list, criteria;
  for (const auto* control : view.controls) {
    const auto* verdict = &control->verdict;
    json::object row{
        {"id", control->id},     {"verdict", name_of(verdict->answer)}, {"population", verdict->population}, {"pass", verdict->pass},
        {"fail", verdict->fail}, {"unknown", verdict->unknown},         {"waived", verdict->waived}};
    if (verdict->answer == Answer::empty) row["empty_because"] = verdict->empty_because;
    list.push_back(std::move(row));
  }
  for (const auto& row : view.criteria)
    criteria.push_back({{"id", row.criterion->id},
                        {"says", row.criterion->says},
                        {"verdict", name_of(row.answer())},
                        {"controls", json::value_from(row.criterion->controls)},
                        {"pass", row.pass},
                        {"fail", row.fail},
                        {"unknown", row.unknown},
                        {"waived", row.waived},
                        {"empty", row.empty}});
  out["controls"] = std::move(list);
  out["criteria"] = std::move(criteria);
  out["narrowed"] = json::value_from(judged.narrowed);
  out["left_out"] = to_json(judged.left_out);
  return out;
}

using Chosen = std::vector<const controls::StoredControl*>;

Grid control_grid(const Chosen& chosen, std::size_t statement_width) {
  Grid grid{{{""}, {"control"}, {"severity"}, {"members", true}, {"pass", true}, {"fail", true}, {"unknown", true}, {"statement"}}, {}};
  const auto number = [](std::int64_t n) { return n == 0 ? std::string{"-"} : grouped(static_cast<std::uint64_t>(n)); };
  for (const auto* control : chosen) {
    const auto& verdict = control->verdict;
    const auto& text = verdict.answer == Answer::empty ? verdict.empty_because : control->statement;
    grid.rows.push_back({std::string{mark_of(verdict.answer)}, control->id, control->severity, number(verdict.population),
                         number(verdict.pass), number(verdict.fail + verdict.waived), number(verdict.unknown),
                         shorten(text, statement_width)});
  }
  return grid;
}

// "CC6.1 ✗ 5 of 14   CC6.6 ✓ 6": as many as fit a line.
void print_criteria(const View& view) {
  std::string line;
  std::size_t width = 0;
  for (const auto& row : view.criteria) {
    const auto total = row.pass + row.fail + row.unknown + row.waived + row.empty;
    const auto answer = row.answer();
    const auto text = answer == Answer::fail      ? fmt::format("{} ✗ {} of {} fail", row.criterion->id, row.fail, total)
                      : answer == Answer::unknown ? fmt::format("{} ? {} of {} unknown", row.criterion->id, row.unknown, total)
                                                  : fmt::format("{} {} {}", row.criterion->id, mark_of(answer), total);
    constexpr std::size_t cell = 24;
    if (width + cell > std::min<std::size_t>(terminal_width(), 120)) {
      fmt::print("{}\n", line);
      line.clear();
      width = 0;
    }
    line += paint(text, tone_of(answer)) + std::string(cell - std::min(cell - 1, width_of(text)), ' ');
    width += cell;
  }
  if (!line.empty()) fmt::print("{}\n", line);
}

// Rows that fit a screen: the worst, but what is unknown keeps a place beside what fails.
Chosen worst_of(const View& view, std::size_t rows) {
  Chosen failing, unknown;
  for (const auto* control : view.controls) {
    const auto answer = control->verdict.answer;
    if (answer == Answer::fail || answer == Answer::waived) failing.push_back(control);
    if (answer == Answer::unknown) unknown.push_back(control);
  }
  if (failing.size() + unknown.size() > rows) {
    const auto kept = std::min(unknown.size(), std::max(rows / 4, rows - std::min(rows, failing.size())));
    failing.resize(std::min(failing.size(), rows - kept));
    unknown.resize(kept);
  }
  failing.insert(failing.end(), unknown.begin(), unknown.end());
  return failing;
}

void print_rows(const Chosen& chosen) {
  std::size_t fixed = 0;
  for (const auto* control : chosen) fixed = std::max(fixed, control->id.size());
  fixed += 48;  // the columns around id and statement
  const auto width = terminal_width();
  const auto text = render(control_grid(chosen, width > fixed + 20 ? width - fixed : 20), Format::table);
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = text.find('\n', begin);
    const std::string_view row{text.data() + begin, end - begin};
    fmt::print("{}\n", paint(row, row.starts_with("✗") ? Tone::bad : row.starts_with("?") ? Tone::doubt : Tone::plain));
    begin = end + 1;
  }
}

// "✓ 19 controls pass: a, b, c, …": those of one verdict that have no row of their own.
void print_rest(const View& view, const Chosen& shown, Answer answer, std::string_view one, std::string_view many) {
  std::string ids;
  std::size_t count = 0;
  for (const auto* control : view.controls) {
    if (control->verdict.answer != answer || std::find(shown.begin(), shown.end(), control) != shown.end()) continue;
    ids.append(count++ ? ", " : "").append(control->id);
  }
  if (count == 0) return;
  const auto line = fmt::format("{} {}: {}", mark_of(answer), count_of(count, one, many), ids);
  fmt::print("{}\n", paint(shorten(line, terminal_width() - 1), tone_of(answer)));
}

void print_screen(const View& view, bool all) {
  print_criteria(view);
  fmt::print("\n");
  if (all) return print_rows(view.controls);
  constexpr std::size_t around = 14;  // criteria, the lines below, the prompt
  const auto height = terminal_height();
  const auto shown = worst_of(view, height > around + 10 ? height - around : 10);
  if (!shown.empty()) print_rows(shown);
  print_rest(view, shown, Answer::fail, "more control fails", "more controls fail");
  print_rest(view, shown, Answer::unknown, "more control is unknown", "more controls are unknown");
  print_rest(view, shown, Answer::pass, "control passes", "controls pass");
  print_rest(view, shown, Answer::empty, "control has no member", "controls have no member");
}

// What makes the answer smaller is said with it.
std::string narrowed_text(const controls::Stored& judged) {
  std::string text;
  if (!judged.narrowed.empty()) text += fmt::format("switched off in vouch.yaml: {}\n", fmt::join(judged.narrowed, ", "));
  std::map<std::pair<std::string_view, std::string_view>, std::vector<std::string_view>> reasons;
  for (const auto& one : judged.left_out) reasons[{one.source, one.reason}].push_back(one.account);
  for (const auto& [why, accounts] : reasons) {
    constexpr std::size_t most = 3;
    text += fmt::format("left out of {}: {} {}", why.first, accounts.size() == 1 ? "account" : "accounts",
                        fmt::join(std::span{accounts}.first(std::min(most, accounts.size())), ", "));
    if (accounts.size() > most) text += fmt::format(" and {} more", accounts.size() - most);
    text += fmt::format(" ({})\n", why.second);
  }
  return text;
}

}  // namespace

Result<Exit> run_status(const Common& common, const StatusOptions& options) {
  const auto home = TRY(require_home(common.home));
  const auto format = TRY(parse_format(common.format.value_or("table")));
  const auto at = TRY(instant_of(options.as_of));
  const auto judged = TRY(judge(home, at));
  const auto view = view_of(judged, options.criteria);
  if (view.controls.empty() && !options.criteria.empty())
    return fail(Errc::usage, "no criterion that a control serves begins with `{}`", fmt::join(options.criteria, "`, `"));
  if (format == Format::json) {
    fmt::print("{}\n", pretty(status_json(view, judged, at)));
  } else if (format == Format::table) {
    print_screen(view, options.all);
    fmt::print("\n{}{}", narrowed_text(judged), footer(at, judged.state));
  } else {
    fmt::print("{}", render(control_grid(view.controls, 200), format));
    if (format == Format::md) fmt::print("\n{}{}", narrowed_text(judged), footer(at, judged.state));
  }
  bool fails = false, unknown = false;
  for (const auto* control : view.controls) {
    fails = fails || control->verdict.answer == Answer::fail;
    unknown = unknown || control->verdict.answer == Answer::unknown;
  }
  return fails ? Exit::fails : unknown ? Exit::undecided : Exit::ok;
}

}  // namespace vouch::cli
