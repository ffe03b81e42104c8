#include "wire/graphql.h"

#include <algorithm>

namespace vouch::wire {
namespace {

constexpr std::string_view kNoKind = "GraphQLError";

Heard heard_in(std::string_view code) {
  struct Known {
    std::string_view code;
    Heard heard;
  };
  constexpr std::array known{
      Known{"FORBIDDEN", Heard::denied},        Known{"INSUFFICIENT_SCOPES", Heard::denied},    Known{"UNAUTHORIZED", Heard::denied},
      Known{"UNAUTHENTICATED", Heard::expired}, Known{"AUTHENTICATION_ERROR", Heard::expired},  Known{"RATE_LIMITED", Heard::throttled},
      Known{"RATELIMITED", Heard::throttled},   Known{"RATE_LIMIT_EXCEEDED", Heard::throttled}, Known{"NOT_FOUND", Heard::absent},
  };
  const auto* at = std::ranges::find(known, code, &Known::code);
  return at == known.end() ? Heard::failed : at->heard;
}

ServiceError error_in(const Json& entry) {
  const auto* code = find_string(entry, "type");
  if (const auto* extensions = find(entry, "extensions"); !code && extensions) code = find_string(*extensions, "code");
  ServiceError error;
  error.code = code && !code->empty() ? std::string{*code} : std::string{kNoKind};
  error.heard = heard_in(error.code);
  if (const auto* message = find_string(entry, "message")) error.message = *message;
  return error;
}

}  // namespace

std::string graphql_body(std::string_view query, const Json& variables) {
  std::string body = R"({"query":)";
  body += json::serialize(json::string_view{query.data(), query.size()});
  body.append(R"(,"variables":)").append(json::serialize(variables)).append("}");
  return body;
}

Result<std::optional<ServiceError>> graphql_error(const Json& answer) {
  const auto* errors = find(answer, "errors");
  if (!errors) {
    if (!find_object(answer, "data")) return fail(Errc::malformed, "the answer has neither data nor errors");
    return std::nullopt;
  }
  const auto* list = errors->if_array();
  if (!list || list->empty()) return fail(Errc::malformed, "the answer's errors are no list");
  std::optional<ServiceError> chosen;
  for (const auto& entry : *list) {
    auto error = error_in(entry);
    if (!chosen || (chosen->heard == Heard::absent && error.heard != Heard::absent)) chosen = std::move(error);
  }
  return chosen;
}

bool is_passing_graphql_error(const ServiceError& error) { return error.code == kNoKind; }

}  // namespace vouch::wire
