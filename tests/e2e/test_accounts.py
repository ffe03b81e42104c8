"""A company of twelve accounts under AWS Organizations: all are read from one place, and one that cannot be entered never just vanishes."""
import dataclasses
import functools
import json

import boto3
import company
import pytest
from cloud import Cloud
from home import PASS, UNDECIDED
from proxy import Deny, Proxy

SESSION = boto3.Session()

ROLE = "VouchReader"
REGIONS = [company.HOME]
UNITS = {"Workloads": {"Prod": 6, "Lab": 2}, "Sandbox": 2}  # accounts in each; the managing one and one more stand in the root


def client(endpoint, service, account=None):
    keys = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "example-of-a-secret-key"}
    if account:
        given = assumed(endpoint, account)
        keys = {"aws_access_key_id": given["AccessKeyId"], "aws_secret_access_key": given["SecretAccessKey"], "aws_session_token": given["SessionToken"]}
    return SESSION.client(service, endpoint_url=endpoint, region_name=company.HOME, **keys)


@functools.cache
def assumed(endpoint, account):
    return client(endpoint, "sts").assume_role(RoleArn=f"arn:aws:iam::{account}:role/{ROLE}", RoleSessionName="fill")["Credentials"]


def fill(endpoint):
    """-> {name: account}. Each account has a bucket and a user of its own, so that every verdict on it stands on something."""
    organisation = client(endpoint, "organizations")
    organisation.create_organization(FeatureSet="ALL")
    root = organisation.list_roots()["Roots"][0]["Id"]
    accounts = {"master": company.ACCOUNT}

    def make(name, parent):
        account = organisation.create_account(Email=f"{name}@example.com", AccountName=name)["CreateAccountStatus"]["AccountId"]
        if parent != root:
            organisation.move_account(AccountId=account, SourceParentId=root, DestinationParentId=parent)
        accounts[name] = account

    def grow(tree, parent):
        for name, below in tree.items():
            unit = organisation.create_organizational_unit(ParentId=parent, Name=name)["OrganizationalUnit"]["Id"]
            if isinstance(below, dict):
                grow(below, unit)
            else:
                for number in range(below):
                    make(f"{name.lower()}-{number}", unit)

    grow(UNITS, root)
    make("log", root)
    organisation.register_delegated_administrator(AccountId=accounts["log"], ServicePrincipal="guardduty.amazonaws.com")
    for name, account in accounts.items():
        client(endpoint, "s3", account).create_bucket(Bucket=f"logs-of-{name}", CreateBucketConfiguration={"LocationConstraint": company.HOME})
        client(endpoint, "iam", account).create_user(UserName=f"user-of-{name}")
    return accounts


@pytest.fixture(scope="module")
def cloud():
    with Cloud(managed_policies=False) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def accounts(cloud):
    found = fill(cloud.endpoint)
    assert len(found) == 12
    return found


def settings(home, text):
    """Puts `text` under `aws:`."""
    file = home.path / "vouch.yaml"
    file.write_text(file.read_text().replace("  aws:\n    on: true\n", f"  aws:\n    on: true\n{text}", 1))
    return home


WHOLE = f"    role: {ROLE}\n    external id: acme-7f3a\n    organisation: {{}}\n"


def verdicts(home):
    """{control: {member's key: (verdict, reason)}} of all that are on and read more than the ledger."""
    tables = home.tables_of_controls()
    found = {control: {} for control in home.status() if not tables[control] <= {"vouch_collection", "vouch_account"}}
    for row in home.sql("select control, key, answer, reason from vouch.verdict_member"):
        if row["control"] in found:
            found[row["control"]][tuple(sorted(json.loads(row["key"]).items()))] = (row["answer"], row["reason"])
    return found


@pytest.fixture(scope="module")
def whole(cloud, accounts, module_home):
    home = settings(module_home(cloud.endpoint, regions=REGIONS).init(), WHOLE)
    home.first = home.json("collect", code=PASS)
    return home


