#include "wire/pace.h"

#include <algorithm>

namespace vouch::wire {
namespace {

constexpr double kSlowest = 2;  // requests a second: what AWS's slowest reads allow
constexpr double kCut = 0.7;
double between(Duration earlier, Duration later) { return static_cast<double>(later.micros - earlier.micros) / 1e6; }

}  // namespace

void Pace::refill(Duration now) {
  const double passed = std::max(0.0, between(filled_, now));
  filled_ = now;
  rate_ += passed * (rate_ * 0.1 + 1);
  tokens_ = std::min(tokens_ + passed * rate_, std::max(1.0, rate_));
  if (rate_ > 2 * too_much_ && between(cut_, now) > 60) limited_ = false;
}

Duration Pace::wait(Duration now) {
  if (!limited_) return {};
  refill(now);
  if (!limited_ || tokens_ >= 1) return {};
  return {static_cast<std::int64_t>((1 - tokens_) / rate_ * 1e6) + 1};
}

void Pace::sent(Duration now) {
  if (limited_) tokens_ -= 1;
  if (between(window_, now) >= 1) {
    measured_ = in_window_ / std::max(1.0, between(window_, now));
    window_ = now;
    in_window_ = 0;
  }
  in_window_ += 1;
}

void Pace::throttled(Duration now) {
  if (limited_ && between(cut_, now) < 1) return;
  const double seen = std::max({measured_, in_window_, 1.0});
  too_much_ = limited_ ? std::min(rate_, seen) : seen;
  rate_ = std::max(kSlowest, too_much_ * kCut);
  tokens_ = 0;
  limited_ = true;
  filled_ = cut_ = now;
}

}  // namespace vouch::wire
