#include "collect/source_reading.h"

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

  // What the files say together: operations are read when the source's `api` is known, in whichever file it stands.
  SourceCatalog finish() {
    for (const auto& document : documents_) {
      if (auto result = read_operations(document); !result) problems_.push_back(std::move(result).error());
    }
    std::map<std::string, std::map<std::string, SourceOperation>> by_source;
    for (auto& [key, draft] : drafts_) by_source[key.first].emplace(key.second, std::move(draft.operation));
    SourceCatalog catalog;
    for (auto& [name, operations] : by_source) {
      Source source{.name = name, .http = {}, .operations = {}};
      if (const auto api = apis_.find(name); api != apis_.end()) source.http = api->second.http;
      put_in_order(operations, source);
      for (const auto& operation : source.operations) {
        if (source.http && operation.http) source.http->api.operations.emplace(operation.http->name, *operation.http);
      }
      if (check_whoami(source)) catalog.sources.push_back(std::move(source));
    }
    return catalog;
  }

 private:
  struct Document {
    Yaml yaml;
    std::string source, service;
    bool shipped;
  };
  struct Api {
    HttpSource http;
    bool shipped;
  };

  Result<> read_document(const CatalogFile& file, const std::string& source) {
    auto document = TRY(Yaml::parse(file.text, file.path));
    const bool is_http = source != aws_source;
    if (!document.is_map())
      return document.wrong("a source file is a map with `service`, {} and `operations`", is_http ? "`api`" : "`scope`");
    TRY(is_http ? document.only({"service", "api", "operations"}) : document.only({"service", "scope", "operations"}));
    auto service = TRY(document.text("service"));
    if (const auto api = document["api"]; !api.is_absent()) {
      const auto before = apis_.find(source);
      if (before != apis_.end() && before->second.shipped == file.shipped)
        return api.wrong("the `api` of `{}` stands at {} already", source, before->second.http.where);
      auto http = TRY(read_http_source(api, service));
      apis_.insert_or_assign(source, Api{std::move(http), file.shipped});
    }
    documents_.push_back({std::move(document), source, std::move(service), file.shipped});
    return {};
  }

  Result<> read_operations(const Document& document) {
    FileWords words{.service = document.service, .regional = false, .http = nullptr};
    if (document.source != aws_source) {
      const auto api = apis_.find(document.source);
      if (api == apis_.end()) return document.yaml.wrong("no file of `{}` says under `api` where it is", document.source);
      words.http = &api->second.http;
    } else {
      const auto scope = TRY(document.yaml.text_or("scope", "region"));
      if (scope != "global" && scope != "region") return document.yaml["scope"].wrong("`{}` is neither `global` nor `region`", scope);
      words.regional = scope == "region";
    }
    const auto operations = document.yaml["operations"];
    if (operations.is_absent() && !document.yaml["api"].is_absent()) return {};
    if (!operations.is_list()) return operations.wrong("`operations` is a list");
    for (const auto& node : operations.items()) {
      auto operation = read_operation(node, words);
      if (operation) {
        add(std::move(*operation), document.source, document.shipped);
      } else {
        problems_.push_back(std::move(operation).error());
      }
    }
    return {};
  }

  // Without it nobody could say whose evidence the source brings.
  bool check_whoami(const Source& source) {
    if (!source.http || source.http->whoami.operation.empty()) return true;
    const auto& wanted = source.http->whoami.operation;
    const auto* asked = source.find(wanted);
    if (asked && !asked->for_each && asked->after.empty()) return true;
    problems_.push_back({Errc::config, fmt::format("{}: `whoami` asks {}, {}", source.http->where, wanted,
                                                   asked ? "which waits for another operation" : "which no source file lists")});
    return false;
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
  std::vector<Document> documents_;
  std::map<std::string, Api> apis_;
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
