#include "wire/http.h"

#include "base/file.h"
#include "wire/aws_dialect.h"
#include "wire/client.h"
#include "wire/http_dialect.h"
#include "wire/test_models.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>
#include <atomic>
#include <thread>

namespace vouch::wire {
namespace {

// Accepts on a loopback port and hands each connection to `serve`, until destroyed.
class LoopbackServer {
 public:
  using Serve = std::function<void(int fd)>;
  explicit LoopbackServer(Serve serve) : serve_(std::move(serve)), listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener_.get(), 16), 0);
    socklen_t size = sizeof address;
    getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread{[this] {
      for (;;) {
        Fd connection{accept(listener_.get(), nullptr, nullptr)};
        if (!connection) return;
        ++connections_;
        serve_(connection.get());
      }
    }};
  }
  ~LoopbackServer() {
    shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  [[nodiscard]] std::string url(std::string_view path = "/", std::string_view scheme = "http") const {
    return fmt::format("{}://127.0.0.1:{}{}", scheme, port_, path);
  }
  [[nodiscard]] int connections() const { return connections_; }

 private:
  Serve serve_;
  Fd listener_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_ = 0;
  std::thread thread_;
};

// One request's head (and a body of its announced length); empty at the end of the connection.
std::string read_request(int fd) {
  std::string text;
  char c = 0;
  while (text.find("\r\n\r\n") == std::string::npos && recv(fd, &c, 1, 0) == 1) text += c;
  const auto at = text.find("Content-Length: ");
  std::size_t left = at == std::string::npos ? 0 : std::stoul(text.substr(at + 16));
  while (left-- > 0 && recv(fd, &c, 1, 0) == 1) text += c;
  return text;
}

