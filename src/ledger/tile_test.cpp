#include "ledger/tile.h"

#include "ledger/edge.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace vouch {
namespace {

TEST(Tile, HasOnePath) {
  const std::vector<std::pair<TileCoord, std::string>> table = {
      {{0, 0, 256}, "tile/0/000"},
      {{0, 5, 256}, "tile/0/005"},
      {{1, 999, 256}, "tile/1/999"},
      {{0, 1000, 256}, "tile/0/x001/000"},
      {{0, 1'234'067, 256}, "tile/0/x001/x234/067"},
      {{2, 70'000, 17}, "tile/2/x070/000.p/17"},
      {{63, 5, 255}, "tile/63/005.p/255"},
      {{7, std::numeric_limits<std::uint64_t>::max(), 1}, "tile/7/x018/x446/x744/x073/x709/x551/615.p/1"},
  };
  for (const auto& [tile, path] : table) {
    EXPECT_EQ(path_of(tile), path);
    EXPECT_EQ(parse_tile_path(path).value(), tile);
  }
  EXPECT_EQ(path_of(BundleCoord{0, 3}), "tile/entries/000.p/3");
  EXPECT_EQ(path_of(BundleCoord{1000, 256}), "tile/entries/x001/000");
}

TEST(Tile, RefusesPathsThatItWouldNotWrite) {
  for (const std::string_view path : {"",
                                      "tile",
                                      "tile/",
                                      "tile/0",
                                      "tile/0/",
                                      "tile/00/000",
                                      "tile/64/000",
                                      "tile/-1/000",
                                      "tile/0/00",
                                      "tile/0/0000",
                                      "tile/0/1000",
                                      "tile/0/001/000",
                                      "tile/0/x000/000",
                                      "tile/0/x01/000",
                                      "tile/0/x1/000",
                                      "tile/0/x001/x000",
                                      "tile/0/000.p/0",
                                      "tile/0/000.p/256",
                                      "tile/0/000.p/01",
                                      "tile/0/000.p/",
                                      "tile/0/000.p",
                                      "tile/0/000.p/+1",
                                      "tile/0/000.p/1/",
                                      "tile/0/000/",
                                      "tile/0//000",
                                      "/tile/0/000",
                                      "tile/0/000 ",
                                      "tile/0/abc",
                                      "tile/entries/000",
                                      "tile/0/x018/x446/x744/x073/x709/x551/616"})
    EXPECT_FALSE(parse_tile_path(path)) << path;
  EXPECT_FALSE(parse_bundle_path("tile/0/000"));
  EXPECT_FALSE(parse_bundle_path("tile/entries/000.p/256"));
}

TEST(Tile, CountsTheTilesOfASize) {
  EXPECT_EQ(partial_tiles({256}), (std::vector<TileCoord>{{1, 0, 1}}));
  EXPECT_EQ(full_tiles({256}, 0), 1u);
  EXPECT_EQ(full_tiles({70'000}, 0), 273u);
  EXPECT_EQ(full_tiles({70'000}, 1), 1u);
  EXPECT_EQ(partial_tiles({70'000}), (std::vector<TileCoord>{{0, 273, 112}, {1, 1, 17}, {2, 0, 1}}));
  EXPECT_TRUE(partial_tiles({0}).empty());
  EXPECT_EQ(tile_levels({~std::uint64_t{0}}), 8u);
}

TEST(Tile, HasTheBytesOfThePublishedVectors) {
  const std::vector<std::string> entries{"vouch-0", "vouch-1", "vouch-2"};
  EXPECT_EQ(to_hex(bytes_of(encode_bundle(entries).value())), "0007766f7563682d300007766f7563682d310007766f7563682d32");
  std::vector<Digest> hashes;
  for (const auto& entry : entries) hashes.push_back(leaf_hash(entry));
  const auto tile = encode_tile(hashes);
  EXPECT_EQ(tile.size(), 96u);
  EXPECT_EQ(to_hex(sha256(tile)), "7a5f258b5e6cb483eabb8d567d392ec5ab0512dfbca4f7f23e5ebef8f4235fe0");
  EXPECT_EQ(decode_tile(tile, 3).value(), hashes);
  EXPECT_FALSE(decode_tile(tile, 4));
  EXPECT_FALSE(decode_tile(tile.substr(1), 3));
}

TEST(Tile, RefusesBundlesThatAreShorterOrLonger) {
  const auto bundle = encode_bundle(std::vector<std::string>{"a", "", "bc"}).value();
  ASSERT_TRUE(decode_bundle(bundle, 3));
  EXPECT_FALSE(decode_bundle(bundle, 2));
  EXPECT_FALSE(decode_bundle(bundle, 4));
  for (std::size_t n = 0; n < bundle.size(); ++n) EXPECT_FALSE(decode_bundle(bundle.substr(0, n), 3));
  EXPECT_EQ(encode_bundle(std::vector<std::string>{std::string(65'536, 'x')}).error().code, Errc::limit);
}

RC_GTEST_PROP(Tile, ParsesEveryPathThatItWrites, ()) {
  const TileCoord tile{*rc::gen::inRange<std::uint8_t>(0, 64), *rc::gen::arbitrary<std::uint64_t>(),
                       *rc::gen::inRange<std::uint16_t>(1, 257)};
  RC_ASSERT(parse_tile_path(path_of(tile)).value() == tile);
  const BundleCoord bundle{*rc::gen::scale(0.01, rc::gen::arbitrary<std::uint64_t>()), tile.width};
  RC_ASSERT(parse_bundle_path(path_of(bundle)).value() == bundle);
}

RC_GTEST_PROP(Tile, DecodesEveryBundleThatItEncodes, ()) {
  const auto entries = *rc::gen::container<std::vector<std::string>>(rc::gen::arbitrary<std::string>());
  RC_PRE(entries.size() <= 256u);
  const auto bundle = encode_bundle(entries).value();
  const auto decoded = decode_bundle(bundle, static_cast<std::uint16_t>(entries.size())).value();
  RC_ASSERT(std::equal(entries.begin(), entries.end(), decoded.begin(), decoded.end()));
}

// However entries are cut into batches, the edge is that of the plain tree and the files are the same.
RC_GTEST_PROP(Edge, DoesNotDependOnHowEntriesAreBatched, ()) {
  const auto sizes = *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, 400));
  Edge edge;
  RightEdge plain;
  std::map<std::string, std::string> files;
  std::vector<std::string> all;
  const FullFiles full{[&](const BundleCoord& bundle, std::span<const std::string_view> pieces) -> Result<> {
                         for (const auto piece : pieces) files[path_of(bundle)] += piece;
                         return {};
                       },
                       [&](const TileCoord& tile, std::span<const Digest> hashes) -> Result<> {
                         files[path_of(tile)] = encode_tile(hashes);
                         return {};
                       }};
  for (const auto n : sizes) {
    std::vector<std::string> entries;
    for (std::size_t i = 0; i < n; ++i) entries.push_back(fmt::format("entry {}", all.size() + i));
    for (const auto& entry : entries) plain.add(leaf_hash(entry));
    RC_ASSERT(edge.grow(Batch::of(entries).value(), &full).has_value());
    all.insert(all.end(), entries.begin(), entries.end());
    RC_ASSERT(edge.root() == plain.root());
  }
  RC_ASSERT(edge.size().value == all.size());
  for (std::size_t i = 0; i + 256 <= all.size(); i += 256) {
    const auto part = std::span{all}.subspan(i, 256);
    RC_ASSERT(files.at(path_of(BundleCoord{i / 256, 256})) == encode_bundle(part).value());
    std::vector<Digest> hashes;
    for (const auto& entry : part) hashes.push_back(leaf_hash(entry));
    RC_ASSERT(files.at(path_of(TileCoord{0, i / 256, 256})) == encode_tile(hashes));
  }
  std::vector<std::vector<Digest>> tiles;
  for (std::uint8_t level = 0; level < edge.levels(); ++level) tiles.emplace_back(edge.tile(level).begin(), edge.tile(level).end());
  RC_ASSERT(Edge::make(edge.size(), tiles, edge.bundle()).value().root() == plain.root());
}

}  // namespace
}  // namespace vouch
