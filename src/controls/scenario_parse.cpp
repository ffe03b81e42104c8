#include "controls/scenario.h"

namespace vouch::controls {
namespace {

constexpr std::size_t max_line_bytes = 64u << 10;

struct Word {
  std::string text;
  bool quoted = false;        // begins with a quote: a reason
  bool value_quoted = false;  // its value does: "null" is then a text
};

// Words are parted by blanks; double quotes hold blanks together, in them \" and \\ stand for themselves.
Result<std::vector<Word>> words_of(std::string_view line) {
  std::vector<Word> words;
  std::size_t at = 0;
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (true) {
    while (at < line.size() && blank(line[at])) ++at;
    if (at == line.size() || line[at] == '#') return words;
    Word word;
    word.quoted = line[at] == '"';
    while (at < line.size() && !blank(line[at])) {
      if (line[at] != '"') {
        word.text += line[at++];
        continue;
      }
      word.value_quoted = true;
      const auto close = [&] { return at < line.size() && line[at] == '"'; };
      for (++at; !close(); ++at) {
        if (at < line.size() && line[at] == '\\') ++at;
        if (at >= line.size()) return fail(Errc::config, "a double quote is not closed");
        word.text += line[at];
      }
      ++at;
      if (at < line.size() && !blank(line[at])) return fail(Errc::config, "something stands right behind a closing quote");
    }
    words.push_back(std::move(word));
  }
}

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

// A line's words, taken one after the other.
class Line {
 public:
  explicit Line(std::vector<Word> words) : words_(std::move(words)) {}

  [[nodiscard]] bool done() const { return next_ == words_.size(); }

  Result<std::string> name(std::string_view what) {
    if (done() || words_[next_].value_quoted || !is_name(words_[next_].text)) return fail(Errc::config, "the {} is missing", what);
    return words_[next_++].text;
  }

  // column=value …, as many as there are; `null` stands for a column that is not there.
  Result<ColumnValues> pairs(bool may_be_null) {
    ColumnValues values;
    std::set<std::string> seen;
    for (; !done() && !words_[next_].quoted; ++next_) {
      const auto& word = words_[next_];
      const auto equals = word.text.find('=');
      if (equals == std::string::npos) break;
      const auto column = word.text.substr(0, equals);
      if (!is_name(column)) return fail(Errc::config, "`{}` is no column name", column);
      if (!seen.insert(column).second) return fail(Errc::config, "`{}` stands here twice", column);
      const auto value = word.text.substr(equals + 1);
      const bool null = value == "null" && !word.value_quoted;
      if (null && !may_be_null) return fail(Errc::config, "`{}` is part of a key and cannot be null", column);
      if (!null) values[column] = value;
    }
    return values;
  }

  Result<Instant> instant(std::string_view what) {
    if (done() || words_[next_].value_quoted) return fail(Errc::config, "the {} is missing", what);
    return parse_instant(words_[next_++].text);
  }

  Result<std::string> quoted(std::string_view what) {
    if (done() || !words_[next_].quoted) return fail(Errc::config, "the {} is missing; it stands in double quotes", what);
    return words_[next_++].text;
  }

  Result<> end() {
    if (!done()) return fail(Errc::config, "`{}` is not expected here", words_[next_].text);
    return {};
  }

 private:
  std::vector<Word> words_;
  std::size_t next_ = 0;
};

Result<> check_interval(Instant from, Instant to) {
  if (!(from < to)) return fail(Errc::config, "it ends before it begins");
  return {};
}

Result<std::optional<Answer>> answer_of(std::string_view word) {
  if (word == "absent") return std::optional<Answer>{};
  for (const auto answer : {Answer::pass, Answer::fail, Answer::unknown, Answer::waived, Answer::empty})
    if (name_of(answer) == word) return answer;
  return fail(Errc::config, "`{}` is no verdict; write pass, fail, unknown, pending, waived, empty or absent", word);
}

Result<> parse_line(Line& line, int number, Scenario& scenario) {
  const auto word = TRY(line.name("statement"));
  if (word == "facts") {
    ScenarioFacts facts;
    facts.line = number;
    facts.table = TRY(line.name("table"));
    facts.values = TRY(line.pairs(true));
    facts.from = TRY(line.instant("beginning"));
    facts.to = TRY(line.instant("end"));
    TRY(check_interval(facts.from, facts.to));
    scenario.facts.push_back(std::move(facts));
  } else if (word == "hole") {
    ScenarioHole hole;
    hole.line = number;
    hole.hole.table = TRY(line.name("table"));
    hole.hole.key = TRY(line.pairs(false));
    hole.hole.from = TRY(line.instant("beginning"));
    hole.hole.to = TRY(line.instant("end"));
    hole.hole.reason = TRY(line.quoted("reason"));
    TRY(check_interval(hole.hole.from, hole.hole.to));
    scenario.holes.push_back(std::move(hole));
  } else if (word == "expect") {
    ScenarioExpect expect{};
    expect.line = number;
    expect.control = TRY(line.name("control"));
    expect.key = TRY(line.pairs(false));
    const auto verdict = TRY(line.name("verdict"));
    expect.pending = verdict == "pending";
    expect.answer = TRY(answer_of(expect.pending ? "unknown" : verdict));
    if (TRY(line.name("word `at`")) != "at") return fail(Errc::config, "`at INSTANT` must follow the verdict");
    expect.at = TRY(line.instant("instant"));
    if (expect.key.empty() && !expect.answer) return fail(Errc::config, "`absent` is said of a key");
    if (expect.key.empty() && expect.pending) return fail(Errc::config, "`pending` is said of a member; the whole control is `unknown`");
    if (!expect.key.empty() && expect.answer == Answer::empty)
      return fail(Errc::config, "`empty` is said of the whole control, without a key");
    scenario.expects.push_back(std::move(expect));
  } else {
    return fail(Errc::config, "`{}` is no statement; write facts, hole or expect", word);
  }
  return line.end();
}

}  // namespace

Result<Scenario> parse_scenario(std::string_view text, std::string path) {
  Scenario scenario;
  scenario.path = std::move(path);
  int number = 0;
  while (!text.empty()) {
    ++number;
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const auto parsed = [&]() -> Result<> {
      if (line.size() > max_line_bytes) return fail(Errc::config, "longer than 64 KiB");
      Line words{TRY(words_of(line))};
      return words.done() ? Result<>{} : parse_line(words, number, scenario);
    }();
    if (!parsed) return fail(Errc::config, "{}:{}: {}", scenario.path, number, parsed.error().message);
  }
  return scenario;
}

}  // namespace vouch::controls
