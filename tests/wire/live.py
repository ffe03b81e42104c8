#!/usr/bin/env python3
"""Runs the client against real servers on loopback: moto (no signatures checked) and versitygw (S3, which checks them).

    live.py WIRE_TOOL BOTOCORE_DATA [VERSITYGW]

Needs moto[server] and boto3 in the Python that runs it. boto3 fills; wire_tool lists; every resource must appear exactly once.
"""
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import boto3
from botocore.config import Config

REGION = "eu-central-1"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port):
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    sys.exit(f"nothing listens on port {port}")


class Tool:
    def __init__(self, path, data, endpoint, key="test", secret="test"):
        self.process = subprocess.Popen([path, data], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.endpoint, self.key, self.secret = endpoint, key, secret

    def call(self, service, operation, secret=None, **params):
        request = {"do": "call", "service": service, "operation": operation, "region": REGION, "params": params, "id": self.key,
                   "secret": secret or self.secret, "environment": {"AWS_ENDPOINT_URL": self.endpoint}}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


failures = []


def expect(what, got, want):
    print(("ok   " if got == want else "FAIL ") + what, flush=True)
    if got != want:
        failures.append(what)
        print(f"     got  {str(got)[:1500]}\n     want {str(want)[:500]}")


def listed(answer, member, key):
    return sorted(item[key] if key else item for page in answer["pages"] for item in page.get(member, []))


def against_moto(tool, endpoint):
    aws = lambda service: boto3.client(service, endpoint_url=endpoint, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test")
    iam, s3, ec2, kms, logs, rds = (aws(name) for name in ("iam", "s3", "ec2", "kms", "logs", "rds"))
    watch, trail = aws("cloudwatch"), aws("cloudtrail")

    identity = tool.call("sts", "GetCallerIdentity")
    expect("sts: who we are", identity["pages"][0].get("Account"), "123456789012")
    expect("a loopback is simulated", identity["simulated"], True)

    users = sorted(f"eng-{i:03}" for i in range(130))
    for user in users:
        iam.create_user(UserName=user)
    answer = tool.call("iam", "ListUsers")
    expect("iam: 130 users", (listed(answer, "Users", "UserName"), answer["heard"]), (users, "ok"))
    expect("iam: no such user is absent", [tool.call("iam", "GetUser", UserName="nobody")[k] for k in ("heard", "code")], ["absent", "NoSuchEntity"])
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    roles = sorted(f"role-{i:03}" for i in range(120))
    for role in roles:
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(policy))
    answer = tool.call("iam", "GetAccountAuthorizationDetails", Filter=["Role"])
    expect("iam: roles of the bulk call", listed(answer, "RoleDetailList", "RoleName"), roles)

    buckets = sorted(f"bucket-{i:03}" for i in range(30)) + ["dotted.bucket.name"]
    for bucket in buckets:
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    expect("s3: buckets", listed(tool.call("s3", "ListBuckets"), "Buckets", "Name"), sorted(buckets))
    keys = sorted([f"k {i:04}+ü&<" for i in range(25)])
    for key in keys:
        s3.put_object(Bucket=buckets[0], Key=key, Body=b"x")
    answer = tool.call("s3", "ListObjectsV2", Bucket=buckets[0], MaxKeys=10)
    expect("s3: keys with odd characters in pages of 10", (listed(answer, "Contents", "Key"), len(answer["pages"])), (keys, 3))
    answer = tool.call("s3", "ListObjectVersions", Bucket=buckets[0], MaxKeys=10)
    expect("s3: versions (two tokens)", listed(answer, "Versions", "Key"), keys)
    expect("s3: no policy is absent", [tool.call("s3", "GetBucketPolicy", Bucket=buckets[0])[k] for k in ("heard", "code")], ["absent", "NoSuchBucketPolicy"])
    s3.put_bucket_policy(Bucket=buckets[0], Policy='{"Version":"2012-10-17","Statement":[]}')
    expect("s3: a policy is its text", json.loads(tool.call("s3", "GetBucketPolicy", Bucket=buckets[0])["pages"][0]["Policy"])["Statement"], [])
    expect("s3: location", tool.call("s3", "GetBucketLocation", Bucket=buckets[0])["pages"][0], {"LocationConstraint": REGION})
    expect("s3: encryption", tool.call("s3", "GetBucketEncryption", Bucket=buckets[0])["heard"] in ("ok", "absent"), True)
    expect("s3: a bucket with dots", tool.call("s3", "GetBucketVersioning", Bucket="dotted.bucket.name")["heard"], "ok")
    expect("s3: HEAD of no bucket is absent", tool.call("s3", "HeadBucket", Bucket="no-such-bucket")["heard"], "absent")

    expect("s3control: an account's setting", tool.call("s3control", "GetPublicAccessBlock", AccountId="123456789012")["heard"], "absent")

    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    groups = [ec2.create_security_group(GroupName=f"g{i}", Description="d", VpcId=vpc)["GroupId"] for i in range(25)]
    ec2.authorize_security_group_ingress(GroupId=groups[0], IpPermissions=[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
    answer = tool.call("ec2", "DescribeSecurityGroups", Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    found = listed(answer, "SecurityGroups", "GroupId")
    expect("ec2: security groups", set(groups) <= set(found) and len(found) == len(set(found)), True)
    rules = [g for page in answer["pages"] for g in page["SecurityGroups"] if g["GroupId"] == groups[0]][0]["IpPermissions"]
    expect("ec2: a rule's numbers", (rules[0]["FromPort"], rules[0]["IpRanges"][0]["CidrIp"]), (22, "0.0.0.0/0"))
    image = ec2.describe_images()["Images"][0]["ImageId"]
    ec2.run_instances(ImageId=image, MinCount=12, MaxCount=12)
    answer = tool.call("ec2", "DescribeInstances", MaxResults=5)
    instances = [i["InstanceId"] for page in answer["pages"] for r in page["Reservations"] for i in r["Instances"]]
    expect("ec2: instances", len(set(instances)), 12)
    expect("ec2: regions", "eu-west-1" in listed(tool.call("ec2", "DescribeRegions"), "Regions", "RegionName"), True)
    expect("ec2: an error", tool.call("ec2", "DescribeVpcs", VpcIds=["vpc-00000000"])["code"], "InvalidVpcID.NotFound")

    made = sorted(kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(12))
    expect("kms: keys", listed(tool.call("kms", "ListKeys"), "Keys", "KeyId"), made)
    described = tool.call("kms", "DescribeKey", KeyId=made[0])["pages"][0]["KeyMetadata"]
    expect("kms: times are RFC 3339", described["CreationDate"].endswith("Z") and "T" in described["CreationDate"], True)
    expect("kms: no key is absent", [tool.call("kms", "DescribeKey", KeyId="00000000-0000-0000-0000-000000000000")[k] for k in ("heard", "code")], ["absent", "NotFoundException"])

    names = sorted(f"/app/{i:03}" for i in range(60))
    for name in names:
        logs.create_log_group(logGroupName=name)
    answer = tool.call("logs", "DescribeLogGroups", limit=25)
    expect("logs: groups in pages of 25", (listed(answer, "logGroups", "logGroupName"), len(answer["pages"])), (names, 3))

    for i in range(3):
        rds.create_db_instance(DBInstanceIdentifier=f"db{i}", DBInstanceClass="db.t3.micro", Engine="postgres", AllocatedStorage=20,
                               MasterUsername="u", MasterUserPassword="password1234", StorageEncrypted=i == 0)
    answer = tool.call("rds", "DescribeDBInstances")
    expect("rds: databases", listed(answer, "DBInstances", "DBInstanceIdentifier"), ["db0", "db1", "db2"])
    expect("rds: a boolean", [d["StorageEncrypted"] for d in answer["pages"][0]["DBInstances"]], [True, False, False])

    watch.put_metric_alarm(AlarmName="a", MetricName="m", Namespace="n", Period=60, EvaluationPeriods=1, Threshold=1, Statistic="Sum",
                           ComparisonOperator="GreaterThanThreshold")
    expect("cloudwatch: alarms", listed(tool.call("cloudwatch", "DescribeAlarms"), "MetricAlarms", "AlarmName"), ["a"])
    trail.create_trail(Name="trail", S3BucketName=buckets[0])
    expect("cloudtrail: trails", listed(tool.call("cloudtrail", "DescribeTrails"), "trailList", "Name"), ["trail"])
    expect("cloudtrail: selectors", tool.call("cloudtrail", "GetEventSelectors", TrailName="trail")["heard"], "ok")

    answer = tool.call("iam", "GetServiceLastAccessedDetailsWithEntities", JobId="00000000-0000-0000-0000-000000000000", ServiceNamespace="s3")
    expect("an operation that the server lacks fails, and is no empty answer", answer["heard"], "failed")


def against_versitygw(path, tool_path, data):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder) / "root"
        root.mkdir()
        port = free_port()
        server = subprocess.Popen([path, "--access", "vouchkey", "--secret", "vouchsecret", "--port", f"127.0.0.1:{port}", "--region", REGION, "posix", str(root)],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for(port)
            endpoint = f"http://127.0.0.1:{port}"
            tool = Tool(tool_path, data, endpoint, "vouchkey", "vouchsecret")
            expect("versitygw: bucket made", tool.call("s3", "CreateBucket", Bucket="signed")["heard"], "ok")
            keys = sorted(["a b+c", "é/ü", "~tilde", "x=y&z", "per%cent"])
            for key in keys:
                expect(f"versitygw: object `{key}` put", tool.call("s3", "PutObject", Bucket="signed", Key=key, Body="eA==", ContentType="text/plain",
                                                                 Metadata={"who": "two  blanks"})["heard"], "ok")
            answer = tool.call("s3", "ListObjectsV2", Bucket="signed", MaxKeys=2)
            expect("versitygw: objects in pages of 2", (listed(answer, "Contents", "Key"), len(answer["pages"])), (keys, 3))
            expect("versitygw: object read", tool.call("s3", "GetObject", Bucket="signed", Key="a b+c")["pages"][0]["Body"], "eA==")
            answer = tool.call("s3", "ListBuckets", secret="another secret")
            expect("versitygw: a wrong secret is refused", (answer["heard"], answer["code"]), ("denied", "SignatureDoesNotMatch"))
        finally:
            server.terminate()
            server.wait()


def main():
    tool_path, data = sys.argv[1:3]
    port = free_port()
    moto = subprocess.Popen([os.path.join(os.path.dirname(sys.executable), "moto_server"), "-H", "127.0.0.1", "-p", str(port)],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        endpoint = f"http://127.0.0.1:{port}"
        against_moto(Tool(tool_path, data, endpoint), endpoint)
    finally:
        moto.terminate()
        moto.wait()
    if len(sys.argv) > 3:
        against_versitygw(sys.argv[3], tool_path, data)
    print(f"{len(failures)} failures")
    sys.exit(1 if failures else 0)


main()
