// A small AWS that answers from a script, for tests. Nothing leaves the process, and time passes only in step().
#pragma once

#include "collect/collect.h"

#include <deque>
#include <map>

namespace vouch::collect::test {

struct Asked {
  std::string service, region, operation;
  std::map<std::string, std::string> form;  // a query protocol's params
  std::string bucket, body;

  [[nodiscard]] std::string name() const { return service + ":" + operation; }
};

struct Reply {
  int status = 200;
  std::string body;
  std::optional<Error> error;  // in place of an answer
};

class ScriptedAws final : public wire::Transport {
 public:
  using Answerer = std::function<Reply(const Asked&)>;

  // The world.
  std::string account = "111122223333";
  std::vector<std::string> buckets{"alpha", "beta", "gamma"};
  std::map<std::string, std::string> policies{{"alpha", R"({"Statement":[]})"}};
  std::vector<std::vector<std::string>> users{{"ann", "bob"}, {"cid"}};  // by page
  std::vector<std::string> regions{"eu-central-1", "us-east-1"};
  std::map<std::string, std::vector<std::string>> keys{{"eu-central-1", {"k1", "k2"}}};
  std::string functions = "[]";

  // In place of the world's own answer: by operation, "s3:GetBucketPolicy".
  std::map<std::string, Answerer> instead;

  // What happened.
  std::vector<Asked> asked;
  [[nodiscard]] std::size_t count(std::string_view name) const;

  Id submit(wire::HttpRequest request, Done done) override;
  void cancel(Id id) override;
  void step(Duration longest) override;
  [[nodiscard]] Duration elapsed() const override { return now_; }

  std::function<void()> on_step;
  bool loopback = false;

 private:
  Reply answer(const Asked& asked) const;

  struct Pending {
    Id id;
    Asked asked;
    Done done;
  };
  std::deque<Pending> pending_;
  Id next_ = 1;
  std::uint64_t request_ids_ = 0;
  Duration now_;
};

Reply denied_by_s3();
Reply denied_by_query();
Reply s3_error(int status, std::string_view code);

// The source files of the tests.
CatalogFiles test_catalog();

}  // namespace vouch::collect::test
