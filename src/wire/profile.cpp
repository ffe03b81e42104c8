#include "wire/profile.h"

#include "base/file.h"

#include <cstdlib>

extern char** environ;

namespace vouch::wire {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// Words with their quotes taken off, one blank between: `profile "ops"` is "profile ops".
std::string title_of(std::string_view inside) {
  std::string out;
  char quote = 0;
  for (const char c : inside) {
    if (quote != 0 ? c == quote : c == '"' || c == '\'') {
      quote = quote != 0 ? '\0' : c;
    } else if (quote == 0 && (c == ' ' || c == '\t')) {
      if (!out.empty() && out.back() != ' ') out += ' ';
    } else {
      out += c;
    }
  }
  return std::string{trimmed(out)};
}

std::string lower(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

fs::path expand_home(const Environment& environment, std::string_view path) {
  if (!path.starts_with("~/")) return fs::path{path};
  return fs::path{find_variable(environment, "HOME").value_or("/")} / path.substr(2);
}

Result<Ini> read_ini(const Environment& environment, std::string_view variable, std::string_view otherwise) {
  const auto path = expand_home(environment, find_variable(environment, variable).value_or(std::string{otherwise}));
  const auto text = read_file(path, std::size_t{16} << 20);
  if (!text && text.error().code == Errc::not_found) return Ini{};
  if (!text) return fail(Errc::config, "{}", text.error().message);
  auto ini = parse_ini(*text);
  if (!ini) return fail(Errc::config, "`{}`: {}", path.string(), ini.error().message);
  return ini;
}

}  // namespace

Environment process_environment() {
  Environment out;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    if (equals != std::string_view::npos) out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

std::optional<std::string> find_variable(const Environment& environment, std::string_view name) {
  const auto at = environment.find(name);
  if (at == environment.end() || at->second.empty()) return std::nullopt;
  return at->second;
}

Result<Ini> parse_ini(std::string_view text) {
  Ini ini;
  Section* section = nullptr;
  std::string nest;  // the key under which indented lines stand
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  for (int number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    const auto content = trimmed(line);
    if (content.empty() || content.front() == '#' || content.front() == ';') continue;
    const bool indented = line.front() == ' ' || line.front() == '\t';
    if (content.front() == '[' && !indented) {
      const auto close = content.find(']');
      if (close == std::string_view::npos) return fail(Errc::malformed, "line {}: no `]` behind a section's title", number);
      section = &ini[title_of(content.substr(1, close - 1))];
      nest.clear();
      continue;
    }
    const auto delimiter = content.find_first_of("=:");
    if (!section) return fail(Errc::malformed, "line {}: a setting before the first section", number);
    if (indented && !nest.empty()) {
      if (delimiter != std::string_view::npos)
        (*section)[nest + "." + lower(trimmed(content.substr(0, delimiter)))] = trimmed(content.substr(delimiter + 1));
      continue;
    }
    if (delimiter == std::string_view::npos || delimiter == 0)
      return fail(Errc::malformed, "line {}: neither a section nor `key = value`", number);
    auto key = lower(trimmed(content.substr(0, delimiter)));
    const auto value = trimmed(content.substr(delimiter + 1));
    nest = value.empty() ? key : std::string{};
    (*section)[std::move(key)] = value;
  }
  return ini;
}

Result<Settings> Settings::load(Environment environment, std::string_view profile) {
  Settings settings;
  settings.environment = std::move(environment);
  settings.config = TRY(read_ini(settings.environment, "AWS_CONFIG_FILE", "~/.aws/config"));
  settings.credentials = TRY(read_ini(settings.environment, "AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"));
  auto chosen = find_variable(settings.environment, "AWS_DEFAULT_PROFILE");
  if (auto name = find_variable(settings.environment, "AWS_PROFILE")) chosen = std::move(name);
  if (!profile.empty()) chosen = std::string{profile};
  if (!chosen) return settings;
  settings.profile = *chosen;
  settings.profile_by_argument = !profile.empty();
  if (!settings.profile_section(*chosen) && !settings.credentials.contains(*chosen))
    return fail(Errc::config, "there is no profile `{}` in the AWS configuration files", *chosen);
  return settings;
}

const Section* Settings::profile_section(std::string_view name) const {
  auto at = config.find(name == "default" ? std::string{name} : fmt::format("profile {}", name));
  if (at == config.end() && name == "default") at = config.find("profile default");
  return at == config.end() ? nullptr : &at->second;
}

std::optional<std::string> Settings::setting(std::string_view key) const {
  if (const auto* section = profile_section(profile)) {
    const auto at = section->find(key);
    if (at != section->end() && !at->second.empty()) return at->second;
  }
  const auto section = credentials.find(profile);
  if (section == credentials.end()) return std::nullopt;
  const auto at = section->second.find(key);
  return at == section->second.end() || at->second.empty() ? std::nullopt : std::optional{at->second};
}

std::optional<std::string> Settings::region() const {
  for (const std::string_view name : {"AWS_REGION", "AWS_DEFAULT_REGION"})
    if (auto region = find_variable(environment, name)) return region;
  return setting("region");
}

}  // namespace vouch::wire
