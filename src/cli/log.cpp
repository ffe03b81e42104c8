// vouch log show|proof|checkpoint|export, and vouch verify.
#include "cli/commands.h"
#include "cli/session.h"
#include "ledger/blobs.h"
#include "ledger/create.h"
#include "ledger/proof_file.h"
#include "ledger/read.h"
#include "ledger/verify.h"

#include <cstdio>

namespace vouch::cli {
namespace {

json::object envelope_of(const Checkpoint& checkpoint, bool simulated) {
  return envelope(SystemClock{}.now(),
                  {.size = checkpoint.size, .root = to_base64(checkpoint.root.bytes), .simulated = simulated, .last_run = std::nullopt});
}

void warn_of_simulation(bool simulated) {
  if (simulated) fmt::print(stderr, "{}\n", paint("SIMULATED: not evidence of a real account", Tone::doubt));
}

// For answers in the other formats the note goes to stderr, so that stdout stays what it says it is.
void print_json(const Checkpoint& checkpoint, bool simulated, json::object members) {
  auto out = envelope_of(checkpoint, simulated);
  for (auto& [key, value] : members) out[key] = std::move(value);
  fmt::print("{}\n", pretty(out));
}

// Leaves are ours and JSON; whatever else stands there is shown as text and not trusted to be either.
Json entry_json(std::string_view entry) {
  auto value = parse_json(entry);
  return value ? std::move(*value) : Json(json::string(entry));
}

std::string one_line(const Json& leaf) {
  const auto text = [&](std::string_view key) { return find_string(leaf, key) ? std::string{*find_string(leaf, key)} : std::string{}; };
  const auto kind = text("kind");
  if (kind == "collection") {
    const auto* scope = find(leaf, "scope");
    const auto* counts = find(leaf, "counts");
    const auto number = [&](std::string_view key) {
      const auto* value = counts ? find(*counts, key) : nullptr;
      return value && value->is_int64() ? value->get_int64() : 0;
    };
    return fmt::format("{} of account {}: {}, {} requests, {} new bodies", text("source"),
                       scope && find_string(*scope, "account") ? std::string_view{*find_string(*scope, "account")} : "unknown",
                       text("outcome"), number("requests"), number("new_bodies"));
  }
  if (kind == "events") return fmt::format("{} of {}, delivery {}", text("event"), text("source"), text("delivery"));
  if (kind == "scope") {
    const auto* accounts = find_array(leaf, "accounts");
    std::size_t in = 0;
    for (const auto& account : accounts ? *accounts : json::array{})
      if (const auto* read = find(account, "in"); read && *read == Json(true)) ++in;
    return fmt::format("{}: {} read, {} left out", text("source"), count_of(in, "account", "accounts"),
                       accounts ? accounts->size() - in : 0);
  }
  if (kind == "catalog") return "catalogue " + text("catalog").substr(0, 12) + ", models " + text("models").substr(0, 12);
  return {};
}

Result<> print_hashes(const Common& common, const Reader& log, std::string_view kind, json::object facts,
                      const std::vector<Digest>& hashes) {
  const auto format = TRY(parse_format(common.format.value_or("table")));
  json::array list;
  for (const auto& hash : hashes) list.push_back(json::string(to_base64(hash.bytes)));
  if (format == Format::json) {
    json::object out{{"proof", kind}};
    for (auto& [key, value] : facts) out[key] = value;
    out["hashes"] = std::move(list);
    print_json(log.checkpoint(), TRY(is_simulated(log)), std::move(out));
  } else {
    for (const auto& hash : list) fmt::print("{}\n", std::string_view{hash.get_string()});
  }
  return {};
}

}  // namespace

Result<Exit> run_log_show(const Common& common, const LogOptions& options) {
  const auto home = TRY(require_home(common.home));
  if (options.blob) {
    const auto digest = parse_digest(*options.blob);
    if (!digest) return fail(Errc::usage, "--blob: {}", digest.error().message);
    const auto bytes = TRY(TRY(Blobs::open(home.path)).get(*digest));
    std::fwrite(bytes.data(), 1, bytes.size(), stdout);
    return Exit::ok;
  }
  const auto log = TRY(Reader::open(home.path));
  const auto format = TRY(parse_format(common.format.value_or("table")));
  json::array leaves;
  Grid grid{{{"leaf", true}, {"kind"}, {"when"}, {"what"}}, {}};
  const auto add = [&](LeafIndex at, std::string_view entry) -> Result<> {
    auto leaf = entry_json(entry);
    const auto* kind = find_string(leaf, "kind");
    const std::string_view dated = !kind ? "ended" : *kind == "events" ? "received" : *kind == "scope" ? "at" : "ended";
    const auto* when = find_string(leaf, dated);
    grid.rows.push_back({std::to_string(at.value), kind ? std::string{*kind} : "?", when ? std::string{*when} : "", one_line(leaf)});
    if (format == Format::json || !options.leaves.empty()) leaves.push_back({{"index", at.value}, {"leaf", std::move(leaf)}});
    return {};
  };
  if (options.leaves.empty())
    TRY(log.for_each(LeafIndex{0}, log.checkpoint().size, add));
  else
    for (const auto index : options.leaves) TRY(add(LeafIndex{index}, TRY(log.entry(LeafIndex{index}))));
  const auto simulated = TRY(is_simulated(log));
  if (format != Format::json) warn_of_simulation(simulated);
  if (format == Format::json)
    print_json(log.checkpoint(), simulated, {{"leaves", std::move(leaves)}});
  else if (!options.leaves.empty())
    for (const auto& leaf : leaves) fmt::print("leaf {}\n{}\n", leaf.at("index").to_number<std::uint64_t>(), pretty(leaf.at("leaf")));
  else
    fmt::print("{}", render(grid, format));
  return Exit::ok;
}

Result<Exit> run_log_proof(const Common& common, const LogOptions& options) {
  const auto home = TRY(require_home(common.home));
  const auto log = TRY(Reader::open(home.path));
  const auto size = TreeSize{options.size.value_or(log.checkpoint().size.value)};
  if (options.older) {
    const auto hashes = TRY(log.consistency_proof(TreeSize{*options.older}, size));
    TRY(print_hashes(common, log, "consistency", {{"older", *options.older}, {"size", size.value}}, hashes));
  } else {
    if (options.leaves.size() != 1) return fail(Errc::usage, "name one leaf with --leaf, or a smaller tree with --older");
    const auto hashes = TRY(log.inclusion_proof(LeafIndex{options.leaves[0]}, size));
    TRY(print_hashes(common, log, "inclusion", {{"leaf", options.leaves[0]}, {"size", size.value}}, hashes));
  }
  return Exit::ok;
}

Result<Exit> run_log_checkpoint(const Common& common) {
  const auto home = TRY(require_home(common.home));
  const auto log = TRY(Reader::open(home.path));
  if (TRY(parse_format(common.format.value_or("table"))) == Format::json)
    print_json(log.checkpoint(), TRY(is_simulated(log)),
               {{"origin", log.checkpoint().origin}, {"key", TRY(home.verifier_key())}, {"note", log.checkpoint().note}});
  else
    fmt::print("{}", log.checkpoint().note);
  return Exit::ok;
}

Result<Exit> run_log_export(const Common& common, const LogOptions& options) {
  const auto home = TRY(require_home(common.home));
  const auto log = TRY(Reader::open(home.path));
  std::vector<LeafIndex> leaves;
  for (const auto index : options.leaves) leaves.push_back(LeafIndex{index});
  const auto bytes = TRY(export_leaves(log, leaves));
  TRY(write_file(*options.file, bytes));
  fmt::print(stderr, "wrote {} with {} to `{}`; check it anywhere with\n  vouch verify --proof {} --key '{}'\n",
             count_of(leaves.size(), "leaf", "leaves"), leaves.size() == 1 ? "its proof" : "their proofs", *options.file, *options.file,
             TRY(home.verifier_key()));
  return Exit::ok;
}

namespace {

Result<Exit> verify_proof(const Common& common, const VerifyOptions& options) {
  if (!options.key)
    return fail(Errc::usage, "--proof needs --key: the ledger's public key, as `vouch log checkpoint --format json` prints it");
  auto key_text = *options.key;
  if (fs::exists(key_text)) key_text = TRY(read_file(key_text, 4096));  // a file that holds it will do
  while (key_text.ends_with('\n')) key_text.pop_back();
  const auto key = Verifier::parse(key_text);
  if (!key) return fail(Errc::usage, "--key: {}", key.error().message);
  const auto proved = verify_proof_file(TRY(read_file(*options.proof)), *key);
  if (!proved) return fail(Errc::corrupt, "`{}`: {}", *options.proof, proved.error().message);
  const bool simulated =
      std::any_of(proved->leaves.begin(), proved->leaves.end(), [](const auto& leaf) { return says_simulated(leaf.entry); });
  if (TRY(parse_format(common.format.value_or("table"))) == Format::json) {
    json::array leaves;
    for (const auto& leaf : proved->leaves) leaves.push_back({{"index", leaf.index.value}, {"leaf", entry_json(leaf.entry)}});
    print_json(proved->checkpoint, simulated, {{"leaves", std::move(leaves)}});
    return Exit::ok;
  }
  for (const auto& leaf : proved->leaves) fmt::print("leaf {}\n{}\n", leaf.index.value, pretty(entry_json(leaf.entry)));
  fmt::print("{} in the ledger `{}` of size {}, signed by the given key\n",
             count_of(proved->leaves.size(), "entry stands", "entries stand"), proved->checkpoint.origin, proved->checkpoint.size.value);
  warn_of_simulation(simulated);
  return Exit::ok;
}

}  // namespace

Result<Exit> run_verify(const Common& common, const VerifyOptions& options) {
  if (options.proof) return verify_proof(common, options);
  if (options.key) return fail(Errc::usage, "--key goes with --proof");
  const auto home = TRY(require_home(common.home));
  // A home whose files are missing is as broken as one whose bytes were changed.
  const auto broken = [](Error error) {
    if (error.code == Errc::not_found) error.code = Errc::corrupt;
    return std::unexpected(std::move(error));
  };
  const auto verified = verify_home(home.path);
  if (!verified) return broken(verified.error());
  if (auto whole = verify_evidence(home.path); !whole) return broken(std::move(whole).error());
  const auto& done = *verified;
  const auto simulated = TRY(is_simulated(TRY(Reader::open(home.path))));
  const auto rate = [](std::uint64_t bytes, double seconds) { return seconds > 0 ? static_cast<double>(bytes) / 1e6 / seconds : 0.0; };
  if (TRY(parse_format(common.format.value_or("table"))) == Format::json) {
    print_json(done.checkpoint, simulated,
               {{"verified", true},
                {"leaves", done.leaves},
                {"tiles", done.tiles},
                {"bundles", done.bundles},
                {"packs", done.packs},
                {"blobs", done.blobs},
                {"log_bytes", done.log_bytes},
                {"pack_bytes", done.pack_bytes},
                {"blob_bytes", done.blob_bytes},
                {"seconds", done.seconds}});
    return Exit::ok;
  }
  fmt::print("{}\n", paint("every byte is what was written, and nothing is missing", Tone::good));
  fmt::print("  ledger `{}`: {} leaves, {} tiles, {} bundles, {:.1f} MB at {:.0f} MB/s\n", done.checkpoint.origin, grouped(done.leaves),
             grouped(done.tiles), grouped(done.bundles), static_cast<double>(done.log_bytes) / 1e6, rate(done.log_bytes, done.log_seconds));
  fmt::print("  evidence: {} blobs in {} packs, {:.1f} MB ({:.1f} MB stored) at {:.0f} MB/s\n", grouped(done.blobs), grouped(done.packs),
             static_cast<double>(done.blob_bytes) / 1e6, static_cast<double>(done.pack_bytes) / 1e6,
             rate(done.blob_bytes, done.blob_seconds));
  fmt::print("  checkpoint: size {}, root {}, signature good, {:.2f} s\n", done.checkpoint.size.value,
             to_base64(done.checkpoint.root.bytes), done.seconds);
  warn_of_simulation(simulated);
  return Exit::ok;
}

}  // namespace vouch::cli
