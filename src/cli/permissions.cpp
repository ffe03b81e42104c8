// vouch permissions: what a source needs to be allowed, in the form in which its provider takes it.
#include "collect/permissions.h"
#include "cli/grants.h"
#include "cli/session.h"

#include <set>

namespace vouch::cli {
namespace {

using Permissions = std::vector<collect::Permission>;

grants::Actions actions_of(const Permissions& permissions) {
  grants::Actions actions;
  for (const auto& permission : permissions) actions.push_back(permission.action);
  return actions;
}

// The controls that read what the action's calls answer.
std::set<std::string> controls_of(const collect::Permission& permission, const Catalog& catalog) {
  std::set<std::string> tables, controls;
  for (const auto& operation : permission.operations)
    for (const auto* table : catalog.tables.from(operation)) tables.insert(table->name);
  for (const auto& control : catalog.controls.controls)
    if (std::any_of(control.tables.begin(), control.tables.end(), [&](const auto& table) { return tables.contains(table); }))
      controls.insert(control.id);
  return controls;
}

std::string some_of(const std::vector<std::string>& operations) {
  constexpr std::ptrdiff_t most = 4;
  const auto more = std::ssize(operations) - most;
  if (more <= 0) return fmt::format("{}", fmt::join(operations, " "));
  return fmt::format("{} and {} more", fmt::join(operations.begin(), operations.begin() + most, " "), more);
}

void print_list(const collect::Source& source, const Permissions& permissions, const Catalog& catalog, Format format) {
  if (format == Format::json) {
    json::array list;
    for (const auto& permission : permissions)
      list.push_back({{"action", permission.action},
                      {"operations", json::value_from(permission.operations)},
                      {"controls", json::value_from(controls_of(permission, catalog))}});
    fmt::print("{}\n", pretty(json::object{{"as_of", to_string(SystemClock{}.now())},
                                           {"checkpoint", nullptr},
                                           {"simulated", false},
                                           {"source", source.name},
                                           {"permissions", std::move(list)}}));
    return;
  }
  if (permissions.empty()) {
    if (source.http && !source.http->sign_in.empty())
      fmt::print("no operation of `{}` names the permission that it needs (`action:` in its source file)\n", source.name);
    else
      fmt::print("`{}` needs no permission: nobody is asked\n", source.name);
    return;
  }
  Grid grid{{{"permission"}, {"controls", true}, {"for the calls"}}, {}};
  for (const auto& permission : permissions)
    grid.rows.push_back({permission.action, grouped(controls_of(permission, catalog).size()), some_of(permission.operations)});
  fmt::print("{}", render(grid, format));
}

Result<> print_form(const collect::Source& source, const Permissions& permissions, const PermissionsOptions& options) {
  const auto& form = *options.as;
  const bool of_app = source.http && std::any_of(source.http->sign_in.begin(), source.http->sign_in.end(),
                                                 [](const auto& way) { return way.kind == collect::SignInWay::Kind::github_app; });
  const auto forms = !source.http ? "policy, terraform, stackset" : of_app ? "app-manifest" : "only the list, without --as";
  const auto actions = actions_of(permissions);
  const grants::Reader reader{options.role, options.principal, options.external_id};
  if (!source.http && form == "policy") {
    const auto policy = grants::policy(actions);
    const auto size = grants::size_of(policy);
    fmt::print("{}\n", pretty(policy));
    if (size > grants::inline_policy_limit)
      fmt::print(stderr,
                 "{} characters: too many for one policy (a role's inline policies hold {}); --as terraform and --as stackset cut it\n",
                 grouped(size), grouped(grants::inline_policy_limit));
    else if (size > grants::managed_policy_limit)
      fmt::print(stderr,
                 "{} characters: make it an inline policy of a role; a managed one holds {} (--as terraform and --as stackset cut it)\n",
                 grouped(size), grouped(grants::managed_policy_limit));
  } else if (!source.http && form == "terraform") {
    fmt::print("{}", grants::terraform(actions, reader));
  } else if (!source.http && form == "stackset") {
    fmt::print("{}\n", pretty(grants::stack(actions, reader)));
  } else if (of_app && form == "app-manifest") {
    fmt::print("{}\n", pretty(grants::app_manifest(actions, options.name, options.url)));
  } else {
    return fail(Errc::usage, "--as {}: source `{}` has the forms: {}", form, source.name, forms);
  }
  return {};
}

}  // namespace

Result<Exit> run_permissions(const Common& common, const PermissionsOptions& options) {
  const auto format = TRY(parse_format(common.format.value_or("table")));
  auto catalog = TRY(Catalog::read(find_home(common.home)));
  const auto sources = collect::read_source_catalog(catalog.files, catalog.problems);
  print_problems(catalog.problems);
  const auto* source = sources.find(options.source);
  if (!source) {
    std::vector<std::string> names;
    for (const auto& one : sources.sources) names.push_back(one.name);
    return fail(Errc::usage, "the catalogue has no source `{}`; it has: {}", options.source, fmt::join(names, ", "));
  }
  const auto needed = collect::permissions(*source);
  if (options.as)
    TRY(print_form(*source, needed, options));
  else
    print_list(*source, needed, catalog, format);
  return Exit::ok;
}

}  // namespace vouch::cli
