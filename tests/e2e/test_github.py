"""A code host beside the account: GitHub's stand-in is collected, told from, and collected again for next to nothing."""
import contextlib
import datetime
import subprocess
import urllib.request

import pytest

from github.standin import GitHub
from home import PASS, FAILS, UNDECIDED, USAGE, instant

ANY = (PASS, FAILS, UNDECIDED)


def settings(home, github, sign_in="token: {env: GITHUB_TOKEN}", aws=False):
    """vouch.yaml: GitHub by its stand-in, and AWS or not."""
    (home.path / "vouch.yaml").write_text(
        f"schedule: 1d\nsources:\n  aws:\n    on: {'true' if aws else 'false'}\n"
        f"  github:\n    organisation: {github.organisation}\n    endpoint: {github.endpoint}\n    {sign_in}\n")


@contextlib.contextmanager
def collected(new_home, login="eng-00", **options):
    with GitHub(limit=10_000_000, **options) as github:
        home = new_home("http://127.0.0.1:1", env={"GITHUB_TOKEN": github.token(login)})
        home.run("init", code=PASS)
        settings(home, github)
        yield github, home


def counted(github, *, reset=True):
    """(all requests, those that were answered with anything but a 304, GraphQL's)."""
    requests = github.requests(reset=reset)
    every = sum(sum(by_status.values()) for by_status in requests.values())
    unchanged = sum(by_status.get("304", 0) for by_status in requests.values())
    graphql = sum(sum(by_status.values()) for name, by_status in requests.items() if "/graphql" in name)
    return every, every - unchanged, graphql


def everywhere(home):
    """Every file of the home as it is, and packs unpacked: `zstd -d` turns one into its blobs."""
    for path in home.files("."):
        yield path.name, path.read_bytes()
        if path.parent.name == "blobs":
            yield path.name, subprocess.run(["zstd", "-dcq", path], check=True, capture_output=True).stdout


def test_an_organisation_is_collected_and_told_from(new_home):
    with collected(new_home, plan="enterprise", people=6, pulls=40) as (github, home):
        run = home.json("collect", "--source", "github", code=ANY)["runs"][0]
        assert run["source"] == "github" and run["account"], run
        incomplete = {one["operation"]: one["reason"] for one in run["incomplete"]}
        assert not incomplete, incomplete
        assert len(home.sql("select * from github_member")) == 6
        assert home.sql("select count(*) as n from github_pull_request") == [{"n": 40}]
        assert home.sql("select count(*) as n from github_repository") == [{"n": 4}]
        assert home.sql("select distinct account from github_member")[0]["account"] == run["account"]
        home.verify()
        status = home.json("status", code=ANY)
        assert status["simulated"]
        assert any(control["id"].startswith("github-") for control in status["controls"])
        before = home.sql("select * from github_pull_request order by all")
        home.run("rebuild", code=PASS)
        assert home.sql("select * from github_pull_request order by all") == before


def test_a_second_collection_costs_304s_and_stores_nothing(new_home):
    with collected(new_home, plan="enterprise", people=6, pulls=40) as (github, home):
        home.collect(code=ANY)
        counted(github)
        blobs = {path.name for path in home.files("blobs")}
        run = home.json("collect", code=ANY)["runs"][0]
        every, paid, graphql = counted(github)
        assert run["unchanged"], run
        assert run["counts"]["new_bodies"] == 0
        # Whoever asks first is answered anew, and so is GraphQL, which knows no validators.
        increments = 4 * 5 + 8
        assert paid <= graphql + increments + 1, (every, paid, graphql)
        home.verify()
        assert len({path.name for path in home.files("blobs")} - blobs) == 1  # the times and receipts of the run


def test_what_one_person_may_not_see_is_unknown_and_nothing_else_changes(new_home):
    with collected(new_home, people=6, pulls=8) as (github, home):
        home.extra["GITHUB_TOKEN"] = github.narrow_token
        run = home.json("collect", code=ANY)["runs"][0]
        denied = {one["operation"] for one in run["incomplete"]}
        assert "github:members" in denied or "github:organisation_hooks" in denied, run["incomplete"]
        assert "github:repositories" not in denied
        assert home.sql("select count(*) as n from github_repository") == [{"n": 4}]
        home.verify()


