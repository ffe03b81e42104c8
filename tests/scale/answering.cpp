// tests/scale/answering.cpp - answers as AWS and GitHub do, for accounts too large for any simulation. Not shipped.
//
//   answering SPEC.json            prints its port and serves on loopback until standard input closes; the spec: tests/scale/scale.py
//
// One thread, one coroutine a connection. Nothing is kept of a request: every answer is made from its template when it is asked for, so
// that this program is no bottleneck beside the one that it measures.
#include "base/file.h"
#include "base/json.h"

#include <boost/asio.hpp>
#include <charconv>
#include <iostream>

namespace vouch::scale {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// A text with places for a number: `@n@`, and `"@number@"` for the number itself in JSON.
class Template {
 public:
  Template() = default;
  explicit Template(std::string_view text) {
    constexpr std::string_view number = "\"@number@\"", name = "@n@";
    for (;;) {
      const auto at = std::min(text.find(number), text.find(name));
      pieces_.emplace_back(text.substr(0, at));
      if (at == std::string_view::npos) return;
      text.remove_prefix(at + (text.substr(at).starts_with(number) ? number.size() : name.size()));
    }
  }

  void fill(std::string_view word, std::string& out) const {
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      if (i > 0) out += word;
      out += pieces_[i];
    }
  }

 private:
  std::vector<std::string> pieces_;
};

struct Reply {
  int status = 200;
  std::string_view kind = "application/json";
  std::string headers, body;
};

struct Request {
  std::string_view method, target, head, body;
};

struct Listing {
  std::uint64_t count = 0, page = 100, first = 0;
  Template element;

  static Listing read(const Json& spec) {
    Listing listing;
    listing.count = spec.at("count").to_number<std::uint64_t>();
    listing.page = spec.at("page").to_number<std::uint64_t>();
    if (const auto* first = find(spec, "first")) listing.first = first->to_number<std::uint64_t>();
    const auto& element = spec.at("element");
    listing.element = Template{element.is_string() ? std::string(element.get_string()) : json::serialize(element)};
    return listing;
  }

  [[nodiscard]] std::uint64_t pages() const { return std::max<std::uint64_t>((count + page - 1) / page, 1); }

  void write(std::uint64_t number, std::string_view between, std::string& out) const {
    const auto to = std::min(count, number * page);
    for (auto n = (number - 1) * page; n < to; ++n) {
      if (n > (number - 1) * page) out += between;
      element.fill(fmt::format("{:07}", first + n + 1'000'000), out);
    }
  }
};

// What stands behind `name` in a text, up to a character of `until`; empty when it is not there.
std::string_view after(std::string_view text, std::string_view name, std::string_view until) {
  const auto at = text.find(name);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + name.size());
  return text.substr(0, text.find_first_of(until));
}

std::uint64_t number_of(std::string_view text, std::uint64_t otherwise) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() ? number : otherwise;
}

class Account {
 public:
  explicit Account(const Json& spec) : organisation_(json::serialize(spec.at("organisation"))) {
    if (const auto* groups = find(spec, "log groups")) log_groups_ = Listing::read(*groups);
    if (const auto* repositories = find(spec, "repositories")) repositories_ = Listing::read(*repositories);
    if (const auto* buckets = find(spec, "buckets")) buckets_ = Listing::read(*buckets);
    if (const auto* keys = find(spec, "keys")) keys_ = Listing::read(*keys);
    const auto* recorded = find_object(spec, "recorded");
    if (!recorded) return;
    for (const auto& [call, answers] : *recorded)
      for (const auto& answer : answers.as_array())
        recorded_[std::string(call)].push_back({answer.at("status").to_number<int>(), std::string(answer.at("kind").as_string()),
                                                Template{std::string_view(answer.at("body").as_string())}});
  }

  [[nodiscard]] Reply answer(const Request& request) const {
    if (request.method == "GET" && (request.target.starts_with("/orgs/") || request.target.starts_with("/repos/"))) return github(request);
    const auto target = after(request.head, "\nx-amz-target: ", "\r");
    if (!target.empty()) return by_target(target, request.body);
    if (request.body.find("Action=GetCallerIdentity") != std::string_view::npos) return caller();
    if (request.method == "GET" && request.head.find("/s3/aws4_request") != std::string_view::npos) return s3(request.target);
    return denied_xml();
  }

