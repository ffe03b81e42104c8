"""What Vouch asks to be allowed is what it needs: no call is refused under it, and no action of it could be left out."""
import json

import boto3
import company
import pytest
import yaml
from authority import FREE, Authority, operations, unheard
from conftest import ROOT
from home import PASS, UNDECIDED, USAGE
from proxy import Deny


def all_actions():
    return sorted({action for _, _, actions, _ in operations() for action in actions} - FREE)


def pytest_generate_tests(metafunc):
    if "without" in metafunc.fixturenames:
        actions = all_actions()
        metafunc.parametrize("without", actions if metafunc.config.getoption("--full") else actions[7::60])


@pytest.fixture(scope="module")
def home(filled, module_home):
    cloud, _ = filled
    return module_home(cloud.endpoint).init()


@pytest.fixture(scope="module")
def policy(home):
    return home.run("permissions", "aws", "--as", "policy", code=PASS).json()


@pytest.fixture(scope="module")
def whole(home):
    home.collect()
    return home


def test_under_the_policy_no_call_is_refused(whole, policy, proxy, new_home):
    [statement] = policy["Statement"]
    authority = Authority(statement["Action"])
    proxy.when(where=authority.refuses, then=Deny())
    home = new_home(proxy.endpoint).init()
    home.collect()
    assert not authority.refused
    assert home.status() == whole.status()


def test_without_one_action_just_its_facts_are_unknown(whole, policy, proxy, new_home, without):
    authority = Authority(set(policy["Statement"][0]["Action"]) - {without})
    proxy.when(where=authority.refuses, then=Deny())
    home = new_home(proxy.endpoint).init()
    home.collect()
    lost = unheard(without)
    tables = {table["table"] for file in (ROOT / "catalog" / "facts").rglob("*.yaml") for table in yaml.safe_load(file.read_text()) if table["from"] in lost}
    before, now = whole.status(), home.status()
    reads = whole.tables_of_controls()
    for control, verdict in now.items():
        if not reads[control] & tables or not authority.refused:
            assert verdict == before[control], f"{control} reads nothing that {without} tells"
        elif verdict != before[control]:
            assert verdict["verdict"] == "unknown", f"{control} without {without}: {verdict}"
        else:  # where there is nothing to ask for, nothing is missing; what was unknown stays so
            assert verdict["verdict"] in ("empty", "unknown"), f"{control} says {verdict['verdict']} without {without}"
    for member in (member for control in now if reads[control] & tables and now[control] != before[control] for member in home.members(control).values()):
        assert member["verdict"] == "unknown" and member["reason"]


def test_the_forms_say_the_same(home, policy):
    actions = policy["Statement"][0]["Action"]
    assert actions == sorted(actions)
    assert set(actions) - FREE - {"ec2:DescribeRegions"} == set(all_actions())
    assert len(json.dumps(policy, separators=(",", ":"))) <= 10240, "an inline policy of a role holds no more"
    listed = home.json("permissions", "aws")["permissions"]
    assert [one["action"] for one in listed] == actions
    template = home.run("permissions", "aws", "--as", "stackset", "--external-id", "x-1", code=PASS).json()
    stacked = [policy for name, policy in template["Resources"].items() if policy["Type"] == "AWS::IAM::ManagedPolicy"]
    assert sorted(action for one in stacked for action in one["Properties"]["PolicyDocument"]["Statement"][0]["Action"]) == actions
    terraform = home.run("permissions", "aws", "--as", "terraform", code=PASS).out
    assert all(f'"{action}"' in terraform for action in actions)


