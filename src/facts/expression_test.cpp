#include "facts/expression.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace vouch::facts {
namespace {

const Json answer = *parse_json(R"({
  "Name": "one", "Big": 9007199254740993, "Ratio": 0.5, "On": true, "Off": false, "Nothing": null, "Empty": [],
  "Words": ["a", "b"], "Map": {"x": 1, "y": "2"}, "Deep": {"List": [{"Id": "first"}, {"Id": "second"}]},
  "Policy": "%7B%22Version%22%3A%222012%22%2C%22S%22%3A%5B1%5D%7D", "Plain": "{\"Version\":\"2012\"}",
  "Blob": "dXNlcixtZmEKYSx0cnVlCg==", "One": {"Sid": "s"}, "Many": [{"Sid": "s"}, {"Sid": "t"}], "Arn": "arn:aws:iam::1:user/ann",
  "Tags": [{"Key": "Owner", "Value": "ann"}, {"Key": "Team", "Value": "core"}],
  "small": [{"key": "k", "value": "v"}], "kms": [{"TagKey": "k", "TagValue": "v"}], "tagmap": {"k": "v"}, "Wörter": "ÄÖ"
})");

Frame frame() {
  static const Json key = *parse_json(R"({"bucket": "b"})"), params = *parse_json(R"({"Bucket": "p"})");
  Frame frame;
  frame.answer = &answer;
  frame.key = &key;
  frame.params = &params;
  frame.account = "111122223333";
  frame.region = "eu-central-1";
  frame.partition = "aws";
  return frame;
}

// What the expression gives, as JSON text; "-" when it is not there, "! why" for a problem.
std::string evaluated(std::string_view text) {
  const auto expression = Expression::parse(text);
  if (!expression) return "? " + expression.error().message;
  auto context = frame();
  const auto* value = expression->evaluate(context);
  if (!context.problem.empty()) return "! " + context.problem;
  return value ? *canonical(*value) : "-";
}

TEST(Expression, finds_and_makes_values) {
  const std::pair<const char*, const char*> cases[] = {
      {"Name", R"("one")"},
      {"Big", "9007199254740993"},
      {"Nothing", "-"},
      {"Absent", "-"},
      {"Absent.Deeper[3].Still", "-"},
      {"Name.Of", "-"},
      {"Deep.List[1].Id", R"("second")"},
      {"Deep.List[2].Id", "-"},
      {"Map.'x'", "1"},
      {"'it''s'", R"("it's")"},
      {"17", "17"},
      {"true", "true"},
      {"key.bucket", R"("b")"},
      {"params.Bucket", R"("p")"},
      {"account", R"("111122223333")"},
      {"region", R"("eu-central-1")"},
      {"partition", R"("aws")"},
      {"json(Plain).Version", R"("2012")"},
      {"json(urldecode(Policy))", R"({"S":[1],"Version":"2012"})"},
      {"json(urldecode(Policy)).S[0]", "1"},
      {"json(urldecode(Plain)).Version", R"("2012")"},
      {"json(Name)", "! a text that should hold JSON: "},
      {"json(Absent)", "-"},
      {"json('')", "-"},
      {"urldecode('100%')", R"("100%")"},
      {"urldecode('a+b%2Bc')", R"("a+b+c")"},
      {"base64(Blob)", R"("user,mfa\na,true\n")"},
      {"base64(Name)", "! a text that should be base64: "},
      {"csv(base64(Blob))", R"([{"mfa":"true","user":"a"}])"},
      {"csv('')", "[]"},
      {"csv('a,b\n1')", R"([{"a":"1"}])"},
      {"array(One)", R"([{"Sid":"s"}])"},
      {"array(Many)[1].Sid", R"("t")"},
      {"array(Absent)", "-"},
      {"entries(Map)", R"([{"key":"x","value":1},{"key":"y","value":"2"}])"},
      {"entries(Words)", "! entries() of something that is not a map"},
      {"entries(Absent)", "-"},
      {"tag(Tags, 'Team')", R"("core")"},
      {"tag(Tags, 'team')", "-"},
      {"tag(small, 'k')", R"("v")"},
      {"tag(kms, 'k')", R"("v")"},
      {"tag(tagmap, 'k')", R"("v")"},
      {"tag(Absent, 'k')", "-"},
      {"tag(Name, 'k')", "! tag() of something that is not a list"},
      {"concat('arn:', partition, ':s3:::', key.bucket)", R"("arn:aws:s3:::b")"},
      {"concat('n', Big, On, Ratio)", R"("n9007199254740993true0.5")"},
      {"concat('a', Absent)", "-"},
      {"lower('AbC-Ä')", R"("abc-Ä")"},
      {"split(Arn, ':', 4)", R"("1")"},
      {"split(Arn, ':', 0)", R"("arn")"},
      {"split(Arn, ':', 5)", R"("user/ann")"},
      {"split(Arn, ':', 6)", "-"},
      {"split(Absent, ':', 0)", "-"},
      {"coalesce(Absent, Nothing, Name, Big)", R"("one")"},
      {"coalesce(Absent)", "-"},
      {"length(Words)", "2"},
      {"length(Empty)", "0"},
      {"length(Map)", "2"},
      {"length(Name)", "3"},
      {"length('ÄÖ')", "2"},
      {"length(Absent)", "-"},
      {"equals(Name, 'one')", "true"},
      {"equals(Big, 1)", "false"},
      {"equals(On, 'true')", "true"},
      {"equals(Absent, 'one')", "-"},
      {"contains(Words, 'b')", "true"},
      {"contains(Words, 'c')", "false"},
      {"contains(Empty, 'c')", "false"},
      {"contains(Absent, 'c')", "-"},
      {"contains(Name, 'o')", "! contains() of something that is not a list"},
  };
  for (const auto& [text, expected] : cases) {
    const auto got = evaluated(text);
    if (std::string_view{expected}.ends_with(": "))
      EXPECT_TRUE(got.starts_with(expected)) << text << " gives " << got;
    else
      EXPECT_EQ(got, expected) << text;
  }
}

TEST(Expression, says_where_a_text_is_wrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "character 1: a name, a 'text' or a number is expected here"},
      {"Name.", "character 6: the name of a member is expected here"},
      {"Name Other", "character 6: nothing is expected here"},
      {"List[x]", "character 6: a number is expected here"},
      {"List[1", "character 7: `]` is expected here"},
      {"List[]", "character 5: nothing is expected here"},
      {"nope(Name)", "character 6: there is no function `nope`"},
      {"lower(Name", "character 11: a comma or `)` is expected here"},
      {"lower(Name, Name)", "lower() takes 1 values"},
      {"concat()", "character 8: a name, a 'text' or a number is expected here"},
      {"'text", "the text has no end"},
      {"$.Name", "character 1: a name"},
  };
  for (const auto& [text, expected] : cases) {
    const auto parsed = Expression::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Errc::config);
    EXPECT_NE(parsed.error().message.find(expected), std::string::npos) << text << ": " << parsed.error().message;
  }
  EXPECT_FALSE(Expression::parse(std::string(100, '(')));
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "lower(";
  EXPECT_FALSE(Expression::parse(deep));
}

