// `api:` of a source file, and the words of an operation that only HTTP has.
#include "collect/source_reading.h"

#include <set>

namespace vouch::collect {

namespace {

Result<std::string> read_url(const Yaml& node) {
  auto text = TRY(node.text());
  if (!text.starts_with("/")) return node.wrong("`{}`: a URL begins with `/` and goes below the API's base", text);
  for (const char c : text) {
    if (c <= ' ' || c == '#' || c >= '\x7f') return node.wrong("`{}`: `{}` has no place in a URL", text, c);
  }
  return text;
}

// `{x}` of a text, each once.
Result<std::set<std::string>> places_of(const Yaml& node, std::string_view text) {
  std::set<std::string> places;
  for (std::size_t at = 0; (at = text.find_first_of("{}", at)) != std::string_view::npos;) {
    const auto close = text[at] == '{' ? text.find_first_of("{}", at + 1) : std::string_view::npos;
    if (close == std::string_view::npos || text[close] != '}' || close == at + 1)
      return node.wrong("`{}`: a brace without its partner", text);
    places.emplace(text.substr(at + 1, close - at - 1));
    at = close + 1;
  }
  return places;
}

// A text of `body` is a param as a whole, or is sent as it is.
Result<> gather_places(const Yaml& node, const Json& body, std::set<std::string>& places) {
  if (const auto* text = body.if_string()) {
    if (text->starts_with('{') && text->ends_with('}') && text->size() > 2)
      places.emplace(std::string_view(*text).substr(1, text->size() - 2));
  } else if (const auto* list = body.if_array()) {
    for (const auto& element : *list) TRY(gather_places(node, element, places));
  } else if (const auto* object = body.if_object()) {
    for (const auto& [name, member] : *object) TRY(gather_places(node, member, places));
  }
  return {};
}

bool names_variable(std::string_view query, std::string_view name) {
  const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  const auto wanted = fmt::format("${}", name);
  for (auto at = query.find(wanted); at != std::string_view::npos; at = query.find(wanted, at + 1)) {
    if (at + wanted.size() == query.size() || !is_word(query[at + wanted.size()])) return true;
  }
  return false;
}

Result<> check_params(const Yaml& node, const HttpCall& call, const Template& params) {
  const auto& written = params.written().get_object();
  if (call.method == HttpCall::Method::graphql) {
    for (const auto& [name, value] : written) {
      if (!names_variable(call.query, name)) return node["params"].wrong("the query has no variable `${}`", std::string_view(name));
    }
    if (!call.paging.as.empty() && !names_variable(call.query, call.paging.as))
      return node["graphql"].wrong("the query has no variable `${}`, by which its pages are asked", call.paging.as);
    return {};
  }
  const auto place = node[call.method == HttpCall::Method::get ? "get" : "post"];
  auto places = TRY(places_of(place, call.url));
  TRY(gather_places(node["body"], call.body, places));
  for (const auto& name : places) {
    if (!written.contains(name)) return place.wrong("`{{{}}}` is no param", name);
  }
  for (const auto& [name, value] : written) {
    if (!places.contains(std::string(name)))
      return node["params"].wrong("the param `{}` stands nowhere in the URL or the body", std::string_view(name));
  }
  return {};
}

Result<Paging> read_counted(const Yaml& node, Paging::Style style, std::string_view word, std::int64_t first) {
  TRY(node.only({word, "from", "items", "size"}));
  Paging paging{.style = style, .path = {}, .as = {}, .from = first, .size = 0};
  paging.as = TRY(node.text(word));
  if (const auto from = node["from"]; !from.is_absent()) paging.from = TRY(from.integer());
  paging.path = TRY(read_path(node, "items"));
  if (paging.path.back().kind != Step::Kind::all) return node["items"].wrong("`{}` does not end in `[]`", to_string(paging.path));
  paging.size = TRY(node["size"].integer());
  if (paging.size < 1 || paging.from < 0) return node["size"].wrong("a page has at least one item, and is counted from 0 or more");
  return paging;
}

Result<Paging> read_paging(const Yaml& node) {
  if (node.is_scalar()) {
    const auto word = TRY(node.text());
    if (word == "none") return Paging{};
    if (word == "link") return Paging{.style = Paging::Style::link, .path = {}, .as = {}};
    return node.wrong(
        "`{}` is no way of paging: none, link, {{next: PATH}}, {{cursor: PATH, as: NAME}}, {{page: NAME, items: PATH[], size: N}}, "
        "{{offset: NAME, items: PATH[], size: N}}, {{page info: PATH, as: NAME}}",
        word);
  }
  const auto read_named = [&](Paging::Style style, std::string_view word) -> Result<Paging> {
    Paging paging{.style = style, .path = {}, .as = {}};
    paging.path = TRY(read_path(node, word));
    TRY(style == Paging::Style::next ? node.only({word}) : node.only({word, "as"}));
    if (style != Paging::Style::next) paging.as = TRY(node.text("as"));
    return paging;
  };
  if (!node["next"].is_absent()) return read_named(Paging::Style::next, "next");
  if (!node["cursor"].is_absent()) return read_named(Paging::Style::cursor, "cursor");
  if (!node["page info"].is_absent()) return read_named(Paging::Style::page_info, "page info");
  if (!node["page"].is_absent()) return read_counted(node, Paging::Style::page, "page", 1);
  if (!node["offset"].is_absent()) return read_counted(node, Paging::Style::offset, "offset", 0);
  return node.wrong("a way of paging begins with `next`, `cursor`, `page`, `offset` or `page info`");
}

Result<std::optional<Total>> read_total(const Yaml& node, const Paging& paging) {
  if (node.is_absent()) return std::nullopt;
  Total total;
  if (node.is_scalar()) {
    total.path = TRY(read_path(node));
    total.items = paging.path;
    if (paging.style != Paging::Style::page && paging.style != Paging::Style::offset)
      return node.wrong("what is counted? `total: {{of: PATH[], path: PATH}}` says it");
    return total;
  }
  TRY(node.only({"of", "path", "header"}));
  if (const auto header = node["header"]; !header.is_absent()) {
    total.header = TRY(header.text());
  } else {
    total.path = TRY(read_path(node, "path"));
  }
  total.items = TRY(read_path(node, "of"));
  if (total.items.back().kind != Step::Kind::all) return node["of"].wrong("`{}` does not end in `[]`", to_string(total.items));
  return total;
}

Result<HttpCall::Answer> read_answer(const Yaml& node) {
  if (node.is_absent()) return HttpCall::Answer::json;
  const auto word = TRY(node.text());
  if (word == "json") return HttpCall::Answer::json;
  if (word == "csv") return HttpCall::Answer::csv;
  if (word == "text") return HttpCall::Answer::text;
  return node.wrong("`{}`: an answer is json, csv or text", word);
}

Result<SignInWay> read_sign_in(const Yaml& node) {
  using Kind = SignInWay::Kind;
  SignInWay way;
  if (node.is_scalar()) {
    const auto word = TRY(node.text());
    for (const auto& [name, kind] :
         {std::pair{"none", Kind::none}, {"bearer", Kind::bearer}, {"basic", Kind::basic}, {"github app", Kind::github_app}}) {
      if (word == name) way.kind = kind;
    }
    if (way.kind == Kind::none && word != "none")
      return node.wrong(
          "`{}` is no way to sign in: bearer, basic, github app, {{header: …}}, {{oauth client: …}}, {{google service account: …}}, none",
          word);
    return way;
  }
  if (!node["header"].is_absent()) {
    TRY(node.only({"header", "value"}));
    way.kind = Kind::header;
    way.header = TRY(node.text("header"));
    way.value = TRY(node.text("value"));
    if (way.value.find("{token}") == std::string::npos)
      return node["value"].wrong("`{}` does not say where the `{{token}}` goes", way.value);
    return way;
  }
  if (const auto client = node["oauth client"]; !client.is_absent()) {
    TRY(client.only({"token url", "scopes"}));
    way.kind = Kind::oauth_client;
    way.token_url = TRY(client.text("token url"));
    if (!client["scopes"].is_absent()) way.scopes = TRY(client["scopes"].texts());
    return way;
  }
  if (const auto account = node["google service account"]; !account.is_absent()) {
    TRY(account.only({"scopes"}));
    way.kind = Kind::google_service_account;
    way.scopes = TRY(account["scopes"].texts());
    if (way.scopes.empty()) return account.wrong("a google service account needs `scopes`");
    return way;
  }
  return node.wrong("a way to sign in begins with `header`, `oauth client` or `google service account`");
}

Result<WhoamiRule> read_whoami(const Yaml& node, std::string_view service, const std::vector<std::string>& settings) {
  if (!node.is_map())
    return node.wrong("`whoami` is a map: {{operation: NAME, account: PATH, identity: PATH}}, or {{account: $settings.NAME}}");
  TRY(node.only({"operation", "account", "identity"}));
  WhoamiRule rule;
  if (const auto operation = node["operation"]; !operation.is_absent()) rule.operation = full_name(TRY(operation.text()), service);
  const auto account = TRY(node.text("account"));
  if (account.starts_with('$')) {
    auto expression = parse_expression(account);
    if (!expression) return node["account"].wrong("{}", expression.error().message);
    if (expression->root != "settings") return node["account"].wrong("`{}` is neither a path nor `$settings.NAME`", account);
    TRY(check_settings(node["account"], *expression, settings));
    rule.account = std::move(*expression);
  } else {
    if (rule.operation.empty()) return node["account"].wrong("`{}` is a path into the answer of `operation`, which is not there", account);
    rule.account = TRY(read_path(node, "account"));
  }
  if (const auto identity = node["identity"]; !identity.is_absent()) {
    if (rule.operation.empty()) return identity.wrong("without `operation` there is no answer to look into");
    rule.identity = TRY(read_path(identity));
  }
  return rule;
}

Result<> read_limits(const Yaml& node, HttpApi& api) {
  if (node.is_absent()) return {};
  TRY(node.only({"remaining", "reset", "resource"}));
  api.limit_remaining = TRY(node.text("remaining"));
  api.limit_reset = TRY(node.text("reset"));
  api.limit_resource = TRY(node.text_or("resource", ""));
  return {};
}

Result<> read_headers(const Yaml& node, HttpApi& api) {
  if (node.is_absent()) return {};
  if (!node.is_map()) return node.wrong("`headers` is a map");
  for (const auto& [name, value] : node.members()) {
    auto text = TRY(value.text());
    const auto clean = [](std::string_view one) { return std::ranges::all_of(one, [](char c) { return c >= ' ' && c < '\x7f'; }); };
    if (!clean(name) || name.find_first_of(" :") != std::string::npos || !clean(text)) return value.wrong("`{}` is no header", name);
    api.headers.emplace_back(name, std::move(text));
  }
  return {};
}

}  // namespace

Result<HttpApi> read_http_api(const Yaml& node, std::string_view service) {
  if (!node.is_map()) return node.wrong("`api` is a map that says at least `base`");
  TRY(node.only({"base", "headers", "settings", "sign in", "whoami", "paging", "limits", "in flight", "error", "graphql url"}));
  HttpApi api;
  api.where = node.where();
  api.base = TRY(node.text("base"));
  if (!api.base.starts_with("https://") && !api.base.starts_with("http://")) return node["base"].wrong("`{}` is no URL", api.base);
  while (api.base.ends_with('/')) api.base.pop_back();
  TRY(read_headers(node["headers"], api));
  if (!node["settings"].is_absent()) api.settings = TRY(node["settings"].texts());
  for (const auto& way : node["sign in"].items()) api.sign_in.push_back(TRY(read_sign_in(way)));
  if (api.sign_in.empty()) return node.wrong("missing `sign in`: `none` where nobody is asked who he is");
  api.whoami = TRY(read_whoami(node["whoami"], service, api.settings));
  if (!node["paging"].is_absent()) api.paging = TRY(read_paging(node["paging"]));
  TRY(read_limits(node["limits"], api));
  if (const auto in_flight = node["in flight"]; !in_flight.is_absent()) {
    const auto number = TRY(in_flight.integer());
    if (number < 1 || number > 64) return in_flight.wrong("`in flight` is 1 to 64");
    api.in_flight = static_cast<std::uint32_t>(number);
  }
  if (!node["error"].is_absent()) api.error = TRY(read_path(node, "error"));
  if (!node["graphql url"].is_absent()) api.graphql_url = TRY(read_url(node["graphql url"]));
  return api;
}

Result<HttpCall> read_http_call(const Yaml& node, const Template& params, const std::optional<Paging>& otherwise) {
  using Method = HttpCall::Method;
  HttpCall call;
  const auto get = node["get"], post = node["post"], graphql = node["graphql"];
  if (int{get.is_absent()} + int{post.is_absent()} + int{graphql.is_absent()} != 2)
    return node.wrong("an operation has one of `get`, `post` and `graphql`");
  if (!node["body"].is_absent() && post.is_absent()) return node["body"].wrong("`body` goes with `post`");
  if (!graphql.is_absent()) {
    call.method = Method::graphql;
    call.query = TRY(graphql.text());
  } else {
    call.method = get.is_absent() ? Method::post : Method::get;
    call.url = TRY(read_url(get.is_absent() ? post : get));
    if (call.method == Method::post) call.body = node["body"].is_absent() ? Json(json::object()) : node["body"].to_json();
  }
  if (const auto paging = node["paging"]; !paging.is_absent()) {
    call.paging = TRY(read_paging(paging));
  } else if (otherwise && call.method != Method::graphql) {
    call.paging = *otherwise;
  }
  if (call.paging.style == Paging::Style::link && call.method == Method::graphql) return node["paging"].wrong("GraphQL has no Link header");
  call.total = TRY(read_total(node["total"], call.paging));
  call.answer = TRY(read_answer(node["answer"]));
  TRY(check_params(node, call, params));
  return call;
}

}  // namespace vouch::collect
