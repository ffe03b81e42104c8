#include "collect/source_test.h"

#include <gtest/gtest.h>

namespace vouch::collect {
namespace {

constexpr std::string_view hub = R"(service: hub
api:
  base: https://api.hub.example/
  headers: {Accept: application/json}
  settings: [organisation]
  sign in: [bearer, {header: Authorization, value: 'SSWS {token}'}]
  whoami: {operation: organisation, account: id, identity: login}
  paging: link
  limits: {remaining: x-remaining, reset: x-reset}
  error: message
operations:
  - operation: organisation
    get: /orgs/{organisation}
    params: {organisation: $settings.organisation}
    paging: none
  - operation: repositories
    get: /orgs/{organisation}/repos?per_page=100
    params: {organisation: $settings.organisation}
    action: metadata:read
  - operation: branches
    for each: repo in repositories[]
    get: /repos/{owner}/branches
    params: {owner: $repo.owner.login}
    key: {repository_id: $repo.node_id}
    paging: {page: page, items: '[]', size: 100}
    absent: ['404']
)";

constexpr std::string_view pulls = R"(service: hub
operations:
  - operation: pulls
    for each: repo in repositories[]
    graphql: |
      query($owner: String!, $after: String) { repository(owner: $owner) { pulls(after: $after) { pageInfo { endCursor } nodes { updatedAt } } } }
    params: {owner: $repo.owner.login}
    paging: {page info: data.repository.pulls.pageInfo, as: after}
    increment: {items: 'data.repository.pulls.nodes[]', by: updatedAt}
)";

TEST(HttpSource, IsReadFromAllItsFilesWithTheApiOfOne) {
  Problems problems;
  const auto catalog =
      read({file("sources/hub/a-pulls.yaml", std::string(pulls)), file("sources/hub/hub.yaml", std::string(hub))}, problems);
  ASSERT_EQ(messages(problems), "");
  const auto* source = catalog.find("hub");
  ASSERT_NE(source, nullptr);
  ASSERT_TRUE(source->http);
  EXPECT_EQ(source->http->api.base, "https://api.hub.example");
  EXPECT_EQ(source->http->api.operations.size(), 4u);
  EXPECT_EQ(source->http->sign_in.size(), 2u);
  EXPECT_EQ(source->http->sign_in[1].value, "SSWS {token}");
  EXPECT_EQ(source->http->whoami.operation, "hub:organisation");
  EXPECT_EQ(source->operations.size(), 4u);

  const auto* repositories = source->find("hub:repositories");
  ASSERT_NE(repositories, nullptr);
  EXPECT_EQ(repositories->http->paging.style, wire::Paging::Style::link);
  EXPECT_EQ(repositories->actions, std::vector<std::string>{"metadata:read"});
  EXPECT_EQ(source->find("hub:organisation")->http->paging.style, wire::Paging::Style::none);
  EXPECT_EQ(to_string(source->find("hub:branches")->for_each->path), "[]");

  const auto* listing = source->find("hub:pulls");
  EXPECT_TRUE(listing->http->graphql.starts_with("query("));
  EXPECT_EQ(listing->http->paging.as, "after");
  EXPECT_EQ(to_string(listing->increment->items), "data.repository.pulls.nodes[]");
}

TEST(HttpSource, AHomesApiTakesThePlaceOfTheShippedOne) {
  Problems problems;
  const auto own =
      "service: hub\napi:\n  base: https://hub.acme.example\n  settings: [organisation]\n  sign in: none\n"
      "  whoami: {operation: organisation, account: login}\n";
  const auto catalog = read({file("sources/hub/hub.yaml", std::string(hub)), file("sources/hub/own.yaml", own, false)}, problems);
  EXPECT_EQ(messages(problems), "");
  EXPECT_EQ(catalog.find("hub")->http->api.base, "https://hub.acme.example");
  EXPECT_EQ(catalog.find("hub")->operations.size(), 3u);
}

TEST(HttpSource, SettingsFillParams) {
  Problems problems;
  const auto catalog = read({file("sources/hub/hub.yaml", std::string(hub))}, problems);
  const auto settings = *parse_json(R"({"organisation":"acme"})");
  Surroundings around{};
  around.settings = &settings;
  EXPECT_EQ(json::serialize(catalog.find("hub")->find("hub:organisation")->params.fill(around)), R"({"organisation":"acme"})");
}

struct Mistake {
  std::string name, text, message;
};
class HttpMistakes : public testing::TestWithParam<Mistake> {};

TEST_P(HttpMistakes, AreReportedWithFileAndLineAndCostOnlyTheirOperation) {
  Problems problems;
  const auto catalog =
      read({file("sources/hub/hub.yaml", std::string(hub)), file("sources/hub/x.yaml", "service: hub\noperations:\n" + GetParam().text)},
           problems);
  ASSERT_EQ(problems.size(), 1u) << messages(problems);
  EXPECT_NE(problems[0].message.find(GetParam().message), std::string::npos) << problems[0].message;
  EXPECT_TRUE(problems[0].message.starts_with("catalog/sources/hub/x.yaml:")) << problems[0].message;
  EXPECT_EQ(catalog.find("hub")->operations.size(), 3u);
}

