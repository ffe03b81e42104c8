"""No secret is found anywhere: not those that Vouch signs in with, not those that stand in what it reads, whatever goes wrong with either.

Every secret is a marker of its own, planted where real ones stand. Looked at is all that Vouch leaves: every file of the home and of its user's folder as bytes, packs
unpacked, tables told as text, and whatever it printed, logged and served.
"""
import base64
import contextlib
import hashlib
import hmac
import json
import os
import re
import subprocess
import uuid

import boto3
import company
import duckdb
import pytest
from botocore.config import Config
from cloud import Cloud
from github.conftest import Client
from github.standin import GitHub
from home import FAILS, PASS, UNDECIDED, USAGE, Home
from people.standin import SECRETS as OF_OKTA
from people.standin import Services
from proxy import Proxy, error_answer
from test_serve import Server

ANY = (PASS, FAILS, UNDECIDED)
REGION = company.HOME


def marker(kind):
    """Unlike every other text: no shape betrays it, only where it stands."""
    return f"{kind}Zq7{hashlib.sha256(kind.encode()).hexdigest()[:20]}"


# ---- What is planted ---------------------------------------------------------------------------------------------------------


class Planted(dict):
    """name -> text. Calling it makes one."""

    def __call__(self, name):
        return self.setdefault(name, marker(name))


def plant_in_aws(cloud, planted):
    session = boto3.Session(aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="filling", region_name=REGION)

    def aws(service):
        return session.client(service, endpoint_url=cloud.endpoint, config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}))

    role = aws("iam").create_role(RoleName="reader", AssumeRolePolicyDocument=company.policy(
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}))["Role"]["Arn"]
    user = aws("iam")
    user.create_user(UserName="eng-01")
    user.create_login_profile(UserName="eng-01", Password=planted("console-password"))
    planted["access key"] = user.create_access_key(UserName="eng-01")["AccessKey"]["SecretAccessKey"]
    planted["mfa seed"] = user.create_virtual_mfa_device(VirtualMFADeviceName="eng-01")["VirtualMFADevice"]["Base32StringSeed"].decode()
    aws("lambda").create_function(FunctionName="f", Runtime="python3.12", Role=role, Handler="a.b", Code={"ZipFile": b"PK\5\6" + b"\0" * 18},
                                  Environment={"Variables": {"DB_PASSWORD": planted("function-password"), "COLOUR": planted("function-value-with-an-innocent-name")}})
    container = {"name": "app", "image": "app", "memory": 128, "environment": [{"name": "PLAIN", "value": planted("task-variable")}],
                 "command": ["run", "--password", planted("task-command")], "entryPoint": ["sh", "-c", planted("task-entry-point")],
                 "healthCheck": {"command": ["CMD", planted("task-health-check")]}}
    ecs = aws("ecs")
    ecs.create_cluster(clusterName="main")
    task = ecs.register_task_definition(family="t", containerDefinitions=[container])["taskDefinition"]["taskDefinitionArn"]
    ecs.create_service(cluster="main", serviceName="s", taskDefinition=task, desiredCount=1)
    template = {"Parameters": {"Pin": {"Type": "String"}}, "Outputs": {"Out": {"Value": planted("stack-output")}},
                "Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "from-a-stack"}}}}
    aws("cloudformation").create_stack(StackName="stack", TemplateBody=json.dumps(template), Parameters=[{"ParameterKey": "Pin", "ParameterValue": planted("stack-parameter")}])
    script = f"#!/bin/sh\necho {planted('user-data')}\n"
    planted["user data, encoded"] = base64.b64encode(script.encode()).decode()
    aws("autoscaling").create_launch_configuration(LaunchConfigurationName="lc", ImageId="ami-12c6146b", InstanceType="t2.micro", UserData=script)
    ec2 = aws("ec2")
    ec2.create_launch_template(LaunchTemplateName="lt", LaunchTemplateData={"UserData": base64.b64encode(planted("launch-template-data").encode()).decode()})
    ec2.run_instances(ImageId=ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"], MinCount=1, MaxCount=1, UserData=planted("instance-user-data"),
                      TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "db-password", "Value": planted("tag-named-password")}]}])
    aws("stepfunctions").create_state_machine(name="m", roleArn=role, definition=json.dumps(
        {"StartAt": "a", "States": {"a": {"Type": "Pass", "Result": planted("state-machine"), "End": True}}}))
    gateway = aws("apigateway")
    api = gateway.create_rest_api(name="api")["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    gateway.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE")
    gateway.put_integration(restApiId=api, resourceId=root, httpMethod="GET", type="MOCK", integrationHttpMethod="GET")
    gateway.create_deployment(restApiId=api, stageName="prod", variables={"plain": planted("stage-variable")})
    aws("secretsmanager").create_secret(Name="s", SecretString=planted("secret-of-the-manager"))
    aws("ssm").put_parameter(Name="p", Value=planted("parameter"), Type="SecureString")
    aws("rds").create_db_instance(DBInstanceIdentifier="db", DBInstanceClass="db.t3.small", Engine="postgres", AllocatedStorage=20, MasterUsername="app",
                                  MasterUserPassword=planted("database-password"))
    planted["token in a tag"] = "ghp_" + hashlib.sha256(b"tag").hexdigest()[:36]
    planted["password in a URL"] = marker("url-password")
    s3 = aws("s3")
    s3.create_bucket(Bucket="tagged-bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_tagging(Bucket="tagged-bucket", Tagging={"TagSet": [{"Key": "note", "Value": planted["token in a tag"]},
                                                          {"Key": "where", "Value": f"postgres://app:{planted['password in a URL']}@db.example/app"}]})


