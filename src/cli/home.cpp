#include "cli/home.h"

#include "collect/secrets.h"
#include "ledger/create.h"

#include <openssl/rand.h>
#include <cstdlib>

namespace vouch::cli {
namespace {

// The settings of a new home: what stands around those of the accounts, and what is said of these where nothing is known.
constexpr std::string_view before_accounts = R"(# vouch.yaml - what this home reads. `vouch collect` reads it anew each time.

# How far apart two collections are meant to be. Between two runs no further apart than 1.5 times this (at most 26 h), what was equal
# at both ends counts as seen by snapshots; a longer gap is unknown.
schedule: 1d

# Where the company's days, weeks and quarters begin, for controls that are owed once in each: an IANA name.
# zone: Europe/Berlin

# Controls beyond what their shelf says (`vouch catalog list`): soc2 is on, hardening is off. An `off` is shown wherever verdicts are.
# controls:
#   on: []
#   off: []

sources:
  aws:
    on: true
    # A schedule of its own:
    # every: 6h
    # The usual credential chain (environment, ~/.aws, SSO, instance role); or one profile of ~/.aws/config:
    # profile: audit
    # All regions that the account has enabled; or these alone:
    # regions: [eu-central-1, us-east-1]
)";
constexpr std::string_view example_of_accounts =
    R"(    # Other accounts too: each is entered by assuming this role of it (docs/accounts.md). What the role's trust policy demands:
    # role: VouchReader
    # external id: acme-7f3a
    # All active accounts of the organisation, but for those that are left out with a reason; a unit is its path from the root, or its id:
    # organisation:
    #   exclude:
    #     - {unit: Sandbox, reason: nothing of customers is there}
    #     - {account: "111122223333", reason: handed over in March}
    #   # include: [{unit: Workloads}]   # only these
    # Or just these accounts:
    # accounts: ["111122223333", "444455556666"]
)";
constexpr std::string_view after_accounts = R"(
  # github:
  #   on: true
  #   organisation: acme
  #   # A secret is never written here, only where it is: {env: NAME}, {file: PATH} (readable by nobody else) or {command: [gh, auth, token]}.
  #   token: {env: GITHUB_TOKEN}
  #   # Or a GitHub App of yours: app: {id: 12345, key: {file: app.pem}}
  #   # Webhooks that GitHub sends to `vouch serve` (docs/serve.md): webhook: {secret: {env: GITHUB_WEBHOOK_SECRET}}
  #   # Where it is not github.com: endpoint: https://github.acme.example/api/v3

  # okta:
  #   on: true
  #   domain: acme.okta.com
  #   token: {env: OKTA_TOKEN}

  # Lists that people export as CSV: who works here, and who did which training.
  # hr:
  #   on: true
  #   company: acme
  #   file: hr/people.csv
  #   columns: {email: Work e-mail, start: First day, end: Last day, manager: Manager e-mail}
  #   ignore: [Salary]
  # training: {on: true, company: acme, file: hr/training.csv}
)";

Result<Duration> read_schedule(const Yaml& node) {
  const auto length = parse_duration(TRY(node.text()));
  if (!length || *length < Duration::seconds(10)) return node.wrong("a schedule is a length of time like 1h or 1d, at least 10s");
  return *length;
}

Result<SourceSettings> read_source(const std::string& name, const Yaml& node, Duration schedule) {
  if (!node.is_absent() && !node.is_map()) return node.wrong("what is said of `{}` is a map", name);
  SourceSettings source{.name = name, .on = true, .every = schedule, .said = node};
  if (const auto every = node["every"]; !every.is_absent()) source.every = TRY(read_schedule(every));
  if (const auto on = node["on"]; !on.is_absent()) source.on = TRY(on.boolean());
  return source;
}

