#include "ledger/note.h"
#include "ledger/checkpoint.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace vouch {
namespace {

// The published vectors: seeds 00..1f for the log, 20..3f for the witness.
constexpr std::string_view log_vkey = "vouch.example/ledger+a5e5c274+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
constexpr std::string_view witness_vkey = "witness.example/w1+20324abe+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X";
constexpr std::string_view log_line =
    "— vouch.example/ledger peXCdCBomPTTVK1ZTQJfwgVLIyi424T8xhuTEzVwyVp7zU1gFwH/4SrBJVA7mznA5zg76pw7nXiqyZZ98TM34KdSqwo=\n";
constexpr std::string_view witness_line =
    "— witness.example/w1 IDJKvgAAAABlU/EAZHEMUGGmHGtyZJzUyaBG/dwzFLgjaR7V1GLLSxHR5DCzBy4pALQLNX9HM2EwQ4+D2wLEE8Zu+fFjtPMfTqvCBw==\n";
constexpr std::string_view text = "vouch.example/ledger\n3\nn1+moisbqe5GptvhB0hFJJTS/9A75BI2/6K1d8LBmvM=\n";

std::string vector_note() { return fmt::format("{}\n{}{}", text, log_line, witness_line); }

Signer log_signer() {
  std::array<std::uint8_t, 32> seed{};
  for (std::uint8_t i = 0; i < 32; ++i) seed[i] = i;
  return Signer::from_seed("vouch.example/ledger", seed).value();
}
Verifier log_verifier() { return Verifier::parse(log_vkey).value(); }
Verifier witness() { return Verifier::parse(witness_vkey).value(); }

TEST(Note, HasTheKeysOfThePublishedVectors) {
  const auto signer = log_signer();
  EXPECT_EQ(signer.verifier().to_text(), log_vkey);
  EXPECT_EQ(signer.verifier().id(), 0xa5e5c274u);
  EXPECT_EQ(log_verifier().to_text(), log_vkey);
  EXPECT_EQ(witness().to_text(), witness_vkey);
  EXPECT_EQ(witness().type(), KeyType::cosignature);
  EXPECT_EQ(Signer::parse(signer.to_text()).value().verifier().to_text(), log_vkey);
  EXPECT_TRUE(signer.to_text().starts_with("PRIVATE+KEY+vouch.example/ledger+a5e5c274+AQABAgME"));
}

TEST(Checkpoint, IsThePublishedVectorByteForByte) {
  const auto note = vector_note();
  ASSERT_EQ(note.size(), 315u);
  ASSERT_EQ(to_hex(sha256(note)), "d146f4e12a24562b3c778586dea0469db45e1ca181868bbd914ad2f2a28ae4ba");
  const auto root = parse_digest("9f5fa6a22b1ba9ee46a6dbe10748452494d2ffd03be41236ffa2b577c2c19af3").value();
  EXPECT_EQ(sign_checkpoint("vouch.example/ledger", {3}, root, log_signer()).value().note, fmt::format("{}\n{}", text, log_line));

  const auto parsed = parse_checkpoint(note, log_verifier(), std::vector{witness()});
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->origin, "vouch.example/ledger");
  EXPECT_EQ(parsed->size.value, 3u);
  EXPECT_EQ(parsed->root, root);
  EXPECT_EQ(parsed->note, note);
}

