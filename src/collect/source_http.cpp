// `api:` of a source file, and the words of an operation that only HTTP has.
#include "collect/source_reading.h"

namespace vouch::collect {

namespace {

// What a parser of wire's says, at its place in the file.
template <class T>
Result<T> at(const Yaml& node, Result<T> parsed) {
  if (parsed) return parsed;
  return node.wrong("{}", parsed.error().message);
}

Result<wire::MemberPath> read_member(const Yaml& node) { return at(node, wire::MemberPath::parse(TRY(node.text()))); }

Result<wire::MemberPath> read_member(const Yaml& node, std::string_view name) {
  const auto written = node[name];
  if (written.is_absent()) return node.wrong("missing `{}`", name);
  return read_member(written);
}

// Of a list, which is written with `[]` at its end.
Result<wire::MemberPath> read_list(const Yaml& node, std::string_view name) {
  auto path = TRY(read_member(node, name));
  const auto text = TRY(node[name].text());
  if (!text.ends_with("[]")) return node[name].wrong("`{}` does not end in `[]`", text);
  return path;
}

Result<wire::UrlTemplate> read_url(const Yaml& node) {
  const auto text = TRY(node.text());
  if (!text.starts_with("/")) return node.wrong("`{}`: a URL begins with `/` and goes below the API's base", text);
  return at(node, wire::UrlTemplate::parse(text));
}

bool names_variable(std::string_view query, std::string_view name) {
  const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  const auto wanted = fmt::format("${}", name);
  for (auto at = query.find(wanted); at != std::string_view::npos; at = query.find(wanted, at + 1)) {
    if (at + wanted.size() == query.size() || !is_word(query[at + wanted.size()])) return true;
  }
  return false;
}

Result<> check_params(const Yaml& node, const wire::HttpOperation& operation, const Template& params) {
  const auto& written = params.written().get_object();
  if (!operation.graphql.empty()) {
    for (const auto& [name, value] : written) {
      if (!names_variable(operation.graphql, name)) return node["params"].wrong("the query has no variable `${}`", std::string_view(name));
    }
    if (!operation.paging.as.empty() && !names_variable(operation.graphql, operation.paging.as))
      return node["graphql"].wrong("the query has no variable `${}`, by which its pages are asked", operation.paging.as);
    return {};
  }
  auto places = operation.url.names();
  for (auto& name : wire::names_in_body(operation.body)) places.push_back(std::move(name));
  for (const auto& name : places) {
    if (!written.contains(name)) return node[operation.method == "GET" ? "get" : "post"].wrong("`{{{}}}` is no param", name);
  }
  for (const auto& [name, value] : written) {
    if (std::ranges::find(places, std::string_view(name)) == places.end())
      return node["params"].wrong("the param `{}` stands nowhere in the URL or the body", std::string_view(name));
  }
  return {};
}

// {page: NAME, from: 1, items: PATH[], size: N}
Result<wire::Paging> read_counted(const Yaml& node, wire::Paging::Style style, std::string_view word, std::uint64_t first) {
  TRY(node.only({word, "from", "items", "size"}));
  wire::Paging paging;
  paging.style = style;
  paging.as = TRY(node.text(word));
  paging.from = first;
  const auto count = [&](std::string_view name, std::uint64_t& into) -> Result<> {
    const auto written = node[name];
    if (written.is_absent()) return {};
    const auto number = TRY(written.integer());
    if (number < 0) return written.wrong("`{}` is not negative", name);
    into = static_cast<std::uint64_t>(number);
    return {};
  };
  TRY(count("from", paging.from));
  TRY(count("size", paging.size));
  paging.items = TRY(read_list(node, "items"));
  return paging;
}

// {next: PATH}, {cursor: PATH, as: NAME}, {page info: PATH, as: NAME}
Result<wire::Paging> read_named(const Yaml& node, wire::Paging::Style style, std::string_view word) {
  wire::Paging paging;
  paging.style = style;
  paging.path = TRY(read_member(node, word));
  const bool sent_back = style != wire::Paging::Style::next;
  TRY(sent_back ? node.only({word, "as", "items"}) : node.only({word, "items"}));
  if (sent_back) paging.as = TRY(node.text("as"));
  if (!node["items"].is_absent()) paging.items = TRY(read_list(node, "items"));
  return paging;
}

Result<wire::Paging> read_paging(const Yaml& node) {
  using Style = wire::Paging::Style;
  wire::Paging paging;
  if (node.is_scalar()) {
    const auto word = TRY(node.text());
    if (word == "link") paging.style = Style::link;
    if (word == "link" || word == "none") return paging;
    return node.wrong(
        "`{}` is no way of paging: none, link, {{link: PATH[]}}, {{next: PATH}}, {{cursor: PATH, as: NAME}}, "
        "{{page: NAME, items: PATH[], size: N}}, {{offset: NAME, items: PATH[], size: N}}, {{page info: PATH, as: NAME}}",
        word);
  }
  if (!node["link"].is_absent()) {
    TRY(node.only({"link"}));
    paging.style = Style::link;
    paging.items = TRY(read_list(node, "link"));
    return paging;
  }
  if (!node["next"].is_absent()) return read_named(node, Style::next, "next");
  if (!node["cursor"].is_absent()) return read_named(node, Style::cursor, "cursor");
  if (!node["page info"].is_absent()) return read_named(node, Style::page_info, "page info");
  if (!node["page"].is_absent()) return read_counted(node, Style::page, "page", 1);
  if (!node["offset"].is_absent()) return read_counted(node, Style::offset, "offset", 0);
  return node.wrong("a way of paging begins with `link`, `next`, `cursor`, `page`, `offset` or `page info`");
}

// `total: PATH`, or {of: PATH[], path: PATH}, {of: PATH[], header: NAME}; `of` is what is counted.
Result<> read_total(const Yaml& node, wire::Paging& paging) {
  if (node.is_absent()) return {};
  if (node.is_scalar()) {
    paging.total = TRY(read_member(node));
    return {};
  }
  TRY(node.only({"of", "path", "header"}));
  if (!node["header"].is_absent()) {
    paging.total_header = TRY(node.text("header"));
  } else {
    paging.total = TRY(read_member(node, "path"));
  }
  if (!node["of"].is_absent()) paging.items = TRY(read_list(node, "of"));
  return {};
}

Result<wire::AnswerKind> read_answer(const Yaml& node) {
  if (node.is_absent()) return wire::AnswerKind::json;
  const auto word = TRY(node.text());
  const auto kind = wire::parse_answer_kind(word);
  if (!kind) return node.wrong("`{}`: an answer is json, csv or text", word);
  return *kind;
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

Result<> read_limits(const Yaml& node, wire::LimitHeaders& limits) {
  if (node.is_absent()) return {};
  TRY(node.only({"remaining", "reset", "resource"}));
  limits.remaining = TRY(node.text("remaining"));
  limits.reset = TRY(node.text("reset"));
  limits.resource = TRY(node.text_or("resource", ""));
  return {};
}

// [domain, {incidents: labels = incident}]: a name, or a name with what counts where vouch.yaml does not say it.
Result<> read_settings(const Yaml& node, HttpSource& source) {
  if (node.is_absent()) return {};
  for (const auto& setting : node.items()) {
    if (setting.is_map() && setting.members().size() == 1) {
      const auto [name, value] = setting.members().front();
      source.settings.push_back(name);
      source.defaults[name] = TRY(value.text());
    } else {
      source.settings.push_back(TRY(setting.text()));
    }
  }
  return {};
}

// The places of a base, and of a token service's URL, are settings.
Result<> check_places(const Yaml& node, std::string_view url, const HttpSource& source) {
  const auto parsed = TRY(at(node, wire::UrlTemplate::parse(url)));
  for (const auto& name : parsed.names())
    if (std::ranges::find(source.settings, name) == source.settings.end()) return node.wrong("`{{{}}}` is none of `settings`", name);
  return {};
}

Result<> read_headers(const Yaml& node, wire::Headers& headers) {
  if (node.is_absent()) return {};
  if (!node.is_map()) return node.wrong("`headers` is a map");
  for (const auto& [name, value] : node.members()) {
    auto text = TRY(value.text());
    const auto clean = [](std::string_view one) { return std::ranges::all_of(one, [](char c) { return c >= ' ' && c < '\x7f'; }); };
    if (!clean(name) || name.find_first_of(" :") != std::string::npos || !clean(text)) return value.wrong("`{}` is no header", name);
    headers.emplace_back(name, std::move(text));
  }
  return {};
}

}  // namespace

Result<std::string> fill_base(std::string_view base, const Json& settings) {
  std::string filled;
  for (auto open = base.find('{'); open != std::string_view::npos; open = base.find('{')) {
    const auto close = std::min(base.find('}', open), base.size());
    const auto name = base.substr(open + 1, close - open - 1);
    const auto* said = find_string(settings, name);
    const auto is_of_host = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-'; };
    if (!said || said->empty() || !std::ranges::all_of(*said, is_of_host))
      return fail(Errc::config, "`{}` is no host: its name alone, without scheme or path", said ? std::string_view{*said} : "");
    filled.append(base.substr(0, open)).append(*said);
    base.remove_prefix(std::min(close + 1, base.size()));
  }
  return filled.append(base);
}

Result<HttpSource> read_http_source(const Yaml& node, std::string_view service) {
  if (!node.is_map()) return node.wrong("`api` is a map that says at least `base`");
  TRY(node.only({"base", "headers", "settings", "sign in", "whoami", "paging", "limits", "in flight", "error", "graphql url"}));
  HttpSource source;
  auto& api = source.api;
  source.where = node.where();
  api.service = service;
  api.base = TRY(node.text("base"));
  if (!source.is_files() && !api.base.starts_with("https://") && !api.base.starts_with("http://"))
    return node["base"].wrong("`{}` is no URL", api.base);
  while (api.base.ends_with('/')) api.base.pop_back();
  TRY(read_headers(node["headers"], api.headers));
  TRY(read_settings(node["settings"], source));
  TRY(check_places(node["base"], api.base, source));
  for (const auto& way : node["sign in"].items()) {
    source.sign_in.push_back(TRY(read_sign_in(way)));
    TRY(check_places(way, source.sign_in.back().token_url, source));
  }
  if (source.sign_in.empty()) return node.wrong("missing `sign in`: `none` where nobody is asked who he is");
  source.whoami = TRY(read_whoami(node["whoami"], service, source.settings));
  if (!node["paging"].is_absent()) source.paging = TRY(read_paging(node["paging"]));
  TRY(read_limits(node["limits"], api.limits));
  if (const auto in_flight = node["in flight"]; !in_flight.is_absent()) {
    const auto number = TRY(in_flight.integer());
    if (number < 1 || number > 64) return in_flight.wrong("`in flight` is 1 to 64");
    api.in_flight = static_cast<std::uint32_t>(number);
  }
  if (!node["error"].is_absent()) api.error = TRY(read_member(node, "error"));
  api.graphql_url = TRY(node.text_or("graphql url", api.graphql_url));
  return source;
}

// {email: key, start: date, end: date?}
Result<wire::CsvShape> read_csv_shape(const Yaml& node) {
  using Kind = wire::CsvShape::Kind;
  if (!node.is_map()) return node.wrong("`csv` is a map of fields: {{NAME: key, NAME: text, NAME: date, NAME: text?, NAME: date?}}");
  wire::CsvShape shape;
  bool has_key = false;
  for (const auto& [name, value] : node.members()) {
    auto word = TRY(value.text());
    wire::CsvShape::Field field{.name = name, .kind = Kind::text, .optional = word.ends_with('?')};
    if (field.optional) word.pop_back();
    if (word != "key" && word != "text" && word != "date") return value.wrong("`{}` is none of key, text and date", word);
    if (word == "date") field.kind = Kind::date;
    if (word == "key") field.kind = Kind::key;
    if (word == "key" && field.optional) return value.wrong("a key is never missing");
    has_key = has_key || word == "key";
    shape.fields.push_back(std::move(field));
  }
  if (!has_key) return node.wrong("no field is a `key`");
  return shape;
}

Result<wire::HttpOperation> read_http_operation(const Yaml& node, const Template& params, const HttpSource& source) {
  wire::HttpOperation operation;
  if (source.is_files()) {
    TRY(node.only({"operation", "csv"}));
    return operation;
  }
  const auto get = node["get"], post = node["post"], graphql = node["graphql"];
  if (int{get.is_absent()} + int{post.is_absent()} + int{graphql.is_absent()} != 2)
    return node.wrong("an operation has one of `get`, `post` and `graphql`");
  if (!node["body"].is_absent() && post.is_absent()) return node["body"].wrong("`body` goes with `post`");
  if (!graphql.is_absent()) {
    operation.method = "POST";
    operation.graphql = TRY(graphql.text());
  } else {
    operation.method = get.is_absent() ? "POST" : "GET";
    operation.url = TRY(read_url(get.is_absent() ? post : get));
    if (get.is_absent()) operation.body = node["body"].is_absent() ? Json(json::object()) : node["body"].to_json();
  }
  if (const auto paging = node["paging"]; !paging.is_absent()) {
    operation.paging = TRY(read_paging(paging));
  } else if (graphql.is_absent()) {
    operation.paging = source.paging;
  }
  if (operation.paging.style == wire::Paging::Style::link && !graphql.is_absent())
    return node["paging"].wrong("GraphQL has no Link header");
  TRY(read_total(node["total"], operation.paging));
  operation.answer = TRY(read_answer(node["answer"]));
  TRY(check_params(node, operation, params));
  return operation;
}

}  // namespace vouch::collect