INSTANTIATE_TEST_SUITE_P(
    Table, HttpMistakes,
    testing::Values(
        Mistake{"no_request", "  - operation: x\n", "x.yaml:3: an operation has one of `get`, `post` and `graphql`"},
        Mistake{"two_requests", "  - operation: x\n    get: /a\n    post: /b\n", "one of"},
        Mistake{"of_aws", "  - operation: x\n    get: /a\n    only in: [eu]\n", "unknown key `only in`"},
        Mistake{"no_param", "  - operation: x\n    get: /a/{id}\n", "x.yaml:4: `{id}` is no param"},
        Mistake{"lost_param", "  - operation: x\n    get: /a\n    params: {id: 7}\n", "x.yaml:5: the param `id` stands nowhere"},
        Mistake{"brace", "  - operation: x\n    get: /a/{id\n", "x.yaml:4: "},
        Mistake{"other_host", "  - operation: x\n    get: https://evil.example/\n", "a URL begins with `/`"},
        Mistake{"setting", "  - operation: x\n    get: /a/{id}\n    params: {id: $settings.team}\n",
                "the source's `settings` are `organisation`"},
        Mistake{"partition", "  - operation: x\n    get: /a/{id}\n    params: {id: $partition}\n", "`$partition` is not known here"},
        Mistake{"paging", "  - operation: x\n    get: /a\n    paging: links\n", "x.yaml:5: `links` is no way of paging"},
        Mistake{"page_size", "  - operation: x\n    get: /a\n    paging: {page: p, items: 'v[]', size: -1}\n", "is not negative"},
        Mistake{"page_items", "  - operation: x\n    get: /a\n    paging: {page: p, size: 10}\n", "missing `items`"},
        Mistake{"cursor", "  - operation: x\n    get: /a\n    paging: {cursor: next}\n", "missing `as`"},
        Mistake{"variable", "  - operation: x\n    graphql: '{ viewer { login } }'\n    params: {a: 1}\n",
                "the query has no variable `$a`"},
        Mistake{"cursor_variable",
                "  - operation: x\n    graphql: 'query($afterwards: String) { viewer }'\n    paging: {page info: data.p, as: after}\n",
                "no variable `$after`"},
        Mistake{"increment", "  - operation: x\n    get: /a\n    increment: {items: a, by: t}\n", "does not end in `[]`"},
        Mistake{"answer", "  - operation: x\n    get: /a\n    answer: xml\n", "an answer is json, csv or text"},
        Mistake{"parent", "  - operation: x\n    get: /a\n    for each: r in nothing[]\n", "needs hub:nothing"}),
    [](const auto& one) { return one.param.name; });

TEST(HttpSource, WithoutAnApiNoneOfItsFilesCanBeUsed) {
  Problems problems;
  const auto catalog = read({file("sources/hub/pulls.yaml", std::string(pulls))}, problems);
  EXPECT_NE(messages(problems).find("pulls.yaml:1: no file of `hub` says under `api` where it is"), std::string::npos)
      << messages(problems);
  EXPECT_EQ(catalog.find("hub"), nullptr);
}

TEST(HttpSource, ASettingMayHaveATextThatCountsWhereNobodySaysIt) {
  auto text = std::string(hub);
  text.replace(text.find("[organisation]"), 14, "[organisation, {query: labels = incident}]");
  Problems problems;
  const auto catalog = read({file("sources/hub/hub.yaml", text)}, problems);
  EXPECT_EQ(messages(problems), "");
  EXPECT_EQ(catalog.find("hub")->http->settings, (std::vector<std::string>{"organisation", "query"}));
  EXPECT_EQ(catalog.find("hub")->http->defaults.at("query"), "labels = incident");
}

TEST(HttpSource, NeedsAWhoamiThatCanBeAskedFirst) {
  for (const auto& [from, to, message] :
       {std::tuple{"operation: organisation, account", "operation: ghost, account", "hub:ghost, which no source file lists"},
        {"operation: organisation, account", "operation: branches, account", "which waits for another operation"},
        {"account: id", "account: $settings.team", "the source's `settings` are"},
        {"sign in: [bearer,", "sign in: [bear,", "hub.yaml:6: `bear` is no way to sign in"},
        {"base: https", "base: ftp", "is no URL"},
        {"sign in: [bearer,", "sign in: [{oauth client: {token url: 'https://id.example/{team}'}},", "`{team}` is none of `settings`"},
        {"base: https://api", "base: https://{team}", "`{team}` is none of `settings`"}}) {
    auto text = std::string(hub);
    text.replace(text.find(from), std::string_view(from).size(), to);
    Problems problems;
    const auto catalog = read({file("sources/hub/hub.yaml", text)}, problems);
    EXPECT_NE(messages(problems).find(message), std::string::npos) << to << ": " << messages(problems);
    EXPECT_EQ(catalog.find("hub"), nullptr) << to;
  }
}

}  // namespace
}  // namespace vouch::collect
