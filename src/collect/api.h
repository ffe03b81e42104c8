// collect/api.h - what a run must know of the API that it asks, apart from the asking (wire/dialect.h): who says who we are, how an
// answer's bytes are read, and how secrets in them are replaced. AWS knows it from botocore's models, any other API from its source file.
#pragma once

#include "collect/secrets.h"
#include "collect/source.h"
#include "wire/client.h"
#include "wire/models.h"
#include "wire/profile.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vouch::collect {

// Who and where we are.
struct Whoami {
  std::string account, partition, identity;
  std::string home_region;    // AWS: where questions that belong to no region are asked
  std::string global_region;  // AWS: where services with one endpoint for all are signed for
};

class Api {
 public:
  virtual ~Api() = default;

  // The call that tells who we are, and how to name it. Without a call nobody is asked, and who() is given null.
  struct Question {
    std::string name;  // "sts:GetCallerIdentity"
    std::optional<wire::Call> call;
  };
  [[nodiscard]] virtual Question whoami() const = 0;
  // Errc::malformed when the answer does not tell.
  [[nodiscard]] virtual Result<Whoami> who(const Json& answer) const = 0;

  // Whether there is such an operation, and how it is called; region, params and validators are the caller's.
  [[nodiscard]] virtual bool knows(const SourceOperation& operation) const = 0;
  [[nodiscard]] virtual wire::Call call(const SourceOperation& operation) const = 0;

  // A success's body without its secrets. Errc::malformed: see redact().
  [[nodiscard]] virtual Result<Redacted> redact(const SourceOperation& operation, std::string_view body, const SecretsKey& key) const = 0;
  // The same of an error's.
  [[nodiscard]] virtual Result<Redacted> redact_error(const SourceOperation& operation, std::string_view body,
                                                      const SecretsKey& key) const = 0;

  // The value of a success's stored body.
  [[nodiscard]] virtual Result<Json> read(const SourceOperation& operation, int status, std::string_view body) const = 0;
  // Takes out of a value as received what is not in its body.
  virtual void keep_what_the_body_says(const SourceOperation& operation, Json& value) const = 0;

  // Members of an answer that only say where its pages are cut.
  [[nodiscard]] virtual std::vector<std::string> paging_members(const SourceOperation& operation) const = 0;

  // What vouch.yaml says of the source: `$settings.x`.
  [[nodiscard]] virtual const Json& settings() const = 0;
};

// What they are given outlives them, `settings` of HTTP apart. `first_region`: where we ask who we are unless the settings say so; may be
// empty.
std::unique_ptr<Api> aws_api(wire::Models& models, const wire::Settings& settings, std::string first_region);
std::unique_ptr<Api> http_api(const Source& source, Json settings);

}  // namespace vouch::collect
