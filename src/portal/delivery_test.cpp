#include "portal/delivery.h"

#include "base/digest.h"
#include "ledger/events.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace vouch::portal {
namespace {

// docs.github.com, "Validating webhook deliveries": Testing the webhook payload validation.
constexpr std::string_view secret = "It's a Secret to Everybody";
constexpr std::string_view payload = "Hello, World!";
constexpr std::string_view signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

TEST(Signature, is_the_one_that_github_publishes) { EXPECT_TRUE(is_signed(payload, signature, secret)); }

TEST(Signature, of_anything_else_is_refused) {
  EXPECT_FALSE(is_signed("Hello, World", signature, secret));
  EXPECT_FALSE(is_signed(payload, signature, "It's a Secret to Everyone"));
  EXPECT_FALSE(is_signed(payload, "", secret));
  EXPECT_FALSE(is_signed(payload, "sha256=", secret));
  EXPECT_FALSE(is_signed(payload, signature.substr(7), secret));
  EXPECT_FALSE(is_signed(payload, std::string(signature) + "0", secret));
  EXPECT_FALSE(is_signed(payload, "sha1=757107ea0eb2509fc211221cce984b8a37570b6d", secret));
}

TEST(Signature, without_a_secret_nothing_is_signed) {
  const auto made = "sha256=" + to_hex(hmac_sha256({}, bytes_of(payload)));
  EXPECT_FALSE(is_signed(payload, made, ""));
}

TEST(Signature, one_bit_makes_the_difference) {
  const bool held = rc::check([](std::string body) {
    const auto made = "sha256=" + to_hex(hmac_sha256(bytes_of(secret), bytes_of(body)));
    RC_ASSERT(is_signed(body, made, secret));
    RC_PRE(!body.empty());
    body[*rc::gen::inRange<std::size_t>(0, body.size())] ^= static_cast<char>(1 << *rc::gen::inRange(0, 8));
    RC_ASSERT(!is_signed(body, made, secret));
  });
  EXPECT_TRUE(held);
}

HttpRequest request(std::map<std::string, std::string> headers) {
  HttpRequest made;
  made.headers = std::move(headers);
  return made;
}

TEST(Delivery, says_what_it_is_in_its_headers) {
  const auto delivery = read_delivery(request({{"content-type", "application/json"},
                                               {"x-github-event", "pull_request"},
                                               {"x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"}}));
  ASSERT_TRUE(delivery);
  EXPECT_EQ(delivery->event, "pull_request");
  EXPECT_EQ(delivery->id, "72d3162e-cc78-11e3-81ab-4c9367dc0958");
}

TEST(Delivery, that_could_not_be_kept_is_refused) {
  EXPECT_EQ(read_delivery(
                request({{"content-type", "application/x-www-form-urlencoded"}, {"x-github-event", "push"}, {"x-github-delivery", "1"}}))
                .error()
                .code,
            Errc::unsupported);
  for (const auto* event : {"", "a b", "<script>", "a\nb"})
    EXPECT_EQ(
        read_delivery(request({{"content-type", "application/json"}, {"x-github-event", event}, {"x-github-delivery", "1"}})).error().code,
        Errc::malformed)
        << event;
  EXPECT_EQ(read_delivery(request({{"content-type", "application/json"}, {"x-github-event", "push"}})).error().code, Errc::malformed);
  EXPECT_EQ(read_delivery(
                request({{"content-type", "application/json"}, {"x-github-event", "push"}, {"x-github-delivery", std::string(65, 'x')}}))
                .error()
                .code,
            Errc::malformed);
}

TEST(EventsLeaf, has_one_spelling) {
  const evidence::EventsLeaf leaf{.source = "github",
                                  .event = "push",
                                  .delivery = "72d3162e",
                                  .received = {1'772'366'400'250'000},
                                  .body = sha256("kept"),
                                  .received_body = sha256("received"),
                                  .secrets = 2};
  const auto text = write(leaf);
  EXPECT_EQ(text, "{\"body\":\"" + to_hex(sha256("kept")) +
                      R"(","delivery":"72d3162e","event":"push","kind":"events","received":"2026-03-01T12:00:00.25Z","received_body":")" +
                      to_hex(sha256("received")) + R"(","secrets":2,"source":"github","v":1})");
  EXPECT_EQ(evidence::parse_events_leaf(text).value(), leaf);
  EXPECT_EQ(evidence::parse_events_leaf(text + " ").error().code, Errc::malformed);
  EXPECT_EQ(evidence::parse_events_leaf(R"({"kind":"events","v":1})").error().code, Errc::malformed);
}

}  // namespace
}  // namespace vouch::portal
