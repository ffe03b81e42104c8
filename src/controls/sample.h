// A small world for this module's tests: nine tables as the catalogue describes them, and facts in them.
#pragma once

#include "controls/evaluate.h"

#include <gtest/gtest.h>

namespace vouch::controls {

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return *std::move(result);
}
inline void must(Result<> result) {
  if (!result) throw std::runtime_error(result.error().message);
}

inline Instant instant(std::string_view text) { return must(parse_instant(text)); }

inline CatalogFile own_file(std::string part, std::string text, bool shipped = true) {
  return {"catalog/" + part, part, std::move(text), shipped};
}

inline const facts::FactCatalog& sample_tables() {
  static const auto tables = [] {
    CatalogFiles files;
    files.files = {
        own_file("facts/aws/iam.yaml", R"(
- {table: aws_account, from: iam:GetAccountSummary, key: [account], columns: {users: integer Users}}
- {table: aws_iam_user, from: iam:ListUsers, rows: "Users[] as u", key: [account, user_id],
   columns: {user_id: text u.Id, user_name: text u.Name, console_access: boolean u.Console, mfa: boolean u.Mfa, created: time u.Created, last_used: time u.Used}}
- {table: aws_iam_access_key, from: iam:ListAccessKeys, rows: "Keys[] as k", key: [account, user_id, key_id],
   columns: {user_id: text k.User, key_id: text k.Id, active: boolean k.Active, created: time k.Created, last_used: time k.Used}}
)"),
        own_file("facts/aws/kms.yaml", R"(
- {table: aws_kms_key, from: kms:ListKeys, rows: "Keys[] as k", key: [account, region, key_id], columns: {key_id: text k.Id, arn: text k.Arn, manager: text k.Manager}}
)"),
        own_file("facts/aws/s3.yaml", R"(
- {table: aws_s3_bucket, from: s3:ListBuckets, rows: "Buckets[] as b", key: [account, bucket], columns: {bucket: text b.Name, created: time b.Date}}
- {table: aws_s3_bucket_encryption, from: s3:GetBucketEncryption, key: [account, bucket], columns: {bucket: text key.bucket, algorithm: text A, key_arn: text K}}
)"),
        own_file("facts/aws/code.yaml", R"(
- {table: code_repository, from: code:ListRepositories, rows: "R[] as r", key: [account, repository],
   columns: {repository: text r.Name, guarded: boolean r.Guarded}}
- {table: code_change, from: code:ListChanges, rows: "C[] as c", key: [account, repository, number], event: merged_at,
   columns: {repository: text c.Repository, number: integer c.Number, author: text c.Author, merged_at: time c.Merged, closed_at: time c.Closed}}
- {table: code_review, from: code:ListReviews, rows: "R[] as r", key: [account, repository, number, review_id], event: submitted_at,
   columns: {repository: text r.Repository, number: integer r.Number, review_id: integer r.Id, author: text r.Author, state: text r.State,
             submitted_at: time r.Submitted}}
)"),
        own_file("sources/aws/code.yaml",
                 "{service: code, scope: global, operations: [{operation: ListRepositories}, {operation: ListChanges}, {operation: "
                 "ListReviews}]}"),
        own_file("sources/aws/iam.yaml",
                 "{service: iam, scope: global, operations: [{operation: ListUsers}, {operation: ListAccessKeys}, {operation: "
                 "GetAccountSummary}]}"),
        own_file("sources/aws/kms.yaml", "{service: kms, scope: region, operations: [{operation: ListKeys}]}"),
        own_file("sources/aws/s3.yaml",
                 "{service: s3, scope: global, operations: [{operation: ListBuckets}, {operation: GetBucketEncryption}]}")};
    Problems problems;
    auto read = facts::read_fact_catalog(files, problems);
    if (!problems.empty()) throw std::runtime_error(problems[0].message);
    return read;
  }();
  return tables;
}

inline facts::Facts empty_world() { return must(facts::Facts::in_memory(sample_tables())); }

// One control file; `sql` is indented by two behind `population: |` and `fails: |`.
inline std::string control_text(const std::string& id, const std::string& population, const std::string& fails,
                                const std::string& more = "") {
  const auto block = [](std::string sql) {
    std::string text = "  ";
    for (const char c : sql) {
      text += c;
      if (c == '\n') text += "  ";
    }
    return text + "\n";
  };
  return "id: " + id + "\nkind: state\nstatement: It is so.\nseverity: high\n" + more + "population: |\n" + block(population) +
         "fails: |\n" + block(fails);
}

inline ControlCatalog read_one(const std::string& id, const std::string& text, Problems& problems) {
  CatalogFiles files;
  files.files = {own_file("controls/test/" + id + ".yaml", text)};
  return read_control_catalog(files, sample_tables(), problems);
}

// One control of kind event, read like the above.
inline Control sample_event(const std::string& population, const std::string& fails) {
  Problems problems;
  auto text = control_text("sample", population, fails);
  text.replace(text.find("kind: state"), 11, "kind: event");
  auto catalog = read_one("sample", text, problems);
  if (!problems.empty()) throw std::runtime_error(problems[0].message);
  return catalog.controls.at(0);
}

// A control that must be well formed.
inline Control sample_control(const std::string& population, const std::string& fails, const std::string& more = "") {
  Problems problems;
  auto catalog = read_one("sample", control_text("sample", population, fails, more), problems);
  if (!problems.empty()) throw std::runtime_error(problems[0].message);
  return catalog.controls.at(0);
}

inline const MemberVerdict* member_of(const ControlVerdict& verdict, const std::map<std::string, std::string>& key) {
  for (const auto& member : verdict.members)
    if (member.key == key) return &member;
  return nullptr;
}

}  // namespace vouch::controls
