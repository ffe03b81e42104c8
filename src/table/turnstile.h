// table/turnstile.h - who may use a database file: many readers, or one writer.
//
// Two files beside it hold flock(2) locks and nothing else: `facts.lock` (shared by readers, exclusive for a writer) and `facts.turnstile`,
// through which everybody passes to reach the first. A reader holds the turnstile for a moment; a writer holds it while it waits, so
// that readers who come later queue behind it and readers in a loop cannot starve it. The kernel gives locks back when a process dies.
#pragma once

#include "base/file.h"
#include "base/instant.h"
#include "table/store.h"

namespace vouch::table {

class Turnstile {
 public:
  static constexpr Duration patience = Duration::seconds(30);
  static constexpr Duration announce_after = Duration::seconds(2);

  // Waits; calls `on_wait` once, when that takes longer than announce_after. Errc::busy names the holder after `wait`.
  static Result<Turnstile> pass(const fs::path& database, Mode mode, const Store::OnWait& on_wait, Duration wait = patience);

 private:
  explicit Turnstile(Fd lock) : lock_(std::move(lock)) {}
  Fd lock_;
};

}  // namespace vouch::table