 private:
  struct Recorded {
    int status;
    std::string kind;
    Template body;
  };

  static Reply caller() {
    return {.kind = "text/xml",
            .headers = {},
            .body =
                "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>"
                "<Arn>arn:aws:iam::123456789012:user/collector</Arn><UserId>AIDACOLLECTOR</UserId><Account>123456789012</Account>"
                "</GetCallerIdentityResult></GetCallerIdentityResponse>"};
  }
  static Reply denied_xml() {
    return {.status = 403,
            .kind = "text/xml",
            .headers = {},
            .body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not in this account</Message></Error></ErrorResponse>"};
  }
  static Reply denied_json() {
    return {.status = 400,
            .kind = "application/x-amz-json-1.1",
            .headers = {},
            .body = R"({"__type":"AccessDeniedException","message":"not in this account"})"};
  }

  [[nodiscard]] Reply by_target(std::string_view target, std::string_view body) const {
    if (target.ends_with(".DescribeLogGroups") && log_groups_)
      return page_of(*log_groups_, R"({"logGroups":[)", "nextToken", number_of(after(body, R"("nextToken":")", "\""), 1));
    if (target.ends_with(".ListKeys") && keys_)
      return page_of(*keys_, R"({"Truncated":@,"Keys":[)", "NextMarker", number_of(after(body, R"("Marker":")", "\""), 1));
    return recorded(target, after(body, R"("KeyId":")", "\"")).value_or(denied_json());
  }

  // `head` says in `@` whether there is more.
  static Reply page_of(const Listing& listing, std::string head, std::string_view token, std::uint64_t number) {
    const bool more = number < listing.pages();
    if (const auto at = head.find('@'); at != std::string::npos) head.replace(at, 1, more ? "true" : "false");
    Reply reply{.kind = "application/x-amz-json-1.1", .headers = {}, .body = std::move(head)};
    listing.write(number, ",", reply.body);
    reply.body += ']';
    if (more) reply.body += fmt::format(R"(,"{}":"{}")", token, number + 1);
    reply.body += '}';
    return reply;
  }

  [[nodiscard]] Reply s3(std::string_view target) const {
    const auto question = target.find('?');
    const auto bucket = target.substr(1, question == std::string_view::npos ? question : question - 1);
    if (bucket.empty() && buckets_) {
      const auto number = number_of(after(target, "continuation-token=", "&"), 1);
      Reply reply{.kind = "application/xml", .headers = {}, .body = "<ListAllMyBucketsResult><Buckets>"};
      buckets_->write(number, "", reply.body);
      reply.body += "</Buckets>";
      if (number < buckets_->pages()) reply.body += fmt::format("<ContinuationToken>{}</ContinuationToken>", number + 1);
      reply.body += "</ListAllMyBucketsResult>";
      return reply;
    }
    const auto query = question == std::string_view::npos ? std::string_view{} : target.substr(question + 1);
    return recorded(fmt::format("s3?{}", query.substr(0, query.find_first_of("=&"))), bucket.substr(0, bucket.find('/')))
        .value_or(denied_xml());
  }

  // The answer of one of the resources that were recorded, under this one's name.
  [[nodiscard]] std::optional<Reply> recorded(std::string_view call, std::string_view resource) const {
    const auto found = recorded_.find(call);
    if (found == recorded_.end() || resource.empty()) return std::nullopt;
    const auto& one = found->second[std::hash<std::string_view>{}(resource) % found->second.size()];
    Reply reply{.status = one.status, .kind = one.kind, .headers = {}, .body = {}};
    one.body.fill(resource, reply.body);
    return reply;
  }

  [[nodiscard]] Reply github(const Request& request) const {
    const auto path = request.target.substr(0, request.target.find('?'));
    const auto rest = path.starts_with("/orgs/") ? path.substr(6) : std::string_view("?");
    const auto slash = rest.find('/');
    if (slash == std::string_view::npos && rest != "?") return {.headers = {}, .body = organisation_};
    if (slash == std::string_view::npos || rest.substr(slash) != "/repos" || !repositories_)
      return {.status = 404, .headers = {}, .body = R"({"message":"Not Found","status":"404"})"};
    const auto number = number_of(after(request.target, "&page=", "&"), 1);
    Reply reply{.headers = {}, .body = "["};
    repositories_->write(number, ",", reply.body);
    reply.body += ']';
    const auto host = after(request.head, "\nhost: ", "\r");
    if (number < repositories_->pages())
      reply.headers = fmt::format(
          "Link: <http://{}{}?type=all&per_page={}&page={}>; rel=\"next\", <http://{}{}?type=all&per_page={}&page={}>; rel=\"last\"\r\n",
          host, path, repositories_->page, number + 1, host, path, repositories_->page, repositories_->pages());
    return reply;
  }

  std::string organisation_;
  std::optional<Listing> log_groups_, repositories_, buckets_, keys_;
  std::map<std::string, std::vector<Recorded>, std::less<>> recorded_;
};

