#include "wire/http.h"

#include "wire/parse.h"
#include "wire/timestamp.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <chrono>
#include <cstdlib>
#include <filesystem>

namespace vouch::wire {
namespace {

constexpr std::size_t kLongestHeaders = 256 << 10;

std::string_view host_of(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  if (url.starts_with('[')) return url.substr(1, url.find(']') - 1);
  return url.substr(0, url.find(':'));
}

std::string origin_of(std::string_view url) {
  const auto scheme = url.find("://");
  return std::string{url.substr(0, url.find_first_of("/?#", scheme == std::string_view::npos ? 0 : scheme + 3))};
}

// Addresses of this machine or of its link only: no proxy can reach them.
bool is_local(std::string_view host) {
  return is_loopback(host) || host.starts_with("169.254.") || host == "fd00:ec2::254" || host == "fd00:ec2::23";
}

using Easy = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;

struct Transfer {
  Transport::Id id = 0;
  HttpRequest request;
  Transport::Done done;
  Answer answer;
  std::size_t header_bytes = 0;
  std::uint64_t body_limit = 0;
  bool too_long = false;
  std::array<char, CURL_ERROR_SIZE> message{};
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers{nullptr, &curl_slist_free_all};
  Easy easy{nullptr, &curl_easy_cleanup};
};

// The sockets that curl wants watched, and when it wants to be woken without one. Each turn costs what has happened, not what is in
// flight.
class Watch {
 public:
  Watch() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() {
    if (epoll_ >= 0) ::close(epoll_);
  }

  void serve(CURLM* multi) {
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
  }

  // Lets curl work on all that is due; waits for it at most `longest`.
  void turn(CURLM* multi, std::chrono::milliseconds longest) {
    int running = 0;
    if (due() == std::chrono::milliseconds{0}) {
      timer_.reset();
      curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
      longest = std::chrono::milliseconds{0};
    }
    std::array<epoll_event, 64> events;
    const auto wait = std::min(longest, due().value_or(longest));
    const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), static_cast<int>(wait.count()));
    for (int i = 0; i < count; ++i) {
      const auto& event = events[static_cast<std::size_t>(i)];
      const int ready = (event.events & EPOLLIN ? CURL_CSELECT_IN : 0) | (event.events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                        (event.events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
      curl_multi_socket_action(multi, event.data.fd, ready, &running);
    }
    if (due() == std::chrono::milliseconds{0}) {
      timer_.reset();
      curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
  }

 private:
  static int on_socket(CURL*, curl_socket_t socket, int what, void* context, void*) {
    const auto& watch = *static_cast<Watch*>(context);
    epoll_event event{};
    event.data.fd = socket;
    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT) event.events |= EPOLLIN;
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT) event.events |= EPOLLOUT;
    if (what == CURL_POLL_REMOVE) {
      ::epoll_ctl(watch.epoll_, EPOLL_CTL_DEL, socket, nullptr);
    } else if (::epoll_ctl(watch.epoll_, EPOLL_CTL_MOD, socket, &event) != 0) {
      ::epoll_ctl(watch.epoll_, EPOLL_CTL_ADD, socket, &event);
    }
    return 0;
  }

  static int on_timer(CURLM*, long milliseconds, void* context) {
    auto& timer = static_cast<Watch*>(context)->timer_;
    timer.reset();
    if (milliseconds >= 0) timer = Steady::now() + std::chrono::milliseconds{milliseconds};
    return 0;
  }

  using Steady = std::chrono::steady_clock;
  [[nodiscard]] std::optional<std::chrono::milliseconds> due() const {
    if (!timer_) return std::nullopt;
    return std::max(std::chrono::ceil<std::chrono::milliseconds>(*timer_ - Steady::now()), std::chrono::milliseconds{0});
  }

