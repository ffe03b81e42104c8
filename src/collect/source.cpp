#include "collect/source.h"

#include "base/yaml.h"
#include "wire/models.h"

#include <map>
#include <set>

namespace vouch::collect {

namespace {

struct Draft {
  SourceOperation operation;
  std::string source;
  bool shipped = true;
};

using DraftKey = std::pair<std::string, std::string>;  // source, "service:Operation"

// "ListUsers" or "iam:ListUsers", as a full name.
std::string full_name(std::string_view written, std::string_view service) {
  return written.find(':') == std::string_view::npos ? fmt::format("{}:{}", service, written) : std::string(written);
}

// "bucket in ListBuckets.Buckets[]", "t in ecs:ListClusters.clusterArns[]".
Result<ForEach> read_for_each(const Yaml& node, std::string_view service) {
  const auto text = TRY(node.text());
  const auto in = text.find(" in ");
  const auto variable = in == std::string::npos ? std::string() : text.substr(0, in);
  const auto listing = in == std::string::npos ? std::string_view() : std::string_view(text).substr(in + 4);
  const auto dot = listing.find('.');
  if (variable.empty() || variable.find_first_of(" .[]$:") != std::string::npos || dot == 0 || dot == std::string_view::npos) {
    return node.wrong("`{}` is not of the form `VAR in OPERATION.PATH[]`", text);
  }
  auto path = parse_path(listing.substr(dot + 1));
  if (!path) return node.wrong("{}", path.error().message);
  if (path->back().kind != Step::Kind::all)
    return node.wrong("`{}` does not end in `[]`: one request is made for each element of a list", text);
  return ForEach{.variable = variable, .operation = full_name(listing.substr(0, dot), service), .path = std::move(*path)};
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
  for (const auto& item : node.items()) {
    auto path = parse_path(TRY(item.text()));
    if (!path) return item.wrong("{}", path.error().message);
    paths.push_back(std::move(*path));
  }
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

// Expressions may only speak of what there is.
Result<> check_roots(const Yaml& node, const std::vector<Expression>& expressions, const SourceOperation& operation) {
  for (const auto& expression : expressions) {
    const auto& root = expression.root;
    const bool of_place = root == "account" || root == "partition" || (root == "region" && operation.regional);
    const bool of_parent = operation.for_each && (root == operation.for_each->variable || root == "params" || root == "key");
    if (!of_place && !of_parent) return node.wrong("`${}` is not known here", root);
  }
  return {};
}

Result<SourceOperation> read_operation(const Yaml& node, std::string_view service, bool regional) {
  if (!node.is_map()) return node.wrong("an operation is a map that begins with `operation: NAME`");
  TRY(node.only(
      {"operation", "for each", "params", "key", "region", "absent", "gone", "volatile", "sets", "secret", "until", "after", "only in"}));
  SourceOperation operation;
  operation.service = service;
  operation.operation = TRY(node.text("operation"));
  operation.regional = regional;
  operation.where = node["operation"].where();
  if (const auto written = node["for each"]; !written.is_absent()) operation.for_each = TRY(read_for_each(written, service));
  operation.params = TRY(read_template(node["params"], "params"));
  TRY(check_roots(node["params"], operation.params.expressions(), operation));
  operation.key = TRY(read_template(node["key"], "key"));
  TRY(check_roots(node["key"], operation.key.expressions(), operation));
  if (const auto written = node["region"]; !written.is_absent()) {
    auto expression = parse_expression(TRY(written.text()));
    if (!expression) return written.wrong("{}", expression.error().message);
    TRY(check_roots(written, {*expression}, operation));
    operation.region = std::move(*expression);
  }
  operation.absent = TRY(read_texts(node["absent"]));
  operation.gone = TRY(read_texts(node["gone"]));
  operation.volatiles = TRY(read_paths(node["volatile"]));
  operation.sets = TRY(read_paths(node["sets"]));
  operation.secrets = TRY(read_paths(node["secret"]));
  operation.until = TRY(read_until(node["until"]));
  if (const auto after = TRY(node.text_or("after", "")); !after.empty()) operation.after = full_name(after, service);
  operation.only_in = TRY(read_texts(node["only in"]));
  if (!operation.only_in.empty() && !regional) return node["only in"].wrong("`only in` is for operations that are asked by region");
  return operation;
}

class Reading {
 public:
  explicit Reading(Problems& problems) : problems_(problems) {}

  void read_file(const CatalogFile& file) {
    // sources/<source>/<anything>.yaml
    const auto inner = std::string_view(file.part).substr(std::string_view("sources/").size());
    const auto slash = inner.find('/');
    if (slash == 0 || slash == std::string_view::npos) {
      problems_.push_back(
          {Errc::config, fmt::format("{}:1: a source file stands in a folder that names its source: sources/aws/s3.yaml", file.path)});
      return;
    }
    if (auto result = read_document(file, std::string(inner.substr(0, slash))); !result) problems_.push_back(std::move(result).error());
  }

  SourceCatalog finish() {
    std::map<std::string, std::map<std::string, SourceOperation>> by_source;
    for (auto& [key, draft] : drafts_) by_source[key.first].emplace(key.second, std::move(draft.operation));
    SourceCatalog catalog;
    for (auto& [name, operations] : by_source) {
      Source source{.name = name, .operations = {}};
      put_in_order(operations, source);
      catalog.sources.push_back(std::move(source));
    }
    return catalog;
  }

 private:
  Result<> read_document(const CatalogFile& file, const std::string& source) {
    const auto document = TRY(Yaml::parse(file.text, file.path));
    if (!document.is_map()) return document.wrong("a source file is a map with `service`, `scope` and `operations`");
    TRY(document.only({"service", "scope", "operations"}));
    const auto service = TRY(document.text("service"));
    const auto scope = TRY(document.text_or("scope", "region"));
    if (scope != "global" && scope != "region") return document["scope"].wrong("`{}` is neither `global` nor `region`", scope);
    const auto operations = document["operations"];
    if (!operations.is_list()) return operations.wrong("`operations` is a list");
    for (const auto& node : operations.items()) {
      auto operation = read_operation(node, service, scope == "region");
      if (operation) {
        add(std::move(*operation), source, file.shipped);
      } else {
        problems_.push_back(std::move(operation).error());
      }
    }
    return {};
  }

  void add(SourceOperation operation, const std::string& source, bool shipped) {
    DraftKey key{source, operation.name()};
    const auto before = drafts_.find(key);
    if (before != drafts_.end() && before->second.shipped == shipped) {
      problems_.push_back(
          {Errc::config, fmt::format("{}: {} stands at {} already", operation.where, operation.name(), before->second.operation.where)});
      return;
    }
    drafts_.insert_or_assign(std::move(key), Draft{std::move(operation), source, shipped});
  }

  // Depth first: each behind what it needs. An operation on a circle, or one that needs what is not there, is left out.
  void put_in_order(const std::map<std::string, SourceOperation>& operations, Source& source) {
    enum class Mark { none, open, placed, left_out };
    std::map<std::string, Mark> marks;
    const std::function<bool(const SourceOperation&)> place = [&](const SourceOperation& operation) {
      auto& mark = marks[operation.name()];
      if (mark == Mark::placed) return true;
      if (mark == Mark::left_out) return false;
      const auto leave_out = [&](std::string why) {
        problems_.push_back({Errc::config, fmt::format("{}: {}", operation.where, why)});
        marks[operation.name()] = Mark::left_out;
        return false;
      };
      mark = Mark::open;
      for (const auto& needed : needs(operation)) {
        const auto found = operations.find(needed);
        if (found == operations.end())
          return leave_out(fmt::format("{} needs {}, which no source file of `{}` lists", operation.name(), needed, source.name));
        if (!operation.regional && found->second.regional) {
          return leave_out(
              fmt::format("{} is asked once an account, so it can't need {}, which is asked by region", operation.name(), needed));
        }
        if (marks[needed] == Mark::open)
          return leave_out(fmt::format("{} needs {}, which needs it in turn: a circle", operation.name(), needed));
        if (!place(found->second)) return leave_out(fmt::format("{} needs {}, which can't be used", operation.name(), needed));
      }
      source.operations.push_back(operation);
      marks[operation.name()] = Mark::placed;
      return true;
    };
    for (const auto& [name, operation] : operations) place(operation);
  }

  static std::vector<std::string> needs(const SourceOperation& operation) {
    std::vector<std::string> names;
    if (operation.for_each) names.push_back(operation.for_each->operation);
    if (!operation.after.empty()) names.push_back(operation.after);
    return names;
  }

  Problems& problems_;
  std::map<DraftKey, Draft> drafts_;
};

}  // namespace

const SourceOperation* Source::find(std::string_view wanted) const {
  const auto found = std::ranges::find_if(operations, [&](const SourceOperation& operation) { return operation.name() == wanted; });
  return found == operations.end() ? nullptr : &*found;
}

const Source* SourceCatalog::find(std::string_view name) const {
  const auto found = std::ranges::find(sources, name, &Source::name);
  return found == sources.end() ? nullptr : &*found;
}

SourceCatalog read_source_catalog(const CatalogFiles& files, Problems& problems) {
  Reading reading(problems);
  for (const auto* file : files.in("sources")) reading.read_file(*file);
  return reading.finish();
}

}  // namespace vouch::collect
