// collect/receipts.h - what a run keeps besides the answers: when, and proof that the provider was asked.
#pragma once

#include "collect/asking.h"

#include <span>

namespace vouch::collect {

constexpr std::size_t drawn_receipts = 16;

// A receipt for each answer that brought a new body, and for 16 that are drawn: those with the smallest SHA-256 of the tree's digest
// and what was asked. Nobody knows the tree before all is answered, so nobody can choose; anybody can draw again.
// The records go: there may be more of them than should stand beside what is made of them.
std::vector<Receipt> choose_receipts(std::vector<Asking::Answered> answered, std::span<const std::string> endpoints, const Digest& tree);

// When each operation was read, in the order of `answered`, which is the tree's; the same for all of its regions, and rounded outwards
// within [started, ended] of the run: to seconds, and coarser in runs of more than a minute (about a fortieth of the run). Rounding
// outwards only makes what is claimed weaker; it keeps an unchanged run small.
Times round_times(std::span<const Asking::Answered> answered, Instant started, Instant ended);

}  // namespace vouch::collect
