"""Webhooks of GitHub become evidence: kept once, signed or not at all, durable when answered."""
import concurrent.futures
import hashlib
import hmac
import itertools
import json
import time
import uuid

import pytest

from conftest import ROOT
from github.conftest import Client
from github.standin import GitHub
from home import PASS
from test_serve import Server, settings

SECRET = "a secret of the webhook, planted"


@pytest.fixture(scope="module")
def github():
    with GitHub(limit=10_000_000, people=3) as github:
        yield github


@pytest.fixture(scope="module")
def recorded():
    """Payloads that GitHub has sent: (event, bytes)."""
    kinds = json.loads((ROOT / ".deps" / "github" / "webhooks.json").read_text())
    return [(kind["name"], json.dumps(example).encode()) for kind in kinds for example in kind["examples"]]


@pytest.fixture(scope="module")
def collected(module_home, github):
    home = module_home("http://127.0.0.1:1", env={"GITHUB_TOKEN": github.token("eng-00"), "HOOK_SECRET": SECRET})
    home.run("init", code=PASS)
    settings(home, github, more="    webhook: {secret: {env: HOOK_SECRET}}\n")
    home.collect(code=PASS)
    return home


copies = itertools.count()


@pytest.fixture
def home(collected):
    """That takes webhooks, and was collected a moment ago."""
    return collected.copy(f"home-{next(copies)}")


@pytest.fixture
def server(home):
    with Server(home) as server:
        yield server


def headers(event, body, secret=SECRET, delivery=None):
    return {"Content-Type": "application/json", "X-GitHub-Event": event, "X-GitHub-Delivery": delivery or str(uuid.uuid4()),
            "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def post(server, event, body, **options):
    return server.get("/hooks/github", data=body, headers=headers(event, body, **options))


def kept(home):
    return [leaf["leaf"] for leaf in home.json("log", "show", code=PASS)["leaves"] if leaf["leaf"]["kind"] == "events"]


def test_what_github_delivers_is_kept_as_it_came(home, server, github):
    ask = Client(github)
    ask("PATCH", "/app/hook/config", {"url": f"http://{server.address}/hooks/github", "secret": SECRET}, token=ask.jwt())
    ask("POST", f"/orgs/{github.organisation}/repos", {"name": "made-just-now", "private": True})
    said = server.until("webhook", type="repository")
    [leaf] = [leaf for leaf in kept(home) if leaf["delivery"] == said["delivery"]]
    assert (leaf["source"], leaf["event"]) == ("github", "repository")
    body = home.run("log", "show", "--blob", leaf["body"], code=PASS).out
    assert hashlib.sha256(body.encode()).hexdigest() == leaf["body"] == leaf["received_body"]
    assert json.loads(body)["repository"]["name"] == "made-just-now"
    deadline = time.monotonic() + 10
    while (status := ask("GET", "/app/hook/deliveries", token=ask.jwt()).body[0]["status_code"]) != 202 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert status == 202
    ask("PATCH", "/app/hook/config", {"url": ""}, token=ask.jwt())


def test_fifty_at_once_share_commits_and_none_is_lost(home, server, recorded):
    chosen = recorded[:: len(recorded) // 50][:50]
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        statuses = list(pool.map(lambda one: post(server, *one)[0], chosen))
    assert statuses == [202] * 50
    assert server.metric("vouch_webhooks_total", outcome="accepted") == 50
    assert server.metric("vouch_webhook_commits_total") <= 20
    assert sorted(leaf["event"] for leaf in kept(home)) == sorted(event for event, _ in chosen)
    assert {leaf["received_body"] for leaf in kept(home)} == {hashlib.sha256(body).hexdigest() for _, body in chosen}
    assert server.stop()[0] == PASS
    home.verify()


def test_what_is_not_signed_is_refused_and_leaves_nothing(home, server, recorded):
    before = home.files("blobs", "ledger")
    event, body = recorded[0]
    assert post(server, event, body, secret="guessed") == (401, '{"error":"refused"}\n')
    unsigned = headers(event, body)
    del unsigned["X-Hub-Signature-256"]
    assert server.get("/hooks/github", data=body, headers=unsigned) == (401, '{"error":"refused"}\n')
    assert server.get("/hooks/github", data=body + b" ", headers=headers(event, body))[0] == 401
    assert server.metric("vouch_webhooks_total", outcome="refused") == 3
    assert kept(home) == []
    assert home.files("blobs", "ledger") == before


def test_a_delivery_that_comes_again_is_kept_once_also_after_a_restart(home, recorded):
    event, body = recorded[0]
    with Server(home) as server:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            statuses = sorted(pool.map(lambda _: post(server, event, body, delivery="72d3162e-cc78-11e3-81ab-4c9367dc0958")[0], range(4)))
        assert statuses == [200, 200, 200, 202]
    with Server(home) as server:
        assert post(server, event, body, delivery="72d3162e-cc78-11e3-81ab-4c9367dc0958")[0] == 200
        assert server.metric("vouch_webhooks_total", outcome="duplicate") == 1
    assert len(kept(home)) == 1


def test_collections_and_a_rebuild_go_on_beside_them(home, server, recorded):
    assert post(server, *recorded[0])[0] == 202
    home.run("collect", "--source", "github", code=PASS)
    before = home.sql("select * from github_repository order by all")
    home.run("rebuild", code=PASS)
    assert home.sql("select * from github_repository order by all") == before and before
    kinds = [line.split()[1] for line in home.run("log", "show", code=PASS).out.splitlines()[1:] if line.strip()[:1].isdigit()]
    assert kinds.count("events") == 1 and kinds.count("collection") == 2, kinds
    home.verify()
    body = home.run("log", "show", "--blob", kept(home)[0]["body"], code=PASS).out
    assert json.loads(body) == json.loads(recorded[0][1])


def test_a_lost_body_breaks_the_home(home, server, recorded):
    before = home.files("blobs")
    assert post(server, *recorded[0])[0] == 202
    [pack] = set(home.files("blobs")) - set(before)
    pack.unlink()
    assert "the body" in home.verify(code=4).err


def test_a_secret_in_a_payload_is_found_nowhere(home, server):
    token = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"
    body = json.dumps({"action": "created", "comment": {"body": f"please use {token}, it works"}}).encode()
    assert post(server, "issue_comment", body)[0] == 202
    [leaf] = kept(home)
    assert leaf["secrets"] == 1 and leaf["body"] != leaf["received_body"]
    assert token not in home.run("log", "show", "--blob", leaf["body"], code=PASS).out
    server.stop()
    for line in server.lines:
        assert token not in line and SECRET not in line
    for path in home.files("."):
        assert token.encode() not in path.read_bytes() and SECRET.encode() not in path.read_bytes(), path


def test_too_much_is_refused_before_it_is_read(server):
    assert server.get("/hooks/github", data=b"{}", headers=headers("push", b"{}") | {"Content-Length": str(26 << 20)})[0] == 413
    assert server.get("/hooks/github", data=iter([b"{", b"}"]), headers=headers("push", b"{}"))[0] == 411
    assert server.get("/hooks/github")[0] == 405
    large = b'{"a":"' + b"x" * (9 << 20) + b'"}'
    assert post(server, "push", large)[0] == 202
