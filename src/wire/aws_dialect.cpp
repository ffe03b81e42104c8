#include "wire/aws_dialect.h"

#include "wire/http.h"
#include "wire/paginate.h"
#include "wire/retry.h"
#include "wire/serialise.h"
#include "wire/sigv4.h"

#include <map>
#include <unordered_set>

namespace vouch::wire {

struct AwsAccount {
  Models& models;
  const Settings& settings;
  CredentialSource& credentials;
  const Clock& clock;

  Endpoints endpoints{models, settings};
  std::map<std::string, std::string, std::less<>> bucket_regions = {};
  Duration skew{};  // server minus ours
  std::optional<std::pair<Duration, Error>> no_credentials = {};

  Result<Credentials> current_credentials(Duration now) {
    constexpr Duration again = Duration::seconds(30);
    if (no_credentials && now < no_credentials->first) return std::unexpected(no_credentials->second);
    no_credentials.reset();
    auto found = credentials.get(clock.now());
    if (!found) {
      auto error = std::move(found).error().within("credentials");
      if (error.code == Errc::throttled) error.code = Errc::unreachable;
      no_credentials.emplace(Duration{now.micros + again.micros}, error);
      return std::unexpected(std::move(error));
    }
    return found;
  }
};

namespace {

constexpr Duration kSkewThatMatters = Duration::minutes(4);

std::string host_part(std::string_view url) {
  const auto begin = url.find("://") == std::string_view::npos ? 0 : url.find("://") + 3;
  const auto rest = url.substr(begin, url.find('/', begin) - begin);
  return std::string{rest.starts_with('[') ? rest : rest.substr(0, rest.find(':'))};
}

// "<Region>eu-west-1</Region>" of S3's AuthorizationHeaderMalformed, for answers without the header.
std::string region_in_body(std::string_view body) {
  const auto begin = body.substr(0, 4096).find("<Region>");
  if (begin == std::string_view::npos) return {};
  const auto rest = body.substr(begin + 8, 64);
  return std::string{rest.substr(0, rest.find('<'))};
}

bool is_redirect(const Answer& answer, const ServiceError& error) {
  return answer.status == 301 || answer.status == 307 || answer.status == 308 || error.code == "PermanentRedirect" ||
         error.code == "AuthorizationHeaderMalformed" || error.code == "IllegalLocationConstraintException";
}

bool is_signature_error(std::string_view code) {
  return code == "InvalidSignatureException" || code == "SignatureDoesNotMatch" || code == "AuthFailure" || code == "RequestExpired";
}

// The address of a request: the endpoint, the operation's host prefix where a name can take one, path and query.
std::string url_of(const Request& request, const Resolved& resolved) {
  auto url = resolved.endpoint.url;
  const auto host = host_part(url);
  const bool takes_prefix = !is_loopback(host) && host.find_first_not_of("0123456789.:[]") != std::string::npos;
  if (!request.host_prefix.empty() && takes_prefix) url.insert(url.find("://") + 3, request.host_prefix);
  std::string_view path = request.path;
  if (resolved.strip_bucket) path = path.find('/', 1) == std::string_view::npos ? "" : path.substr(path.find('/', 1));
  url += path.empty() && request.query.empty() ? std::string_view{"/"} : path;
  if (path.empty() && !request.query.empty() && url.find('/', url.find("://") + 3) == std::string::npos) url += '/';
  if (!request.query.empty()) url.append("?").append(request.query);
  return url;
}

class AwsExchange final : public Exchange {
 public:
  AwsExchange(AwsAccount& account, const Call& call) : account_(account), call_(call), params_(call.params) {}

