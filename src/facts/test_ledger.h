// facts/test_ledger.h - a home whose ledger a test writes by hand: what a provider answered, run by run. For tests and benchmarks only.
#pragma once

#include "facts/replay.h"
#include "ledger/append.h"
#include "ledger/create.h"
#include "ledger/evidence.h"

#include <stdexcept>

namespace vouch::facts::test {

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return *std::move(result);
}
inline void must(Result<> result) {
  if (!result) throw std::runtime_error(result.error().message);
}
inline Instant at(std::string_view text) { return must(parse_instant(text)); }

// One page: an answer with a body, or an error that is an absence, a "gone" or a hole.
struct Answer {
  std::string body;
  std::string absent, gone, denied, failed;  // error codes; at most one is set
  std::optional<std::uint64_t> total = {};   // of a last page
};

struct Request {
  std::string params = "{}";
  std::string key;  // canonical JSON, or empty
  std::vector<Answer> pages;
};

struct Asked {
  std::string operation;
  std::string region;
  std::vector<Request> requests;
  evidence::Outcome outcome = evidence::Outcome::complete;
  std::string reason = {};
  bool adds = false;   // an increment: to what the run before stored
  bool keeps = false;  // or leaves that as it is
};

struct Collected {
  Instant started;
  std::vector<Asked> asked;
  std::string account = "1";
  Duration schedule = Duration::days(1);
  std::string failed = {};  // why there is no tree; empty: there is one
  Duration length = Duration::minutes(1);
  bool simulated = false;
  std::string source = "aws";
};

