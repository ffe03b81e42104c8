#include "ledger/blobs.h"
#include "ledger/disk.h"
#include "ledger/pack.h"

#include <fcntl.h>
#include <openssl/rand.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <zstd.h>
#include <cerrno>
#include <unordered_set>

namespace vouch {
namespace {

constexpr int compression_level = 3;
constexpr std::string_view temporary_prefix = "pack.tmp-";

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

// What a writer that died has left. A living one holds a lock on its file.
void remove_abandoned(Disk& disk, const fs::path& home) {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::directory_iterator file{home, error}, end; !error && file != end; file.increment(error))
    if (file->path().filename().string().starts_with(temporary_prefix)) found.push_back(file->path());
  for (const auto& path : found) {
    const Fd fd{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
    if (fd && ::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) disk.unlink(path.c_str());
  }
}

struct Temporary {
  Fd fd;
  fs::path path;
};

Result<Temporary> make_temporary(Disk& disk, const fs::path& home) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    std::uint64_t random = 0;
    if (RAND_bytes(reinterpret_cast<unsigned char*>(&random), sizeof random) != 1)
      return fail(Errc::io, "the system gives no random bytes");
    Temporary made{{}, home / fmt::format("{}{:016x}", temporary_prefix, random)};
    made.fd = TRY(disk::create(disk, made.path));
    struct stat status{};
    // Between its creation and its lock another writer may have taken it for abandoned.
    if (::flock(made.fd.get(), LOCK_EX | LOCK_NB) == 0 && ::fstat(made.fd.get(), &status) == 0 && status.st_nlink == 1) return made;
  }
  return fail(Errc::io, "cannot make a temporary file in `{}`", home.string());
}

}  // namespace

struct PackWriter::State {
  State(Disk& disk_, fs::path home_, Blobs stored_)
      : disk(disk_), home(std::move(home_)), stored(std::move(stored_)), context(ZSTD_createCCtx()) {}
  ~State() {
    if (file.fd) disk.unlink(file.path.c_str());
  }

  Result<> add(const Digest& digest, std::string_view bytes);
  Result<> begin_frame(std::uint64_t content_bytes);
  Result<> compress(std::string_view bytes, ZSTD_EndDirective end);
  Result<> flush();
  Result<> write(std::string_view bytes);
  Result<> put_in_place();

  Disk& disk;
  const fs::path home;
  const Blobs stored;
  std::unique_ptr<ZSTD_CCtx, FreeContext> context;
  Temporary file;            // made with the first frame
  std::uint64_t offset = 0;  // in it
  Sha256 hash;               // of all that was written
  std::string content;       // blobs that wait for the next frame
  std::string packed = std::string(ZSTD_CStreamOutSize(), '\0');
  std::vector<PackEntry> entries;
  std::unordered_set<Digest> added;
};

Result<> PackWriter::State::write(std::string_view bytes) {
  const std::array<std::string_view, 1> pieces{bytes};
  TRY(disk::write(disk, file.fd.get(), pieces, offset, file.path));
  hash.add(bytes);
  offset += bytes.size();
  return {};
}

Result<> PackWriter::State::begin_frame(std::uint64_t content_bytes) {
  if (!file.fd) file = TRY(make_temporary(disk, home));
  ZSTD_CCtx_reset(context.get(), ZSTD_reset_session_only);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, compression_level);
  ZSTD_CCtx_setPledgedSrcSize(context.get(), content_bytes);
  return {};
}

Result<> PackWriter::State::compress(std::string_view bytes, ZSTD_EndDirective end) {
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  for (bool more = true; more;) {
    ZSTD_outBuffer out{packed.data(), packed.size(), 0};
    const auto left = ZSTD_compressStream2(context.get(), &out, &in, end);
    if (ZSTD_isError(left)) return fail(Errc::io, "zstd: {}", ZSTD_getErrorName(left));
    TRY(write({packed.data(), out.pos}));
    more = end == ZSTD_e_end ? left != 0 : in.pos < in.size;
  }
  return {};
}

