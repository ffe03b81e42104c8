#include "cli/file_access.h"

#include "wire/file_dialect.h"

#include <algorithm>

namespace vouch::cli {
namespace {

struct FileSettings {
  Json settings = json::object();
  wire::CsvFiles files;
};

Result<char> read_separator(const Yaml& node) {
  if (node.is_absent()) return ',';
  const auto text = TRY(node.text());
  if (text.size() != 1 || std::string_view{",;|\t"}.find(text[0]) == std::string_view::npos)
    return node.wrong("`{}` is no separator: one of `,`, `;`, `|` and a tab (\"\\t\")", text);
  return text[0];
}

Result<std::string> read_dates(const Yaml& node) {
  if (node.is_absent()) return std::string{"YYYY-MM-DD"};
  auto text = TRY(node.text());
  std::string letters = text;
  std::erase_if(letters, [](char c) { return c == '-' || c == '.' || c == '/' || c == ' '; });
  for (const auto* order : {"YYYYMMDD", "DDMMYYYY", "MMDDYYYY"})
    if (letters == order) return text;
  return node.wrong("`{}` is no way to write dates: YYYY, MM and DD, as in DD.MM.YYYY", text);
}

Result<wire::CsvMapping> read_mapping(const Yaml& node, const wire::CsvShape& shape) {
  wire::CsvMapping mapping;
  const auto columns = node["columns"];
  if (!columns.is_absent() && !columns.is_map()) return columns.wrong("`columns` is a map: {{FIELD: title of its column}}");
  for (const auto& [name, value] : columns.members()) {
    const auto is_it = [&](const wire::CsvShape::Field& field) { return field.name == name; };
    if (std::ranges::none_of(shape.fields, is_it)) {
      std::vector<std::string> names;
      for (const auto& field : shape.fields) names.push_back(field.name);
      return value.wrong("there is no field `{}`; there is {}", name, fmt::join(names, ", "));
    }
    mapping.columns.emplace(name, TRY(value.text()));
  }
  if (!node["ignore"].is_absent()) mapping.ignored = TRY(node["ignore"].texts());
  mapping.separator = TRY(read_separator(node["separator"]));
  mapping.dates = TRY(read_dates(node["dates"]));
  return mapping;
}

Result<FileSettings> read_files(const SourceSettings& said, const collect::Source& source, const fs::path& home) {
  const auto& node = said.said;
  std::vector<std::string_view> words{"on", "every", "file", "columns", "ignore", "separator", "dates"};
  for (const auto& name : source.http->settings) words.push_back(name);
  for (const auto& [name, value] : node.members())
    if (std::ranges::find(words, std::string_view{name}) == words.end())
      return value.wrong("unknown key `{}`; known here: {}", name, fmt::join(words, ", "));
  if (source.operations.size() != 1 || !source.operations.front().csv) return node.wrong("`{}` is not one file", source.name);
  const auto& operation = source.operations.front();
  FileSettings settings;
  auto mapping = TRY(read_mapping(node, *operation.csv));
  if (!said.on) return settings;
  for (const auto& name : source.http->settings) settings.settings.get_object()[name] = TRY(node.text(name));
  settings.files.emplace(operation.http->name, wire::CsvFile{home / TRY(node.text("file")), *operation.csv, std::move(mapping)});
  return settings;
}

class FileAccess final : public SourceAccess {
 public:
  FileAccess(FileSettings settings, const collect::Source& source, wire::Models& models)
      : models_(models), transport_(std::move(settings.files)), api_(collect::http_api(source, std::move(settings.settings))) {}
  [[nodiscard]] collect::Access access() override { return {*api_, dialect_, transport_, models_}; }

 private:
  wire::Models& models_;
  wire::FileDialect dialect_;
  wire::FileTransport transport_;
  std::unique_ptr<collect::Api> api_;
};

}  // namespace

Result<> check_file_source(const SourceSettings& said, const collect::Source& source) {
  TRY(read_files(said, source, {}));
  return {};
}

Result<std::unique_ptr<SourceAccess>> open_file_source(const SourceSettings& said, const collect::Source& source, wire::Models& models,
                                                       const fs::path& home) {
  return std::make_unique<FileAccess>(TRY(read_files(said, source, home)), source, models);
}

}  // namespace vouch::cli
