#include "wire/http_dialect.h"

#include "wire/graphql.h"
#include "wire/http.h"
#include "wire/limits.h"
#include "wire/page_turner.h"
#include "wire/retry.h"
#include "wire/url.h"

#include <algorithm>
#include <charconv>

namespace vouch::wire {

struct HttpService {
  const HttpApi& api;
  SignIn& sign_in;
  const Clock& clock;

  std::string base = {};            // without a slash at its end
  Result<std::string> origin = {};  // its scheme, host and port
  std::string graphql_url = {};
  bool is_plain = false;  // http to another machine
  Limits limits{api.limits};
  std::uint64_t sign_ins = 0;  // how often the sign-in was renewed
};

namespace {

constexpr int kUnauthorized = 401, kForbidden = 403, kTooManyRequests = 429, kAccepted = 202, kNoContent = 204, kNotModified = 304;
constexpr std::size_t kLongestMessage = 500;

bool holds(std::string_view text, std::string_view word) {
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  return std::search(text.begin(), text.end(), word.begin(), word.end(), same) != text.end();
}

// GitHub's words, and Google's ("User Rate Limit Exceeded", "Quota exceeded for quota metric …").
bool speaks_of_a_limit(std::string_view text) {
  return holds(text, "rate limit") || holds(text, "abuse detection") || holds(text, "quota exceeded");
}

bool is_followed(int status) { return status == 301 || status == 302 || status == 307 || status == 308; }

Heard heard_in(int status) {
  switch (status) {
    case kForbidden:
    case 451: return Heard::denied;
    case 404:
    case 410: return Heard::absent;
    case kTooManyRequests: return Heard::throttled;
    default: return Heard::failed;
  }
}

Json number_or_text(const std::string& text, bool number) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return number && error == std::errc{} && end == text.data() + text.size() ? Json(value) : Json(text);
}

class HttpExchange final : public Exchange {
 public:
  HttpExchange(HttpService& service, const Call& call) : service_(service), call_(call) {
    const auto at = service.api.operations.find(call.operation);
    if (at == service.api.operations.end() || !service.origin) return;
    operation_ = &at->second;
    turner_.emplace(operation_->paging, *service.origin);
  }

  Result<HttpRequest> prepare(const Validator* known, Duration now) override {
    if (!service_.origin) return std::unexpected(service_.origin.error());
    if (!operation_) return fail(Errc::not_found, "`{}` has no operation `{}`", service_.api.service, call_.operation);
    if (service_.is_plain && !service_.sign_in.is_anonymous())
      return fail(Errc::config, "`{}` is plain http to another machine: a sign-in is only sent over https", service_.base);
    HttpRequest request;
    request.headers.reserve(service_.api.headers.size() + operation_->headers.size() + 4);
    request.headers = service_.api.headers;
    for (const auto& [name, value] : operation_->headers) set_header(request.headers, name, value);
    TRY(address(request));
    asked_ = request.url;
    if (!moved_to_.empty()) request.url = moved_to_;
    remember(known, request);
    TRY_WITHIN(service_.sign_in.sign(request, service_.clock.now()), "the sign-in of `{}`", service_.api.service);
    sign_in_ = service_.sign_ins;
    sent_ = now;
    return request;
  }

  Result<Understood> understand(const Answer& answer, Duration now) override {
    const Limits::When when{sent_, now, service_.clock.now()};
    service_.limits.heard(call_.operation, answer, when);
    auto understood = TRY(read(answer));
    if (operation_->answer == AnswerKind::json && !operation_->graphql.empty()) {
      if (const auto* data = find(understood.value, "data"))
        if (const auto* cost = find(*data, "rateLimit")) service_.limits.heard_cost(call_.operation, *cost, answer, when);
    }
    if (!understood.error) {
      service_.limits.served(when);
    } else if (understood.error->heard == Heard::throttled) {
      service_.limits.refused(call_.operation, answer, when);
    }
    return understood;
  }

  bool correct(const Answer& answer, ServiceError& error) override {
    if (error.heard == Heard::expired) {
      if (renew()) return true;
      error.heard = Heard::denied;  // no longer a matter of time
      return false;
    }
    const auto* location = is_followed(answer.status) ? find_header(answer.headers, "Location") : nullptr;
    if (!location || !moved_to_.empty() || is_post()) return false;
    auto target = resolve_url(asked_, *location);
    if (!target) return false;
    const auto origin = origin_of_url(*target);
    if (!origin || *origin != *service_.origin) return false;
    moved_to_ = *std::move(target);
    return true;
  }

