#include "ledger/read.h"

#include "ledger/append.h"
#include "ledger/create.h"
#include "ledger/log_files.h"

namespace vouch {

struct Reader::State {
  fs::path home;
  Verifier key;
  Checkpoint checkpoint;

  // How many leaves of the log at this checkpoint stand in a tile or bundle.
  [[nodiscard]] std::uint16_t width_of(std::uint8_t level, std::uint64_t index) const {
    return index < full_tiles(checkpoint.size, level) ? tile_width : partial_width(checkpoint.size, level);
  }

  // The root of a perfect subtree, from the tile that holds its topmost stored row.
  [[nodiscard]] Result<Digest> node(NodeCoord node) const {
    const auto level = static_cast<std::uint8_t>(node.level / 8);
    const auto row = node.level % 8;
    const auto first = node.index << row;
    const auto tile = TRY(read_tile(home, {level, first / tile_width, width_of(level, first / tile_width)}));
    return perfect_root(std::span{tile.hashes}.subspan(first % tile_width, std::size_t{1} << row));
  }

  [[nodiscard]] NodeSource nodes() const {
    return [this](NodeCoord coord) { return node(coord); };
  }

  Result<> has(LeafIndex index) const {
    if (!contains(checkpoint.size, index)) return fail(Errc::usage, "no leaf {} in a log of {} leaves", index.value, checkpoint.size.value);
    return {};
  }
  Result<> within(TreeSize size) const {
    if (size > checkpoint.size) return fail(Errc::usage, "the log has {} leaves, not {}", checkpoint.size.value, size.value);
    return {};
  }
};

Result<Reader> Reader::open(const fs::path& home) {
  auto key = TRY(log_key(home));
  // A full disk keeps the interrupted commit from being finished, not the log from being read.
  if (auto finished = finish_interrupted(home); !finished && finished.error().code != Errc::io)
    return std::unexpected(std::move(finished).error().within("finishing an interrupted commit"));
  auto checkpoint = TRY(read_checkpoint(home, key));
  return Reader{std::make_shared<const State>(State{home, std::move(key), std::move(checkpoint)})};
}

const Checkpoint& Reader::checkpoint() const { return state_->checkpoint; }
const Verifier& Reader::key() const { return state_->key; }
const fs::path& Reader::home() const { return state_->home; }

Result<Digest> Reader::leaf(LeafIndex index) const {
  TRY(state_->has(index));
  return state_->node({0, index.value});
}

Result<> Reader::for_each(LeafIndex from, TreeSize to, const std::function<Result<>(LeafIndex, std::string_view)>& visit) const {
  TRY(state_->within(to));
  for (auto at = from; contains(to, at);) {
    const auto index = at.value / tile_width;
    const auto width = state_->width_of(0, index);
    const auto tile = TRY(read_tile(state_->home, {0, index, width}));
    const auto bundle = TRY(read_bundle(state_->home, {index, width}));
    for (auto i = at.value % tile_width; i < width && contains(to, at); ++i, ++at) {
      const auto entry = bundle->entries[i];
      if (leaf_hash(entry) != tile.hashes[i])
        return fail(Errc::corrupt, "leaf {}: the entry in `{}` (offset {}) does not have the hash in `{}` (offset {})", at.value,
                    bundle->file.string(), entry.data() - bundle->bytes.data() - 2, tile.file.string(), i * sizeof(Digest));
      TRY(visit(at, entry));
    }
  }
  return {};
}

Result<std::string> Reader::entry(LeafIndex index) const {
  TRY(state_->has(index));
  std::string found;
  TRY(for_each(index, {index.value + 1}, [&](LeafIndex, std::string_view entry) -> Result<> {
    found = entry;
    return {};
  }));
  return found;
}

Result<std::vector<Digest>> Reader::inclusion_proof(LeafIndex index, TreeSize size) const {
  TRY(state_->within(size));
  return vouch::inclusion_proof(index, size, state_->nodes());
}

Result<std::vector<Digest>> Reader::consistency_proof(TreeSize older, TreeSize newer) const {
  TRY(state_->within(newer));
  return vouch::consistency_proof(older, newer, state_->nodes());
}

Result<Digest> Reader::root_at(TreeSize size) const {
  TRY(state_->within(size));
  return root_of(size, state_->nodes());
}

}  // namespace vouch
