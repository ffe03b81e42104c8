#include "facts/reading.h"

#include "facts/replay.h"
#include "facts/test_ledger.h"

#include <gtest/gtest.h>

namespace vouch::facts::test {
namespace {

const char* hub_catalog = R"(
- table: hub_repository
  from: hub:repositories
  rows: answer[] as r
  key: [account, name]
  columns: {name: text r.name}
- table: hub_pull
  from: hub:pulls
  rows: answer[] as p
  key: [account, repository, number]
  columns: {repository: text key.repository, number: integer p.number}
)";

Answer answer(std::string body, std::optional<std::uint64_t> total = {}) { return {std::move(body), "", "", "", "", total}; }
Answer denied() { return {"", "", "", "Forbidden", ""}; }
Request pulls_of(const std::string& repository, std::vector<Answer> pages) {
  return {fmt::format(R"({{"repo":"{}"}})", repository), fmt::format(R"({{"repository":"{}"}})", repository), std::move(pages)};
}

struct World : Home {
  Facts facts = must(Facts::in_memory(http_catalog_of(hub_catalog), 1));

  void collected(std::string_view day, std::vector<Asked> asked, const std::string& account = "1") {
    Collected run{at(day), std::move(asked), account};
    run.source = "hub";
    collect(run);
    must(replay(reader(), blobs(), models(), facts));
  }
  std::vector<Reading> read(std::string_view table, std::string_view instant) { return must(how_read(facts, path(), table, at(instant))); }
};

TEST(HowRead, TellsRequestsAndPagesOfTheCollectionInForceAndTheTotalThatTheApiGives) {
  World world;
  world.collected("2026-03-01T00:00Z",
                  {{"hub:repositories", "", {{"{}", "", {answer(R"([{"name":"a"}])"), answer(R"([{"name":"b"}])", 2)}}}}});
  world.collected("2026-03-02T00:00Z", {{"hub:repositories", "", {{"{}", "", {answer(R"([{"name":"a"}])", 1)}}}}});
  EXPECT_TRUE(world.read("hub_repository", "2026-02-01T00:00Z").empty());
  const auto first = world.read("hub_repository", "2026-03-01T12:00Z");
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].operation, "hub:repositories");
  EXPECT_EQ(std::tuple(first[0].leaf.value, first[0].scopes, first[0].requests, first[0].pages, first[0].total),
            std::tuple(1u, 1u, 1u, 2u, 2u));
  EXPECT_TRUE(first[0].is_all());
  EXPECT_EQ(world.read("hub_repository", "2026-03-03T00:00Z").at(0).total, 1u);
  EXPECT_TRUE(world.read("hub_pull", "2026-03-03T00:00Z").empty());  // nobody asked
  EXPECT_EQ(how_read(world.facts, world.path(), "hub_nothing", at("2026-03-03T00:00Z")).error().code, Errc::usage);
}

TEST(HowRead, SaysWhatIsMissingAndGivesNoTotalThen) {
  World world;
  const Asked asked{"hub:pulls",
                    "",
                    {pulls_of("a", {answer(R"([{"number":1}])", 1)}), pulls_of("b", {answer("[]"), denied()})},
                    evidence::Outcome::partial,
                    "1 of 2 denied (Forbidden)"};
  world.collected("2026-03-01T00:00Z", {asked});
  const auto read = world.read("hub_pull", "2026-03-02T00:00Z");
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(std::tuple(read[0].requests, read[0].pages, read[0].refused), std::tuple(2u, 2u, 1u));
  EXPECT_EQ(read[0].reason, "1 of 2 denied (Forbidden)");
  EXPECT_FALSE(read[0].is_all());
  EXPECT_EQ(read[0].total, std::nullopt);
}

TEST(HowRead, GivesATotalOnlyWhereEveryListingHasOne) {
  World world;
  world.collected("2026-03-01T00:00Z",
                  {{"hub:pulls", "", {pulls_of("a", {answer(R"([{"number":1}])", 1)}), pulls_of("b", {answer("[]")})}}});
  EXPECT_EQ(world.read("hub_pull", "2026-03-02T00:00Z").at(0).total, std::nullopt);
}

TEST(HowRead, CountsEachAccountAndAllPartsOfAGrowingListing) {
  World world;
  world.collected("2026-03-01T00:00Z", {{"hub:pulls", "", {pulls_of("a", {answer(R"([{"number":1}])", 1)})}}});
  world.collected("2026-03-01T01:00Z", {{"hub:pulls", "", {pulls_of("z", {answer(R"([{"number":9}])", 1)})}}}, "2");
  auto more = Asked{"hub:pulls", "", {pulls_of("a", {answer(R"([{"number":2}])", 2)})}};
  more.adds = true;
  world.collected("2026-03-02T00:00Z", {more});
  const auto read = world.read("hub_pull", "2026-03-03T00:00Z");
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(std::tuple(read[0].account, read[0].pages, read[0].total), std::tuple(std::string{"1"}, 2u, std::optional<std::uint64_t>{}));
  EXPECT_EQ(std::tuple(read[1].account, read[1].pages, read[1].total), std::tuple(std::string{"2"}, 1u, std::optional<std::uint64_t>{1}));
}

}  // namespace
}  // namespace vouch::facts::test
