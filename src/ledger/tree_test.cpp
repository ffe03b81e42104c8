#include "ledger/tree.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <bit>

namespace vouch {
namespace {

Digest hash(std::string_view hex) { return parse_digest(hex).value(); }

const Digest leaf0 = hash("da40c384727c8dce1859a1ce158c2e3f0dec4ef587ce356dba660833f9d48083");
const Digest leaf1 = hash("e2e641bb36bbc9a31bc9b59c81fc309c94723b432423e64ed35aa8f7eadca822");
const Digest leaf2 = hash("d99993fff875d54879d46792536a4db59e603a316b08d27741156be637f16ce7");
const Digest root2 = hash("1811394351c3ba9617311ceade928bafa0f1af414643cc382f5acd3dbed4c7ad");
const Digest root3 = hash("9f5fa6a22b1ba9ee46a6dbe10748452494d2ffd03be41236ffa2b577c2c19af3");
const Digest root7 = hash("d57cd1daf82f74ad7954f64868485a2135b83df1e350392737ada03b86b434db");

// The definitions of RFC 6962, word for word: slow, and the judge of the rest.
Digest mth(std::span<const Digest> leaves) {
  if (leaves.empty()) return sha256(std::string_view{});
  if (leaves.size() == 1) return leaves[0];
  std::size_t k = 1;
  while (k * 2 < leaves.size()) k *= 2;
  return node_hash(mth(leaves.first(k)), mth(leaves.subspan(k)));
}

std::vector<Digest> leaves_of(std::size_t n) {
  std::vector<Digest> leaves;
  for (std::size_t i = 0; i < n; ++i) leaves.push_back(leaf_hash(fmt::format("vouch-{}", i)));
  return leaves;
}

NodeSource nodes_of(const std::vector<Digest>& leaves) {
  return [&leaves](NodeCoord node) -> Result<Digest> {
    const auto width = std::size_t{1} << node.level;
    return mth(std::span{leaves}.subspan(node.index * width, width));
  };
}

TEST(Tree, HasTheHashesOfThePublishedVectors) {
  EXPECT_EQ(to_hex(empty_root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(leaf_hash("")), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
  const auto leaves = leaves_of(7);
  EXPECT_EQ(leaves[0], leaf0);
  EXPECT_EQ(leaves[1], leaf1);
  EXPECT_EQ(leaves[2], leaf2);
  EXPECT_EQ(node_hash(leaf0, leaf1), root2);
  RightEdge edge;
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    edge.add(leaves[i]);
    if (i == 2) {
      EXPECT_EQ(edge.root(), root3);
    }
  }
  EXPECT_EQ(edge.root(), root7);
  EXPECT_EQ(root_of({7}, nodes_of(leaves)).value(), root7);
}

TEST(Tree, HasTheProofsOfThePublishedVectors) {
  const auto leaves = leaves_of(7);
  const auto nodes = nodes_of(leaves);
  EXPECT_EQ(inclusion_proof({0}, {3}, nodes).value(), (std::vector{leaf1, leaf2}));
  EXPECT_EQ(inclusion_proof({2}, {3}, nodes).value(), (std::vector{root2}));
  EXPECT_EQ(inclusion_proof({5}, {7}, nodes).value(),
            (std::vector{hash("f703504aad17db3879a5b6fbde9a58f8b3cf95d46faad991c32dc0fa39bd2370"),
                         hash("c947e83f22d21cf41ea67872a384137c158f6f2f8e9f71a985a4d5b1b57740f6"),
                         hash("709eda7cd2a12db6f75928958848e12347a17e51ffb95385b30d5161e9936419")}));
  EXPECT_EQ(consistency_proof({1}, {3}, nodes).value(), (std::vector{leaf1, leaf2}));
  EXPECT_EQ(consistency_proof({2}, {3}, nodes).value(), (std::vector{leaf2}));
  EXPECT_EQ(consistency_proof({3}, {7}, nodes).value(),
            (std::vector{leaf2, hash("0c6ced5be2bc0343b59a60b88e45d4561e7522ac1e058d4e28338b94b939efb9"), root2,
                         hash("47bf6f1f008cb3a037cc6270e3109731fb805bfdbd87218e2f6962ea63f2f992")}));
  EXPECT_TRUE(consistency_proof({0}, {7}, nodes).value().empty());
  EXPECT_EQ(consistency_proof({8}, {7}, nodes).error().code, Errc::usage);
  EXPECT_EQ(inclusion_proof({7}, {7}, nodes).error().code, Errc::usage);
}

TEST(Tree, RefusesProofsThatAreShorterOrLongerOrOfAnotherLeaf) {
  const auto leaves = leaves_of(7);
  const auto proof = inclusion_proof({5}, {7}, nodes_of(leaves)).value();
  ASSERT_TRUE(verify_inclusion(leaves[5], {5}, {7}, proof, root7));
  EXPECT_FALSE(verify_inclusion(leaves[5], {4}, {7}, proof, root7));
  EXPECT_FALSE(verify_inclusion(leaves[5], {6}, {7}, proof, root7));
  EXPECT_FALSE(verify_inclusion(leaves[5], {7}, {7}, proof, root7));
  EXPECT_FALSE(verify_inclusion(leaves[4], {5}, {7}, proof, root7));
  EXPECT_FALSE(verify_inclusion(leaves[5], {5}, {7}, std::span{proof}.first(2), root7));
  auto longer = proof;
  longer.push_back(leaf0);
  EXPECT_FALSE(verify_inclusion(leaves[5], {5}, {7}, longer, root7));
}

TEST(Tree, RefusesTwoRootsForOneSize) {
  EXPECT_TRUE(verify_consistency({3}, {3}, {}, root3, root3));
  EXPECT_FALSE(verify_consistency({3}, {3}, {}, root3, root2));
  EXPECT_TRUE(verify_consistency({0}, {3}, {}, empty_root(), root3));
  EXPECT_FALSE(verify_consistency({0}, {3}, {}, root2, root3));
  EXPECT_FALSE(verify_consistency({3}, {2}, {}, root3, root2));
}

Digest flipped(Digest digest, unsigned bit) {
  digest.bytes[bit / 8 % 32] ^= static_cast<std::uint8_t>(1u << (bit % 8));
  return digest;
}

RC_GTEST_PROP(Tree, GrowsToTheRootOfItsDefinition, ()) {
  const auto n = *rc::gen::inRange<std::size_t>(0, 300);
  const auto leaves = leaves_of(n);
  RightEdge edge;
  for (const auto& leaf : leaves) edge.add(leaf);
  RC_ASSERT(edge.root() == mth(leaves));
  RC_ASSERT(edge.peaks().size() == static_cast<std::size_t>(std::popcount(n)));
}

RC_GTEST_PROP(Tree, InclusionProofsVerifyAndNoMutationDoes, ()) {
  const auto n = *rc::gen::inRange<std::size_t>(1, 200);
  const auto m = *rc::gen::inRange<std::size_t>(0, n);
  const auto leaves = leaves_of(n);
  const auto root = mth(leaves);
  auto proof = inclusion_proof({m}, {n}, nodes_of(leaves)).value();
  RC_ASSERT(verify_inclusion(leaves[m], {m}, {n}, proof, root).has_value());
  const auto bit = *rc::gen::inRange(0u, 256u);
  RC_ASSERT(!verify_inclusion(flipped(leaves[m], bit), {m}, {n}, proof, root));
  RC_ASSERT(!verify_inclusion(leaves[m], {m}, {n}, proof, flipped(root, bit)));
  const auto other = *rc::gen::inRange<std::size_t>(0, n + 3);
  if (other != m) RC_ASSERT(!verify_inclusion(leaves[m], {other}, {n}, proof, root));
  if (proof.empty()) return;
  const auto at = *rc::gen::inRange<std::size_t>(0, proof.size());
  proof[at] = flipped(proof[at], bit);
  RC_ASSERT(!verify_inclusion(leaves[m], {m}, {n}, proof, root));
  proof.erase(proof.begin() + static_cast<std::ptrdiff_t>(at));
  RC_ASSERT(!verify_inclusion(leaves[m], {m}, {n}, proof, root));
}

RC_GTEST_PROP(Tree, ConsistencyProofsVerifyAndNoMutationDoes, ()) {
  const auto n = *rc::gen::inRange<std::size_t>(1, 200);
  const auto m = *rc::gen::inRange<std::size_t>(1, n + 1);
  const auto leaves = leaves_of(n);
  const auto root = mth(leaves);
  const auto older = mth(std::span{leaves}.first(m));
  auto proof = consistency_proof({m}, {n}, nodes_of(leaves)).value();
  RC_ASSERT(verify_consistency({m}, {n}, proof, older, root).has_value());
  const auto bit = *rc::gen::inRange(0u, 256u);
  RC_ASSERT(!verify_consistency({m}, {n}, proof, flipped(older, bit), root));
  RC_ASSERT(!verify_consistency({m}, {n}, proof, older, flipped(root, bit)));
  proof.push_back(leaf0);
  RC_ASSERT(!verify_consistency({m}, {n}, proof, older, root));
  proof.pop_back();
  if (proof.empty()) return;
  const auto at = *rc::gen::inRange<std::size_t>(0, proof.size());
  proof[at] = flipped(proof[at], bit);
  RC_ASSERT(!verify_consistency({m}, {n}, proof, older, root));
  proof.erase(proof.begin() + static_cast<std::ptrdiff_t>(at));
  RC_ASSERT(!verify_consistency({m}, {n}, proof, older, root));
}

}  // namespace
}  // namespace vouch
