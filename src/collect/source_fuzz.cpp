// A source file of any bytes gives operations or problems, and never anything else.
#include "collect/source.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vouch;
  CatalogFiles files;
  for (const auto* part : {"sources/aws/f.yaml", "sources/other/f.yaml"}) {
    files.files.push_back(
        {.path = "f.yaml", .part = part, .text = std::string(reinterpret_cast<const char*>(data), size), .shipped = true});
  }
  Problems problems;
  const auto catalog = collect::read_source_catalog(files, problems);
  for (const auto& source : catalog.sources) {
    for (const auto& operation : source.operations) {
      const Json element = Json(json::object{{"Name", "x"}});
      const collect::Surroundings around{
          .variable = "x", .element = &element, .params = &element, .key = nullptr, .account = "1", .region = "r", .partition = "aws"};
      [[maybe_unused]] const auto params = operation.params.fill(around);
    }
  }
  return 0;
}
