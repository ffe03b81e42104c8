"""Starts the stand-in, as tests, demo and bench do.

    with GitHub(people=25) as github:        # a process of its own, on a port that the system chose
        github.endpoint                      # http://127.0.0.1:PORT, in place of https://api.github.com
        github.token("eng-00")               # the classic token of a person; eng-00 and eng-01 own the organisation
        github.app_key, github.app_id        # an App that may read, installed in the organisation
        github.clock("2026-03-01T09:00:00Z") # stops the clock there; from then on time passes only when told
        github.requests(reset=True)          # what it has answered: {"GET /orgs/{org}/repos": {"200": 3, "304": 1}}
        github.violations()                  # answers that GitHub's schema does not allow (with validate=True; empty, or a test has failed)

As a program: `python tests/github/standin.py [--people N] [--plan enterprise] [--validate] [--pulls N] [--repositories N] [--limit N] …`; it prints one line of
JSON (port, control, tokens, key) and serves until its standard input closes, so that it never outlives whoever started it.
"""
import argparse
import asyncio
import gc
import json
import os
import pathlib
import sys
import threading
import urllib.request

TESTS = pathlib.Path(__file__).resolve().parents[1]
if __name__ == "__main__":  # started by path: this folder is a package of the tests
    sys.path = [str(TESTS)] + [p for p in sys.path if pathlib.Path(p or ".").resolve() != TESTS / "github"]

sys.path.append(str(TESTS / "company"))
from child import Child  # noqa: E402
from github.access import classic_token, secret  # noqa: E402
from github.seed import ORGANISATION, generate_pulls, generate_repositories  # noqa: E402

FOUNDED = "2025-09-01T08:00:00Z"


class GitHub(Child):
    def __init__(self, people=25, plan="team", validate=False, at=None, pulls=0, repositories=0, limit=None, points_a_minute=None, silent=False, port=0):
        words = [f"--people={people}", f"--plan={plan}", f"--pulls={pulls}", f"--repositories={repositories}", f"--port={port}"]
        words += ["--validate"] if validate else []
        words += ["--silent"] if silent else []
        words += [f"--{name}={value}" for name, value in (("at", at), ("limit", limit), ("points-a-minute", points_a_minute)) if value is not None]
        super().__init__(__file__, *words, env={"TZ": "UTC"})
        said = json.loads(self.said)
        self.port, self.control, self.app_key, self.app_id = said["port"], said["control"], said["key"], said["app_id"]
        self.client_id, self.installation_id = said["client_id"], said["installation_id"]
        self.endpoint, self.organisation = f"http://127.0.0.1:{self.port}", ORGANISATION
        self.actions_token = secret("ghs_", "actions", ORGANISATION)  # what a workflow of the organisation has as GITHUB_TOKEN
        self.reader_token = secret("ghp_", "reader", "eng-00")  # of an owner, but with scopes to read only
        self.narrow_token = secret("github_pat_", "narrow", "eng-00")  # fine-grained: contents and metadata

    @staticmethod
    def token(login):
        return classic_token(login)

    def _ask(self, what, **said):
        request = urllib.request.Request(f"http://127.0.0.1:{self.control}/{what}", data=json.dumps(said).encode())
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def clock(self, at=None, stopped=True):
        """Stops (or, with stopped=False, runs on) at an instant in RFC 3339; the instant that it is now, in seconds."""
        return self._ask("clock", at=at, stopped=stopped)["now"]

    def requests(self, reset=False):
        return self._ask("requests", reset=reset)

    def violations(self):
        return self._ask("violations")["violations"]

    def limits(self, **chosen):
        """limit=, points_a_minute=, silent=: rate limits from now on; what was used is forgotten."""
        self._ask("limits", **chosen)

    def person(self, login, **chosen):
        """two_factor=, two_factor_insecure=: what people set on github.com only."""
        self._ask("person", login=login, **chosen)


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=25)
    parser.add_argument("--plan", choices=["team", "enterprise"], default="team")
    parser.add_argument("--at", help="stop the clock at this instant (RFC 3339)")
    parser.add_argument("--validate", action="store_true", help="judge every answer by GitHub's schema")
    parser.add_argument("--pulls", type=int, default=0, help="generate that many pull requests")
    parser.add_argument("--repositories", type=int, default=0, help="generate that many repositories")
    parser.add_argument("--limit", type=int, help="requests an hour, in place of GitHub's own limits")
    parser.add_argument("--points-a-minute", type=int, help="turn the secondary limit on (GitHub's: 900)")
    parser.add_argument("--silent", action="store_true", help="secondary limits without retry-after")
    parser.add_argument("--port", type=int, default=0)
    return parser.parse_args()


def main():
    from github.app import Site
    from github.seed import world
    from github.server import serve
    from github.state import Clock, seconds
    from github.validation import Validator

    chosen, clock = options(), Clock()
    if chosen.at:
        clock.set(seconds(chosen.at))
    made, key = world(chosen.people, seconds(FOUNDED), chosen.plan, clock)
    generate_repositories(made, chosen.repositories)
    generate_pulls(made, chosen.pulls)
    site = Site(made, Validator() if chosen.validate else None, chosen.limit, chosen.points_a_minute, chosen.silent)
    app = made.apps[777001]
    gc.freeze()  # what is there from the start stays: the collector need not walk it again and again
    gc.set_threshold(20_000, 20, 20)

    def ready(port, control):
        print(json.dumps({"port": port, "control": control, "key": key, "app_id": app.id, "client_id": app.client_id, "installation_id": 5550001}), flush=True)
        threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()

    asyncio.run(serve(site, ready, chosen.port))


if __name__ == "__main__":
    main()
