#include "ledger/journal.h"

// A record that is found lies within the file, wherever it is looked for.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vouch;
  if (size < 1) return 0;
  const std::string_view file{reinterpret_cast<const char*>(data + 1), size - 1};
  const auto inside = [&](std::string_view part) {
    return part.data() >= file.data() && part.data() + part.size() <= file.data() + file.size();
  };
  if (const auto record = parse_journal_record(file, data[0]))
    if (!inside(record->note) || !inside(record->edge) || !inside(record->entries)) __builtin_trap();
  static_cast<void>(Batch::parse(file, data[0]));
  return 0;
}
