#include "wire/credential_formats.h"
#include "wire/profile.h"

// First byte: which of the formats.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vouch::wire;
  if (size == 0) return 0;
  const std::string_view text{reinterpret_cast<const char*>(data + 1), size - 1};
  switch (data[0] % 5) {
    case 0: static_cast<void>(parse_ini(text)); break;
    case 1: static_cast<void>(parse_sso_token(text)); break;
    case 2: static_cast<void>(parse_process_credentials(text)); break;
    case 3: static_cast<void>(parse_metadata_credentials(text)); break;
    default: static_cast<void>(split_command(text)); break;
  }
  return 0;
}
