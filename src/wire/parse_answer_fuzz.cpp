#include "wire/paginate.h"
#include "wire/parse.h"
#include "wire/test_models.h"

// First byte: protocol, operation and status; the rest is the body. Whatever parses must be canonical JSON and page without harm.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vouch::wire;
  static Models models = test_models();
  if (size == 0) return 0;
  const auto protocol = kTestProtocols[data[0] % 6];
  const auto [service, operation] = models.operation(protocol, data[0] / 6 % 2 == 0 ? "GetThing" : "ListThings").value();
  constexpr int kStatus[] = {200, 400, 500, 301};
  const std::string_view body{reinterpret_cast<const char*>(data + 1), size - 1};
  const auto parsed = parse_answer(*service, *operation, kStatus[data[0] / 12 % 4], {}, body);
  if (!parsed) return 0;
  if (!vouch::canonical(parsed->value)) __builtin_trap();
  static_cast<void>(next_page(*operation, vouch::json::object{}, parsed->value));
  return 0;
}
