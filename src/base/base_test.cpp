#include "base/digest.h"
#include "base/file.h"
#include "base/instant.h"
#include "base/json.h"
#include "base/yaml.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace vouch {
namespace {

TEST(Error, within_puts_the_outermost_context_first) {
  const auto error = Error{Errc::corrupt, "body digest does not match the leaf"}.within("leaf 812");
  EXPECT_EQ(error.message, "leaf 812: body digest does not match the leaf");
  EXPECT_EQ(error.code, Errc::corrupt);
}

TEST(Instant, reads_and_writes_rfc_3339) {
  const struct {
    const char* text;
    const char* same;
  } cases[] = {
      {"2026-03-01T09:00:00Z", "2026-03-01T09:00:00Z"},
      {"2026-03-01T09:00Z", "2026-03-01T09:00:00Z"},
      {"2026-03-01", "2026-03-01T00:00:00Z"},
      {"2026-03-01T09:00:00.5+02:00", "2026-03-01T07:00:00.5Z"},
      {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"},
      {"1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"},
      {"2026-03-01T09:00:00.1234567Z", "2026-03-01T09:00:00.123456Z"},
      {"infinity", "infinity"},
  };
  for (const auto& c : cases) EXPECT_EQ(to_string(parse_instant(c.text).value()), c.same) << c.text;
  for (const auto* bad : {"", "2026", "2026-02-30", "2026-03-01T25:00Z", "2026-03-01T09:00:00", "2026-03-01T09:00:00Zx", "-026-03-01"})
    EXPECT_FALSE(parse_instant(bad)) << bad;
}

RC_GTEST_PROP(Instant, survives_being_written, ()) {
  const Instant at{*rc::gen::inRange<std::int64_t>(-60'000'000'000'000'000, 200'000'000'000'000'000)};
  RC_ASSERT(parse_instant(to_string(at)).value() == at);
}

TEST(Duration, reads_the_units_of_the_catalogue) {
  EXPECT_EQ(parse_duration("10m").value(), Duration::minutes(10));
  EXPECT_EQ(parse_duration("90d").value(), Duration::days(90));
  for (const auto* bad : {"", "10", "m", "-1d", "1y", "10 m", "999999999999999999999d"}) EXPECT_FALSE(parse_duration(bad)) << bad;
}

TEST(Encoding, has_one_text_for_each_value) {
  EXPECT_EQ(to_base64(bytes_of("vouch")), "dm91Y2g=");
  EXPECT_TRUE(parse_base64("dm91Y2g="));
  for (const auto* bad : {"dm91Y2g", "dm91Y2h=", "dm91 Y2g", "=m91", "dm9=Y2g="}) EXPECT_FALSE(parse_base64(bad)) << bad;
  EXPECT_FALSE(parse_hex("AB"));
  EXPECT_FALSE(parse_hex("abc"));
}

RC_GTEST_PROP(Encoding, inverts, ()) {
  const auto bytes = *rc::gen::arbitrary<Bytes>();
  RC_ASSERT(parse_base64(to_base64(bytes)).value() == bytes);
  RC_ASSERT(parse_hex(to_hex(bytes)).value() == bytes);
}

TEST(Digest, is_sha_256) {
  EXPECT_EQ(to_hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(hmac_sha256(bytes_of("key"), bytes_of("The quick brown fox jumps over the lazy dog"))),
            "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8");
}

TEST(Json, canonical_form_is_rfc_8785) {
  // The examples of RFC 8785, sections 3.2.2 and 3.2.3.
  const auto value = parse_json(R"({"numbers":[1E30,4.50,2e-3,0.000000000000000000000000001],)"
                                R"("string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]})");
  EXPECT_EQ(canonical(value.value()).value(),
            R"({"literals":[null,true,false],"numbers":[1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"})");
  EXPECT_EQ(canonical(Json(333333333.33333329)).value(), "333333333.3333333");
  const auto keys = parse_json(R"({"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7})");
  EXPECT_EQ(canonical(keys.value()).value(), "{\"\\r\":2,\"1\":4,\"\u0080\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\ufb33\":3}");
}

TEST(Json, refuses_what_is_not_one_json_text) {
  for (const auto* bad : {"", "{", "{} {}", "[1,]", "\"\xff\"", "nul"}) EXPECT_FALSE(parse_json(bad)) << bad;
  EXPECT_FALSE(parse_json(std::string(100, '[') + std::string(100, ']')));
}

TEST(Yaml, complains_with_file_and_line) {
  const auto node = Yaml::parse("id: a\nsettle: 10m\nowner:\n  - x\n", "c.yaml").value();
  EXPECT_EQ(node.text("id").value(), "a");
  EXPECT_EQ(node.text("severity").error().message, "c.yaml:1: missing `severity`");
  EXPECT_EQ(node["owner"].text().error().message, "c.yaml:4: a text is expected here");
  EXPECT_EQ(node.only({"id", "owner"}).error().message, "c.yaml:2: unknown key `settle`; known here: id, owner");
  EXPECT_EQ(Yaml::parse("a: 1\na: 2\n", "c.yaml").error().message, "c.yaml:2: `a` stands here twice");
  EXPECT_FALSE(Yaml::parse("a: &x [1]\nb: *x\n", "c.yaml"));
  EXPECT_FALSE(Yaml::parse(std::string(1000, '['), "c.yaml"));
}

TEST(File, a_write_is_all_or_nothing) {
  const TemporaryDirectory home;
  const auto path = home.path() / "a" / "b";
  ASSERT_TRUE(make_directory(path.parent_path()));
  ASSERT_TRUE(write_file(path, "one"));
  ASSERT_TRUE(write_file(path, "two", Sync::no, 0600));
  EXPECT_EQ(read_file(path).value(), "two");
  EXPECT_EQ(fs::status(path).permissions(), fs::perms{0600});
  EXPECT_EQ(std::distance(fs::directory_iterator{path.parent_path()}, {}), 1);
  EXPECT_EQ(read_file(home.path() / "none").error().code, Errc::not_found);
  EXPECT_EQ(read_file(path, 2).error().code, Errc::limit);
}

TEST(File, network_file_systems_are_told_from_local_ones) {
  EXPECT_EQ(network_file_system_of(0x6969), "nfs");
  EXPECT_EQ(network_file_system_of(0xff534d42), "smb");
  EXPECT_EQ(network_file_system_of(0xef53), std::nullopt) << "ext4";
  const TemporaryDirectory folder;
  EXPECT_EQ(network_file_system(folder.path() / "not" / "yet" / "there"), network_file_system(folder.path()));
}

TEST(File, a_second_holder_is_told_the_first_ones_pid) {
  const TemporaryDirectory home;
  const auto path = home.path() / "lock";
  {
    const auto first = LockFile::acquire(path);
    ASSERT_TRUE(first);
    const auto second = LockFile::acquire(path);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::busy);
    EXPECT_NE(second.error().message.find(fmt::format("process {}", ::getpid())), std::string::npos);
  }
  EXPECT_TRUE(LockFile::acquire(path));
}

}  // namespace
}  // namespace vouch