std::string write(const Reply& reply, std::uint64_t number) {
  std::string text = fmt::format("HTTP/1.1 {} X\r\nContent-Type: {}\r\nContent-Length: {}\r\nx-amzn-RequestId: {:032x}\r\n{}\r\n",
                                 reply.status, reply.kind, reply.body.size(), number, reply.headers);
  text += reply.body;
  return text;
}

asio::awaitable<void> serve(tcp::socket socket, const Account& account) {
  static std::uint64_t answered = 0;
  socket.set_option(tcp::no_delay(true));
  std::string buffer, head;
  boost::system::error_code error;
  for (;;) {
    const auto head_bytes =
        co_await asio::async_read_until(socket, asio::dynamic_buffer(buffer), "\r\n\r\n", asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    // Names of headers in small letters; values stay.
    head = buffer.substr(0, head_bytes);
    for (std::size_t i = head.find('\n'); i != std::string::npos && i < head.size(); i = head.find('\n', i + 1))
      for (auto j = i + 1; j < head.size() && head[j] != ':'; ++j)
        head[j] = static_cast<char>(std::tolower(static_cast<unsigned char>(head[j])));
    const auto length = number_of(after(head, "\ncontent-length: ", "\r"), 0);
    if (buffer.size() < head_bytes + length) {
      co_await asio::async_read(socket, asio::dynamic_buffer(buffer), asio::transfer_at_least(head_bytes + length - buffer.size()),
                                asio::redirect_error(asio::use_awaitable, error));
      if (error) co_return;
    }
    const std::string_view view = buffer, first = view.substr(0, view.find('\r'));
    const auto space = first.find(' ');
    const auto reply = account.answer({.method = first.substr(0, space),
                                       .target = first.substr(space + 1, first.rfind(' ') - space - 1),
                                       .head = head,
                                       .body = view.substr(head_bytes, length)});
    const auto text = write(reply, ++answered);
    co_await asio::async_write(socket, asio::buffer(text), asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    buffer.erase(0, head_bytes + length);
  }
}

asio::awaitable<void> accept(tcp::acceptor& acceptor, const Account& account) {
  for (;;) {
    auto socket = co_await acceptor.async_accept(asio::use_awaitable);
    asio::co_spawn(acceptor.get_executor(), serve(std::move(socket), account), asio::detached);
  }
}

int run(const char* file) {
  const auto spec = read_file(file, 256u << 20);
  const auto value = spec ? parse_json(*spec, 100) : Result<Json>(fail(Errc::not_found, "no spec"));
  if (!value) {
    std::cerr << file << ": " << value.error().message << '\n';
    return 2;
  }
  const Account account(*value);
  asio::io_context loop(1);
  tcp::acceptor acceptor(loop, {asio::ip::address_v4::loopback(), 0});
  asio::co_spawn(loop, accept(acceptor, account), asio::detached);
  asio::posix::stream_descriptor input(loop, ::dup(0));
  char byte = 0;
  input.async_read_some(asio::buffer(&byte, 1), [&](const auto&, std::size_t) { loop.stop(); });
  std::cout << acceptor.local_endpoint().port() << std::endl;
  loop.run();
  return 0;
}

}  // namespace
}  // namespace vouch::scale

int main(int count, char** words) {
  if (count == 2) return vouch::scale::run(words[1]);
  std::cerr << "answering SPEC.json\n";
  return 2;
}
