// The law of listings: whatever happens to them on their way, one that ends ok has every item, and each once.
#include "wire/http_api_test.h"
#include "wire/url.h"

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <algorithm>
#include <charconv>

namespace vouch::wire {
namespace {

using Style = Paging::Style;

constexpr std::string_view kOrigin = "https://api.forge.test";

// A server that lists the numbers 0 to `count` - 1, in any style.
struct Forge {
  Style style = Style::link;
  std::size_t count = 0, size = 1;

  static std::size_t number(std::string_view text) {
    std::size_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  }

  // Which item a request's page begins with.
  [[nodiscard]] std::size_t begin_of(const HttpRequest& request) const {
    const auto at = std::string{query_value(request.url, "at")};
    if (style == Style::page_info) {
      const auto body = parse_json(request.body).value();
      const auto* after = find_string(body.at("variables"), "after");
      return after ? number(after->subview(1)) : 0;
    }
    return style == Style::page && !at.empty() ? (number(at) - 1) * size : number(at);
  }

  [[nodiscard]] Reply page_at(std::size_t begin) const {
    const auto end = std::min(begin + size, count);
    json::array items;
    for (auto i = begin; i < end; ++i) items.emplace_back(i);
    Json body = json::object{{"items", items}, {"total", count}};
    Headers headers;
    const bool more = end < count;
    const auto next = fmt::format("/things?at={}", end);
    switch (style) {
      case Style::link:
        if (more) headers.push_back(link_to(next));
        break;
      case Style::next: body.as_object()["next"] = more ? Json(std::string{kOrigin} + next) : Json(nullptr); break;
      case Style::cursor: body.as_object()["next"] = more ? Json(fmt::format("{}", end)) : Json(""); break;
      case Style::page_info:
        body.as_object()["pageInfo"] = json::object{{"hasNextPage", more}, {"endCursor", fmt::format("c{}", end)}};
        body = json::object{{"data", json::object{{"things", std::move(body)}}}};
        break;
      default: break;
    }
    return reply(200, json::serialize(body), std::move(headers));
  }
};

// What may happen to a request on its way.
enum class Fault { none, error, reset, cut, page, expired, limited, slow_down, other_page };

RC_GTEST_PROP(HttpListing, OneThatEndsOkIsComplete, ()) {
  Forge forge;
  forge.style = *rc::gen::element(Style::link, Style::next, Style::cursor, Style::page, Style::offset, Style::page_info);
  forge.count = *rc::gen::inRange<std::size_t>(0, 25);
  forge.size = *rc::gen::inRange<std::size_t>(1, 6);
  const auto faults = *rc::gen::container<std::map<std::size_t, Fault>>(
      rc::gen::inRange<std::size_t>(1, 15), rc::gen::element(Fault::error, Fault::reset, Fault::cut, Fault::page, Fault::expired,
                                                             Fault::limited, Fault::slow_down, Fault::other_page));
  const auto elsewhere = *rc::gen::inRange<std::size_t>(0, 25);

  HttpApi api{.service = "forge", .base = std::string{kOrigin}};
  const std::string inside = forge.style == Style::page_info ? "data.things." : "";
  const auto path = [&](const char* name) { return MemberPath::parse(inside + name).value(); };
  auto& operation = api.operations["things"];
  operation.name = "things";
  operation.url = UrlTemplate::parse("/things").value();
  operation.paging = {.style = forge.style,
                      .path = path(forge.style == Style::page_info ? "pageInfo" : "next"),
                      .as = forge.style == Style::page_info ? "after" : "at",
                      .from = forge.style == Style::page ? 1U : 0U,
                      .items = path("items"),
                      .size = forge.size,
                      .total = path("total")};
  if (forge.style == Style::page_info) operation.graphql = "{ things }";

  CountedSignIn sign_in;
  ScriptedTransport transport{[&](const HttpRequest& request, std::size_t nth) -> Reply {
    const auto begin = forge.begin_of(request);
    const auto fault = faults.find(nth);
    switch (fault == faults.end() ? Fault::none : fault->second) {
      case Fault::none: break;
      case Fault::error: return reply(502, "<html>bad gateway</html>");
      case Fault::reset: return {std::unexpected(Error{Errc::unreachable, "reset"})};
      case Fault::page: return reply(200, "<html>maintenance</html>");
      case Fault::expired: return reply(401, "{}");
      case Fault::limited: return reply(429, "{}", {{"Retry-After", "7"}});
      case Fault::slow_down: return reply(429, "{}");
      case Fault::other_page: return forge.page_at(elsewhere < forge.count ? elsewhere / forge.size * forge.size : 0);
      case Fault::cut: {
        auto whole = forge.page_at(begin);
        whole.answer->body.resize(whole.answer->body.size() / 2);
        return whole;
      }
    }
    return forge.page_at(begin);
  }};
  const ScriptedClock clock{transport, kTestStart};
  HttpDialect dialect{api, sign_in, clock};
  Client client{dialect, transport, clock, {.seed = 1}};
  std::vector<std::int64_t> came;
  std::uint32_t reading = 1;
  std::optional<Outcome> outcome;
  client.call(
      {.service = "forge", .operation = "things", .region = {}},
      [&](const Page& page) {
        if (page.error) return;
        if (std::exchange(reading, page.reading) != page.reading) came.clear();
        for (const auto& item : *operation.paging.items.find_list(page.value)) came.push_back(item.to_number<std::int64_t>());
      },
      [&](const Outcome& ended) { outcome = ended; });
  client.run();
  RC_ASSERT(outcome.has_value());
  RC_CLASSIFY(outcome->heard == Heard::ok);
  if (faults.empty()) RC_ASSERT(outcome->heard == Heard::ok);
  if (outcome->heard != Heard::ok) return;
  std::ranges::sort(came);
  RC_ASSERT(came.size() == forge.count);
  for (std::size_t i = 0; i < came.size(); ++i) RC_ASSERT(came[i] == static_cast<std::int64_t>(i));
}

}  // namespace
}  // namespace vouch::wire
