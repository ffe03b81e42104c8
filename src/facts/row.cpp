#include "facts/row.h"

#include "wire/parse.h"

#include <charconv>
#include <cmath>

namespace vouch::facts {
namespace {

enum class Tag : char { null, no, yes, integer, number, text, time };

template <class T>
void add_bytes(std::string& out, Tag tag, T value) {
  char bytes[1 + sizeof value];
  bytes[0] = static_cast<char>(tag);
  std::memcpy(bytes + 1, &value, sizeof value);
  out.append(bytes, sizeof bytes);
}

void pack_null(std::string& out) { out += static_cast<char>(Tag::null); }
void pack_text(std::string& out, std::string_view text) {
  add_bytes(out, Tag::text, static_cast<std::uint32_t>(text.size()));
  out += text;
}

template <class T>
T read_bytes(std::string_view cell) {
  T value;
  std::memcpy(&value, cell.data() + 1, sizeof value);
  return value;
}

std::size_t size_of(std::string_view packed) {
  switch (static_cast<Tag>(packed[0])) {
    case Tag::null:
    case Tag::no:
    case Tag::yes: return 1;
    case Tag::text: return 5 + read_bytes<std::uint32_t>(packed);
    default: return 9;
  }
}

bool is_utf8(std::string_view text) {
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  const auto* const end = at + text.size();
  while (at < end) {
    if (*at < 0x80) {
      ++at;
      continue;
    }
    const int more = *at >= 0xc2 && *at <= 0xdf ? 1 : *at >= 0xe0 && *at <= 0xef ? 2 : *at >= 0xf0 && *at <= 0xf4 ? 3 : 0;
    if (more == 0 || end - at <= more) return false;
    const auto second = at[1];
    if ((*at == 0xe0 && second < 0xa0) || (*at == 0xed && second > 0x9f) || (*at == 0xf0 && second < 0x90) ||
        (*at == 0xf4 && second > 0x8f))
      return false;
    for (int i = 1; i <= more; ++i)
      if ((at[i] & 0xc0) != 0x80) return false;
    at += more + 1;
  }
  return true;
}

// Words of the credential report for "there is none".
bool says_none(std::string_view text) { return text.empty() || text == "N/A" || text == "no_information" || text == "not_supported"; }

// Packs `value` as the column's type takes it; false when it does not have that form.
class CellWriter {
 public:
  explicit CellWriter(std::string& out) : out_(out) {}

  bool write(Type type, const Json& value) {
    switch (type) {
      case Type::text: return text(value);
      case Type::json: return json(value);
      default: break;
    }
    const auto* word = value.if_string();
    if (word && says_none(*word)) {
      pack_null(out_);
      return true;
    }
    switch (type) {
      case Type::integer: return integer(value);
      case Type::number: return number(value);
      case Type::boolean: return boolean(value);
      default: return time(value);
    }
  }

 private:
  bool text(const Json& value) {
    const auto* as_text = value.if_string();
    if (as_text) return is_utf8(*as_text) && (pack_text(out_, *as_text), true);
    pack_text(out_, text_of(value));
    return true;
  }

  bool json(const Json& value) {
    const auto spelled = canonical(value);
    if (!spelled || !is_utf8(*spelled)) return false;
    pack_text(out_, *spelled);
    return true;
  }

  bool integer(const Json& value) {
    std::int64_t whole = 0;
    if (value.is_int64()) {
      whole = value.get_int64();
    } else if (value.is_double() && value.get_double() == std::floor(value.get_double()) && std::abs(value.get_double()) < 9e15) {
      whole = static_cast<std::int64_t>(value.get_double());
    } else if (const auto* word = value.if_string()) {
      const auto [end, error] = std::from_chars(word->data(), word->data() + word->size(), whole);
      if (error != std::errc{} || end != word->data() + word->size()) return false;
    } else {
      return false;
    }
    add_bytes(out_, Tag::integer, whole);
    return true;
  }

