#include "wire/models.h"

#include "base/file.h"
#include "wire/embedded_models.h"
#include "wire/model_reader.h"

#include <zlib.h>
#include <cstdlib>

namespace vouch::wire {
namespace {

constexpr std::string_view kFormat = "vouch-models 1";

Result<std::string> read_gzip(const fs::path& path) {
  std::unique_ptr<gzFile_s, decltype(&gzclose)> file{gzopen(path.c_str(), "rb"), &gzclose};
  if (!file) return fail(Errc::io, "`{}`: {}", path.string(), errno_text(errno));
  std::string text;
  std::array<char, 1 << 16> buffer;
  for (;;) {
    const int got = gzread(file.get(), buffer.data(), buffer.size());
    if (got < 0) return fail(Errc::malformed, "`{}`: not gzip", path.string());
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > (std::size_t{256} << 20)) return fail(Errc::limit, "`{}`: model larger than 256 MiB", path.string());
  }
}

// `stem`.json.gz or `stem`.json; null when there is neither.
Result<Json> read_model_file(const fs::path& stem) {
  for (const char* ending : {".json.gz", ".json"}) {
    const fs::path path = stem.string() + ending;
    std::error_code ignored;
    if (!fs::is_regular_file(path, ignored)) continue;
    const auto text = TRY(read_gzip(path));  // gzread passes plain text through
    return TRY_WITHIN(parse_json(text, 256), "`{}`", path.string());
  }
  return Json(nullptr);
}

void merge_into(Json& base, const Json& extra) {
  if (!base.is_object() || !extra.is_object()) {
    base = extra;
    return;
  }
  for (const auto& [key, value] : extra.get_object()) merge_into(base.get_object()[key], value);
}

// The model of a service as botocore's loader would give it, from its newest version; null when the directory has no such service.
Result<Json> read_service(const fs::path& directory, std::string_view name) {
  const fs::path folder = directory / name;
  std::string newest;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator{folder, error})
    if (entry.is_directory() && entry.path().filename().string() > newest) newest = entry.path().filename().string();
  if (newest.empty()) return Json(nullptr);
  const fs::path version = folder / newest;
  auto model = TRY(read_model_file(version / "service-2"));
  if (model.is_null()) return model;
  if (const auto extras = TRY(read_model_file(version / "service-2.sdk-extras")); find(extras, "merge"))
    merge_into(model, *find(extras, "merge"));
  auto paginators = TRY(read_model_file(version / "paginators-1"));
  if (const auto extras = TRY(read_model_file(version / "paginators-1.sdk-extras")); find(extras, "merge"))
    merge_into(paginators, *find(extras, "merge"));
  if (const auto* pagination = find(paginators, "pagination")) model.as_object()["pagination"] = *pagination;
  if (auto rules = TRY(read_model_file(version / "endpoint-rule-set-1")); rules.is_object()) model.as_object()["rules"] = std::move(rules);
  return model;
}

}  // namespace

struct Models::State {
  std::string text;
  Digest digest;
  Json header;
  std::map<std::string, std::string_view, std::less<>> lines;  // of `text`, by service
  std::vector<fs::path> directories;
  std::map<std::string, std::unique_ptr<Service>, std::less<>> embedded, external;

  Result<const Service*> embedded_service(std::string_view name) {
    if (const auto at = embedded.find(name); at != embedded.end()) return at->second.get();
    const auto line = lines.find(name);
    if (line == lines.end()) return fail(Errc::not_found, "service `{}` is not among the embedded models", name);
    const auto model = TRY_WITHIN(parse_json(line->second, 256), "embedded model of `{}`", name);
    auto service = TRY_WITHIN(read_model(std::string{name}, model), "embedded model of `{}`", name);
    return embedded.emplace(name, std::move(service)).first->second.get();
  }

