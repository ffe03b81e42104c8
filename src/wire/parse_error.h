// wire/parse_error.h - what an error answer says. Inside parse.h.
#pragma once

#include "wire/parse.h"

namespace vouch::wire {

// Never fails: an error that cannot be read has its status as its code.
ServiceError read_error(const Service& service, const Operation& operation, int status, const Headers& headers, std::string_view body);

}  // namespace vouch::wire
