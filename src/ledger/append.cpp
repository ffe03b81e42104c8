#include "ledger/append.h"

#include "ledger/create.h"
#include "ledger/journal.h"
#include "ledger/log_files.h"
#include "ledger/publish.h"
#include "ledger/recover.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace vouch {
namespace {

constexpr std::size_t most_in_a_commit_bytes = std::size_t{8} << 20;
constexpr std::size_t most_unpublished_bytes = std::size_t{64} << 20;

// A reader that finishes an interrupted commit holds the lock for a moment; that must not refuse a writer.
Result<LockFile> acquire_lock(const fs::path& home) {
  auto lock = LockFile::acquire(lock_path(home));
  for (int i = 0; i < 20 && !lock && lock.error().code == Errc::busy; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    lock = LockFile::acquire(lock_path(home));
  }
  return lock;
}

Result<Signer> read_signer(const fs::path& home) {
  const auto path = home / "keys" / "ledger.key";
  auto text = TRY(read_file(path, 4096));
  auto signer = Signer::parse(text);
  if (!signer) return std::unexpected(std::move(signer).error().within(fmt::format("`{}`", path.string())));
  return signer;
}

}  // namespace

// Two threads at most are at work: whoever of the callers leads a commit, and the one that publishes behind it.
struct Appender::State {
  struct Request {
    std::shared_ptr<const Batch> batch;
    std::optional<Result<Committed>> answer;
  };
  struct Commit {
    std::vector<std::shared_ptr<const Batch>> batches;
    Checkpoint checkpoint;
    std::size_t bytes = 0;
  };

  State(Disk& disk_, const fs::path& home_, LockFile lock_, Signer signer_, Checkpoint checkpoint, Edge edge_)
      : disk(disk_),
        home(home_),
        lock(std::move(lock_)),
        signer(std::move(signer_)),
        last(std::move(checkpoint)),
        published(last.size),
        synced(last.size),
        sync_wanted(last.size),
        edge(edge_),
        publisher(disk, home, std::move(edge_), Publisher::Partials::in_place) {}

  Result<Committed> commit(std::span<const std::string> entries);
  void lead(std::unique_lock<std::mutex>& held);
  Result<> write_journal(std::span<Request* const> group, std::unique_lock<std::mutex>& held);
  Result<> make_room(std::size_t bytes, std::unique_lock<std::mutex>& held);
  void publish_until_closed();
  Result<> publish(std::deque<Commit>& commits);
  void break_with(Error error);
  Result<> close();

  Disk& disk;
  const fs::path home;
  std::optional<LockFile> lock;
  const Signer signer;

  std::mutex mutex;
  std::condition_variable changed;
  // Under the mutex:
  std::deque<Request*> waiting;
  bool committing = false;
  bool refusing = false;  // being closed: no further commit
  bool closing = false;   // and none is under way any more
  std::optional<Error> broken;
  Checkpoint last;
  std::deque<Commit> unpublished;
  std::size_t unpublished_bytes = 0;
  TreeSize published, synced, sync_wanted;

  // Of the thread that commits:
  Edge edge;
  std::optional<JournalWriter> journal;

  // Of the thread that publishes:
  Publisher publisher;
  std::thread thread;
};

void Appender::State::break_with(Error error) {
  if (!broken) broken = std::move(error).within("the log is closed after an error");
  changed.notify_all();
}

Result<Committed> Appender::State::commit(std::span<const std::string> entries) {
  Request request{std::make_shared<const Batch>(TRY(Batch::of(entries))), std::nullopt};
  std::unique_lock held{mutex};
  if (broken) return std::unexpected(*broken);
  if (refusing) return fail(Errc::usage, "the log has been closed");
  if (entries.empty()) return Committed{{last.size.value}, last};
  waiting.push_back(&request);
  changed.wait(held, [&] { return request.answer || !committing; });
  if (!request.answer) lead(held);
  return std::move(*request.answer);
}

// Commits what waits, this caller's entries among it, as one record.
void Appender::State::lead(std::unique_lock<std::mutex>& held) {
  committing = true;
  std::vector<Request*> group;
  for (std::size_t bytes = 0; !waiting.empty() && bytes < most_in_a_commit_bytes; waiting.pop_front()) {
    group.push_back(waiting.front());
    bytes += waiting.front()->batch->encoded.size();
  }
  LeafIndex first{last.size.value};
  auto written = broken ? Result<>{std::unexpected(*broken)} : write_journal(group, held);
  if (!written) break_with(written.error());
  for (auto* request : group) {
    if (written)
      request->answer = Committed{first, last};
    else
      request->answer = std::unexpected(*broken);
    first.value += request->batch->leaves.size();
  }
  committing = false;
  changed.notify_all();
}

// Before an epoch begins, the files of the one before the last must be synced; before more piles up in memory, the publisher must follow.
Result<> Appender::State::make_room(std::size_t bytes, std::unique_lock<std::mutex>& held) {
  changed.wait(held, [&] { return broken || unpublished_bytes < most_unpublished_bytes; });
  if (!broken && journal && journal->begins_epoch(bytes)) {
    changed.wait(held, [&] { return broken || synced >= journal->base(); });
    sync_wanted = last.size;
    changed.notify_all();
  }
  return broken ? Result<>{std::unexpected(*broken)} : Result<>{};
}

