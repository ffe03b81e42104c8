"""What AWS itself calls sensitive in its models never comes in: a source file lists it under `secret`, or it is named here with the reason why it may stay."""
import functools

import botocore.loaders
import yaml
from conftest import ROOT

# Beginnings of paths, without `[]`, by operation.
MAY_STAY = {
    "cloudfront:ListDistributions": {"DistributionList.Items.Comment": "a description"},
    "cloudfront:GetDistributionConfig": {"DistributionConfig.Comment": "a description", "DistributionConfig.TenantConfig": "a description"},
    "ecs:DescribeTaskDefinition": {"taskDefinition.containerDefinitions.repositoryCredentials": "the ARN of a secret",
                                   "taskDefinition.containerDefinitions.environment": "names; each value is listed"},
    "identitystore:ListUsers": dict.fromkeys(["Users.UserName", "Users.ExternalIds", "Users.Name", "Users.DisplayName", "Users.NickName", "Users.ProfileUrl", "Users.Emails",
                                              "Users.UserType", "Users.Title", "Users.PreferredLanguage", "Users.Locale", "Users.Timezone", "Users.Website", "Users.Roles"],
                                             "who somebody is at work, which joins accounts to people"),
    "identitystore:ListGroups": {"Groups": "names of groups"},
    "lambda:ListFunctions": {"Functions.Environment.Error": "what went wrong", "Functions.ImageConfigResponse.Error": "what went wrong",
                             "Functions.RuntimeVersionConfig.Error": "what went wrong"},
    "organizations:DescribeOrganization": {"Organization.MasterAccountEmail": "names an account"},
    "organizations:ListAccounts": {"Accounts": "names accounts"},
    "organizations:ListDelegatedAdministrators": {"DelegatedAdministrators": "names accounts"},
    "s3:GetBucketEncryption": {"ServerSideEncryptionConfiguration": "the id of a key"},
    "s3:ListBucketInventoryConfigurations": {"InventoryConfigurationList": "the id of a key"},
    "ssm:DescribeInstanceInformation": {"InstanceInformationList.IPAddress": "an address"},
    "stepfunctions:DescribeStateMachine": {"description": "a description", "variableReferences": "names of variables"},
}


def sensitive_members(model, shape, path="", seen=frozenset()):
    """Paths, without `[]`, of what a model marks as sensitive."""
    described = model["shapes"][shape]
    if described.get("sensitive"):
        yield path
    elif shape not in seen:
        inside = {"structure": lambda: described["members"].items(), "list": lambda: [("", described["member"])], "map": lambda: [("", described["value"])]}
        for name, member in inside.get(described["type"], lambda: [])():
            yield from sensitive_members(model, member["shape"], f"{path}.{name}".strip("."), seen | {shape})


@functools.cache
def operations():
    """(name, its entry in the source file, its sensitive members)"""
    found = []
    for file in sorted((ROOT / "catalog" / "sources" / "aws").glob("*.yaml")):
        source = yaml.safe_load(file.read_text())
        model = botocore.loaders.Loader().load_service_model(source["service"], "service-2")
        for entry in source["operations"]:
            output = model["operations"].get(entry["operation"], {}).get("output")
            if output:
                found.append((f"{source['service']}:{entry['operation']}", entry, sorted(set(sensitive_members(model, output["shape"])))))
    return found


def is_below(path, beginning):
    return path == beginning or path.startswith(beginning + ".")


def test_what_aws_calls_sensitive_is_a_keyed_hash_or_known_to_be_no_secret():
    open_ones = [f"{name} {path}" for name, entry, members in operations() for path in members
                 if not any(is_below(path, secret.replace("[]", "")) for secret in entry.get("secret", []))
                 and not any(is_below(path, known) for known in MAY_STAY.get(name, {}))]
    assert not open_ones, "list them under `secret`, or say why they may stay: " + ", ".join(open_ones)
    assert sum(len(members) for _, _, members in operations()) > 40


def test_nothing_is_excused_that_is_not_there():
    members = {name: found for name, _, found in operations()}
    for name, known in MAY_STAY.items():
        for path in known:
            assert any(is_below(found, path) for found in members.get(name, [])), f"{name} {path}"
