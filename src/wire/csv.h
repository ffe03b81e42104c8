// wire/csv.h - a CSV file that a person exported, as rows with names.
//
// Spec: RFC 4180, with LF beside CRLF, and with a separator of the reader's choice. Strict, for a list of people that is silently short or
// shifted would be a verdict about the wrong people: whatever is not as declared is Errc::malformed with its line, and never an empty or a
// shorter list. No message repeats a value of the file, for they are about people.
#pragma once

#include "base/error.h"
#include "base/json.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vouch::wire {

struct CsvRecord {
  std::size_t line = 0;  // where it begins, from 1
  std::vector<std::string> fields = {};
};

// All records, the first line's among them; each has as many fields as the first. Errc::malformed: no UTF-8 (a byte order mark is allowed),
// a NUL, a quote in the middle of a field or never closed, a record with another number of fields. Blank lines are none.
Result<std::vector<CsvRecord>> parse_csv_records(std::string_view text, char separator = ',');

// What a row must have, as the catalogue declares it.
struct CsvShape {
  enum class Kind { key, text, date };
  struct Field {
    std::string name = {};
    Kind kind = Kind::text;
    bool optional = false;  // no column may have it, and a cell may be empty; both are null
  };
  std::vector<Field> fields = {};  // all keys together tell rows apart
};

// How one file says it.
struct CsvMapping {
  std::map<std::string, std::string> columns = {};  // field -> the column's title; a field without is called as the field
  std::vector<std::string> ignored = {};            // titles of columns that nobody reads: they are dropped, and stored nowhere
  char separator = ',';
  std::string dates = "YYYY-MM-DD";  // or another order and other separators of the three
};

// An array of objects, one for each record; text is trimmed, a date is "2026-03-01". Errc::malformed, besides: a column that is declared
// and not there, one that is there and neither declared nor ignored, a title twice, a key twice or empty, no date, and a file without a
// record.
Result<Json> read_csv(std::string_view text, const CsvShape& shape, const CsvMapping& mapping);

}  // namespace vouch::wire
