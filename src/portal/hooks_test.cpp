#include "portal/hooks.h"

#include "collect/secrets.h"
#include "ledger/blobs.h"
#include "ledger/create.h"
#include "ledger/evidence.h"
#include "ledger/read.h"
#include "ledger/verify.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace vouch::portal {
namespace {

constexpr std::string_view secret = "a webhook's secret";

class HooksTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(create_log(home(), "vouch.example/test"));
    ASSERT_TRUE(collect::make_secrets_key(home()));
    write_secret(secret);
  }
  [[nodiscard]] const fs::path& home() const { return folder_.path(); }
  void write_secret(std::string_view text) const { ASSERT_TRUE(write_file(home() / "hook.secret", text, Sync::no, 0600)); }

  std::unique_ptr<Hooks> open() {
    auto hooks = Hooks::open(home(), wire::Secret::file(home() / "hook.secret"), clock_, metrics_, log_);
    EXPECT_TRUE(hooks) << hooks.error().message;
    return std::move(*hooks);
  }

  static HttpRequest delivery(std::string id, std::string body, std::string_view key = secret) {
    HttpRequest request;
    request.headers = {{"content-type", "application/json"},
                       {"x-github-event", "push"},
                       {"x-github-delivery", std::move(id)},
                       {"x-hub-signature-256", "sha256=" + to_hex(hmac_sha256(bytes_of(key), bytes_of(body)))}};
    request.body = std::move(body);
    return request;
  }

  static std::future<HttpResponse> take(Hooks& hooks, HttpRequest request) {
    auto promise = std::make_shared<std::promise<HttpResponse>>();
    auto future = promise->get_future();
    hooks.take(std::move(request), [promise](HttpResponse response) { promise->set_value(std::move(response)); });
    return future;
  }

  [[nodiscard]] std::vector<evidence::EventsLeaf> leaves() const {
    std::vector<evidence::EventsLeaf> found;
    const auto log = Reader::open(home()).value();
    EXPECT_TRUE(log.for_each(LeafIndex{0}, log.checkpoint().size, [&](LeafIndex, std::string_view entry) -> Result<> {
      found.push_back(evidence::parse_events_leaf(entry).value());
      return {};
    }));
    return found;
  }

  TemporaryDirectory folder_;
  FixedClock clock_{Instant{1'772'366'400'000'000}};
  Metrics metrics_;
  std::mutex mutex_;
  std::string said_;
  Log log_{clock_, [this](std::string_view line) {
             const std::lock_guard held{mutex_};
             said_ += line;
           }};
};

TEST_F(HooksTest, a_delivery_is_durable_when_it_is_answered) {
  const auto hooks = open();
  const std::string body = R"({"ref":"refs/heads/main","commits":[]})";
  EXPECT_EQ(take(*hooks, delivery("72d3162e", body)).get().status, 202);
  const auto kept = leaves();
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0], (evidence::EventsLeaf{.source = "github",
                                           .event = "push",
                                           .delivery = "72d3162e",
                                           .received = clock_.now(),
                                           .body = sha256(body),
                                           .received_body = sha256(body),
                                           .secrets = 0}));
  EXPECT_EQ(Blobs::open(home()).value().get(kept[0].body).value(), body);
  EXPECT_TRUE(verify_home(home()));
  EXPECT_TRUE(verify_evidence(home()));
}

TEST_F(HooksTest, a_body_that_is_gone_is_missed_by_verify) {
  const auto hooks = open();
  take(*hooks, delivery("1", "{}")).get();
  fs::remove_all(home() / "blobs");
  fs::create_directory(home() / "blobs");
  EXPECT_EQ(verify_evidence(home()).error().code, Errc::corrupt);
}

TEST_F(HooksTest, a_secret_in_a_body_stops_at_the_door) {
  const auto hooks = open();
  const std::string token = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
  EXPECT_EQ(take(*hooks, delivery("1", R"({"comment":"use )" + token + R"("})")).get().status, 202);
  const auto kept = leaves();
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0].secrets, 1u);
  EXPECT_NE(kept[0].body, kept[0].received_body);
  const auto body = Blobs::open(home()).value().get(kept[0].body).value();
  EXPECT_EQ(body.find(token), std::string::npos) << body;
  EXPECT_NE(body.find("hmac-sha256:"), std::string::npos) << body;
}

TEST_F(HooksTest, what_is_not_signed_is_refused_without_a_word_and_leaves_nothing) {
  const auto hooks = open();
  auto unsigned_one = delivery("1", "{}");
  unsigned_one.headers.erase("x-hub-signature-256");
  for (auto& request : {unsigned_one, delivery("2", "{}", "a guess")}) {
    const auto refused = take(*hooks, request).get();
    EXPECT_EQ(refused.status, 401);
    EXPECT_EQ(refused.body, "{\"error\":\"refused\"}\n");
  }
  EXPECT_TRUE(leaves().empty());
  EXPECT_NE(metrics_.text().find("vouch_webhooks_total{outcome=\"refused\"} 2\n"), std::string::npos);
}

