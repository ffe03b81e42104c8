// cli/file_access.h - what vouch.yaml says of a source that is a file of this machine, and how it is read by that. Inside source_access.h.
#pragma once

#include "cli/source_access.h"

namespace vouch::cli {

// Errc::config at file and line: an unknown word, a field that the source does not have, a separator or a way of writing dates that is
// none.
Result<> check_file_source(const SourceSettings& said, const collect::Source& source);
Result<std::unique_ptr<SourceAccess>> open_file_source(const SourceSettings& said, const collect::Source& source, wire::Models& models,
                                                       const fs::path& home);

}  // namespace vouch::cli
