// collect/source_reading.h - the parts of a source file, read one by one. Of source*.cpp only.
#pragma once

#include "base/yaml.h"
#include "collect/source.h"

namespace vouch::collect {

// What operations of a file share.
struct FileWords {
  std::string service;
  bool regional = false;             // AWS
  const HttpSource* http = nullptr;  // of an HTTP API
};

// "ListUsers" or "iam:ListUsers", as a full name.
std::string full_name(std::string_view written, std::string_view service);

Result<SourceOperation> read_operation(const Yaml& node, const FileWords& words);

// `api:` of a file, and what of an operation only HTTP has.
Result<HttpSource> read_http_source(const Yaml& node, std::string_view service);
Result<wire::HttpOperation> read_http_operation(const Yaml& node, const Template& params, const HttpSource& source);

// What stands in a file: `csv:`.
Result<wire::CsvShape> read_csv_shape(const Yaml& node);

// A path as text, or the member of that name.
Result<Path> read_path(const Yaml& node);
Result<Path> read_path(const Yaml& node, std::string_view name);

// Expressions may only speak of what there is.
Result<> check_settings(const Yaml& node, const Expression& expression, const std::vector<std::string>& settings);

}  // namespace vouch::collect