  Result<Turn> turn(const Answer& answer, const Understood& understood) override {
    auto turn = turner_->turn(asked_, answer, understood.value, understood.unchanged ? &*known_ : nullptr);
    if (!turn) return std::unexpected(std::move(turn).error().within(fmt::format("{}:{}", call_.service, call_.operation)));
    complete(*turn, answer, understood);
    renewed_ = false;
    moved_to_.clear();
    pending_ = 0;
    return turn;
  }

  [[nodiscard]] Closed closed(Duration now) const override { return service_.limits.closed(call_.operation, now); }
  [[nodiscard]] bool overridden() const override { return service_.api.overridden; }

 private:
  [[nodiscard]] bool is_post() const { return !operation_->graphql.empty() || operation_->method != "GET"; }

  // A sign-in that another call has renewed in the meantime is not renewed again.
  bool renew() {
    if (std::exchange(renewed_, true)) return false;
    if (sign_in_ != service_.sign_ins) return true;
    if (!service_.sign_in.renew()) return false;
    ++service_.sign_ins;
    return true;
  }

  // Method, URL and body of the present page.
  Result<> address(HttpRequest& request) {
    const auto& paging = operation_->paging;
    const bool numbered = paging.style == Paging::Style::page || paging.style == Paging::Style::offset;
    const auto& position = turner_->position();
    const bool by_link = paging.style == Paging::Style::link || paging.style == Paging::Style::next;
    if (!operation_->graphql.empty()) {
      Json variables = call_.params;
      if (!position.empty()) variables.as_object()[paging.as] = number_or_text(position, numbered);
      request.method = "POST";
      request.url = service_.graphql_url;
      request.body = graphql_body(operation_->graphql, variables);
      set_header(request.headers, "Content-Type", "application/json");
      return {};
    }
    request.method = operation_->method;
    request.url = by_link && !position.empty() ? position : TRY(url_of_params());
    if (!is_post()) {
      if (!by_link && !position.empty()) request.url = with_query(request.url, paging.as, position);
      return {};
    }
    auto body = TRY(fill_body(operation_->body.is_null() ? Json(json::object()) : operation_->body, call_.params));
    if (!by_link && !position.empty()) {
      if (!body.is_object()) return fail(Errc::config, "{}: only a body that is an object can be paged", operation_->name);
      body.get_object()[paging.as] = number_or_text(position, numbered);
    }
    request.body = json::serialize(body);
    set_header(request.headers, "Content-Type", "application/json");
    return {};
  }

  Result<std::string> url_of_params() {
    if (!first_url_.empty()) return first_url_;
    auto url = TRY(operation_->url.fill(call_.params));
    if (url.starts_with('/')) {
      url.insert(0, service_.base);
    } else if (TRY(origin_of_url(url)) != *service_.origin) {
      return fail(Errc::config, "{}: `{}` is on another host than `{}`", operation_->name, operation_->url.text(), service_.base);
    }
    first_url_ = url;
    return url;
  }

  void remember(const Validator* known, HttpRequest& request) {
    known_.reset();
    if (!known || is_post() || known->asked != hash_of(asked_) || !turner_->trusts(*known, asked_)) return;
    if (!known->etag.empty()) {
      set_header(request.headers, "If-None-Match", known->etag);
    } else if (!known->last_modified.empty()) {
      set_header(request.headers, "If-Modified-Since", known->last_modified);
    } else {
      return;
    }
    known_ = *known;
  }

  Result<Understood> read(const Answer& answer) {
    if (answer.status == kNotModified && known_) return Understood{.value = Json(nullptr), .unchanged = true};
    if (answer.status == kAccepted) {
      Understood understood{.error = ServiceError{Heard::failed, "202", "the answer is not ready yet"}, .transient = true};
      understood.wait = Duration::seconds(std::int64_t{1} << std::min(pending_++, 6));
      return understood;
    }
    if (answer.status == kNoContent) return Understood{.value = Json(nullptr)};
    if (answer.status < 200 || answer.status > 203) return Understood{refusal(answer)};
    if (operation_->answer != AnswerKind::json)
      if (const auto* type = find_header(answer.headers, "Content-Type"); type && holds(*type, "text/html"))
        return fail(Errc::malformed, "{}:{} answers with a web page", call_.service, call_.operation);
    auto storage = json::make_shared_resource<json::monotonic_resource>(std::max<std::size_t>(answer.body.size(), 1024));
    Understood understood{.value = TRY_WITHIN(parse_document(answer.body, operation_->answer, std::move(storage)), "{}:{} answer",
                                              call_.service, call_.operation)};
    if (operation_->graphql.empty()) return understood;
    understood.error = TRY_WITHIN(graphql_error(understood.value), "{}:{}", call_.service, call_.operation);
    understood.transient = understood.error && is_passing_graphql_error(*understood.error);
    return understood;
  }

