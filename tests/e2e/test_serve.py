"""A server that collects by itself: its schedule, its health, what it says to Prometheus, how it ends, and how other commands reach it."""
import itertools
import json
import re
import signal
import socket
import stat
import time
import urllib.error
import urllib.request

import pytest

from github.standin import GitHub
from home import PASS, UNDECIDED, USAGE
from proxy import Hang


class Server:
    """`vouch serve` of a home on a free port. Ends it with SIGTERM, and expects that to work."""

    def __init__(self, home, *words):
        self.home = home
        self.process = home.start("serve", "--listen", "127.0.0.1:0", *words)
        self.lines = []
        self.address = dict(self.until("serving"))["listen"]

    def until(self, event, **wanted):
        """Reads the log up to a line of that event and those values."""
        for line in self.process.stderr:
            self.lines.append(line)
            fields = fields_of(line)
            if fields.get("event") == event and all(fields.get(key) == value for key, value in wanted.items()):
                return fields
        raise AssertionError(f"the server ended before `{event}`:\n{''.join(self.lines)}")

    def get(self, path, data=None, headers=None):
        request = urllib.request.Request(f"http://{self.address}{path}", data=data, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metric(self, name, **labels):
        status, text = self.get("/metrics")
        assert status == 200
        for line in text.splitlines():
            found = re.fullmatch(r'(\w+)(?:\{(.*)\})? (\S+)', line)
            if found and found[1] == name and dict(re.findall(r'(\w+)="([^"]*)"', found[2] or "")) == labels:
                return float(found[3])
        return None

    def stop(self, how=signal.SIGTERM):
        began = time.monotonic()
        self.process.send_signal(how)
        code = self.process.wait(20)
        self.lines += self.process.stderr.readlines()
        return code, time.monotonic() - began

    def __enter__(self):
        return self

    def __exit__(self, *failed):
        if self.process.poll() is None:
            code, _ = self.stop()
            assert failed != (None, None, None) or code == PASS, "".join(self.lines)
        self.process.stderr.close()


def fields_of(line):
    """logfmt."""
    return {key: json.loads(value) if value.startswith('"') else value for key, value in re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S*)', line)}


def ask(home, method, path):
    """By the socket, as another command would."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect(str(home.path / "serve.sock"))
        client.sendall(f"{method} {path} HTTP/1.1\r\nHost: vouch\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while more := client.recv(65536):
            answer += more
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def settings(home, github, every="1d", more=""):
    (home.path / "vouch.yaml").write_text(
        f"schedule: {every}\nsources:\n  aws:\n    on: false\n"
        f"  github:\n    organisation: {github.organisation}\n    endpoint: {github.endpoint}\n    token: {{env: GITHUB_TOKEN}}\n{more}")


@pytest.fixture(scope="module")
def github():
    with GitHub(limit=10_000_000, people=3, pulls=4) as github:
        yield github


@pytest.fixture(scope="module")
def collected(module_home, github):
    home = module_home("http://127.0.0.1:1", env={"GITHUB_TOKEN": github.token("eng-00")})
    home.run("init", code=PASS)
    settings(home, github)
    home.collect(code=PASS)
    return home


copies = itertools.count()


@pytest.fixture
def home(collected):
    """Collected a moment ago."""
    return collected.copy(f"home-{next(copies)}")  # a short name: sockets' names are at most 107 bytes long


def test_it_collects_by_its_schedule(home, github):
    settings(home, github, every="10s")
    with Server(home) as server:
        run = server.until("collected")
        assert run["source"] == "github" and run["outcome"] == "complete", run
        assert fields_of(server.lines[-2])["scheduled"] != "no", server.lines
        assert server.metric("vouch_collections_total", source="github", outcome="complete") == 1
        assert server.metric("vouch_collection_overruns_total", source="github") == 0
        assert server.metric("vouch_collection_last_success_timestamp_seconds", source="github") == pytest.approx(time.time(), abs=15)
        assert server.metric("vouch_collection_next_run_timestamp_seconds", source="github") == pytest.approx(time.time(), abs=11)
        assert server.metric("vouch_ledger_entries") == 3
        assert server.get("/healthz")[0] == 200
    assert [run["schedule"] for run in home.sql("select schedule from vouch_collection order by ended")] == ["1d", "10s"]
    home.verify()


def test_a_source_is_not_collected_again_before_its_time(home):
    with Server(home) as server:
        status, state = ask(home, "GET", "/state")
        assert status == 200
        [source] = [one for one in state["sources"] if one["source"] == "github"]
        assert source["last"]["outcome"] == "complete" and source["running_since"] is None and source["next"] > state["now"], state
        assert server.metric("vouch_collections_total", source="github", outcome="complete") is None
        assert [one["next"] for one in state["sources"] if one["source"] == "aws"] == [None]  # off


def test_health_tells_when_the_ledger_is_gone(home):
    with Server(home) as server:
        assert server.get("/healthz")[0] == 200
        checkpoint = home.path / "ledger" / "checkpoint"
        checkpoint.rename(checkpoint.with_suffix(".away"))
        status, body = server.get("/healthz")
        assert status == 503 and json.loads(body) == {"healthy": False, "reasons": ["the ledger does not open: not_found"]}, body
        checkpoint.with_suffix(".away").rename(checkpoint)
        assert server.get("/healthz")[0] == 200


def test_collect_asks_the_server_that_runs_for_the_home(home):
    alone = home.run("collect", code=PASS)
    with Server(home) as server:
        told = home.run("collect", code=PASS)
        shape = lambda text: re.sub(r"[\d.]+ s\b", "S", text).splitlines()[0].split(",")[0]
        assert re.match(r"complete github account \S+: \d+ requests in S$", shape(told.out)), told.out
        assert shape(alone.out).split(":")[0] == shape(told.out).split(":")[0]
        assert server.metric("vouch_collections_total", source="github", outcome="complete") == 1
        run = home.json("collect", "--source", "github", code=PASS)["runs"][0]
        assert run["leaf"] is not None and run["unchanged"]
        assert server.metric("vouch_collections_total", source="github", outcome="complete") == 2
        assert home.run("collect", "--source", "gcp", code=USAGE).err.count("no source `gcp`") == 1
    home.verify()


def test_the_socket_is_its_owners_and_the_address_shows_little(home):
    with Server(home) as server:
        assert stat.S_IMODE((home.path / "serve.sock").stat().st_mode) == 0o600
        for path in ("/state", "/collect?source=github", "/", "/ledger/checkpoint"):
            assert server.get(path)[0] == 404
            assert server.get(path, data=b"")[0] == 404
        assert server.get("/healthz", data=b"x" * 100)[0] == 405
        assert ask(home, "POST", "/collect")[0] == 400
        assert ask(home, "POST", "/collect?source=gcp")[0] == 404
        assert ask(home, "POST", "/collect?source=%zz")[0] == 400
        assert server.get("/metrics", headers={"X": "y" * 20_000})[0] == 431
        assert server.get("/healthz")[0] == 200


def test_a_second_server_for_a_home_is_refused_with_the_pid_of_the_first(home):
    with Server(home) as server:
        refused = home.run("serve", "--listen", "127.0.0.1:0", code=UNDECIDED)
        assert f"process {server.process.pid}" in refused.err
        assert ask(home, "GET", "/state")[0] == 200
    assert not (home.path / "serve.sock").exists()


def test_what_a_killed_server_left_is_in_nobodys_way(home):
    with Server(home) as server:
        server.process.kill()
        server.process.wait()
        assert (home.path / "serve.sock").exists()
        home.run("collect", code=PASS)
        assert not (home.path / "serve.sock").exists()
    with Server(home):
        assert ask(home, "GET", "/state")[0] == 200


def test_sigterm_in_the_middle_of_a_page_ends_it_within_seconds_and_records_nothing(proxy, new_home):
    home = new_home(proxy.endpoint).init()
    rule = proxy.when(service="ec2", operation="DescribeVolumes", then=Hang())
    with Server(home) as server:
        server.until("collecting")
        deadline = time.monotonic() + 30
        while not rule.hits and time.monotonic() < deadline:
            time.sleep(0.05)
        assert server.get("/healthz")[0] in (200, 503)  # it answers while it collects
        status, state = ask(home, "GET", "/state")
        assert [one["running_since"] is not None for one in state["sources"]] == [True], state
        code, seconds = server.stop()
        assert code == PASS and seconds < 5, (code, seconds, server.lines)
        assert fields_of(server.lines[-1])["event"] == "stopped"
    assert not (home.path / "serve.sock").exists()
    assert home.json("log", "show")["leaves"] == []
    assert home.files("blobs") == []
    home.verify()