Result<> Appender::State::write_journal(std::span<Request* const> group, std::unique_lock<std::mutex>& held) {
  Commit commit;
  std::vector<const Batch*> batches;
  for (const auto* request : group) {
    commit.batches.push_back(request->batch);
    batches.push_back(request->batch.get());
    commit.bytes += request->batch->encoded.size();
  }
  TRY(make_room(commit.bytes, held));
  const auto before = last;
  held.unlock();
  const auto durable = [&]() -> Result<> {
    if (!journal) journal = TRY(JournalWriter::create(disk, home));
    if (journal->begins_epoch(commit.bytes)) journal->begin_epoch(edge, before, commit.bytes);
    for (const auto* batch : batches) TRY(edge.grow(*batch));
    commit.checkpoint = TRY(sign_checkpoint(before.origin, edge.size(), edge.root(), signer));
    return journal->append(before.size, batches, commit.checkpoint);
  }();
  held.lock();
  TRY(durable);
  last = commit.checkpoint;
  unpublished_bytes += commit.bytes;
  unpublished.push_back(std::move(commit));
  return {};
}

Result<> Appender::State::publish(std::deque<Commit>& commits) {
  if (commits.empty()) return {};
  for (const auto& commit : commits)
    for (const auto& batch : commit.batches) TRY(publisher.add(*batch));
  return publisher.publish(commits.back().checkpoint);
}

void Appender::State::publish_until_closed() {
  std::unique_lock held{mutex};
  while (!broken) {
    changed.wait(held, [&] { return broken || closing || !unpublished.empty() || sync_wanted > synced; });
    if (broken) return;
    std::deque<Commit> commits;
    commits.swap(unpublished);
    const auto size = commits.empty() ? published : commits.back().checkpoint.size;
    held.unlock();
    auto done = publish(commits);
    held.lock();
    if (!done) return break_with(done.error());
    for (const auto& commit : commits) unpublished_bytes -= commit.bytes;
    published = size;
    changed.notify_all();
    const bool last_round = closing && unpublished.empty();
    if (!last_round && sync_wanted <= synced) continue;
    held.unlock();
    done = publisher.sync();
    held.lock();
    if (!done) return break_with(done.error());
    synced = published;
    changed.notify_all();
    if (last_round) return;
  }
}

Result<> Appender::State::close() {
  {
    std::unique_lock held{mutex};
    refusing = true;
    changed.wait(held, [&] { return !committing && waiting.empty(); });
    closing = true;
    changed.notify_all();
  }
  if (thread.joinable()) thread.join();
  const std::lock_guard held{mutex};
  if (!lock) return {};
  Result<> closed;
  if (broken)
    closed = std::unexpected(*broken);
  else if (journal)
    closed = remove_journal(disk, home, journal->epoch());
  lock.reset();
  return closed;
}

Appender::Appender(std::unique_ptr<State> state) : state_(std::move(state)) {}
Appender::Appender(Appender&&) noexcept = default;
Appender& Appender::operator=(Appender&& other) noexcept {
  if (state_ && this != &other) (void)state_->close();
  state_ = std::move(other.state_);
  return *this;
}
Appender::~Appender() {
  if (state_) (void)state_->close();
}

Result<Appender> Appender::open(const fs::path& home) { return open(home, system_disk()); }

Result<Appender> Appender::open(const fs::path& home, Disk& disk) {
  const auto key = TRY(log_key(home));
  auto lock = TRY(acquire_lock(home));
  auto signer = TRY(read_signer(home));
  if (signer.verifier().to_text() != key.to_text())
    return fail(Errc::corrupt, "`{}`: ledger.key and ledger.vkey are not of one key", (home / "keys").string());
  TRY_WITHIN(recover(disk, home, key), "finishing an interrupted commit");
  auto checkpoint = TRY(read_checkpoint(home, key));
  auto edge = TRY(read_edge(home, checkpoint));
  auto state = std::make_unique<State>(disk, home, std::move(lock), std::move(signer), std::move(checkpoint), std::move(edge));
  state->thread = std::thread{[&publishing = *state] { publishing.publish_until_closed(); }};
  return Appender{std::move(state)};
}

Result<Committed> Appender::commit(std::span<const std::string> entries) { return state_->commit(entries); }

Result<Committed> Appender::append(std::span<const std::string> entries) {
  auto committed = TRY(state_->commit(entries));
  std::unique_lock held{state_->mutex};
  state_->changed.wait(held, [&] { return state_->broken || state_->published >= committed.checkpoint.size; });
  if (state_->published < committed.checkpoint.size) return std::unexpected(*state_->broken);
  return committed;
}

Result<> Appender::close() { return state_->close(); }

TreeSize Appender::size() const {
  const std::lock_guard held{state_->mutex};
  return state_->last.size;
}

Result<> finish_interrupted(const fs::path& home) {
  if (!is_interrupted(home)) return {};
  const auto key = TRY(log_key(home));
  const auto lock = LockFile::acquire(lock_path(home));
  if (!lock) return {};  // a living writer; or a medium that cannot be written
  return recover(system_disk(), home, key);
}

}  // namespace vouch
