// wire/endpoint.h - where a service of a region listens, and how to sign for it.
//
// Spec: the endpoint rule sets in botocore's models (endpoint_provider.py). An endpoint that somebody configured wins, in the SDKs'
// order: AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the profile's services section, the profile's endpoint_url; none of them under
// AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true.
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "wire/models.h"
#include "wire/profile.h"

#include <string>
#include <string_view>
#include <unordered_map>

namespace vouch::wire {

struct Endpoint {
  std::string url;  // "https://s3.eu-central-1.amazonaws.com", without a slash at its end; a path may follow the host
  std::string signing_region;
  std::string signing_name;
  bool overridden = false;  // configured by somebody; says nothing about loopback
};

// The configured endpoint of that service, empty when none.
std::string configured_endpoint(const Service& service, const Settings& settings);

// `params` as for serialise(): rules read some of them (the bucket). Errc::usage when the rules refuse (an invalid region).
// S3 is addressed by path when the endpoint is overridden, by virtual host otherwise; the serialised path starts with the bucket in both
// cases, so `strip_bucket` tells that it now stands in the host.
struct Resolved {
  Endpoint endpoint;
  bool strip_bucket = false;
};
Result<Resolved> resolve_endpoint(const Models& models, const Service& service, const Operation& operation, std::string_view region,
                                  const Json& params, const Settings& settings);

// The same, remembered: rules give the same answer for the same region and the same of what they read of a call. One for each set of
// models and settings, both of which outlive it.
class Endpoints {
 public:
  Endpoints(const Models& models, const Settings& settings) : models_(models), settings_(settings) {}
  Result<Resolved> of(const Service& service, const Operation& operation, std::string_view region, const Json& params);

 private:
  const Models& models_;
  const Settings& settings_;
  std::unordered_map<std::string, Resolved> known_;
};

// "aws", "aws-cn", "aws-us-gov" … of a region; "aws" when unknown.
std::string partition_of(const Models& models, std::string_view region);

// The region to ask for services that have one endpoint for the whole partition (IAM): "us-east-1" in aws.
std::string global_region(const Models& models, std::string_view partition);

}  // namespace vouch::wire