void write_text(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto sent = send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

HttpLimits quick() {
  HttpLimits limits;
  limits.connect = Duration::seconds(2);
  limits.idle = Duration::seconds(1);
  limits.total = Duration::seconds(4);
  limits.body_bytes = 1 << 20;
  return limits;
}

TEST(CurlTransport, SendsWhatItIsGivenAndReturnsWhatCame) {
  std::string seen;
  LoopbackServer server{[&](int fd) {
    seen = read_request(fd);
    write_text(fd, "HTTP/1.1 418 Teapot\r\nContent-Length: 4\r\nX-Amz-Request-Id: r-1\r\nDate: Tue, 24 Nov 2026 00:00:00 GMT\r\n\r\nbody");
  }};
  CurlTransport transport{quick()};
  const auto answer = transport.fetch({"POST", server.url("/a/../b//c?x=%20"), {{"X-Two", "a  b"}, {"X-Empty", ""}}, "payload"}).value();
  EXPECT_TRUE(seen.starts_with("POST /a/../b//c?x=%20 HTTP/1.1\r\n"));
  EXPECT_NE(seen.find("X-Two: a  b\r\n"), std::string::npos);
  EXPECT_NE(seen.find("X-Empty:"), std::string::npos);
  EXPECT_EQ(seen.find("Content-Type"), std::string::npos);
  EXPECT_EQ(seen.find("Expect"), std::string::npos);
  EXPECT_TRUE(seen.ends_with("payload"));
  EXPECT_EQ(answer.status, 418);
  EXPECT_EQ(answer.body, "body");
  EXPECT_EQ(answer.request_id, "r-1");
  EXPECT_EQ(to_string(answer.server_date.value()), "2026-11-24T00:00:00Z");
  EXPECT_EQ(answer.endpoint, server.url(""));
  EXPECT_TRUE(answer.simulated);
  EXPECT_FALSE(answer.certificate);
}

TEST(CurlTransport, ReusesItsConnection) {
  LoopbackServer server{[&](int fd) {
    while (!read_request(fd).empty()) write_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  }};
  {
    CurlTransport transport{quick()};
    for (int i = 0; i < 5; ++i) EXPECT_EQ(transport.fetch({"GET", server.url(), {}, {}}).value().body, "ok");
    EXPECT_EQ(server.connections(), 1);
  }
}

TEST(CurlTransport, DoesNotFollowRedirects) {
  LoopbackServer server{[&](int fd) {
    read_request(fd);
    write_text(fd, "HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
  }};
  CurlTransport transport{quick()};
  EXPECT_EQ(transport.fetch({"GET", server.url(), {}, {}}).value().status, 301);
}

struct Fault {
  const char* name;
  LoopbackServer::Serve serve;
  Errc code;
};

TEST(CurlTransport, EveryFaultIsAnErrorAndNoneAnAnswer) {
  const std::vector<Fault> faults{{"reset",
                                   [](int fd) {
                                     read_request(fd);
                                     const linger now{1, 0};
                                     setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
                                   },
                                   Errc::unreachable},
                                  {"closed without a byte", [](int fd) { read_request(fd); }, Errc::unreachable},
                                  {"cut off before its length",
                                   [](int fd) {
                                     read_request(fd);
                                     write_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"half\":");
                                   },
                                   Errc::unreachable},
                                  {"cut off between chunks",
                                   [](int fd) {
                                     read_request(fd);
                                     write_text(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n");
                                   },
                                   Errc::unreachable},
                                  {"no HTTP",
                                   [](int fd) {
                                     read_request(fd);
                                     write_text(fd, "\x16\x03\x01 garbage\r\n\r\n");
                                   },
                                   Errc::unreachable},
                                  {"hangs",
                                   [](int fd) {
                                     read_request(fd);
                                     read_request(fd);
                                   },
                                   Errc::unreachable},
                                  {"a byte at a time, for ever",
                                   [](int fd) {
                                     read_request(fd);
                                     write_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
                                     for (int i = 0; i < 80; ++i) {
                                       if (send(fd, "x", 1, MSG_NOSIGNAL) != 1) return;
                                       std::this_thread::sleep_for(std::chrono::milliseconds{50});
                                     }
                                   },
                                   Errc::unreachable},
                                  {"longer than allowed",
                                   [](int fd) {
                                     read_request(fd);
                                     write_text(fd, "HTTP/1.1 200 OK\r\n\r\n" + std::string(2 << 20, 'x'));
                                   },
                                   Errc::limit},
                                  {"endless headers",
                                   [](int fd) {
                                     read_request(fd);
                                     write_text(fd, "HTTP/1.1 200 OK\r\n");
                                     for (int i = 0; i < 20'000; ++i) write_text(fd, "X-Header: " + std::string(100, 'x') + "\r\n");
                                   },
                                   Errc::limit}};
  for (const auto& fault : faults) {
    LoopbackServer server{fault.serve};
    CurlTransport transport{quick()};
    const auto answer = transport.fetch({"GET", server.url(), {}, {}});
    ASSERT_FALSE(answer) << fault.name;
    EXPECT_TRUE(answer.error().code == fault.code || (fault.code == Errc::limit && answer.error().code == Errc::unreachable))
        << fault.name << ": " << answer.error().message;
    EXPECT_NE(answer.error().message.find("127.0.0.1"), std::string::npos);
  }
}

TEST(ClientOverCurl, GetsThroughEveryPassingFaultToTheAnswer) {
  const auto whole = [](std::string_view status, std::string_view headers, std::string_view body) {
    return fmt::format("HTTP/1.1 {}\r\nConnection: close\r\n{}Content-Length: {}\r\n\r\n{}", status, headers, body.size(), body);
  };
  const std::vector<std::string> answers{"",  // closed without a byte
                                         whole("429 Too Many Requests", "Retry-After: 0\r\n", R"({"__type":"ThrottlingException"})"),
                                         whole("429 Too Many Requests", "", "slow down"),
                                         whole("500 Internal Server Error", "", "<html>oops</html>"),
                                         "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"Things\":[",
                                         whole("200 OK", "", "<html>who are you</html>"),
                                         whole("200 OK", "", R"({"Things":[{"Name":"a"}]})")};
  std::size_t served = 0;
  LoopbackServer server{[&](int fd) {
    read_request(fd);
    write_text(fd, answers[std::min(served++, answers.size() - 1)]);
  }};
  auto models = test_models();
  Settings settings;
  settings.environment["AWS_ENDPOINT_URL"] = server.url("");
  FixedCredentials credentials{{"ID", "secret", {}, std::nullopt, "test"}};
  CurlTransport transport{quick()};
  const SystemClock clock;
  AwsDialect aws{models, settings, credentials, clock};
  Client client{aws, transport, clock, {.seed = 3}};
  std::vector<Page> pages;
  Outcome outcome;
  client.call(
      {"json", "ListThings", "eu-central-1", json::object()}, [&](Page page) { pages.push_back(std::move(page)); },
      [&](const Outcome& ended) { outcome = ended; });
  client.run();
  EXPECT_EQ(outcome.heard, Heard::ok) << outcome.message;
  EXPECT_EQ(outcome.requests, answers.size());
  EXPECT_TRUE(outcome.simulated);
  ASSERT_EQ(pages.size(), 1U);
  EXPECT_EQ(pages[0].answer.body, R"({"Things":[{"Name":"a"}]})");
}

// Answers by Link and ETag over real sockets, several requests a connection.
TEST(HttpApiOverCurl, ListsAndThenOnlyAsksWhetherAnythingChanged) {
  std::atomic<int> bodies = 0;
  std::string origin;
  LoopbackServer server{[&](int fd) {
    for (auto request = read_request(fd); !request.empty(); request = read_request(fd)) {
      const bool first = request.find("&page=2") == std::string::npos;
      const std::string_view etag = first ? "\"one\"" : "\"two\"", body = first ? R"([{"id":1},{"id":2}])" : R"([{"id":3}])";
      if (request.find(fmt::format("If-None-Match: {}", etag)) != std::string::npos) {
        write_text(fd, fmt::format("HTTP/1.1 304 Not Modified\r\nETag: {}\r\n\r\n", etag));
        continue;
      }
      ++bodies;
      const auto link = first ? fmt::format("Link: <{}/things?per_page=2&page=2>; rel=\"next\"\r\n", origin) : std::string{};
      write_text(fd, fmt::format("HTTP/1.1 200 OK\r\nETag: {}\r\n{}Content-Length: {}\r\n\r\n{}", etag, link, body.size(), body));
    }
  }};
  origin = server.url("");
  HttpApi api{.service = "forge", .base = origin};
  api.operations["things"] = {
      .name = "things", .url = UrlTemplate::parse("/things?per_page=2").value(), .paging = {.style = Paging::Style::link}};
  const auto sign_in = no_sign_in();
  CurlTransport transport{quick()};
  const SystemClock clock;
  HttpDialect forge{api, *sign_in, clock};
  Client client{forge, transport, clock};
  std::map<std::uint32_t, Validator> remembered;
  for (const bool again : {false, true}) {
    std::size_t items = 0, unchanged = 0;
    Outcome outcome;
    client.call(
        {.service = "forge",
         .operation = "things",
         .region = {},
         .known = [&](std::uint32_t page) { return again ? std::optional{remembered.at(page)} : std::nullopt; }},
        [&](const Page& page) {
          remembered[page.number] = page.validator.value();
          unchanged += page.unchanged;
          items += page.unchanged ? 0 : page.value.as_array().size();
        },
        [&](const Outcome& ended) { outcome = ended; });
    client.run();
    EXPECT_EQ(outcome.heard, Heard::ok) << outcome.message;
    EXPECT_EQ(outcome.pages, 2U);
    EXPECT_TRUE(outcome.simulated);
    EXPECT_EQ(items, again ? 0U : 3U);
    EXPECT_EQ(unchanged, again ? 2U : 0U);
  }
  EXPECT_EQ(bodies, 2);
}

TEST(HttpApiOverCurl, ASignInStaysWithTheHostItIsFor) {
  std::atomic<int> stolen = 0;
  LoopbackServer thief{[&](int fd) {
    read_request(fd);
    ++stolen;
    write_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]");
  }};
  LoopbackServer server{[&](int fd) {
    const auto request = read_request(fd);
    const bool link = request.find("/link") != std::string::npos;
    write_text(fd, fmt::format("HTTP/1.1 {}\r\nConnection: close\r\n{}Content-Length: 2\r\n\r\n[]", link ? "200 OK" : "302 Found",
                               link ? fmt::format("Link: <{}>; rel=next\r\n", thief.url()) : fmt::format("Location: {}\r\n", thief.url())));
  }};
  setenv("VOUCH_TEST_TOKEN", "planted", 1);
  HttpApi api{.service = "forge", .base = server.url("")};
  api.operations["moved"] = {.name = "moved", .url = UrlTemplate::parse("/moved").value()};
  api.operations["link"] = {.name = "link", .url = UrlTemplate::parse("/link").value(), .paging = {.style = Paging::Style::link}};
  const auto sign_in = bearer_sign_in(Secret::environment("VOUCH_TEST_TOKEN"));
  CurlTransport transport{quick()};
  const SystemClock clock;
  HttpDialect forge{api, *sign_in, clock};
  Client client{forge, transport, clock};
  for (const char* operation : {"moved", "link"}) {
    Outcome outcome;
    client.call(
        {.service = "forge", .operation = operation, .region = {}}, [](const Page&) {}, [&](const Outcome& ended) { outcome = ended; });
    client.run();
    EXPECT_EQ(outcome.heard, Heard::failed) << operation;
    EXPECT_EQ(outcome.message.find("planted"), std::string::npos);
  }
  EXPECT_EQ(stolen, 0);
}

TEST(CurlTransport, NobodyListeningIsUnreachable) {
  std::string url;
  {
    url = LoopbackServer{[](int) {}}.url();
  }
  CurlTransport transport{quick()};
  EXPECT_EQ(transport.fetch({"GET", url, {}, {}}).error().code, Errc::unreachable);
  EXPECT_EQ(transport.fetch({"GET", "gopher://127.0.0.1/", {}, {}}).error().code, Errc::unreachable);
  EXPECT_EQ(transport.fetch({"GET", "no url", {}, {}}).error().code, Errc::unreachable);
}

TEST(CurlTransport, ACancelledRequestIsNotAnswered) {
  LoopbackServer server{[&](int fd) {
    read_request(fd);
    write_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  }};
  CurlTransport transport{quick()};
  bool answered = false;
  const auto id = transport.submit({"GET", server.url(), {}, {}}, [&](Result<Answer>) { answered = true; });
  transport.cancel(id);
  transport.step(Duration{200'000});
  EXPECT_FALSE(answered);
}

// A key and a certificate for 127.0.0.1, signed by itself.
struct Identity {
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{EVP_EC_gen("P-256"), &EVP_PKEY_free};
  std::unique_ptr<X509, decltype(&X509_free)> certificate{X509_new(), &X509_free};

  Identity() {
    X509* x = certificate.get();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_set_pubkey(x, key.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    X509_EXTENSION* name = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
    X509_add_ext(x, name, -1);
    X509_EXTENSION_free(name);
    X509_sign(x, key.get(), EVP_sha256());
  }
  [[nodiscard]] std::string pem() const {
    std::unique_ptr<BIO, decltype(&BIO_free)> bio{BIO_new(BIO_s_mem()), &BIO_free};
    PEM_write_bio_X509(bio.get(), certificate.get());
    char* data = nullptr;
    const auto size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
  }
  [[nodiscard]] Digest digest() const {
    Digest out;
    unsigned size = 0;
    X509_digest(certificate.get(), EVP_sha256(), out.bytes.data(), &size);
    return out;
  }
};

TEST(CurlTransport, VerifiesTlsAndNotesTheCertificateOnNewAndReusedConnections) {
  const Identity identity;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context{SSL_CTX_new(TLS_server_method()), &SSL_CTX_free};
  SSL_CTX_use_certificate(context.get(), identity.certificate.get());
  SSL_CTX_use_PrivateKey(context.get(), identity.key.get());
  LoopbackServer server{[&](int fd) {
    std::unique_ptr<SSL, decltype(&SSL_free)> tls{SSL_new(context.get()), &SSL_free};
    SSL_set_fd(tls.get(), fd);
    if (SSL_accept(tls.get()) != 1) return;
    std::string text;
    char c = 0;
    while (SSL_read(tls.get(), &c, 1) == 1) {
      text += c;
      if (!text.ends_with("\r\n\r\n")) continue;
      text.clear();
      constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
      SSL_write(tls.get(), kAnswer.data(), static_cast<int>(kAnswer.size()));
    }
  }};
  CurlTransport stranger{quick()};
  EXPECT_EQ(stranger.fetch({"GET", server.url("/", "https"), {}, {}}).error().code, Errc::unreachable);

  const TemporaryDirectory folder;
  ASSERT_TRUE(write_file(folder.path() / "ca.pem", identity.pem()));
  setenv("AWS_CA_BUNDLE", (folder.path() / "ca.pem").c_str(), 1);
  {
    CurlTransport transport{quick()};
    unsetenv("AWS_CA_BUNDLE");
    for (int i = 0; i < 2; ++i) {
      const auto answer = transport.fetch({"GET", server.url("/", "https"), {}, {}});
      ASSERT_TRUE(answer) << answer.error().message;
      EXPECT_EQ(answer->certificate, identity.digest());
    }
    EXPECT_EQ(server.connections(), 2);  // the stranger's and ours
  }
}

TEST(Loopback, IsToldByAddressAndName) {
  for (const char* host : {"127.0.0.1", "127.8.9.1", "::1", "localhost", "x.localhost", "::ffff:127.0.0.1"})
    EXPECT_TRUE(is_loopback(host)) << host;
  for (const char* host : {"128.0.0.1", "10.0.0.1", "::2", "localhost.example.com", "mylocalhost", "127.0.0.1.nip.io", "0.0.0.0", ""})
    EXPECT_FALSE(is_loopback(host)) << host;
}

}  // namespace
}  // namespace vouch::wire
