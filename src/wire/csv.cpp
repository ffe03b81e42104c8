#include "wire/csv.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <set>

namespace vouch::wire {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::size_t line_of(std::string_view text, std::size_t at) {
  return 1 + static_cast<std::size_t>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
}

Result<> check_encoding(std::string_view text) {
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) return fail(Errc::malformed, "1: is UTF-16; export it as UTF-8");
  for (std::size_t begin = 0, line = 1; begin < text.size(); ++line) {
    const auto end = std::min(text.find('\n', begin), text.size());
    const auto part = text.substr(begin, end - begin);
    if (part.find('\0') != std::string_view::npos) return fail(Errc::malformed, "{}: has a NUL: this is no text file", line);
    if (!simdjson::validate_utf8(part.data(), part.size())) return fail(Errc::malformed, "{}: is not UTF-8; export it as UTF-8", line);
    begin = end + 1;
  }
  return {};
}

// One field from `at` on; `at` moves to the separator, the line's end or the text's.
Result<std::string> read_field(std::string_view text, std::size_t& at, char separator) {
  std::string field;
  const auto ends = [&](std::size_t i) {
    return i == text.size() || text[i] == separator || text[i] == '\n' || text.substr(i, 2) == "\r\n";
  };
  if (at < text.size() && text[at] == '"') {
    const auto opened = at++;
    for (;; ++at) {
      if (at == text.size()) return fail(Errc::malformed, "{}: a quote is never closed", line_of(text, opened));
      if (text[at] == '"') {
        if (text.substr(at, 2) != "\"\"") break;
        ++at;
      }
      field += text[at];
    }
    ++at;
    if (!ends(at)) return fail(Errc::malformed, "{}: there is text behind a closing quote", line_of(text, at));
    return field;
  }
  for (; !ends(at); ++at) {
    if (text[at] == '"') return fail(Errc::malformed, "{}: a quote in the middle of a field", line_of(text, at));
    field += text[at];
  }
  return field;
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  const auto from = text.find_first_not_of(blank);
  if (from == std::string_view::npos) return {};
  return std::string{text.substr(from, text.find_last_not_of(blank) - from + 1)};
}

// "01.03.2026" by "DD.MM.YYYY" -> "2026-03-01"; "" when it is none.
std::string date_in(std::string_view text, std::string_view pattern) {
  int year = 0, month = 0, day = 0;
  for (std::size_t i = 0, at = 0; i < pattern.size();) {
    const char letter = pattern[i];
    const auto width = std::min(pattern.find_first_not_of(letter, i), pattern.size()) - i;
    int* const part = letter == 'Y' ? &year : letter == 'M' ? &month : letter == 'D' ? &day : nullptr;
    if (at + width > text.size()) return {};
    const auto piece = text.substr(at, width);
    if (!part && piece != pattern.substr(i, width)) return {};
    if (part) {
      const auto [end, error] = std::from_chars(piece.data(), piece.data() + piece.size(), *part);
      if (error != std::errc{} || end != piece.data() + piece.size() || *part < 1) return {};
    }
    i += width;
    at += width;
    if (i == pattern.size() && at != text.size()) return {};
  }
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok() || year < 1900) return {};
  return fmt::format("{:04}-{:02}-{:02}", year, month, day);
}

constexpr std::size_t kNoColumn = static_cast<std::size_t>(-1);

// Which column each field stands in.
Result<std::vector<std::size_t>> columns_of(const CsvRecord& header, const CsvShape& shape, const CsvMapping& mapping) {
  std::vector<std::string> titles;
  for (const auto& field : header.fields) titles.push_back(trimmed(field));
  const auto known = fmt::format("there is `{}`", fmt::join(titles, "`, `"));
  for (const auto& title : titles)
    if (std::count(titles.begin(), titles.end(), title) > 1)
      return fail(Errc::malformed, "{}: two columns are called `{}`", header.line, title);
  std::vector<std::size_t> places;
  std::set<std::string> read(mapping.ignored.begin(), mapping.ignored.end());
  for (const auto& field : shape.fields) {
    const auto said = mapping.columns.find(field.name);
    const auto& title = said == mapping.columns.end() ? field.name : said->second;
    const auto at = std::find(titles.begin(), titles.end(), title);
    const bool may_lack = field.optional && said == mapping.columns.end();
    if (at == titles.end() && !may_lack)
      return fail(Errc::malformed, "{}: no column `{}` for `{}`; {}", header.line, title, field.name, known);
    places.push_back(at == titles.end() ? kNoColumn : static_cast<std::size_t>(at - titles.begin()));
    read.insert(title);
  }
  for (const auto& title : titles)
    if (!read.contains(title))
      return fail(Errc::malformed, "{}: nobody said what column `{}` is; name it under `columns`, or under `ignore`", header.line, title);
  return places;
}

}  // namespace

Result<std::vector<CsvRecord>> parse_csv_records(std::string_view text, char separator) {
  TRY(check_encoding(text));
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<CsvRecord> records;
  for (std::size_t at = 0, line = 1; at < text.size();) {
    CsvRecord record{line, {}};
    const auto begin = at;
    for (;;) {
      record.fields.push_back(TRY(read_field(text, at, separator)));
      if (at == text.size() || text[at] != separator) break;
      ++at;
    }
    if (at < text.size()) at += text[at] == '\r' ? 2 : 1;
    line += static_cast<std::size_t>(
        std::count(text.begin() + static_cast<std::ptrdiff_t>(begin), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
    if (record.fields.size() == 1 && record.fields[0].empty()) continue;
    if (!records.empty() && record.fields.size() != records.front().fields.size())
      return fail(Errc::malformed, "{}: has {} fields, and the first line has {}", record.line, record.fields.size(),
                  records.front().fields.size());
    records.push_back(std::move(record));
  }
  return records;
}

Result<Json> read_csv(std::string_view text, const CsvShape& shape, const CsvMapping& mapping) {
  const auto records = TRY(parse_csv_records(text, mapping.separator));
  if (records.size() < 2) return fail(Errc::malformed, "1: has no record: a list of nobody is not believed");
  const auto places = TRY(columns_of(records.front(), shape, mapping));
  json::array rows;
  std::map<std::vector<std::string>, std::size_t> lines;
  for (std::size_t i = 1; i < records.size(); ++i) {
    const auto& record = records[i];
    json::object row;
    std::vector<std::string> key;
    for (std::size_t f = 0; f < places.size(); ++f) {
      const auto& field = shape.fields[f];
      auto value = places[f] == kNoColumn ? std::string{} : trimmed(record.fields[places[f]]);
      if (value.empty() && !field.optional) return fail(Errc::malformed, "{}: `{}` is empty", record.line, field.name);
      if (!value.empty() && field.kind == CsvShape::Kind::date) {
        value = date_in(value, mapping.dates);
        if (value.empty()) return fail(Errc::malformed, "{}: `{}` is no date as {}", record.line, field.name, mapping.dates);
      }
      if (field.kind == CsvShape::Kind::key) {
        key.push_back(value);
        for (char& c : key.back()) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
      }
      row[field.name] = value.empty() ? Json(nullptr) : Json(value);
    }
    if (const auto [place, fresh] = lines.emplace(std::move(key), record.line); !fresh)
      return fail(Errc::malformed, "{}: tells again of what line {} tells", record.line, place->second);
    rows.push_back(std::move(row));
  }
  return Json(std::move(rows));
}

}  // namespace vouch::wire
