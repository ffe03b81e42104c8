// wire/file_dialect.h - lists that nobody serves: a file of this machine, read as if it were an API's answer.
//
// An operation is one CSV file (wire/csv.h). Its answer is a document that says which file it was, when it was last written, what its bytes
// hash to, and its rows as declared: {"file", "written", "sha256", "rows": [...]}. Columns that nobody declared are not in it.
//
// A file that is not there, can't be read (or is larger than 64 MiB) or is not as declared is a failure and never an absence. The reason
// takes the place of an error's code, so that it is told wherever the failure is: "people.csv:6: tells again of what line 4 tells".
#pragma once

#include "base/file.h"
#include "wire/csv.h"
#include "wire/dialect.h"
#include "wire/http.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace vouch::wire {

struct CsvFile {
  fs::path path = {};
  CsvShape shape = {};
  CsvMapping mapping = {};
};

using CsvFiles = std::map<std::string, CsvFile, std::less<>>;  // by operation

// Requests name an operation; FileTransport answers them.
class FileDialect final : public Dialect {
 public:
  [[nodiscard]] Place place(const Call& call) const override;
  std::unique_ptr<Exchange> begin(const Call& call) override;
};

class FileTransport final : public Transport {
 public:
  explicit FileTransport(CsvFiles files) : files_(std::move(files)) {}
  Id submit(HttpRequest request, Done done) override;
  void cancel(Id id) override;
  void step(Duration longest) override;
  [[nodiscard]] Duration elapsed() const override;

 private:
  CsvFiles files_;
  std::map<Id, std::pair<HttpRequest, Done>> waiting_ = {};
  Id next_ = 1;
};

}  // namespace vouch::wire
