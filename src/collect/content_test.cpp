#include "collect/content.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace vouch::collect {
namespace {

std::vector<Path> paths(std::initializer_list<std::string_view> texts) {
  std::vector<Path> all;
  for (const auto text : texts) all.push_back(parse_path(text).value());
  return all;
}

std::string normal_form(std::string_view text, const std::vector<std::string>& paging, const std::vector<Path>& volatiles,
                        const std::vector<Path>& sets) {
  return canonical(normalise(*parse_json(text), {.paging = paging, .volatiles = volatiles, .sets = sets})).value();
}

TEST(Content, LeavesOutPagingAndWhatChangesByItself) {
  EXPECT_EQ(normal_form(R"({"A":1,"NextToken":"x","Roles":[{"N":"a","Last":{"D":1}},{"N":"b"}],"G":{"T":5,"U":6}})",
                        {"NextToken", "Marker"}, paths({"Roles[].Last", "G.T", "Nothing.At.All"}), {}),
            R"({"A":1,"G":{"U":6},"Roles":[{"N":"a"},{"N":"b"}]})");
  // `[]` may be left out on the way.
  EXPECT_EQ(normal_form(R"({"R":[{"I":[{"x":1,"y":2}]}]})", {}, paths({"R.I.x"}), {}), R"({"R":[{"I":[{"y":2}]}]})");
}

TEST(Content, ListsThatAreSetsHaveNoOrder) {
  const auto sets = paths({"R", "R[].I[]"});
  const auto one = normal_form(R"({"R":[{"I":[{"id":2},{"id":1}],"n":"a"},{"I":[{"id":3}],"n":"b"}]})", {}, {}, sets);
  const auto other = normal_form(R"({"R":[{"I":[{"id":3}],"n":"b"},{"I":[{"id":1},{"id":2}],"n":"a"}]})", {}, {}, sets);
  EXPECT_EQ(one, other);
  EXPECT_NE(normal_form(R"({"R":[1,2]})", {}, {}, {}), normal_form(R"({"R":[2,1]})", {}, {}, {}));
}

RC_GTEST_PROP(Content, OfASetIsTheSameInEveryOrder, (std::vector<std::int64_t> numbers)) {
  const auto sets = paths({"L"});
  const auto digest = [&] {
    json::array list(numbers.begin(), numbers.end());
    return content_of(Json(json::object{{"L", std::move(list)}}), {.paging = {}, .volatiles = {}, .sets = sets}).value();
  };
  const auto before = digest();
  std::ranges::reverse(numbers);
  RC_ASSERT(digest() == before);
  numbers.push_back(1);
  RC_ASSERT(digest() != before);
}

}  // namespace
}  // namespace vouch::collect
