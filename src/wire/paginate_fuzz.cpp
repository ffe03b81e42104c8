#include "wire/paginate.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto value = vouch::parse_json(R"({"a":{"b":["x",{"c":1}]},"NextMarker":"","Contents":[{"Key":"k"}]})").value();
  const auto path = vouch::wire::Path::parse({reinterpret_cast<const char*>(data), size});
  if (path) static_cast<void>(path->find(value));
  return 0;
}
