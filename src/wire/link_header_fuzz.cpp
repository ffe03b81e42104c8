#include "wire/link_header.h"
#include "wire/url.h"

// A Link header, and its target as a reference: what is resolved has an origin, and resolves to itself.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vouch::wire;
  const std::string text{reinterpret_cast<const char*>(data), size};
  const auto link = find_link({{"Link", text}}, "next");
  const auto& reference = link && *link ? **link : text;
  const auto url = resolve_url("https://api.test/v1/things?page=1", reference);
  if (!url) return 0;
  const auto origin = origin_of_url(*url);
  if (!origin || resolve_url(*origin, *url).value_or("") != *url) __builtin_trap();
  if (query_value(with_query(*url, "page", "2"), "page") != "2") __builtin_trap();
  return 0;
}
