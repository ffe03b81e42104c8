// vouch init.
#include "cli/progress.h"
#include "cli/scope_proposal.h"
#include "cli/source_run.h"

namespace vouch::cli {
namespace {

struct Proposed {
  std::vector<std::string> own;
  Proposal proposal;
  std::string text;  // for vouch.yaml
};

// What `collect` will read from the settings, by the very code that will read them.
Result<AccountScope> read_back(const Home& scratch, std::string_view text) {
  TRY(write_file(scratch.path / "vouch.yaml", write_settings(text)));
  for (const auto& source : TRY(scratch.settings()).sources)
    if (source.name == aws_source) return read_account_scope(source.said);
  return fail(Errc::not_found, "there is no source `{}` in a new home's settings", aws_source);
}

// The organisation is asked in a scratch home, so that the ledger of the new one begins with a whole collection.
Result<Proposed> propose(const Home& home, const InitOptions& options) {
  if (const auto wrong = wrong_role(options.role); !wrong.empty() || options.role.empty())
    return fail(Errc::usage, "--role: {}", options.role.empty() ? "a role has a name" : wrong);
  if (const auto wrong = wrong_external_id(options.external_id); !wrong.empty()) return fail(Errc::usage, "--external-id: {}", wrong);
  const TemporaryDirectory folder;
  auto ask = fmt::format("    role: {}\n    organisation: {{}}\n", yaml_text(options.role));
  if (!options.external_id.empty()) ask += fmt::format("    external id: {}\n", yaml_text(options.external_id));
  const auto scratch = TRY(create_home(folder.path() / "home", "vouch/init", ask));
  auto sources = TRY(SourceRuns::open_scratch(scratch, home));
  const auto aws = TRY(sources.chosen({std::string{aws_source}})).front();
  Problems problems;
  const auto words = read_unit_words(sources.catalog().files, problems);
  print_problems(problems);
  const auto progress = make_progress(aws.name, Format::table);
  auto asked = sources.list_organisation(aws, cancelled_by_signals(), *progress);
  progress->finish();
  const auto listed = TRY(std::move(asked));

  Proposed proposed{.own = listed.own, .proposal = propose_scope(listed.accounts, listed.own, words), .text = {}};
  proposed.text = write_scope(proposed.proposal, options.role, options.external_id, to_string(SystemClock{}.now()).substr(0, 10));
  if (!says_the_same(TRY(read_back(scratch, proposed.text)), listed.accounts, listed.own, proposed.proposal))
    return fail(Errc::unsupported, "the names of the organisation's units cannot be written down so that they are read again as they are");
  return proposed;
}

void print_proposal(const Proposed& proposed) {
  auto grid = table_of(proposed.proposal);
  if (is_terminal()) {
    std::size_t before = 0;
    for (std::size_t column = 0; column + 1 < grid.columns.size(); ++column) {
      auto width = width_of(grid.columns[column].title);
      for (const auto& row : grid.rows) width = std::max(width, width_of(row[column]));
      before += width + 2;
    }
    for (auto& row : grid.rows)
      row.back() = shorten(row.back(), std::max<std::size_t>(30, terminal_width() - std::min(before, terminal_width())));
  }
  const auto& proposal = proposed.proposal;
  const auto look = proposal.count(UnitMeaning::Scope::look);
  fmt::print("{}{} in{}, {} out. The whole reasons stand in vouch.yaml, which is yours to edit.\n\n", render(grid, Format::table),
             count_of(proposal.count(UnitMeaning::Scope::in) + look, "account", "accounts"),
             look ? fmt::format(" ({} to be looked at)", look) : "", proposal.count(UnitMeaning::Scope::out));
}

}  // namespace

Result<Exit> run_init(const Common& common, const InitOptions& options) {
  const auto home = options.folder ? Home{*options.folder} : find_home(common.home);
  TRY(require_free(home.path));
  std::optional<Proposed> proposed;
  if (options.organisation) {
    auto made = propose(home, options);
    if (!made) return std::unexpected(std::move(made).error().within("nothing was made"));
    proposed = std::move(*made);
  }
  TRY(create_home(home.path, options.origin, proposed ? proposed->text : std::string_view{}));
  if (proposed) print_proposal(*proposed);
  fmt::print("made `{}`: settings in vouch.yaml, keys in keys/ (keep ledger.key to yourself), an empty ledger\n", home.path.string());
  if (proposed)
    fmt::print("next: a role `{}` in each account that is in: vouch permissions aws --as stackset --role {} --principal {}{}\nthen: ",
               options.role, options.role, proposed->own.front(),
               options.external_id.empty() ? "" : " --external-id " + options.external_id);
  else
    fmt::print("next: ");
  fmt::print("vouch --home {} collect\n", home.path.string());
  return Exit::ok;
}

}  // namespace vouch::cli
