#include "cli/output.h"

#include <sys/ioctl.h>
#include <unistd.h>
#include <cstdlib>

namespace vouch::cli {
namespace {

bool is_lead(char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }

std::string printable(std::string_view text) {
  std::string out{text};
  for (auto& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return out;
}

std::string padded(std::string_view text, std::size_t width, bool right) {
  const auto have = width_of(text);
  const std::string blanks(width > have ? width - have : 0, ' ');
  return right ? blanks + std::string{text} : std::string{text} + blanks;
}

std::string csv_cell(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string{text};
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string md_cell(std::string_view text) {
  std::string out;
  for (const char c : printable(text)) {
    if (std::string_view{"|\\`*_<>[]"}.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string render_table(const Grid& grid) {
  std::vector<std::size_t> widths;
  for (const auto& column : grid.columns) widths.push_back(width_of(column.title));
  for (const auto& row : grid.rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(printable(row[i])));
  const auto line = [&](auto&& cell) {
    std::string text;
    for (std::size_t i = 0; i < grid.columns.size(); ++i) text += (i ? "  " : "") + padded(cell(i), widths[i], grid.columns[i].right);
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
  };
  auto out = paint(line([&](std::size_t i) { return grid.columns[i].title; }), Tone::faint) + '\n';
  for (const auto& row : grid.rows) out += line([&](std::size_t i) { return printable(row[i]); }) + '\n';
  return out;
}

}  // namespace

Result<Format> parse_format(std::string_view text) {
  if (text == "table") return Format::table;
  if (text == "json") return Format::json;
  if (text == "csv") return Format::csv;
  if (text == "md") return Format::md;
  return fail(Errc::usage, "`{}` is no format; there are table, json, csv and md", text);
}

std::string render(const Grid& grid, Format format) {
  if (format == Format::table) return render_table(grid);
  std::string out;
  const auto line = [&](auto&& cells, auto&& escape, std::string_view begin, std::string_view between, std::string_view end) {
    out += begin;
    for (std::size_t i = 0; i < grid.columns.size(); ++i) out.append(i ? between : "").append(escape(cells(i)));
    out += end;
  };
  const auto titles = [&](std::size_t i) { return grid.columns[i].title; };
  if (format == Format::csv) {
    line(titles, csv_cell, "", ",", "\r\n");
    for (const auto& row : grid.rows) line([&](std::size_t i) { return row[i]; }, csv_cell, "", ",", "\r\n");
  } else {
    line(titles, md_cell, "| ", " | ", " |\n");
    line([&](std::size_t i) { return std::string{grid.columns[i].right ? "---:" : "---"}; }, [](auto&& text) { return text; }, "| ", " | ",
         " |\n");
    for (const auto& row : grid.rows) line([&](std::size_t i) { return row[i]; }, md_cell, "| ", " | ", " |\n");
  }
  return out;
}

json::object envelope(Instant as_of, const facts::State& state) {
  return {{"as_of", to_string(as_of)}, {"checkpoint", {{"size", state.size.value}, {"root", state.root}}}, {"simulated", state.simulated}};
}

std::string footer(Instant as_of, const facts::State& state) {
  auto text = fmt::format("as of {} · ledger of {}", for_people(as_of), count_of(state.size.value, "entry", "entries"));
  if (state.last_run && as_of >= *state.last_run) text += fmt::format(" · last run {} ago", to_string(as_of - *state.last_run));
  text = paint(text, Tone::faint);
  if (state.simulated) text += paint(" · SIMULATED: not evidence of a real account", Tone::doubt);
  return text + '\n';
}

bool is_terminal() {
  static const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  return terminal;
}

std::string paint(std::string_view text, Tone tone) {
  static const bool colour = is_terminal() && !std::getenv("NO_COLOR");
  if (!colour || tone == Tone::plain || text.empty()) return std::string{text};
  const auto code = tone == Tone::good ? "32" : tone == Tone::bad ? "31;1" : tone == Tone::doubt ? "33" : tone == Tone::faint ? "2" : "1";
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

std::size_t terminal_width() {
  winsize size{};
  if (!is_terminal() || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 40) return 120;
  return size.ws_col;
}

std::size_t terminal_height() {
  winsize size{};
  if (!is_terminal() || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) return 44;
  return size.ws_row;
}

int severity_rank(std::string_view severity) { return severity == "critical" ? 0 : severity == "high" ? 1 : severity == "medium" ? 2 : 3; }

std::size_t width_of(std::string_view text) { return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_lead)); }

std::string shorten(std::string_view text, std::size_t width) {
  if (width_of(text) <= width) return printable(text);
  std::size_t end = 0, seen = 0;
  for (; end < text.size(); ++end)
    if (is_lead(text[end]) && ++seen == width) break;
  return printable(text.substr(0, end)) + "…";
}

std::string for_people(Instant at) {
  if (at.is_infinite()) return "never";
  auto text = to_string(Instant{at.micros - ((at.micros % 1'000'000) + 1'000'000) % 1'000'000});
  text[10] = ' ';
  text.pop_back();
  return text + " UTC";
}

std::string grouped(std::uint64_t number) {
  auto text = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) text.insert(static_cast<std::size_t>(at), ",");
  return text;
}

std::string count_of(std::uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", grouped(count), count == 1 ? one : many);
}

}  // namespace vouch::cli
