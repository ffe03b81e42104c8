"""The sample company's GitHub side is what its plan says, the same each time, and as big as the bench needs."""
import datetime

import codehost
import pytest
from github.conftest import UNTIL, Client
from github.standin import GitHub


def repo(name, rest=""):
    return f"/repos/acme/{name}{rest}"


@pytest.fixture(scope="module")
def company():
    with GitHub(people=25, validate=True, limit=1_000_000) as github:
        yield Client(github), codehost.fill(github, codehost.SMALL, until=UNTIL)
        assert github.violations() == []


def merges(plan, fault):
    return [name.split("#") for name in plan.wrong[fault]]


def reviews(ask, name, number):
    return ask("GET", repo(name, f"/pulls/{number}/reviews")).body


def test_merges_are_wrong_as_planned_and_otherwise_right(company):
    ask, plan = company
    wrong = {name for fault, names in plan.wrong.items() if fault.startswith("merge") for name in names}
    for name, number in (each.split("#") for each in plan.made["merge"]):
        pull = ask("GET", repo(name, f"/pulls/{number}")).body
        approved = [r for r in reviews(ask, name, number) if r["state"] == "APPROVED"]
        fresh = [r for r in approved if r["commit_id"] == pull["head"]["sha"] and r["user"]["type"] == "User" and r["user"]["id"] != pull["user"]["id"]]
        checks = ask("GET", repo(name, f"/commits/{pull['head']['sha']}/check-runs")).body["check_runs"]
        assert pull["merged"]
        assert (bool(fresh) and {c["conclusion"] for c in checks} == {"success"}) == (f"{name}#{number}" not in wrong)
    assert not any(reviews(ask, *each) for each in merges(plan, "merge without review"))
    assert all(r["user"]["type"] == "Bot" for each in merges(plan, "merge approved by a machine") for r in reviews(ask, *each))


def test_bypasses_are_in_the_rule_suites(company):
    ask, plan = company
    for name, number in merges(plan, "merge that bypassed the rules"):
        sha = ask("GET", repo(name, f"/pulls/{number}")).body["merge_commit_sha"]
        suites = ask("GET", repo(name, "/rulesets/rule-suites?time_period=month&per_page=100")).body
        bypassed = [s["after_sha"] for s in suites if s["result"] == "bypass"]
        merged = datetime.datetime.fromisoformat(ask("GET", repo(name, f"/pulls/{number}")).body["merged_at"].replace("Z", "+00:00")).timestamp()
        assert sha in bypassed or merged < ask.github.clock() - 30 * 86400  # older than GitHub remembers


def test_settings_are_wrong_as_planned(company):
    ask, plan = company
    assert [m["login"] for m in ask("GET", "/orgs/acme/members?filter=2fa_disabled").body] == plan.wrong["member without 2FA"]
    unprotected = set(plan.wrong["repository without protection"])
    for name in plan.made["repository"]:
        rules = ask("GET", repo(name, "/rules/branches/main")).body
        classic = ask("GET", repo(name, "/branches/main/protection")).status == 200
        assert (not rules and not classic) == (name in unprotected), name
    direct = ask("GET", repo(plan.wrong["direct push to the default branch"][0], "/commits?per_page=100")).body
    hotfix = next(c for c in direct if c["commit"]["message"].startswith("hotfix"))
    assert ask("GET", repo(plan.wrong["direct push to the default branch"][0], f"/commits/{hotfix['sha']}/pulls")).body == []
    severities = {a["security_vulnerability"]["severity"] for a in ask("GET", "/orgs/acme/dependabot/alerts?state=open").body}
    severities |= {a["rule"]["security_severity_level"] for a in ask("GET", "/orgs/acme/code-scanning/alerts?state=open").body}
    assert "critical" in severities and len(ask("GET", "/orgs/acme/secret-scanning/alerts?state=open").body) == 1


def test_the_same_size_is_the_same_company_each_time(company):
    ask, plan = company
    with GitHub(people=25, limit=1_000_000) as github:
        again, other = codehost.fill(github, codehost.SMALL, until=UNTIL), Client(github)
        assert again == plan
        for path in ("/orgs/acme/repos?per_page=100", "/orgs/acme/teams", repo("tool-03", "/pulls?state=all"), repo("app-02", "/rulesets/rule-suites?time_period=month"),
                     repo("service-00", "/activity"), "/orgs/acme/dependabot/alerts"):
            assert other("GET", path).body == ask("GET", path).body, path


def test_an_ordinary_week_changes_what_it_says(company):
    with GitHub(people=25, validate=True, limit=1_000_000) as github:
        plan, ask = codehost.fill(github, codehost.SMALL, until=UNTIL), Client(github)
        changes = codehost.change(github, plan)
        assert len(changes) == 3 and github.violations() == []
        assert plan.made["member"][-1] not in [m["login"] for m in ask("GET", "/orgs/acme/members?per_page=100").body]
        fixed = ask("GET", "/orgs/acme/dependabot/alerts?state=fixed").body
        assert [a["dependency"]["package"]["name"] for a in fixed] == ["pyyaml"]
