#include "ledger/proof_file.h"

#include "ledger/read.h"
#include "ledger/tile.h"
#include "ledger/tree.h"

#include <charconv>
#include <set>

namespace vouch {
namespace {

constexpr std::string_view first_line = "c2sp.org/tlog-proof@v1";
constexpr std::size_t max_hashes = 63;

// Takes lines off a text, counting them.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] std::string_view rest() const { return rest_; }

  Result<std::string_view> next() {
    const auto end = rest_.find('\n');
    if (end == std::string_view::npos) return fail(Errc::malformed, "line {}: no line feed at its end", number_ + 1);
    ++number_;
    const auto line = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return line;
  }

  template <class... Args>
  std::unexpected<Error> wrong(fmt::format_string<Args...> format, Args&&... args) const {
    return fail(Errc::malformed, "line {}: {}", number_, fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  std::string_view rest_;
  std::size_t number_ = 0;
};

// The note goes on until the next proof begins or the file ends. A note's own text cannot hold such a line in disguise: the first
// line behind its blank line begins with an em dash, and so do all that follow.
Result<std::string> take_note(Lines& lines) {
  std::string note;
  bool signatures = false;
  while (!lines.at_end()) {
    if (signatures && lines.rest().starts_with(first_line)) break;
    const auto line = TRY(lines.next());
    note += line;
    note += '\n';
    if (line.empty()) signatures = true;
  }
  if (note.empty()) return lines.wrong("the proof ends before its checkpoint");
  return note;
}

Result<Digest> parse_hash(std::string_view line) {
  const auto bytes = TRY(parse_base64(line));
  Digest hash;
  if (bytes.size() != hash.bytes.size()) return fail(Errc::malformed, "a hash has 32 bytes, not {}", bytes.size());
  std::copy(bytes.begin(), bytes.end(), hash.bytes.begin());
  return hash;
}

Result<Proof> take_proof(Lines& lines) {
  Proof proof;
  if (TRY(lines.next()) != first_line) return lines.wrong("a proof begins with `{}`", first_line);
  auto line = TRY(lines.next());
  constexpr std::string_view extra = "extra ";
  if (line.starts_with(extra)) {
    const auto bytes = parse_base64(line.substr(extra.size()));
    if (!bytes) return lines.wrong("{}", bytes.error().message);
    proof.extra.emplace(text_of(*bytes));
    line = TRY(lines.next());
  }
  constexpr std::string_view index = "index ";
  if (!line.starts_with(index)) return lines.wrong("`index` and a number belong here");
  const auto digits = line.substr(index.size());
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), proof.index.value);
  if (error != std::errc{} || end != digits.data() + digits.size() || (digits.size() > 1 && digits[0] == '0'))
    return lines.wrong("`{}` is not the index of a leaf", digits);
  for (line = TRY(lines.next()); !line.empty(); line = TRY(lines.next())) {
    auto hash = parse_hash(line);
    if (!hash) return lines.wrong("{}", hash.error().message);
    if (proof.hashes.size() == max_hashes) return lines.wrong("more than {} hashes", max_hashes);
    proof.hashes.push_back(*hash);
  }
  proof.note = TRY(take_note(lines));
  return proof;
}

}  // namespace

std::string encode_proof(const Proof& proof) {
  std::string text{first_line};
  if (proof.extra) text += fmt::format("\nextra {}", to_base64(bytes_of(*proof.extra)));
  text += fmt::format("\nindex {}\n", proof.index.value);
  for (const auto& hash : proof.hashes) text += to_base64(ByteView{hash.bytes}) + "\n";
  return text + "\n" + proof.note;
}

Result<std::vector<Proof>> parse_proofs(std::string_view bytes) {
  Lines lines{bytes};
  std::vector<Proof> proofs;
  do proofs.push_back(TRY(take_proof(lines)));
  while (!lines.at_end());
  return proofs;
}

Result<ProvedLeaves> verify_proof_file(std::string_view bytes, const Verifier& log_key, std::span<const Verifier> witnesses) {
  auto proofs = TRY(parse_proofs(bytes));
  ProvedLeaves proved{TRY(parse_checkpoint(proofs.front().note, log_key, witnesses)), {}};
  std::set<LeafIndex> seen;
  for (auto& proof : proofs) {
    const auto index = proof.index.value;
    if (proof.note != proved.checkpoint.note)
      return fail(Errc::malformed, "leaf {}: under another checkpoint than the first proof of the file", index);
    if (!seen.insert(proof.index).second) return fail(Errc::malformed, "leaf {} is in the file twice", index);
    if (!proof.extra) return fail(Errc::malformed, "leaf {}: the file has no `extra` line with the entry's bytes", index);
    if (proof.extra->size() > max_entry_bytes)
      return fail(Errc::malformed, "leaf {}: an entry of {} bytes; no log can hold more than {}", index, proof.extra->size(),
                  max_entry_bytes);
    TRY_WITHIN(verify_inclusion(leaf_hash(*proof.extra), proof.index, proved.checkpoint.size, proof.hashes, proved.checkpoint.root),
               "leaf {}", index);
    proved.leaves.push_back({proof.index, std::move(*proof.extra)});
  }
  return proved;
}

Result<std::string> export_leaves(const Reader& reader, std::span<const LeafIndex> leaves) {
  if (leaves.empty()) return fail(Errc::usage, "no leaf is named");
  const auto& checkpoint = reader.checkpoint();
  std::set<LeafIndex> seen;
  std::string file;
  for (const auto index : leaves) {
    if (!seen.insert(index).second) return fail(Errc::usage, "leaf {} is named twice", index.value);
    auto entry = TRY(reader.entry(index));
    file += encode_proof({std::move(entry), index, TRY(reader.inclusion_proof(index, checkpoint.size)), checkpoint.note});
  }
  return file;
}

}  // namespace vouch