// When operation number `place` of a run is asked: one after the other, a second apart, half a second long.
inline Instant asked_at(const Collected& run, std::size_t place) {
  return run.started + Duration::seconds(static_cast<std::int64_t>(place) + 1);
}
inline Instant answered_at(const Collected& run, std::size_t place) { return asked_at(run, place) + Duration{500'000}; }

inline const wire::Models& models() {
  static const auto loaded = must(wire::Models::open());
  return loaded;
}

class Home {
 public:
  Home() {
    must(create_log(path(), "example.com/test"));
    auto pack = must(PackWriter::start(path()));
    const evidence::CatalogLeaf leaf{must(pack.add("catalogue")), must(pack.add(models().text())), "test"};
    must(pack.finish());
    append(evidence::write(leaf));
  }

  [[nodiscard]] const fs::path& path() const { return folder_.path(); }
  [[nodiscard]] Reader reader() const { return must(Reader::open(path())); }
  [[nodiscard]] Blobs blobs() const { return must(Blobs::open(path())); }

  // Writes what collect would have written. The operations of a run stand in the tree's order.
  void collect(const Collected& run) {
    auto pack = must(PackWriter::start(path()));
    evidence::CollectionLeaf leaf;
    leaf.run = fmt::format("{}-{:08x}", to_string(run.started), ++runs_);
    leaf.source = run.source;
    leaf.account = run.account;
    leaf.partition = run.account.empty() || run.source != "aws" ? "" : "aws";
    leaf.identity = run.account.empty() ? "" : fmt::format("arn:aws:iam::{}:user/collector", run.account);
    leaf.schedule = run.schedule;
    leaf.started = run.started;
    leaf.ended = run.started + run.length;
    leaf.simulated = run.simulated;
    leaf.outcome = run.failed.empty() ? evidence::Outcome::complete : evidence::Outcome::failed;
    leaf.reason = run.failed;
    if (run.failed.empty()) {
      evidence::Tree tree{run.source, run.account, {}};
      evidence::Times times;
      for (std::size_t place = 0; place < run.asked.size(); ++place) {
        const auto& asked = run.asked[place];
        if (asked.outcome != evidence::Outcome::complete) {
          leaf.outcome = evidence::Outcome::partial;
          leaf.reason = "something was not answered";
        }
        auto manifest = manifest_of(asked, pack);
        auto& stored = manifests[asked.operation + asked.region];
        if (asked.adds) manifest.base = stored;
        if (!asked.keeps) stored = must(pack.add(evidence::write(manifest)));
        tree.entries.push_back({{asked.region}, asked.operation, asked.outcome, asked.reason, stored});
        times.push_back({asked_at(run, place), answered_at(run, place)});
      }
      leaf.tree = must(pack.add(evidence::write(tree)));
      leaf.times = must(pack.add(evidence::write(times)));
      leaf.receipts = must(pack.add(evidence::write(evidence::Receipts{"test", {}, {}})));
    }
    must(pack.finish());
    append(evidence::write(leaf));
  }

  void decide(const evidence::ScopeLeaf& scope) { append(evidence::write(scope)); }

  std::map<std::string, Digest> manifests;  // of the last run, by operation and region

 private:
  static evidence::Manifest manifest_of(const Asked& asked, PackWriter& pack) {
    evidence::Manifest manifest{asked.operation, {asked.region}, {}};
    for (const auto& request : asked.requests)
      for (std::uint32_t page = 0; page < request.pages.size(); ++page) {
        const auto& answer = request.pages[page];
        evidence::Entry entry;
        entry.params = request.params;
        entry.key = request.key;
        entry.page = page;
        if (!answer.denied.empty() || !answer.failed.empty()) {
          entry.status = 403;
          entry.error = answer.denied.empty() ? answer.failed : answer.denied;
          entry.hole = answer.denied.empty() ? evidence::Hole::failed : evidence::Hole::denied;
        } else if (!answer.absent.empty() || !answer.gone.empty()) {
          entry.status = 404;
          entry.error = answer.absent.empty() ? answer.gone : answer.absent;
          (answer.absent.empty() ? entry.gone : entry.absent) = true;
        } else {
          entry.status = 200;
          entry.body = must(pack.add(answer.body));
          entry.content = sha256("content of " + answer.body);
          entry.total = answer.total;
        }
        manifest.requests.push_back(std::move(entry));
      }
    manifest.sort();
    return manifest;
  }

  void append(const std::string& entry) {
    auto log = must(Appender::open(path()));
    must(log.append(std::span{&entry, 1}));
    must(log.close());
  }

  TemporaryDirectory folder_;
  unsigned runs_ = 0;
};

inline FactCatalog catalog_of(std::string_view facts) {
  CatalogFiles files;
  files.files = {
      {"facts.yaml", "facts/aws/test.yaml", std::string{facts}, true},
      {"s3.yaml", "sources/aws/s3.yaml",
       "{service: s3, scope: global, operations: [{operation: ListBuckets}, {operation: GetBucketPolicy}, {operation: "
       "GetBucketVersioning}]}",
       true},
      {"logs.yaml", "sources/aws/logs.yaml", "{service: logs, scope: region, operations: [{operation: DescribeLogGroups}]}", true}};
  Problems problems;
  auto catalog = read_fact_catalog(files, problems);
  if (!problems.empty()) throw std::runtime_error(problems[0].message);
  return catalog;
}

// Tables of an HTTP source with a listing of repositories, an incremental one of the pulls of each, and one of the reviews of each pull.
inline FactCatalog http_catalog_of(std::string_view facts) {
  CatalogFiles files;
  files.files = {{"facts.yaml", "facts/hub/test.yaml", std::string{facts}, true},
                 {"hub.yaml", "sources/hub/hub.yaml", R"(
service: hub
operations:
  - {operation: repositories, get: /repos}
  - operation: pulls
    for each: r in repositories[]
    get: /pulls
    increment: {items: 'answer[]', by: updated}
  - {operation: reviews, for each: 'p in pulls[]', get: /reviews}
  - {operation: people, get: /people, answer: csv}
)",
                  true}};
  Problems problems;
  auto catalog = read_fact_catalog(files, problems);
  if (!problems.empty()) throw std::runtime_error(problems[0].message);
  return catalog;
}

// Three tables that between them have a paged listing by region with a `latest` column, a listing, and a request for each of its elements.
inline FactCatalog small_catalog() {
  return catalog_of(R"(
- table: aws_logs_log_group
  from: logs:DescribeLogGroups
  rows: logGroups[] as g
  key: [account, region, log_group]
  latest: [stored]
  columns: {log_group: text g.logGroupName, retention: integer g.retentionInDays, stored: integer g.storedBytes}
- table: aws_s3_bucket
  from: s3:ListBuckets
  rows: Buckets[] as b
  key: [account, bucket]
  born: created
  columns: {bucket: text b.Name, created: time b.CreationDate}
- table: aws_s3_bucket_policy
  from: s3:GetBucketPolicy
  key: [account, bucket]
  columns: {bucket: text key.bucket, policy: json json(Policy)}
)");
}

struct Group {
  std::string name;
  int retention = 0;
  int stored = 0;
};
inline Answer groups(const std::vector<Group>& groups) {
  json::array list;
  for (const auto& group : groups)
    list.push_back(json::object{{"logGroupName", group.name}, {"retentionInDays", group.retention}, {"storedBytes", group.stored}});
  return {json::serialize(json::object{{"logGroups", std::move(list)}}), "", "", "", ""};
}
inline Answer buckets(const std::vector<std::string>& names) {
  std::string body = "<ListAllMyBucketsResult><Buckets>";
  for (const auto& name : names)
    body += fmt::format("<Bucket><Name>{}</Name><CreationDate>2026-01-01T00:00:00.000Z</CreationDate></Bucket>", name);
  return {body + "</Buckets></ListAllMyBucketsResult>", "", "", "", ""};
}
inline Request policy_of(const std::string& bucket, Answer answer) {
  return {fmt::format(R"({{"Bucket":"{}"}})", bucket), fmt::format(R"({{"bucket":"{}"}})", bucket), {std::move(answer)}};
}
inline Answer policy(int version) { return {fmt::format(R"({{"Version":"{}"}})", version), "", "", "", ""}; }
inline Answer broken_policy() { return {"not JSON", "", "", "", ""}; }
inline Answer no_policy() { return {"", "NoSuchBucketPolicy", "", "", ""}; }
inline Answer bucket_gone() { return {"", "", "NoSuchBucket", "", ""}; }
inline Answer denied() { return {"", "", "", "AccessDenied", ""}; }

}  // namespace vouch::facts::test
