#include "collect/scope.h"

#include <thread>

namespace vouch::collect {

Result<Appender> open_ledger(const fs::path& home, Duration wait) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(wait.micros);
  for (;;) {
    auto appender = Appender::open(home);
    if (appender || appender.error().code != Errc::busy || std::chrono::steady_clock::now() >= until) return appender;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

Result<> record_scope(const fs::path& home, const ScopeLeaf& scope, Duration wait) {
  const auto entries = write_in_parts(scope);
  auto appender = TRY(open_ledger(home, wait));
  TRY(appender.append(entries));
  return appender.close();
}

}  // namespace vouch::collect
