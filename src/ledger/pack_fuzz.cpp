#include "ledger/pack.h"

// An index that is read can be written again byte for byte, and its frames lie within the data.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vouch;
  if (size < 9) return 0;
  std::uint64_t at = 0;
  std::memcpy(&at, data + 1, sizeof at);
  const std::string_view bytes{reinterpret_cast<const char*>(data + 9), size - 9};
  if (data[0] % 2 == 0) {
    const auto entries = parse_index(bytes, at);
    if (!entries) return 0;
    if (encode_index(*entries) != bytes) __builtin_trap();
    for (const auto& frame : frames_of(*entries, at))
      if (frame.begin >= frame.end || frame.end > at) __builtin_trap();
  } else if (bytes.size() >= pack_tail_bytes) {
    if (const auto found = index_bytes(bytes.substr(bytes.size() - pack_tail_bytes), bytes.size()))
      if (*found + seal_bytes > bytes.size()) __builtin_trap();
  }
  return 0;
}
