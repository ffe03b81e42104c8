// base/error.h - errors are values that say where they have been.
//
// A function that can fail returns Result<T>. The code tells the caller what it can do; the message is for the operator,
// outermost context first, a user's values in backticks: "leaf 812: body digest does not match the leaf".
// A programmer's mistake is an assert, never an Error. A library that throws is caught where we call it.
#pragma once

#include <fmt/format.h>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace vouch {

enum class Errc {
  usage,        // the command line or an argument is wrong; the message says what would be right
  config,       // a file a person wrote (vouch.yaml, the catalogue) is wrong; the message begins file:line
  malformed,    // outside bytes do not have the form their format demands
  not_found,    // what was asked for is not there
  denied,       // the other side refuses us: an observation that is missing, never an empty one
  throttled,    // the other side asks us to slow down; worth another try later
  unreachable,  // no answer: connection refused or reset, time-out, TLS
  io,           // the file system failed; the message has the path and errno's text
  busy,         // somebody else holds what we need; the message says who
  corrupt,      // stored bytes are not what was written; exit code 4
  unsupported,  // well formed, but beyond what we know
  limit,        // a stated limit of ours was reached
};

std::string_view name_of(Errc code);

struct Error {
  Errc code;
  std::string message;

  // The same error seen from further out: "<context>: <message>".
  [[nodiscard]] Error within(std::string_view context) &&;
};

template <class T = void>
using Result = std::expected<T, Error>;

template <class... Args>
std::unexpected<Error> fail(Errc code, fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(Error{code, fmt::format(format, std::forward<Args>(args)...)});
}

// errno as text, for messages: "No space left on device".
std::string errno_text(int error_number);

}  // namespace vouch

// The value of a Result, or return its error from the enclosing function.
//   const auto tree = TRY(read_tree(path));
// Not inside a braced initialiser: leaving it early, g++ 12 does not destroy the members that were made before.
#define TRY(expression) VOUCH_TRY_(VOUCH_JOIN_(try_result_, __COUNTER__), expression, )

// The same, adding where we were: TRY_WITHIN(log.leaf(at), "leaf {}", at).
#define TRY_WITHIN(expression, ...) VOUCH_TRY_(VOUCH_JOIN_(try_result_, __COUNTER__), expression, .within(fmt::format(__VA_ARGS__)))

// A name of its own for each use, so that one TRY may stand inside another.
#define VOUCH_JOIN_(a, b) VOUCH_JOIN_AGAIN_(a, b)
#define VOUCH_JOIN_AGAIN_(a, b) a##b
#define VOUCH_TRY_(result, expression, added)                             \
  ({                                                                      \
    auto result = (expression);                                           \
    if (!result) return std::unexpected(std::move(result).error() added); \
    *std::move(result);                                                   \
  })