  Result<HttpRequest> prepare(const Validator*, Duration now) override {
    if (!operation_) {
      const auto [service, operation] = TRY(account_.models.operation(call_.service, call_.operation));
      service_ = service;
      operation_ = operation;
    }
    auto request = TRY(serialise(*service_, *operation_, params_));
    auto region = call_.region;
    if (service_->name == "s3") {
      if (const auto* bucket = find_string(params_, "Bucket")) bucket_ = *bucket;
      if (const auto known = account_.bucket_regions.find(bucket_); known != account_.bucket_regions.end()) region = known->second;
    }
    const auto resolved = TRY(account_.endpoints.of(*service_, *operation_, region, params_));
    const auto& endpoint = resolved.endpoint;
    overridden_ = endpoint.overridden;
    HttpRequest http{std::move(request.method), url_of(request, resolved), std::move(request.headers), std::move(request.body)};
    if (operation_->unsigned_request) return http;
    const bool is_s3 = endpoint.signing_name == "s3" || endpoint.signing_name == "s3-outposts" || endpoint.signing_name == "s3express";
    const auto identity = TRY(account_.current_credentials(now));
    asked_as_ = identity.access_key_id;
    sign(http, identity, {endpoint.signing_region, endpoint.signing_name, !is_s3, is_s3}, account_.clock.now() + account_.skew);
    return http;
  }

  Result<Understood> understand(const Answer& answer, Duration) override {
    auto parsed = TRY(parse_answer(*service_, *operation_, answer.status, answer.headers, answer.body));
    Understood understood{.value = std::move(parsed.value), .error = std::move(parsed.error)};
    understood.transient = understood.error && is_transient(*understood.error, answer.status);
    return understood;
  }

  bool correct(const Answer& answer, ServiceError& error) override {
    if (answer.server_date && (error.heard == Heard::skewed || is_signature_error(error.code)) && !corrected_) {
      const auto apart = *answer.server_date - (account_.clock.now() + account_.skew);
      if (error.heard == Heard::skewed || std::abs(apart.micros) > kSkewThatMatters.micros) {
        corrected_ = true;
        account_.skew = *answer.server_date - account_.clock.now();
        return true;
      }
    }
    if (error.heard == Heard::expired && !refreshed_) {
      refreshed_ = true;
      // Unless another call, refused beside this one, has them renewed by now.
      const auto in_force = account_.credentials.get(account_.clock.now());
      if (!in_force || in_force->access_key_id == asked_as_) account_.credentials.forget();
      return true;
    }
    if (call_.service == "s3" && !bucket_.empty() && !redirected_ && is_redirect(answer, error)) {
      const auto* header = find_header(answer.headers, "x-amz-bucket-region");
      const auto region = header ? *header : region_in_body(answer.body);
      if (region.empty() || region.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos) return false;
      redirected_ = true;
      account_.bucket_regions.insert_or_assign(bucket_, region);
      return true;
    }
    return false;
  }

  Result<Turn> turn(const Answer&, const Understood& understood) override {
    auto next = TRY(next_page(*operation_, params_, understood.value));
    Turn turn{.unmodelled = next.unmodelled};
    if (!next.params) return turn;
    if (!asked_.insert(std::hash<std::string>{}(json::serialize(*next.params))).second)
      return fail(Errc::malformed, "{}: the answer leads back to a page that came before", operation_->name);
    turn.to = Turn::To::next_page;
    params_ = *std::move(next.params);
    refreshed_ = corrected_ = redirected_ = false;
    return turn;
  }

  [[nodiscard]] Closed closed(Duration) const override { return {}; }
  [[nodiscard]] bool overridden() const override { return overridden_; }

 private:
  AwsAccount& account_;
  const Call& call_;
  const Service* service_ = nullptr;
  const Operation* operation_ = nullptr;
  Json params_;                            // of the present page, tokens among them
  std::unordered_set<std::size_t> asked_;  // hashes of the params of later pages
  std::string bucket_;
  std::string asked_as_;  // the access key id of the present request
  bool overridden_ = false;
  bool refreshed_ = false, corrected_ = false, redirected_ = false;  // of the present page
};

}  // namespace

AwsDialect::AwsDialect(Models& models, const Settings& settings, CredentialSource& credentials, const Clock& clock)
    : account_(new AwsAccount{models, settings, credentials, clock}) {}

AwsDialect::~AwsDialect() = default;

Place AwsDialect::place(const Call& call) const {
  auto lane = call.service + " " + call.region;
  return {.queue = lane, .host = std::move(lane), .throughput = call.service};
}

std::unique_ptr<Exchange> AwsDialect::begin(const Call& call) { return std::make_unique<AwsExchange>(*account_, call); }

}  // namespace vouch::wire