std::vector<std::string> rows_of(const Json& value, std::string_view rows, std::string_view column) {
  std::vector<std::string> names;
  const auto unfold = Unfold::parse(rows, names);
  if (!unfold) return {"? " + unfold.error().message};
  const auto expression = Expression::parse(column, names);
  if (!expression) return {"? " + expression.error().message};
  Frame context;
  context.answer = &value;
  context.levels.assign(names.size(), nullptr);
  std::vector<std::string> found;
  unfold->for_each(context, [&] {
    const auto* cell = expression->evaluate(context);
    found.push_back(cell ? text_of(*cell) : "-");
  });
  if (!context.problem.empty()) found.push_back("! " + context.problem);
  return found;
}

TEST(Unfold, gives_a_row_for_each_element_level_by_level) {
  const auto value = *parse_json(
      R"({"R": [{"Id": "r1", "I": [{"Id": "a"}, {"Id": "b"}]}, {"Id": "r2", "I": []}, {"Id": "r3"}, {"Id": "r4", "I": [{"Id": "c"}]}],
                                     "One": {"Id": "x"}, "Csv": "name,n\na,1\nb,2\n"})");
  using Texts = std::vector<std::string>;
  EXPECT_EQ(rows_of(value, "R[] as r", "r.Id"), (Texts{"r1", "r2", "r3", "r4"}));
  EXPECT_EQ(rows_of(value, "R[] as r, r.I[] as i", "concat(r.Id, i.Id)"), (Texts{"r1a", "r1b", "r4c"}));
  EXPECT_EQ(rows_of(value, "R[].I[] as i", "i.Id"), (Texts{"a", "b", "c"}));
  EXPECT_EQ(rows_of(value, "One as o", "o.Id"), (Texts{"x"}));
  EXPECT_EQ(rows_of(value, "Absent[] as o", "o.Id"), Texts{});
  EXPECT_EQ(rows_of(value, "array(One)[] as o", "o.Id"), (Texts{"x"}));
  EXPECT_EQ(rows_of(value, "csv(Csv)[] as line", "line.n"), (Texts{"1", "2"}));
  EXPECT_EQ(rows_of(value, "One[] as o", "o.Id"), (Texts{"! `One` is not a list"}));
  EXPECT_EQ(rows_of(value, "R[]", "r.Id").at(0).substr(0, 1), "?");
  EXPECT_EQ(rows_of(value, "R[] as r,", "r.Id").at(0).substr(0, 1), "?");
}

TEST(Csv, reads_what_rfc_4180_writes) {
  EXPECT_EQ(*canonical(*parse_csv("a,b\r\n\"1,\"\"x\"\"\",\"two\nlines\"\r\n")), R"([{"a":"1,\"x\"","b":"two\nlines"}])");
  EXPECT_EQ(*canonical(*parse_csv("a,b\n,\n")), R"([{"a":"","b":""}])");
  EXPECT_EQ(*canonical(*parse_csv("a\n\"\"\nz")), R"([{"a":""},{"a":"z"}])");
  EXPECT_FALSE(parse_csv("a\n\"open"));
}

RC_GTEST_PROP(Expression, is_read_or_refused_whatever_the_text, (const std::string& text)) {
  std::vector<std::string> names;
  (void)Unfold::parse(text, names);
  (void)evaluated(text);
}

}  // namespace
}  // namespace vouch::facts
