// cli/shipped_understood.h - what is known of the shipped controls since Vouch was built (controls/understood.h).
#pragma once

#include <string_view>

namespace vouch::cli {

std::string_view shipped_understood();

}  // namespace vouch::cli