  Understood refusal(const Answer& answer) const {
    Understood understood;
    auto& error = understood.error.emplace();
    error.code = fmt::format("{}", answer.status);
    error.heard = answer.status == kUnauthorized ? Heard::expired : heard_in(answer.status);
    error.message = message_in(answer);
    if (auto said = query_error(answer)) error = *std::move(said);
    if (answer.status == kForbidden &&
        (service_.limits.is_exhausted(answer) || find_header(answer.headers, "Retry-After") || speaks_of_a_limit(error.message)))
      error.heard = Heard::throttled;
    understood.transient = is_transient(error, answer.status) || answer.status == 408;
    return understood;
  }

  // Some servers answer a query that they refuse with 400, and say why as GraphQL does.
  [[nodiscard]] std::optional<ServiceError> query_error(const Answer& answer) const {
    if (operation_->graphql.empty() || answer.status != 400) return std::nullopt;
    const auto document = parse_document(answer.body, AnswerKind::json);
    auto error = document ? graphql_error(*document) : Result<std::optional<ServiceError>>{std::nullopt};
    return error ? *std::move(error) : std::nullopt;
  }

  // What the API says about its error, short enough to be shown.
  [[nodiscard]] std::string message_in(const Answer& answer) const {
    if (!service_.api.error || answer.body.empty()) return {};
    const auto document = parse_document(answer.body, AnswerKind::json);
    return document ? std::string{service_.api.error->find_text(*document).substr(0, kLongestMessage)} : std::string{};
  }

  // The validator to be remembered of the page that has just been turned.
  void complete(Turn& turn, const Answer& answer, const Understood& understood) const {
    const auto* etag = find_header(answer.headers, "ETag");
    const auto* modified = find_header(answer.headers, "Last-Modified");
    auto& validator = *turn.validator;
    if (understood.unchanged) {
      validator.etag = etag ? *etag : known_->etag;
      validator.last_modified = modified ? *modified : known_->last_modified;
    } else {
      if (etag) validator.etag = *etag;
      if (modified) validator.last_modified = *modified;
    }
    validator.asked = hash_of(asked_);
    if (is_post() || (validator.etag.empty() && validator.last_modified.empty())) turn.validator.reset();
  }

  HttpService& service_;
  const Call& call_;
  const HttpOperation* operation_ = nullptr;
  std::optional<PageTurner> turner_;
  std::string first_url_;  // without a position

  // Of the present page:
  std::string asked_;     // its URL
  std::string moved_to_;  // where a redirect led
  bool renewed_ = false;
  int pending_ = 0;  // answers that said "not yet"

  // Of the present request:
  std::optional<Validator> known_;  // sent with it
  std::uint64_t sign_in_ = 0;
  Duration sent_{};
};

}  // namespace

HttpDialect::HttpDialect(const HttpApi& api, SignIn& sign_in, const Clock& clock) : service_(new HttpService{api, sign_in, clock}) {
  auto& service = *service_;
  service.base = api.base;
  while (service.base.ends_with('/')) service.base.pop_back();
  service.origin = origin_of_url(service.base);
  if (!service.origin) {
    service.origin = std::unexpected(Error{Errc::config, std::move(service.origin).error().message});
    return;
  }
  const auto host = service.origin->substr(service.origin->find("://") + 3);
  const auto name = host.starts_with('[') ? host.substr(1, host.find(']') - 1) : host.substr(0, host.find(':'));
  service.is_plain = service.origin->starts_with("http:") && !is_loopback(name);
  if (api.graphql_url.starts_with('/')) {
    service.graphql_url = service.base + api.graphql_url;
  } else if (auto url = resolve_url(service.base + "/", api.graphql_url)) {
    service.graphql_url = *std::move(url);
    const auto there = origin_of_url(service.graphql_url);
    if (!there || *there != *service.origin)
      service.origin = fail(Errc::config, "`{}` is on another host than `{}`", service.graphql_url, service.base);
  } else {
    service.origin = std::unexpected(Error{Errc::config, std::move(url).error().message});
  }
}

HttpDialect::~HttpDialect() = default;

Place HttpDialect::place(const Call& call) const {
  return {
      .queue = call.service + ":" + call.operation, .host = call.service, .throughput = call.service, .in_flight = service_->api.in_flight};
}

std::unique_ptr<Exchange> HttpDialect::begin(const Call& call) { return std::make_unique<HttpExchange>(*service_, call); }

}  // namespace vouch::wire
