// bench/controls/events.h - how long it takes to judge many events, and how long each by itself would.
#pragma once

namespace vouch::bench {

// Prints one line for each of two controls: one whose tables all belong to their event, and one that reads its repository's settings.
void events();

}  // namespace vouch::bench
