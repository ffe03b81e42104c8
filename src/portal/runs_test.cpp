#include "portal/runs.h"

#include <gtest/gtest.h>

#include <future>

namespace vouch::portal {
namespace {

Ran complete() {
  Ran ran;
  ran.outcome = "complete";
  ran.counts.requests = 7;
  return ran;
}

// Sources that are collected only when somebody asks.
class RunsTest : public ::testing::Test {
 protected:
  std::unique_ptr<Runs> runs(Collect collect) {
    std::vector<Planned> sources;
    for (const auto* name : {"aws", "github"}) sources.push_back({.source = name, .every = std::nullopt, .last = std::nullopt});
    auto made = std::make_unique<Runs>("home", std::move(sources), std::move(collect), clock_, metrics_, log_);
    made->start();
    return made;
  }

  static std::future<std::string> ask(Runs& runs, std::string_view source) {
    auto promise = std::make_shared<std::promise<std::string>>();
    auto future = promise->get_future();
    const auto asked = runs.ask(source, [promise](const Ran& ran) { promise->set_value(ran.outcome); });
    if (!asked) promise->set_value(std::string(name_of(asked.error().code)));
    return future;
  }

  SystemClock clock_;
  Metrics metrics_;
  std::mutex mutex_;
  std::string said_;
  Log log_{clock_, [this](std::string_view line) {
             const std::lock_guard held{mutex_};
             said_ += line;
           }};
};

TEST_F(RunsTest, whoever_asks_is_told_what_the_run_came_to) {
  auto made = runs([](const std::string& source, const std::atomic<bool>&) {
    auto ran = complete();
    if (source == "github") ran.outcome = "error";
    return ran;
  });
  EXPECT_EQ(ask(*made, "aws").get(), "complete");
  EXPECT_EQ(ask(*made, "github").get(), "error");
  EXPECT_EQ(ask(*made, "gcp").get(), "not_found");
  const auto text = metrics_.text();
  EXPECT_NE(text.find("vouch_collections_total{source=\"aws\",outcome=\"complete\"} 1\n"), std::string::npos) << text;
  EXPECT_NE(text.find("vouch_collections_total{source=\"github\",outcome=\"error\"} 1\n"), std::string::npos) << text;
  EXPECT_NE(text.find("vouch_collection_requests_total{source=\"aws\"} 7\n"), std::string::npos) << text;
  const auto states = made->state();
  EXPECT_TRUE(states[0].last_started);
  EXPECT_FALSE(states[1].last_started);  // nothing of it was recorded
}

TEST_F(RunsTest, many_who_ask_while_a_run_goes_on_share_the_next_one) {
  std::promise<void> begun, go_on;
  std::atomic<int> count = 0;
  std::atomic<int> at_once = 0;
  auto made = runs([&](const std::string&, const std::atomic<bool>&) {
    EXPECT_EQ(++at_once, 1);
    if (++count == 1) {
      begun.set_value();
      go_on.get_future().wait();
    }
    --at_once;
    return complete();
  });
  auto first = ask(*made, "aws");
  begun.get_future().wait();
  std::vector<std::future<std::string>> others(8);
  std::vector<std::thread> threads;
  for (auto& other : others) threads.emplace_back([&] { other = ask(*made, "aws"); });
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(made->state()[0].running_since);
  go_on.set_value();
  EXPECT_EQ(first.get(), "complete");
  for (auto& other : others) EXPECT_EQ(other.get(), "complete");
  EXPECT_EQ(count, 2);
}

TEST_F(RunsTest, the_end_cancels_the_run_and_tells_all_who_wait) {
  std::promise<void> begun;
  auto made = runs([&](const std::string&, const std::atomic<bool>& cancelled) {
    begun.set_value();
    while (!cancelled) std::this_thread::yield();
    Ran ran;
    ran.outcome = "cancelled";
    return ran;
  });
  auto running = ask(*made, "aws");
  begun.get_future().wait();
  auto behind = ask(*made, "aws");
  auto other = ask(*made, "github");
  made->stop();
  EXPECT_EQ(running.get(), "cancelled");
  EXPECT_EQ(behind.get(), "cancelled");
  EXPECT_EQ(other.get(), "cancelled");
  EXPECT_EQ(ask(*made, "aws").get(), "busy");
}

}  // namespace
}  // namespace vouch::portal
