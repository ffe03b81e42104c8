// wire/cbor.h - CBOR (RFC 8949), as much of it as smithy's rpc-v2-cbor uses. Read once, forwards; nothing is allocated but the result.
#pragma once

#include "base/error.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace vouch::wire {

// Appends data items to a text of bytes; lengths are definite.
class CborWriter {
 public:
  explicit CborWriter(std::string& out) : out_(out) {}
  void integer(std::int64_t value);
  void real(double value);       // 8 bytes; NaN and infinities in 2
  void short_real(float value);  // 4 bytes
  void boolean(bool value);
  void text(std::string_view value);
  void bytes(std::string_view value);
  void list(std::uint64_t size);  // then its elements
  void map(std::uint64_t size);   // then key and value in turn
  void epoch_tag();               // then a number

 private:
  void head(unsigned major, std::uint64_t value);
  std::string& out_;
};

// Reads data items from bytes that nobody vouches for.
class CborReader {
 public:
  explicit CborReader(std::string_view bytes) : rest_(bytes) {}

  enum class Type { integer, bytes, text, list, map, tag, boolean, null, real, end };
  // What comes next: `end` stands for the break of an indefinite list or map, and for the end of the bytes.
  [[nodiscard]] Type peek() const;
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

  Result<std::int64_t> integer();  // Errc::malformed beyond 63 bits
  Result<double> real();           // also reads integers
  Result<bool> boolean();
  Result<> null();             // null or undefined
  Result<std::string> text();  // UTF-8; chunks joined
  Result<std::string> bytes();
  Result<std::uint64_t> tag();

  // Size of a list or map that begins here; kIndefinite when it ends with a break.
  static constexpr std::uint64_t kIndefinite = ~std::uint64_t{0};
  Result<std::uint64_t> list();
  Result<std::uint64_t> map();
  // True, and the break is taken, when an indefinite list or map ends here.
  bool take_break();

  Result<> skip(int depth);  // one data item, whatever it is, at most `depth` levels deep

 private:
  Result<std::uint64_t> head(unsigned major);
  Result<std::string> chunks(unsigned major);
  Result<std::string_view> take(std::uint64_t size);
  std::string_view rest_;
};

}  // namespace vouch::wire
