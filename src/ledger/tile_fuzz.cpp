#include "ledger/edge.h"
#include "ledger/tile.h"

// First byte: path of a tile, path of a bundle, a tile, or a bundle whose width the second byte tells.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vouch;
  if (size < 2) return 0;
  const auto width = static_cast<std::uint16_t>(data[1] + 1);
  const std::string_view text{reinterpret_cast<const char*>(data + 2), size - 2};
  switch (data[0] % 4) {
    case 0:
      if (const auto tile = parse_tile_path(text))
        if (path_of(*tile) != text) __builtin_trap();
      break;
    case 1:
      if (const auto bundle = parse_bundle_path(text))
        if (path_of(*bundle) != text) __builtin_trap();
      break;
    case 2:
      if (const auto hashes = decode_tile(text, width))
        if (encode_tile(*hashes) != text) __builtin_trap();
      break;
    default:
      if (const auto entries = decode_bundle(text, width)) {
        std::string again;
        for (const auto entry : *entries)
          if (!append_to_bundle(again, entry)) __builtin_trap();
        if (again != text || !Batch::parse(text, width)) __builtin_trap();
      }
      break;
  }
  return 0;
}
