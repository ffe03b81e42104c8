#include "wire/file_dialect.h"

#include "base/digest.h"
#include "wire/document.h"

#include <chrono>
#include <thread>

namespace vouch::wire {
namespace {

constexpr std::size_t kMostBytes = std::size_t{64} << 20;
constexpr std::size_t kLongestReason = 300;
constexpr std::string_view kScheme = "file:";
// As HTTP would say it, so that what is kept of an answer is kept alike.
constexpr int kOk = 200, kMissing = 404, kUnreadable = 500, kMalformed = 422;

Answer answer_of(int status, std::string body) {
  Answer answer;
  answer.status = status;
  answer.body = std::move(body);
  answer.endpoint = kScheme;
  return answer;
}

Answer read(const CsvFile& file) {
  const auto name = file.path.filename().string();
  std::error_code error;
  const auto written = fs::last_write_time(file.path, error);
  if (error == std::errc::no_such_file_or_directory) return answer_of(kMissing, fmt::format("there is no {}", name));
  const auto text =
      error ? Result<std::string>{fail(Errc::io, "`{}`: {}", file.path.string(), error.message())} : read_file(file.path, kMostBytes);
  if (!text) return answer_of(kUnreadable, fmt::format("{} can't be read, or is larger than 64 MiB", name));
  auto rows = read_csv(*text, file.shape, file.mapping);
  if (!rows) return answer_of(kMalformed, fmt::format("{}:{}", name, rows.error().message));
  const auto since_1970 = std::chrono::file_clock::to_sys(written).time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_1970).count();
  const Json document(json::object{{"file", file.path.filename().string()},
                                   {"written", to_string(Instant{seconds * 1'000'000})},
                                   {"sha256", to_hex(sha256(*text))},
                                   {"rows", std::move(*rows)}});
  return answer_of(kOk, json::serialize(document));
}

class FileExchange final : public Exchange {
 public:
  explicit FileExchange(std::string operation) : operation_(std::move(operation)) {}

  Result<HttpRequest> prepare(const Validator*, Duration) override {
    return HttpRequest{.method = "GET", .url = std::string{kScheme} + operation_, .headers = {}, .body = {}};
  }

  Result<Understood> understand(const Answer& answer, Duration) override {
    if (answer.status == kOk) return Understood{.value = TRY(parse_document(answer.body, AnswerKind::json))};
    return Understood{.error = ServiceError{Heard::failed, answer.body.substr(0, kLongestReason), answer.body}};
  }
  bool correct(const Answer&, ServiceError&) override { return false; }
  Result<Turn> turn(const Answer&, const Understood&) override { return Turn{}; }
  [[nodiscard]] Closed closed(Duration) const override { return {}; }
  [[nodiscard]] bool overridden() const override { return false; }

 private:
  std::string operation_;
};

}  // namespace

Place FileDialect::place(const Call& call) const {
  return {.queue = call.operation, .host = std::string{kScheme}, .throughput = call.service, .in_flight = 1};
}

std::unique_ptr<Exchange> FileDialect::begin(const Call& call) { return std::make_unique<FileExchange>(call.operation); }

Transport::Id FileTransport::submit(HttpRequest request, Done done) {
  waiting_.emplace(next_, std::pair{std::move(request), std::move(done)});
  return next_++;
}

void FileTransport::cancel(Id id) { waiting_.erase(id); }

void FileTransport::step(Duration longest) {
  if (waiting_.empty()) {
    std::this_thread::sleep_for(std::chrono::microseconds(longest.micros));
    return;
  }
  auto node = waiting_.extract(waiting_.begin());
  auto& [request, done] = node.mapped();
  const auto file = files_.find(std::string_view{request.url}.substr(kScheme.size()));
  done(file == files_.end() ? answer_of(kMissing, "vouch.yaml names no file for it") : read(file->second));
}

Duration FileTransport::elapsed() const {
  return {std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch()).count()};
}

}  // namespace vouch::wire
