// cli/home.h - a home: the folder that holds one company's ledger, evidence, facts and settings.
//
//   vouch.yaml     settings, written by `vouch init`, edited by people
//   ledger/ blobs/ the truth (ledger/read.h)
//   keys/          ledger.key, secrets.key (0600), ledger.vkey
//   facts.duckdb, verdicts.json, cache/   derived; may be deleted
//   catalog/       a home's own sources, facts and controls
#pragma once

#include "base/catalog.h"
#include "base/encoding.h"
#include "base/instant.h"
#include "base/yaml.h"
#include "controls/choice.h"

#include <optional>
#include <string>
#include <vector>

namespace vouch::cli {

// What stands under a source's name. All but `on` and `every` is the source's own: cli/source_access.h reads it.
struct SourceSettings {
  std::string name;  // "aws"
  bool on = true;
  Duration every = Duration::days(1);  // its own schedule, else the home's
  Yaml said;
};

struct Settings {
  Duration schedule = Duration::days(1);  // how far apart two collections of a source are meant to be
  std::vector<SourceSettings> sources;
  controls::Choice controls;  // zone, controls: {on, off}
};

struct Home {
  fs::path path;

  [[nodiscard]] bool exists() const;
  [[nodiscard]] Result<Settings> settings() const;         // Errc::config with file:line
  [[nodiscard]] Result<std::string> verifier_key() const;  // the ledger's vkey text
};

// --home, else $VOUCH_HOME, else .vouch.
Home find_home(const std::optional<std::string>& option);
// The same, and it must be there: Errc::usage tells how to make one.
Result<Home> require_home(const std::optional<std::string>& option);

// Errc::config where `path` lies on a network file system: a ledger there could lose what it promised.
Result<> require_local(const fs::path& path);

// Errc::usage where a home, or anything else but a `catalog` folder for the home to come, is there already; and as require_local.
Result<> require_free(const fs::path& path);

// A commented vouch.yaml. `accounts`: lines that stand under `aws` (cli/scope_proposal.h); empty: an example, commented out.
std::string write_settings(std::string_view accounts);

// Writes those settings, the keys and an empty ledger into a folder that require_free lets pass, or that is not yet there. Asks nothing.
// `origin` names the ledger in all its signatures, for ever; empty: one is drawn.
Result<Home> create_home(const fs::path& path, std::string origin, std::string_view accounts = {});

}  // namespace vouch::cli
