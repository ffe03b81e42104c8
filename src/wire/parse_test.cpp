#include "wire/parse.h"

#include "base/encoding.h"
#include "wire/cbor.h"
#include "wire/test_models.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace vouch::wire {
namespace {

class Answers : public ::testing::Test {
 protected:
  Result<Parsed> parse(std::string_view protocol, std::string_view operation, int status, std::string_view body, Headers headers = {}) {
    const auto [service, found] = models.operation(protocol, operation).value();
    return parse_answer(*service, *found, status, headers, body);
  }
  Json value(std::string_view protocol, std::string_view operation, std::string_view body) {
    const auto parsed = parse(protocol, operation, 200, body);
    EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message);
    return parsed ? parsed->value : Json(nullptr);
  }
  Models models = test_models();
};

std::string cbor_thing() {
  std::string out;
  CborWriter writer{out};
  writer.map(4);
  writer.text("Name");
  writer.text("ü");
  writer.text("Count");
  writer.integer(-7);
  writer.text("At");
  writer.epoch_tag();
  writer.integer(1772355600);
  writer.text("Unknown");
  writer.list(1);
  writer.boolean(true);
  return out;
}

// The same thing in each protocol.
std::map<std::string, std::string> things() {
  const std::string members = "<Name>ü</Name><Count>-7</Count><At>2026-03-01T09:00:00Z</At><Unknown>1</Unknown>";
  return {{"query", "<GetThingResponse xmlns=\"u\"><GetThingResult>" + members +
                        "</GetThingResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetThingResponse>"},
          {"rest-xml", "<?xml version=\"1.0\"?><Thing>" + members + "</Thing>"},
          {"json", R"({"Name":"ü","Count":-7,"At":1772355600,"Unknown":[1],"On":null})"},
          {"rest-json", R"({"Name":"ü","Count":-7,"At":"2026-03-01T10:00:00+01:00","Unknown":{}})"},
          {"cbor", cbor_thing()}};
}

TEST_F(Answers, TheSameThingReadsTheSameInEveryProtocol) {
  const Json thing = json::object{{"Name", "ü"}, {"Count", -7}, {"At", "2026-03-01T09:00:00Z"}};
  for (const auto& [protocol, body] : things()) EXPECT_EQ(value(protocol, "GetThing", body), thing) << protocol;
}

TEST_F(Answers, ACutOffBodyIsNeverAnAnswer) {
  for (const auto& [protocol, body] : things()) {
    for (std::size_t size = 0; size < body.size(); ++size) {
      const auto parsed = parse(protocol, "GetThing", 200, std::string_view{body}.substr(0, size));
      ASSERT_FALSE(parsed) << protocol << " cut at " << size;
      EXPECT_EQ(parsed.error().code, Errc::malformed);
    }
  }
}

TEST_F(Answers, PagesOfOtherThingsAreNoAnswers) {
  for (const auto protocol : kTestProtocols) {
    for (const std::string_view body :
         {"<html><body>sign in</body></html>", "<HTML/>", "sorry", "null", "[]", "<a/><b/>", "{\"Things\":1}"})
      EXPECT_FALSE(parse(protocol, "ListThings", 200, body)) << protocol << " " << body;
  }
  EXPECT_FALSE(parse("query", "ListThings", 200, "<GetThingResponse><GetThingResult/></GetThingResponse>"));
}

TEST_F(Answers, ListsAreListsWhateverTheirLength) {
  const auto in = [](std::string_view inner) { return fmt::format("<R><Thing>{}</Thing></R>", inner); };
  EXPECT_EQ(value("rest-xml", "GetThing", "<T><Names/></T>"), Json(json::object{{"Names", json::array{}}}));
  EXPECT_EQ(value("rest-xml", "GetThing", "<T><Names><member>a</member></Names></T>"),
            Json(json::object{{"Names", json::array{Json("a")}}}));
  EXPECT_EQ(value("rest-xml", "GetThing", "<T><FlatItem>a</FlatItem></T>"), Json(json::object{{"Flat", json::array{Json("a")}}}));
  EXPECT_EQ(value("rest-xml", "GetThing", "<T><FlatItem>a</FlatItem><Count>1</Count><FlatItem>b</FlatItem></T>"),
            Json(json::object{{"Flat", json::array{"a", "b"}}, {"Count", 1}}));
  EXPECT_EQ(value("rest-xml", "GetThing", in("")), Json(json::object{}));
}

TEST_F(Answers, XmlTextKeepsWhatItSays) {
  EXPECT_EQ(value("rest-xml", "GetThing", "<T><Name> </Name></T>").at("Name"), Json(" "));
  EXPECT_EQ(value("rest-xml", "GetThing", "<T><Name/></T>").at("Name"), Json(""));
  EXPECT_EQ(value("rest-xml", "GetThing", "<T><Name>a<![CDATA[<b>]]>&amp;<!-- c -->d</Name></T>").at("Name"), Json("a<b>&d"));
  EXPECT_EQ(value("rest-xml", "GetThing", "<n:T xmlns:n='u'><n:Name>x</n:Name></n:T>").at("Name"), Json("x"));
}