  int epoll_;
  std::optional<Steady::time_point> timer_;
};

// Read while the transfer still has its connection: a reused one tells curl's own certificate list nothing.
void take_certificate(Transfer& transfer) {
  curl_tlssessioninfo* session = nullptr;
  if (curl_easy_getinfo(transfer.easy.get(), CURLINFO_TLS_SSL_PTR, &session) != CURLE_OK || !session || !session->internals) return;
  if (session->backend != CURLSSLBACKEND_OPENSSL) return;
  const X509* certificate = SSL_get0_peer_certificate(static_cast<const SSL*>(session->internals));
  Digest digest;
  unsigned size = 0;
  if (certificate && X509_digest(certificate, EVP_sha256(), digest.bytes.data(), &size) == 1 && size == digest.bytes.size())
    transfer.answer.certificate = digest;
}

std::size_t on_header(char* data, std::size_t, std::size_t size, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  const std::string_view line{data, size};
  transfer.header_bytes += size;
  if (transfer.header_bytes > kLongestHeaders) {
    transfer.too_long = true;
    return 0;
  }
  if (line.starts_with("HTTP/")) {  // of a 100 Continue, of a proxy, or the real one: the last stands
    transfer.answer.headers.clear();
    take_certificate(transfer);
    return size;
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return size;
  auto value = line.substr(colon + 1);
  const auto first = value.find_first_not_of(" \t\r\n");
  value = first == std::string_view::npos ? std::string_view{} : value.substr(first, value.find_last_not_of(" \t\r\n") - first + 1);
  transfer.answer.headers.emplace_back(line.substr(0, colon), value);
  return size;
}

std::size_t on_body(char* data, std::size_t, std::size_t size, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  if (transfer.answer.body.size() + size > transfer.body_limit) {
    transfer.too_long = true;
    return 0;
  }
  if (transfer.answer.body.empty()) {
    curl_off_t announced = 0;
    curl_easy_getinfo(transfer.easy.get(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    constexpr curl_off_t believed = 1 << 20;  // a lie costs no more than that
    if (announced > 0) transfer.answer.body.reserve(static_cast<std::size_t>(std::min(announced, believed)));
  }
  transfer.answer.body.append(data, size);
  return size;
}

void complete(Transfer& transfer) {
  auto& answer = transfer.answer;
  long status = 0;
  const char* address = nullptr;
  curl_easy_getinfo(transfer.easy.get(), CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(transfer.easy.get(), CURLINFO_PRIMARY_IP, &address);
  answer.status = static_cast<int>(status);
  answer.endpoint = origin_of(transfer.request.url);
  answer.simulated = is_loopback(host_of(transfer.request.url)) || (address && is_loopback(address));
  if (const auto* date = find_header(answer.headers, "Date"))
    if (auto at = parse_rfc822(*date)) answer.server_date = *at;
  for (const char* name : {"x-amzn-requestid", "x-amz-request-id", "x-github-request-id"})
    if (const auto* id = find_header(answer.headers, name); id && answer.request_id.empty()) answer.request_id = *id;
}

}  // namespace

bool is_loopback(std::string_view host) {
  if (host == "localhost" || host.ends_with(".localhost") || host.ends_with(".localhost.localdomain")) return true;
  const std::string text{host};
  in_addr v4{};
  if (inet_pton(AF_INET, text.c_str(), &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
  in6_addr v6{};
  if (inet_pton(AF_INET6, text.c_str(), &v6) != 1) return false;
  if (IN6_IS_ADDR_V4MAPPED(&v6)) return v6.s6_addr[12] == 127;
  return IN6_IS_ADDR_LOOPBACK(&v6) != 0;
}

Result<Answer> Transport::fetch(HttpRequest request) {
  std::optional<Result<Answer>> answer;
  submit(std::move(request), [&](Result<Answer> result) { answer = std::move(result); });
  while (!answer) step(Duration::seconds(1));
  return std::move(*answer);
}

struct CurlTransport::State {
  HttpLimits limits;
  Watch watch;  // outlives `multi`, which tells it of sockets that it closes
  std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)> multi{nullptr, &curl_multi_cleanup};
  std::map<Id, std::unique_ptr<Transfer>> transfers;
  std::vector<std::unique_ptr<Transfer>> stillborn;  // that curl would not take
  std::vector<Easy> idle;                            // handles to be used again: making one costs more than a small answer
  Id next_id = 1;
  std::string ca_bundle;
  std::chrono::steady_clock::time_point born = std::chrono::steady_clock::now();

  Easy take_handle() {
    if (idle.empty()) return {curl_easy_init(), &curl_easy_cleanup};
    auto easy = std::move(idle.back());
    idle.pop_back();
    return easy;
  }
  void give_back(Easy easy) {
    constexpr std::size_t most = 128;
    if (!easy || idle.size() >= most) return;
    curl_easy_reset(easy.get());
    idle.push_back(std::move(easy));
  }

  void configure(Transfer& transfer) {
    CURL* easy = transfer.easy.get();
    const auto& request = transfer.request;
    const auto set = [easy](CURLoption option, auto value) { curl_easy_setopt(easy, option, value); };
    set(CURLOPT_URL, request.url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
    set(CURLOPT_PATH_AS_IS, 1L);  // the signature covers it
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_ERRORBUFFER, transfer.message.data());
    set(CURLOPT_PRIVATE, &transfer);
    set(CURLOPT_HEADERFUNCTION, &on_header);
    set(CURLOPT_HEADERDATA, &transfer);
    set(CURLOPT_WRITEFUNCTION, &on_body);
    set(CURLOPT_WRITEDATA, &transfer);
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits.connect.micros / 1000));
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(limits.total.micros / 1000));
    set(CURLOPT_LOW_SPEED_LIMIT, limits.slowest_bytes_per_second);
    set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(limits.idle.micros / 1'000'000));
    if (!ca_bundle.empty()) set(CURLOPT_CAINFO, ca_bundle.c_str());
    if (is_local(host_of(request.url))) set(CURLOPT_PROXY, "");

    curl_slist* headers = nullptr;
    const auto add = [&headers](const std::string& line) { headers = curl_slist_append(headers, line.c_str()); };
    for (const auto& [name, value] : request.headers) add(value.empty() ? name + ";" : name + ": " + value);
    add("Expect:");
    if (!find_header(request.headers, "Content-Type")) add("Content-Type:");
    if (!find_header(request.headers, "User-Agent")) add("User-Agent: vouch");
    transfer.headers.reset(headers);
    set(CURLOPT_HTTPHEADER, headers);

    if (request.method == "HEAD") {
      set(CURLOPT_NOBODY, 1L);
    } else if (request.method != "GET" || !request.body.empty()) {
      if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
        set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
        set(CURLOPT_POSTFIELDS, request.body.c_str());
      }
      set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }
  }

