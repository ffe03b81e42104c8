#include "base/error.h"

#include <system_error>

namespace vouch {

std::string_view name_of(Errc code) {
  switch (code) {
    case Errc::usage: return "usage";
    case Errc::config: return "config";
    case Errc::malformed: return "malformed";
    case Errc::not_found: return "not_found";
    case Errc::denied: return "denied";
    case Errc::throttled: return "throttled";
    case Errc::unreachable: return "unreachable";
    case Errc::io: return "io";
    case Errc::busy: return "busy";
    case Errc::corrupt: return "corrupt";
    case Errc::unsupported: return "unsupported";
    case Errc::limit: return "limit";
  }
  return "unknown";
}

Error Error::within(std::string_view context) && { return Error{code, fmt::format("{}: {}", context, message)}; }

std::string errno_text(int error_number) { return std::system_category().message(error_number); }

}  // namespace vouch