def test_every_account_is_collected_by_the_role_and_the_tree_of_units_is_known(whole, accounts):
    assert {run["account"]: run["outcome"] for run in whole.first["runs"]}.keys() == set(accounts.values())
    assert whole.first["runs"][0]["account"] == company.ACCOUNT
    assert {row["account"]: row["user_name"] for row in whole.sql("select account, user_name from aws_iam_user")} == \
        {account: f"user-of-{name}" for name, account in accounts.items()}
    units = {row["unit_name"]: row["parent_id"] for row in whole.sql("select unit_name, parent_id from aws_organizations_unit")}
    ids = {row["unit_name"]: row["unit_id"] for row in whole.sql("select unit_name, unit_id from aws_organizations_unit")}
    assert units.keys() == {"Workloads", "Prod", "Lab", "Sandbox"} and units["Prod"] == units["Lab"] == ids["Workloads"]
    assert whole.sql("select member_account_id as a from aws_organizations_delegated_administrator") == [{"a": accounts["log"]}]
    collected = whole.members("organization-accounts-collected")
    assert {member["verdict"] for member in collected.values()} == {"pass"} and len(collected) == 12
    whole.verify()


def test_an_unchanged_collection_of_all_accounts_adds_no_body(whole, accounts):
    own = whole.copy("unchanged")
    before, leaves = {file: file.stat().st_size for file in own.files("ledger", "blobs")}, own.json("status")["checkpoint"]["size"]
    answer = own.json("collect", code=PASS)
    assert len(answer["runs"]) == 12 and all(run["unchanged"] and run["counts"]["new_bodies"] == 0 for run in answer["runs"])
    assert answer["facts"] == {"opened": 0, "closed": 0}
    assert answer["checkpoint"]["size"] == leaves + 12  # one leaf an account, and no decision that was there before
    added = sum(file.stat().st_size for file in own.files("ledger", "blobs")) - sum(before.values())
    packs = [file for file in own.files("blobs") if file not in before]
    print(f"an unchanged run of 12 accounts adds {added} bytes: {added / 12:.0f} an account")
    assert len(packs) <= 12 and added / 12 < 4096, (added, packs)
    own.verify()


def closing(cloud, account):
    proxy = Proxy(cloud.port)
    proxy.when(service="sts", operation="AssumeRole", resource=f"arn:aws:iam::{account}:role/{ROLE}", then=Deny())
    return proxy


def test_an_account_that_refuses_us_is_unknown_with_the_reason_and_nothing_else_changes(whole, cloud, accounts, new_home):
    closed = accounts["prod-3"]
    with closing(cloud, closed) as proxy:
        home = settings(new_home(proxy.endpoint, regions=REGIONS).init(), WHOLE)
        answer = home.json("collect", code=UNDECIDED)
    outcomes = {run["account"]: run["outcome"] for run in answer["runs"]}
    assert outcomes.keys() == set(accounts.values()) and [account for account, outcome in outcomes.items() if outcome == "denied"] == [closed]
    home.verify()
    expected, found = verdicts(whole), verdicts(home)
    assert expected.keys() == found.keys()
    met = 0
    for control, members in expected.items():
        concerned = [key for key in members if ("account", closed) in key]
        rest = {key: verdict for key, verdict in members.items() if key not in concerned}
        assert {key: verdict for key, verdict in found[control].items() if ("account", closed) not in key} == rest, control
        there = {key: verdict for key, verdict in found[control].items() if ("account", closed) in key}
        if concerned:
            assert there, f"{control}: the closed account's members are gone"
            met += 1
        for verdict, reason in there.values():
            assert verdict == "unknown" and "AssumeRole answers AccessDenied" in reason, (control, verdict, reason)
    assert met > 10
    member = home.members("organization-accounts-collected")["prod-3"]
    assert member["verdict"] == "unknown" and "AssumeRole answers AccessDenied" in member["reason"]
    # The same where it was collected before.
    again = whole.copy("closed-later")
    with closing(cloud, closed) as proxy:
        again.endpoint = proxy.endpoint
        again.json("collect", code=UNDECIDED)
    assert {row["account"] for row in again.sql("select account from aws_iam_user where valid_to = 'infinity'")} == set(accounts.values())
    later = verdicts(again)
    for control, members in expected.items():
        assert {key: verdict for key, verdict in later[control].items() if ("account", closed) not in key} == \
            {key: verdict for key, verdict in members.items() if ("account", closed) not in key}, control
        assert {key for key in members if ("account", closed) in key} <= later[control].keys(), control
        assert all(verdict == "unknown" for key, (verdict, _) in later[control].items() if ("account", closed) in key), control


