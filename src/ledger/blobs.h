// ledger/blobs.h - content-addressed storage beside the log: bodies, manifests, trees.
//
// A blob is bytes named by their SHA-256. Blobs are kept in packs, one file a run (`blobs/000000000017.pack`), never rewritten:
// names count up, so they sort by age. For the format see ledger/pack.h.
#pragma once

#include "base/digest.h"
#include "base/file.h"

#include <functional>
#include <memory>

namespace vouch {

class Disk;

// Reads blobs. Needs no lock; sees packs that are added while it lives. May be used by many threads at once.
// Indexes are read when needed, the newest pack first.
class Blobs {
 public:
  // A home without packs is an empty store.
  static Result<Blobs> open(const fs::path& home);

  // Whether some pack has it. A pack whose index can't be read counts as not having it; `get` says why.
  [[nodiscard]] bool has(const Digest& digest) const;

  // The bytes, checked against their name. Errc::not_found; Errc::corrupt names file and offset.
  [[nodiscard]] Result<std::string> get(const Digest& digest) const;

  // Without reading it.
  [[nodiscard]] Result<std::uint64_t> size_of(const Digest& digest) const;

 private:
  struct State;
  explicit Blobs(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

// Writes one pack. Nothing appears in blobs/ before finish(); a writer that ends without it leaves nothing behind. Memory stays
// below a few MiB however much is added. For one thread; several writers may be at work in one home.
class PackWriter {
 public:
  // Errc::not_found when there is no blobs/.
  static Result<PackWriter> start(const fs::path& home);
  static Result<PackWriter> start(const fs::path& home, Disk& disk);  // for tests; `disk` must outlive the writer

  PackWriter(PackWriter&&) noexcept;
  PackWriter& operator=(PackWriter&&) noexcept;
  ~PackWriter();

  // Returns its name. Bytes that this pack or a stored one has already are not written again. After an error the writer is of no
  // further use.
  Result<Digest> add(std::string_view bytes);

  // The same for what is too big for memory: `read` is called until it returns an empty piece, twice over (`rewind` in between):
  // once for the name, once to store.
  Result<Digest> add(const std::function<Result<std::string_view>()>& read, const std::function<Result<>()>& rewind);

  // Added to this pack, or stored before.
  [[nodiscard]] bool has(const Digest& digest) const;

  // How many this pack holds so far.
  [[nodiscard]] std::uint64_t blobs() const;

  // Synced and renamed into place, and that synced, when it returns. A pack with no blob leaves no file.
  Result<> finish();

 private:
  struct State;
  explicit PackWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vouch
