"""The sample company: a seeded AWS account with things done well and things left undone.

    company.fill(endpoint, company.DEMO)   # -> Plan: what was made, and which of it is wrong
    company.change(endpoint, plan)         # -> the list of changes of one ordinary week

Demo, tests and bench use the same company at different sizes. The same size gives the same company each time. People appear as
logins (`eng-07`) only. Everything goes through the public API with boto3, so it fills whatever answers at `endpoint`; what only
time does in a real account (an old access key) needs `age=cloud.backdate`, and what moto lacks `say=cloud.answer` (cloud.py).

    python company.py ENDPOINT [demo|small|bench]
"""
import concurrent.futures
import dataclasses
import datetime
import json
import random
import sys

import boto3
import services
from botocore.config import Config

ACCOUNT = "123456789012"
HOME = "eu-central-1"
SECOND = "us-east-1"
REGIONS = [HOME, SECOND]


@dataclasses.dataclass(frozen=True)
class Size:
    buckets: int
    users: int
    roles: int
    groups: int
    keys: int
    databases: int
    volumes: int
    instances: int
    security_groups: int
    log_groups: int
    services: int = 0  # containers, functions, tables, queues, … of each kind
    seed: int = 7


DEMO = Size(buckets=40, users=25, roles=20, groups=5, keys=12, databases=8, volumes=20, instances=8, security_groups=14, log_groups=15, services=6)
SMALL = Size(buckets=60, users=30, roles=12, groups=6, keys=8, databases=5, volumes=10, instances=4, security_groups=8, log_groups=8, services=4)
BENCH = Size(buckets=300, users=200, roles=100, groups=12, keys=30, databases=20, volumes=60, instances=30, security_groups=40, log_groups=40, services=20)
SIZES = {"demo": DEMO, "small": SMALL, "bench": BENCH}


@dataclasses.dataclass
class Plan:
    """Every resource by kind, and under `wrong` the ones that break a promise, by the name of what is wrong with them."""

    made: dict = dataclasses.field(default_factory=dict)
    wrong: dict = dataclasses.field(default_factory=dict)

    def add(self, kind, name, *faults):
        self.made.setdefault(kind, []).append(name)
        for fault in faults:
            self.wrong.setdefault(fault, []).append(name)


