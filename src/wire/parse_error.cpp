#include "wire/parse_error.h"
#include "wire/parse.h"
#include "wire/parse_body.h"

namespace vouch::wire {
namespace {

template <std::size_t N>
bool is_one_of(std::string_view code, const std::array<std::string_view, N>& codes) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

// botocore 1.44.8 retries/standard.py, ThrottledRetryableChecker; and what EC2, S3 and CloudFormation say beside it.
constexpr std::array<std::string_view, 16> kThrottled{"Throttling",
                                                      "ThrottlingException",
                                                      "ThrottledException",
                                                      "RequestThrottledException",
                                                      "TooManyRequestsException",
                                                      "ProvisionedThroughputExceededException",
                                                      "TransactionInProgressException",
                                                      "RequestLimitExceeded",
                                                      "BandwidthLimitExceeded",
                                                      "LimitExceededException",
                                                      "RequestThrottled",
                                                      "SlowDown",
                                                      "PriorRequestNotComplete",
                                                      "EC2ThrottledException",
                                                      "TooManyRequests",
                                                      "429"};

constexpr std::array<std::string_view, 4> kExpired{"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired"};
constexpr std::array<std::string_view, 2> kSkewed{"RequestTimeTooSkewed", "RequestInTheFuture"};

constexpr std::array<std::string_view, 21> kDenied{"AccessDenied",
                                                   "AccessDeniedException",
                                                   "AccessDeniedFault",
                                                   "UnauthorizedOperation",
                                                   "UnauthorizedException",
                                                   "Unauthorized",
                                                   "NotAuthorized",
                                                   "AuthorizationError",
                                                   "AuthorizationErrorException",
                                                   "AuthFailure",
                                                   "Forbidden",
                                                   "ForbiddenException",
                                                   "OperationNotPermitted",
                                                   "InvalidClientTokenId",
                                                   "InvalidAccessKeyId",
                                                   "UnrecognizedClientException",
                                                   "MissingAuthenticationToken",
                                                   "SignatureDoesNotMatch",
                                                   "InvalidSignatureException",
                                                   "IncompleteSignature",
                                                   "AllAccessDisabled"};

// "com.amazonaws.kms#NotFoundException:http://…" is NotFoundException.
std::string trimmed_code(std::string_view code) {
  code = code.substr(0, code.find(':'));
  const auto hash = code.rfind('#');
  return std::string{hash == std::string_view::npos ? code : code.substr(hash + 1)};
}

bool says_not_there(std::string_view code) {
  for (const std::string_view word : {"NotFound", "NotExist", "DoesNotExist"})
    if (code.find(word) != std::string_view::npos) return true;
  return code.starts_with("NoSuch");
}

// The older query code of a service that now speaks JSON or CBOR: "NonExistentQueue;Sender".
std::string query_code(const Headers& headers) {
  const auto* header = find_header(headers, "x-amzn-query-error");
  const auto semicolon = header ? header->find(';') : std::string::npos;
  return semicolon == std::string::npos ? std::string{} : header->substr(0, semicolon);
}

struct CodeAndMessage {
  std::string code, message;
};

CodeAndMessage typed_error(const Service& service, const Headers& headers, std::string_view body) {
  const auto error = service.protocol == Protocol::cbor ? read_cbor_error(body) : read_json_error(body);
  CodeAndMessage out;
  if (error) out = {trimmed_code(error->type), error->message};
  if (service.protocol == Protocol::rest_json) {
    if (const auto* header = find_header(headers, "x-amzn-errortype"))
      out.code = trimmed_code(*header);
    else if (error && !error->code.empty())
      out.code = trimmed_code(error->code);
  } else if (auto code = query_code(headers); !code.empty()) {
    out.code = std::move(code);
  }
  return out;
}

CodeAndMessage xml_error(std::string_view body) {
  auto error = read_xml_error(body);
  return error ? CodeAndMessage{std::move(error->code), std::move(error->message)} : CodeAndMessage{};
}

// What a front end says in a service's stead.
bool is_generic(int status, std::string_view body) {
  const auto first = body.find_first_not_of(" \t\r\n");
  return status >= 500 && (first == std::string_view::npos || body.substr(first).starts_with("<html>"));
}

// Codes go into a ledger: words, not whatever a broken server sends.
bool is_word(std::string_view code) {
  return !code.empty() && code.size() <= 128 && std::all_of(code.begin(), code.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
  });
}

}  // namespace

std::string_view name_of(Heard heard) {
  switch (heard) {
    case Heard::ok: return "ok";
    case Heard::absent: return "absent";
    case Heard::denied: return "denied";
    case Heard::throttled: return "throttled";
    case Heard::expired: return "expired";
    case Heard::skewed: return "skewed";
    case Heard::failed: return "failed";
  }
  return "";
}

Heard classify_error(std::string_view code, int status) {
  if (is_one_of(code, kThrottled)) return Heard::throttled;
  if (is_one_of(code, kExpired)) return Heard::expired;
  if (is_one_of(code, kSkewed)) return Heard::skewed;
  if (is_one_of(code, kDenied) || code.ends_with(".AccessDenied")) return Heard::denied;
  const bool is_bare_status = code == std::to_string(status);
  if (status == 429 && is_bare_status) return Heard::throttled;
  if (status == 401 || status == 403) return Heard::denied;
  // A bare 404 is some proxy's or a path that the server does not know; parse_answer knows when it is HEAD's.
  if (status >= 400 && status < 500 && !is_bare_status && says_not_there(code)) return Heard::absent;
  return Heard::failed;
}

ServiceError read_error(const Service& service, const Operation& operation, int status, const Headers& headers, std::string_view body) {
  const bool is_xml = service.protocol == Protocol::query || service.protocol == Protocol::ec2 || service.protocol == Protocol::rest_xml;
  auto error = is_generic(status, body) ? CodeAndMessage{} : is_xml ? xml_error(body) : typed_error(service, headers, body);
  ServiceError out;
  out.code = is_word(error.code) ? std::move(error.code) : std::to_string(status);
  out.message = std::move(error.message);
  out.heard = classify_error(out.code, status);
  if (operation.http_method == "HEAD" && status == 404) out.heard = Heard::absent;
  return out;
}

}  // namespace vouch::wire
