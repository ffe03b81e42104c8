"""What a collection stores of an account that somebody else filled: every resource once, no secret, nothing lost to a kill."""
import collections
import json
import os
import pathlib
import random
import signal
import subprocess
import time

import company
import pytest


class Tool:
    """collect_tool with a home and an endpoint, in an environment with nothing of this machine in it."""

    def __init__(self, program, folder, endpoint):
        self.program, self.home = program, pathlib.Path(folder) / "home"
        self.env = {"PATH": os.environ["PATH"], "HOME": str(folder), "AWS_ENDPOINT_URL": endpoint, "AWS_REGION": company.HOME, "AWS_EC2_METADATA_DISABLED": "true"}

    def start(self):
        return subprocess.Popen([self.program, "run", self.home, company.HOME], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self):
        out, err = (process := self.start()).communicate(timeout=300)
        assert process.returncode == 0, err
        return json.loads(out)

    def show(self):
        """{operation: requests} of the last run."""
        shown = subprocess.run([self.program, "show", self.home], env=self.env, capture_output=True, text=True, timeout=300)
        assert shown.returncode == 0, shown.stderr
        return {line["operation"]: line for line in map(json.loads, shown.stdout.splitlines())}

    def stored_bytes(self):
        return sum(path.stat().st_size for folder in ("ledger", "blobs") for path in (self.home / folder).rglob("*") if path.is_file())


@pytest.fixture(scope="session")
def program(request):
    build = pathlib.Path(request.config.getoption("--vouch")).resolve().parent
    subprocess.run(["cmake", "--build", build, "--target", "collect_tool"], check=True, capture_output=True)
    return build / "collect_tool"


@pytest.fixture(scope="module")
def account(cloud):
    aws = company.Account(cloud.endpoint)
    s3, iam, kms, ec2, rds, logs = (aws(service) for service in ("s3", "iam", "kms", "ec2", "rds", "logs"))
    for i in range(300):
        s3.create_bucket(Bucket=f"bucket-{i}", CreateBucketConfiguration={"LocationConstraint": company.HOME})
        if i % 3 == 0:
            s3.put_bucket_tagging(Bucket=f"bucket-{i}", Tagging={"TagSet": [{"Key": "owner", "Value": f"team <{i}> & co"}]})
    for i in range(200):
        iam.create_user(UserName=f"user.{i}@example")
        if i % 4 == 0:
            iam.create_access_key(UserName=f"user.{i}@example")
    for i in range(100):
        iam.create_role(RoleName=f"role-{i}", AssumeRolePolicyDocument=company.policy(
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}))
        kms.create_key(Description=f"key {i} äöü")
        ec2.create_volume(AvailabilityZone=f"{company.HOME}a", Size=1)
    for i in range(60):
        rds.create_db_instance(DBInstanceIdentifier=f"db-{i}", DBInstanceClass="db.t3.micro", Engine="mysql", AllocatedStorage=5, MasterUsername="u",
                               MasterUserPassword="hunter2-hunter2")
        logs.create_log_group(logGroupName=f"/app/{i}")
    iam.create_virtual_mfa_device(VirtualMFADeviceName="mfa")
    return aws


@pytest.fixture(scope="module")
def collected(program, account, cloud, tmp_path_factory):
    tool = Tool(program, tmp_path_factory.mktemp("collect"), cloud.endpoint)
    tool.summary = tool.run()
    return tool


@pytest.fixture(scope="module")
def answers(collected):
    return collected.show()


def elements(answers, operation, member):
    return [element for request in answers[operation]["requests"] for element in request.get("value", {}).get(member, [])]


LISTED = {
    "buckets": (lambda a: [b["Name"] for b in elements(a, "s3:ListBuckets", "Buckets")], lambda aws: [b["Name"] for b in aws("s3").list_buckets()["Buckets"]]),
    "users": (lambda a: [u["UserId"] for u in elements(a, "iam:GetAccountAuthorizationDetails", "UserDetailList")],
              lambda aws: [u["UserId"] for p in aws("iam").get_paginator("list_users").paginate() for u in p["Users"]]),
    "roles": (lambda a: [r["RoleId"] for r in elements(a, "iam:GetAccountAuthorizationDetails", "RoleDetailList")],
              lambda aws: [r["RoleId"] for p in aws("iam").get_paginator("list_roles").paginate() for r in p["Roles"]]),
    "keys": (lambda a: [k["KeyId"] for k in elements(a, "kms:ListKeys", "Keys")],
             lambda aws: [k["KeyId"] for p in aws("kms").get_paginator("list_keys").paginate() for k in p["Keys"]]),
    "volumes": (lambda a: [v["VolumeId"] for v in elements(a, "ec2:DescribeVolumes", "Volumes")],
                lambda aws: [v["VolumeId"] for p in aws("ec2").get_paginator("describe_volumes").paginate() for v in p["Volumes"]]),
    "databases": (lambda a: [d["DBInstanceIdentifier"] for d in elements(a, "rds:DescribeDBInstances", "DBInstances")],
                  lambda aws: [d["DBInstanceIdentifier"] for p in aws("rds").get_paginator("describe_db_instances").paginate() for d in p["DBInstances"]]),
    "log groups": (lambda a: [g["logGroupName"] for g in elements(a, "logs:DescribeLogGroups", "logGroups")],
                   lambda aws: [g["logGroupName"] for p in aws("logs").get_paginator("describe_log_groups").paginate() for g in p["logGroups"]]),
}


