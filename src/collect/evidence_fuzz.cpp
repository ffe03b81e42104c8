// Whatever is read as an evidence document is written as the very bytes that were read.
#include "collect/evidence.h"

#include <cstdlib>

namespace {
template <class T>
void same(const vouch::Result<T>& parsed, std::string_view text) {
  if (parsed && write(*parsed) != text) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vouch::collect;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  same(parse_manifest(text), text);
  same(parse_tree(text), text);
  same(parse_times(text), text);
  same(parse_receipts(text), text);
  same(parse_collection_leaf(text), text);
  same(parse_catalog_leaf(text), text);
  same(parse_scope_leaf(text), text);
  return 0;
}