TEST_F(HooksTest, what_is_signed_but_no_delivery_is_refused_with_a_reason) {
  const auto hooks = open();
  EXPECT_EQ(take(*hooks, delivery("1", "payload=%7B%7D")).get().status, 400);
  EXPECT_EQ(take(*hooks, delivery("1", "")).get().status, 400);
  EXPECT_EQ(take(*hooks, delivery("1", "[]")).get().status, 400);
  EXPECT_EQ(take(*hooks, delivery("", "{}")).get().status, 400);
  auto form = delivery("2", "{}");
  form.headers["content-type"] = "application/x-www-form-urlencoded";
  EXPECT_EQ(take(*hooks, std::move(form)).get().status, 415);
  EXPECT_TRUE(leaves().empty());
}

TEST_F(HooksTest, a_delivery_is_kept_once_also_across_a_restart) {
  {
    const auto hooks = open();
    auto first = take(*hooks, delivery("1", "{}")), second = take(*hooks, delivery("1", "{}"));
    EXPECT_EQ(first.get().status + second.get().status, 202 + 200);
    EXPECT_EQ(take(*hooks, delivery("1", "{}")).get().status, 200);
  }
  const auto hooks = open();
  EXPECT_EQ(take(*hooks, delivery("1", "{}")).get().status, 200);
  EXPECT_EQ(leaves().size(), 1u);
}

TEST_F(HooksTest, a_delivery_that_was_caught_is_not_kept_again_under_another_id) {
  const auto hooks = open();
  EXPECT_EQ(take(*hooks, delivery("1", "{}")).get().status, 202);
  auto again = delivery("2", "{}");
  again.headers["x-github-event"] = "member";
  EXPECT_EQ(take(*hooks, std::move(again)).get().status, 200);
  EXPECT_EQ(take(*hooks, delivery("1", R"({"number":2})")).get().status, 202);  // nothing that is signed is lost for its id
  EXPECT_EQ(leaves().size(), 2u);
}

TEST_F(HooksTest, many_at_once_share_commits_and_each_is_kept) {
  const auto hooks = open();
  std::vector<std::thread> threads;
  std::atomic<int> accepted = 0;
  for (int i = 0; i < 40; ++i)
    threads.emplace_back([&, i] {
      if (take(*hooks, delivery(std::to_string(i), fmt::format("{{\"number\":{}}}", i))).get().status == 202) ++accepted;
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(accepted, 40);
  EXPECT_EQ(leaves().size(), 40u);
  EXPECT_LT(std::distance(fs::directory_iterator{home() / "blobs"}, {}), 20);
  EXPECT_TRUE(verify_evidence(home()));
}

TEST_F(HooksTest, a_disk_that_takes_nothing_is_a_503_and_the_delivery_may_come_again) {
  const auto hooks = open();
  fs::rename(home() / "blobs", home() / "away");
  EXPECT_EQ(take(*hooks, delivery("1", "{}")).get().status, 503);
  fs::rename(home() / "away", home() / "blobs");
  EXPECT_EQ(take(*hooks, delivery("1", "{}")).get().status, 202);
  EXPECT_EQ(leaves().size(), 1u);
}

TEST_F(HooksTest, a_delivery_whose_commit_broke_half_way_is_not_kept_twice) {
  const auto hooks = open();
  const auto tiles = home() / "ledger" / "tile";
  ASSERT_TRUE(write_file(tiles, "no folder", Sync::no));
  EXPECT_EQ(take(*hooks, delivery("1", "{}")).get().status, 503);
  EXPECT_EQ(take(*hooks, delivery("1", "{}")).get().status, 503);
  fs::remove(tiles);
  EXPECT_EQ(take(*hooks, delivery("1", "{}")).get().status, 200);  // the journal had it
  EXPECT_EQ(take(*hooks, delivery("2", "{\"number\":2}")).get().status, 202);
  EXPECT_EQ(leaves().size(), 2u);
  EXPECT_TRUE(verify_home(home()));
  EXPECT_TRUE(verify_evidence(home()));
}

TEST_F(HooksTest, what_was_taken_in_is_answered_before_the_end_and_nothing_after) {
  const auto hooks = open();
  auto before = take(*hooks, delivery("1", "{}"));
  hooks->stop();
  EXPECT_EQ(before.get().status, 202);
  EXPECT_EQ(take(*hooks, delivery("2", "{}")).get().status, 503);
}

TEST_F(HooksTest, without_its_secret_every_delivery_is_refused_and_the_log_says_why) {
  fs::remove(home() / "hook.secret");
  const auto hooks = open();
  EXPECT_EQ(take(*hooks, delivery("1", "{}")).get().status, 401);
  EXPECT_EQ(take(*hooks, delivery("2", "{}", "")).get().status, 401);
  EXPECT_NE(said_.find("event=webhook_secret"), std::string::npos) << said_;
}

}  // namespace
}  // namespace vouch::portal