def test_the_stack_makes_a_role_that_may_do_just_that(filled, home, policy):
    template = home.run("permissions", "aws", "--as", "stackset", "--role", "Reader", code=PASS).out
    cloud, _ = filled

    def client(service):
        return boto3.client(service, endpoint_url=cloud.endpoint, region_name="us-east-1", aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="x")
    client("cloudformation").create_stack(
        StackName="vouch", TemplateBody=template, Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": "Principal", "ParameterValue": "arn:aws:iam::111122223333:role/vouch"}, {"ParameterKey": "ExternalId", "ParameterValue": "x-1"}])
    iam = client("iam")
    [trust] = iam.get_role(RoleName="Reader")["Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"AWS": "arn:aws:iam::111122223333:role/vouch"} and trust["Condition"] == {"StringEquals": {"sts:ExternalId": "x-1"}}
    allowed = set()
    for attached in iam.list_attached_role_policies(RoleName="Reader")["AttachedPolicies"]:
        document = iam.get_policy_version(PolicyArn=attached["PolicyArn"], VersionId="v1")["PolicyVersion"]["Document"]
        assert len(json.dumps(document, separators=(",", ":"))) <= 6144, "a managed policy holds no more"
        [statement] = document["Statement"]
        allowed |= set(statement["Action"])
    assert allowed == set(policy["Statement"][0]["Action"])


# Where moto's own enforcement says what AWS would: signatures checked, actions by their true names.
RIGHT = {"iam:GetAccountPasswordPolicy", "ec2:DescribeVolumes", "logs:DescribeLogGroups", "kms:DescribeKey", "cloudtrail:DescribeTrails", "elasticloadbalancing:DescribeListeners",
         "states:ListStateMachines", "wafv2:ListWebACLs", "ec2:DescribeRegions"}
# What it does elsewhere, right or wrong under any policy.
WRONG = {"apigateway": "signature", "apigatewayv2": "signature", "backup": "signature", "cloudfront": "signature", "cloudwatch": "signature", "efs": "signature",
         "eks": "signature", "guardduty": "signature", "lambda": "signature", "opensearch": "signature", "route53": "signature", "securityhub": "signature",
         "s3": "actions are called as the operations", "s3control": "signature"}


def refused_by_moto(cloud, new_home, actions, regions):
    """The operations that moto refuses to a user with a policy of these actions."""
    iam = boto3.client("iam", endpoint_url=cloud.endpoint, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    iam.create_user(UserName="vouch")
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": sorted(actions), "Resource": "*"}]}
    iam.put_user_policy(UserName="vouch", PolicyName="read", PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName="vouch")["AccessKey"]
    home = new_home(cloud.endpoint, regions=regions, env={"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}).init()
    with cloud.enforcing():
        [run] = home.json("collect")["runs"]
    iam.delete_access_key(UserName="vouch", AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName="vouch", PolicyName="read")
    iam.delete_user(UserName="vouch")
    return {one["operation"]: one["reason"] for one in run["incomplete"] if "depends on" not in one["reason"]}


def test_moto_itself_refuses_nothing_under_the_policy_and_what_is_taken_out_of_it(filled, policy, new_home):
    cloud, _ = filled
    actions = set(policy["Statement"][0]["Action"])
    assert actions >= RIGHT
    whole = refused_by_moto(cloud, new_home, actions, [company.HOME])
    assert {operation.split(":")[0] for operation in whole} <= WRONG.keys(), whole
    less = refused_by_moto(cloud, new_home, actions - RIGHT, [company.HOME])
    expected = {f"{service}:{operation}" for service, operation, needed, _ in operations() if RIGHT & set(needed)}
    assert less.keys() - whole.keys() == expected


def test_without_the_list_of_regions_what_is_regional_is_unknown(whole, policy, new_home, filled):
    lost = refused_by_moto(filled[0], new_home, set(policy["Statement"][0]["Action"]) - {"ec2:DescribeRegions"}, None)
    assert "ec2:DescribeRegions denied" in lost["ec2:DescribeVolumes"] and "iam:GetAccountPasswordPolicy" not in lost


def test_the_app_asks_for_permissions_that_github_has(home):
    manifest = home.run("permissions", "github", "--as", "app-manifest", code=PASS).json()
    schemas = json.loads((ROOT / ".deps" / "github" / "api.github.com.json").read_text())["components"]["schemas"]
    known = schemas["app-permissions"]["properties"]
    for name, access in manifest["default_permissions"].items():
        assert access == "read"
        assert name == "metadata" or access in known[name]["enum"], name


def test_a_wrong_word_is_told_what_there_is(home):
    assert "the catalogue has no source `azure`; it has: aws, " in home.run("permissions", "azure", code=USAGE).err
    assert "policy, terraform, stackset" in home.run("permissions", "aws", "--as", "arm", code=USAGE).err
