#include "ledger/pack.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>
#include <cerrno>
#include <charconv>
#include <unordered_set>

namespace vouch {
namespace {

constexpr std::uint32_t index_magic = 0x184D2A5D;  // two of zstd's sixteen skippable magics
constexpr std::uint32_t seal_magic = 0x184D2A5E;
constexpr std::string_view index_title = "vouch pack 1\n";
constexpr std::size_t entry_bytes = 32 + 3 * 8;
constexpr std::size_t read_bytes = 256 * 1024;

template <class T>
void put(std::string& bytes, T value) {
  for (std::size_t i = 0; i < sizeof value; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
}

template <class T>
T take(std::string_view& bytes) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i) value |= static_cast<T>(static_cast<std::uint8_t>(bytes[i])) << (8 * i);
  bytes.remove_prefix(sizeof value);
  return value;
}

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

Result<std::string> read_at(int fd, std::uint64_t offset, std::size_t bytes, const fs::path& path) {
  std::string text(bytes, '\0');
  for (std::size_t have = 0; have < bytes;) {
    const auto n = ::pread(fd, text.data() + have, bytes - have, static_cast<off_t>(offset + have));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(Errc::io, "cannot read `{}`: {}", path.string(), errno_text(errno));
    if (n == 0) return fail(Errc::corrupt, "`{}` ends at offset {}, before it should", path.string(), offset + have);
    have += static_cast<std::size_t>(n);
  }
  return text;
}

}  // namespace

std::string encode_index(std::span<const PackEntry> entries) {
  std::string bytes;
  put(bytes, index_magic);
  put(bytes, static_cast<std::uint32_t>(index_title.size() + entries.size() * entry_bytes + 8));
  bytes += index_title;
  for (const auto& entry : entries) {
    bytes += text_of(entry.digest.bytes);
    put(bytes, entry.frame);
    put(bytes, entry.offset);
    put(bytes, entry.length);
  }
  put(bytes, std::uint64_t{entries.size()});
  return bytes;
}

std::string encode_seal(const Digest& digest) {
  std::string bytes;
  put(bytes, seal_magic);
  put(bytes, std::uint32_t{32});
  return bytes.append(text_of(digest.bytes));
}

Result<Digest> parse_seal(std::string_view seal) {
  if (seal.size() != seal_bytes || take<std::uint32_t>(seal) != seal_magic || take<std::uint32_t>(seal) != 32)
    return fail(Errc::malformed, "the pack does not end with a seal");
  Digest digest;
  std::memcpy(digest.bytes.data(), seal.data(), digest.bytes.size());
  return digest;
}

Result<std::uint64_t> index_bytes(std::string_view tail, std::uint64_t file_bytes) {
  if (tail.size() != pack_tail_bytes) return fail(Errc::malformed, "too short for a pack");
  TRY(parse_seal(tail.substr(8)));
  const auto count = take<std::uint64_t>(tail);
  constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max() / entry_bytes - 1;
  const auto bytes = 8 + index_title.size() + count * entry_bytes + 8;
  if (count == 0 || count > most || bytes + seal_bytes > file_bytes)
    return fail(Errc::malformed, "an index of {} blobs does not fit the pack", count);
  return bytes;
}