// The blobs that wait become a frame; their entries already tell its offset, for nothing is written before it.
Result<> PackWriter::State::flush() {
  if (entries.empty() || entries.back().frame != offset) return {};
  TRY(begin_frame(content.size()));
  TRY(compress(content, ZSTD_e_end));
  content.clear();
  return {};
}

Result<> PackWriter::State::add(const Digest& digest, std::string_view bytes) {
  if (content.size() + bytes.size() > frame_content_bytes) TRY(flush());
  entries.push_back({digest, offset, content.size(), bytes.size()});
  added.insert(digest);
  if (bytes.size() > frame_content_bytes) {
    TRY(begin_frame(bytes.size()));
    return compress(bytes, ZSTD_e_end);
  }
  content += bytes;
  return {};
}

// Linked, not renamed: a link never replaces what another writer has put there.
Result<> PackWriter::State::put_in_place() {
  const auto packs = packs_in(home);
  auto number = packs.empty() ? 0 : *pack_number(packs.back()) + 1;
  while (disk.link(file.path.c_str(), pack_path(home, number).c_str()) != 0) {
    if (errno != EEXIST) return disk::error("link", pack_path(home, number));
    ++number;
  }
  TRY(disk::remove(disk, file.path));
  file.fd.reset();
  return disk::sync_directory(disk, home / "blobs");
}

PackWriter::PackWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
PackWriter::PackWriter(PackWriter&&) noexcept = default;
PackWriter& PackWriter::operator=(PackWriter&&) noexcept = default;
PackWriter::~PackWriter() = default;

Result<PackWriter> PackWriter::start(const fs::path& home) { return start(home, system_disk()); }

Result<PackWriter> PackWriter::start(const fs::path& home, Disk& disk) {
  if (!fs::is_directory(home / "blobs")) return fail(Errc::not_found, "`{}` is missing", (home / "blobs").string());
  remove_abandoned(disk, home);
  return PackWriter{std::make_unique<State>(disk, home, TRY(Blobs::open(home)))};
}

bool PackWriter::has(const Digest& digest) const { return state_->added.contains(digest) || state_->stored.has(digest); }
std::uint64_t PackWriter::blobs() const { return state_->entries.size(); }

Result<Digest> PackWriter::add(std::string_view bytes) {
  const auto digest = sha256(bytes);
  if (!has(digest)) TRY(state_->add(digest, bytes));
  return digest;
}

Result<Digest> PackWriter::add(const std::function<Result<std::string_view>()>& read, const std::function<Result<>()>& rewind) {
  Sha256 naming;
  std::uint64_t length = 0;
  for (auto piece = TRY(read()); !piece.empty(); piece = TRY(read())) {
    naming.add(piece);
    length += piece.size();
  }
  const auto digest = naming.finish();
  if (has(digest)) return digest;
  TRY(rewind());
  TRY(state_->flush());
  state_->entries.push_back({digest, state_->offset, 0, length});
  state_->added.insert(digest);
  TRY(state_->begin_frame(length));
  Sha256 again;
  for (auto piece = TRY(read()); !piece.empty(); piece = TRY(read())) {
    again.add(piece);
    TRY(state_->compress(piece, ZSTD_e_continue));
  }
  TRY(state_->compress({}, ZSTD_e_end));
  if (again.finish() != digest) return fail(Errc::io, "the bytes of a blob changed between their first reading and their second");
  return digest;
}

Result<> PackWriter::finish() {
  auto& state = *state_;
  if (state.entries.empty()) return {};
  TRY(state.flush());
  TRY(state.write(encode_index(state.entries)));
  TRY(state.write(encode_seal(state.hash.finish())));
  TRY(disk::sync_data(state.disk, state.file.fd.get(), state.file.path));
  TRY(state.put_in_place());
  state.entries.clear();
  return {};
}

}  // namespace vouch
