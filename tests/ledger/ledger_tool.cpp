// Drives the ledger for tests that are not in C++: a log with known entries, appended to until the process is killed, exported, checked.
#include "ledger/append.h"
#include "ledger/blobs.h"
#include "ledger/create.h"
#include "ledger/proof_file.h"
#include "ledger/read.h"
#include "ledger/verify.h"

#include <unistd.h>
#include <charconv>
#include <cstdio>
#include <cstdlib>

namespace vouch {
namespace {

constexpr std::string_view usage =
    "ledger_tool create HOME ORIGIN\n"
    "ledger_tool append HOME COUNT [BATCH [PADDING]]   entries that `entry` tells by their index\n"
    "ledger_tool single HOME COUNT                     one commit for each entry\n"
    "ledger_tool run HOME SEED                         append until killed; prints the size after each acknowledgement\n"
    "ledger_tool check HOME ACKNOWLEDGED               all is sound, and that many entries are what was appended\n"
    "ledger_tool export HOME FILE LEAF...\n"
    "ledger_tool consistency HOME OLDER NEWER          the proof, a hash in base64 on each line\n"
    "ledger_tool verify HOME\n"
    "ledger_tool verify-proof FILE VKEY\n";

using Words = std::vector<std::string>;

// What stands at an index, whoever wrote it.
std::string entry_at(std::uint64_t index, std::size_t padding = 0) {
  auto entry = fmt::format("{{\"kind\":\"test\",\"leaf\":{},\"body\":\"{}\"}}", index, to_hex(sha256(fmt::format("body {}", index / 10))));
  if (padding > entry.size()) entry.resize(padding, ' ');
  return entry;
}

Result<std::uint64_t> number(const Words& words, std::size_t at, std::optional<std::uint64_t> otherwise = std::nullopt) {
  if (at >= words.size() && otherwise) return *otherwise;
  std::uint64_t value = 0;
  const auto text = at < words.size() ? std::string_view{words[at]} : std::string_view{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return fail(Errc::usage, "`{}` is not a number", text);
  return value;
}

std::vector<std::string> entries_from(std::uint64_t from, std::uint64_t count, std::size_t padding = 0) {
  std::vector<std::string> entries;
  for (auto i = from; i < from + count; ++i) entries.push_back(entry_at(i, padding));
  return entries;
}

Result<> append(const Words& words) {
  const auto count = TRY(number(words, 3));
  const auto batch = TRY(number(words, 4, 1000));
  const auto padding = TRY(number(words, 5, 0));
  auto log = TRY(Appender::open(words[2]));
  for (std::uint64_t done = 0; done < count;) {
    const auto now = std::min(batch, count - done);
    TRY(log.append(entries_from(log.size().value, now, padding)));
    done += now;
  }
  return log.close();
}

Result<> single(const Words& words) {
  const auto count = TRY(number(words, 3));
  auto log = TRY(Appender::open(words[2]));
  for (std::uint64_t i = 0; i < count; ++i) TRY(log.commit(entries_from(log.size().value, 1)));
  return log.close();
}

// As a collection does it: the body first, then the leaf that names it. Batches of all sizes; every so often the log is closed.
Result<> run(const Words& words) {
  const fs::path home = words[2];
  std::srand(static_cast<unsigned>(TRY(number(words, 3))));
  while (true) {
    auto log = TRY(Appender::open(home));
    for (int round = 0; round < 200; ++round) {
      const auto first = log.size().value;
      const auto kind = std::rand() % 10;
      const auto count = static_cast<std::uint64_t>(kind < 6 ? 1 : kind < 9 ? 1 + std::rand() % 40 : 200 + std::rand() % 400);
      auto pack = TRY(PackWriter::start(home));
      for (auto i = first / 10; i <= (first + count - 1) / 10; ++i) TRY(pack.add(fmt::format("body {}", i)));
      TRY(pack.finish());
      const auto committed = round % 2 == 0 ? TRY(log.append(entries_from(first, count))) : TRY(log.commit(entries_from(first, count)));
      const auto line = fmt::format("{}\n", committed.checkpoint.size.value);
      if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) return fail(Errc::io, "nobody listens");
    }
    TRY(log.close());
  }
}

Result<> check(const Words& words) {
  const fs::path home = words[2];
  const auto acknowledged = TRY(number(words, 3));
  const auto found = TRY(verify_home(home));
  const auto reader = TRY(Reader::open(home));
  const auto blobs = TRY(Blobs::open(home));
  if (found.leaves < acknowledged) return fail(Errc::corrupt, "{} entries were acknowledged, {} are there", acknowledged, found.leaves);
  TRY(reader.for_each({0}, reader.checkpoint().size, [&](LeafIndex index, std::string_view entry) -> Result<> {
    if (entry != entry_at(index.value)) return fail(Errc::corrupt, "leaf {} is `{}`", index.value, entry);
    if (index.value % 10 == 0 && TRY(blobs.get(sha256(fmt::format("body {}", index.value / 10)))).empty())
      return fail(Errc::corrupt, "an empty body");
    return {};
  }));
  fmt::print("{}\n", found.leaves);
  return {};
}

Result<> export_to_file(const Words& words) {
  const auto reader = TRY(Reader::open(words[2]));
  std::vector<LeafIndex> leaves;
  for (std::size_t i = 4; i < words.size(); ++i) leaves.push_back({TRY(number(words, i))});
  return write_file(words[3], TRY(export_leaves(reader, leaves)));
}

Result<> consistency(const Words& words) {
  const auto reader = TRY(Reader::open(words[2]));
  for (const auto& hash : TRY(reader.consistency_proof({TRY(number(words, 3))}, {TRY(number(words, 4))})))
    fmt::print("{}\n", to_base64(ByteView{hash.bytes}));
  return {};
}

Result<> verify(const Words& words) {
  const auto found = TRY(verify_home(words[2]));
  fmt::print("{} leaves, {} tiles, {} bundles, {} blobs in {} packs\n", found.leaves, found.tiles, found.bundles, found.blobs, found.packs);
  return {};
}

Result<> verify_proof(const Words& words) {
  const auto proved = TRY(verify_proof_file(TRY(read_file(words[2])), TRY(Verifier::parse(words[3]))));
  fmt::print("{} leaves under the checkpoint of size {}\n", proved.leaves.size(), proved.checkpoint.size.value);
  return {};
}

Result<> dispatch(const Words& words) {
  const auto is = [&](std::string_view word, std::size_t least) { return words.size() >= least && words[1] == word; };
  if (is("create", 4)) return create_log(words[2], words[3]);
  if (is("append", 4)) return append(words);
  if (is("single", 4)) return single(words);
  if (is("run", 4)) return run(words);
  if (is("check", 4)) return check(words);
  if (is("export", 5)) return export_to_file(words);
  if (is("consistency", 5)) return consistency(words);
  if (is("verify", 3)) return verify(words);
  if (is("verify-proof", 4)) return verify_proof(words);
  return fail(Errc::usage, "usage:\n{}", usage);
}

}  // namespace
}  // namespace vouch

int main(int argc, char** argv) {
  const auto done = vouch::dispatch({argv, argv + argc});
  if (done) return 0;
  fmt::print(stderr, "ledger_tool: {}: {}\n", vouch::name_of(done.error().code), done.error().message);
  return done.error().code == vouch::Errc::corrupt ? 4 : 2;
}