Result<std::vector<PackEntry>> parse_index(std::string_view index, std::uint64_t at) {
  const auto refuse = [](std::string_view why) { return fail(Errc::malformed, "the pack's index: {}", why); };
  if (index.size() < 8 + index_title.size() + 8) return refuse("too short");
  const auto bytes = index.size() - 8;
  if (take<std::uint32_t>(index) != index_magic || take<std::uint32_t>(index) != bytes) return refuse("not its frame");
  if (!index.starts_with(index_title)) return refuse("another title");
  index.remove_prefix(index_title.size());
  auto count_bytes = index.substr(index.size() - 8);
  const auto count = take<std::uint64_t>(count_bytes);
  index.remove_suffix(8);
  if (index.size() % entry_bytes != 0 || index.size() / entry_bytes != count || count == 0) return refuse("another number of blobs");

  std::vector<PackEntry> entries;
  entries.reserve(count);
  std::unordered_set<Digest> seen;
  while (!index.empty()) {
    PackEntry entry;
    std::memcpy(entry.digest.bytes.data(), index.data(), entry.digest.bytes.size());
    index.remove_prefix(entry.digest.bytes.size());
    entry.frame = take<std::uint64_t>(index);
    entry.offset = take<std::uint64_t>(index);
    entry.length = take<std::uint64_t>(index);
    if (!seen.insert(entry.digest).second) return refuse("a blob is there twice");
    if (entry.frame >= at || entry.length > std::numeric_limits<std::uint64_t>::max() / 4) return refuse("a blob outside the data");
    const bool same_frame = !entries.empty() && entry.frame == entries.back().frame;
    const bool next_frame = entries.empty() ? entry.frame == 0 : entry.frame > entries.back().frame;
    if (!same_frame && !next_frame) return refuse("frames out of order");
    if (entry.offset != (same_frame ? entries.back().offset + entries.back().length : 0)) return refuse("a gap between blobs");
    entries.push_back(entry);
  }
  return entries;
}

std::vector<PackFrame> frames_of(std::span<const PackEntry> entries, std::uint64_t data_end) {
  std::vector<PackFrame> frames;
  for (std::size_t from = 0; from < entries.size();) {
    auto to = from;
    while (to < entries.size() && entries[to].frame == entries[from].frame) ++to;
    const auto& last = entries[to - 1];
    frames.push_back({entries[from].frame, to < entries.size() ? entries[to].frame : data_end, last.offset + last.length,
                      entries.subspan(from, to - from)});
    from = to;
  }
  return frames;
}

Result<Pack> Pack::open(const fs::path& path) {
  Pack pack;
  pack.path_ = path;
  pack.fd_.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!pack.fd_) return fail(errno == ENOENT ? Errc::not_found : Errc::io, "cannot open `{}`: {}", path.string(), errno_text(errno));
  struct stat status{};
  if (::fstat(pack.fd_.get(), &status) != 0) return fail(Errc::io, "cannot stat `{}`: {}", path.string(), errno_text(errno));
  pack.file_bytes_ = static_cast<std::uint64_t>(status.st_size);
  const auto broken = [&](const Error& error, std::uint64_t at) {
    return fail(Errc::corrupt, "`{}`: {} (offset {})", path.string(), error.message, at);
  };
  if (pack.file_bytes_ < pack_tail_bytes) return broken({Errc::malformed, "too short for a pack"}, pack.file_bytes_);
  const auto tail_at = pack.file_bytes_ - pack_tail_bytes;
  const auto tail = TRY(read_at(pack.fd_.get(), tail_at, pack_tail_bytes, path));
  const auto bytes = index_bytes(tail, pack.file_bytes_);
  if (!bytes) return broken(bytes.error(), tail_at);
  pack.data_end_ = pack.file_bytes_ - seal_bytes - *bytes;
  auto entries = parse_index(TRY(read_at(pack.fd_.get(), pack.data_end_, *bytes, path)), pack.data_end_);
  if (!entries) return broken(entries.error(), pack.data_end_);
  pack.entries_ = std::move(*entries);
  return pack;
}