TEST_F(Answers, EntitiesOfADtdAreNotExpanded) {
  const auto parsed = parse("rest-xml", "GetThing", 200,
                            R"(<!DOCTYPE T [<!ENTITY e "boom"><!ENTITY f SYSTEM "file:///etc/passwd">]><T><Name>&e;&f;</Name></T>)");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->value.at("Name"), Json("&e;&f;"));
}

TEST_F(Answers, DepthIsBounded) {
  std::string xml, json_text, cbor;
  CborWriter writer{cbor};
  for (int i = 0; i < 100'000; ++i) {
    xml += "<Inner>";
    json_text += R"({"Inner":)";
    writer.map(1);
    writer.text("Inner");
  }
  for (int i = 0; i < 100'000; ++i) xml += "</Inner>";
  json_text += "1" + std::string(100'000, '}');
  writer.map(0);
  EXPECT_FALSE(parse("rest-xml", "GetThing", 200, "<T>" + xml + "</T>"));
  EXPECT_FALSE(parse("json", "GetThing", 200, json_text));
  EXPECT_FALSE(parse("cbor", "GetThing", 200, cbor));
}

TEST_F(Answers, TextThatIsNotUtf8IsRefused) {
  EXPECT_FALSE(parse("rest-xml", "GetThing", 200, "<T><Name>\xff</Name></T>"));
  EXPECT_FALSE(parse("json", "GetThing", 200, "{\"Name\":\"\xc3\"}"));
}

TEST_F(Answers, NumbersKeepTheirDigits) {
  EXPECT_EQ(value("json", "GetThing", R"({"Big":9007199254740993,"Ratio":0.1})"),
            Json(json::object{{"Big", 9007199254740993}, {"Ratio", 0.1}}));
  EXPECT_EQ(value("json", "GetThing", R"({"Count":3.0})").at("Count"), Json(3));
  EXPECT_EQ(value("rest-xml", "GetThing", "<T><Ratio>NaN</Ratio></T>").at("Ratio"), Json("NaN"));
  EXPECT_FALSE(parse("rest-xml", "GetThing", 200, "<T><Count>many</Count></T>"));
}

TEST_F(Answers, ErrorsAreNamedAndClassed) {
  struct Case {
    int status;
    std::string_view code;
    Heard heard;
  };
  for (const auto& [status, code, heard] : {Case{403, "AccessDenied", Heard::denied},
                                            {400, "AccessDeniedException", Heard::denied},
                                            {403, "UnauthorizedOperation", Heard::denied},
                                            {403, "SomethingNew", Heard::denied},
                                            {404, "NoSuchBucketPolicy", Heard::absent},
                                            {404, "ServerSideEncryptionConfigurationNotFoundError", Heard::absent},
                                            {400, "ResourceNotFoundException", Heard::absent},
                                            {400, "InvalidVpcID.NotFound", Heard::absent},
                                            {400, "ThrottlingException", Heard::throttled},
                                            {503, "SlowDown", Heard::throttled},
                                            {403, "ExpiredToken", Heard::expired},
                                            {403, "RequestTimeTooSkewed", Heard::skewed},
                                            {400, "ValidationException", Heard::failed},
                                            {500, "InternalFailure", Heard::failed}}) {
    for (const auto protocol : {"query", "json", "rest-json", "rest-xml"}) {
      const bool is_xml = std::string_view{protocol}.find("json") == std::string_view::npos;
      const auto body =
          is_xml ? fmt::format(
                       "<ErrorResponse><Error><Code>{}</Code><Message>m</Message></Error><RequestId>id-1</RequestId></ErrorResponse>", code)
                 : fmt::format(R"({{"__type":"a.b#{}","message":"m"}})", code);
      const auto parsed = parse(protocol, "GetThing", status, body);
      ASSERT_TRUE(parsed && parsed->error) << code;
      EXPECT_EQ(parsed->error->code, code);
      EXPECT_EQ(parsed->heard(), heard) << code;
      EXPECT_EQ(parsed->error->message, "m");
    }
  }
}

TEST_F(Answers, AnErrorThatCannotBeReadHasItsStatusAsCode) {
  for (const auto protocol : kTestProtocols) {
    for (const auto& [status, heard] :
         {std::pair{403, Heard::denied}, {404, Heard::failed}, {429, Heard::throttled}, {500, Heard::failed}}) {
      const auto parsed = parse(protocol, "GetThing", status, "<html>go away</html>");
      ASSERT_TRUE(parsed && parsed->error);
      EXPECT_EQ(parsed->error->code, std::to_string(status)) << protocol;
      EXPECT_EQ(parsed->heard(), heard) << protocol << status;
    }
  }
  EXPECT_EQ(parse("json", "GetThing", 400, R"({"__type":"two words <script>"})")->error->code, "400");
}

RC_GTEST_PROP(Timestamps, EverySpellingOfAnInstantReadsBack, ()) {
  const Instant at{*rc::gen::inRange<std::int64_t>(-62'000'000'000, 253'000'000'000) * 1'000'000};
  const auto text = to_string(at);
  RC_ASSERT(parse_timestamp(text).value() == at);
  RC_ASSERT(parse_timestamp(fmt::format("{}", at.micros / 1'000'000)).value() == at);
}

TEST(Timestamps, OldSpellingsAreUnderstood) {
  const auto at = parse_instant("2026-11-24T00:00:00Z").value();
  for (const char* text : {"Tue, 24 Nov 2026 00:00:00 GMT", "2026-11-24T01:00:00+01:00", "2026-11-24T01:00:00+0100", "2026-11-24T00:00:00",
                           "1795478400", "1795478400.0", "1.7954784E9", "Tue, 24 Nov 2026 02:00:00 +0200", "24 Nov 2026 00:00:00 UTC"})
    EXPECT_EQ(parse_timestamp(text).value_or(Instant{}), at) << text;
  for (const char* text : {"", "soon", "infinity", "nan", "inf", "1e300", "2026-13-01T00:00:00Z", "Tue, 24 Nov", "99999999999999"})
    EXPECT_FALSE(parse_timestamp(text)) << text;
}

}  // namespace
}  // namespace vouch::wire
