// wire/embedded_models.h - the service models that cmake/embed_models.py put into the binary.
#pragma once

#include "base/error.h"

#include <string>

namespace vouch::wire {

Result<std::string> embedded_models();  // the text that Models::from_text reads

}  // namespace vouch::wire
