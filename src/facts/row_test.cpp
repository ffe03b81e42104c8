#include "facts/row.h"

#include "facts/test_ledger.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace vouch::facts::test {
namespace {

rc::Gen<table::Value> any_value() {
  return rc::gen::oneOf(rc::gen::just(table::Value{}), rc::gen::map(rc::gen::arbitrary<bool>(), [](bool v) { return table::Value{v}; }),
                        rc::gen::map(rc::gen::arbitrary<std::int64_t>(), [](std::int64_t v) { return table::Value{v}; }),
                        rc::gen::map(rc::gen::arbitrary<double>(), [](double v) { return table::Value{v}; }),
                        rc::gen::map(rc::gen::arbitrary<std::string>(), [](const std::string& v) { return table::Value{v}; }),
                        rc::gen::map(rc::gen::arbitrary<std::int64_t>(), [](std::int64_t v) { return table::Value{Instant{v}}; }));
}

RC_GTEST_PROP(Row, gives_back_the_values_that_were_packed, ()) {
  const auto values = *rc::gen::container<std::vector<table::Value>>(any_value());
  std::string packed;
  for (const auto& value : values) pack(packed, value);
  CellReader cells{packed};
  for (const auto& value : values) RC_ASSERT(cells.next() == value);
  RC_ASSERT(cells.done());
}

Result<std::vector<Row>> rows(std::string_view columns, std::string_view answer) {
  static std::vector<std::unique_ptr<FactCatalog>> kept;
  kept.push_back(std::make_unique<FactCatalog>(
      catalog_of(fmt::format("- {{table: t, from: s3:ListBuckets, rows: 'L[] as l', key: [k], columns: {}}}", columns))));
  const auto& table = kept.back()->tables.at(0);
  return rows_of(table, Shape{table}, must(parse_json(answer)), {});
}

// The second column of the only row, whose type and value are given.
std::string cell(std::string_view type, std::string_view value) {
  const auto found = rows(fmt::format("{{k: text l.k, x: {} l.x}}", type), fmt::format(R"({{"L": [{{"k": "1", "x": {}}}]}})", value));
  if (!found) return "! " + found.error().message;
  CellReader cells{found->at(0).values};
  cells.skip();
  const auto read = cells.next();
  return std::holds_alternative<std::monostate>(read) ? "-" : table::to_text(read);
}

TEST(Row, takes_each_column_as_its_type) {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"text", R"("a")", "a"},
      {"text", "5", "5"},
      {"text", "true", "true"},
      {"text", R"({"b": 1, "a": 2})", R"({"a":2,"b":1})"},
      {"text", R"("")", ""},
      {"text", "null", "-"},
      {"integer", "5", "5"},
      {"integer", "5.0", "5"},
      {"integer", R"("-7")", "-7"},
      {"integer", R"("N/A")", "-"},
      {"integer", "5.5", "! t.x: `5.5` is not of type integer"},
      {"integer", R"("many")", "! t.x: `many` is not of type integer"},
      {"number", "0.5", "0.5"},
      {"number", R"("0.25")", "0.25"},
      {"number", "[]", "! t.x: `[]` is not of type number"},
      {"boolean", "true", "true"},
      {"boolean", R"("TRUE")", "true"},
      {"boolean", R"("false")", "false"},
      {"boolean", R"("not_supported")", "-"},
      {"boolean", R"("yes")", "! t.x: `yes` is not of type boolean"},
      {"boolean", "1", "! t.x: `1` is not of type boolean"},
      {"time", R"("2026-03-01T09:00:00+00:00")", "2026-03-01T09:00:00Z"},
      {"time", R"("2026-03-01T09:00:00.25Z")", "2026-03-01T09:00:00.25Z"},
      {"time", "1772355600", "2026-03-01T09:00:00Z"},
      {"time", "1772355600250", "2026-03-01T09:00:00.25Z"},
      {"time", R"("N/A")", "-"},
      {"time", R"("no_information")", "-"},
      {"time", R"("")", "-"},
      {"time", R"("soon")", "! t.x: `soon` is not of type time"},
      {"json", R"({"b": 1, "a": [true]})", R"({"a":[true],"b":1})"},
      {"json", R"("a")", R"("a")"},
      {"json", "null", "-"},
  };
  for (const auto& [type, value, expected] : cases) EXPECT_EQ(cell(type, value), expected) << type << " " << value;
}

TEST(Row, of_one_key_is_told_once_and_the_last_stands) {
  const auto found = must(rows("{k: text l.k, x: integer l.x}", R"({"L": [{"k": "a", "x": 1}, {"k": "b", "x": 2}, {"k": "a", "x": 3}]})"));
  ASSERT_EQ(found.size(), 2u);
  CellReader cells{found[1].values};
  EXPECT_EQ(cells.next(), table::Value{std::string{"a"}});
  EXPECT_EQ(cells.next(), table::Value{std::int64_t{3}});
}

TEST(Row, without_a_key_makes_the_answer_malformed) {
  const auto found = rows("{k: text l.k}", R"({"L": [{"k": "a"}, {"k": null}]})");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::malformed);
  EXPECT_EQ(found.error().message, "t: a row without k, which is part of its key");
}

TEST(Row, with_text_that_is_not_utf8_makes_the_answer_malformed) {
  EXPECT_FALSE(rows("{k: text urldecode(l.k)}", R"({"L": [{"k": "%FF"}]})"));
  EXPECT_FALSE(rows("{k: text urldecode(l.k)}", R"({"L": [{"k": "%ED%A0%80"}]})"));
  EXPECT_FALSE(rows("{k: text urldecode(l.k)}", R"({"L": [{"k": "%C3"}]})"));
  EXPECT_TRUE(rows("{k: text urldecode(l.k)}", R"({"L": [{"k": "%C3%A4%F0%9F%98%80"}]})"));
}

