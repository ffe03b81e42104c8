// Runs a collection, and shows what one stored, for the tests in this folder.
//
//   collect_tool run HOME [REGION…]   makes the home when it is not there; prints the leaf, and what was not complete
//   collect_tool show HOME            one line of JSON for each operation of the last run: its manifest, each request with `value`,
//                                     its stored body parsed again
#include "collect/collect.h"
#include "collect/history.h"
#include "ledger/create.h"
#include "wire/aws_dialect.h"
#include "wire/parse.h"

#include <sys/resource.h>
#include <cstdio>

namespace vouch {
namespace {

wire::Models open_models() {
  auto models = wire::Models::open(wire::Models::data_directories());
  if (!models) throw std::runtime_error(models.error().message);
  return std::move(*models);
}

Result<> run(const fs::path& home, std::vector<std::string> regions) {
  if (!has_log(home)) {
    TRY(create_log(home, "example.org/vouch"));
    TRY(collect::make_secrets_key(home));
  }
  auto models = open_models();
  const auto catalog = TRY(read_catalog(home));
  Problems problems;
  auto sources = collect::read_source_catalog(catalog, problems);
  collect::check_against_models(sources, models, problems);
  for (const auto& problem : problems) fmt::print(stderr, "{}\n", problem.message);
  const auto settings = TRY(wire::Settings::load(wire::process_environment()));
  wire::FixedCredentials credentials(
      {.access_key_id = "AKIDEXAMPLE", .secret_access_key = "example", .session_token = {}, .expires = {}, .source = "test"});
  wire::CurlTransport transport;
  collect::Options options;
  options.home = home;
  options.secrets_key = TRY(collect::read_secrets_key(home));
  options.binary = "test";
  options.regions = std::move(regions);
  collect::Observer observer;
  const SystemClock clock;
  wire::AwsDialect dialect{models, settings, credentials, clock};
  const auto api = collect::aws_api(models, settings, options.regions.empty() ? "" : options.regions.front());
  const auto collection = TRY(collect::run(*sources.find("aws"), catalog, {*api, dialect, transport, models}, clock, options, observer));
  json::array incomplete;
  for (const auto& entry : collection.tree.entries) {
    if (entry.outcome == collect::Outcome::complete) continue;
    incomplete.push_back(json::object{
        {"operation", entry.operation}, {"region", entry.scope.region}, {"outcome", name_of(entry.outcome)}, {"reason", entry.reason}});
  }
  struct rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; };
  const json::object summary{{"leaf", TRY(parse_json(write(collection.leaf)))},
                             {"incomplete", incomplete},
                             {"unchanged", collection.unchanged},
                             {"cpu_seconds", seconds(usage.ru_utime) + seconds(usage.ru_stime)},
                             {"peak_kib", usage.ru_maxrss}};
  fmt::print("{}\n", json::serialize(summary));
  return {};
}

Result<> show(const fs::path& home) {
  auto models = open_models();
  const auto log = TRY(Reader::open(home));
  const auto leaf = TRY(collect::parse_collection_leaf(TRY(log.entry(LeafIndex{log.checkpoint().size.value - 1}))));
  const auto blobs = TRY(Blobs::open(home));
  const auto tree = TRY(collect::parse_tree(TRY(blobs.get(*leaf.tree))));
  for (const auto& entry : tree.entries) {
    const auto text = TRY(blobs.get(entry.manifest));
    auto manifest = TRY(parse_json(text));
    const auto colon = entry.operation.find(':');
    const auto [service, operation] = TRY(models.operation(entry.operation.substr(0, colon), entry.operation.substr(colon + 1)));
    for (auto& request : manifest.at("requests").as_array()) {
      const auto* body = find_string(request, "body");
      if (!body || find_string(request, "error")) continue;  // nothing was received, or a refusal
      const auto bytes = TRY(blobs.get(TRY(parse_digest(*body))));
      request.as_object()["value"] = TRY(wire::parse_answer(*service, *operation, 200, {}, bytes)).value;
    }
    manifest.as_object()["outcome"] = name_of(entry.outcome);
    manifest.as_object()["reason"] = entry.reason;
    fmt::print("{}\n", json::serialize(manifest));
  }
  return {};
}

}  // namespace
}  // namespace vouch

int main(int count, char** words) {
  const std::vector<std::string> given(words + 1, words + count);
  if (given.size() < 2 || (given[0] != "run" && given[0] != "show")) {
    fmt::print(stderr, "usage: collect_tool run HOME [REGION…] | show HOME\n");
    return 2;
  }
  const auto done = given[0] == "run" ? vouch::run(given[1], {given.begin() + 2, given.end()}) : vouch::show(given[1]);
  if (!done) fmt::print(stderr, "{}: {}\n", vouch::name_of(done.error().code), done.error().message);
  return done ? 0 : 1;
}