  Result<Answer> result_of(Transfer& transfer, CURLcode code) const {
    const auto origin = origin_of(transfer.request.url);
    if (transfer.too_long || code == CURLE_FILESIZE_EXCEEDED)
      return fail(Errc::limit, "`{}`: the answer is longer than {} bytes", origin, limits.body_bytes);
    if (code != CURLE_OK)
      return fail(Errc::unreachable, "`{}`: {}", origin, transfer.message[0] != '\0' ? transfer.message.data() : curl_easy_strerror(code));
    complete(transfer);
    return std::move(transfer.answer);
  }
};

namespace {

// Empty: libcurl's own default, which is the place of the distribution that it was built for. One that was carried elsewhere
// (./dev dist) finds those of Fedora, SUSE, Alpine and Arch.
std::string certificates() {
  for (const char* name : {"AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"})
    if (const char* path = std::getenv(name); path && *path) return path;
  if (const char* usual = curl_version_info(CURLVERSION_NOW)->cainfo; usual && std::filesystem::exists(usual)) return {};
  for (const char* place : {"/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"})
    if (std::filesystem::exists(place)) return place;
  return {};
}

}  // namespace

CurlTransport::CurlTransport(HttpLimits limits) : state_(std::make_unique<State>()) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)started;
  state_->limits = limits;
  state_->multi.reset(curl_multi_init());
  state_->watch.serve(state_->multi.get());
  curl_multi_setopt(state_->multi.get(), CURLMOPT_MAX_HOST_CONNECTIONS, limits.connections_per_host);
  state_->ca_bundle = certificates();
}

CurlTransport::~CurlTransport() {
  for (auto& [id, transfer] : state_->transfers) curl_multi_remove_handle(state_->multi.get(), transfer->easy.get());
}

Transport::Id CurlTransport::submit(HttpRequest request, Done done) {
  auto transfer = std::make_unique<Transfer>();
  transfer->id = state_->next_id++;
  transfer->request = std::move(request);
  transfer->done = std::move(done);
  transfer->body_limit = state_->limits.body_bytes;
  transfer->easy = state_->take_handle();
  constexpr std::size_t usual_headers = 32;
  transfer->answer.headers.reserve(usual_headers);
  const auto id = transfer->id;
  if (transfer->easy) {
    state_->configure(*transfer);
    if (curl_multi_add_handle(state_->multi.get(), transfer->easy.get()) == CURLM_OK) {
      state_->transfers.emplace(id, std::move(transfer));
      return id;
    }
  }
  state_->stillborn.push_back(std::move(transfer));
  return id;
}

void CurlTransport::cancel(Id id) {
  std::erase_if(state_->stillborn, [id](const auto& transfer) { return transfer->id == id; });
  const auto at = state_->transfers.find(id);
  if (at == state_->transfers.end()) return;
  curl_multi_remove_handle(state_->multi.get(), at->second->easy.get());
  state_->give_back(std::move(at->second->easy));
  state_->transfers.erase(at);
}

void CurlTransport::step(Duration longest) {
  for (auto& transfer : std::exchange(state_->stillborn, {}))
    transfer->done(fail(Errc::unreachable, "`{}`: curl refuses the request", origin_of(transfer->request.url)));
  const auto wait = std::min<std::int64_t>((std::max<std::int64_t>(longest.micros, 0) + 999) / 1000, 60'000);
  state_->watch.turn(state_->multi.get(), std::chrono::milliseconds{wait});
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(state_->multi.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const auto code = message->data.result;
    char* context = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &context);
    const auto at = state_->transfers.find(reinterpret_cast<Transfer*>(context)->id);
    auto transfer = std::move(at->second);
    state_->transfers.erase(at);
    curl_multi_remove_handle(state_->multi.get(), transfer->easy.get());
    auto result = state_->result_of(*transfer, code);
    state_->give_back(std::move(transfer->easy));
    transfer->done(std::move(result));
  }
}

Duration CurlTransport::elapsed() const {
  return {std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - state_->born).count()};
}

}  // namespace vouch::wire