def plant_in_github(github, planted):
    ask = Client(github)
    planted["private key in a commit message"] = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj" + hashlib.sha256(b"key").hexdigest()
    planted["token in a deployment"] = "xoxb-" + hashlib.sha256(b"slack").hexdigest()[:40]
    org = github.organisation
    ask("POST", f"/orgs/{org}/repos", {"name": "service", "private": True, "auto_init": True,
                                       "description": f"-----BEGIN PRIVATE KEY-----\n{planted['private key in a commit message']}\n-----END PRIVATE KEY-----"})
    ask("POST", f"/orgs/{org}/hooks", {"name": "web", "active": True, "events": ["push"],
                                       "config": {"url": "https://example.com/hook", "content_type": "json", "secret": planted("hook-secret")}})
    ask("POST", f"/repos/{org}/service/hooks", {"name": "web", "active": True, "events": ["push"],
                                                "config": {"url": f"https://x:{planted('hook-url-password')}@example.com/h", "content_type": "json", "secret": planted("own-hook-secret")}})
    ask("POST", f"/repos/{org}/service/deployments", {"ref": "main", "required_contexts": [], "auto_merge": False, "environment": "production",
                                                      "description": f"told {planted['token in a deployment']}"})


# ---- Where it could be -----------------------------------------------------------------------------------------------------


def left_behind(home):
    """(where, bytes) of all that stands on the disk."""
    for root in (home.path, home.path.parent / "user"):
        for folder, _, names in os.walk(root):
            for name in names:
                path = os.path.join(folder, name)
                yield path, os.fsencode(path)
                if not os.path.isfile(path):
                    continue  # a socket
                with open(path, "rb") as file:
                    yield path, file.read()
                if os.path.basename(folder) == "blobs":
                    yield f"{path}, unpacked", subprocess.run(["zstd", "-dcq", path], check=True, capture_output=True).stdout
    if (home.path / "facts.duckdb").exists():
        with duckdb.connect(str(home.path / "facts.duckdb"), read_only=True) as store:
            for schema, table in store.execute("select table_schema, table_name from information_schema.tables").fetchall():
                rows = store.execute(f'select columns(*)::varchar from "{schema}"."{table}"').fetchall()
                yield f"{schema}.{table}", "\n".join(map(str, rows)).encode()


def printed(home):
    """Whatever the commands say of it."""
    for words in (["status"], ["doctor"], ["log", "show", "--format", "json"], ["show", "lambda-no-secret-variable", "--body"]):
        done = home.run(*words)
        yield " ".join(words), (done.out + done.err).encode()


def look_for(planted, places, but=()):
    found = []
    for where, content in places:
        found += [f"{name} in {where}" for name, text in planted.items() if text.encode() in content and not str(where).endswith(tuple(but))]
    assert not found, found


def is_seen(planted, places):
    """The names of what stands in one of these places: what was planted where Vouch looks."""
    whole = b"\n".join(content for _, content in places)
    return {name for name, text in planted.items() if text.encode() in whole}


# ---- The company -------------------------------------------------------------------------------------------------------------


class Passing(Proxy):
    """Keeps all that went through."""

    def __init__(self, port):
        self.seen = []
        super().__init__(port)

    def answered(self, call, method, target, headers, body, head, answer):
        self.seen.append((target, head + answer))


