#include "base/json.h"

#include <charconv>
#include <cmath>

namespace vouch {
namespace {

void append_escaped(std::string& out, std::string_view text) {
  out += '"';
  std::size_t plain = 0;  // from here on nothing is escaped
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, plain, i - plain);
    plain = i + 1;
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default: out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    }
  }
  out.append(text, plain);
  out += '"';
}

// ECMAScript's Number::toString: shortest digits that read back, exponent form below 1e-6 and from 1e21 on.
bool append_number(std::string& out, double value) {
  if (!std::isfinite(value)) return false;
  if (value == 0) {
    out += '0';
    return true;
  }
  char buffer[40];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific);
  if (error != std::errc{}) return false;
  std::string_view text{buffer, static_cast<std::size_t>(end - buffer)};
  if (text.front() == '-') {
    out += '-';
    text.remove_prefix(1);
  }
  const auto e = text.find('e');
  int exponent = 0;
  const auto exponent_text = text.substr(text[e + 1] == '+' ? e + 2 : e + 1);
  std::from_chars(exponent_text.data(), exponent_text.data() + exponent_text.size(), exponent);
  std::string digits{text.substr(0, 1)};
  if (e > 2) digits += text.substr(2, e - 2);
  const int count = static_cast<int>(digits.size());
  const int point = exponent + 1;  // where the decimal point stands, counted from the first digit
  if (point > 21 || point < -5) {
    out += digits[0];
    if (count > 1) out.append(".").append(digits, 1);
    out += fmt::format("e{}{}", exponent < 0 ? '-' : '+', std::abs(exponent));
  } else if (point <= 0) {
    out.append("0.").append(static_cast<std::size_t>(-point), '0').append(digits);
  } else if (point >= count) {
    out.append(digits).append(static_cast<std::size_t>(point - count), '0');
  } else {
    out.append(digits, 0, static_cast<std::size_t>(point)).append(".").append(digits, static_cast<std::size_t>(point));
  }
  return true;
}

// UTF-8 order is UTF-16 order, except that U+E000..U+FFFF (leads EE and EF) come after what UTF-16 writes as surrogate pairs.
bool utf16_less(std::string_view a, std::string_view b) {
  const auto [at, bt] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (bt == b.end()) return false;
  if (at == a.end()) return true;
  const auto rank = [](char c) {
    const int lead = static_cast<unsigned char>(c);
    return lead == 0xee || lead == 0xef ? lead + 0x100 : lead;
  };
  return rank(*at) < rank(*bt);
}

bool append_canonical(std::string& out, const Json& value) {
  switch (value.kind()) {
    case json::kind::null: out += "null"; return true;
    case json::kind::bool_: out += value.get_bool() ? "true" : "false"; return true;
    case json::kind::int64: fmt::format_to(std::back_inserter(out), "{}", value.get_int64()); return true;
    case json::kind::uint64: fmt::format_to(std::back_inserter(out), "{}", value.get_uint64()); return true;
    case json::kind::double_: return append_number(out, value.get_double());
    case json::kind::string: append_escaped(out, value.get_string()); return true;
    case json::kind::array: {
      out += '[';
      bool first = true;
      for (const auto& element : value.get_array()) {
        if (!std::exchange(first, false)) out += ',';
        if (!append_canonical(out, element)) return false;
      }
      out += ']';
      return true;
    }
    case json::kind::object: {
      std::vector<const json::key_value_pair*> members;
      members.reserve(value.get_object().size());
      for (const auto& member : value.get_object()) members.push_back(&member);
      const auto less = [](const auto* a, const auto* b) { return utf16_less(a->key(), b->key()); };
      if (!std::is_sorted(members.begin(), members.end(), less)) std::sort(members.begin(), members.end(), less);
      out += '{';
      bool first = true;
      for (const auto* member : members) {
        if (!std::exchange(first, false)) out += ',';
        append_escaped(out, member->key());
        out += ':';
        if (!append_canonical(out, member->value())) return false;
      }
      out += '}';
      return true;
    }
  }
  return false;
}

void append_pretty(std::string& out, const Json& value, std::size_t indent) {
  const auto line = [&](std::size_t depth) { out.append("\n").append(depth * 2, ' '); };
  if (value.is_array() && !value.get_array().empty()) {
    out += '[';
    bool first = true;
    for (const auto& element : value.get_array()) {
      if (!std::exchange(first, false)) out += ',';
      line(indent + 1);
      append_pretty(out, element, indent + 1);
    }
    line(indent);
    out += ']';
  } else if (value.is_object() && !value.get_object().empty()) {
    out += '{';
    bool first = true;
    for (const auto& member : value.get_object()) {
      if (!std::exchange(first, false)) out += ',';
      line(indent + 1);
      append_escaped(out, member.key());
      out += ": ";
      append_pretty(out, member.value(), indent + 1);
    }
    line(indent);
    out += '}';
  } else if (value.is_array()) {
    out += "[]";
  } else if (value.is_object()) {
    out += "{}";
  } else if (!append_canonical(out, value)) {
    out += "null";
  }
}

}  // namespace

Result<Json> parse_json(std::string_view text, std::size_t max_depth) {
  json::parse_options options;
  options.max_depth = max_depth;
  json::stream_parser parser{json::storage_ptr{}, options};
  boost::system::error_code error;
  const auto used = parser.write_some(text.data(), text.size(), error);
  if (!error) parser.finish(error);
  if (error) return fail(Errc::malformed, "not JSON at byte {}: {}", used, error.message());
  if (text.find_first_not_of(" \t\r\n", used) != std::string_view::npos)
    return fail(Errc::malformed, "bytes behind the JSON text at byte {}", used);
  return parser.release();
}

Result<std::string> canonical(const Json& value) {
  std::string out;
  if (!append_canonical(out, value)) return fail(Errc::malformed, "NaN and infinities have no JSON form");
  return out;
}

std::string pretty(const Json& value) {
  std::string out;
  append_pretty(out, value, 0);
  return out;
}

const Json* find(const Json& value, std::string_view key) {
  const auto* object = value.if_object();
  const auto* member = object ? object->if_contains(key) : nullptr;
  return member && !member->is_null() ? member : nullptr;
}

const json::string* find_string(const Json& value, std::string_view key) {
  const auto* member = find(value, key);
  return member ? member->if_string() : nullptr;
}

const json::array* find_array(const Json& value, std::string_view key) {
  const auto* member = find(value, key);
  return member ? member->if_array() : nullptr;
}

const json::object* find_object(const Json& value, std::string_view key) {
  const auto* member = find(value, key);
  return member ? member->if_object() : nullptr;
}

Result<std::string_view> require_string(const Json& value, std::string_view key) {
  if (const auto* text = find_string(value, key)) return std::string_view{*text};
  return fail(Errc::malformed, "no text member `{}`", key);
}

Result<std::int64_t> require_integer(const Json& value, std::string_view key) {
  if (const auto* member = find(value, key))
    if (const auto* number = member->if_int64()) return *number;
  return fail(Errc::malformed, "no integer member `{}`", key);
}

}  // namespace vouch
