#include "wire/token_sign_in.h"

#include "base/json.h"
#include "wire/document.h"
#include "wire/percent.h"
#include "wire/retry.h"
#include "wire/url.h"

#include <algorithm>
#include <charconv>

namespace vouch::wire {
namespace {

constexpr Duration kEarliest = Duration::minutes(5);
constexpr Duration kLastMinute = Duration::minutes(1);
constexpr Duration kTryAgain = Duration::seconds(30);
constexpr Duration kSkewThatMatters = Duration::seconds(30);
constexpr Duration kLongestWait = Duration::seconds(20);
constexpr int kAttempts = 4;

void wait_for(Transport& transport, Duration wait) {
  const auto until = transport.elapsed().micros + wait.micros;
  for (auto left = wait.micros; left > 0; left = until - transport.elapsed().micros) transport.step({left});
}

// The origin of a URL that secrets may be sent to.
Result<std::string> check_secure(std::string_view url) {
  auto origin = origin_of_url(url);
  if (!origin) return fail(Errc::config, "{}", origin.error().message);
  const auto host = std::string_view{*origin}.substr(origin->find("://") + 3);
  const auto name = host.starts_with('[') ? host.substr(1, host.find(']') - 1) : host.substr(0, host.find(':'));
  if (origin->starts_with("http:") && !is_loopback(name))
    return fail(Errc::config, "`{}` is plain http to another machine: secrets are only sent over https", *origin);
  return origin;
}

// What a refusal says, when it is a word (RFC 6749's error codes) or GitHub's message; never anything that was sent.
std::string reason_in(const Answer& answer) {
  const auto document = parse_document(answer.body, AnswerKind::json);
  if (!document) return {};
  if (const auto* code = find_string(*document, "error"))
    if (code->size() < 64 && std::ranges::all_of(*code, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; }))
      return fmt::format(", {}", std::string_view{*code});
  if (const auto* message = find_string(*document, "message"))
    if (message->size() < 200 && message->find_first_of("\r\n") == json::string::npos)
      return fmt::format(", {}", std::string_view{*message});
  return {};
}

bool is_refusal(int status) { return status == 400 || status == 401 || status == 403; }

}  // namespace

bool TokenSignIn::is_due(Instant now) const {
  if (!token_->expires || now < not_before_) return false;
  const auto left = *token_->expires - now;
  return left < std::min(kEarliest, Duration{(*token_->expires - fetched_).micros / 4});
}

Result<> TokenSignIn::sign(HttpRequest& request, Instant now) {
  if (!token_ || is_due(now)) {
    if (!token_ && failure_ && now < not_before_) return std::unexpected(*failure_);
    auto fresh = fetch(now);
    if (fresh) {
      token_ = std::move(*fresh);
      fetched_ = now;
      failure_.reset();
    } else {
      not_before_ = now + kTryAgain;
      if (token_ && token_->expires && *token_->expires - now <= kLastMinute) token_.reset();
      if (!token_) {
        failure_ = std::move(fresh).error();
        return std::unexpected(*failure_);
      }
    }
  }
  set_header(request.headers, "Authorization", fmt::format("Bearer {}", token_->text.view()));
  return {};
}

bool TokenSignIn::renew() {
  token_.reset();
  failure_.reset();
  return true;
}

Result<Json> ask_for_token(Transport& transport, Instant now, const std::function<Result<HttpRequest>(Instant)>& make) {
  Error last{Errc::unreachable, {}};
  Duration skew{};
  bool corrected = false;
  for (int attempt = 1; attempt <= kAttempts; ++attempt) {
    auto request = TRY(make(now + skew));
    const auto where = TRY(check_secure(request.url));
    auto answer = transport.fetch(std::move(request));
    Duration wait = std::max(backoff(attempt, true, 0.3), Duration{});
    if (!answer) {
      if (answer.error().code != Errc::unreachable) return std::unexpected(std::move(answer).error());
      last = std::move(answer).error();
    } else if (const int status = answer->status; status >= 200 && status < 300) {
      auto document = parse_document(answer->body, AnswerKind::json);
      wipe(answer->body);
      if (document) return document;
      last = Error{Errc::malformed, fmt::format("the answer of `{}` can't be read", where)};
    } else if (status == 404) {
      return Json(nullptr);
    } else {
      const auto said = fmt::format("`{}` refuses with {}{}", where, status, reason_in(*answer));
      const bool limited = status == 429 || find_header(answer->headers, "Retry-After");
      if (is_refusal(status) && !limited) {
        const auto apart = answer->server_date.value_or(now + skew) - (now + skew);
        if (corrected || std::abs(apart.micros) < kSkewThatMatters.micros) return fail(Errc::denied, "{}", said);
        corrected = true;
        skew = Duration{skew.micros + apart.micros};
        wait = {};
      } else if (!limited && status < 500) {
        return fail(Errc::denied, "{}", said);
      } else if (const auto asked = asked_to_wait(answer->headers, now)) {
        wait = std::max(wait, std::min(*asked, kLongestWait));
      }
      last = Error{Errc::unreachable, said};
    }
    if (attempt < kAttempts) wait_for(transport, wait);
  }
  return std::unexpected(std::move(last));
}

Result<SecretText> token_of(const Json& answer, std::string_view member) {
  const auto* text = find_string(answer, member);
  if (!text || text->empty()) return fail(Errc::malformed, "the token service's answer has no `{}`", member);
  if (std::ranges::any_of(*text, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7f'; }))
    return fail(Errc::malformed, "the token service's `{}` is no token", member);
  return SecretText{std::string{*text}};
}

Result<Token> read_token_answer(const Json& answer, Instant now) {
  Token token;
  token.text = TRY(token_of(answer, "access_token"));
  if (const auto* type = find_string(answer, "token_type")) {
    const auto is_bearer = std::ranges::equal(*type, std::string_view{"bearer"},
                                              [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; });
    if (!is_bearer) return fail(Errc::unsupported, "the token service hands out another kind of token than bearer");
  }
  const auto* expires = find(answer, "expires_in");
  if (!expires) return token;
  std::int64_t seconds = 0;
  if (const auto* number = expires->if_int64()) {
    seconds = *number;
  } else if (const auto* text = expires->if_string()) {
    std::from_chars(text->data(), text->data() + text->size(), seconds);
  }
  constexpr std::int64_t longest = 366 * 86400;
  if (seconds > 0) token.expires = now + Duration::seconds(std::min(seconds, longest));
  return token;
}

HttpRequest form_request(std::string url, const std::vector<std::pair<std::string, std::string>>& fields) {
  HttpRequest request{"POST", std::move(url), {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}}, {}};
  for (const auto& [name, value] : fields) {
    if (!request.body.empty()) request.body += '&';
    request.body.append(percent_encode(name)).append("=").append(percent_encode(value));
  }
  return request;
}

}  // namespace vouch::wire
