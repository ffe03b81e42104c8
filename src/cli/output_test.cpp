#include "cli/output.h"

#include <gtest/gtest.h>

namespace vouch::cli {
namespace {

const Grid grid{{{"member"}, {"count", true}, {"reason"}}, {{"a,b", "12", "said \"no\""}, {"x|y", "3", "two\nlines \x1b[31m"}}};

TEST(Output, csv_quotes_what_rfc_4180_says) {
  EXPECT_EQ(render(grid, Format::csv), "member,count,reason\r\n\"a,b\",12,\"said \"\"no\"\"\"\r\nx|y,3,\"two\nlines \x1b[31m\"\r\n");
}

TEST(Output, markdown_cells_cannot_break_their_table) {
  EXPECT_EQ(render(grid, Format::md),
            "| member | count | reason |\n| --- | ---: | --- |\n| a,b | 12 | said \"no\" |\n| x\\|y | 3 | two lines  \\[31m |\n");
}

TEST(Output, a_table_lines_up_and_no_cell_moves_the_cursor) {
  const auto text = render(grid, Format::table);
  EXPECT_EQ(text, "member  count  reason\na,b        12  said \"no\"\nx|y         3  two lines  [31m\n");
}

TEST(Output, texts_are_cut_at_characters_not_bytes) {
  EXPECT_EQ(shorten("äöü", 3), "äöü");
  EXPECT_EQ(shorten("äöüß", 3), "äö…");
  EXPECT_EQ(width_of("✗ é"), 3u);
}

TEST(Output, numbers_and_times_read_as_people_write_them) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(count_of(1, "leaf", "leaves"), "1 leaf");
  EXPECT_EQ(count_of(1200, "leaf", "leaves"), "1,200 leaves");
  EXPECT_EQ(for_people(parse_instant("2026-03-01T09:00:00.5Z").value()), "2026-03-01 09:00:00 UTC");
}

TEST(Output, every_json_answer_says_what_it_speaks_of) {
  const auto out = envelope(parse_instant("2026-03-01").value(), {.size = {7}, .root = "r", .simulated = true, .last_run = std::nullopt});
  EXPECT_EQ(canonical(Json(out)).value(), R"({"as_of":"2026-03-01T00:00:00Z","checkpoint":{"root":"r","size":7},"simulated":true})");
}

}  // namespace
}  // namespace vouch::cli
