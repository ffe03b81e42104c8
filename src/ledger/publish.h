// ledger/publish.h - write what was committed to where readers find it.
//
// Files come into place whole (written beside the ledger as `ledger.new`, then renamed) and are synced later, all at once: until then
// the journal can write them again. Bundles go before tiles, tiles before the checkpoint; the partial files that the new ones supersede
// go last, so that every reader finds one or the other. For one thread.
#pragma once

#include "ledger/checkpoint.h"
#include "ledger/disk.h"
#include "ledger/edge.h"

#include <map>
#include <set>

namespace vouch {

class Publisher {
 public:
  // From a log that stands at `edge`, with its partial files in place or not.
  enum class Partials { in_place, to_write };
  Publisher(Disk& disk, fs::path home, Edge edge, Partials partials);

  // Writes the bundles and tiles that the batch fills.
  Result<> add(const Batch& batch);

  // Writes the partial ones and the checkpoint, of the size reached; removes what they supersede.
  Result<> publish(const Checkpoint& checkpoint);

  // All that was written since the last sync is durable when it returns. Also done when very many files wait for it.
  Result<> sync();

  [[nodiscard]] const Edge& edge() const { return edge_; }

 private:
  Result<> write(const std::string& path, std::span<const std::string_view> pieces);
  Result<> write_checkpoint(std::string_view note);
  Result<> write_new(std::span<const std::string_view> pieces, Fd& fd);
  Result<> make_folder(const fs::path& folder);
  Result<> remove_superseded(const std::set<std::string>& kept);

  Disk* disk_;
  fs::path home_;
  fs::path log_;
  fs::path temporary_;
  Edge edge_;
  std::set<std::string> partials_;      // paths of the partial files in place
  std::map<std::string, Fd> unsynced_;  // kept open: an error of writing back is told to who has the file open
  std::set<fs::path> unsynced_folders_;
  std::set<fs::path> known_folders_;
};

// The partial files of a log with this edge.
std::set<std::string> partial_paths(TreeSize size);

// Removes partial files that a log of `size` does not have from the tiles that grew since `since`. For recovery: an interrupted
// Publisher may have left superseded files.
Result<> remove_stale_partials(Disk& disk, const fs::path& home, TreeSize since, TreeSize size);

}  // namespace vouch
