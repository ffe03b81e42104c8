// cli/output.h - the four forms of every answer: a table for people, json for machines, csv for spreadsheets, md for pasting.
//
// JSON is an interface (docs/json.md): every top level is an object with `as_of`, `checkpoint` and `simulated`; instants are RFC 3339 in
// UTC, infinity is null.
#pragma once

#include "base/instant.h"
#include "base/json.h"
#include "facts/facts.h"

#include <string>
#include <string_view>
#include <vector>

namespace vouch::cli {

enum class Format { table, json, csv, md };
Result<Format> parse_format(std::string_view text);

// A grid of texts. Numbers stand to the right.
struct Grid {
  struct Column {
    std::string title;
    bool right = false;
  };
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;
};

// table, csv (RFC 4180) or md; control characters in cells are shown as spaces, so that no answer can move the cursor.
std::string render(const Grid& grid, Format format);

// {as_of, checkpoint: {size, root}, simulated}: what every JSON answer begins with.
json::object envelope(Instant as_of, const facts::State& state);

// "as of 2026-03-01 09:00:41 UTC · ledger of 12 entries · SIMULATED": what every table ends with.
std::string footer(Instant as_of, const facts::State& state);

// Colour only on a terminal, and not where NO_COLOR is set.
enum class Tone { plain, good, bad, doubt, faint, strong };
std::string paint(std::string_view text, Tone tone);
bool is_terminal();
std::size_t terminal_width();   // columns; 120 where there is no terminal
std::size_t terminal_height();  // lines; 44 where there is no terminal

// To `width` characters (of UTF-8), cut with an ellipsis.
std::string shorten(std::string_view text, std::size_t width);
std::size_t width_of(std::string_view text);

// critical, high, medium, low: 0 to 3, for sorting.
int severity_rank(std::string_view severity);

// "2026-03-01 09:00 UTC"
std::string for_people(Instant at);
// 1234567 -> "1,234,567"
std::string grouped(std::uint64_t number);
std::string count_of(std::uint64_t count, std::string_view one, std::string_view many);  // "1 leaf", "1,200 leaves"

}  // namespace vouch::cli
