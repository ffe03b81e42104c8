// Any text as an expression, as `rows` and as comma separated values; what parses is evaluated over a small answer.
#include "facts/expression.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vouch;
  using namespace vouch::facts;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  static const Json answer =
      *parse_json(R"({"a": {"b": [1, "x", {"c": null}]}, "t": "YQ==", "tags": [{"Key": "k", "Value": "v"}], "n": -1.5})");
  static const std::vector<std::string> levels{"r", "i"};
  const auto frame_of = [&](std::size_t slots) {
    Frame frame;
    frame.answer = frame.key = frame.params = &answer;
    frame.account = "1";
    frame.levels.assign(slots, nullptr);
    return frame;
  };
  if (const auto parsed = Expression::parse(text, levels)) {
    auto frame = frame_of(levels.size());
    frame.levels[0] = &answer;
    if (const auto* value = parsed->evaluate(frame)) (void)text_of(*value);
  }
  std::vector<std::string> names;
  if (const auto unfold = Unfold::parse(text, names)) {
    auto frame = frame_of(names.size());
    unfold->for_each(frame, [] {});
  }
  (void)parse_csv(text);
  return 0;
}
