#include "portal/http_server.h"

#include "portal/ask.h"
#include "portal/http_text.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <sys/stat.h>

#include <thread>

namespace vouch::portal {
namespace {

TEST(Query, is_decoded_and_a_broken_escape_is_refused) {
  const auto query = parse_query("source=aws&x=%20y&flag&z=a%3Db&x=last");
  ASSERT_TRUE(query);
  EXPECT_EQ(*query, (std::map<std::string, std::string>{{"source", "aws"}, {"x", "last"}, {"flag", ""}, {"z", "a=b"}}));
  for (const auto* broken : {"a=%", "a=%2", "a=%zz", "%"}) EXPECT_EQ(parse_query(broken).error().code, Errc::malformed) << broken;
}

TEST(Query, reads_back_whatever_was_escaped) {
  const bool held = rc::check([](const std::string& text) {
    const auto query = parse_query("x=" + escape_query(text));
    RC_ASSERT(query.has_value());
    RC_ASSERT(query->at("x") == text);
  });
  EXPECT_TRUE(held);
}

TEST(Address, is_an_ip_address_and_a_port) {
  EXPECT_TRUE(is_loopback("127.0.0.1:8437"));
  EXPECT_TRUE(is_loopback("[::1]:1"));
  EXPECT_TRUE(is_loopback("localhost:1"));
  EXPECT_FALSE(is_loopback("0.0.0.0:8437"));
  EXPECT_FALSE(is_loopback("[::]:8437"));
  HttpServer server{{}};
  for (const auto* wrong : {"", "8437", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:x", "example.com:80"})
    EXPECT_EQ(server.listen(wrong).error().code, Errc::usage) << wrong;
  const auto address = server.listen("127.0.0.1:0");
  ASSERT_TRUE(address) << address.error().message;
  HttpServer other{{}};
  EXPECT_EQ(other.listen(*address).error().code, Errc::busy);
}

// A server on a home's socket, on a thread of its own.
class Served {
 public:
  explicit Served(std::vector<Route> routes, const std::string& below = "") : server_(std::move(routes)) {
    const auto home = folder_.path() / below;
    fs::create_directories(home);
    const auto listening = server_.listen_locally(socket_path(home));
    EXPECT_TRUE(listening) << (listening ? "" : listening.error().message);
    home_ = home;
    thread_ = std::thread{[this] { server_.run([] {}); }};
  }
  ~Served() {
    server_.stop();
    thread_.join();
  }
  [[nodiscard]] const fs::path& home() const { return home_; }
  [[nodiscard]] int status(std::string_view method, std::string_view target) const {
    const auto answered = ask_server(home_, method, target);
    return answered && *answered ? (*answered)->status : 0;
  }

 private:
  TemporaryDirectory folder_;
  fs::path home_;
  HttpServer server_;
  std::thread thread_;
};

Route echo(std::string path, Route::Door door = Route::Door::everywhere) {
  return {.method = "GET",
          .path = std::move(path),
          .door = door,
          .body_bytes = 0,
          .answer = [](const HttpRequest& request, const Reply& reply) {
            reply({.status = 200,
                   .content_type = "application/json",
                   .body = fmt::format("{{\"path\": \"{}\"}}", request.path),
                   .retry_after_seconds = 0});
          }};
}

TEST(Server, answers_its_routes_and_no_others) {
  const Served served{{echo("/a"), echo("/b", Route::Door::socket)}};
  const auto answered = ask_server(served.home(), "GET", "/a?x=1");
  ASSERT_TRUE(answered && *answered);
  EXPECT_EQ((*answered)->status, 200);
  EXPECT_EQ(*find_string((*answered)->body, "path"), "/a");
  EXPECT_EQ(served.status("GET", "/b"), 200);
  EXPECT_EQ(served.status("GET", "/c"), 404);
  EXPECT_EQ(served.status("POST", "/a"), 405);
  EXPECT_EQ(served.status("GET", "/a?x=%"), 400);
}

TEST(Server, a_reply_may_come_later_and_from_any_thread) {
  std::vector<std::thread> repliers;
  std::mutex mutex;
  Route later{
      .method = "POST", .path = "/later", .door = Route::Door::socket, .body_bytes = 0, .answer = [&](const HttpRequest&, Reply reply) {
        const std::lock_guard held{mutex};
        repliers.emplace_back([reply = std::move(reply)] {
          reply({.status = 202, .content_type = "application/json", .body = "{}", .retry_after_seconds = 0});
        });
      }};
  {
    const Served served{{later}};
    std::vector<std::thread> askers;
    std::atomic<int> accepted = 0;
    for (int i = 0; i < 16; ++i)
      askers.emplace_back([&] {
        if (served.status("POST", "/later") == 202) ++accepted;
      });
    for (auto& asker : askers) asker.join();
    EXPECT_EQ(accepted, 16);
  }
  for (auto& replier : repliers) replier.join();
}

TEST(Server, a_home_too_deep_for_a_sockets_name_is_served_all_the_same) {
  const Served served{{echo("/a")}, std::string(80, 'x') + "/" + std::string(80, 'y')};
  EXPECT_EQ(served.status("GET", "/a"), 200);
}

TEST(Server, its_socket_is_its_owners_alone_and_goes_when_it_ends) {
  TemporaryDirectory folder;
  HttpServer server{{}};
  const auto path = socket_path(folder.path());
  ASSERT_TRUE(server.listen_locally(path));
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  server.stop();
  server.run([] {});
  EXPECT_FALSE(fs::exists(path));
}

TEST(Ask, without_a_server_there_is_no_answer_and_a_dead_ones_socket_is_removed) {
  TemporaryDirectory folder;
  EXPECT_FALSE(ask_server(folder.path(), "GET", "/state").value());
  {
    HttpServer server{{}};
    ASSERT_TRUE(server.listen_locally(socket_path(folder.path())));
  }  // as if it had been killed: the file stays
  ASSERT_TRUE(fs::exists(socket_path(folder.path())));
  EXPECT_FALSE(ask_server(folder.path(), "GET", "/state").value());
  EXPECT_FALSE(fs::exists(socket_path(folder.path())));
}

}  // namespace
}  // namespace vouch::portal
