// What is proposed, as it stands in vouch.yaml and on a terminal.
#include "cli/scope_proposal.h"

#include <algorithm>
#include <set>

namespace vouch::cli {
namespace {

using Scope = UnitMeaning::Scope;
using Kind = ProposedUnit::Kind;

// One character of UTF-8; whatever is none stands for itself, as U+FFFD.
struct Character {
  char32_t code;
  std::string_view bytes;
};

Character first_of(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t size = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
  if (size == 0 || size > text.size()) return {0xfffd, text.substr(0, 1)};
  auto code = static_cast<char32_t>(size == 1 ? lead : lead & (0x7f >> size));
  for (std::size_t i = 1; i < size; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if (next >> 6 != 2) return {0xfffd, text.substr(0, 1)};
    code = code << 6 | (next & 0x3f);
  }
  return {code, text.substr(0, size)};
}

// What ends a line, moves a cursor, or turns around the order in which a line is read.
bool is_control(char32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
         (code >= 0x2060 && code <= 0x206f) || code == 0xfeff || code == 0xfffd || code == 0xfffe || code == 0xffff;
}

// For a comment, or a cell.
std::string in_one_line(std::string_view text) {
  std::string line;
  while (!text.empty()) {
    const auto next = first_of(text);
    line += is_control(next.code) ? " " : next.bytes;
    text.remove_prefix(next.bytes.size());
  }
  return line;
}

bool is_plain(std::string_view text) {
  static const std::set<std::string, std::less<>> words{"null", "true", "false", "yes", "no", "on", "off", "y", "n"};
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (text.empty() || !is_letter(text.front()) || text.back() == ' ') return false;
  std::string small{text};
  for (auto& c : small)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return !words.contains(small) && std::all_of(text.begin(), text.end(), [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || std::string_view{" _-/.;"}.find(c) != std::string_view::npos;
  });
}

std::string label_of(const ProposedUnit& unit) {
  switch (unit.kind) {
    case Kind::own: return "(own)";
    case Kind::root: return "(root)";
    case Kind::unplaced: return "(unit unknown)";
    case Kind::inactive: return fmt::format("({})", in_one_line(unit.name));
    case Kind::unit: break;
  }
  return in_one_line(unit.name);
}

std::string why_of(const ProposedUnit& unit) { return unit.reason + (unit.look.empty() ? "" : fmt::format(" - see to it: {}", unit.look)); }

// A comment for each unit of which `scope` is said.
std::string comments_on(const Proposal& proposal, Scope scope, std::string_view title) {
  std::string text;
  for (const auto& unit : proposal.units)
    if (unit.scope == scope && (unit.kind == Kind::inactive) == (scope == Scope::out))
      text += fmt::format("      #   {:>4}  {}: {}\n", unit.accounts.size(), label_of(unit), why_of(unit));
  return text.empty() ? text : fmt::format("      # {}\n{}", title, text);
}

std::string write_exclusion(const Proposal& proposal, const ProposedExclusion& one) {
  std::string text;
  for (const auto row : one.units) {
    const auto& unit = proposal.units[row];
    const auto accounts = one.rule.account.empty() ? unit.accounts.size() : 1;
    text += fmt::format("        #   {:>2}  {}{}{}\n", accounts, label_of(unit),
                        one.rule.account.empty() ? "" : " (by number: the unit's name would take more)",
                        unit.look.empty() ? "" : " - see to it: " + unit.look);
  }
  const auto& rule = one.rule;
  return text + fmt::format("        - {{{}, reason: {}}}\n",
                            rule.account.empty() ? "unit: " + yaml_text(rule.unit) : "account: " + yaml_text(rule.account),
                            yaml_text(rule.reason));
}

}  // namespace

std::string yaml_text(std::string_view text) {
  if (is_plain(text)) return std::string{text};
  std::string quoted = "\"";
  while (!text.empty()) {
    const auto next = first_of(text);
    if (next.code == '"' || next.code == '\\')
      quoted.append("\\").append(next.bytes);
    else if (is_control(next.code))
      quoted += fmt::format("\\u{:04x}", static_cast<unsigned>(next.code));
    else
      quoted += next.bytes;
    text.remove_prefix(next.bytes.size());
  }
  return quoted + '"';
}

std::string write_scope(const Proposal& proposal, std::string_view role, std::string_view external_id, std::string_view listed_on) {
  auto text = fmt::format(
      "    # Other accounts too: each is entered by assuming this role of it (docs/accounts.md). What the role's trust policy demands:\n"
      "    role: {}\n    {}external id: {}\n",
      yaml_text(role), external_id.empty() ? "# " : "", yaml_text(external_id.empty() ? "acme-7f3a" : external_id));
  text += fmt::format(
      "    # Proposed from what the organisation listed on {}, by the names of its units alone: nobody has looked into an account. See "
      "that each\n"
      "    # reason is true, for it stands beside every status. What no rule names is in, and so is what is new.\n"
      "    organisation:\n",
      listed_on);
  text += comments_on(proposal, Scope::in, "In, by number of accounts:");
  text += comments_on(proposal, Scope::look, "In too, but nothing says clearly that they must be. Look, then keep them or leave them out:");
  text += comments_on(proposal, Scope::out, "Left out whatever stands here, because there is nothing to read:");
  if (proposal.exclude.empty()) return text + "      exclude: []\n";
  text += "      exclude:\n";
  for (const auto& one : proposal.exclude) text += write_exclusion(proposal, one);
  return text;
}

Grid table_of(const Proposal& proposal) {
  Grid grid{{{"scope"}, {"accounts", true}, {"unit"}, {"why"}}, {}};
  for (const auto scope : {Scope::in, Scope::look, Scope::out})
    for (const auto& unit : proposal.units)
      if (unit.scope == scope)
        grid.rows.push_back({scope == Scope::out  ? "out"
                             : scope == Scope::in ? "in"
                                                  : "in, look",
                             grouped(unit.accounts.size()), label_of(unit), in_one_line(why_of(unit))});
  return grid;
}

}  // namespace vouch::cli
