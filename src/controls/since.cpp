#include "controls/since.h"

#include "controls/changes.h"

#include <unordered_map>

namespace vouch::controls {
namespace {

using Key = std::map<std::string, std::string>;

// A point at which verdicts may have changed: from there on, up to the next point, they are the same.
struct Point {
  Instant at;
  bool by_clock;  // no fact changed there
};

class Walk {
 public:
  Walk(const Control& control, facts::Facts& facts, ControlVerdict& verdict, const DateLimits& limits)
      : control_(control), facts_(facts), limits_(limits), as_of_(verdict.as_of) {
    for (auto& member : verdict.members) undated_.push_back(&member);
  }

  Result<> back() {
    // The verdict at the newest point is known already, so that one more can be looked at; yet one more tells whether there are others.
    const auto most = limits_.evaluations + 1;
    const auto changes = TRY(facts_.changes(control_.tables, as_of_, most + 1));
    auto until = as_of_ + Duration{1};
    for (const auto change : changes) {
      auto points = TRY(points_from(change, until));
      for (const auto& point : points) {
        TRY(step(point));
        if (undated_.empty() || exhausted_) return {};
      }
      until = change;
    }
    // Nothing is known from before the oldest change; where changes were left out, what lies behind them is not known either.
    if (held_ && changes.size() <= most) return settle_all();
    return {};
  }

 private:
  // The points of [from, until), the latest first.
  Result<std::vector<Point>> points_from(Instant from, Instant until) {
    std::vector<Point> points;
    for (const auto at : TRY(clock_changes(control_, facts_, from, until, limits_.evaluations))) points.push_back({at, true});
    std::reverse(points.begin(), points.end());
    points.push_back({from, false});
    return points;
  }

  // Members whose answer at `point` is another began at the point after it.
  Result<> step(const Point& point) {
    if (!held_) {  // the verdict that we were given reaches back to here
      held_ = point;
      return {};
    }
    if (++evaluated_ > limits_.evaluations) {
      exhausted_ = true;
      return {};
    }
    const auto before = evaluate(control_, facts_, point.at);
    std::map<Key, Answer> answers;
    if (before)
      for (const auto& member : before->members) answers.emplace_hint(answers.end(), member.key, member.answer);
    std::vector<MemberVerdict*> still;
    for (auto* member : undated_) {
      const auto answer = answers.find(member->key);
      if (answer != answers.end() && answer->second == member->answer)
        still.push_back(member);
      else
        TRY(settle(*member));
    }
    undated_ = std::move(still);
    held_ = point;
    return {};
  }

  Result<> settle_all() {
    for (auto* member : undated_) TRY(settle(*member));
    undated_.clear();
    return {};
  }

  Result<> settle(MemberVerdict& member) {
    member.since = held_->at;
    if (held_->by_clock) return {};
    if (seen_before_at_ != held_->at) {
      seen_before_ = TRY(facts_.observed_before(control_.tables, held_->at));
      seen_before_at_ = held_->at;
    }
    member.since_earliest = seen_before_;
    return {};
  }

  const Control& control_;
  facts::Facts& facts_;
  const DateLimits limits_;
  const Instant as_of_;
  std::vector<MemberVerdict*> undated_;
  std::optional<Point> held_;
  std::size_t evaluated_ = 0;
  bool exhausted_ = false;
  std::optional<Instant> seen_before_at_, seen_before_;
};

// The newest collection that showed a row of the member, from the population's tables that have its whole key.
Result<> find_leaves(const Control& control, facts::Facts& facts, ControlVerdict& verdict) {
  std::map<std::vector<std::string>, std::int64_t> leaves;
  for (const auto& name : control.population_tables) {
    const auto* table = facts.catalog().find(name);
    std::string columns;
    bool whole = table != nullptr;
    for (const auto& key : control.key) {
      const bool has =
          table && (key == "account" || (key == "region" && table->regional) ||
                    std::any_of(table->columns.begin(), table->columns.end(), [&](const facts::Column& c) { return c.name == key; }));
      whole = whole && has;
      columns += fmt::format("{}\"{}\"", columns.empty() ? "" : ", ", key);
    }
    if (!whole) continue;
    const auto rows = TRY(facts.store().query(
        fmt::format("select {0}, max(leaf) from {1} where valid_from <= $1 and $1 < valid_to and leaf is not null group by {0}", columns,
                    name),
        {verdict.as_of}));
    for (const auto& row : rows.rows) {
      std::vector<std::string> key;
      for (std::size_t i = 0; i < control.key.size(); ++i) key.push_back(table::to_text(row.at(i)));
      if (const auto* leaf = std::get_if<std::int64_t>(&row.back())) {
        auto& newest = leaves.try_emplace(std::move(key), *leaf).first->second;
        newest = std::max(newest, *leaf);
      }
    }
  }
  for (auto& member : verdict.members) {
    if (member.leaf || member.key.size() != control.key.size()) continue;
    std::vector<std::string> key;
    for (const auto& column : control.key) key.push_back(member.key.at(column));
    if (const auto found = leaves.find(key); found != leaves.end()) member.leaf = LeafIndex{static_cast<std::uint64_t>(found->second)};
  }
  return {};
}

}  // namespace

Result<> date(const Control& control, facts::Facts& facts, ControlVerdict& verdict, const DateLimits& limits) {
  // An event is judged once, and a window is the calendar's: evaluate() has dated both.
  if (control.kind == Kind::state) TRY(Walk(control, facts, verdict, limits).back());
  return find_leaves(control, facts, verdict);
}

}  // namespace vouch::controls
