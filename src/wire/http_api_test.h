// wire/http_api_test.h - an HTTP API, a client over it, and a script that answers. For tests.
#pragma once

#include "wire/client.h"
#include "wire/http_dialect.h"
#include "wire/scripted_transport.h"

#include <gtest/gtest.h>

namespace vouch::wire {

inline const Instant kTestStart = parse_instant("2026-11-24T00:00:00Z").value();

// Counts what it is asked for; the tokens are token-0, token-1 …
class CountedSignIn final : public SignIn {
 public:
  Result<> sign(HttpRequest& request, Instant) override {
    set_header(request.headers, "Authorization", fmt::format("Bearer token-{}", renewed));
    return {};
  }
  bool renew() override {
    if (!renewable) return false;
    ++renewed;
    return true;
  }
  int renewed = 0;
  bool renewable = true;
};

class HttpApiTest : public ::testing::Test {
 protected:
  struct Ended {
    std::vector<Page> pages;
    std::optional<Outcome> outcome;

    // The pages that count: those of the last reading.
    [[nodiscard]] std::string names() const {
      std::string out;
      for (const auto& page : pages)
        if (const auto* list = page.value.if_array(); list && page.reading == pages.back().reading)
          for (const auto& item : *list) out += *find_string(item, "name");
      return out;
    }
  };

  HttpApiTest() {
    api.service = "forge";
    api.base = "https://api.forge.test/v1";
    api.headers = {{"Accept", "application/json"}, {"X-Version", "7"}};
    api.error = MemberPath::parse("message").value();
  }

  HttpOperation& operation(const std::string& name, std::string_view url, Paging paging = {}) {
    HttpOperation operation;
    operation.name = name;
    operation.url = UrlTemplate::parse(url).value();
    operation.paging = std::move(paging);
    return api.operations[name] = std::move(operation);
  }
  HttpOperation& query(const std::string& name, std::string text, Paging paging = {}) {
    auto& made = operation(name, "", std::move(paging));
    made.graphql = std::move(text);
    return made;
  }
  static MemberPath path(std::string_view text) { return MemberPath::parse(text).value(); }

  void answer(ScriptedTransport::Script script, ClientOptions options = {}) {
    options.seed = 1;
    client.reset();
    transport = std::make_unique<ScriptedTransport>(std::move(script));
    clock = std::make_unique<ScriptedClock>(*transport, kTestStart);
    dialect = std::make_unique<HttpDialect>(api, sign_in, *clock);
    client = std::make_unique<Client>(*dialect, *transport, *clock, options);
  }

  std::shared_ptr<Ended> start(std::string operation, Json params = json::object(), decltype(Call::known) known = {}) {
    auto ended = std::make_shared<Ended>();
    last = client->call(
        {.service = "forge", .operation = std::move(operation), .region = {}, .params = std::move(params), .known = std::move(known)},
        [ended](Page page) { ended->pages.push_back(std::move(page)); }, [ended](const Outcome& outcome) { ended->outcome = outcome; });
    return ended;
  }
  std::shared_ptr<Ended> run(std::string operation, Json params = json::object(), decltype(Call::known) known = {}) {
    auto ended = start(std::move(operation), std::move(params), std::move(known));
    client->run();
    return ended;
  }
  [[nodiscard]] double seconds() const { return static_cast<double>(transport->elapsed().micros) / 1e6; }

  HttpApi api;
  CountedSignIn sign_in;
  std::unique_ptr<ScriptedTransport> transport;
  std::unique_ptr<ScriptedClock> clock;
  std::unique_ptr<HttpDialect> dialect;
  std::unique_ptr<Client> client;
  Client::CallId last = 0;
};

using Reply = ScriptedTransport::Reply;

inline Reply reply(int status, std::string body, Headers headers = {}) {
  return {answer_with(status, std::move(body), std::move(headers))};
}

// [{"name":"a"},{"name":"b"}] of "ab".
inline std::string list_of(std::string_view names) {
  std::string out;
  for (const char name : names) out += fmt::format("{}{{\"name\":\"{}\"}}", out.empty() ? "" : ",", name);
  return "[" + out + "]";
}

inline std::pair<std::string, std::string> link_to(std::string_view url) { return {"Link", fmt::format(R"(<{}>; rel="next")", url)}; }

inline bool has(const HttpRequest& request, std::string_view text) {
  return request.url.find(text) != std::string::npos || request.body.find(text) != std::string::npos;
}

}  // namespace vouch::wire
