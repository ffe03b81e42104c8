// wire/process.h - run a program without a shell and read what it prints.
#pragma once

#include "base/error.h"
#include "base/instant.h"

#include <string>
#include <vector>

namespace vouch::wire {

// Its standard output; standard input is empty, standard error is ours. Errc::not_found when there is no such program, Errc::denied when it
// exits with another status than 0, Errc::limit when it prints more than `max_bytes`, Errc::unreachable when it takes longer than `longest`
// (it is killed then). Errors never quote its output.
Result<std::string> run_process(const std::vector<std::string>& words, Duration longest, std::size_t max_bytes);

}  // namespace vouch::wire
