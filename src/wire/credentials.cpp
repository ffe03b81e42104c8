#include "wire/credentials.h"

#include "wire/credential_providers.h"

#include <charconv>

namespace vouch::wire {
namespace {

constexpr Duration kEarliestRefresh = Duration::minutes(15);
constexpr Duration kLastMinute = Duration::minutes(1);
constexpr Duration kTryAgain = Duration::seconds(30);

// Credentials that are kept until they near their end.
class Kept {
 public:
  // `renew` asks for new ones.
  template <class Renew>
  Result<Credentials> get(Instant now, Renew renew) {
    if (held_ && !is_due(now)) return *held_;
    auto fresh = renew();
    if (fresh) {
      asked_ = now;
      held_ = *fresh;
      return fresh;
    }
    if (held_ && held_->expires && *held_->expires - now > kLastMinute) {
      not_before_ = now + kTryAgain;
      return *held_;
    }
    return fresh;
  }
  void forget() { held_.reset(); }

 private:
  [[nodiscard]] bool is_due(Instant now) const {
    if (!held_->expires) return false;
    const auto left = *held_->expires - now;
    const Duration quarter{(*held_->expires - asked_).micros / 4};
    return left < std::min(kEarliestRefresh, quarter) && now >= not_before_;
  }

  std::optional<Credentials> held_;
  Instant asked_{}, not_before_{};
};

std::optional<std::string> value_in(const Section& section, std::string_view key) {
  const auto at = section.find(key);
  return at == section.end() || at->second.empty() ? std::nullopt : std::optional{at->second};
}

class Resolution {
 public:
  explicit Resolution(ProviderContext context) : context_(context) {}

  Result<Credentials> run() {
    const auto& settings = context_.settings;
    std::optional<Credentials> found;
    if (!settings.profile_by_argument) found = TRY(from_environment(context_));
    if (!found) found = TRY(from_assumed_role(settings.profile));
    if (!found && !settings.profile_by_argument) found = TRY(from_web_identity_variables(context_));
    if (!found) found = TRY(from_profile(settings.profile));
    if (!found) found = TRY(from_container(context_));
    if (!found) found = TRY(from_instance(context_));
    if (found) return std::move(*found);
    return fail(Errc::not_found,
                "no AWS credentials: tried the environment, profile `{}` (role, web identity, SSO, keys, process), the container and the "
                "instance metadata",
                settings.profile);
  }

 private:
  Found from_profile(std::string_view profile) {
    auto found = TRY(from_web_identity_profile(context_, profile));
    if (!found) found = TRY(from_sso(context_, profile));
    if (!found) found = TRY(from_shared_file(context_, profile));
    if (!found) found = TRY(from_process(context_, profile));
    if (!found) found = TRY(from_config_file(context_, profile));
    return found;
  }

  // role_arn with source_profile or credential_source; profiles may refer to further roles.
  Found from_assumed_role(const std::string& profile) {
    const auto* section = context_.settings.profile_section(profile);
    const auto arn = section ? value_in(*section, "role_arn") : std::nullopt;
    if (!arn || value_in(*section, "web_identity_token_file")) return std::nullopt;
    if (std::find(visited_.begin(), visited_.end(), profile) != visited_.end())
      return fail(Errc::config, "the profiles {} refer to each other in a circle", fmt::join(visited_, ", "));
    visited_.push_back(profile);
    if (value_in(*section, "mfa_serial"))
      return fail(Errc::unsupported, "profile `{}` wants an MFA code, which nobody is there to type; use SSO or a role without mfa_serial",
                  profile);
    RoleToAssume role;
    role.role_arn = *arn;
    role.session_name = value_in(*section, "role_session_name").value_or(role.session_name);
    role.external_id = value_in(*section, "external_id").value_or("");
    role.region = value_in(*section, "region").value_or(context_.settings.region().value_or("us-east-1"));
    if (const auto seconds = value_in(*section, "duration_seconds")) {
      std::int64_t number = 0;
      std::from_chars(seconds->data(), seconds->data() + seconds->size(), number);
      if (number < 900 || number > 43200) return fail(Errc::config, "profile `{}`: duration_seconds must be 900 to 43200", profile);
      role.duration = Duration::seconds(number);
    }
    const auto source = TRY_WITHIN(source_of(profile, *section), "profile `{}`", profile);
    return TRY(assume(context_, role, source));
  }

  Result<Credentials> source_of(const std::string& profile, const Section& section) {
    const auto source_profile = value_in(section, "source_profile"), source = value_in(section, "credential_source");
    if (source_profile && source) return fail(Errc::config, "both source_profile and credential_source are set");
    if (!source_profile && !source) return fail(Errc::config, "role_arn needs source_profile or credential_source");
    std::optional<Credentials> found;
    if (source_profile) {
      const bool exists = context_.settings.profile_section(*source_profile) || context_.settings.credentials.contains(*source_profile);
      if (!exists) return fail(Errc::config, "source_profile `{}` does not exist", *source_profile);
      // A profile may name itself when it has keys of its own.
      if (*source_profile != profile) found = TRY(from_assumed_role(*source_profile));
      if (!found) found = TRY(from_profile(*source_profile));
    } else if (*source == "Environment") {
      found = TRY(from_environment(context_));
    } else if (*source == "EcsContainer") {
      found = TRY(from_container(context_));
    } else if (*source == "Ec2InstanceMetadata") {
      found = TRY(from_instance(context_));
    } else {
      return fail(Errc::config, "credential_source `{}` is unknown", *source);
    }
    if (!found) return fail(Errc::not_found, "{} has no credentials", source_profile ? "`" + *source_profile + "`" : *source);
    return std::move(*found);
  }

  ProviderContext context_;
  std::vector<std::string> visited_;
};

class AssumedRole final : public CredentialSource {
 public:
  AssumedRole(RoleToAssume role, CredentialSource& from, const Settings& settings, Transport& transport, Models& models)
      : role_(std::move(role)), from_(from), settings_(settings), transport_(transport), models_(models) {}

  Result<Credentials> get(Instant now) override {
    return kept_.get(now, [&]() -> Result<Credentials> {
      const auto source = TRY(from_.get(now));
      return assume({settings_, transport_, models_, now}, role_, source);
    });
  }
  void forget() override {
    kept_.forget();
    from_.forget();
  }

 private:
  RoleToAssume role_;
  CredentialSource& from_;
  const Settings& settings_;
  Transport& transport_;
  Models& models_;
  Kept kept_;
};

}  // namespace

struct CredentialChain::State {
  Settings settings;
  Transport& transport;
  Models& models;
  Kept kept;
};

CredentialChain::CredentialChain(Settings settings, Transport& transport, Models& models)
    : state_(new State{std::move(settings), transport, models, {}}) {}
CredentialChain::~CredentialChain() = default;

Result<Credentials> CredentialChain::get(Instant now) {
  return state_->kept.get(now, [&] { return Resolution{{state_->settings, state_->transport, state_->models, now}}.run(); });
}

void CredentialChain::forget() { state_->kept.forget(); }

std::unique_ptr<CredentialSource> assume_role(RoleToAssume role, CredentialSource& from, const Settings& settings, Transport& transport,
                                              Models& models) {
  return std::make_unique<AssumedRole>(std::move(role), from, settings, transport, models);
}

HttpLimits credential_http_limits() {
  HttpLimits limits;
  limits.connect = Duration::seconds(2);
  limits.idle = Duration::seconds(10);
  limits.total = Duration::seconds(30);
  limits.body_bytes = 1 << 20;
  return limits;
}

}  // namespace vouch::wire
