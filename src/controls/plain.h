// The slow, simple second implementation: plain tables that hold what was true at T, the author's SQL run over them as it stands, and
// verdicts put together member by member. For this module's tests.
#pragma once

#include "controls/sample.h"

#include <rapidcheck.h>
#include <set>

namespace vouch::controls {

using Key = std::map<std::string, std::string>;

struct Row {
  std::string table;
  std::map<std::string, std::string> values;
  Instant from, to;
};

struct History {
  std::vector<Row> rows;
  std::vector<facts::Hole> holes;
};

inline const auto day_zero = instant("2026-03-01");
inline Instant day(int n) { return n >= 9 ? Instant::infinity() : day_zero + Duration::days(n); }
inline std::string of(const std::vector<std::string>& choices) {
  return choices[static_cast<std::size_t>(*rc::gen::inRange<int>(0, static_cast<int>(choices.size())))];
}

// Versions of one resource: adjoining, with gaps, or none at all.
template <class Values>
void versions(History& history, const std::string& table, const Values& values) {
  int at = *rc::gen::inRange(0, 9);
  while (at < 9 && *rc::gen::inRange(0, 3) != 0) {
    const int to = *rc::gen::inRange(at + 1, 10);
    history.rows.push_back({table, values(), day(at), day(to)});
    at = to + *rc::gen::inRange(0, 2);
  }
}

inline History some_history() {
  History history;
  for (const auto* account : {"1", "2"}) {
    for (const auto* bucket : {"a", "b", "c"}) {
      versions(history, "aws_s3_bucket", [&] {
        return std::map<std::string, std::string>{
            {"account", account}, {"bucket", bucket}, {"created", to_string(day(*rc::gen::inRange(0, 8)))}};
      });
      versions(history, "aws_s3_bucket_encryption", [&] {
        std::map<std::string, std::string> values{{"account", account}, {"bucket", bucket}, {"algorithm", of({"aws:kms", "AES256"})}};
        if (*rc::gen::inRange(0, 3)) values["key_arn"] = of({"k1", "k2"});
        return values;
      });
    }
    for (const auto* user : {"u1", "u2", "u3"}) {
      versions(history, "aws_iam_user", [&] {
        std::map<std::string, std::string> values{{"account", account}, {"user_id", user}, {"user_name", of({"x", "y"})}};
        if (*rc::gen::inRange(0, 3)) values["mfa"] = of({"true", "false"});
        return values;
      });
    }
    for (const auto* key : {"k1", "k2"})
      versions(history, "aws_kms_key", [&] {
        return std::map<std::string, std::string>{
            {"account", account}, {"region", "eu"}, {"key_id", key}, {"arn", of({"k1", "k2"})}, {"manager", of({"CUSTOMER", "AWS"})}};
      });
  }
  const int holes = *rc::gen::inRange(0, 7);
  for (int i = 0; i < holes; ++i) {
    facts::Hole hole;
    hole.table = of({"aws_s3_bucket", "aws_s3_bucket_encryption", "aws_kms_key", "aws_iam_user"});
    const int width = *rc::gen::inRange(0, 3);
    if (width > 0) hole.key["account"] = of({"1", "2", "3"});
    if (width > 1 && hole.table.starts_with("aws_s3")) hole.key["bucket"] = of({"a", "b", "z"});
    if (width > 1 && hole.table == "aws_iam_user") hole.key["user_id"] = of({"u1", "u9"});
    if (width > 1 && hole.table == "aws_kms_key") hole.key["region"] = of({"eu", "us"});
    const int from = *rc::gen::inRange(0, 8);
    hole.from = day(from), hole.to = day(*rc::gen::inRange(from + 1, 10));
    hole.reason = "hole " + std::to_string(i);
    history.holes.push_back(std::move(hole));
  }
  return history;
}

inline void fill(facts::Facts& facts, const History& history) {
  for (const auto& table : sample_tables().tables) must(facts.store().execute("delete from " + table.name));
  must(facts.store().execute("delete from vouch.hole"));
  facts.changed();
  for (const auto& row : history.rows) must(facts.insert(row.table, row.values, row.from, row.to));
  for (const auto& hole : history.holes) must(facts.insert(hole));
}

// A database in which nothing is temporal.
inline table::Store plain_tables(const History& history, Instant at) {
  auto store = must(table::Store::in_memory());
  for (const auto& table : sample_tables().tables) {
    std::string columns;
    for (const auto& [name, type] : table.on_disk()) {
      static constexpr std::string_view types[] = {"text", "bigint", "double", "boolean", "timestamptz", "json"};
      columns += fmt::format("{}{} {}", columns.empty() ? "" : ", ", name, types[static_cast<std::size_t>(type)]);
    }
    must(store.execute(fmt::format("create table {}({})", table.name, columns)));
  }
  for (const auto& row : history.rows) {
    if (!(row.from <= at && at < row.to)) continue;
    std::string names, places;
    std::vector<table::Value> values;
    for (const auto& [name, value] : row.values) {
      names += (names.empty() ? "" : ", ") + name;
      places += places.empty() ? "?" : ", ?";
      values.emplace_back(value);
    }
    must(store.execute(fmt::format("insert into {}({}) values ({})", row.table, names, places), values));
  }
  return store;
}

inline std::set<Key> keys_of(const table::Rows& rows, const std::vector<std::string>& key) {
  std::set<Key> keys;
  for (const auto& row : rows.rows) {
    Key one;
    for (std::size_t i = 0; i < rows.columns.size(); ++i)
      if (std::find(key.begin(), key.end(), rows.columns[i]) != key.end()) one[rows.columns[i]] = table::to_text(row[i]);
    keys.insert(one);
  }
  return keys;
}

}  // namespace vouch::controls
