// base/catalog.h - the catalogue's files as text: those built into the binary, and a home's own.
//
// Each module parses its own part (sources/, facts/, controls/, frameworks/). A later item of the same name takes the place of
// an earlier one, and a home's files come after the shipped ones; that is how a home overrides. A file that cannot be used is a
// Problem and does not stop the rest.
#pragma once

#include "base/error.h"
#include "base/file.h"

#include <string>
#include <string_view>
#include <vector>

namespace vouch {

// The one folder of sources/ whose files speak of AWS's service models; those of all others describe an HTTP API.
constexpr std::string_view aws_source = "aws";

struct CatalogFile {
  std::string path;  // shipped: "catalog/controls/iam/mfa.yaml"; a home's: the path it was read from
  std::string part;  // below the catalogue's root: "controls/iam/mfa.yaml"
  std::string text;
  bool shipped = true;
};

struct CatalogFiles {
  std::vector<CatalogFile> files;  // shipped ones first, each group sorted by `part`

  // Files whose `part` begins with `folder` + "/" and ends with `suffix`.
  [[nodiscard]] std::vector<const CatalogFile*> in(std::string_view folder, std::string_view suffix = ".yaml") const;
};

// What was wrong with a file of the catalogue: "file:line: reason". Collected, so that one mistake hides no other.
using Problems = std::vector<Error>;

// The files that were built in.
const CatalogFiles& shipped_catalog();

// Shipped files, then those of `home`/catalog when that folder is there. Errc::io.
Result<CatalogFiles> read_catalog(const fs::path& home);

}  // namespace vouch