@pytest.fixture(scope="module")
def company_with_secrets(vouch, tmp_path_factory):
    """(home, planted, what AWS, GitHub and Okta said, what was printed)"""
    planted = Planted()
    folder = tmp_path_factory.mktemp("secrets")
    with contextlib.ExitStack() as open_ones:
        cloud = open_ones.enter_context(Cloud())
        github = open_ones.enter_context(GitHub(people=3, limit=1_000_000))
        services = open_ones.enter_context(Services())
        plant_in_aws(cloud, planted)
        plant_in_github(github, planted)
        planted.update({f"Okta's {number}": secret for number, secret in enumerate(OF_OKTA)})
        credentials = {"AWS_SECRET_ACCESS_KEY": planted("own-secret-access-key"), "AWS_SESSION_TOKEN": planted("own-session-token") + "+/" + "x" * 200 + "==",
                       "OKTA_TOKEN": services.token("okta"), "HOOK_SECRET": planted("own-webhook-secret")}
        planted["line of the App's key"] = github.app_key.splitlines()[3]
        aws, code = open_ones.enter_context(Passing(cloud.port)), open_ones.enter_context(Passing(github.port))
        home = Home(vouch, folder / "home", aws.endpoint, (REGION,), credentials).init()
        key = folder / "app.pem"
        key.write_text(github.app_key)
        key.chmod(0o600)
        (home.path / "vouch.yaml").write_text(
            f"sources:\n  aws:\n    regions: [{REGION}]\n"
            f"  github:\n    organisation: {github.organisation}\n    endpoint: {code.endpoint}\n    app: {{id: {github.app_id}, key: {{file: {key}}}}}\n"
            f"    webhook: {{secret: {{env: HOOK_SECRET}}}}\n"
            f"  okta: {{domain: acme.okta.com, endpoint: '{services.endpoint('okta')}', token: {{env: OKTA_TOKEN}}}}\n")
        done = home.run("collect", code=ANY)
        again = home.run("collect", "--format", "json", code=ANY)
        tokens = {f"installation token {number}": token.decode() for number, token in
                  enumerate(re.findall(rb'"token": ?"(ghs_[^"]+)"', b"".join(content for target, content in code.seen if target.endswith("/access_tokens"))))}
        assert tokens
        planted.update(tokens)
        yield home, planted, aws.seen + code.seen, [("collect", (one.out + one.err).encode()) for one in (done, again)]


def test_what_is_secret_in_answers_and_what_vouch_signs_in_with_is_left_nowhere(company_with_secrets):
    home, planted, said, told = company_with_secrets
    # The test would prove nothing if the services never said them.
    seen = is_seen(planted, said)
    assert {"function-password", "function-value-with-an-innocent-name", "task-variable", "task-command", "task-entry-point", "task-health-check", "stack-output", "stack-parameter",
            "user data, encoded", "tag-named-password", "state-machine", "stage-variable", "token in a tag", "password in a URL", "token in a deployment",
            "private key in a commit message"} <= seen, seen
    look_for(planted, told)
    look_for(planted, left_behind(home))
    look_for(planted, printed(home))
    home.verify()


def test_a_server_with_secrets_logs_and_serves_none(company_with_secrets):
    home, planted, _, _ = company_with_secrets
    home = home.copy("home-served")
    served = []
    with Server(home) as server:
        body = json.dumps({"action": "created", "comment": {"body": f"use {planted['token in a tag']}"}}).encode()
        headers = {"Content-Type": "application/json", "X-GitHub-Event": "issue_comment", "X-GitHub-Delivery": str(uuid.uuid4())}
        for secret in (planted["own-webhook-secret"], "a guess"):
            signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
            served.append(server.get("/hooks/github", data=body, headers=headers | {"X-Hub-Signature-256": "sha256=" + signature}))
        assert [status for status, _ in served] == [202, 401]
        home.run("collect", code=ANY)
        served += [server.get(path) for path in ("/metrics", "/healthz", "/", "/state")]
        look_for(planted, left_behind(home))
        server.stop()
        look_for(planted, [("the log", "".join(server.lines).encode()), ("what it serves", repr(served).encode())])
    look_for(planted, left_behind(home))


# ---- When it goes wrong ----------------------------------------------------------------------------------------------------------


