// ledger/read.h - read a log: its checkpoint, its entries, its proofs.
//
// Needs no lock and no private key, and works while another process appends: partial tiles disappear when they have grown, and
// are then read from their wider successors, of which they are the prefix. A Reader stands at the checkpoint that it found when
// it was opened; open another to see more. May be used by many threads at once.
#pragma once

#include "ledger/checkpoint.h"
#include "ledger/tile.h"
#include "ledger/tree.h"

#include <functional>
#include <memory>

namespace vouch {

class Reader {
 public:
  // Reads and checks the published checkpoint. Errc::not_found when there is no log in `home`, Errc::corrupt when the
  // checkpoint does not verify. Where a process died in the middle of a commit, that commit is finished first, as the next
  // append would (see finish_interrupted in ledger/append.h).
  static Result<Reader> open(const fs::path& home);

  [[nodiscard]] const Checkpoint& checkpoint() const;
  [[nodiscard]] const Verifier& key() const;
  [[nodiscard]] const fs::path& home() const;

  // One entry, checked against its leaf hash. Errc::usage beyond the checkpoint; Errc::corrupt names the file and offset.
  [[nodiscard]] Result<std::string> entry(LeafIndex index) const;

  // The entries [from, to) in order, a bundle at a time, each checked against its leaf hash. An error of `visit` ends the walk
  // and is returned. The view lives as long as the call.
  Result<> for_each(LeafIndex from, TreeSize to, const std::function<Result<>(LeafIndex, std::string_view)>& visit) const;

  // The leaf's hash, from its tile.
  [[nodiscard]] Result<Digest> leaf(LeafIndex index) const;

  // For any size up to the checkpoint's. Errc::usage beyond it.
  [[nodiscard]] Result<std::vector<Digest>> inclusion_proof(LeafIndex index, TreeSize size) const;
  [[nodiscard]] Result<std::vector<Digest>> consistency_proof(TreeSize older, TreeSize newer) const;
  [[nodiscard]] Result<Digest> root_at(TreeSize size) const;

 private:
  struct State;
  explicit Reader(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace vouch
