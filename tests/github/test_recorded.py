"""Beside GitHub's own recordings of webhooks: the objects in them are the same as in REST, so what the stand-in serves is held against what GitHub sent.

Two things may differ. GitHub has grown members since the recordings were made (then the published schema names them; the judge in validation.py has
seen to that), and recordings have members of older days. Each difference is listed here with its reason; any other fails.
"""
import json

import pytest
from github.conftest import Client
from github.validation import SCHEMAS, Validator, as_json_schema, flat

# Members that recordings have and the stand-in does not serve, by the object they stand in.
NOT_SERVED = {
    "repository": {"master_branch", "stargazers", "organization", "deployments_url", "has_downloads", "template_repository", "custom_properties", "topics"},
    "deployment": {"workflow", "workflow_run"},
    "check_run": {"deployment"},  # only where a workflow's job deploys
    "deployment_status": {"log_url", "environment_url"},  # empty in the recordings: the description wants a URI or nothing
    "team": {"deleted"}}  # only for a team that is gone
OBJECTS = {"pull_request": ("pull_request", "repository", "sender", "organization"), "pull_request_review": ("review", "pull_request"),
           "check_run": ("check_run",), "check_suite": ("check_suite",), "deployment": ("deployment",), "deployment_status": ("deployment_status", "deployment"),
           "status": ("commit",), "push": ("head_commit",), "member": ("member",), "membership": ("member", "team"), "branch_protection_rule": ("rule",)}


@pytest.fixture(scope="module")
def recorded():
    return {event["name"]: event["examples"] for event in json.loads((SCHEMAS / "webhooks.json").read_text())}


@pytest.fixture(scope="module")
def sent(filled):
    """event -> payloads that the stand-in sent while the sample company was made."""
    ask, found = Client(filled[0]), {}
    token = {"token": ask.jwt()}
    from github.test_standin import write_everything

    write_everything(ask)
    page = ask("GET", "/app/hook/deliveries?per_page=100", **token)
    while True:
        for item in page.body:
            if len(found.setdefault(item["event"], [])) < 12:
                found[item["event"]].append(ask("GET", f"/app/hook/deliveries/{item['id']}", **token).body["request"]["payload"])
        if not page.next:
            return found
        page = ask("GET", page.next, **token)


def members(examples, part):
    return {name for each in examples for name in (each.get(part) or {})}


def named_in_schema(validator, event, part):
    """Every member that GitHub's description of this event's payloads has in this part."""
    document, found = validator.document(), set()
    for name, described in document["x-webhooks"].items():
        if name == event.replace("_", "-") or name.startswith(event.replace("_", "-") + "-"):
            top = flat(document, [as_json_schema(described["post"]["requestBody"]["content"]["application/json"]["schema"])])
            for branch in flat(document, [b["properties"][part] for b in top if part in b.get("properties", {})]):
                found |= set(branch.get("properties", {}))
    return found


@pytest.mark.parametrize("event, part", [(event, part) for event, parts in OBJECTS.items() for part in parts])
def test_webhooks_have_the_members_that_github_sent(recorded, sent, event, part):
    theirs, ours = members(recorded[event], part), members(sent[event], part)
    assert ours - theirs - named_in_schema(Validator(), event, part) == set(), "members that GitHub neither sent nor describes"
    assert theirs - ours - NOT_SERVED.get(part, set()) == set(), "members that GitHub sent and the stand-in does not"


@pytest.mark.parametrize("event, part, call", [
    ("pull_request", "pull_request", "/repos/acme/app-02/pulls/1"), ("pull_request_review", "review", "/repos/acme/app-02/pulls/1/reviews"),
    ("check_run", "check_run", "/repos/acme/app-02/commits/main/check-runs"), ("deployment", "deployment", "/repos/acme/service-00/deployments")])
def test_rest_answers_have_the_members_that_webhooks_have(recorded, filled, event, part, call):
    ask = Client(filled[0])
    if "check-runs" in call:
        call = call.replace("main", ask("GET", "/repos/acme/app-02/pulls/1").body["head"]["sha"])
    body = ask("GET", call).body
    body = body.get("check_runs", body) if isinstance(body, dict) else body
    ours = set(body[0] if isinstance(body, list) else body)
    missing = members(recorded[event], part) - ours
    assert missing <= NOT_SERVED.get(part, set()) | {"updated_at"}  # only webhooks say when a review changed
