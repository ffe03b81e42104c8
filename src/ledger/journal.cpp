#include "ledger/journal.h"

#include <openssl/rand.h>
#include <algorithm>
#include <bit>

namespace vouch {
namespace {

static_assert(std::endian::native == std::endian::little, "records are written as they stand in memory");

constexpr std::string_view magic = "vouch journal 1\n";
constexpr std::size_t fixed_bytes = 16 + 16 + 7 * 8 + 32;
constexpr std::uint64_t small_limit = std::uint64_t{1} << 20;   // preallocated: overwriting needs no metadata in the sync
constexpr std::uint64_t large_limit = std::uint64_t{64} << 20;  // when much is written at once
constexpr std::uint64_t much_at_once = 64 * 1024;
constexpr std::size_t max_record_bytes = std::size_t{1} << 40;

std::size_t up_to_page(std::size_t bytes) { return (bytes + journal_page - 1) / journal_page * journal_page; }

// All in front of the note. The entries are only counted: what they must lead to is signed.
std::string head_of(const JournalRecord& record, std::size_t entry_bytes) {
  std::string head{magic};
  head.append(reinterpret_cast<const char*>(record.life.data()), record.life.size());
  for (const std::uint64_t value : {record.epoch, record.number, record.before.value, record.count, std::uint64_t{record.note.size()},
                                    std::uint64_t{record.edge.size()}, std::uint64_t{entry_bytes}})
    head.append(reinterpret_cast<const char*>(&value), sizeof value);
  const auto digest = Sha256{}.add(head).add(record.note).add(record.edge).finish();
  head.append(reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size());
  return head;
}

std::string edge_bytes(const Edge& edge) {
  std::string bytes;
  for (std::uint8_t level = 0; level < edge.levels(); ++level) bytes += encode_tile(edge.tile(level));
  return bytes;
}

struct EpochFile {
  fs::path path;
  std::string bytes;
  std::vector<JournalRecord> records;  // consecutive, from the base record on
  [[nodiscard]] const JournalRecord& base() const { return records.front(); }
  [[nodiscard]] const JournalRecord& last() const { return records.back(); }
};

Result<EpochFile> read_epoch(const fs::path& path) {
  EpochFile file{path, {}, {}};
  auto bytes = read_file(path, max_record_bytes);
  if (!bytes && bytes.error().code == Errc::not_found) return file;
  file.bytes = TRY(std::move(bytes));
  for (std::size_t at = 0;;) {
    const auto record = parse_journal_record(file.bytes, at);
    const bool first = file.records.empty();
    const bool fits = record && (first ? record->count == 0
                                       : record->life == file.base().life && record->epoch == file.base().epoch &&
                                             record->number == file.last().number + 1 && record->count > 0);
    if (!fits) break;
    file.records.push_back(*record);
    at += record->stored_bytes;
  }
  return file;
}

// Errc::corrupt when a sound record of the same epoch follows the broken one at `end`.
Result<> check_tail(const EpochFile& file, std::size_t end, std::uint64_t last_number) {
  for (auto at = end + journal_page; at < file.bytes.size(); at += journal_page) {
    const auto record = parse_journal_record(file.bytes, at);
    if (record && record->life == file.base().life && record->epoch == file.base().epoch && record->number > last_number)
      return fail(Errc::corrupt, "`{}`: the record at offset {} is broken, and a later one is sound", file.path.string(), end);
  }
  return {};
}

Result<> restore_base(const JournalRecord& record, const Verifier& key, Recovered& recovered) {
  recovered.base_checkpoint = TRY(parse_checkpoint(record.note, key));
  const auto size = recovered.base_checkpoint.size;
  if (size != record.before) return fail(Errc::corrupt, "its checkpoint is of size {}, not {}", size.value, record.before.value);
  std::vector<std::vector<Digest>> tiles;
  auto rest = record.edge;
  for (std::uint8_t level = 0; level < tile_levels(size); ++level) {
    const auto width = partial_width(size, level);
    tiles.push_back(TRY(decode_tile(rest.substr(0, width * sizeof(Digest)), width)));
    rest.remove_prefix(width * sizeof(Digest));
  }
  if (!rest.empty()) return fail(Errc::corrupt, "bytes behind its tiles");
  recovered.base = TRY(Edge::make(size, std::move(tiles), std::string{record.entries}));
  if (recovered.base.root() != recovered.base_checkpoint.root)
    return fail(Errc::corrupt, "its tiles do not lead to the root of its checkpoint");
  return {};
}

// The commit of a record, if its entries lead to its checkpoint. If not, the edge is of no further use.
std::optional<Recovered::Commit> restore_commit(const JournalRecord& record, const Verifier& key, Edge& edge) {
  auto checkpoint = parse_checkpoint(record.note, key);
  auto batch = Batch::parse(record.entries, record.count);
  if (!checkpoint || !batch || edge.size() != record.before || checkpoint->size.value != record.before.value + record.count)
    return std::nullopt;
  if (!edge.grow(*batch) || edge.root() != checkpoint->root) return std::nullopt;
  return Recovered::Commit{std::move(*batch), std::move(*checkpoint)};
}

// The files in order, each leading up to the next.
Result<std::optional<Recovered>> replay(std::span<const EpochFile> files, const Verifier& key) {
  std::optional<Recovered> recovered{std::in_place};
  TRY_WITHIN(restore_base(files.front().base(), key, *recovered), "`{}`: the base record", files.front().path.string());
  recovered->newest_epoch = files.back().base().epoch;
  auto edge = recovered->base;
  for (const auto& file : files) {
    std::size_t at = file.base().stored_bytes;
    auto number = file.base().number;
    for (auto record = file.records.begin() + 1; record != file.records.end(); ++record) {
      auto commit = restore_commit(*record, key, edge);
      if (!commit && &file != &files.back()) return fail(Errc::corrupt, "`{}`: the record at offset {} is broken", file.path.string(), at);
      if (!commit) break;
      recovered->commits.push_back(std::move(*commit));
      at += record->stored_bytes;
      number = record->number;
    }
    if (&file == &files.back()) TRY(check_tail(file, at, number));
  }
  return recovered;
}

}  // namespace

std::optional<JournalRecord> parse_journal_record(std::string_view file, std::size_t at) {
  if (at > file.size() || file.size() - at < fixed_bytes || file.substr(at, magic.size()) != magic) return std::nullopt;
  const auto* fixed = file.data() + at + magic.size();
  JournalRecord record;
  std::memcpy(record.life.data(), fixed, record.life.size());
  std::array<std::uint64_t, 7> values{};
  std::memcpy(values.data(), fixed + record.life.size(), sizeof values);
  const auto [epoch, number, before, count, note, edge, entries] = values;
  const auto left = file.size() - at - fixed_bytes;
  if (note > left || edge > left - note || entries > left - note - edge) return std::nullopt;
  record.epoch = epoch;
  record.number = number;
  record.before = {before};
  record.count = count;
  record.note = file.substr(at + fixed_bytes, note);
  record.edge = file.substr(at + fixed_bytes + note, edge);
  record.entries = file.substr(at + fixed_bytes + note + edge, entries);
  record.stored_bytes = up_to_page(fixed_bytes + note + edge + entries);
  if (head_of(record, record.entries.size()) != file.substr(at, fixed_bytes)) return std::nullopt;
  return record;
}

fs::path journal_path(const fs::path& home, std::uint64_t epoch) { return home / fmt::format("ledger.journal-{}", epoch % 2); }

Result<std::optional<Recovered>> read_journal(const fs::path& home, const Verifier& key) {
  std::array<EpochFile, 2> files{TRY(read_epoch(journal_path(home, 0))), TRY(read_epoch(journal_path(home, 1)))};
  std::vector<EpochFile> chain;
  for (auto& file : files)
    if (!file.records.empty()) chain.push_back(std::move(file));
  if (chain.empty()) return std::nullopt;
  if (chain.size() == 2 && chain[0].base().epoch > chain[1].base().epoch) std::swap(chain[0], chain[1]);
  const auto& newest = chain.back();
  if (chain.size() == 2 && chain[0].base().life == newest.base().life && chain[0].last().number + 1 == newest.base().number)
    if (auto recovered = replay(chain, key)) return recovered;
  // An older file that does not lead up to the newer one was just being overwritten: all before the newer base is synced.
  return replay({&newest, 1}, key);
}

Result<> remove_journal(Disk& disk, const fs::path& home, std::uint64_t newest_epoch) {
  TRY(disk::remove(disk, journal_path(home, newest_epoch + 1)));
  TRY(disk::remove(disk, journal_path(home, newest_epoch)));
  return disk::sync_directory(disk, home);
}

JournalWriter::JournalWriter(Disk& disk, fs::path home, std::array<Fd, 2> files)
    : disk_(&disk), home_(std::move(home)), files_(std::move(files)) {}

Result<JournalWriter> JournalWriter::create(Disk& disk, const fs::path& home) {
  std::array<Fd, 2> files;
  const std::string zeros(small_limit, '\0');
  const std::array<std::string_view, 1> pieces{zeros};
  for (std::uint64_t i = 0; i < 2; ++i) {
    const auto path = journal_path(home, i);
    files[i] = TRY(disk::create(disk, path, 0600));
    TRY(disk::write(disk, files[i].get(), pieces, 0, path));
    TRY(disk::sync_data(disk, files[i].get(), path));
  }
  TRY(disk::sync_directory(disk, home));
  JournalWriter writer{disk, home, std::move(files)};
  if (RAND_bytes(writer.life_.data(), static_cast<int>(writer.life_.size())) != 1)
    return fail(Errc::io, "the system gives no random bytes");
  return writer;
}

bool JournalWriter::begins_epoch(std::size_t entry_bytes) const {
  return epoch_ == 0 || offset_ + up_to_page(fixed_bytes + 1024 + entry_bytes) > limit_;
}

void JournalWriter::begin_epoch(const Edge& edge, const Checkpoint& checkpoint, std::size_t entry_bytes) {
  const auto tiles = edge_bytes(edge);
  const JournalRecord record{life_, ++epoch_, number_++, edge.size(), 0, checkpoint.note, tiles, edge.bundle(), 0};
  base_record_ = head_of(record, record.entries.size()).append(record.note).append(record.edge).append(record.entries);
  base_record_.resize(up_to_page(base_record_.size()));
  base_ = edge.size();
  offset_ = 0;
  limit_ = std::max<std::uint64_t>(entry_bytes >= much_at_once ? large_limit : small_limit, 4 * base_record_.size());
}

Result<> JournalWriter::append(TreeSize before, std::span<const Batch* const> batches, const Checkpoint& after) {
  std::size_t entry_bytes = 0;
  for (const auto* batch : batches) entry_bytes += batch->encoded.size();
  const JournalRecord record{life_, epoch_, number_++, before, after.size.value - before.value, after.note, {}, {}, 0};
  const auto head = head_of(record, entry_bytes).append(record.note);
  const std::string padding(up_to_page(head.size() + entry_bytes) - head.size() - entry_bytes, '\0');
  std::vector<std::string_view> pieces{base_record_, head};
  for (const auto* batch : batches) pieces.push_back(batch->encoded);
  pieces.push_back(padding);

  const auto& file = files_[epoch_ % 2];
  const auto path = journal_path(home_, epoch_);
  TRY(disk::write(*disk_, file.get(), pieces, offset_, path));
  TRY(disk::sync_data(*disk_, file.get(), path));
  offset_ += base_record_.size() + up_to_page(head.size() + entry_bytes);
  base_record_.clear();
  return {};
}

}  // namespace vouch