def test_an_app_signs_in_as_well_as_a_person(new_home):
    with collected(new_home, plan="enterprise", people=6, pulls=4) as (github, home):
        key = home.path / "app.pem"
        key.write_text(github.app_key)
        key.chmod(0o600)
        settings(home, github, sign_in=f"app: {{id: {github.app_id}, key: {{file: app.pem}}}}")
        home.json("collect", code=ANY)
        assert home.sql("select count(*) as n from github_pull_request") == [{"n": 4}]


def test_a_token_that_is_not_there_is_a_run_that_says_so(new_home):
    with collected(new_home, people=2) as (github, home):
        del home.extra["GITHUB_TOKEN"]
        run = home.json("collect", code=UNDECIDED)["runs"][0]
        assert run["outcome"] == "failed" and "$GITHUB_TOKEN" in run["reason"], run
        assert github.token("eng-00") not in str(run)


def test_no_token_is_found_anywhere_in_the_home(new_home):
    with collected(new_home, plan="enterprise", people=6, pulls=8) as (github, home):
        home.collect(code=ANY)
        home.collect(code=ANY)
        secrets = [github.token("eng-00"), github.app_key.splitlines()[1]]
        for name, content in everywhere(home):
            for secret in secrets:
                assert secret.encode() not in content, name


def test_what_is_off_in_vouch_yaml_is_out_of_view(new_home):
    with collected(new_home, people=3) as (github, home):
        (home.path / "vouch.yaml").write_text("schedule: 1d\nsources:\n  aws:\n    on: true\n")
        ids = {control["id"] for control in home.json("status", code=ANY)["controls"]}
        assert not any(one.startswith("github-") for one in ids), ids
        listed = {control["id"]: control["on"] for control in home.json("catalog", "list")["controls"]}
        assert any(one.startswith("github-") and not on for one, on in listed.items())
        settings(home, github)
        ids = {control["id"] for control in home.json("status", code=ANY)["controls"]}
        assert any(one.startswith("github-") for one in ids)


@pytest.mark.timeout(1800)
def test_a_second_collection_of_many_pull_requests_costs_a_hundredth(new_home, full):
    """What the run asks for pull requests (GraphQL, a repository's list of features apart) and does not find unchanged."""
    many = 20_000 if full else 4_000
    with collected(new_home, people=12, pulls=many) as (github, home):
        home.collect(code=ANY, timeout=1500)
        every, paid, graphql = counted(github)
        assert home.sql("select count(*) as n from github_pull_request") == [{"n": many}]
        home.collect(code=ANY, timeout=600)
        again = github.requests()
        every_again, paid_again, graphql_again = counted(github)
        print(f"{many} pull requests: first {every} requests ({graphql} of pull requests), second {every_again}, of which {paid_again} were no 304 ({graphql_again} GraphQL)")
        assert graphql_again - 1 <= (graphql - 1) * 0.01 * (20_000 / many)
    with collected(new_home, people=12, pulls=8) as (github, home):
        home.collect(code=ANY)
        github.requests(reset=True)
        home.collect(code=ANY)
        assert github.requests() == again  # call by call what it costs where there are eight


def test_history_says_how_far_back_each_source_still_tells(new_home):
    with collected(new_home, plan="enterprise", people=6, pulls=40) as (github, home):
        now = datetime.datetime.now(datetime.timezone.utc)
        github.clock((now - datetime.timedelta(days=120)).strftime("%Y-%m-%dT%H:%M:%SZ"))
        changed = urllib.request.Request(f"{github.endpoint}/orgs/{github.organisation}/actions/permissions/workflow", method="PUT",
                                         data=b'{"default_workflow_permissions": "read"}', headers={"Authorization": f"Bearer {github.token('eng-00')}"})
        urllib.request.urlopen(changed).close()
        github.clock(now.strftime("%Y-%m-%dT%H:%M:%SZ"), stopped=False)
        since = (now - datetime.timedelta(days=700)).isoformat()
        history = {one["table"]: one for one in home.json("collect", "--since", since, code=ANY)["history"]}
        assert history["github_pull_request"]["lost_until"] is None and history["github_pull_request"]["events"] > 0
        log = history["github_audit_event"]
        assert abs(instant(log["lost_until"]) - (now - datetime.timedelta(days=180))) < datetime.timedelta(minutes=5)
        # GitHub answers three months where nobody names a date.
        assert log["first"] and now - instant(log["first"]) > datetime.timedelta(days=91), log
        shown = home.run("collect", "--since", since, code=ANY).out
        assert "forgets after 180 days" in shown
        home.run("collect", "--since", "2999-01-01", code=USAGE)
