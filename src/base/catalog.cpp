#include "base/catalog.h"

namespace vouch {

std::vector<const CatalogFile*> CatalogFiles::in(std::string_view folder, std::string_view suffix) const {
  std::vector<const CatalogFile*> found;
  for (const auto& file : files)
    if (file.part.size() > folder.size() && file.part.starts_with(folder) && file.part[folder.size()] == '/' && file.part.ends_with(suffix))
      found.push_back(&file);
  return found;
}

Result<CatalogFiles> read_catalog(const fs::path& home) {
  auto catalog = shipped_catalog();
  const auto root = home / "catalog";
  std::error_code error;
  if (!fs::is_directory(root, error)) return catalog;
  std::vector<CatalogFile> own;
  for (fs::recursive_directory_iterator at{root, error}, end; !error && at != end; at.increment(error)) {
    if (!at->is_regular_file(error)) continue;
    const auto extension = at->path().extension();
    if (extension != ".yaml" && extension != ".scenario") continue;
    own.push_back({at->path().string(), fs::relative(at->path(), root).generic_string(), TRY(read_file(at->path(), 4u << 20)), false});
  }
  if (error) return fail(Errc::io, "cannot read `{}`: {}", root.string(), error.message());
  std::sort(own.begin(), own.end(), [](const auto& a, const auto& b) { return a.part < b.part; });
  std::move(own.begin(), own.end(), std::back_inserter(catalog.files));
  return catalog;
}

}  // namespace vouch
