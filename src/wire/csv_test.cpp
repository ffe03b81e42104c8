#include "wire/csv.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace vouch::wire {
namespace {

const CsvShape people{{{"email", CsvShape::Kind::key, false}, {"start", CsvShape::Kind::date, false}, {"end", CsvShape::Kind::date, true}}};

std::string read(std::string_view text, const CsvMapping& mapping = {}) {
  const auto rows = read_csv(text, people, mapping);
  return rows ? json::serialize(*rows) : rows.error().message;
}

TEST(Csv, is_rows_with_the_declared_names) {
  EXPECT_EQ(read("email,start,end\na@x,2026-03-01,\nb@x,2026-03-02,2026-04-01\n"),
            R"([{"email":"a@x","start":"2026-03-01","end":null},{"email":"b@x","start":"2026-03-02","end":"2026-04-01"}])");
  EXPECT_EQ(
      read("\xef\xbb\xbfWork mail;First day;Salary\r\n\"a@x\";01.03.2026;\"1\n2\"\r\n\r\n",
           {.columns = {{"email", "Work mail"}, {"start", "First day"}}, .ignored = {"Salary"}, .separator = ';', .dates = "DD.MM.YYYY"}),
      R"([{"email":"a@x","start":"2026-03-01","end":null}])");
}

TEST(Csv, that_is_not_as_declared_is_an_error_with_its_line_and_never_an_empty_list) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", "1: has no record"},
      {"email,start\n", "1: has no record"},
      {"mail,start\na@x,2026-03-01\n", "1: no column `email` for `email`; there is `mail`, `start`"},
      {"email,start,salary\na@x,2026-03-01,1\n", "1: nobody said what column `salary` is"},
      {"email,start,start\na@x,2026-03-01,1\n", "1: two columns are called `start`"},
      {"email,start\na@x,2026-03-01\nA@x,2026-03-01\n", "3: tells again of what line 2 tells"},
      {"email,start\n,2026-03-01\n", "2: `email` is empty"},
      {"email,start\na@x,2026-02-30\n", "2: `start` is no date as YYYY-MM-DD"},
      {"email,start\na@x,01.03.2026\n", "2: `start` is no date"},
      {"email,start\na@x\n", "2: has 1 fields, and the first line has 2"},
      {"email,start\n\"a\n@x,2026-03-01\n", "2: a quote is never closed"},
      {"email,start\n\"a\"b,2026-03-01\n", "2: there is text behind a closing quote"},
      {"email,start\na\"b,2026-03-01\n", "2: a quote in the middle of a field"},
      {"email,start\n\"a\nb\",2026-03-01\nc\xe4,2026-03-01\n", "4: is not UTF-8"},
      {std::string_view("\xff\xfe"
                        "e\0m\0",
                        6),
       "1: is UTF-16"},
      {std::string_view("email,start\na\0,2026-03-01\n", 25), "2: has a NUL"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(read(text).find(expected), 0u) << text << "\n" << read(text);
}

TEST(Csv, says_nothing_of_the_people_in_an_error) {
  EXPECT_EQ(read("email,start\nsecret-person,not a date\n").find("secret"), std::string::npos);
  EXPECT_EQ(read("email,start\nsecret-person,2026-03-01\nsecret-person,2026-03-01\n").find("secret"), std::string::npos);
}

RC_GTEST_PROP(Csv, what_is_quoted_comes_back_as_it_was, ()) {
  const auto width = *rc::gen::inRange<std::size_t>(2, 5);
  const auto cell = rc::gen::container<std::string>(rc::gen::elementOf(std::string{"ab,\";\n\r x"}));
  const auto rows = *rc::gen::nonEmpty(
      rc::gen::container<std::vector<std::vector<std::string>>>(rc::gen::container<std::vector<std::string>>(width, cell)));
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += i ? ",\"" : "\"";
      for (const char c : row[i]) text += c == '"' ? std::string{"\"\""} : std::string{c};
      text += '"';
    }
    text += *rc::gen::element("\n", "\r\n");
  }
  const auto records = parse_csv_records(text);
  RC_ASSERT(records.has_value());
  RC_ASSERT(records->size() == rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) RC_ASSERT((*records)[i].fields == rows[i]);
}

}  // namespace
}  // namespace vouch::wire
