"""Accounts too large for any simulation, served by a program that makes each answer when it is asked for (answering.cpp).

    with Scale(program, log_groups(285_000)) as aws: ...           # aws.endpoint
    with Scale(program, repositories(50_000)) as github: ...

What it does not hold it refuses, as AWS and GitHub refuse. One element of each listing comes from elsewhere (GitHub's from the stand-in, whose answers are
judged by GitHub's schema); the listing is that element many times, under another name and number each.
"""
import json
import re
import tempfile
import urllib.error
import urllib.request

from child import Child

ACCOUNT, REGION = "123456789012", "eu-central-1"


class Scale(Child):
    def __init__(self, program, *parts):
        spec = {"organisation": {}}
        for part in parts:
            spec |= part
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(spec, file)
            file.flush()
            super().__init__(file.name, program=program)
        self.port = int(self.said)
        self.endpoint = f"http://127.0.0.1:{self.port}"


def log_groups(count, first=0):
    """As CloudWatch Logs answers DescribeLogGroups, 50 a page; numbered from `first` on."""
    name, arn = "/aws/lambda/service-@n@", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/service-@n@"
    return {"log groups": {"count": count, "page": 50, "first": first, "element": {
        "logGroupName": name, "creationTime": 1700000000000, "retentionInDays": 400, "metricFilterCount": 0, "arn": arn + ":*", "storedBytes": "@number@",
        "logGroupClass": "STANDARD", "logGroupArn": arn}}}


def repositories(count, github):
    """The organisation of the stand-in `github`, with its first repository `count` times."""
    organisation, (repository, *_) = (ask(github, path) for path in (f"/orgs/{github.organisation}", f"/orgs/{github.organisation}/repos"))
    text = json.dumps(repository, separators=(",", ":")).replace(repository["full_name"], f"{github.organisation}/repository-@n@")
    element = json.loads(text) | {"id": "@number@", "node_id": "R_kgDO@n@", "name": "repository-@n@"}
    return {"organisation": organisation, "repositories": {"count": count, "page": 100, "element": element}}


def ask(github, path):
    request = urllib.request.Request(github.endpoint + path, headers={"Authorization": f"Bearer {github.token('eng-00')}", "User-Agent": "scale"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


# What the catalogue asks of a bucket, as it stands in the URL.
OF_A_BUCKET = ("encryption", "publicAccessBlock", "versioning", "policy", "policyStatus", "acl", "logging", "object-lock", "lifecycle", "tagging", "inventory")


def buckets(count, cloud, of=40):
    """Buckets, each of which answers as one of the first buckets of the simulated `cloud` did."""
    answer = heard(f"{cloud.endpoint}/")
    names = re.findall(r"<Name>([^<]+)</Name>", answer["body"])[:of]
    recorded = {f"s3?{what}": [heard(f"{cloud.endpoint}/{name}?{what}", name) for name in names] for what in OF_A_BUCKET}
    element = f"<Bucket><Name>bucket-@n@</Name><CreationDate>2024-05-06T07:08:09.000Z</CreationDate><BucketRegion>{REGION}</BucketRegion></Bucket>"
    return {"buckets": {"count": count, "page": 1000, "element": element}, "recorded": recorded}


def heard(url, name=None):
    request = urllib.request.Request(url, headers={"Authorization": f"AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20240101/{REGION}/s3/aws4_request"})
    try:
        answer = urllib.request.urlopen(request, timeout=30)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        body = answer.read().decode()
        if name:
            # No two buckets answer with the same bytes, so that each answer has to be stored.
            body = body.replace(name, "@n@") + ("" if body.startswith("{") else "<!--@n@-->")
        return {"status": answer.status, "kind": answer.headers["Content-Type"] or "application/xml", "body": body}
