#include "cli/grants.h"

#include <fmt/format.h>

namespace vouch::cli::grants {
namespace {

constexpr std::string_view description = "Lets Vouch read configuration as audit evidence. It can change nothing.";

Json trust(const Json& principal, const Json& external_id) {
  return json::object{{"Version", "2012-10-17"},
                      {"Statement", json::array{json::object{{"Effect", "Allow"},
                                                             {"Principal", {{"AWS", principal}}},
                                                             {"Action", "sts:AssumeRole"},
                                                             {"Condition", {{"StringEquals", {{"sts:ExternalId", external_id}}}}}}}}};
}

// HCL's quoted strings are JSON's, but for `${` and `%{`, which begin an expression there.
std::string hcl(std::string_view text) {
  auto quoted = json::serialize(json::string(text));
  for (std::size_t at = 0; (at = quoted.find_first_of("$%", at)) != std::string::npos; at += 2)
    if (at + 1 < quoted.size() && quoted[at + 1] == '{') quoted.insert(at, 1, quoted[at]);
  return quoted;
}

std::string variable(std::string_view name, std::string_view says, std::string_view value) {
  return fmt::format("variable \"{}\" {{\n  type        = string\n  description = {}\n{}}}\n\n", name, hcl(says),
                     value.empty() ? "" : fmt::format("  default     = {}\n", hcl(value)));
}

Json parameter(std::string_view says, std::string_view value) {
  json::object one{{"Type", "String"}, {"Description", says}, {"MinLength", 2}};
  if (!value.empty()) one["Default"] = value;
  return one;
}

constexpr std::string_view of_principal = "Who may read: an account's id, or the ARN of the role or user that Vouch runs as";
constexpr std::string_view of_external_id = "The external id that vouch.yaml names";

}  // namespace

std::size_t size_of(const Json& policy) { return json::serialize(policy).size(); }

Json policy(const Actions& actions) {
  return json::object{
      {"Version", "2012-10-17"},
      {"Statement",
       json::array{json::object{{"Sid", "VouchReads"}, {"Effect", "Allow"}, {"Action", json::value_from(actions)}, {"Resource", "*"}}}}};
}

std::vector<Json> policies(const Actions& actions, std::size_t limit) {
  const auto empty = size_of(policy({}));
  std::vector<Actions> parts;
  std::size_t used = limit;
  for (const auto& action : actions) {
    const auto more = action.size() + 3;  // quotes and a comma
    if (used + more > limit) {
      parts.emplace_back();
      used = empty;
    }
    parts.back().push_back(action);
    used += more;
  }
  std::vector<Json> cut;
  for (const auto& part : parts) cut.push_back(policy(part));
  return cut;
}

std::string terraform(const Actions& actions, const Reader& reader) {
  std::string text = fmt::format("# {}\n\n", description);
  text += variable("vouch_principal", of_principal, reader.principal);
  text += variable("vouch_external_id", of_external_id, reader.external_id);
  text += fmt::format(R"(resource "aws_iam_role" "vouch" {{
  name        = {}
  description = {}
  assume_role_policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Effect    = "Allow"
      Principal = {{ AWS = var.vouch_principal }}
      Action    = "sts:AssumeRole"
      Condition = {{ StringEquals = {{ "sts:ExternalId" = var.vouch_external_id }} }}
    }}]
  }})
}}
)",
                      hcl(reader.role), hcl(description));
  std::size_t number = 0;
  for (const auto& part : policies(actions, managed_policy_limit)) {
    ++number;
    std::string list;
    for (const auto& action : part.at("Statement").at(0).at("Action").as_array())
      list += fmt::format("        {},\n", hcl({action.as_string().data(), action.as_string().size()}));
    text += fmt::format(R"(
resource "aws_iam_policy" "vouch_{0}" {{
  name = {1}
  policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Sid      = "VouchReads"
      Effect   = "Allow"
      Resource = "*"
      Action = [
{2}      ]
    }}]
  }})
}}

resource "aws_iam_role_policy_attachment" "vouch_{0}" {{
  role       = aws_iam_role.vouch.name
  policy_arn = aws_iam_policy.vouch_{0}.arn
}}
)",
                        number, hcl(fmt::format("{}-{}", reader.role, number)), list);
  }
  return text;
}

Json stack(const Actions& actions, const Reader& reader) {
  json::object resources{
      {"Reader", json::object{{"Type", "AWS::IAM::Role"},
                              {"Properties", json::object{{"RoleName", json::object{{"Ref", "RoleName"}}},
                                                          {"Description", description},
                                                          {"AssumeRolePolicyDocument", trust(json::object{{"Ref", "Principal"}},
                                                                                             json::object{{"Ref", "ExternalId"}})}}}}}};
  std::size_t number = 0;
  for (const auto& part : policies(actions, managed_policy_limit))
    resources[fmt::format("Reads{}", ++number)] =
        json::object{{"Type", "AWS::IAM::ManagedPolicy"},
                     {"Properties", {{"PolicyDocument", part}, {"Roles", json::array{json::object{{"Ref", "Reader"}}}}}}};
  return json::object{{"AWSTemplateFormatVersion", "2010-09-09"},
                      {"Description", description},
                      {"Parameters",
                       {{"RoleName", parameter("The role's name, the same in every account", reader.role)},
                        {"Principal", parameter(of_principal, reader.principal)},
                        {"ExternalId", parameter(of_external_id, reader.external_id)}}},
                      {"Resources", std::move(resources)},
                      {"Outputs", {{"RoleArn", {{"Value", {{"Fn::GetAtt", json::array{"Reader", "Arn"}}}}}}}}};
}

Json app_manifest(const Actions& actions, std::string name, std::string home) {
  json::object permissions;
  for (const auto& action : actions) {
    const auto colon = action.find(':');
    permissions[action.substr(0, colon)] = action.substr(colon + 1);
  }
  return json::object{{"name", std::move(name)},
                      {"url", std::move(home)},
                      {"description", description},
                      {"public", false},
                      {"default_permissions", std::move(permissions)},
                      {"default_events", json::array{}}};
}

}  // namespace vouch::cli::grants
