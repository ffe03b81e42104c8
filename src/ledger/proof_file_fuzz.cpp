#include "ledger/proof_file.h"

// A file that is read can be written again, byte for byte; so no two files say the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vouch;
  static const auto log = Verifier::parse("vouch.example/ledger+a5e5c274+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4").value();
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  if (const auto proofs = parse_proofs(bytes)) {
    std::string again;
    for (const auto& proof : *proofs) again += encode_proof(proof);
    if (again != bytes) __builtin_trap();
  }
  static_cast<void>(verify_proof_file(bytes, log));
  return 0;
}
