// wire/aws_dialect.h - AWS, as botocore's service models describe it.
//
// Expired credentials are refreshed, a wrong clock is corrected (and stays corrected), S3's region redirects are followed and remembered.
// One dialect a set of credentials, one queue a service and region.
#pragma once

#include "wire/credentials.h"
#include "wire/dialect.h"
#include "wire/endpoint.h"
#include "wire/models.h"

#include <memory>

namespace vouch::wire {

struct AwsAccount;  // what all calls of one account have in common

class AwsDialect final : public Dialect {
 public:
  // All outlive it. `credentials` must not use the client's transport (give a CredentialChain one of its own).
  AwsDialect(Models& models, const Settings& settings, CredentialSource& credentials, const Clock& clock);
  ~AwsDialect() override;

  [[nodiscard]] Place place(const Call& call) const override;
  std::unique_ptr<Exchange> begin(const Call& call) override;

 private:
  std::unique_ptr<AwsAccount> account_;
};

}  // namespace vouch::wire
