#include "wire/document.h"

#include "wire/link_header.h"
#include "wire/member_path.h"
#include "wire/url.h"
#include "wire/url_template.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace vouch::wire {
namespace {

TEST(Document, IsReadExactly) {
  const auto value =
      parse_document(
          R"({"big":9007199254740993,"most":18446744073709551615,"least":-9223372036854775808,"real":0.30000000000000004,"text":"é\u0000𝄞","none":null,"list":[true,[]]})",
          AnswerKind::json)
          .value();
  EXPECT_EQ(value.at("big").as_int64(), 9007199254740993);
  EXPECT_EQ(value.at("most").as_uint64(), 18446744073709551615U);
  EXPECT_EQ(value.at("least").as_int64(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(value.at("real").as_double(), 0.30000000000000004);
  EXPECT_EQ(std::string_view{value.at("text").as_string()}, (std::string_view{"é\0𝄞", 7}));
  EXPECT_TRUE(value.at("none").is_null());
  EXPECT_EQ(value.at("list"), Json(json::array{true, json::array()}));
}

TEST(Document, WhatTwoReadersCouldReadDifferentlyIsRefused) {
  for (const char* text :
       {"", " ", "{", "[1,]", "{\"a\":1,}", "{'a':1}", "[1] 2", "NaN", "01", "[1e400]", "18446744073709551616", "\"\\ud800\"", "\"\xff\"",
        R"({"a":1,"b":{"c":1,"c":2}})", R"({"a":1,"\u0061":1})", "\xef\xbb\xbf{}", "// no\n{}", "\"\n\""}) {
    const auto value = parse_document(text, AnswerKind::json);
    ASSERT_FALSE(value) << text;
    EXPECT_EQ(value.error().code, Errc::malformed) << text;
  }
}

TEST(Document, DepthIsBounded) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(parse_document(nested(100), AnswerKind::json));
  EXPECT_FALSE(parse_document(nested(200), AnswerKind::json));
  EXPECT_FALSE(parse_document(std::string(1'000'000, '['), AnswerKind::json));
  EXPECT_TRUE(parse_document("[1]", AnswerKind::json));  // and the next one is read again
}

TEST(Document, LivesInItsStorage) {
  const auto storage = json::make_shared_resource<json::monotonic_resource>();
  const auto value = parse_document(R"({"a":["b"]})", AnswerKind::json, storage).value();
  EXPECT_EQ(*value.storage(), *storage);
  EXPECT_EQ(*value.at("a").at(0).as_string().storage(), *storage);
}

RC_GTEST_PROP(Document, IsTheInverseOfWriting, ()) {
  const auto make = [](auto& self, int depth) -> Json {
    switch (*rc::gen::inRange(0, depth > 3 ? 5 : 7)) {
      case 0: return nullptr;
      case 1: return *rc::gen::arbitrary<bool>();
      case 2: return *rc::gen::arbitrary<std::int64_t>();
      case 3: return Json(json::string(*rc::gen::container<std::string>(rc::gen::inRange<char>(0, 127))));
      case 4: return *rc::gen::arbitrary<double>();
      case 5: {
        json::array array;
        for (int i = *rc::gen::inRange(0, 5); i > 0; --i) array.push_back(self(self, depth + 1));
        return Json(array);
      }
      default: {
        json::object object;
        for (int i = *rc::gen::inRange(0, 40); i > 0; --i)
          object[*rc::gen::container<std::string>(rc::gen::inRange('a', 'e'))] = self(self, depth + 1);
        return Json(object);
      }
    }
  };
  const auto text = canonical(make(make, 0)).value();
  RC_ASSERT(canonical(parse_document(text, AnswerKind::json).value()).value() == text);
}

TEST(MemberPath, FindsMembersAndLists) {
  const auto document = parse_json(R"({"data":{"@odata.nextLink":"u","nodes":[1],"none":null}})").value();
  EXPECT_EQ(MemberPath::parse(R"(data."@odata.nextLink")")->find_text(document), "u");
  EXPECT_EQ(MemberPath::parse("data.nodes[]")->find_list(document)->size(), 1U);
  EXPECT_TRUE(MemberPath::parse("data.none")->find(document)->is_null());
  EXPECT_EQ(MemberPath::parse("data.none.more")->find(document), nullptr);
  EXPECT_EQ(MemberPath::parse("[]")->find(document), &document);
  for (const char* text : {".", "a.", ".a", "a..b", "a b", "\"a", "\"\"", "a[]b", "a[0]"}) EXPECT_FALSE(MemberPath::parse(text)) << text;
}

TEST(UrlTemplate, WhatIsNoneIsRefused) {
  for (const char* text : {"/a/{", "/a/}", "/{}", "/{a b}", "/a b", "/a#b", "/{+a}", "/\xc3\xa9", "/a\\b"})
    EXPECT_FALSE(UrlTemplate::parse(text)) << text;
  EXPECT_EQ(UrlTemplate::parse("/{a}/{b}?c={a}&d={c}")->names(), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(names_in_body(json::object{{"x", json::array{"{a} {b}", 1}}, {"y", "{a}"}}), (std::vector<std::string>{"a", "b"}));
}

// A value never reaches beyond its place: decoded, it is the value again, and it holds no delimiter.
RC_GTEST_PROP(UrlTemplate, AValueStaysInItsPlace, (const std::string& value)) {
  RC_PRE(!value.empty() && value != "." && value != "..");
  const auto url = UrlTemplate::parse("/x/{v}/y").value().fill(json::object{{"v", value}}).value();
  const auto middle = url.substr(3, url.size() - 5);
  RC_ASSERT(url == "/x/" + middle + "/y");
  RC_ASSERT(middle.find_first_of("/?#&=\\ \r\n") == std::string::npos);
}

TEST(Url, OriginsAreComparedAsTheyAreMeant) {
  EXPECT_EQ(origin_of_url("HTTPS://Api.Test:443/x?y").value(), "https://api.test");
  EXPECT_EQ(origin_of_url("http://api.test:8080").value(), "http://api.test:8080");
  EXPECT_EQ(origin_of_url("http://[::1]:80/").value(), "http://[::1]");
  for (const char* url :
       {"", "api.test", "ftp://api.test", "https://", "https:///x", "https://a@b/", "https://a:b@c/", "https://a:0", "https://a:99999",
        "https://a:1x/", "https://a b/", "https://a\\b/", "https://a\n/", "https://[::1", "javascript://x"})
    EXPECT_FALSE(origin_of_url(url)) << url;
}

TEST(Url, ReferencesAreResolved) {
  // RFC 3986, section 5.4.
  const char* base = "http://a/b/c/d;p?q";
  for (const auto& [reference, expected] : {std::pair{"g", "http://a/b/c/g"},
                                            {"./g", "http://a/b/c/g"},
                                            {"g/", "http://a/b/c/g/"},
                                            {"/g", "http://a/g"},
                                            {"//g", "http://g"},
                                            {"?y", "http://a/b/c/d;p?y"},
                                            {"g?y", "http://a/b/c/g?y"},
                                            {"#s", "http://a/b/c/d;p?q"},
                                            {"g#s", "http://a/b/c/g"},
                                            {"", "http://a/b/c/d;p?q"},
                                            {".", "http://a/b/c/"},
                                            {"..", "http://a/b/"},
                                            {"../g", "http://a/b/g"},
                                            {"../..", "http://a/"},
                                            {"../../../g", "http://a/g"},
                                            {"g;x=1/../y", "http://a/b/c/y"},
                                            {"g?y/../x", "http://a/b/c/g?y/../x"},
                                            {"http://x/y", "http://x/y"}})
    EXPECT_EQ(resolve_url(base, reference).value_or("none"), expected) << reference;
}

TEST(Url, QueryParametersAreSetInPlace) {
  EXPECT_EQ(with_query("https://a/x", "page", "2"), "https://a/x?page=2");
  EXPECT_EQ(with_query("https://a/x?y=1", "page", "a b"), "https://a/x?y=1&page=a%20b");
  EXPECT_EQ(with_query("https://a/x?page=1&y=1&page=3", "page", "2"), "https://a/x?page=2&y=1");
  EXPECT_EQ(query_value("https://a/x?per_page=5&page=12#z", "page"), "12#z");
  EXPECT_EQ(query_value("https://a/x?xpage=5", "page"), "");
}

TEST(LinkHeader, TheRelationIsFoundAsRfc8288Says) {
  const auto next = [](Headers headers) { return find_link(headers, "next").value_or("malformed").value_or("none"); };
  EXPECT_EQ(next({{"Link", R"(<https://a/2>; rel="next", <https://a/9>; rel="last")"}}), "https://a/2");
  EXPECT_EQ(next({{"link", R"(<https://a/1>; rel="prev first",<https://a/3>;title="a, b; c";REL=Next)"}}), "https://a/3");
  EXPECT_EQ(next({{"Link", "<https://a/1>; rel=prev"}, {"Link", "</2>; rel=\"last next\""}}), "/2");
  EXPECT_EQ(next({{"Link", R"(<https://a/1>; rel="prev"; rel="next")"}}), "none");
  EXPECT_EQ(next({{"Link", " , <x>;rel=next"}}), "x");
  EXPECT_EQ(next({{"Link", ""}}), "none");
  for (const char* text : {"<https://a/1; rel=next", "https://a/1; rel=next", R"(<https://a/1>; rel="next)", "<a> rel=next"})
    EXPECT_EQ(next({{"Link", text}}), "malformed") << text;
}

}  // namespace
}  // namespace vouch::wire
