// Reads DuckDB's data chunks. Lists, structs and maps become JSON text; what JSON has no word for is text in it.
#include "table/session.h"

#include <ranges>

namespace vouch::table {
namespace {

constexpr std::size_t max_values = 20'000'000;

struct LogicalType {
  duckdb_logical_type raw;
  explicit LogicalType(duckdb_logical_type type) : raw(type) {}
  LogicalType(const LogicalType&) = delete;
  ~LogicalType() { duckdb_destroy_logical_type(&raw); }
  [[nodiscard]] duckdb_type id() const { return duckdb_get_type_id(raw); }
};

template <class T>
T element(duckdb_vector vector, idx_t row) {
  return static_cast<const T*>(duckdb_vector_get_data(vector))[row];
}

std::string text_at(duckdb_vector vector, idx_t row) {
  auto text = element<duckdb_string_t>(vector, row);
  return {duckdb_string_t_data(&text), duckdb_string_t_length(text)};
}

// Sums of BIGINT are HUGEINT; nearly all of them fit.
Value huge(duckdb_hugeint value) {
  const auto whole = (static_cast<__int128>(value.upper) << 64) + static_cast<__int128>(value.lower);
  if (whole >= std::numeric_limits<std::int64_t>::min() && whole <= std::numeric_limits<std::int64_t>::max())
    return static_cast<std::int64_t>(whole);
  return duckdb_hugeint_to_double(value);
}

Value unsigned_of(std::uint64_t value) {
  if (value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return static_cast<std::int64_t>(value);
  return static_cast<double>(value);
}

Value decimal(duckdb_vector vector, duckdb_logical_type type, idx_t row) {
  duckdb_decimal value{duckdb_decimal_width(type), duckdb_decimal_scale(type), {}};
  const auto set = [&](std::int64_t whole) {
    value.value.lower = static_cast<std::uint64_t>(whole);
    value.value.upper = whole < 0 ? -1 : 0;
  };
  switch (duckdb_decimal_internal_type(type)) {
    case DUCKDB_TYPE_SMALLINT: set(element<std::int16_t>(vector, row)); break;
    case DUCKDB_TYPE_INTEGER: set(element<std::int32_t>(vector, row)); break;
    case DUCKDB_TYPE_BIGINT: set(element<std::int64_t>(vector, row)); break;
    default: value.value = element<duckdb_hugeint>(vector, row); break;
  }
  return duckdb_decimal_to_double(value);
}

std::string date_text(duckdb_date date) {
  const auto parts = duckdb_from_date(date);
  return fmt::format("{:04}-{:02}-{:02}", parts.year, parts.month, parts.day);
}

std::string time_text(duckdb_time time) {
  const auto parts = duckdb_from_time(time);
  return fmt::format("{:02}:{:02}:{:02}.{:06}", parts.hour, parts.min, parts.sec, parts.micros);
}

std::string uuid_text(duckdb_hugeint value) {
  // DuckDB flips the highest bit so that UUIDs sort as numbers.
  const auto upper = static_cast<std::uint64_t>(value.upper) ^ (std::uint64_t{1} << 63);
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", upper >> 32, (upper >> 16) & 0xffff, upper & 0xffff, value.lower >> 48,
                     value.lower & 0xffff'ffff'ffff);
}

std::string interval_text(duckdb_interval value) {
  return fmt::format("{} months {} days {} microseconds", value.months, value.days, value.micros);
}

Result<std::string> enum_text(duckdb_vector vector, duckdb_logical_type type, idx_t row) {
  idx_t index = 0;
  switch (duckdb_enum_internal_type(type)) {
    case DUCKDB_TYPE_UTINYINT: index = element<std::uint8_t>(vector, row); break;
    case DUCKDB_TYPE_USMALLINT: index = element<std::uint16_t>(vector, row); break;
    default: index = element<std::uint32_t>(vector, row); break;
  }
  char* word = duckdb_enum_dictionary_value(type, index);
  std::string text = word ? word : "";
  duckdb_free(word);
  return text;
}

Result<Json> nested_at(duckdb_vector vector, duckdb_logical_type type, idx_t row);

Result<Value> value_at(duckdb_vector vector, duckdb_logical_type type, idx_t row) {
  auto* validity = duckdb_vector_get_validity(vector);
  if (validity && !duckdb_validity_row_is_valid(validity, row)) return std::monostate{};
  const auto id = duckdb_get_type_id(type);
  switch (id) {
    case DUCKDB_TYPE_BOOLEAN: return element<bool>(vector, row);
    case DUCKDB_TYPE_TINYINT: return std::int64_t{element<std::int8_t>(vector, row)};
    case DUCKDB_TYPE_SMALLINT: return std::int64_t{element<std::int16_t>(vector, row)};
    case DUCKDB_TYPE_INTEGER: return std::int64_t{element<std::int32_t>(vector, row)};
    case DUCKDB_TYPE_BIGINT: return element<std::int64_t>(vector, row);
    case DUCKDB_TYPE_UTINYINT: return std::int64_t{element<std::uint8_t>(vector, row)};
    case DUCKDB_TYPE_USMALLINT: return std::int64_t{element<std::uint16_t>(vector, row)};
    case DUCKDB_TYPE_UINTEGER: return std::int64_t{element<std::uint32_t>(vector, row)};
    case DUCKDB_TYPE_UBIGINT: return unsigned_of(element<std::uint64_t>(vector, row));
    case DUCKDB_TYPE_HUGEINT: return huge(element<duckdb_hugeint>(vector, row));
    case DUCKDB_TYPE_FLOAT: return double{element<float>(vector, row)};
    case DUCKDB_TYPE_DOUBLE: return element<double>(vector, row);
    case DUCKDB_TYPE_DECIMAL: return decimal(vector, type, row);
    case DUCKDB_TYPE_VARCHAR: return text_at(vector, row);
    case DUCKDB_TYPE_BLOB: return to_hex(bytes_of(text_at(vector, row)));
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_TZ: return Instant{element<std::int64_t>(vector, row)};
    case DUCKDB_TYPE_TIMESTAMP_S: return Instant{element<std::int64_t>(vector, row) * 1'000'000};
    case DUCKDB_TYPE_TIMESTAMP_MS: return Instant{element<std::int64_t>(vector, row) * 1000};
    case DUCKDB_TYPE_TIMESTAMP_NS: return Instant{element<std::int64_t>(vector, row) / 1000};
    case DUCKDB_TYPE_DATE: return date_text(element<duckdb_date>(vector, row));
    case DUCKDB_TYPE_TIME: return time_text(element<duckdb_time>(vector, row));
    case DUCKDB_TYPE_INTERVAL: return interval_text(element<duckdb_interval>(vector, row));
    case DUCKDB_TYPE_UUID: return uuid_text(element<duckdb_hugeint>(vector, row));
    case DUCKDB_TYPE_ENUM: return TRY(enum_text(vector, type, row));
    case DUCKDB_TYPE_SQLNULL: return std::monostate{};
    case DUCKDB_TYPE_LIST:
    case DUCKDB_TYPE_MAP:
    case DUCKDB_TYPE_ARRAY:
    case DUCKDB_TYPE_STRUCT: return TRY(canonical(TRY(nested_at(vector, type, row))));
    default: return fail(Errc::unsupported, "a column of DuckDB's type {}: cast it to varchar", static_cast<int>(id));
  }
}

Result<Json> json_at(duckdb_vector vector, duckdb_logical_type type, idx_t row) {
  auto* validity = duckdb_vector_get_validity(vector);
  if (validity && !duckdb_validity_row_is_valid(validity, row)) return Json(nullptr);
  switch (duckdb_get_type_id(type)) {
    case DUCKDB_TYPE_LIST:
    case DUCKDB_TYPE_MAP:
    case DUCKDB_TYPE_ARRAY:
    case DUCKDB_TYPE_STRUCT: return nested_at(vector, type, row);
    default: return to_json(TRY(value_at(vector, type, row)));
  }
}

// Of a row that is not NULL. A map is a list of {key, value}.
Result<Json> nested_at(duckdb_vector vector, duckdb_logical_type type, idx_t row) {
  if (duckdb_get_type_id(type) == DUCKDB_TYPE_STRUCT) {
    json::object object;
    for (idx_t i = 0; i < duckdb_struct_type_child_count(type); ++i) {
      char* name = duckdb_struct_type_child_name(type, i);
      const std::string key = name ? name : "";
      duckdb_free(name);
      const LogicalType child{duckdb_struct_type_child_type(type, i)};
      object[key] = TRY(json_at(duckdb_struct_vector_get_child(vector, i), child.raw, row));
    }
    return object;
  }
  json::array array;
  if (duckdb_get_type_id(type) == DUCKDB_TYPE_ARRAY) {
    const LogicalType child{duckdb_array_type_child_type(type)};
    const auto size = duckdb_array_type_array_size(type);
    for (idx_t i = 0; i < size; ++i) array.push_back(TRY(json_at(duckdb_array_vector_get_child(vector), child.raw, row * size + i)));
    return array;
  }
  // A map's vector is that of a list of structs.
  const auto entry = element<duckdb_list_entry>(vector, row);
  auto* below = duckdb_list_vector_get_child(vector);
  if (duckdb_get_type_id(type) == DUCKDB_TYPE_MAP) {
    const LogicalType key{duckdb_map_type_key_type(type)}, value{duckdb_map_type_value_type(type)};
    for (auto i = entry.offset; i < entry.offset + entry.length; ++i)
      array.push_back(json::object{{"key", TRY(json_at(duckdb_struct_vector_get_child(below, 0), key.raw, i))},
                                   {"value", TRY(json_at(duckdb_struct_vector_get_child(below, 1), value.raw, i))}});
    return array;
  }
  const LogicalType child{duckdb_list_type_child_type(type)};
  for (auto i = entry.offset; i < entry.offset + entry.length; ++i) array.push_back(TRY(json_at(below, child.raw, i)));
  return array;
}

struct Chunk {
  duckdb_data_chunk raw;
  explicit Chunk(duckdb_data_chunk chunk) : raw(chunk) {}
  Chunk(const Chunk&) = delete;
  ~Chunk() {
    if (raw) duckdb_destroy_data_chunk(&raw);
  }
};

}  // namespace

namespace {

// Calls `act` with each chunk of a result, and the columns' types.
template <class Act>
Result<> each_chunk(duckdb_result& result, const Act& act) {
  const auto columns = duckdb_column_count(&result);
  std::vector<std::unique_ptr<LogicalType>> types;
  for (idx_t c = 0; c < columns; ++c) types.push_back(std::make_unique<LogicalType>(duckdb_column_logical_type(&result, c)));
  for (;;) {
    const Chunk chunk{duckdb_fetch_chunk(result)};
    if (!chunk.raw) return {};
    TRY(act(chunk.raw, types));
  }
}

}  // namespace

Result<Rows> read_rows(duckdb_result& result) {
  Rows rows;
  const auto columns = duckdb_column_count(&result);
  for (idx_t c = 0; c < columns; ++c) rows.columns.emplace_back(duckdb_column_name(&result, c));
  TRY(each_chunk(result, [&](duckdb_data_chunk chunk, const auto& types) -> Result<> {
    const auto size = duckdb_data_chunk_get_size(chunk);
    if ((rows.rows.size() + size) * std::max<idx_t>(columns, 1) > max_values)
      return fail(Errc::limit, "the answer has more than {} values; add a LIMIT or an aggregate", max_values);
    const auto first = rows.rows.size();
    rows.rows.resize(first + size);
    for (auto& row : rows.rows | std::views::drop(first)) row.reserve(columns);
    for (idx_t c = 0; c < columns; ++c) {
      auto* vector = duckdb_data_chunk_get_vector(chunk, c);
      for (idx_t r = 0; r < size; ++r) rows.rows[first + r].push_back(TRY(value_at(vector, types[c]->raw, r)));
    }
    return {};
  }));
  return rows;
}

Result<> each_row(duckdb_result& result, const Store::OnRow& act) {
  return each_chunk(result, [&](duckdb_data_chunk chunk, const auto& types) -> Result<> {
    std::vector<Value> row(types.size());
    for (idx_t r = 0; r < duckdb_data_chunk_get_size(chunk); ++r) {
      for (idx_t c = 0; c < types.size(); ++c) row[c] = TRY(value_at(duckdb_data_chunk_get_vector(chunk, c), types[c]->raw, r));
      TRY(act(row));
    }
    return {};
  });
}

}  // namespace vouch::table
