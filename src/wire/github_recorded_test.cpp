// What GitHub once answered, replayed: recordings of @octokit/fixtures (ids, dates and hashes in them are normalised).
#include "base/file.h"
#include "wire/http_api_test.h"

#include <algorithm>

namespace vouch::wire {
namespace {

class GithubRecordedTest : public HttpApiTest {
 protected:
  void SetUp() override {
    if (!fs::exists(folder())) GTEST_SKIP() << "no recorded answers in " << folder().string() << " (./dev setup)";
    api.service = "github";
    api.base = "https://api.github.com";
    api.headers = {{"Accept", "application/vnd.github+json"}, {"X-GitHub-Api-Version", "2022-11-28"}};
    api.limits = {.remaining = "x-ratelimit-remaining", .reset = "x-ratelimit-reset", .resource = "x-ratelimit-resource"};
  }
  static fs::path folder() { return fs::path{VOUCH_SOURCE_DIR} / ".deps/octokit-fixtures/scenarios/api.github.com"; }

  // Answers as the recording does, each question in its place; a question that was never recorded fails the test.
  void replay(const std::string& scenario) {
    recording = parse_json(read_file(folder() / scenario / "normalized-fixture.json").value()).value();
    answer([this](const HttpRequest& request, std::size_t) {
      std::string method = request.method;
      std::ranges::transform(method, method.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      for (const auto& entry : recording.as_array()) {
        const auto path = std::string{*find_string(entry, "path")};
        if (*find_string(entry, "method") != method || request.url != "https://api.github.com" + path) continue;
        Headers headers;
        for (const auto& [name, value] : *find_object(entry, "headers"))
          if (value.is_string()) headers.emplace_back(name, value.as_string());
        const auto& response = entry.at("response");
        return reply(static_cast<int>(entry.at("status").as_int64()),
                     response.is_string() ? std::string{response.as_string()} : json::serialize(response), std::move(headers));
      }
      ADD_FAILURE() << request.method << " " << request.url << " was never recorded";
      return reply(599, "");
    });
  }

  Json recording;
};

TEST_F(GithubRecordedTest, IssuesAreListedOverFivePages) {
  operation("issues", "/repos/{owner}/{repo}/issues?per_page=3", {.style = Paging::Style::link});
  replay("paginate-issues");
  const auto ended = run("issues", json::object{{"owner", "octokit-fixture-org"}, {"repo", "paginate-issues"}});
  ASSERT_EQ(ended->outcome->heard, Heard::ok) << ended->outcome->message;
  EXPECT_EQ(ended->outcome->pages, 5U);
  std::vector<std::int64_t> numbers;
  for (const auto& page : ended->pages)
    for (const auto& issue : page.value.as_array()) numbers.push_back(issue.at("number").as_int64());
  EXPECT_EQ(numbers.size(), 13U);
  std::ranges::sort(numbers);
  EXPECT_EQ(std::ranges::adjacent_find(numbers), numbers.end());
  ASSERT_TRUE(ended->pages.at(0).validator);
  EXPECT_EQ(ended->pages.at(0).validator->next, "https://api.github.com/repositories/1000/issues?per_page=3&page=2");
  EXPECT_EQ(ended->pages.at(4).validator->next, "");
}

TEST_F(GithubRecordedTest, ARenamedRepositoryIsFollowed) {
  operation("repository", "/repos/{owner}/{repo}");
  replay("rename-repository");
  const auto ended = run("repository", json::object{{"owner", "octokit-fixture-org"}, {"repo", "rename-repository"}});
  ASSERT_EQ(ended->outcome->heard, Heard::ok);
  EXPECT_EQ(ended->outcome->requests, 2U);
  EXPECT_EQ(*find_string(ended->pages.at(0).value, "name"), "rename-repository-newname");
}

TEST_F(GithubRecordedTest, APostIsNotSentToWhereItWasMoved) {
  auto& rename = operation("rename", "/repos/{owner}/{repo}");
  rename.method = "PATCH";  // recorded with 200 and with 307: the first stands for the second here
  replay("rename-repository");
  auto& entries = recording.as_array();
  entries.erase(entries.begin());
  const auto ended = run("rename", json::object{{"owner", "octokit-fixture-org"}, {"repo", "rename-repository"}});
  EXPECT_EQ(ended->outcome->code, "307");
  EXPECT_EQ(ended->outcome->requests, 1U);
}

TEST_F(GithubRecordedTest, AnUnprotectedBranchIsAbsent) {
  operation("protection", "/repos/{owner}/{repo}/branches/{branch}/protection");
  replay("branch-protection");
  const auto ended = run("protection", json::object{{"owner", "octokit-fixture-org"}, {"repo", "branch-protection"}, {"branch", "main"}});
  EXPECT_EQ(ended->outcome->heard, Heard::absent);
  EXPECT_EQ(ended->outcome->code, "404");
  EXPECT_EQ(ended->outcome->message, "Branch not protected");
}

TEST_F(GithubRecordedTest, AnInvalidRequestFailsWithItsReason) {
  operation("label", "/repos/{owner}/{repo}/labels").method = "POST";
  replay("errors");
  const auto ended = run("label", json::object{{"owner", "octokit-fixture-org"}, {"repo", "errors"}});
  EXPECT_EQ(ended->outcome->heard, Heard::failed);
  EXPECT_EQ(ended->outcome->code, "422");
  EXPECT_EQ(ended->outcome->message, "Validation Failed");
}

TEST_F(GithubRecordedTest, AnOrganisationIsOneDocument) {
  operation("organisation", "/orgs/{org}");
  replay("get-organization");
  const auto ended = run("organisation", json::object{{"org", "octokit-fixture-org"}});
  EXPECT_EQ(*find_string(ended->pages.at(0).value, "login"), "octokit-fixture-org");
  EXPECT_TRUE(ended->pages.at(0).validator);
}

}  // namespace
}  // namespace vouch::wire
