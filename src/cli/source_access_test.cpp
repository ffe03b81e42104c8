#include "cli/source_access.h"

#include <gtest/gtest.h>

namespace vouch::cli {
namespace {

collect::SourceCatalog catalog() {
  CatalogFiles files;
  files.files = {{"s3.yaml", "sources/aws/s3.yaml", "{service: s3, scope: global, operations: [{operation: ListBuckets}]}", true},
                 {"hub.yaml", "sources/hub/hub.yaml", R"(
service: hub
api:
  base: https://hub.example
  settings: [organisation]
  sign in: [github app, bearer]
  whoami: {account: $settings.organisation}
operations: [{operation: people, get: /people}]
)",
                  true},
                 {"open.yaml", "sources/open/open.yaml", R"(
service: open
api: {base: 'https://open.example', sign in: none, settings: [site], whoami: {account: $settings.site}}
operations: [{operation: people, get: /people}]
)",
                  true}};
  files.files.push_back({"host.yaml", "sources/host/host.yaml", R"(
service: host
api: {base: 'https://{domain}/api', sign in: none, settings: [domain], whoami: {account: $settings.domain}}
operations: [{operation: people, get: /people}]
)",
                         true});
  files.files.push_back({"tenant.yaml", "sources/tenant/tenant.yaml", R"(
service: tenant
api:
  base: https://tenant.example
  settings: [tenant, {query: all}]
  sign in: [{oauth client: {token url: 'https://id.example/{tenant}/token'}}]
  whoami: {account: $settings.tenant}
operations: [{operation: people, get: /people}]
)",
                         true});
  files.files.push_back({"list.yaml", "sources/list/list.yaml", R"(
service: list
api: {base: 'file:', sign in: none, settings: [company], whoami: {account: $settings.company}}
operations: [{operation: people, csv: {email: key, start: date, end: 'date?'}}]
)",
                         true});
  Problems problems;
  auto read = collect::read_source_catalog(files, problems);
  EXPECT_TRUE(problems.empty()) << problems.front().message;
  return read;
}

// "" when all is well.
std::string complaint(std::string_view yaml) {
  const TemporaryDirectory folder;
  EXPECT_TRUE(write_file(folder.path() / "vouch.yaml", yaml));
  const auto settings = Home{folder.path()}.settings();
  if (!settings) return settings.error().message;
  const auto checked = check_sources(*settings, catalog());
  return checked ? "" : checked.error().message;
}

TEST(Sources, are_told_in_the_words_of_their_file) {
  EXPECT_EQ(complaint("sources: {aws: {on: true, profile: audit, regions: [eu-central-1]}}"), "");
  EXPECT_EQ(complaint("sources: {hub: {organisation: acme, token: {env: HUB}}}"), "");
  EXPECT_EQ(complaint("sources: {hub: {organisation: acme, app: {id: 7, key: {file: app.pem}}, endpoint: 'https://hub.acme.example/api'}}"),
            "");
  EXPECT_EQ(complaint("sources: {hub: {on: false}}"), "");
  EXPECT_EQ(complaint("sources: {open: {site: acme}}"), "");
  EXPECT_EQ(complaint("sources: {host: {domain: acme.example}}"), "");
  EXPECT_EQ(complaint("sources: {host: {on: false}}"), "");
  EXPECT_EQ(complaint("sources: {tenant: {tenant: 4f-2, client: {id: a, secret: {env: S}}}}"), "");
  EXPECT_EQ(
      complaint("sources: {tenant: {tenant: 4f-2, client: {id: a, secret: {env: S}, token url: 'https://id.us.example/4f-2/token'}}}"), "");
  EXPECT_EQ(complaint("sources: {tenant: {tenant: 4f-2, client: {id: a, secret: {env: S}, token url: 'http://127.0.0.1:8080/token'}}}"),
            "");
  EXPECT_EQ(complaint("sources: {list: {on: false}}"), "");
  EXPECT_EQ(complaint("sources: {list: {company: acme, file: people.csv, columns: {email: Work mail}, ignore: [Salary], separator: ';', "
                      "dates: DD.MM.YYYY}}"),
            "");
  EXPECT_EQ(complaint("sources: {aws: {on: true}, hub: {organisation: acme, token: {command: [gh, auth, token]}}}"), "");
}

