// ledger/pack.h - the format of a pack: blobs, compressed together, with an index and a seal.
//
// A pack is a sequence of zstd frames (RFC 8878), so `zstd -d` turns it into the blobs, one behind the other:
//   data frames   blobs in the order in which they were added, about 1 MiB to a frame; a blob is never split between frames, and a
//                 larger one has a frame of its own. Each frame states its content size.
//   index         a skippable frame: "vouch pack 1\n"; for each blob its SHA-256, u64 offset of its data frame in the file, u64 offset in
//   the
//                 frame's content, u64 length; u64 number of blobs. Little-endian.
//   seal          a skippable frame of 32 bytes: SHA-256 of all bytes before it. It ends the file: so a flipped bit is found even
//                 where the frames unpack to the same content.
#pragma once

#include "base/digest.h"
#include "base/file.h"

#include <functional>
#include <vector>

namespace vouch {

struct PackEntry {
  Digest digest;
  std::uint64_t frame = 0;   // offset in the file
  std::uint64_t offset = 0;  // in the frame's content
  std::uint64_t length = 0;
  friend bool operator==(const PackEntry&, const PackEntry&) = default;
};

inline constexpr std::size_t seal_bytes = 8 + 32;
inline constexpr std::size_t pack_tail_bytes = 8 + seal_bytes;  // what must be read to learn the index's size
inline constexpr std::size_t frame_content_bytes = std::size_t{1} << 20;

std::string encode_index(std::span<const PackEntry> entries);
std::string encode_seal(const Digest& digest);

// All strict; Errc::malformed.
Result<std::uint64_t> index_bytes(std::string_view tail, std::uint64_t file_bytes);  // of the index frame; `tail`: the last pack_tail_bytes
Result<Digest> parse_seal(std::string_view seal);
// `at`: where the index stands, which is where the data ends. Frames must follow each other from 0 on, blobs fill them without gap or
// overlap, and no digest comes twice.
Result<std::vector<PackEntry>> parse_index(std::string_view index, std::uint64_t at);

// The entries of one data frame.
struct PackFrame {
  std::uint64_t begin = 0, end = 0;  // in the file
  std::uint64_t content_bytes = 0;
  std::span<const PackEntry> entries;
};
std::vector<PackFrame> frames_of(std::span<const PackEntry> entries, std::uint64_t data_end);

// A pack that is open for reading.
class Pack {
 public:
  // Reads the index. Errc::corrupt names the file.
  static Result<Pack> open(const fs::path& path);

  [[nodiscard]] const fs::path& path() const { return path_; }
  [[nodiscard]] const std::vector<PackEntry>& entries() const { return entries_; }
  [[nodiscard]] std::uint64_t data_end() const { return data_end_; }
  [[nodiscard]] std::uint64_t file_bytes() const { return file_bytes_; }

  // Unpacks a frame piece by piece. Errc::corrupt with the frame's offset unless it is one sound frame of that size.
  Result<> unpack(const PackFrame& frame, const std::function<Result<>(std::string_view)>& take) const;

  // Errc::corrupt unless the seal fits the bytes before it.
  Result<> check_seal() const;

  // Errc::corrupt with the frame's offset unless each of its blobs has its digest. Returns the bytes unpacked.
  Result<std::uint64_t> check_frame(const PackFrame& frame) const;

 private:
  fs::path path_;
  Fd fd_;
  std::uint64_t file_bytes_ = 0;
  std::uint64_t data_end_ = 0;
  std::vector<PackEntry> entries_;
};

// The packs of a home, oldest first: full paths of `<12 digits>.pack`.
std::vector<fs::path> packs_in(const fs::path& home);
fs::path pack_path(const fs::path& home, std::uint64_t number);
std::optional<std::uint64_t> pack_number(const fs::path& path);

}  // namespace vouch
