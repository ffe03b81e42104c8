#include "wire/cbor.h"

#include <simdjson.h>
#include <bit>
#include <cmath>
#include <limits>

namespace vouch::wire {
namespace {

template <class Integer>
void append_big_endian(std::string& out, Integer value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
}

double half_precision(unsigned bits) {
  const unsigned exponent = bits >> 10 & 31, mantissa = bits & 1023;
  double value = 0;
  if (exponent == 0)
    value = std::ldexp(mantissa, -24);
  else if (exponent != 31)
    value = std::ldexp(mantissa + 1024, static_cast<int>(exponent) - 25);
  else
    value = mantissa == 0 ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  return (bits & 0x8000) != 0 ? -value : value;
}

}  // namespace

void CborWriter::head(unsigned major, std::uint64_t value) {
  const int bytes = value < 24 ? 0 : value < 0x100 ? 1 : value < 0x10000 ? 2 : value < 0x100000000 ? 4 : 8;
  const unsigned info =
      bytes == 0 ? static_cast<unsigned>(value) : 24 + static_cast<unsigned>(std::countr_zero(static_cast<unsigned>(bytes)));
  out_ += static_cast<char>(major << 5 | info);
  append_big_endian(out_, value, bytes);
}

void CborWriter::integer(std::int64_t value) {
  if (value >= 0)
    head(0, static_cast<std::uint64_t>(value));
  else
    head(1, static_cast<std::uint64_t>(-1 - value));
}

void CborWriter::real(double value) {
  if (std::isfinite(value)) {
    out_ += '\xfb';
    append_big_endian(out_, std::bit_cast<std::uint64_t>(value), 8);
  } else {
    out_ += '\xf9';
    append_big_endian(out_, std::isnan(value) ? 0x7e00U : value > 0 ? 0x7c00U : 0xfc00U, 2);
  }
}

void CborWriter::short_real(float value) {
  if (!std::isfinite(value)) return real(value);
  out_ += '\xfa';
  append_big_endian(out_, std::bit_cast<std::uint32_t>(value), 4);
}

void CborWriter::boolean(bool value) { out_ += value ? '\xf5' : '\xf4'; }

void CborWriter::text(std::string_view value) {
  head(3, value.size());
  out_ += value;
}

void CborWriter::bytes(std::string_view value) {
  head(2, value.size());
  out_ += value;
}

void CborWriter::list(std::uint64_t size) { head(4, size); }
void CborWriter::map(std::uint64_t size) { head(5, size); }
void CborWriter::epoch_tag() { head(6, 1); }

CborReader::Type CborReader::peek() const {
  if (rest_.empty()) return Type::end;
  const auto first = static_cast<unsigned char>(rest_.front());
  switch (first >> 5) {
    case 0:
    case 1: return Type::integer;
    case 2: return Type::bytes;
    case 3: return Type::text;
    case 4: return Type::list;
    case 5: return Type::map;
    case 6: return Type::tag;
    default: break;
  }
  switch (first & 31) {
    case 20:
    case 21: return Type::boolean;
    case 25:
    case 26:
    case 27: return Type::real;
    case 31: return Type::end;
    default: return Type::null;
  }
}

Result<std::string_view> CborReader::take(std::uint64_t size) {
  if (size > rest_.size()) return fail(Errc::malformed, "CBOR ends in the middle of a value");
  const auto out = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return out;
}

Result<std::uint64_t> CborReader::head(unsigned major) {
  const auto first = static_cast<unsigned char>(TRY(take(1)).front());
  if (first >> 5 != major) return fail(Errc::malformed, "CBOR has major type {} where {} is due", first >> 5, major);
  const unsigned info = first & 31;
  if (info < 24) return info;
  if (info == 31 && major >= 2 && major <= 5) return kIndefinite;
  if (info > 27) return fail(Errc::malformed, "CBOR has a reserved length ({})", info);
  std::uint64_t value = 0;
  for (const char c : TRY(take(std::uint64_t{1} << (info - 24)))) value = value << 8 | static_cast<unsigned char>(c);
  if (value == kIndefinite && major >= 2 && major <= 5) return fail(Errc::malformed, "CBOR announces more than there is");
  return value;
}

Result<std::int64_t> CborReader::integer() {
  if (rest_.empty()) return fail(Errc::malformed, "CBOR ends where an integer is due");
  const unsigned major = static_cast<unsigned char>(rest_.front()) >> 5;
  if (major > 1) return fail(Errc::malformed, "CBOR has major type {} where an integer is due", major);
  const auto value = TRY(head(major));
  if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    return fail(Errc::malformed, "CBOR has an integer of more than 63 bits");
  return major == 0 ? static_cast<std::int64_t>(value) : -1 - static_cast<std::int64_t>(value);
}

Result<double> CborReader::real() {
  if (peek() == Type::integer) return static_cast<double>(TRY(integer()));
  if (peek() != Type::real) return fail(Errc::malformed, "CBOR has no number where one is due");
  const unsigned info = static_cast<unsigned char>(rest_.front()) & 31;
  const auto bits = TRY(head(7));
  if (info == 25) return half_precision(static_cast<unsigned>(bits));
  if (info == 26) return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
  return std::bit_cast<double>(bits);
}

Result<bool> CborReader::boolean() {
  if (peek() != Type::boolean) return fail(Errc::malformed, "CBOR has no boolean where one is due");
  return TRY(take(1)).front() == '\xf5';
}

Result<> CborReader::null() {
  const auto first = TRY(take(1)).front();
  if (first != '\xf6' && first != '\xf7') return fail(Errc::malformed, "CBOR has an unknown simple value");
  return {};
}

Result<std::string> CborReader::chunks(unsigned major) {
  const auto size = TRY(head(major));
  if (size != kIndefinite) return std::string{TRY(take(size))};
  std::string out;
  while (!take_break()) {
    const auto chunk = TRY(head(major));
    if (chunk == kIndefinite) return fail(Errc::malformed, "CBOR has chunks within chunks");
    out += TRY(take(chunk));
  }
  return out;
}

Result<std::string> CborReader::text() {
  auto out = TRY(chunks(3));
  if (!simdjson::validate_utf8(out.data(), out.size())) return fail(Errc::malformed, "CBOR has text that is not UTF-8");
  return out;
}

Result<std::string> CborReader::bytes() { return chunks(2); }
Result<std::uint64_t> CborReader::tag() { return head(6); }
Result<std::uint64_t> CborReader::list() { return head(4); }
Result<std::uint64_t> CborReader::map() { return head(5); }

bool CborReader::take_break() {
  if (rest_.empty() || rest_.front() != '\xff') return false;
  rest_.remove_prefix(1);
  return true;
}

Result<> CborReader::skip(int depth) {
  if (depth <= 0) return fail(Errc::malformed, "CBOR is nested too deeply");
  switch (peek()) {
    case Type::integer: TRY(head(static_cast<unsigned char>(rest_.front()) >> 5)); return {};
    case Type::bytes: TRY(bytes()); return {};
    case Type::text: TRY(text()); return {};
    case Type::boolean: TRY(boolean()); return {};
    case Type::null: return null();
    case Type::real: TRY(real()); return {};
    case Type::tag: TRY(tag()); return skip(depth - 1);
    case Type::list: {
      const auto size = TRY(list());
      for (std::uint64_t i = 0; size == kIndefinite ? !take_break() : i < size; ++i) TRY(skip(depth - 1));
      return {};
    }
    case Type::map: {
      const auto size = TRY(map());
      for (std::uint64_t i = 0; size == kIndefinite ? !take_break() : i < size; ++i) {
        TRY(skip(depth - 1));
        TRY(skip(depth - 1));
      }
      return {};
    }
    case Type::end: return fail(Errc::malformed, "CBOR ends where a value is due");
  }
  return {};
}

}  // namespace vouch::wire
