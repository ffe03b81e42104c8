#include "portal/log.h"

#include "base/json.h"

#include <unistd.h>
#include <algorithm>

namespace vouch::portal {
namespace {

bool is_plain(std::string_view value) {
  return !value.empty() &&
         std::ranges::all_of(value, [](unsigned char c) { return c > ' ' && c < 0x7f && c != '"' && c != '=' && c != '\\'; });
}

std::string_view name_of(Level level) {
  switch (level) {
    case Level::info: return "info";
    case Level::warn: return "warn";
    case Level::error: return "error";
  }
  return "error";
}

}  // namespace

void Log::operator()(Level level, std::string_view event, std::initializer_list<Field> fields) {
  auto line = fmt::format("ts={} level={} event={}", to_string(clock_.now()), name_of(level), event);
  for (const auto& [key, value] : fields)
    line += fmt::format(" {}={}", key, is_plain(value) ? value : json::serialize(Json(json::string(value))));
  line += '\n';
  const std::lock_guard held{mutex_};
  sink_(line);
}

Log::Sink Log::to_stderr() {
  return [](std::string_view line) {
    while (!line.empty()) {
      const auto written = ::write(STDERR_FILENO, line.data(), line.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return;  // nobody reads: a server goes on
      line.remove_prefix(static_cast<std::size_t>(written));
    }
  };
}

}  // namespace vouch::portal
