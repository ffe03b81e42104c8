// One operation of a source file.
#include "collect/source_reading.h"

namespace vouch::collect {

namespace {

// "bucket in ListBuckets.Buckets[]", "t in ecs:ListClusters.clusterArns[]", "repo in repositories[]".
Result<ForEach> read_for_each(const Yaml& node, const FileWords& words) {
  const auto text = TRY(node.text());
  const auto in = text.find(" in ");
  const auto variable = in == std::string::npos ? std::string() : text.substr(0, in);
  const auto listing = in == std::string::npos ? std::string_view() : std::string_view(text).substr(in + 4);
  const auto end = listing.find_first_of(".[");
  if (variable.empty() || variable.find_first_of(" .[]$:") != std::string::npos || end == 0 || end == std::string_view::npos) {
    return node.wrong("`{}` is not of the form `VAR in OPERATION.PATH[]`", text);
  }
  auto path = parse_path(listing.substr(listing[end] == '.' ? end + 1 : end));
  if (!path) return node.wrong("{}", path.error().message);
  // Of AWS the models tell whether it is one value; of others nobody does.
  if (words.http && path->back().kind != Step::Kind::all)
    return node.wrong("`{}` does not end in `[]`: one request is made for each element of a list", text);
  return ForEach{.variable = variable, .operation = full_name(listing.substr(0, end), words.service), .path = std::move(*path)};
}

Result<Template> read_template(const Yaml& node, std::string_view what) {
  if (node.is_absent()) return Template();
  if (!node.is_map()) return node.wrong("`{}` is a map", what);
  auto made = Template::make(node.to_json());
  if (!made) return node.wrong("{}", made.error().message);
  return std::move(*made);
}

Result<std::vector<Path>> read_paths(const Yaml& node) {
  std::vector<Path> paths;
  if (node.is_absent()) return paths;
  for (const auto& item : node.items()) paths.push_back(TRY(read_path(item)));
  return paths;
}

Result<std::vector<std::string>> read_texts(const Yaml& node) {
  if (node.is_absent()) return std::vector<std::string>{};
  return node.texts();
}

Result<std::optional<std::pair<Path, Json>>> read_until(const Yaml& node) {
  if (node.is_absent()) return std::nullopt;
  if (!node.is_map() || node.members().size() != 1) return node.wrong("`until` is a map of one path and the value it must have");
  const auto [name, value] = node.members().front();
  auto path = parse_path(name);
  if (!path) return value.wrong("{}", path.error().message);
  if (!value.is_scalar()) return value.wrong("`until` compares with a text, a number or a boolean");
  return std::pair(std::move(*path), value.to_json());
}

Result<std::optional<Increment>> read_increment(const Yaml& node) {
  if (node.is_absent()) return std::nullopt;
  if (!node.is_map()) return node.wrong("`increment` is a map: {{items: PATH[], by: PATH}}");
  TRY(node.only({"items", "by"}));
  Increment increment;
  increment.items = TRY(read_path(node, "items"));
  increment.by = TRY(read_path(node, "by"));
  if (increment.items.back().kind != Step::Kind::all) return node["items"].wrong("`{}` does not end in `[]`", to_string(increment.items));
  const auto is_member = [](const Step& step) { return step.kind == Step::Kind::member; };
  if (!std::all_of(increment.items.begin(), increment.items.end() - 1, is_member))
    return node["items"].wrong("`{}`: one list of each answer is read newest first", to_string(increment.items));
  return increment;
}

// Expressions may only speak of what there is.
Result<> check_roots(const Yaml& node, const std::vector<Expression>& expressions, const SourceOperation& operation,
                     const FileWords& words) {
  for (const auto& expression : expressions) {
    const auto& root = expression.root;
    if (root == "settings" && words.http) {
      TRY(check_settings(node, expression, words.http->settings));
      continue;
    }
    const bool of_place = root == "account" || (!words.http && root == "partition") || (root == "region" && operation.regional);
    const bool of_parent = operation.for_each && (root == operation.for_each->variable || root == "params" || root == "key");
    if (!of_place && !of_parent) return node.wrong("`${}` is not known here", root);
  }
  return {};
}

Result<> check_words(const Yaml& node, const FileWords& words) {
  if (words.http) {
    return node.only({"operation", "action",  "for each", "again for", "params", "key",       "get",      "post",
                      "body",      "graphql", "paging",   "csv",       "total",  "answer",    "absent",   "gone",
                      "volatile",  "sets",    "secret",   "until",     "after",  "increment", "remembers"});
  }
  return node.only({"operation", "action", "for each", "again for", "params", "key", "region", "recorded as", "only if", "absent", "gone",
                    "volatile", "sets", "secret", "until", "after", "only in", "remembers"});
}

// {$organization.MasterAccountId: $account}
Result<std::vector<Template>> read_only_if(const Yaml& node) {
  std::vector<Template> pairs;
  if (node.is_absent()) return pairs;
  if (!node.is_map()) return node.wrong("`only if` is a map of what must say the same");
  for (const auto& [left, right] : node.members()) {
    auto pair = Template::make(json::object{{"left", left}, {"right", TRY(right.text())}});
    if (!pair) return right.wrong("{}", pair.error().message);
    pairs.push_back(std::move(*pair));
  }
  return pairs;
}

Result<> read_again_for(const Yaml& node, SourceOperation& operation) {
  if (node.is_absent()) return {};
  if (!operation.for_each) return node.wrong("`again for` goes on from the elements of a `for each`");
  operation.again_for = TRY(read_path(node));
  if (operation.again_for->back().kind != Step::Kind::all) return node.wrong("`{}` does not end in `[]`", to_string(*operation.again_for));
  return {};
}

Result<> read_place(const Yaml& node, const FileWords& words, SourceOperation& operation) {
  if (const auto written = node["region"]; !written.is_absent()) {
    auto expression = parse_expression(TRY(written.text()));
    if (!expression) return written.wrong("{}", expression.error().message);
    TRY(check_roots(written, {*expression}, operation, words));
    operation.region = std::move(*expression);
  }
  operation.only_in = TRY(read_texts(node["only in"]));
  if (!operation.only_in.empty() && !operation.regional)
    return node["only in"].wrong("`only in` is for operations that are asked by region");
  return {};
}

}  // namespace

std::string full_name(std::string_view written, std::string_view service) {
  return written.find(':') == std::string_view::npos ? fmt::format("{}:{}", service, written) : std::string(written);
}

Result<Path> read_path(const Yaml& node) {
  auto path = parse_path(TRY(node.text()));
  if (!path) return node.wrong("{}", path.error().message);
  return std::move(*path);
}

Result<Path> read_path(const Yaml& node, std::string_view name) {
  const auto written = node[name];
  if (written.is_absent()) return node.wrong("missing `{}`", name);
  return read_path(written);
}

Result<> check_settings(const Yaml& node, const Expression& expression, const std::vector<std::string>& settings) {
  if (expression.path.size() == 1 && std::ranges::find(settings, expression.path.front().member) != settings.end()) return {};
  return node.wrong("`$settings.{}`: the source's `settings` are {}", to_string(expression.path),
                    settings.empty() ? "none" : fmt::format("`{}`", fmt::join(settings, "`, `")));
}

Result<SourceOperation> read_operation(const Yaml& node, const FileWords& words) {
  if (!node.is_map()) return node.wrong("an operation is a map that begins with `operation: NAME`");
  TRY(check_words(node, words));
  SourceOperation operation;
  operation.service = words.service;
  operation.operation = TRY(node.text("operation"));
  operation.regional = words.regional;
  operation.where = node["operation"].where();
  operation.actions = TRY(read_texts(node["action"]));
  if (operation.actions.empty() && !words.http) operation.actions.push_back(operation.name());
  if (const auto written = node["for each"]; !written.is_absent()) operation.for_each = TRY(read_for_each(written, words));
  TRY(read_again_for(node["again for"], operation));
  operation.params = TRY(read_template(node["params"], "params"));
  TRY(check_roots(node["params"], operation.params.expressions(), operation, words));
  operation.key = TRY(read_template(node["key"], "key"));
  TRY(check_roots(node["key"], operation.key.expressions(), operation, words));
  operation.recorded = TRY(read_template(node["recorded as"], "recorded as"));
  TRY(check_roots(node["recorded as"], operation.recorded.expressions(), operation, words));
  operation.only_if = TRY(read_only_if(node["only if"]));
  for (const auto& pair : operation.only_if) TRY(check_roots(node["only if"], pair.expressions(), operation, words));
  TRY(read_place(node, words, operation));
  operation.absent = TRY(read_texts(node["absent"]));
  operation.gone = TRY(read_texts(node["gone"]));
  operation.volatiles = TRY(read_paths(node["volatile"]));
  operation.sets = TRY(read_paths(node["sets"]));
  operation.secrets = TRY(read_paths(node["secret"]));
  operation.until = TRY(read_until(node["until"]));
  if (const auto after = TRY(node.text_or("after", "")); !after.empty()) operation.after = full_name(after, words.service);
  if (words.http) {
    operation.http = TRY(read_http_operation(node, operation.params, *words.http));
    // Files of one source may speak of several services; to the API they are all its own.
    if (words.http->is_files()) operation.csv = TRY(read_csv_shape(node["csv"]));
    operation.http->name = words.service == words.http->api.service ? operation.operation : operation.name();
  }
  operation.increment = TRY(read_increment(node["increment"]));
  if (operation.increment && operation.again_for)
    return node["increment"].wrong("what is asked `again for` its own elements is no increment");
  if (const auto remembers = node["remembers"]; !remembers.is_absent()) {
    const auto length = parse_duration(TRY(remembers.text()));
    if (!length || length->micros <= 0) return remembers.wrong("`remembers` is how far back the provider still tells: `180d`");
    operation.remembers = *length;
  }
  return operation;
}

}  // namespace vouch::collect
