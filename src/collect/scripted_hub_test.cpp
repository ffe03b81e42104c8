#include "collect/scripted_hub_test.h"

namespace vouch::collect::test {

namespace {

constexpr std::string_view base = "https://hub.example";

wire::Answer reply(int status, std::string body, wire::Headers headers = {}) {
  auto answer = wire::answer_with(status, std::move(body), std::move(headers));
  answer.endpoint = base;
  return answer;
}

}  // namespace

std::size_t Hub::count(std::string_view beginning) const {
  return static_cast<std::size_t>(std::ranges::count_if(asked, [&](const std::string& one) { return one.starts_with(beginning); }));
}

Result<wire::Answer> Hub::page_of(const wire::HttpRequest& request, const std::string& target, const json::array& items) const {
  const auto counted = target.find("&page=");
  const auto page = counted == std::string::npos ? 1 : std::stoul(target.substr(counted + 6));
  json::array some;
  for (auto i = (page - 1) * page_size; i < std::min(items.size(), page * page_size); ++i) some.push_back(items[i]);
  wire::Headers headers;
  if (page * page_size < items.size()) {
    headers.emplace_back("Link", fmt::format("<{}{}&page={}>; rel=\"next\"", base, target.substr(0, counted), page + 1));
  }
  const auto body = json::serialize(some);
  if (etags) headers.emplace_back("ETag", fmt::format("\"{}\"", to_hex(sha256(body)).substr(0, 16)));
  const auto* known = wire::find_header(request.headers, "If-None-Match");
  if (known && etags && *known == headers.back().second) return reply(304, "", std::move(headers));
  return reply(200, body, std::move(headers));
}

Result<wire::Answer> Hub::answer(const wire::HttpRequest& request) {
  const auto target = request.url.substr(base.size());
  const auto path = target.substr(0, target.find('?'));
  asked.push_back(target);
  if (refused.contains(path)) return reply(403, R"({"message":"Resource not accessible"})");
  if (const auto lost = missing.find(path); lost != missing.end()) return reply(404, lost->second);
  if (const auto other = instead.find(path); other != instead.end()) return reply(200, other->second);
  if (path == "/orgs/acme") return reply(200, fmt::format(R"({{"id":{},"login":"acme"}})", id));
  json::array items;
  if (path == "/orgs/acme/repos") {
    for (const auto& [name, pulls] : repositories) items.push_back(json::object{{"name", name}, {"node_id", "R_" + name}});
  } else if (const auto slash = path.find('/', 7); path.starts_with("/repos/") && slash != std::string::npos) {
    const auto found = repositories.find(path.substr(7, slash - 7));
    if (found == repositories.end()) return reply(404, R"({"message":"Not Found"})");
    if (path.ends_with("/pulls")) {
      auto pulls = found->second;
      std::ranges::stable_sort(pulls, std::greater<>{}, &Pull::updated);
      for (const auto& pull : pulls)
        items.push_back(json::object{{"number", pull.number}, {"updated", pull.updated}, {"title", pull.title}});
    } else if (path.ends_with("/reviews")) {
      items.push_back(json::object{{"state", "APPROVED"}});
    } else if (path.ends_with("/branches")) {
      items.push_back(json::object{{"name", "main"}});
    }
  }
  auto result = page_of(request, target, items);
  if (result->status == 304) ++not_modified;
  return result;
}

CatalogFiles hub_catalog() {
  CatalogFiles files;
  files.files = {{"hub.yaml", "sources/hub/hub.yaml", R"(
service: hub
api:
  base: https://hub.example
  settings: [organisation]
  sign in: none
  whoami: {operation: organisation, account: id, identity: login}
  paging: {link: '[]'}
  error: message
operations:
  - operation: organisation
    get: /orgs/{organisation}
    params: {organisation: $settings.organisation}
    paging: none
  - operation: repositories
    get: /orgs/{organisation}/repos?per_page=2
    params: {organisation: $settings.organisation}
  - operation: branches
    for each: repo in repositories[]
    get: /repos/{repo}/branches?per_page=2
    params: {repo: $repo.name}
    key: {repository_id: $repo.node_id}
    absent: [404 No branches]
  - operation: pulls
    for each: repo in repositories[]
    get: /repos/{repo}/pulls?per_page=2
    params: {repo: $repo.name}
    key: {repository_id: $repo.node_id}
    increment: {items: '[]', by: updated}
  - operation: reviews
    for each: pull in pulls[]
    get: /repos/{repo}/pulls/{number}/reviews?per_page=2
    params: {repo: $params.repo, number: $pull.number}
    key: {repository_id: $key.repository_id, number: $pull.number}
)",
                  true}};
  return files;
}

Json hub_settings() { return json::object{{"organisation", "acme"}}; }

}  // namespace vouch::collect::test