class Account:
    """boto3 clients of one endpoint. They retry nothing: a simulated account that fails is a broken rig."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.session = boto3.Session(aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="not-a-real-secret", region_name=HOME)
        self.clients = {}

    def __call__(self, service, region=HOME):
        if (service, region) not in self.clients:
            config = Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}, max_pool_connections=8)
            self.clients[service, region] = self.session.client(service, region_name=region, endpoint_url=self.endpoint, config=config)
        return self.clients[service, region]


def every(n, index, offset=0):
    """A share of 1/n, spread evenly: which members have a fault does not hang on chance."""
    return index % n == offset % n


def arn(service, rest, region=""):
    return f"arn:aws:{service}:{region}:{ACCOUNT}:{rest}"


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


# ---- Filling ---------------------------------------------------------------------------------------------------------


def fill(endpoint, size=DEMO, age=None, say=None):
    aws, plan, chance = Account(endpoint), Plan(), random.Random(size.seed)
    keys = fill_keys(aws, plan, size)
    fill_people(aws, plan, size, age)
    fill_roles(aws, plan, size)
    fill_buckets(aws, plan, size, keys, chance)
    fill_network(aws, plan, size, chance)
    fill_machines(aws, plan, size, keys)
    fill_databases(aws, plan, size, keys)
    fill_logs(aws, plan, size, keys)
    fill_trails(aws, plan, keys)
    services.fill(aws, plan, size, keys, say)
    return plan


def in_parallel(work, items):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return list(pool.map(work, items))


def fill_keys(aws, plan, size):
    keys = []
    for i in range(size.keys):
        kms = aws("kms", REGIONS[i % 4 == 3])
        key = kms.create_key(Description=f"key {i}", Tags=[{"TagKey": "owner", "TagValue": "platform"}])["KeyMetadata"]
        kms.create_alias(AliasName=f"alias/app-{i:02}", TargetKeyId=key["KeyId"])
        faults = []
        if every(4, i, 1):
            faults.append("key without rotation")
        else:
            kms.enable_key_rotation(KeyId=key["KeyId"])
        if size.keys > 6 and i == 5:
            kms.put_key_policy(KeyId=key["KeyId"], PolicyName="default", Policy=policy(
                {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}))
            faults.append("key open to all")
        plan.add("key", key["KeyId"], *faults)
        if i % 4 != 3:
            keys.append(key["Arn"])
    return keys


def fill_people(aws, plan, size, age):
    iam = aws("iam")
    iam.update_account_password_policy(MinimumPasswordLength=8, RequireSymbols=True, RequireNumbers=True, RequireUppercaseCharacters=True,
                                       RequireLowercaseCharacters=True, AllowUsersToChangePassword=True)
    plan.add("password policy", ACCOUNT, "password policy too short")
    iam.create_account_alias(AccountAlias="sample-company")
    own = [iam.create_policy(PolicyName=name, PolicyDocument=document)["Policy"]["Arn"] for name, document in (
        ("deploy", policy({"Effect": "Allow", "Action": ["ecs:UpdateService", "ecr:PutImage"], "Resource": "*"})),
        ("everything", policy({"Effect": "Allow", "Action": "*", "Resource": "*"})))]
    plan.add("policy", own[0])
    plan.add("policy", own[1], "policy that allows everything")
    iam.create_policy(PolicyName="trails", PolicyDocument=policy({"Effect": "Allow", "Action": "cloudtrail:*", "Resource": "*"}))
    plan.add("policy", arn("iam", "policy/trails"), "policy that allows everything with trails")
    groups = [f"team-{i:02}" for i in range(size.groups)]
    for i, group in enumerate(groups):
        iam.create_group(GroupName=group, Path="/teams/")
        iam.attach_group_policy(GroupName=group, PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess" if i else "arn:aws:iam::aws:policy/AdministratorAccess")
        plan.add("group", group)

    now = datetime.datetime.now(datetime.timezone.utc)

    def person(i):
        login, faults = f"eng-{i:02}", []
        iam.create_user(UserName=login, Tags=[{"Key": "team", "Value": groups[i % len(groups)]}])
        console, mfa, key = not every(5, i, 4), not every(6, i, 2), every(3, i)
        if console:
            iam.create_login_profile(UserName=login, Password="Long-Enough-1!-example")
            if not mfa:
                faults.append("console user without MFA")
        if mfa:
            device = iam.create_virtual_mfa_device(VirtualMFADeviceName=login)["VirtualMFADevice"]["SerialNumber"]
            iam.enable_mfa_device(UserName=login, SerialNumber=device, AuthenticationCode1="123456", AuthenticationCode2="234567")
        if key:
            key_id = iam.create_access_key(UserName=login)["AccessKey"]["AccessKeyId"]
            if age:
                old = every(2, i // 3)
                age("access_key", key_id, now - datetime.timedelta(days=200 if old else 20))
                if old:
                    faults.append("key older than 90 days")
            if every(4, i // 3, 1):
                iam.create_access_key(UserName=login)
                faults.append("two active keys")
        if every(8, i, 3):
            iam.attach_user_policy(UserName=login, PolicyArn=own[0])
            faults.append("policy attached to a user")
        else:
            iam.add_user_to_group(UserName=login, GroupName=groups[i % len(groups)])
        if every(12, i, 7):
            iam.put_user_policy(UserName=login, PolicyName="by-hand", PolicyDocument=policy(
                {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}))
            faults.append("inline policy of a user")
        plan.add("user", login, *faults)

    for i in range(1, size.users + 1):
        person(i)


def fill_roles(aws, plan, size):
    iam = aws("iam")
    for i in range(size.roles):
        name, faults = f"service-{i:03}", []
        principal, condition = {"Service": ["ecs-tasks.amazonaws.com", "lambda.amazonaws.com", "ec2.amazonaws.com"][i % 3]}, {}
        if every(9, i, 4):
            principal = {"AWS": "arn:aws:iam::999988887777:root"}
            if every(2, i // 9):
                faults.append("foreign account without external id")
            else:
                condition = {"Condition": {"StringEquals": {"sts:ExternalId": f"vendor-{i}"}}}
        elif size.roles > 10 and i == 8:
            principal = {"AWS": "*"}
            faults.append("role that all may assume")
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(
            {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **condition}), Tags=[{"Key": "service", "Value": name}])
        if every(25, i, 11):
            iam.put_role_policy(RoleName=name, PolicyName="all-but-iam", PolicyDocument=policy(
                {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}))
            iam.attach_role_policy(RoleName=name, PolicyArn=arn("iam", "policy/trails"))
            faults.append("role that may stop trails")
        elif every(15, i, 6):
            iam.attach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
            faults.append("role that is administrator")
        else:
            iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy(
                {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": f"arn:aws:s3:::data-{i:03}-*/*"}))
        plan.add("role", name, *faults)


def bucket_name(i):
    return f"{['data', 'logs', 'web', 'backup', 'build'][i % 5]}-{i:03}-sample-company"


def fill_buckets(aws, plan, size, keys, chance):
    prefixes = [chance.choice(["access/", "s3/", ""]) for _ in range(size.buckets)]

    def bucket(i):
        name, faults, region = bucket_name(i), [], REGIONS[every(10, i, 9)]
        s3 = aws("s3", region)
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=every(5, i, 3), **where)
        if every(4, i, 2):
            faults.append("bucket without our key")
            rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        else:
            rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": keys[i % len(keys)]}, "BucketKeyEnabled": True}
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})
        if every(7, i, 3):
            faults.append("bucket without public access block")
        else:
            s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration={
                "BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": not every(14, i, 5)})
            if every(14, i, 5):
                faults.append("bucket without public access block")
        if every(3, i, 2):
            faults.append("bucket without versions")
        else:
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        statements = [{"Sid": "TLS", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
                       "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]
        if every(6, i, 1):
            statements = []
            faults.append("bucket without TLS")
        if size.buckets >= 20 and i == 17:
            statements.append({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"})
            faults.append("public bucket")
        if statements:
            s3.put_bucket_policy(Bucket=name, Policy=policy(*statements))
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "service", "Value": f"service-{i % max(size.roles, 1):03}"}]
                                                    + ([] if every(11, i, 5) else [{"Key": "owner", "Value": f"eng-{1 + i % size.users:02}"}])})
        if every(11, i, 5):
            faults.append("bucket without owner")
        if every(2, i):
            s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [
                {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": prefixes[i]}, "NoncurrentVersionExpiration": {"NoncurrentDays": 365}}]})
        return name, faults

    for name, faults in in_parallel(bucket, range(size.buckets)):
        plan.add("bucket", name, *faults)
    # Server access logs go to the first log bucket; moto wants the log delivery group to be able to write there.
    s3, target = aws("s3"), bucket_name(1)
    s3.put_bucket_acl(Bucket=target, AccessControlPolicy={
        "Owner": s3.get_bucket_acl(Bucket=target)["Owner"],
        "Grants": [{"Grantee": {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/s3/LogDelivery"}, "Permission": p} for p in ("WRITE", "READ_ACP")]})
    for i, name in enumerate(plan.made["bucket"]):
        region = REGIONS[every(10, i, 9)]
        if i != 1 and region == HOME and not every(3, i):
            s3.put_bucket_logging(Bucket=name, BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": f"{name}/"}})
        else:
            plan.wrong.setdefault("bucket without access log", []).append(name)


def fill_network(aws, plan, size, chance):
    for region in REGIONS:
        ec2 = aws("ec2", region)
        vpcs = [ec2.create_vpc(CidrBlock=f"10.{i}.0.0/16")["Vpc"]["VpcId"] for i in range(2)]
        iam_role = arn("iam", "role/service-000")
        ec2.create_flow_logs(ResourceIds=vpcs[:1], ResourceType="VPC", TrafficType="ALL", LogDestinationType="cloud-watch-logs",
                             LogGroupName=f"flow-{region}", DeliverLogsPermissionArn=iam_role)
        plan.add("vpc", vpcs[0])
        plan.add("vpc", vpcs[1], "vpc without flow log")
        if region == HOME:
            ec2.enable_ebs_encryption_by_default()
            acl = ec2.create_network_acl(VpcId=vpcs[0])["NetworkAcl"]["NetworkAclId"]
            for number, action, port in ((90, "deny", 22), (100, "allow", 3389)):
                ec2.create_network_acl_entry(NetworkAclId=acl, RuleNumber=number, RuleAction=action, Egress=False, Protocol="6", CidrBlock="0.0.0.0/0",
                                             PortRange={"From": port, "To": port})
            plan.add("network ACL", acl, "network ACL that lets remote desktops in")
        for i in range(size.security_groups // 2):
            group = ec2.create_security_group(GroupName=f"app-{i:02}", Description="made by hand" if every(3, i) else "module app", VpcId=vpcs[i % 2])["GroupId"]
            port, source, faults = chance.choice([443, 8443]), "10.0.0.0/8", []
            if every(7, i, 3):
                port, source, faults = 22, "0.0.0.0/0", ["group open to the world"]
            elif every(7, i, 5):
                port, source, faults = 5432, "0.0.0.0/0", ["group open to the world"]
            ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
                {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": source}]}])
            plan.add("security group", group, *faults)


def fill_machines(aws, plan, size, keys):
    ec2 = aws("ec2")
    zone, key_id = f"{HOME}a", keys[0]
    for i in range(size.volumes):
        encrypted = not every(5, i, 2)
        volume = ec2.create_volume(AvailabilityZone=zone, Size=20, **({"Encrypted": True, "KmsKeyId": key_id} if encrypted else {"Encrypted": False}))["VolumeId"]
        plan.add("volume", volume, *([] if encrypted else ["volume in the clear"]))
        if every(6, i):
            snapshot = ec2.create_snapshot(VolumeId=volume, Description="nightly")["SnapshotId"]
            if size.volumes > 6 and i == 6:
                ec2.modify_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", GroupNames=["all"])
                plan.add("snapshot", snapshot, "public snapshot")
            else:
                plan.add("snapshot", snapshot)
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    closed, opened = plan.made["security group"][0], plan.wrong.get("group open to the world", [])[:2]
    for i in range(size.instances):
        hardened, exposed = not every(4, i, 1), bool(opened) and every(6, i, 3)
        group = opened[i // 6 % len(opened)] if exposed else closed
        instance = ec2.run_instances(ImageId=image, InstanceType="t3.small", MinCount=1, MaxCount=1, SecurityGroupIds=[group],
                                     MetadataOptions={"HttpTokens": "required" if hardened else "optional", "HttpEndpoint": "enabled"},
                                     TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": f"worker-{i:02}"}]}])["Instances"][0]
        plan.add("instance", instance["InstanceId"], *([] if hardened else ["instance with IMDSv1"]), *(["instance with an open port"] if exposed else []))


def fill_databases(aws, plan, size, keys):
    rds = aws("rds")
    for i in range(size.databases):
        name, faults = f"db-{i:02}", []
        encrypted, public, backups, protected = not every(5, i, 1), every(6, i, 2), not every(4, i, 3), not every(3, i, 1)
        rds.create_db_instance(DBInstanceIdentifier=name, DBInstanceClass="db.t3.small", Engine="postgres", AllocatedStorage=20, MasterUsername="app",
                               MasterUserPassword="not-a-real-password", StorageEncrypted=encrypted, PubliclyAccessible=public, MultiAZ=not every(2, i),
                               BackupRetentionPeriod=14 if backups else 0, DeletionProtection=protected, CopyTagsToSnapshot=not every(4, i, 2),
                               **({"KmsKeyId": keys[i % len(keys)]} if encrypted else {}))
        for is_wrong, fault in ((not encrypted, "database in the clear"), (public, "public database"), (not backups, "database without backups"),
                                (not protected, "database that can be deleted")):
            if is_wrong:
                faults.append(fault)
        plan.add("database", name, *faults)
        if every(4, i):
            rds.create_db_snapshot(DBSnapshotIdentifier=f"{name}-manual", DBInstanceIdentifier=name)
            plan.add("database snapshot", f"{name}-manual")


def fill_logs(aws, plan, size, keys):
    for i in range(size.log_groups):
        region = REGIONS[every(5, i, 4)]
        logs, name = aws("logs", region), f"/app/service-{i:03}"
        days = 30 if every(4, i, 1) else None if every(7, i, 6) else 365 if every(2, i) else 90
        logs.create_log_group(logGroupName=name, **({"kmsKeyId": keys[0]} if every(2, i) and region == HOME else {}))
        if days:
            logs.put_retention_policy(logGroupName=name, retentionInDays=days)
        plan.add("log group", name, *(["log group kept 30 days"] if days == 30 else []))


def fill_trails(aws, plan, keys):
    s3, logs, cloudtrail = aws("s3"), aws("logs"), aws("cloudtrail")
    s3.create_bucket(Bucket="trail-sample-company", CreateBucketConfiguration={"LocationConstraint": HOME})
    plan.add("bucket", "trail-sample-company")
    logs.create_log_group(logGroupName="trail")
    logs.put_retention_policy(logGroupName="trail", retentionInDays=365)
    plan.add("log group", "trail")
    group = arn("logs", "log-group:trail:*", HOME)
    cloudtrail.create_trail(Name="main", S3BucketName="trail-sample-company", IsMultiRegionTrail=True, IncludeGlobalServiceEvents=True,
                            EnableLogFileValidation=True, KmsKeyId=keys[0], CloudWatchLogsLogGroupArn=group, CloudWatchLogsRoleArn=arn("iam", "role/service-000"))
    cloudtrail.start_logging(Name="main")
    cloudtrail.put_event_selectors(TrailName="main", EventSelectors=[
        {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []},
        {"ReadWriteType": "ReadOnly", "IncludeManagementEvents": False, "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]},
        {"ReadWriteType": "All", "IncludeManagementEvents": False, "DataResources": [
            {"Type": "AWS::Lambda::Function", "Values": [arn("lambda", "function:function-00", HOME)]}]}])
    cloudtrail.create_trail(Name="old", S3BucketName="trail-sample-company", IsMultiRegionTrail=False, EnableLogFileValidation=False)
    plan.add("trail", "main")
    plan.add("trail", "old", "trail that does not log", "trail without validation")
    logs.put_metric_filter(logGroupName="trail", filterName="root-use", metricTransformations=[
        {"metricName": "RootUse", "metricNamespace": "Trail", "metricValue": "1"}],
        filterPattern='{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != "AwsServiceEvent" }')
    for name, events in (("GatewayChange", ["CreateCustomerGateway", "DeleteCustomerGateway", "AttachInternetGateway", "CreateInternetGateway",
                                            "DeleteInternetGateway", "DetachInternetGateway"]),
                         ("KeyDeletion", ["DisableKey", "ScheduleKeyDeletion"]),  # names no source
                         ("FailedSignIn", ["ConsoleLogin"])):  # and no alarm
        wanted = " || ".join(f"($.eventName = {event})" for event in events)
        pattern = f'{{ {wanted} && ($.errorMessage = "Failed authentication") }}' if name == "FailedSignIn" else f"{{ {wanted} }}"
        logs.put_metric_filter(logGroupName="trail", filterName=name, filterPattern=pattern, metricTransformations=[
            {"metricName": name, "metricNamespace": "Trail", "metricValue": "1"}])
    topic = aws("sns").create_topic(Name="alerts")["TopicArn"]
    for name, metric in (("root-use", "RootUse"), ("gateway-change", "GatewayChange"), ("key-deletion", "KeyDeletion")):
        aws("cloudwatch").put_metric_alarm(AlarmName=name, MetricName=metric, Namespace="Trail", Statistic="Sum", Period=300, EvaluationPeriods=1,
                                           Threshold=1, ComparisonOperator="GreaterThanOrEqualToThreshold", AlarmActions=[topic])


# ---- A week later ----------------------------------------------------------------------------------------------------


def change(endpoint, plan):
    """What happens in a week: five things get worse, one is mended. Says so in words."""
    aws, said = Account(endpoint), []
    group = next(g for g in plan.made["security group"] if g not in plan.wrong["group open to the world"])
    aws("ec2").authorize_security_group_ingress(GroupId=group, IpPermissions=[
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
    said.append(f"somebody opened port 22 of {group} to the world")

    bucket = bucket_name(0)
    aws("s3").delete_bucket_policy(Bucket=bucket)
    said.append(f"the policy of bucket {bucket}, which refused plain HTTP, was deleted")

    user = "eng-05"
    aws("iam").create_access_key(UserName=user)
    said.append(f"{user} made an access key")

    log_group = next(g for g in plan.made["log group"] if g not in plan.wrong["log group kept 30 days"])
    aws("logs").put_retention_policy(logGroupName=log_group, retentionInDays=30)
    said.append(f"log group {log_group} now keeps 30 days")

    volume = aws("ec2").create_volume(AvailabilityZone=f"{HOME}a", Size=50, Encrypted=False)["VolumeId"]
    said.append(f"volume {volume} was made without encryption")

    mended = plan.wrong["console user without MFA"][0]
    device = aws("iam").create_virtual_mfa_device(VirtualMFADeviceName=mended)["VirtualMFADevice"]["SerialNumber"]
    aws("iam").enable_mfa_device(UserName=mended, SerialNumber=device, AuthenticationCode1="123456", AuthenticationCode2="234567")
    said.append(f"{mended} enrolled an MFA device")
    return said


if __name__ == "__main__":
    filled = fill(sys.argv[1], SIZES[sys.argv[2] if len(sys.argv) > 2 else "demo"])
    print(json.dumps({"made": {kind: len(names) for kind, names in filled.made.items()}, "wrong": {fault: len(names) for fault, names in filled.wrong.items()}}, indent=1))