Result<> Pack::unpack(const PackFrame& frame, const std::function<Result<>(std::string_view)>& take_piece) const {
  const auto broken = [&](std::string_view why) {
    return fail(Errc::corrupt, "`{}`: the frame at offset {}: {}", path_.string(), frame.begin, why);
  };
  const std::unique_ptr<ZSTD_DCtx, FreeContext> context{ZSTD_createDCtx()};
  std::string out(ZSTD_DStreamOutSize(), '\0');
  std::uint64_t produced = 0;
  bool ended = false;
  for (auto at = frame.begin; at < frame.end;) {
    const auto bytes = TRY(read_at(fd_.get(), at, std::min<std::uint64_t>(read_bytes, frame.end - at), path_));
    if (at == frame.begin && ZSTD_getFrameContentSize(bytes.data(), bytes.size()) != frame.content_bytes)
      return broken("it does not state the size that the index does");
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    for (bool more = true; more;) {
      if (ended) return broken("bytes behind its end");
      ZSTD_outBuffer piece{out.data(), out.size(), 0};
      const auto left = ZSTD_decompressStream(context.get(), &piece, &in);
      if (ZSTD_isError(left)) return broken(ZSTD_getErrorName(left));
      produced += piece.pos;
      if (produced > frame.content_bytes) return broken("it is longer than the index says");
      if (piece.pos > 0) TRY(take_piece({out.data(), piece.pos}));
      ended = left == 0;
      more = in.pos < in.size || (!ended && piece.pos == piece.size);
    }
    at += bytes.size();
  }
  if (!ended) return broken("it has no end");
  if (produced != frame.content_bytes) return broken("it is shorter than the index says");
  return {};
}

Result<> Pack::check_seal() const {
  const auto end = file_bytes_ - seal_bytes;
  Sha256 hash;
  for (std::uint64_t at = 0; at < end;) {
    const auto bytes = TRY(read_at(fd_.get(), at, std::min<std::uint64_t>(read_bytes, end - at), path_));
    hash.add(bytes);
    at += bytes.size();
  }
  const auto seal = TRY(read_at(fd_.get(), end, seal_bytes, path_));
  const auto digest = parse_seal(seal);
  if (!digest || *digest != hash.finish())
    return fail(Errc::corrupt, "`{}`: its bytes do not have the digest in its seal (offset {})", path_.string(), end);
  return {};
}

Result<std::uint64_t> Pack::check_frame(const PackFrame& frame) const {
  std::size_t at = 0;  // which blob
  std::uint64_t left = frame.entries[0].length;
  std::optional<Sha256> hash{std::in_place};
  const auto end_of_blob = [&]() -> Result<> {
    if (hash->finish() != frame.entries[at].digest)
      return fail(Errc::corrupt, "`{}`: the frame at offset {}: the blob at {} of its content is not {}", path_.string(), frame.begin,
                  frame.entries[at].offset, to_hex(frame.entries[at].digest));
    hash.emplace();
    ++at;
    left = at < frame.entries.size() ? frame.entries[at].length : 0;
    return {};
  };
  TRY(unpack(frame, [&](std::string_view piece) -> Result<> {
    while (!piece.empty()) {
      while (left == 0) TRY(end_of_blob());
      const auto now = piece.substr(0, left);
      hash->add(now);
      left -= now.size();
      piece.remove_prefix(now.size());
    }
    return {};
  }));
  while (at < frame.entries.size()) TRY(end_of_blob());
  return frame.content_bytes;
}

fs::path pack_path(const fs::path& home, std::uint64_t number) { return home / "blobs" / fmt::format("{:012}.pack", number); }

std::optional<std::uint64_t> pack_number(const fs::path& path) {
  const auto name = path.filename().string();
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc{} || fmt::format("{:012}.pack", number) != name) return std::nullopt;
  return number;
}

std::vector<fs::path> packs_in(const fs::path& home) {
  std::vector<std::pair<std::uint64_t, fs::path>> found;
  std::error_code error;
  for (fs::directory_iterator file{home / "blobs", error}, end; !error && file != end; file.increment(error))
    if (const auto number = pack_number(file->path())) found.emplace_back(*number, file->path());
  std::sort(found.begin(), found.end());
  std::vector<fs::path> packs;
  for (auto& [number, path] : found) packs.push_back(std::move(path));
  return packs;
}

}  // namespace vouch
