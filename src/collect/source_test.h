// collect/source_test.h - source files as texts, read; for tests.
#pragma once

#include "collect/source.h"

namespace vouch::collect {

inline CatalogFile file(std::string part, std::string text, bool shipped = true) {
  return {.path = (shipped ? "catalog/" : "home/catalog/") + part, .part = std::move(part), .text = std::move(text), .shipped = shipped};
}

inline SourceCatalog read(std::vector<CatalogFile> files, Problems& problems) {
  return read_source_catalog(CatalogFiles{std::move(files)}, problems);
}

inline std::string messages(const Problems& problems) {
  std::string all;
  for (const auto& problem : problems) all += problem.message + "\n";
  return all;
}

}  // namespace vouch::collect