// What an HTTP source's table makes of an answer: its cells, "-" for NULL, or what is wrong.
std::string strictly(std::string_view table, std::string_view answer) {
  const auto catalog = http_catalog_of(fmt::format("- {{table: t, from: hub:pulls, {}}}", table));
  const auto found = rows_of(catalog.tables.at(0), Shape{catalog.tables[0]}, must(parse_json(answer)), {});
  if (!found) return "! " + found.error().message;
  std::string text;
  for (const auto& row : *found) {
    for (CellReader cells{row.values}; !cells.done();) {
      const auto value = cells.next();
      text += (text.empty() ? "" : " ") + (std::holds_alternative<std::monostate>(value) ? "-" : table::to_text(value));
    }
  }
  return text;
}

TEST(Row, of_an_http_source_must_have_all_that_its_table_reads) {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"rows: 'answer[] as p', key: [n], columns: {n: text p.n, x: text p.a.b}", R"([{"n": 1, "a": {"b": "x"}}])", "1 x"},
      {"rows: '[] as p', key: [n], columns: {n: text p.n}", R"([{"n": 1}, {"n": 2}])", "1 2"},
      {"rows: 'answer[] as p', key: [n], columns: {n: text p.n}", "[]", ""},
      // A member that is not there is a changed API; null is an answer, and so is null on the way.
      {"rows: 'answer[] as p', key: [n], columns: {n: text p.n, x: text p.a.b}", R"([{"n": 1, "a": {}}])", "! answered without p.a.b"},
      {"rows: 'answer[] as p', key: [n], columns: {n: text p.n, x: text p.a.b}", R"([{"n": 1}])", "! answered without p.a"},
      {"rows: 'answer[] as p', key: [n], columns: {n: text p.n, x: text p.a.b}", R"([{"n": 1, "a": {"b": null}}])", "1 -"},
      {"rows: 'answer[] as p', key: [n], columns: {n: text p.n, x: text p.a.b}", R"([{"n": 1, "a": null}])", "1 -"},
      {"rows: 'answer[] as p', key: [n], columns: {n: text p.n, x: text p.a.b}", R"([{"n": 1, "a": "text"}])", "! answered without p.a.b"},
      {"rows: 'answer[] as p', key: [n], columns: {n: text p.n, x: 'text? p.a.b'}", R"([{"n": 1}])", "1 -"},
      {"rows: 'answer[] as p', key: [n], columns: {n: text p.n, x: text key.gone}", R"([{"n": 1}])", "1 -"},
      {"rows: 'answer[] as p', key: [n], columns: {n: text p.n, x: 'text coalesce(p.a, p.b)'}", R"([{"n": 1, "b": 2}])", "1 2"},
      {"rows: 'answer[] as p', key: [n], columns: {n: text p.n, x: 'text coalesce(p.a, p.b)'}", R"([{"n": 1, "b": null}])", "1 -"},
      {"rows: 'answer[] as p', key: [n], columns: {n: text p.n, x: 'text coalesce(p.a, p.b)'}", R"([{"n": 1}])", "! answered without p.a"},
      {"rows: 'answer[] as p', key: [n], columns: {n: text p.n, x: 'text lower(p.a)'}", R"([{"n": 1}])", "! answered without p.a"},
      // A list that is not there is no empty table, and neither is null in its place.
      {"rows: 'data.nodes[] as p', key: [n], columns: {n: text p.n}", R"({"data": {"nodes": [{"n": 1}]}})", "1"},
      {"rows: 'data.nodes[] as p', key: [n], columns: {n: text p.n}", R"({"data": {"edges": []}})", "! answered without data.nodes"},
      {"rows: 'data.nodes[] as p', key: [n], columns: {n: text p.n}", R"({"data": {"nodes": null}})", "! answered without data.nodes"},
      {"rows: 'data.nodes[] as p', key: [n], columns: {n: text p.n}", R"({"nodes": []})", "! answered without data"},
      {"rows: 'data.nodes[] as p', key: [n], columns: {n: text p.n}", R"([])", "! answered without data"},
      {"rows: 'answer[] as p', key: [n], columns: {n: text p.n}", R"({"message": "moved"})", "! t: `answer` is not a list"},
      {"rows: 'answer[] as p, p.labels[] as l', key: [n], columns: {n: text p.n, x: text l}", R"([{"n": 1}])",
       "! answered without p.labels"},
      {"rows: 'answer[] as p, p.labels[]? as l', key: [n], columns: {n: text p.n, x: text l}", R"([{"n": 1}, {"n": 2, "labels": ["a"]}])",
       "2 a"},
      {"rows: 'answer[].labels[] as l', key: [n], columns: {n: text l}", R"([{"labels": ["a"]}, {}])",
       "! answered without answer[].labels"},
      {"key: [n], columns: {n: text answer.id}", R"({"id": 7})", "7"},
  };
  for (const auto& [table, answer, expected] : cases) EXPECT_EQ(strictly(table, answer), expected) << table << " " << answer;
}

TEST(Row, of_csv_must_have_the_columns_that_its_table_reads) {
  const auto table = "rows: 'csv(answer)[] as line', key: [n], columns: {n: text line.id, x: text line.mail}";
  EXPECT_EQ(strictly(table, R"("id,mail\n1,a@b\n")"), "1 a@b");
  EXPECT_EQ(strictly(table, R"("id,email\n1,a@b\n")"), "! answered without line.mail");
  EXPECT_EQ(strictly(table, R"("")"), "");
}

}  // namespace
}  // namespace vouch::facts::test
