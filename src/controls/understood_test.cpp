#include "controls/understood.h"

#include "controls/sample.h"

#include <gtest/gtest.h>

namespace vouch::controls {
namespace {

struct World {
  CatalogFiles files = shipped_catalog();
  Problems problems;
  facts::FactCatalog tables = facts::read_fact_catalog(files, problems);
};

// What is derived, as one text.
std::string derived(const ControlCatalog& catalog) {
  Understood all;
  for (const auto& control : catalog.controls) all.keep(control, {});
  return all.write();
}

TEST(Understood, TellsOfEveryShippedControlWhatCheckingItWouldTell) {
  World world;
  Understood understood;
  const auto checked = read_control_catalog(world.files, world.tables, world.problems, &understood);
  ASSERT_GT(checked.controls.size(), 100u);
  auto known = Understood::read(understood.write());
  EXPECT_EQ(known, understood);
  const auto filled = read_control_catalog(world.files, world.tables, world.problems, &known);
  EXPECT_EQ(derived(filled), derived(checked));
  EXPECT_EQ(known, understood);
}

Control any_control() {
  return sample_control("select account, bucket from aws_s3_bucket", "select account, bucket, '' as reason from aws_s3_bucket where false");
}

TEST(Understood, DoesNotSpeakOfAnotherText) {
  auto control = any_control();
  Understood understood;
  understood.keep(control, sha256("one"));
  EXPECT_TRUE(understood.fill(control, sha256("one")));
  EXPECT_FALSE(understood.fill(control, sha256("another")));
  control.id = "another";
  EXPECT_FALSE(understood.fill(control, sha256("one")));
}

TEST(Understood, AsksWhatItRestsOnAndKeepsOnlyItsOwn) {
  auto control = any_control();
  Understood shipped;
  shipped.keep(control, sha256("shipped"));
  Understood own;
  own.keep(control, sha256("own"));
  const auto before = own.write();
  own.rest_on(shipped);
  EXPECT_TRUE(own.fill(control, sha256("shipped")));
  EXPECT_TRUE(own.fill(control, sha256("own")));
  EXPECT_FALSE(own.fill(control, sha256("neither")));
  EXPECT_EQ(own.write(), before);
}

TEST(Understood, KnowsNothingFromADamagedText) {
  auto control = any_control();
  Understood understood;
  understood.keep(control, {});
  auto text = understood.write();
  for (const auto& damaged : {std::string{}, std::string{"[]"}, std::string{R"({"v":1})"}, text.substr(0, text.size() / 2)})
    EXPECT_FALSE(Understood::read(damaged).fill(control, {})) << damaged;
  text.replace(text.find("\"uses_as_of\":"), 13, "\"uses_as\":");
  EXPECT_FALSE(Understood::read(text).fill(control, {}));
}

}  // namespace
}  // namespace vouch::controls