  Result<const Service*> external_service(std::string_view name) {
    if (const auto at = external.find(name); at != external.end()) return at->second.get();
    if (name.empty() || name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.") != std::string_view::npos || name.front() == '.')
      return fail(Errc::usage, "`{}` is no name of a service", name);
    for (const auto& directory : directories) {
      const auto model = TRY(read_service(directory, name));
      if (model.is_null()) continue;
      auto service = TRY_WITHIN(read_model(std::string{name}, model), "`{}`", (directory / name).string());
      return external.emplace(name, std::move(service)).first->second.get();
    }
    return fail(Errc::not_found,
                "no model of service `{}`: it is not embedded, nor in {}; set AWS_DATA_PATH to a directory of botocore's data", name,
                directories.empty() ? "any data directory" : fmt::format("`{}`", directories.front().string()));
  }
};

Models::Models(std::unique_ptr<State> state) : state_(std::move(state)) {}
Models::Models(Models&&) noexcept = default;
Models& Models::operator=(Models&&) noexcept = default;
Models::~Models() = default;

Result<Models> Models::from_text(std::string text) {
  auto state = std::make_unique<State>();
  state->text = std::move(text);
  state->digest = sha256(state->text);
  const std::string_view all = state->text;
  std::size_t end = all.find('\n');
  if (end == std::string_view::npos) return fail(Errc::malformed, "service models: no first line");
  state->header = TRY_WITHIN(parse_json(all.substr(0, end), 256), "service models: line 1");
  const auto* format = find_string(state->header, "format");
  const auto* names = find_array(state->header, "services");
  if (!format || *format != kFormat || !names) return fail(Errc::malformed, "service models: line 1 does not say `{}`", kFormat);
  for (const auto& name : *names) {
    const std::size_t begin = end + 1;
    end = begin <= all.size() ? all.find('\n', begin) : std::string_view::npos;
    if (!name.is_string() || end == std::string_view::npos)
      return fail(Errc::malformed, "service models: {} services are announced, the lines end before", names->size());
    state->lines.emplace(std::string{name.get_string()}, all.substr(begin, end - begin));
  }
  if (end + 1 != all.size()) return fail(Errc::malformed, "service models: lines behind the announced services");
  return Models{std::move(state)};
}

Result<Models> Models::open(std::vector<fs::path> data_directories) {
  auto models = TRY(from_text(TRY(embedded_models())));
  models.state_->directories = std::move(data_directories);
  return models;
}

std::vector<fs::path> Models::data_directories() {
  std::vector<fs::path> out;
  if (const char* paths = std::getenv("AWS_DATA_PATH")) {
    std::string_view rest = paths;
    while (!rest.empty()) {
      const auto colon = rest.find(':');
      if (colon != 0) out.emplace_back(rest.substr(0, colon));
      rest = colon == std::string_view::npos ? std::string_view{} : rest.substr(colon + 1);
    }
  }
  if (const char* home = std::getenv("HOME")) out.push_back(fs::path{home} / ".aws" / "models");
  return out;
}

Result<const Service*> Models::service(std::string_view name) {
  if (state_->lines.contains(name)) return state_->embedded_service(name);
  return state_->external_service(name);
}

Result<std::pair<const Service*, const Operation*>> Models::operation(std::string_view service, std::string_view operation) {
  if (state_->lines.contains(service)) {
    const auto* embedded = TRY(state_->embedded_service(service));
    if (const auto at = embedded->operations.find(operation); at != embedded->operations.end())
      return std::pair<const Service*, const Operation*>{embedded, at->second.get()};
    if (state_->directories.empty())
      return fail(Errc::not_found,
                  "operation `{}` of service `{}` is not among the embedded models; set AWS_DATA_PATH to a directory of botocore's data",
                  operation, service);
  }
  const auto* external = TRY(state_->external_service(service));
  return std::pair{external, TRY(external->operation(operation))};
}

std::vector<std::string> Models::embedded_services() const {
  std::vector<std::string> names;
  for (const auto& [name, line] : state_->lines) names.push_back(name);
  return names;
}

const std::string& Models::text() const { return state_->text; }
const Digest& Models::digest() const { return state_->digest; }

const Json& Models::partitions() const {
  static const Json none{nullptr};
  const auto* partitions = find(state_->header, "partitions");
  return partitions ? *partitions : none;
}

}  // namespace vouch::wire