@pytest.mark.parametrize("kind", LISTED)
def test_every_resource_stands_exactly_once_in_the_stored_bodies(account, answers, kind):
    ours, theirs = LISTED[kind]
    expected = theirs(account)
    assert len(expected) >= 60
    assert collections.Counter(ours(answers)) == collections.Counter(expected)


@pytest.mark.parametrize("operation, key, count", [("s3:GetBucketTagging", "Bucket", 300), ("s3:GetBucketPolicy", "Bucket", 300),
                                                   ("iam:ListAccessKeys", "UserName", 200), ("kms:DescribeKey", "KeyId", 100)])
def test_each_element_of_a_listing_is_asked_for_once(answers, operation, key, count):
    asked = collections.Counter(request["params"][key] for request in answers[operation]["requests"])
    assert len(asked) == count and set(asked.values()) == {1}
    assert answers[operation]["outcome"] == "complete"


def test_an_absence_is_an_observation_and_keeps_the_words_that_said_so(answers):
    tagging = answers["s3:GetBucketTagging"]["requests"]
    absent = [request for request in tagging if request.get("absent")]
    assert len(tagging) - len(absent) == 100
    assert all(request["error"] == "NoSuchTagSet" and request["body"] for request in absent)


def test_secrets_of_the_account_are_not_stored(answers):
    device = elements(answers, "iam:ListVirtualMFADevices", "VirtualMFADevices")
    assert all(value.startswith("hmac-sha256:") for found in device for value in (found.get("Base32StringSeed"), found.get("QRCodePNG")) if value)
    assert "hunter2" not in json.dumps(answers)


def test_an_unchanged_account_adds_one_small_leaf(collected):
    for _ in range(2):
        before = collected.stored_bytes()
        again = collected.run()
        assert again["unchanged"] and again["leaf"]["counts"]["new_bodies"] == 0
        assert again["leaf"]["tree"] == collected.summary["leaf"]["tree"]
        assert collected.stored_bytes() - before <= 4096


def test_one_change_stores_one_body_and_so_does_its_undoing(account, collected):
    account("s3").put_bucket_tagging(Bucket="bucket-1", Tagging={"TagSet": [{"Key": "owner", "Value": "somebody"}]})
    assert collected.run()["leaf"]["counts"]["new_bodies"] == 1
    account("s3").delete_bucket_tagging(Bucket="bucket-1")
    after = collected.run()
    assert after["leaf"]["counts"]["new_bodies"] == 1  # the refusal, whose request id is another
    assert collected.run()["leaf"]["tree"] == after["leaf"]["tree"]


def test_an_operation_that_the_server_lacks_has_failed(program, account, cloud, tmp_path):
    tool = Tool(program, tmp_path, cloud.endpoint)
    own = tool.home / "catalog" / "sources" / "aws"
    own.mkdir(parents=True)
    (own / "own.yaml").write_text("service: macie2\nscope: region\noperations:\n  - operation: ListAutomatedDiscoveryAccounts\n")
    tool.env["AWS_DATA_PATH"] = str(pathlib.Path(__file__).resolve().parents[2] / ".deps" / "botocore" / "botocore" / "data")
    incomplete = {entry["operation"]: entry for entry in tool.run()["incomplete"]}
    assert incomplete["macie2:ListAutomatedDiscoveryAccounts"]["outcome"] == "failed", incomplete


def test_kills_leave_the_last_state_and_nothing_lying_about(program, account, cloud, tmp_path, full):
    tool = Tool(program, tmp_path, cloud.endpoint)
    began = time.monotonic()
    tree = tool.run()["leaf"]["tree"]
    length = time.monotonic() - began
    chance = random.Random(20260301)
    before = tool.stored_bytes()
    killed = 0
    for _ in range(30 if full else 5):
        process = tool.start()
        time.sleep(chance.uniform(0.05, length))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
    assert killed >= 3
    last = tool.run()
    assert last["unchanged"] and last["leaf"]["tree"] == tree
    assert tool.stored_bytes() - before <= 4096 * (31 if full else 6)
    assert not [path for path in tool.home.rglob("*") if "tmp" in path.name]