TEST(Note, ToleratesUnknownCosignersAndChecksKnownOnes) {
  const std::vector both{log_verifier(), witness()};
  const auto opened = open_note(vector_note(), both).value();
  ASSERT_EQ(opened.verified.size(), 2u);
  EXPECT_EQ(opened.verified[1].time, 1'700'000'000u);
  const auto alone = open_note(vector_note(), std::vector{log_verifier()}).value();
  EXPECT_EQ(alone.verified.size(), 1u);
  EXPECT_EQ(alone.unverified.size(), 1u);

  auto broken = vector_note();
  broken[broken.size() - 10] = broken[broken.size() - 10] == 'A' ? 'B' : 'A';
  EXPECT_TRUE(parse_checkpoint(broken, log_verifier()));
  EXPECT_EQ(parse_checkpoint(broken, log_verifier(), std::vector{witness()}).error().code, Errc::corrupt);
  // A witness alone does not speak for the log.
  EXPECT_EQ(parse_checkpoint(fmt::format("{}\n{}", text, witness_line), log_verifier(), std::vector{witness()}).error().code,
            Errc::corrupt);
}

TEST(Note, RefusesWhatIsNotExactlyANote) {
  const std::vector known{log_verifier()};
  const auto good = fmt::format("{}\n{}", text, log_line);
  ASSERT_TRUE(open_note(good, known));
  const auto replaced = [&](std::string_view from, std::string_view to) {
    auto note = good;
    note.replace(note.find(from), from.size(), to);
    return note;
  };
  const std::vector<std::pair<std::string_view, std::string>> wrong = {
      {"no blank line", fmt::format("{}{}", text, log_line)},
      {"no signature", fmt::format("{}\n", text)},
      {"no final line feed", good.substr(0, good.size() - 1)},
      {"CRLF", replaced("\n3\n", "\r\n3\r\n")},
      {"hyphen", replaced("—", "-")},
      {"no space", replaced("— v", "—v")},
      {"two spaces", replaced("ledger peXC", "ledger  peXC")},
      {"unpadded base64", replaced("wo=\n", "wo\n")},
      {"bits behind the last byte", replaced("wo=\n", "wp=\n")},
      {"key name of another", replaced("— vouch.example/ledger", "— vouch.example/ledges")},
      {"key id of another", replaced("peXC", "peXD")},
      {"control character", replaced("\n3\n", "\n3\t\n")},
      {"not UTF-8", replaced("\n3\n", "\n3\xff\n")},
      {"overlong UTF-8", replaced("\n3\n", "\n3\xc0\x80\n")},
      {"signed twice", good + std::string{log_line}},
      {"more behind", good + "\n"},
      {"too many signatures",
       [&] {
         auto note = good;
         for (int i = 0; i < 100; ++i) note += fmt::format("— w{} {}\n", i, to_base64(Bytes(68)));
         return note;
       }()},
  };
  for (const auto& [what, note] : wrong) EXPECT_FALSE(open_note(note, known)) << what;
}

TEST(Note, AcceptsManyForeignSignaturesAndTextsWithBlankLines) {
  const auto signer = log_signer();
  auto note = sign_note("one\n\nthree\n", signer).value();
  for (int i = 0; i < 40; ++i) note += fmt::format("— w{} {}\n", i, to_base64(Bytes(68)));
  const auto opened = open_note(note, std::vector{log_verifier()});
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(opened->text, "one\n\nthree\n");
  EXPECT_EQ(opened->unverified.size(), 40u);
  EXPECT_FALSE(sign_note("no line feed", signer));
  EXPECT_FALSE(sign_note("tab\t\n", signer));
}

TEST(Checkpoint, RefusesTextsThatAreNotExactlyACheckpoint) {
  const auto signer = log_signer();
  const std::string root = "n1+moisbqe5GptvhB0hFJJTS/9A75BI2/6K1d8LBmvM=";
  const auto parse = [&](std::string_view wanted) { return parse_checkpoint(sign_note(wanted, signer).value(), log_verifier()); };
  EXPECT_TRUE(parse(fmt::format("vouch.example/ledger\n3\n{}\n", root)));
  EXPECT_TRUE(parse(fmt::format("vouch.example/ledger\n3\n{}\nan extension\n", root)));
  EXPECT_FALSE(parse(fmt::format("vouch.example/ledger\n03\n{}\n", root)));
  EXPECT_FALSE(parse(fmt::format("vouch.example/ledger\n+3\n{}\n", root)));
  EXPECT_FALSE(parse(fmt::format("vouch.example/ledger\n3 \n{}\n", root)));
  EXPECT_FALSE(parse(fmt::format("vouch.example/ledger\n18446744073709551616\n{}\n", root)));
  EXPECT_FALSE(parse(fmt::format("vouch.example/other\n3\n{}\n", root)));
  EXPECT_FALSE(parse("vouch.example/ledger\n3\n"));
  EXPECT_FALSE(parse("vouch.example/ledger\n3\nAAAA\n"));
  EXPECT_FALSE(parse(fmt::format("vouch.example/ledger\n3\n{}\n\nafter an empty line\n", root)));
}

TEST(Note, RefusesKeysThatDoNotFitTheirId) {
  for (const std::string_view vkey :
       {"", "name", "name+a5e5c274", "vouch.example/ledger+a5e5c275+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
        "vouch.example/ledger+A5E5C274+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
        "+a5e5c274+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
        "vouch.example/ledges+a5e5c274+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", "vouch.example/ledger+a5e5c274+AQ=="})
    EXPECT_FALSE(Verifier::parse(vkey)) << vkey;
  EXPECT_FALSE(Signer::generate("white space"));
  EXPECT_FALSE(Signer::generate("pl+us"));
  EXPECT_FALSE(Signer::parse(log_vkey));
}

RC_GTEST_PROP(Note, NoFlippedBitSurvives, ()) {
  const auto good = fmt::format("{}\n{}", text, log_line);
  auto broken = good;
  const auto at = *rc::gen::inRange<std::size_t>(0, good.size());
  broken[at] = static_cast<char>(broken[at] ^ (1 << *rc::gen::inRange(0, 8)));
  RC_ASSERT(!parse_checkpoint(broken, log_verifier()));
}

}  // namespace
}  // namespace vouch
