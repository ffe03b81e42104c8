#include "ledger/blobs.h"

#include "ledger/pack.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <cstdlib>

namespace vouch {
namespace {

class Store {
 public:
  Store() { fs::create_directories(home() / "blobs"); }
  [[nodiscard]] fs::path home() const { return directory_.path(); }
  [[nodiscard]] std::vector<fs::path> everything() const {
    std::vector<fs::path> files;
    for (const auto& file : fs::recursive_directory_iterator{home()})
      if (file.is_regular_file()) files.push_back(file.path());
    return files;
  }

 private:
  TemporaryDirectory directory_;
};

std::string noise(std::size_t bytes, unsigned seed) {
  std::string text(bytes, '\0');
  std::uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;
  for (auto& c : text) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    c = static_cast<char>(state >> 56);
  }
  return text;
}

TEST(Blobs, AreThereOnceTheirPackIsFinishedAndNotBefore) {
  const Store store;
  const auto blobs = Blobs::open(store.home()).value();
  auto writer = PackWriter::start(store.home()).value();
  const auto digest = writer.add("a body").value();
  EXPECT_EQ(digest, sha256(std::string_view{"a body"}));
  EXPECT_TRUE(writer.has(digest));
  EXPECT_FALSE(blobs.has(digest));
  EXPECT_EQ(blobs.get(digest).error().code, Errc::not_found);
  EXPECT_TRUE(fs::is_empty(store.home() / "blobs"));
  ASSERT_TRUE(writer.finish());
  EXPECT_EQ(store.everything(), std::vector{store.home() / "blobs" / "000000000000.pack"});
  EXPECT_TRUE(blobs.has(digest));
  EXPECT_EQ(blobs.get(digest).value(), "a body");
  EXPECT_EQ(blobs.size_of(digest).value(), 6u);
}

TEST(Blobs, AreStoredOnce) {
  const Store store;
  auto first = PackWriter::start(store.home()).value();
  ASSERT_TRUE(first.add("one"));
  ASSERT_TRUE(first.add("one"));
  EXPECT_EQ(first.blobs(), 1u);
  ASSERT_TRUE(first.finish());
  auto second = PackWriter::start(store.home()).value();
  ASSERT_TRUE(second.add("one"));
  EXPECT_EQ(second.blobs(), 0u);
  ASSERT_TRUE(second.finish());
  EXPECT_EQ(packs_in(store.home()).size(), 1u);
}

TEST(Blobs, LeaveNothingBehindWithoutFinish) {
  const Store store;
  {
    auto writer = PackWriter::start(store.home()).value();
    ASSERT_TRUE(writer.add(noise(3'000'000, 1)));
    EXPECT_EQ(store.everything().size(), 1u);
  }
  EXPECT_TRUE(store.everything().empty());
  ASSERT_TRUE(PackWriter::start(store.home())->finish());
  EXPECT_TRUE(store.everything().empty());
}

TEST(Blobs, OfADeadWriterAreClearedAwayAndThoseOfALivingOneAreNot) {
  const Store store;
  ASSERT_TRUE(write_file(store.home() / "pack.tmp-0123456789abcdef", "left over"));
  auto living = PackWriter::start(store.home()).value();
  ASSERT_TRUE(living.add(noise(3'000'000, 1)));
  EXPECT_EQ(store.everything().size(), 1u);
  auto other = PackWriter::start(store.home()).value();
  ASSERT_TRUE(other.add("something"));
  ASSERT_TRUE(other.finish());
  ASSERT_TRUE(living.finish());
  EXPECT_EQ(store.everything().size(), 2u);
}

TEST(Blobs, NeedLittleMoreThanTheirBytesInASmallPack) {
  const Store store;
  auto writer = PackWriter::start(store.home()).value();
  std::size_t bytes = 0;
  for (unsigned i = 0; i < 3; ++i) {
    ASSERT_TRUE(writer.add(noise(500, i)));
    bytes += 500;
  }
  ASSERT_TRUE(writer.finish());
  EXPECT_LT(fs::file_size(packs_in(store.home())[0]), bytes + 300);
}

TEST(Blobs, OfAllSizesComeBackAndUnpackToTheirConcatenation) {
  const Store store;
  auto writer = PackWriter::start(store.home()).value();
  std::string concatenation;
  std::vector<Digest> digests;
  std::vector<std::string> texts;
  for (const std::size_t size : {0u, 1u, 1000u, 700'000u, 700'000u, 1'048'576u, 1'048'577u, 5'000'000u, 10u}) {
    texts.push_back(noise(size, static_cast<unsigned>(texts.size())));
    digests.push_back(writer.add(texts.back()).value());
    concatenation += texts.back();
  }
  // One that is told in pieces.
  const auto large = noise(3'000'000, 99);
  std::size_t at = 0;
  const auto streamed = writer.add(
      [&]() -> Result<std::string_view> {
        const auto piece = std::string_view{large}.substr(at, 100'000);
        at += piece.size();
        return piece;
      },
      [&]() -> Result<> {
        at = 0;
        return {};
      });
  EXPECT_EQ(streamed.value(), sha256(large));
  concatenation += large;
  ASSERT_TRUE(writer.finish());

  const auto blobs = Blobs::open(store.home()).value();
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto got = blobs.get(digests[i]);
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_TRUE(*got == texts[i]);
  }
  EXPECT_TRUE(blobs.get(*streamed).value() == large);

  const auto pack = packs_in(store.home())[0];
  const auto unpacked = store.home() / "unpacked";
  ASSERT_EQ(std::system(fmt::format("zstd -q -d -c '{}' > '{}'", pack.string(), unpacked.string()).c_str()), 0);
  EXPECT_TRUE(read_file(unpacked).value() == concatenation);
}

TEST(Blobs, NameThePackThatIsBroken) {
  const Store store;
  auto writer = PackWriter::start(store.home()).value();
  const auto text = noise(1000, 1);
  const auto digest = writer.add(text).value();
  ASSERT_TRUE(writer.finish());
  const auto path = packs_in(store.home())[0];
  const auto good = read_file(path).value();
  for (std::size_t at = 0; at < good.size(); ++at) {
    auto broken = good;
    broken[at] = static_cast<char>(broken[at] ^ (1 << (at % 8)));
    ASSERT_TRUE(write_file(path, broken, Sync::no));
    const auto pack = Pack::open(path);
    const auto sound = pack && pack->check_seal() && [&] {
      for (const auto& frame : frames_of(pack->entries(), pack->data_end()))
        if (!pack->check_frame(frame)) return false;
      return true;
    }();
    EXPECT_FALSE(sound) << "byte " << at;
    // What `get` returns is right or an error, whatever was flipped.
    const auto got = Blobs::open(store.home())->get(digest);
    if (got) {
      EXPECT_TRUE(*got == text) << "byte " << at;
    } else if (got.error().code == Errc::corrupt) {
      EXPECT_NE(got.error().message.find(path.string()), std::string::npos);
      EXPECT_NE(got.error().message.find("offset"), std::string::npos);
    }
  }
}

TEST(Blobs, AreFoundAmongThousandsOfPacks) {
  const Store store;
  std::vector<Digest> digests;
  for (int i = 0; i < 300; ++i) {
    auto writer = PackWriter::start(store.home()).value();
    digests.push_back(writer.add(fmt::format("run {}", i)).value());
    ASSERT_TRUE(writer.finish());
  }
  const auto blobs = Blobs::open(store.home()).value();
  for (int i = 299; i >= 0; i -= 13) EXPECT_EQ(blobs.get(digests[static_cast<std::size_t>(i)]).value(), fmt::format("run {}", i));
}

RC_GTEST_PROP(Blobs, IndexReadsBackAndRefusesEveryOther, ()) {
  std::vector<PackEntry> entries;
  std::uint64_t frame = 0;
  for (const auto size : *rc::gen::nonEmpty(rc::gen::container<std::vector<std::uint8_t>>(rc::gen::arbitrary<std::uint8_t>()))) {
    const bool same = !entries.empty() && size % 2 == 0;
    if (!entries.empty() && !same) frame += 1 + size;
    entries.push_back({sha256(std::to_string(entries.size())), frame, same ? entries.back().offset + entries.back().length : 0, size});
  }
  const auto index = encode_index(entries);
  RC_ASSERT(parse_index(index, frame + 1).value() == entries);
  const auto seal = encode_seal(sha256(index));
  const auto whole = index + seal;
  RC_ASSERT(index_bytes(std::string_view{whole}.substr(whole.size() - pack_tail_bytes), whole.size()).value() == index.size());
  RC_ASSERT(!parse_index(index, frame));
  RC_ASSERT(!parse_index(index.substr(0, index.size() - 1), frame + 1));
  RC_ASSERT(!parse_index(index + "x", frame + 1));
}

}  // namespace
}  // namespace vouch
