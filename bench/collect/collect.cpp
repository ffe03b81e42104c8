// What it costs to take answers in: bench_collect, which asks the account that the environment points at for its buckets and all that the
// shipped catalogue asks of each, and keeps the answers in a home of its own. No facts, no verdicts. Prints one JSON object.
#include "collect/collect.h"
#include "base/catalog.h"
#include "base/file.h"
#include "collect/secrets.h"
#include "ledger/create.h"
#include "wire/aws_dialect.h"

#include <sys/resource.h>

namespace vouch::collect {
namespace {

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

// Of this program alone: ru_maxrss would count what the one that started it had.
double peak_mib() {
  const auto status = read_file("/proc/self/status", 1 << 20);
  const auto at = status ? status->find("VmHWM:") : std::string::npos;
  return at == std::string::npos ? 0 : static_cast<double>(std::atoll(status->c_str() + at + 6)) / 1024;
}

Result<std::uint64_t> bytes_in(const fs::path& folder) {
  std::uint64_t bytes = 0;
  for (const auto& file : fs::directory_iterator(folder)) bytes += file.file_size();
  return bytes;
}

Result<Json> measure() {
  const auto& files = shipped_catalog();
  auto models = TRY(wire::Models::open(wire::Models::data_directories()));
  Problems problems;
  auto sources = read_source_catalog(files, problems);
  check_against_models(sources, models, problems);
  const auto* aws = sources.find("aws");
  if (!aws) return fail(Errc::config, "no source `aws`");
  auto source = *aws;
  std::erase_if(source.operations, [](const SourceOperation& operation) { return operation.service != "s3"; });

  const TemporaryDirectory folder;
  const auto home = folder.path() / "home";
  TRY(create_log(home, "vouch/bench"));
  TRY(make_secrets_key(home));
  const auto settings = TRY(wire::Settings::load(wire::process_environment()));
  const SystemClock clock;
  wire::CurlTransport transport, sign_in{wire::credential_http_limits()};
  wire::CredentialChain credentials(settings, sign_in, models);
  wire::AwsDialect dialect(models, settings, credentials, clock);
  const auto api = aws_api(models, settings, "");
  Options options;
  options.home = home;
  options.secrets_key = TRY(read_secrets_key(home));
  options.binary = "bench";
  Observer nobody;

  const auto cpu = cpu_seconds();
  const auto began = std::chrono::steady_clock::now();
  const auto collection = TRY(run(source, files, {*api, dialect, transport, models}, clock, options, nobody));
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - began;
  const auto& leaf = collection.leaf;
  return Json(json::object{{"outcome", name_of(leaf.outcome)},
                           {"reason", leaf.reason},
                           {"answers", leaf.counts.requests},
                           {"bodies", leaf.counts.new_bodies},
                           {"cpu_s", cpu_seconds() - cpu},
                           {"wall_s", wall.count()},
                           {"stored_bytes", TRY(bytes_in(home / "blobs"))},
                           {"peak_mib", peak_mib()}});
}

}  // namespace
}  // namespace vouch::collect

int main() {
  const auto measured = vouch::collect::measure();
  if (!measured) {
    fmt::print(stderr, "bench_collect: {}\n", measured.error().message);
    return 1;
  }
  fmt::print("{}\n", vouch::json::serialize(*measured));
  return 0;
}
