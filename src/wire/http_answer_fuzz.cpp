#include "wire/client.h"
#include "wire/http_dialect.h"
#include "wire/scripted_transport.h"

namespace {

using namespace vouch;
using namespace vouch::wire;

MemberPath path(std::string_view text) { return MemberPath::parse(text).value(); }

// One operation for each style of paging, over REST and GraphQL.
HttpApi make_api() {
  using Style = Paging::Style;
  HttpApi api{.service = "forge", .base = "https://api.test"};
  api.error = path("message");
  api.limits = {.remaining = "remaining", .reset = "reset"};
  const std::vector<Paging> pagings{{.style = Style::none, .items = path("list"), .total = path("total")},
                                    {.style = Style::link},
                                    {.style = Style::next, .path = path("next")},
                                    {.style = Style::cursor, .path = path("next"), .as = "after"},
                                    {.style = Style::page, .as = "page", .items = path("list"), .size = 1},
                                    {.style = Style::offset, .as = "offset", .from = 0, .items = path("list"), .size = 1},
                                    {.style = Style::page_info, .path = path("data.info"), .as = "after"}};
  for (std::size_t i = 0; i < pagings.size(); ++i) {
    auto& operation = api.operations[fmt::format("{}", i)];
    operation.name = fmt::format("{}", i);
    operation.url = UrlTemplate::parse("/things").value();
    operation.paging = pagings[i];
    if (pagings[i].style == Style::page_info) operation.graphql = "{ data }";
  }
  return api;
}

}  // namespace

// First byte: the operation and the status; then bodies, a newline between two. Every listing must end, and what is ok must be JSON.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const HttpApi api = make_api();
  if (size == 0) return 0;
  constexpr std::array statuses{200, 200, 200, 304, 301, 401, 403, 429, 500};
  const auto operation = data[0] % api.operations.size();
  const auto status = statuses.at(data[0] / api.operations.size() % statuses.size());
  std::vector<std::string> bodies;
  const std::string_view rest{reinterpret_cast<const char*>(data + 1), size - 1};
  for (std::size_t at = 0; at <= rest.size();) {
    const auto end = std::min(rest.find('\n', at), rest.size());
    bodies.emplace_back(rest.substr(at, end - at));
    at = end + 1;
  }
  ScriptedTransport transport{[&](const HttpRequest&, std::size_t nth) {
    const auto& body = bodies[std::min(nth, bodies.size()) - 1];
    return ScriptedTransport::Reply{
        answer_with(status, body, {{"Link", body}, {"Location", body}, {"reset", body}, {"remaining", "0"}, {"ETag", "e"}})};
  }};
  const ScriptedClock clock{transport, Instant{}};
  const auto sign_in = no_sign_in();
  HttpDialect dialect{api, *sign_in, clock};
  Client client{dialect, transport, clock, {.seed = 1}};
  client.call(
      {.service = "forge", .operation = fmt::format("{}", operation), .region = {}},
      [](const Page& page) {
        if (!page.error && !page.unchanged && !canonical(page.value)) __builtin_trap();
      },
      [](const Outcome&) {});
  for (int turns = 0; !client.idle(); ++turns) {
    client.step(Duration::hours(1));
    if (turns > 100'000) __builtin_trap();
  }
  return 0;
}
