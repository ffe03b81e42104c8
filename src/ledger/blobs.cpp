#include "ledger/blobs.h"

#include "ledger/pack.h"

#include <sys/stat.h>
#include <ctime>
#include <mutex>
#include <unordered_map>

namespace vouch {

struct Blobs::State {
  struct Place {
    std::size_t pack;  // in `packs`
    std::size_t entry;
  };

  explicit State(fs::path home_) : home(std::move(home_)) {}

  // All under the mutex.
  std::optional<Place> find(const Digest& digest);
  void look_for_new_packs();
  Result<std::string> read(const Place& place);

  const fs::path home;
  std::mutex mutex;
  std::vector<std::pair<fs::path, std::vector<PackEntry>>> packs;  // whose index has been read
  std::vector<std::uint64_t> data_ends;
  std::unordered_map<Digest, Place> places;
  std::vector<fs::path> unread;     // oldest first, so that the newest is taken from the end
  std::optional<Error> unreadable;  // the first index that could not be read
  std::uint64_t newest = 0;
  timespec looked_at{};  // the folder's time of change when it was listed
  // The frame that was unpacked last: bodies of one run are read in a row.
  std::string frame;
  std::optional<std::pair<std::size_t, std::uint64_t>> frame_of;
};

// Only names above those seen: a pack appears whole, and names count up.
void Blobs::State::look_for_new_packs() {
  struct stat status{};
  if (::stat((home / "blobs").c_str(), &status) != 0) return;
  // A time of change tells two changes apart only once it lies behind us: some file systems count in ticks.
  const bool settled = std::time(nullptr) > status.st_mtim.tv_sec + 1;
  if (settled && status.st_mtim.tv_sec == looked_at.tv_sec && status.st_mtim.tv_nsec == looked_at.tv_nsec) return;
  looked_at = status.st_mtim;
  const auto seen = newest;
  for (auto& path : packs_in(home)) {
    const auto number = *pack_number(path);
    if (number < seen) continue;
    newest = number + 1;
    unread.push_back(std::move(path));
  }
}

std::optional<Blobs::State::Place> Blobs::State::find(const Digest& digest) {
  for (bool looked = false;;) {
    if (const auto found = places.find(digest); found != places.end()) return found->second;
    if (unread.empty() && !looked) {
      looked = true;
      look_for_new_packs();
    }
    if (unread.empty()) return std::nullopt;
    const auto path = std::move(unread.back());
    unread.pop_back();
    auto pack = Pack::open(path);
    if (!pack) {
      if (!unreadable) unreadable = pack.error();
      continue;
    }
    packs.emplace_back(path, pack->entries());
    data_ends.push_back(pack->data_end());
    const auto& entries = packs.back().second;
    for (std::size_t i = 0; i < entries.size(); ++i) places.try_emplace(entries[i].digest, Place{packs.size() - 1, i});
  }
}

Result<std::string> Blobs::State::read(const Place& place) {
  const auto& [path, entries] = packs[place.pack];
  const auto& entry = entries[place.entry];
  if (frame_of != std::pair{place.pack, entry.frame}) {
    frame_of.reset();
    frame.clear();
    const auto pack = TRY(Pack::open(path));
    const auto frames = frames_of(entries, data_ends[place.pack]);
    const auto wanted = std::find_if(frames.begin(), frames.end(), [&](const PackFrame& f) { return f.begin == entry.frame; });
    TRY(pack.unpack(*wanted, [&](std::string_view piece) -> Result<> {
      frame += piece;
      return {};
    }));
    frame_of = {place.pack, entry.frame};
  }
  auto bytes = frame.substr(entry.offset, entry.length);
  if (frame.size() > 8 * frame_content_bytes) {  // one large blob: not worth keeping
    frame_of.reset();
    frame = {};
  }
  if (sha256(bytes) != entry.digest)
    return fail(Errc::corrupt, "`{}`: the frame at offset {}: the blob at {} of its content is not {}", path.string(), entry.frame,
                entry.offset, to_hex(entry.digest));
  return bytes;
}

Result<Blobs> Blobs::open(const fs::path& home) { return Blobs{std::make_shared<State>(home)}; }

bool Blobs::has(const Digest& digest) const {
  const std::lock_guard held{state_->mutex};
  return state_->find(digest).has_value();
}

Result<std::string> Blobs::get(const Digest& digest) const {
  const std::lock_guard held{state_->mutex};
  if (const auto place = state_->find(digest)) return state_->read(*place);
  if (state_->unreadable) return std::unexpected(*state_->unreadable);
  return fail(Errc::not_found, "no pack in `{}` has blob {}", (state_->home / "blobs").string(), to_hex(digest));
}

Result<std::uint64_t> Blobs::size_of(const Digest& digest) const {
  const std::lock_guard held{state_->mutex};
  if (const auto place = state_->find(digest)) return state_->packs[place->pack].second[place->entry].length;
  if (state_->unreadable) return std::unexpected(*state_->unreadable);
  return fail(Errc::not_found, "no pack in `{}` has blob {}", (state_->home / "blobs").string(), to_hex(digest));
}

}  // namespace vouch
