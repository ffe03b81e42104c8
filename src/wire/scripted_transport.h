// wire/scripted_transport.h - a Transport that answers from a script, with a time of its own. For tests.
#pragma once

#include "wire/http.h"

#include <functional>
#include <map>
#include <utility>
#include <vector>

namespace vouch::wire {

class ScriptedTransport final : public Transport {
 public:
  struct Reply {
    Result<Answer> answer;
    Duration after = Duration{1000};
  };
  using Script = std::function<Reply(const HttpRequest& request, std::size_t nth)>;  // nth counts from 1

  explicit ScriptedTransport(Script script) : script_(std::move(script)) {}

  Id submit(HttpRequest request, Done done) override {
    requests.push_back(request);
    auto reply = script_(request, requests.size());
    const Id id = next_++;
    pending_.emplace(std::pair{Duration{now_.micros + reply.after.micros}, id}, std::pair{std::move(reply.answer), std::move(done)});
    most_in_flight = std::max(most_in_flight, pending_.size());
    return id;
  }
  void cancel(Id id) override {
    std::erase_if(pending_, [id](const auto& entry) { return entry.first.second == id; });
  }
  void step(Duration longest) override {
    const Duration until{now_.micros + longest.micros};
    if (pending_.empty() || pending_.begin()->first.first > until) {
      now_ = until;
      return;
    }
    auto node = pending_.extract(pending_.begin());
    now_ = std::max(now_, node.key().first);
    node.mapped().second(std::move(node.mapped().first));
  }
  [[nodiscard]] Duration elapsed() const override { return now_; }

  std::vector<HttpRequest> requests;
  std::size_t most_in_flight = 0;

 private:
  Script script_;
  std::map<std::pair<Duration, Id>, std::pair<Result<Answer>, Done>> pending_;
  Duration now_{};
  Id next_ = 1;
};

// The wall clock beside it.
class ScriptedClock final : public Clock {
 public:
  ScriptedClock(const Transport& transport, Instant start) : transport_(transport), start_(start) {}
  [[nodiscard]] Instant now() const override { return start_ + transport_.elapsed(); }

 private:
  const Transport& transport_;
  Instant start_;
};

inline Answer answer_with(int status, std::string body, Headers headers = {}) {
  Answer answer;
  answer.status = status;
  answer.body = std::move(body);
  answer.headers = std::move(headers);
  return answer;
}

}  // namespace vouch::wire
