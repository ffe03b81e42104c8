// wire/pace.h - how fast one service of one account may be asked, found out by asking.
//
// Unlimited until the service throttles for the first time. Then a token bucket whose rate falls by 30 % from what was measured (at
// most once a second, for throttled answers come in flocks), not below two a second, and grows again by a tenth and one request per second
// each second. After a quiet minute at twice the rate that once was too much the limit is lifted. Plain values; times are
// Transport::elapsed().
#pragma once

#include "base/instant.h"

namespace vouch::wire {

class Pace {
 public:
  // Zero when a request may be sent now, else how long to wait.
  [[nodiscard]] Duration wait(Duration now);
  void sent(Duration now);
  void throttled(Duration now);

  [[nodiscard]] bool is_limited() const { return limited_; }
  [[nodiscard]] double rate() const { return rate_; }  // requests a second, when limited

 private:
  void refill(Duration now);

  bool limited_ = false;
  double rate_ = 0, tokens_ = 0, too_much_ = 0;
  Duration filled_{}, cut_{};
  Duration window_{};  // of the measurement: a second
  double in_window_ = 0, measured_ = 0;
};

}  // namespace vouch::wire