class Echo:
    """Refuses, and says what it was sent, as S3 does when a signature does not match."""

    def __init__(self, status, code, session, token):
        self.status, self.code, self.session, self.token = status, code, session, token

    async def act(self, call, forward, writer):
        said = self.session if call.service else self.token
        spelt = " ".join(f"{byte:02x}" for byte in said.encode())
        if call.service:
            return writer.write(error_answer(call, self.status, self.code, f"CanonicalRequest {said} CanonicalRequestBytes {spelt}"))
        body = json.dumps({"message": f"refused: {said}", "errorSummary": said, "bytes": spelt}).encode()
        writer.write(b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (self.status, len(body)) + body)


class Broken:
    """A 200 that is no answer, with the secret in it."""

    def __init__(self, secret):
        self.secret = secret

    async def act(self, call, forward, writer):
        body = f'<html>{{"password": "{self.secret}", "Environment": {{"Variables": {{"A": "{self.secret}"'.encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def sources(proxy, sign_in="token: {env: GITHUB_TOKEN}"):
    return f"sources:\n  aws:\n    regions: [{REGION}]\n  github:\n    organisation: acme\n    endpoint: {proxy.endpoint}\n    {sign_in}\n"


@pytest.mark.parametrize("status, code", [(401, "ExpiredToken"), (403, "SignatureDoesNotMatch"), (403, "AccessDenied")])
def test_a_service_that_says_what_it_was_sent_is_kept_without_it(new_home, cloud, status, code):
    planted = Planted()
    session, token = planted("echoed-session-token") + "/+abc==", planted("echoed-code-host-token")
    with Passing(cloud.port) as proxy:
        home = new_home(proxy.endpoint, env={"AWS_SESSION_TOKEN": session, "GITHUB_TOKEN": token}).init()
        (home.path / "vouch.yaml").write_text(sources(proxy))
        proxy.when(then=Echo(status, code, session, token), where=lambda call: call.operation != "GetCallerIdentity")
        done = home.run("collect", code=ANY)
        served = [("collect", (done.out + done.err).encode())]
        look_for(planted, served)
        look_for(planted, left_behind(home))
        spelt = {name: " ".join(f"{byte:02x}" for byte in text.encode()) for name, text in planted.items()}
        look_for(spelt, left_behind(home))
        assert "(credential)" in "".join(content.decode("latin-1") for _, content in left_behind(home))  # what was refused is kept


def test_an_answer_that_is_none_is_not_shown(new_home, cloud):
    planted = Planted()
    with Passing(cloud.port) as proxy:
        home = new_home(proxy.endpoint, env={"AWS_SESSION_TOKEN": planted("session"), "GITHUB_TOKEN": planted("token")}).init()
        (home.path / "vouch.yaml").write_text(sources(proxy))
        proxy.when(then=Broken(planted("in-a-broken-answer")), where=lambda call: call.operation != "GetCallerIdentity")
        done = home.run("collect", code=ANY)
        look_for(planted, [("collect", (done.out + done.err).encode()), *left_behind(home)])


@pytest.mark.parametrize("line", ["token: {secret}", "token: {{env: NOT_SET, text: {secret}}}", "token: [{secret}]", "webhook: {{secret: {secret}}}\n    token: {{env: GITHUB_TOKEN}}",
                                  "app: {{id: 1, key: {secret}}}", "app: {{id: 1, key: {{file: broken.pem}}}}", "password: {secret}"])
def test_a_secret_that_was_written_into_vouch_yaml_is_refused_and_not_repeated(new_home, cloud, line):
    planted = Planted()
    with Passing(cloud.port) as proxy:
        home = new_home(proxy.endpoint, env={"GITHUB_TOKEN": planted("token")}).init()
        (home.path / "broken.pem").write_text(f"-----BEGIN RSA PRIVATE KEY-----\n{planted('broken-key')}\n-----END RSA PRIVATE KEY-----\n")
        (home.path / "broken.pem").chmod(0o600)
        (home.path / "vouch.yaml").write_text(sources(proxy, line.format(secret=planted("written-down"))).replace("  aws:\n", "  aws:\n    on: false\n"))
        for words in (["collect"], ["doctor"], ["serve", "--listen", "127.0.0.1:0"] if "broken.pem" not in line else ["status"]):
            done = home.run(*words, timeout=60)
            assert done.code != PASS or words == ["status"], done
            look_for(planted, [(words[0], (done.out + done.err).encode())])
        look_for(planted, left_behind(home), but=("vouch.yaml", "broken.pem"))
