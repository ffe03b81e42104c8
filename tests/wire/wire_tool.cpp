// tests/wire/wire_tool.cpp - the wire module behind JSON lines, for the differential tests in Python. Not shipped.
//
// Each line of standard input is a request, each line of standard output its answer, in order; {"failure": …} when it fails.
//   wire_tool BOTOCORE_DATA_DIRECTORY
#include "base/encoding.h"
#include "wire/aws_dialect.h"
#include "wire/client.h"
#include "wire/endpoint.h"
#include "wire/paginate.h"
#include "wire/parse.h"
#include "wire/serialise.h"
#include "wire/sigv4.h"

#include <iostream>

namespace {

using namespace vouch;
using namespace vouch::wire;

std::string text(const Json& line, std::string_view key) {
  const auto* value = find_string(line, key);
  return value ? std::string{*value} : std::string{};
}

Headers headers_of(const Json& line) {
  Headers headers;
  if (const auto* list = find_array(line, "headers"))
    for (const auto& pair : *list) headers.emplace_back(pair.at(0).as_string(), pair.at(1).as_string());
  return headers;
}

json::array to_json(const Headers& headers) {
  json::array out;
  for (const auto& [name, value] : headers) out.push_back(json::array{Json(name), Json(value)});
  return out;
}

Result<std::string> body_of(const Json& line) {
  const auto bytes = TRY(parse_base64(text(line, "body")));
  return std::string{text_of(bytes)};
}

Settings settings_of(const Json& line) {
  Settings settings;
  if (const auto* environment = find_object(line, "environment"))
    for (const auto& [name, value] : *environment) settings.environment.emplace(name, value.as_string());
  return settings;
}

// One call to its end, over the network: what came and how it ended.
Result<Json> call(Models& models, const Json& line) {
  const auto settings = settings_of(line);
  FixedCredentials credentials{{text(line, "id"), text(line, "secret"), {}, std::nullopt, {}}};
  CurlTransport transport;
  const SystemClock clock;
  AwsDialect aws{models, settings, credentials, clock};
  Client client{aws, transport, clock};
  json::array pages;
  Outcome outcome;
  const auto* params = find(line, "params");
  client.call(
      {text(line, "service"), text(line, "operation"), text(line, "region"), params ? *params : Json(json::object{})},
      [&](Page page) { pages.push_back(std::move(page.value)); }, [&](const Outcome& ended) { outcome = ended; });
  client.run();
  return Json(json::object{{"pages", std::move(pages)},
                           {"heard", name_of(outcome.heard)},
                           {"code", outcome.code},
                           {"message", outcome.message},
                           {"requests", outcome.requests},
                           {"simulated", outcome.simulated},
                           {"unmodelled_paging", outcome.unmodelled_paging}});
}

Result<Json> answer(Models& models, const Json& line) {
  const auto what = text(line, "do");
  if (what == "sign") {
    HttpRequest request{text(line, "method"), text(line, "url"), headers_of(line), TRY(body_of(line))};
    const Credentials credentials{text(line, "id"), text(line, "secret"), text(line, "token"), std::nullopt, {}};
    const bool is_s3 = text(line, "service") == "s3";
    sign(request, credentials, {text(line, "region"), text(line, "service"), !is_s3, is_s3}, TRY(parse_instant(text(line, "at"))));
    return Json(json::object{{"headers", to_json(request.headers)}});
  }
  if (what == "call") return call(models, line);
  const auto [service, operation] = TRY(models.operation(text(line, "service"), text(line, "operation")));
  const auto* params = find(line, "params");
  if (what == "serialise") {
    const auto request = TRY(serialise(*service, *operation, params ? *params : Json(json::object{})));
    return Json(json::object{{"method", request.method},
                             {"path", request.path},
                             {"query", request.query},
                             {"headers", to_json(request.headers)},
                             {"host_prefix", request.host_prefix},
                             {"body", to_base64(bytes_of(request.body))}});
  }
  if (what == "parse") {
    const auto* status = find(line, "status");
    const auto parsed = TRY(parse_answer(*service, *operation, static_cast<int>(status->as_int64()), headers_of(line), TRY(body_of(line))));
    if (!parsed.error) return Json(json::object{{"value", parsed.value}});
    return Json(json::object{{"code", parsed.error->code}, {"message", parsed.error->message}, {"heard", name_of(parsed.error->heard)}});
  }
  if (what == "page") {
    const auto next = TRY(next_page(*operation, *params, *find(line, "value")));
    json::array members;
    for (const auto& name : paging_members(*operation)) members.emplace_back(name);
    return Json(json::object{{"params", next.params ? *next.params : Json(nullptr)}, {"paging_members", std::move(members)}});
  }
  if (what == "endpoint") {
    const auto resolved = TRY(
        resolve_endpoint(models, *service, *operation, text(line, "region"), params ? *params : Json(json::object{}), settings_of(line)));
    return Json(json::object{{"url", resolved.endpoint.url},
                             {"signing_region", resolved.endpoint.signing_region},
                             {"signing_name", resolved.endpoint.signing_name}});
  }
  return fail(Errc::usage, "unknown request `{}`", what);
}

}  // namespace

int main(int count, char** arguments) {
  auto models = Models::open(count > 1 ? std::vector<std::filesystem::path>{arguments[1]} : std::vector<std::filesystem::path>{});
  if (!models) {
    std::cerr << models.error().message << '\n';
    return 1;
  }
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) {
    const auto request = parse_json(line, 256);
    auto reply = request ? answer(*models, *request) : Result<Json>{std::unexpected(request.error())};
    const Json out = reply ? *reply : Json(json::object{{"failure", reply.error().message}, {"errc", name_of(reply.error().code)}});
    std::cout << canonical(out).value_or("{\"failure\":\"not canonical\"}") << '\n' << std::flush;
  }
  return 0;
}
