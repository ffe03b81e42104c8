// Redaction of any bytes ends, keeps JSON readable as JSON and XML as XML, and leaves nothing that it would replace again.
#include "collect/edits.h"

#include <cstdlib>
#include <pugixml.hpp>

namespace {

using namespace vouch;
using namespace vouch::collect;

bool is_xml(std::string_view text) {
  pugi::xml_document document;
  return static_cast<bool>(document.load_buffer(text.data(), text.size(), pugi::parse_default, pugi::encoding_utf8));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const SecretsKey key;
  Edits of_json(key);
  if (search_json(body, nullptr, "Policy", {}, of_json)) {
    const bool readable = parse_json(body, 128).has_value();
    const auto redacted = std::move(of_json).apply(body);
    if (readable && !parse_json(redacted.body, 128)) std::abort();
    Edits again(key);
    if (!search_json(redacted.body, nullptr, "Policy", {}, again)) std::abort();
  }
  Edits of_xml(key);
  if (search_xml(body, nullptr, {}, {}, {}, of_xml)) {
    const auto redacted = std::move(of_xml).apply(body);
    if (!is_xml(redacted.body)) std::abort();
  }
  return 0;
}
