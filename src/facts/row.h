// facts/row.h - rows of a fact table as packed bytes, and how an answer becomes such rows. Of this module only.
//
// A cell is a tag and its bytes. Packed rows compare and hash as bytes, and cost one allocation instead of one a column; a key is
// the same cells of the key columns.
#pragma once

#include "facts/tables.h"
#include "table/store.h"
#include "wire/models.h"

namespace vouch::facts {

// Appends one cell. Text must be UTF-8.
void pack(std::string& out, const table::Value& value);

// Reads the cells of a packed row one after the other.
class CellReader {
 public:
  explicit CellReader(std::string_view packed) : left_(packed) {}
  [[nodiscard]] bool done() const { return left_.empty(); }
  table::Value next();
  std::string_view skip();                    // the cell's bytes
  void append_to(table::Appender& appender);  // the next cell, without a copy of its text

 private:
  std::string_view left_;
};

// One row: the declared columns of its table; and its key, without account and region, which go without saying where rows of
// one listing meet.
struct Row {
  std::string key, values;
};

// Where the declared columns of a table stand in key and values.
struct Shape {
  std::vector<std::size_t> key;     // indexes of columns
  std::vector<std::size_t> latest;  // likewise
  explicit Shape(const FactTable& table);
};

std::string key_of_values(const Shape& shape, std::string_view values);
// Whether two rows are the same version: equal apart from `latest` columns.
bool same_version(const Shape& shape, std::string_view a, std::string_view b);

// What an answer is about.
struct About {
  const Json* key = nullptr;
  const Json* params = nullptr;
  std::string_view account, region, partition;
};

// The rows that an answer shows, in its order, with those of one key told once: the last stands. Errc::malformed when a key column
// has no value or a value does not have its column's type. `observed`: the answer's own date, where the table says where it stands.
Result<std::vector<Row>> rows_of(const FactTable& table, const Shape& shape, const Json& answer, const About& about,
                                 std::optional<Instant>* observed = nullptr);

}  // namespace vouch::facts
