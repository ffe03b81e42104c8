// wire/link_header.h - the Link header (RFC 8288), as far as listings need it.
#pragma once

#include "wire/message.h"

#include <optional>
#include <string>
#include <string_view>

namespace vouch::wire {

// The target of the first link with that relation ("next", "prev"), over all Link headers; a reference, as it stands. Errc::malformed for a
// header that can't be read to its end: its listing would seem to end there.
Result<std::optional<std::string>> find_link(const Headers& headers, std::string_view relation);

}  // namespace vouch::wire
