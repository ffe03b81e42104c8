// ledger/checkpoint.h - a checkpoint: the size and root of a log, signed.
//
// Spec: c2sp.org/tlog-checkpoint. A note whose text is three lines (origin, size, root in base64) and perhaps extension lines,
// which are tolerated in what others wrote and never written here.
#pragma once

#include "ledger/note.h"
#include "ledger/position.h"

namespace vouch {

struct Checkpoint {
  std::string origin;
  TreeSize size;
  Digest root;
  std::string note;  // verbatim, with all its signatures
  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

// The three lines that are signed.
std::string checkpoint_text(std::string_view origin, TreeSize size, const Digest& root);

Result<Checkpoint> sign_checkpoint(std::string_view origin, TreeSize size, const Digest& root, const Signer& signer);

// Opens the note and reads it. The log's key must have signed, and the origin must be the key's name (Errc::corrupt);
// cosignatures of `witnesses` must be right where they stand, but need not be there.
Result<Checkpoint> parse_checkpoint(std::string_view note, const Verifier& log_key, std::span<const Verifier> witnesses = {});

}  // namespace vouch