  bool number(const Json& value) {
    double number = 0;
    if (value.is_number()) {
      number = value.to_number<double>();
    } else if (const auto* word = value.if_string()) {
      const auto [end, error] = std::from_chars(word->data(), word->data() + word->size(), number);
      if (error != std::errc{} || end != word->data() + word->size()) return false;
    } else {
      return false;
    }
    add_bytes(out_, Tag::number, number);
    return true;
  }

  bool boolean(const Json& value) {
    bool truth = false;
    if (value.is_bool()) {
      truth = value.get_bool();
    } else if (const auto* word = value.if_string()) {
      const bool yes = *word == "true" || *word == "TRUE" || *word == "True";
      if (!yes && *word != "false" && *word != "FALSE" && *word != "False") return false;
      truth = yes;
    } else {
      return false;
    }
    out_ += static_cast<char>(truth ? Tag::yes : Tag::no);
    return true;
  }

  // A number counts seconds; from 10^11 on (the year 5138, in seconds) it can only mean milliseconds.
  bool time(const Json& value) {
    const auto* word = value.if_string();
    if (!word && !value.is_number()) return false;
    if (const auto number = word ? 0.0 : value.to_number<double>(); number >= 1e11) {
      if (number > 1e15) return false;
      add_bytes(out_, Tag::time, static_cast<std::int64_t>(number * 1000));
      return true;
    }
    auto at = word ? parse_instant(*word) : wire::parse_timestamp(text_of(value));
    if (!at && word) at = wire::parse_timestamp(*word);
    if (!at) return false;
    add_bytes(out_, Tag::time, at->micros);
    return true;
  }

  std::string& out_;
};

Result<> add_row(const FactTable& table, const Shape& shape, Frame& frame, std::vector<Row>& rows) {
  Row row;
  if (!rows.empty()) row.values.reserve(rows.back().values.size() + 32);  // rows of a table are much alike
  const auto made = frame.made.size();
  for (const auto& column : table.columns) {
    frame.strict = table.form != Form::aws && !column.optional;
    const auto* value = column.value.evaluate(frame);
    frame.strict = table.form != Form::aws;
    if (!frame.missing.empty()) return {};  // rows_of() tells
    if (!frame.problem.empty()) return fail(Errc::malformed, "{}.{}: {}", table.name, column.name, frame.problem);
    if (!value)
      pack_null(row.values);
    else if (!CellWriter{row.values}.write(column.type, *value))
      return fail(Errc::malformed, "{}.{}: `{}` is not of type {}", table.name, column.name, text_of(*value).substr(0, 80),
                  name_of(column.type));
  }
  frame.forget(made);
  row.values.shrink_to_fit();  // there may be hundreds of thousands
  row.key = key_of_values(shape, row.values);
  CellReader cells{row.key};
  for (const auto column : shape.key)
    if (cells.skip()[0] == static_cast<char>(Tag::null))
      return fail(Errc::malformed, "{}: a row without {}, which is part of its key", table.name, table.columns[column].name);
  rows.push_back(std::move(row));
  return {};
}

// The last row of each key stands, in the place where it came last.
void keep_last_of_each_key(std::vector<Row>& rows) {
  if (rows.size() < 2) return;
  std::unordered_map<std::string_view, std::size_t> last;
  last.reserve(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) last[rows[i].key] = i;
  if (last.size() == rows.size()) return;
  std::vector<Row> kept;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bool stands = last.at(rows[i].key) == i;
    if (stands) kept.push_back({rows[i].key, rows[i].values});
  }
  rows = std::move(kept);
}

}  // namespace

