#include "ledger/checkpoint.h"

#include <algorithm>
#include <charconv>

namespace vouch {
namespace {

Result<std::string_view> take_line(std::string_view& text, std::string_view what) {
  const auto end = text.find('\n');
  if (end == std::string_view::npos || end == 0) return fail(Errc::malformed, "the checkpoint has no {}", what);
  const auto line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

}  // namespace

std::string checkpoint_text(std::string_view origin, TreeSize size, const Digest& root) {
  return fmt::format("{}\n{}\n{}\n", origin, size.value, to_base64(ByteView{root.bytes}));
}

Result<Checkpoint> sign_checkpoint(std::string_view origin, TreeSize size, const Digest& root, const Signer& signer) {
  return Checkpoint{std::string{origin}, size, root, TRY(sign_note(checkpoint_text(origin, size, root), signer))};
}

Result<Checkpoint> parse_checkpoint(std::string_view note, const Verifier& log_key, std::span<const Verifier> witnesses) {
  std::vector<Verifier> known{log_key};
  known.insert(known.end(), witnesses.begin(), witnesses.end());
  const auto opened = TRY_WITHIN(open_note(note, known), "checkpoint");
  const bool by_log = std::any_of(opened.verified.begin(), opened.verified.end(), [&](const Signature& signature) {
    return signature.name == log_key.name() && signature.key_id == log_key.id();
  });
  if (!by_log) return fail(Errc::corrupt, "checkpoint: `{}` has not signed it", log_key.name());

  Checkpoint checkpoint;
  std::string_view text = opened.text;
  checkpoint.origin = TRY(take_line(text, "origin"));
  if (checkpoint.origin != log_key.name())
    return fail(Errc::corrupt, "the checkpoint is of log `{}`, not of `{}`", checkpoint.origin, log_key.name());
  const auto size = TRY(take_line(text, "size"));
  const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), checkpoint.size.value);
  if (error != std::errc{} || end != size.data() + size.size() || (size.size() > 1 && size[0] == '0'))
    return fail(Errc::malformed, "the checkpoint's size `{}` is not a number", size);
  const auto root_line = TRY(take_line(text, "root"));
  const auto root = TRY_WITHIN(parse_base64(root_line), "the checkpoint's root");
  if (root.size() != checkpoint.root.bytes.size()) return fail(Errc::malformed, "the checkpoint's root has {} bytes, not 32", root.size());
  std::copy(root.begin(), root.end(), checkpoint.root.bytes.begin());
  while (!text.empty()) TRY(take_line(text, "text in an extension line"));
  checkpoint.note = note;
  return checkpoint;
}

}  // namespace vouch