TEST(Sources, complain_with_file_and_line_and_what_there_is) {
  const std::pair<const char*, const char*> cases[] = {
      {"sources:\n  azure: {on: true}\n", "vouch.yaml:2: there is no source `azure`; there is aws, host, hub, list, open, tenant"},
      {"sources:\n  aws:\n    region: x\n", "vouch.yaml:3: unknown key `region`; known here: on, every, profile, regions"},
      {"sources:\n  aws:\n    regions: [../etc]\n", "vouch.yaml:3: `../etc` is no region"},
      {"sources:\n  hub:\n    organisation: acme\n    team: x\n",
       "vouch.yaml:4: unknown key `team`; known here: on, every, endpoint, organisation, app, token"},
      {"sources:\n  hub:\n    token: {env: T}\n", "missing `organisation`"},
      {"sources:\n  hub:\n    organisation: acme\n", "`hub` needs a way to sign in: app, token"},
      {"sources:\n  hub: {organisation: acme, app: {id: 7}}\n", "missing `key`"},
      {"sources:\n  hub: {organisation: acme, token: {env: T}, endpoint: hub.acme.example}\n", "is no URL"},
      {"sources:\n  host: {domain: 'https://acme.example'}\n", "vouch.yaml:2: `https://acme.example` is no host"},
      {"sources:\n  list: {company: acme}\n", "missing `file`"},
      {"sources:\n  list: {file: people.csv}\n", "missing `company`"},
      {"sources:\n  list: {company: acme, file: people.csv, token: {env: T}}\n", "unknown key `token`"},
      {"sources:\n  list: {company: acme, file: people.csv, columns: {mail: Mail}}\n",
       "there is no field `mail`; there is email, start, end"},
      {"sources:\n  list: {company: acme, file: people.csv, separator: x}\n", "is no separator"},
      {"sources:\n  list: {company: acme, file: people.csv, dates: YY-MM-DD}\n", "is no way to write dates"},
      {"sources:\n  host: {domain: acme.example/x}\n", "is no host"},
      {"sources:\n  tenant: {tenant: 4f/../2, client: {id: a, secret: {env: S}}}\n", "`4f/../2` is no host"},
      {"sources:\n  tenant: {tenant: 4f, client: {id: a, secret: {env: S}, token url: 'http://id.example/token'}}\n",
       "`http://id.example/token`: a secret is only sent over https"},
      {"sources:\n  host: {domain: me@acme.example}\n", "is no host"},
      {"sources:\n  host: {domain: 'acme.example#'}\n", "is no host"},
      {"sources:\n  open:\n    site: acme\n    token: {env: T}\n", "vouch.yaml:4: unknown key `token`"},
  };
  for (const auto& [yaml, expected] : cases) EXPECT_NE(complaint(yaml).find(expected), std::string::npos) << yaml << complaint(yaml);
}

TEST(Sources, never_repeat_a_secret_that_stands_where_its_place_should) {
  const auto said = complaint("sources:\n  hub:\n    organisation: acme\n    token: ghp_0123456789abcdef\n");
  EXPECT_NE(said.find("vouch.yaml:4: `token` says where the secret is, and never the secret itself"), std::string::npos) << said;
  EXPECT_EQ(said.find("ghp_"), std::string::npos);
  EXPECT_EQ(complaint("sources: {hub: {organisation: acme, token: {value: ghp_0123456789abcdef}}}").find("ghp_"), std::string::npos);
}

}  // namespace
}  // namespace vouch::cli
