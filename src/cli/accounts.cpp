#include "cli/accounts.h"

#include <algorithm>
#include <map>
#include <set>

namespace vouch::cli {
namespace {

bool only_of(std::string_view text, std::string_view more) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || more.find(c) != std::string_view::npos;
  });
}

bool is_account(std::string_view text) {
  return text.size() == 12 && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Result<AccountRule> read_rule(const Yaml& node, bool in) {
  if (!node.is_map()) return node.wrong("a rule is a map: {{unit: PATH}} or {{account: NUMBER}}, with `reason`");
  TRY(node.only({"unit", "account", "reason"}));
  AccountRule rule{.in = in, .account = {}, .unit = {}, .reason = {}, .where = node.where()};
  rule.account = TRY(node.text_or("account", ""));
  rule.unit = TRY(node.text_or("unit", ""));
  rule.reason = TRY(node.text_or("reason", ""));
  if (rule.account.empty() == rule.unit.empty()) return node.wrong("a rule names a `unit` or an `account`");
  if (!rule.account.empty() && !is_account(rule.account)) return node["account"].wrong("`{}` is no account number", rule.account);
  while (rule.unit.starts_with('/')) rule.unit.erase(0, 1);
  while (rule.unit.ends_with('/')) rule.unit.pop_back();
  if (!in && rule.reason.empty()) return node.wrong("whoever leaves accounts out says why: `reason`");
  if (rule.reason.size() > 500) return node["reason"].wrong("a reason has at most 500 bytes");
  return rule;
}

Result<> read_organisation(const Yaml& node, AccountScope& scope) {
  scope.organisation = true;
  if (node.is_absent()) return {};
  if (!node.is_map()) return node.wrong("`organisation` is a map: {{include: […], exclude: […]}}; {{}} is all of it");
  TRY(node.only({"include", "exclude"}));
  for (const auto* word : {"include", "exclude"}) {
    if (node[word].is_absent()) continue;
    for (const auto& rule : node[word].items()) scope.rules.push_back(TRY(read_rule(rule, std::string_view{word} == "include")));
  }
  return {};
}

// How close a rule is to an account: 0 does not concern it, 1 the topmost unit, …; its own number is closest.
std::size_t closeness(const AccountRule& rule, const ListedAccount& listed) {
  constexpr std::size_t closest = 1000;
  if (!rule.account.empty()) return rule.account == listed.account ? closest : 0;
  std::string path;
  for (std::size_t depth = 0; depth < listed.unit_names.size(); ++depth) {
    path += (depth ? "/" : "") + listed.unit_names[depth];
    if (rule.unit == path || rule.unit == listed.unit_ids[depth]) return depth + 1;
  }
  return 0;
}

evidence::ScopeLeaf::Account decide(const AccountScope& scope, const ListedAccount& listed) {
  if (listed.status != "ACTIVE") return {listed.account, false, fmt::format("{} in the organisation", listed.status)};
  const AccountRule* closest = nullptr;
  std::size_t distance = 0;
  for (const auto& rule : scope.rules) {
    const auto own = closeness(rule, listed);
    if (own == 0 || own < distance || (own == distance && closest && !closest->in)) continue;
    closest = &rule;
    distance = own;
  }
  if (closest) return {listed.account, closest->in, closest->in ? "" : closest->reason};
  const bool named = std::any_of(scope.rules.begin(), scope.rules.end(), [](const auto& rule) { return rule.in; });
  if (named && listed.placed) return {listed.account, false, "under no `include` of vouch.yaml"};
  return {listed.account, true, ""};
}

}  // namespace

std::string wrong_role(std::string_view role) {
  if (role.size() <= 512 && only_of(role, "+=,.@_-/") && !role.starts_with('/')) return {};
  return fmt::format("`{}` is no name of a role (with its path, without its ARN)", role);
}

std::string wrong_external_id(std::string_view id) {
  if (id.size() != 1 && id.size() <= 1224 && only_of(id, "+=,.@:/_-")) return {};
  return "an external id has 2 to 1224 of a-z A-Z 0-9 + = , . @ : / _ -";
}

Result<AccountScope> read_account_scope(const Yaml& node) {
  AccountScope scope;
  scope.role = TRY(node.text_or("role", ""));
  scope.external_id = TRY(node.text_or("external id", ""));
  scope.accounts = TRY(node["accounts"].texts());
  for (const auto& [name, value] : node.members())
    if (name == "organisation") TRY(read_organisation(value, scope));
  if (const auto wrong = wrong_role(scope.role); !wrong.empty()) return node["role"].wrong("{}", wrong);
  if (const auto wrong = wrong_external_id(scope.external_id); !wrong.empty()) return node["external id"].wrong("{}", wrong);
  for (const auto& account : scope.accounts)
    if (!is_account(account)) return node["accounts"].wrong("`{}` is no account number", account);
  if (scope.wider() && scope.role.empty()) return node.wrong("other accounts are entered by a `role` of theirs: name it");
  if (!scope.wider() && !scope.role.empty())
    return node["role"].wrong("`role` is for other accounts: name them under `accounts` or `organisation`");
  return scope;
}

Decided decide_accounts(const AccountScope& scope, const std::vector<std::string>& own, const std::vector<ListedAccount>& listed) {
  std::map<std::string, evidence::ScopeLeaf::Account> decided;
  Decided all;
  if (scope.organisation) {
    for (const auto& one : listed) decided[one.account] = decide(scope, one);
    for (const auto& rule : scope.rules)
      if (!listed.empty() && std::none_of(listed.begin(), listed.end(), [&](const auto& one) { return closeness(rule, one) > 0; }))
        all.warnings.push_back(fmt::format("{}: {} `{}` concerns no account of the organisation", rule.where,
                                           rule.unit.empty() ? "account" : "unit", rule.unit.empty() ? rule.account : rule.unit));
  }
  for (const auto* accounts : {&scope.accounts, &own})
    for (const auto& account : *accounts) decided[account] = {account, true, ""};
  for (auto& [account, decision] : decided) all.accounts.push_back(std::move(decision));
  return all;
}

std::string role_arn(const AccountScope& scope, std::string_view partition, std::string_view account) {
  return fmt::format("arn:{}:iam::{}:role/{}", partition, account, scope.role);
}

}  // namespace vouch::cli
