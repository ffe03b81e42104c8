#include "ledger/proof_file.h"

#include "ledger/append.h"
#include "ledger/create.h"
#include "ledger/read.h"

#include <gtest/gtest.h>

namespace vouch {
namespace {

constexpr std::string_view log_vkey = "vouch.example/ledger+a5e5c274+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
constexpr std::string_view checkpoint_note =
    "vouch.example/ledger\n3\nn1+moisbqe5GptvhB0hFJJTS/9A75BI2/6K1d8LBmvM=\n\n"
    "— vouch.example/ledger peXCdCBomPTTVK1ZTQJfwgVLIyi424T8xhuTEzVwyVp7zU1gFwH/4SrBJVA7mznA5zg76pw7nXiqyZZ98TM34KdSqwo=\n"
    "— witness.example/w1 IDJKvgAAAABlU/EAZHEMUGGmHGtyZJzUyaBG/dwzFLgjaR7V1GLLSxHR5DCzBy4pALQLNX9HM2EwQ4+D2wLEE8Zu+fFjtPMfTqvCBw==\n";

Proof vector_proof() {
  return {std::nullopt,
          {2},
          {parse_digest("1811394351c3ba9617311ceade928bafa0f1af414643cc382f5acd3dbed4c7ad").value()},
          std::string{checkpoint_note}};
}

TEST(ProofFile, IsThePublishedVectorByteForByte) {
  const auto file = encode_proof(vector_proof());
  EXPECT_EQ(file.size(), 392u);
  EXPECT_EQ(to_hex(sha256(file)), "09453937cf1569b4eff5c49d561a13f9ea8f119d56ff065a42716320656379d2");
  EXPECT_EQ(parse_proofs(file).value(), std::vector{vector_proof()});
}

TEST(ProofFile, ProvesTheEntryThatItCarries) {
  const auto key = Verifier::parse(log_vkey).value();
  auto proof = vector_proof();
  proof.extra = "vouch-2";
  const auto proved = verify_proof_file(encode_proof(proof), key);
  ASSERT_TRUE(proved) << proved.error().message;
  EXPECT_EQ(proved->leaves.at(0).entry, "vouch-2");
  EXPECT_EQ(proved->leaves.at(0).index.value, 2u);
  EXPECT_EQ(proved->checkpoint.size.value, 3u);

  const auto refused = [&](const std::function<void(Proof&)>& change) {
    auto changed = proof;
    change(changed);
    return !verify_proof_file(encode_proof(changed), key);
  };
  EXPECT_TRUE(refused([](Proof& p) { p.extra = "vouch-3"; }));
  EXPECT_TRUE(refused([](Proof& p) { p.extra.reset(); }));
  EXPECT_TRUE(refused([](Proof& p) { p.index.value = 1; }));
  EXPECT_TRUE(refused([](Proof& p) { p.index.value = 3; }));
  EXPECT_TRUE(refused([](Proof& p) { p.hashes.clear(); }));
  EXPECT_TRUE(refused([](Proof& p) { p.hashes.push_back(p.hashes[0]); }));
  EXPECT_TRUE(refused([](Proof& p) { p.hashes[0].bytes[31] ^= 1; }));
  EXPECT_TRUE(refused([](Proof& p) { p.note[p.note.find("3\n")] = '4'; }));
}

TEST(ProofFile, ExportsOneLeafOrSeveralForWhoHasOnlyTheKey) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(create_log(directory.path(), "vouch.example/ledger"));
  std::vector<std::string> entries;
  for (int i = 0; i < 700; ++i) entries.push_back(fmt::format("vouch-{}\n{}", i, std::string(static_cast<std::size_t>(i), '\0')));
  ASSERT_TRUE(Appender::open(directory.path())->append(entries));
  const auto reader = Reader::open(directory.path()).value();
  const std::vector<LeafIndex> wanted{{699}, {0}, {255}, {256}};
  const auto file = export_leaves(reader, wanted).value();
  const auto proved = verify_proof_file(file, reader.key());
  ASSERT_TRUE(proved) << proved.error().message;
  ASSERT_EQ(proved->leaves.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(proved->leaves[i].index, wanted[i]);
    EXPECT_EQ(proved->leaves[i].entry, entries[wanted[i].value]);
  }
  // Files can be joined, but not the same leaf twice.
  const auto one = export_leaves(reader, std::vector<LeafIndex>{{7}}).value();
  EXPECT_EQ(verify_proof_file(file + one, reader.key()).value().leaves.size(), 5u);
  EXPECT_FALSE(verify_proof_file(one + one, reader.key()));
  EXPECT_FALSE(verify_proof_file(one, Verifier::parse(log_vkey).value()));
  EXPECT_FALSE(verify_proof_file("", reader.key()));

  EXPECT_EQ(export_leaves(reader, std::vector<LeafIndex>{{700}}).error().code, Errc::usage);
  EXPECT_EQ(export_leaves(reader, std::vector<LeafIndex>{}).error().code, Errc::usage);
  EXPECT_EQ(export_leaves(reader, std::vector<LeafIndex>{{1}, {1}}).error().code, Errc::usage);

  for (std::size_t at = 0; at < one.size(); ++at) {
    auto broken = one;
    broken[at] = static_cast<char>(broken[at] ^ (1 << (at % 8)));
    EXPECT_FALSE(verify_proof_file(broken, reader.key())) << "byte " << at;
  }
  for (std::size_t n = 0; n < one.size(); ++n) EXPECT_FALSE(verify_proof_file(one.substr(0, n), reader.key())) << n << " bytes";
}

}  // namespace
}  // namespace vouch
