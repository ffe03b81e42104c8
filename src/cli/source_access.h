// cli/source_access.h - what vouch.yaml says of a source, and how the source is reached by it.
//
// Which words there are is told by the source's file in the catalogue (catalog/README.md); every other one is Errc::config at its file and
// line. Secrets are only named here (an environment variable, a file, a command) and read when a request is signed.
#pragma once

#include "cli/accounts.h"
#include "cli/home.h"
#include "collect/collect.h"
#include "wire/secret.h"

#include <memory>
#include <string>
#include <vector>

namespace vouch::cli {

// Reads all that vouch.yaml says of its sources, also of those that are off.
Result<> check_sources(const Settings& settings, const collect::SourceCatalog& catalog);

// By what secret the webhooks of a source are signed; none where it says nothing of webhooks. Only `github` takes them.
Result<std::optional<wire::Secret>> webhook_secret(const SourceSettings& source, const fs::path& home);

class SourceAccess {
 public:
  virtual ~SourceAccess() = default;
  [[nodiscard]] virtual collect::Access access() = 0;
  [[nodiscard]] virtual std::vector<std::string> regions() const { return {}; }  // collect::Options
  // Of AWS: what else is read, and the way into one of those accounts, which this must outlive. Nothing and nullptr of any other source.
  [[nodiscard]] virtual const AccountScope* accounts() const { return nullptr; }
  [[nodiscard]] virtual std::unique_ptr<SourceAccess> enter(std::string_view /*partition*/, std::string_view /*account*/) {
    return nullptr;
  }
};

// `source` and `models` outlive it. `home`: what paths of vouch.yaml are relative to.
Result<std::unique_ptr<SourceAccess>> open_source(const SourceSettings& settings, const collect::Source& source, wire::Models& models,
                                                  const fs::path& home);

}  // namespace vouch::cli
