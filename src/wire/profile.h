// wire/profile.h - the environment and the files in which people configure AWS tools.
//
// Spec: AWS CLI's ~/.aws/config ([default], [profile x], [sso-session y], [services z]) and ~/.aws/credentials ([x]), moved by
// AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE. Values may be secrets: they are never put into an error.
#pragma once

#include "base/error.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace vouch::wire {

// Environment variables, passed in so that a test hands over its own.
using Environment = std::map<std::string, std::string, std::less<>>;
Environment process_environment();
std::optional<std::string> find_variable(const Environment& environment, std::string_view name);  // nullopt when empty

// A section's settings; nested ones ("s3 =" and indented lines) as "s3.addressing_style".
using Section = std::map<std::string, std::string, std::less<>>;
using Ini = std::map<std::string, Section, std::less<>>;  // by section title, blanks collapsed: "profile ops"

// Errc::malformed with the line number. Later sections of one title add to earlier ones.
Result<Ini> parse_ini(std::string_view text);

struct Settings {
  Environment environment;
  std::string profile = "default";
  bool profile_by_argument = false;  // then keys in the environment are somebody else's
  Ini config;
  Ini credentials;

  // Reads both files; one that does not exist is empty. `profile`: empty means AWS_PROFILE, AWS_DEFAULT_PROFILE, else "default".
  // Errc::config when a chosen profile is in neither file, or a file cannot be read.
  static Result<Settings> load(Environment environment, std::string_view profile = {});

  [[nodiscard]] const Section* profile_section(std::string_view name) const;     // of the config file
  [[nodiscard]] std::optional<std::string> setting(std::string_view key) const;  // of the current profile
  [[nodiscard]] std::optional<std::string> region() const;                       // AWS_REGION, AWS_DEFAULT_REGION, the profile's
};

}  // namespace vouch::wire
