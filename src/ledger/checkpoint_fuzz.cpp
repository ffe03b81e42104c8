#include "ledger/checkpoint.h"
#include "ledger/proof_file.h"

// First byte: which of the texts. What is read must be what would be written.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vouch;
  static const auto log = Verifier::parse("vouch.example/ledger+a5e5c274+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4").value();
  static const auto witness = Verifier::parse("witness.example/w1+20324abe+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X").value();
  if (size == 0) return 0;
  const std::string_view text{reinterpret_cast<const char*>(data + 1), size - 1};
  switch (data[0] % 4) {
    case 0:
      if (const auto checkpoint = parse_checkpoint(text, log, {&witness, 1}))
        if (checkpoint->note != text) __builtin_trap();
      break;
    case 1: static_cast<void>(open_note(text, {&log, 1})); break;
    case 2:
      if (const auto verifier = Verifier::parse(text))
        if (verifier->to_text() != text) __builtin_trap();
      break;
    default: static_cast<void>(Signer::parse(text)); break;
  }
  return 0;
}