Result<controls::Choice> read_choice(const Yaml& root) {
  controls::Choice choice;
  if (const auto zone = root["zone"]; !zone.is_absent()) {
    auto found = Zone::of(TRY(zone.text()));
    if (!found) return zone.wrong("{}", found.error().message);
    choice.zone = std::move(*found);
  }
  const auto controls = root["controls"];
  if (controls.is_absent()) return choice;
  if (!controls.is_map()) return controls.wrong("`controls` is a map: {{on: [ID, …], off: [ID, …]}}");
  TRY(controls.only({"on", "off"}));
  choice.where = controls.where();
  for (auto& id : TRY(controls["on"].texts())) choice.on.insert(std::move(id));
  for (auto& id : TRY(controls["off"].texts())) {
    if (choice.on.contains(id)) return controls["off"].wrong("`{}` is both on and off", id);
    choice.off.insert(std::move(id));
  }
  return choice;
}

Bytes random_bytes(std::size_t count) {
  Bytes bytes(count);
  if (RAND_bytes(bytes.data(), static_cast<int>(count)) != 1) std::abort();  // no randomness: no key can be made
  return bytes;
}

}  // namespace

bool Home::exists() const {
  std::error_code ignored;
  return fs::exists(path / "vouch.yaml", ignored) || fs::exists(path / "ledger", ignored);
}

Result<Settings> Home::settings() const {
  const auto file = path / "vouch.yaml";
  const auto root = TRY(Yaml::parse(TRY(read_file(file, 1u << 20)), file.string()));
  TRY(root.only({"schedule", "sources", "zone", "controls"}));
  Settings settings;
  if (const auto schedule = root["schedule"]; !schedule.is_absent()) settings.schedule = TRY(read_schedule(schedule));
  for (const auto& [name, node] : root["sources"].members()) settings.sources.push_back(TRY(read_source(name, node, settings.schedule)));
  settings.controls = TRY(read_choice(root));
  return settings;
}

Result<std::string> Home::verifier_key() const {
  auto text = TRY(read_file(path / "keys" / "ledger.vkey", 1024));
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

Home find_home(const std::optional<std::string>& option) {
  if (option) return {*option};
  if (const auto* variable = std::getenv("VOUCH_HOME"); variable && *variable) return {variable};
  return {".vouch"};
}

Result<Home> require_home(const std::optional<std::string>& option) {
  auto home = find_home(option);
  if (!home.exists()) return fail(Errc::usage, "no home at `{}`: make one with `vouch init`, or name one with --home", home.path.string());
  return home;
}

Result<> require_local(const fs::path& path) {
  const auto network = network_file_system(path);
  if (!network) return {};
  return fail(Errc::config, "`{}` lies on a network file system ({}), where locks and syncs do not hold: keep the home on a local disk",
              path.string(), *network);
}

Result<> require_free(const fs::path& path) {
  if (Home{path}.exists()) return fail(Errc::usage, "`{}` holds a home already", path.string());
  std::error_code error;
  const bool there = fs::exists(path, error);
  bool free = !there || fs::is_directory(path, error);
  if (there && free)
    for (fs::directory_iterator at{path, error}, end; !error && at != end; at.increment(error))
      free = free && at->path().filename() == "catalog" && at->is_directory(error);
  if (error || !free) return fail(Errc::usage, "`{}` is not an empty folder", path.string());
  return require_local(path);
}

std::string write_settings(std::string_view accounts) {
  return fmt::format("{}{}{}", before_accounts, accounts.empty() ? example_of_accounts : accounts, after_accounts);
}

Result<Home> create_home(const fs::path& path, std::string origin, std::string_view accounts) {
  Home home{path};
  TRY(require_free(path));
  if (origin.empty()) origin = "vouch/" + to_hex(random_bytes(8));
  TRY(make_directory(fs::absolute(path)));
  TRY(create_log(path, origin));
  TRY(collect::make_secrets_key(path));
  // Last: only a folder with all of it is a whole home.
  TRY(write_file(path / "vouch.yaml", write_settings(accounts)));
  return home;
}

}  // namespace vouch::cli
