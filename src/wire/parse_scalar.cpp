#include "base/instant.h"
#include "wire/parse.h"
#include "wire/parse_body.h"
#include "wire/timestamp.h"

#include <charconv>
#include <cmath>

namespace vouch::wire {
namespace {

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() && std::equal(text.begin(), text.end(), lower.begin(),
                                                   [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

template <class Number>
bool read_number(std::string_view text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

void put_real(double value, Json& out) {
  if (std::isnan(value))
    out = "NaN";
  else if (std::isinf(value))
    out = value > 0 ? "Infinity" : "-Infinity";
  else
    out = value;
}

Result<> put_timestamp(double seconds, Json& out) {
  out = to_string(TRY(from_epoch_seconds(seconds)));
  return {};
}

Result<> put_timestamp(std::string_view text, Json& out) {
  out = to_string(TRY(parse_timestamp(text)));
  return {};
}

Result<> read_scalar(const Member& use, std::string_view text, Json& out) {
  const auto kind = use.shape->kind;
  if (kind == Kind::string || kind == Kind::blob) {
    out.emplace_string().assign(text);
    return {};
  }
  text = trimmed(text);
  if (text.empty()) return {};
  switch (kind) {
    case Kind::boolean:
      if (equals_ignoring_case(text, "true") || text == "1")
        out = true;
      else if (equals_ignoring_case(text, "false") || text == "0")
        out = false;
      else
        return fail(Errc::malformed, "`{}` is no boolean", text.substr(0, 64));
      return {};
    case Kind::integer: {
      std::int64_t number = 0;
      std::uint64_t large = 0;
      if (read_number(text, number))
        out = number;
      else if (read_number(text, large))
        out = large;
      else
        return fail(Errc::malformed, "`{}` is no integer", text.substr(0, 64));
      return {};
    }
    case Kind::real: {
      double number = 0;
      if (text == "NaN" || text == "Infinity" || text == "-Infinity")
        out.emplace_string().assign(text);
      else if (read_number(text, number))
        put_real(number, out);
      else
        return fail(Errc::malformed, "`{}` is no number", text.substr(0, 64));
      return {};
    }
    case Kind::timestamp: return put_timestamp(text, out);
    default: return fail(Errc::malformed, "text where the model has a structure");
  }
}

}  // namespace vouch::wire
