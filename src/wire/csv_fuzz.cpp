// Whatever is read of a CSV file has its declared form: every row every field, every key once.
#include "wire/csv.h"

#include <cstdlib>
#include <set>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vouch::wire;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const CsvShape shape{
      {{"email", CsvShape::Kind::key, false}, {"start", CsvShape::Kind::date, false}, {"end", CsvShape::Kind::date, true}}};
  for (const char separator : {',', ';'}) {
    if (const auto records = parse_csv_records(text, separator))
      for (const auto& record : *records)
        if (record.fields.size() != records->front().fields.size()) std::abort();
    const auto rows = read_csv(text, shape, {{}, {"salary"}, separator, "DD.MM.YYYY"});
    if (!rows) continue;
    std::set<std::string> keys;
    for (const auto& row : rows->get_array()) {
      if (row.get_object().size() != 3 || row.at("start").get_string().size() != 10) std::abort();
      keys.emplace(row.at("email").get_string());
    }
    if (rows->get_array().empty() || keys.size() != rows->get_array().size()) std::abort();
  }
  return 0;
}