void pack(std::string& out, const table::Value& value) {
  struct Pack {
    std::string& out;
    void operator()(std::monostate) const { pack_null(out); }
    void operator()(bool v) const { out += static_cast<char>(v ? Tag::yes : Tag::no); }
    void operator()(std::int64_t v) const { add_bytes(out, Tag::integer, v); }
    void operator()(double v) const { add_bytes(out, Tag::number, v); }
    void operator()(const std::string& v) const { pack_text(out, v); }
    void operator()(Instant v) const { add_bytes(out, Tag::time, v.micros); }
  };
  std::visit(Pack{out}, value);
}

std::string_view CellReader::skip() {
  const auto cell = left_.substr(0, size_of(left_));
  left_.remove_prefix(cell.size());
  return cell;
}

table::Value CellReader::next() {
  const auto cell = skip();
  switch (static_cast<Tag>(cell[0])) {
    case Tag::no: return false;
    case Tag::yes: return true;
    case Tag::integer: return read_bytes<std::int64_t>(cell);
    case Tag::number: return read_bytes<double>(cell);
    case Tag::text: return std::string{cell.substr(5)};
    case Tag::time: return Instant{read_bytes<std::int64_t>(cell)};
    case Tag::null: break;
  }
  return std::monostate{};
}

void CellReader::append_to(table::Appender& appender) {
  if (static_cast<Tag>(left_[0]) == Tag::text)
    appender.add_text(skip().substr(5));
  else
    appender.add(next());
}

Shape::Shape(const FactTable& table) {
  const auto index_of = [&](const std::string& name) {
    const auto at = std::find_if(table.columns.begin(), table.columns.end(), [&](const Column& column) { return column.name == name; });
    return static_cast<std::size_t>(at - table.columns.begin());
  };
  for (const auto& name : table.key)
    if (index_of(name) < table.columns.size()) key.push_back(index_of(name));
  for (const auto& name : table.latest) latest.push_back(index_of(name));
  std::sort(key.begin(), key.end());
  std::sort(latest.begin(), latest.end());
}

std::string key_of_values(const Shape& shape, std::string_view values) {
  std::string key;
  CellReader cells{values};
  std::size_t column = 0;
  for (const auto wanted : shape.key) {
    for (; column < wanted; ++column) cells.skip();
    key += cells.skip();
    ++column;
  }
  return key;
}

bool same_version(const Shape& shape, std::string_view a, std::string_view b) {
  if (a == b) return true;
  if (shape.latest.empty()) return false;
  CellReader left{a}, right{b};
  for (std::size_t column = 0; !left.done(); ++column) {
    const bool same = left.skip() == right.skip();
    if (!same && !std::binary_search(shape.latest.begin(), shape.latest.end(), column)) return false;
  }
  return true;
}

Result<std::vector<Row>> rows_of(const FactTable& table, const Shape& shape, const Json& answer, const About& about,
                                 std::optional<Instant>* observed) {
  Frame frame;
  frame.answer = &answer;
  frame.key = about.key;
  frame.params = about.params;
  frame.account = about.account;
  frame.region = about.region;
  frame.partition = about.partition;
  frame.levels.assign(table.levels, nullptr);
  frame.strict = table.form != Form::aws;

  std::vector<Row> rows;
  Result<> added;
  const auto add = [&] {
    if (added && frame.missing.empty()) added = add_row(table, shape, frame, rows);
  };
  if (table.rows.empty()) add();
  for (const auto& unfold : table.rows) unfold.for_each(frame, add);
  if (!added) return std::unexpected(std::move(added).error());
  if (!frame.problem.empty()) return fail(Errc::malformed, "{}: {}", table.name, frame.problem);
  if (!frame.missing.empty()) return fail(Errc::malformed, "answered without {}", frame.missing);
  keep_last_of_each_key(rows);

  if (observed && table.observed)
    if (const auto* date = table.observed->evaluate(frame)) {
      const auto at = parse_instant(text_of(*date));
      if (!at) return fail(Errc::malformed, "{}: observed: {}", table.name, at.error().message);
      *observed = *at;
    }
  return rows;
}

}  // namespace vouch::facts