@dataclasses.dataclass
class Assumed:
    """These credentials, whatever role was asked for."""

    credentials: dict

    async def act(self, call, forward, writer):
        members = "".join(f"<{name}>{value.isoformat() if name == 'Expiration' else value}</{name}>" for name, value in self.credentials.items())
        body = f"<AssumeRoleResponse><AssumeRoleResult><Credentials>{members}</Credentials></AssumeRoleResult></AssumeRoleResponse>".encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def test_an_account_that_answers_in_the_place_of_another_is_not_taken_for_it(cloud, accounts, new_home):
    with Proxy(cloud.port) as proxy:
        home = settings(new_home(proxy.endpoint, regions=REGIONS).init(), f"    role: {ROLE}\n    accounts: [{accounts['log']}]\n")
        proxy.when(service="sts", operation="AssumeRole", then=Assumed(assumed(cloud.endpoint, accounts["prod-0"])))
        answer = home.json("collect", code=UNDECIDED)
    assert [(run["account"], run["outcome"]) for run in answer["runs"]][1:] == [(accounts["log"], "failed")]
    assert f"account {accounts['prod-0']} answers in its place" in answer["runs"][1]["reason"]


def test_what_vouch_yaml_leaves_out_is_a_narrowing_that_status_names(whole, accounts):
    home = whole.copy("narrowed")
    file = home.path / "vouch.yaml"
    file.write_text(file.read_text().replace(WHOLE, f"""\
    role: {ROLE}
    organisation:
      include: [{{unit: Workloads}}]
      exclude: [{{unit: Workloads/Lab, reason: nothing of customers}}, {{account: "{accounts['prod-1']}", reason: handed over}}]
"""))
    answer = home.json("collect", code=PASS)
    inside = {accounts[name] for name in ("master", "prod-0", "prod-2", "prod-3", "prod-4", "prod-5")}
    assert {run["account"] for run in answer["runs"]} == inside
    reasons = {accounts["lab-0"]: "nothing of customers", accounts["lab-1"]: "nothing of customers", accounts["prod-1"]: "handed over",
               **{accounts[name]: "under no `include` of vouch.yaml" for name in ("sandbox-0", "sandbox-1", "log")}}
    status = home.json("status")
    assert {one["account"]: one["reason"] for one in status["left_out"]} == {one["account"]: one["reason"] for one in answer["left_out"]} == reasons
    assert "(nothing of customers)" in home.run("status").out
    # What was read of them before has no say.
    assert {dict(key)["account"] for members in verdicts(home).values() for key in members} <= inside
    assert set(home.members("organization-accounts-collected")) == {"master", "prod-0", "prod-2", "prod-3", "prod-4", "prod-5"}
    # Taken back: what is read now is on record too.
    file.write_text(file.read_text().replace(f', {{account: "{accounts["prod-1"]}", reason: handed over}}', ""))
    assert accounts["prod-1"] not in {one["account"] for one in home.json("collect", code=PASS)["left_out"]}
    assert len(home.sql(f"select 1 from vouch_account where account = '{accounts['prod-1']}'")) == 3
    assert home.members("organization-accounts-collected")["prod-1"]["verdict"] == "pass"
    home.verify()


def test_without_a_word_on_the_organisation_its_other_accounts_are_missed_aloud(cloud, accounts, new_home):
    home = new_home(cloud.endpoint, regions=REGIONS).init()
    home.json("collect", code=PASS)
    members = home.members("organization-accounts-collected")
    assert len(members) == 12 and members.pop("master")["verdict"] == "pass"
    assert {member["verdict"] for member in members.values()} == {"fail"}
