#include "cli/home_checkup.h"

#include "cli/output.h"
#include "ledger/create.h"
#include "ledger/evidence.h"
#include "ledger/read.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

namespace vouch::cli {
namespace {

constexpr Duration one_day = Duration::days(1);
constexpr std::uint64_t mebibyte = 1u << 20;

Instant modified(const struct stat& about) {
  return {static_cast<std::int64_t>(about.st_mtim.tv_sec) * 1'000'000 + about.st_mtim.tv_nsec / 1000};
}

std::string size_text(double bytes) {
  if (bytes < 1024) return fmt::format("{:.0f} B", bytes);
  const char* unit = "KMGT";
  for (bytes /= 1024; bytes >= 1024 && unit[1]; bytes /= 1024) ++unit;
  return fmt::format("{:.{}f} {}iB", bytes, bytes < 10 ? 1 : 0, *unit);
}

// When the first collection began.
Result<std::optional<Instant>> first_collection(const Reader& log) {
  for (std::uint64_t at = 0; at < log.checkpoint().size.value; ++at) {
    const auto entry = TRY(log.entry(LeafIndex{at}));
    if (evidence::has_kind(entry, "collection")) return std::optional{TRY(evidence::parse_collection_leaf(entry)).started};
  }
  return std::nullopt;
}

Finding check_space(const Home& home, const Footprint& footprint) {
  struct statvfs about{};
  if (::statvfs(home.path.c_str(), &about) != 0)
    return {"home", Health::doubt, fmt::format("free space can't be told: {}", errno_text(errno)), ""};
  const auto free = static_cast<std::uint64_t>(about.f_bavail) * about.f_frsize;
  const auto said = fmt::format("{} free", size_text(static_cast<double>(free)));
  const auto year = footprint.daily.value_or(0) * 365;
  if (free < 256 * mebibyte)
    return {"home", Health::bad, said, "Free some space, or move the home: a collection that finds the disk full is not recorded."};
  if (static_cast<double>(free) < year)
    return {"home", Health::doubt, fmt::format("{}, less than a year of growth", said), "Plan for more space."};
  return {"home", Health::good, said, ""};
}

Finding check_size(const Footprint& footprint) {
  auto said = fmt::format("evidence {}, derived {}", size_text(static_cast<double>(footprint.evidence)),
                          size_text(static_cast<double>(footprint.derived)));
  if (footprint.daily)
    said += fmt::format("; grows {} a day, {} a year", size_text(*footprint.daily), size_text(*footprint.daily * 365));
  else
    said += "; growth is known after two days of collections";
  return {"home", Health::good, std::move(said), ""};
}

void check_keys(const Home& home, Findings& findings) {
  for (const auto* name : {"ledger.key", "secrets.key"}) {
    const auto path = home.path / "keys" / name;
    struct stat about{};
    if (::stat(path.c_str(), &about) != 0)
      findings.push_back({"home", Health::bad, fmt::format("{}: {}", path.string(), errno_text(errno)),
                          "Put the key back from where you keep its copy: without it nothing can be added."});
    else if ((about.st_mode & 077) != 0)
      findings.push_back({"home", Health::bad, fmt::format("{} can be read by others (mode {:04o})", path.string(), about.st_mode & 07777),
                          fmt::format("chmod 600 {}", path.string())});
  }
}

}  // namespace

Result<Footprint> footprint_of(const fs::path& home, std::optional<Instant> first, Instant now) {
  Footprint footprint;
  std::uint64_t at_once = 0;  // what the first day brought
  std::error_code error;
  for (fs::recursive_directory_iterator files(home, error), end; !error && files != end; files.increment(error)) {
    struct stat about{};
    if (::lstat(files->path().c_str(), &about) != 0 || !S_ISREG(about.st_mode)) continue;
    const auto top = *fs::relative(files->path(), home, error).begin();
    const auto bytes = static_cast<std::uint64_t>(about.st_size);
    if (top == "ledger" || top == "blobs") {
      footprint.evidence += bytes;
      if (first && modified(about) < *first + one_day) at_once += bytes;
    } else if (top != "keys" && top != "catalog" && top != "vouch.yaml") {
      footprint.derived += bytes;
    }
  }
  if (error) return fail(Errc::io, "`{}`: {}", home.string(), error.message());
  const auto since = first ? static_cast<double>((now - *first).micros) / static_cast<double>(one_day.micros) : 0;
  if (since >= 2) footprint.daily = static_cast<double>(footprint.evidence - at_once) / (since - 1);
  return footprint;
}

Result<Findings> check_home(const Home& home, Instant now) {
  Findings findings;
  const auto log = TRY(Reader::open(home.path));
  const auto footprint = TRY(footprint_of(home.path, TRY(first_collection(log)), now));
  findings.push_back(check_size(footprint));
  findings.push_back(check_space(home, footprint));
  check_keys(home, findings);
  return findings;
}

}  // namespace vouch::cli
