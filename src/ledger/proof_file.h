// ledger/proof_file.h - leaves with their proofs in a file that can be checked without the log.
//
// Spec: c2sp.org/tlog-proof@v1. Each leaf is one such proof; its `extra` line holds the entry's bytes, which the proof itself does
// not have (they need no trust: their hash is what is proved). A file is one proof or several in a row, all under the same
// checkpoint; each begins with the line "c2sp.org/tlog-proof@v1", which no other line of a proof can be, so `cat` joins files and a
// line editor takes them apart.
#pragma once

#include "ledger/checkpoint.h"

namespace vouch {

struct Proof {
  std::optional<std::string> extra;  // the entry, in files of ours
  LeafIndex index;
  std::vector<Digest> hashes;
  std::string note;  // the checkpoint, verbatim
  friend bool operator==(const Proof&, const Proof&) = default;
};

std::string encode_proof(const Proof& proof);

// One proof or several. Errc::malformed, with the line, for bytes that encode_proof would not write.
Result<std::vector<Proof>> parse_proofs(std::string_view bytes);

struct ProvedLeaf {
  LeafIndex index;
  std::string entry;
};

struct ProvedLeaves {
  Checkpoint checkpoint;
  std::vector<ProvedLeaf> leaves;  // in the file's order
};

// Without a home: only the file and the log's public key. Errc::malformed or Errc::corrupt, naming the leaf.
Result<ProvedLeaves> verify_proof_file(std::string_view bytes, const Verifier& log_key, std::span<const Verifier> witnesses = {});

class Reader;

// The leaves at the reader's checkpoint. Errc::usage for a leaf beyond it, for none, and for one named twice.
Result<std::string> export_leaves(const Reader& reader, std::span<const LeafIndex> leaves);

}  // namespace vouch
