// portal/log.h - what a server tells its operator: one line an event, in logfmt (key=value), for many threads.
//
//   ts=2026-03-01T09:00:41.7Z level=info event=collected source=aws outcome=partial requests=1713
//
// Values that hold more than plain characters are quoted as JSON texts, so that nothing outside can begin a line of its own. No secret is
// ever handed over.
#pragma once

#include "base/instant.h"

#include <functional>
#include <initializer_list>
#include <mutex>
#include <string>
#include <string_view>

namespace vouch::portal {

enum class Level { info, warn, error };

class Log {
 public:
  struct Field {
    std::string_view key;
    std::string value;
  };
  using Sink = std::function<void(std::string_view line)>;  // with its line break

  explicit Log(const Clock& clock, Sink sink = to_stderr()) : clock_(clock), sink_(std::move(sink)) {}
  void operator()(Level level, std::string_view event, std::initializer_list<Field> fields = {});

  static Sink to_stderr();

 private:
  const Clock& clock_;
  Sink sink_;
  std::mutex mutex_;
};

}  // namespace vouch::portal
