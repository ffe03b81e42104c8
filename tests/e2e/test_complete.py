"""Every resource appears exactly once, in an account that was filled with boto3 by somebody who never saw our catalogue."""
import json

import company
import pytest
from home import PASS


@pytest.fixture(scope="module")
def account(cloud, full):
    """Plain loops, and sizes that need pages wherever the service has them."""
    n = 300 if full else 60
    aws = company.Account(cloud.endpoint)
    s3, iam, kms, rds, ec2, logs = (aws(service) for service in ("s3", "iam", "kms", "rds", "ec2", "logs"))
    for i in range(n):
        s3.create_bucket(Bucket=f"bücket-{i}".replace("ü", "u"), CreateBucketConfiguration={"LocationConstraint": company.HOME})
    for i in range(n * 2 // 3):
        iam.create_user(UserName=f"person.{i}@example", Path="/people/" if i % 2 else "/")
        if i % 3 == 0:
            iam.create_access_key(UserName=f"person.{i}@example")
    for i in range(n // 3):
        iam.create_role(RoleName=f"role+{i}", AssumeRolePolicyDocument=company.policy(
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}))
    for i in range(n // 4):
        iam.create_group(GroupName=f"group_{i}")
    for i in range(n // 2):
        kms.create_key(Description=f"{i} <&> \"quoted\"")
    for i in range(n // 2):
        rds.create_db_instance(DBInstanceIdentifier=f"database-{i}", DBInstanceClass="db.t3.micro", Engine="mysql", AllocatedStorage=5,
                               MasterUsername="u", MasterUserPassword="password-0")
        logs.create_log_group(logGroupName=f"/a/b/{i}")
    for i in range(n // 2):
        ec2.create_volume(AvailabilityZone=f"{company.HOME}b", Size=1)
        ec2.create_security_group(GroupName=f"g{i}", Description="d", VpcId=ec2.describe_vpcs()["Vpcs"][0]["VpcId"])
    return aws


@pytest.fixture(scope="module")
def home(cloud, account, module_home):
    home = module_home(cloud.endpoint, regions=(company.HOME,)).init()
    home.collect()
    return home


def pages(client, operation, *path):
    for page in client.get_paginator(operation).paginate():
        found = page[path[0]]
        yield from (item for item in found)


WHAT = {
    ("aws_s3_bucket", "bucket"): lambda aws: [b["Name"] for b in aws("s3").list_buckets()["Buckets"]],
    ("aws_iam_user", "user_id"): lambda aws: [u["UserId"] for u in pages(aws("iam"), "list_users", "Users")],
    ("aws_iam_role", "role_id"): lambda aws: [r["RoleId"] for r in pages(aws("iam"), "list_roles", "Roles")],
    ("aws_iam_group", "iam_group_id"): lambda aws: [g["GroupId"] for g in pages(aws("iam"), "list_groups", "Groups")],
    ("aws_iam_access_key", "access_key_id"): lambda aws: [k["AccessKeyId"] for u in pages(aws("iam"), "list_users", "Users")
                                                         for k in aws("iam").list_access_keys(UserName=u["UserName"])["AccessKeyMetadata"]],
    ("aws_kms_key", "key_id"): lambda aws: [k["KeyId"] for k in pages(aws("kms"), "list_keys", "Keys")],
    ("aws_rds_instance", "db_instance_id"): lambda aws: [d["DBInstanceIdentifier"] for d in pages(aws("rds"), "describe_db_instances", "DBInstances")],
    ("aws_cloudwatch_log_group", "log_group_name"): lambda aws: [g["logGroupName"] for g in pages(aws("logs"), "describe_log_groups", "logGroups")],
    ("aws_ec2_volume", "volume_id"): lambda aws: [v["VolumeId"] for v in pages(aws("ec2"), "describe_volumes", "Volumes")],
    ("aws_ec2_security_group", "group_id"): lambda aws: [g["GroupId"] for g in pages(aws("ec2"), "describe_security_groups", "SecurityGroups")],
}


@pytest.mark.parametrize("table, key", WHAT)
def test_every_resource_appears_exactly_once(home, account, table, key):
    expected = sorted(WHAT[table, key](account))
    assert len(expected) > 10
    rows = home.sql(f"select {key} as k from {table} where valid_to = 'infinity' order by 1")
    assert sorted(row["k"] for row in rows) == expected


def test_what_was_deleted_ends_and_what_is_new_begins(home, account):
    own = home.copy("later")
    s3 = account("s3")
    s3.delete_bucket(Bucket="bucket-3")
    s3.create_bucket(Bucket="bucket-new", CreateBucketConfiguration={"LocationConstraint": company.HOME})
    try:
        own.collect()
    finally:
        s3.create_bucket(Bucket="bucket-3", CreateBucketConfiguration={"LocationConstraint": company.HOME})
        s3.delete_bucket(Bucket="bucket-new")
    gone = own.sql("select valid_from, valid_to from aws_s3_bucket where bucket = 'bucket-3'")
    new = own.sql("select valid_from, valid_to from aws_s3_bucket where bucket = 'bucket-new'")
    assert len(gone) == 1 and gone[0]["valid_to"] is not None and "infinity" not in str(gone[0]["valid_to"])
    assert len(new) == 1 and (new[0]["valid_to"] is None or "infinity" in str(new[0]["valid_to"]))
    assert own.sql("select count(*) as n from aws_s3_bucket where valid_to = 'infinity'") == home.sql("select count(*) as n from aws_s3_bucket where valid_to = 'infinity'")


def contents(home):
    """What the last run saw, without the digests of the bodies: those are kept as received, with the request ids of their first sight."""
    tree = [leaf["leaf"] for leaf in home.json("log", "show", code=PASS)["leaves"] if leaf["leaf"]["kind"] == "collection"][-1]["tree"]
    blob = {}
    for entry in json.loads(home.run("log", "show", "--blob", tree, code=PASS).out)["entries"]:
        manifest = json.loads(home.run("log", "show", "--blob", entry["manifest"], code=PASS).out)
        requests = [{name: value for name, value in request.items() if name != "body"} for request in manifest["requests"]]
        blob[entry["operation"], json.dumps(entry["scope"])] = (entry["outcome"], requests)
    return blob


def test_the_same_account_has_the_same_content_in_two_homes(cloud, account, new_home):
    """No clock, no request id and no page token is in what a run says it saw."""
    seen = []
    for _ in range(2):
        home = new_home(cloud.endpoint, regions=(company.HOME,)).init()
        home.collect()
        seen.append(contents(home))
    assert seen[0].keys() == seen[1].keys()
    for operation in seen[0]:
        assert seen[0][operation] == seen[1][operation], operation
