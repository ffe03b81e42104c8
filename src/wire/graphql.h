// wire/graphql.h - what a GraphQL server's answer says. Spec: spec.graphql.org, October 2021, section 7 "Response".
#pragma once

#include "wire/parse.h"

#include <optional>
#include <string>
#include <string_view>

namespace vouch::wire {

// The body of a request.
std::string graphql_body(std::string_view query, const Json& variables);

// The error of an answer, whatever data came with it: partial data never counts as complete. Its code is the error's `type` (GitHub) or
// `extensions.code` (others), else "GraphQLError"; of several errors the first that is no mere absence. Errc::malformed for an answer with
// neither data nor errors.
Result<std::optional<ServiceError>> graphql_error(const Json& answer);

// The server could not do it just now: an error that names no kind.
bool is_passing_graphql_error(const ServiceError& error);

}  // namespace vouch::wire
