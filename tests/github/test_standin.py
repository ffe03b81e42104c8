"""The stand-in answers as GitHub does: every route once by GitHub's schema, and the behaviours that a collector depends on."""
import base64
import gzip
import hashlib
import hmac
import http.server
import json
import threading
import time

import codehost
from github.conftest import Client
from github.routes import ROUTES


# ---- Every route, judged by GitHub's schema --------------------------------------------------------------------------------------


def repo(name, rest=""):
    return f"/repos/acme/{name}{rest}"


def read_everything(ask):
    """Every GET, with whatever the sample company has to fill its path."""
    app = {"token": ask.jwt()}
    for path in ("/rate_limit", "/meta", "/user", "/users/eng-03", "/orgs/acme"):
        yield path, {}
    for path in ("/app", "/app/installations", f"/app/installations/{ask.github.installation_id}", "/orgs/acme/installation", "/app/hook/config",
                 "/app/hook/deliveries?per_page=100"):
        yield path, app
    delivery = ask("GET", "/app/hook/deliveries", **app).body[0]["id"]
    yield f"/app/hook/deliveries/{delivery}", app
    installation = {"token": ask.installation_token()}
    yield "/installation/repositories?per_page=100", installation
    yield "/orgs/acme/personal-access-tokens", installation
    for path in ("members?per_page=100", "members?filter=2fa_disabled", "members?role=admin", "members/eng-02", "memberships/eng-02", "outside_collaborators",
                 "invitations", "failed_invitations", "teams", "teams/engineering", "teams/engineering/teams", "teams/engineering/members",
                 "teams/team-00/memberships/eng-03", "teams/team-00/repos", "repos?per_page=100", "installations", "hooks", "code-security/configurations",
                 "audit-log?include=all&per_page=100", "rulesets", "rulesets/rule-suites?time_period=month", "actions/permissions",
                 "actions/permissions/workflow", "actions/permissions/selected-actions", "dependabot/alerts", "secret-scanning/alerts?hide_secret=true",
                 "code-scanning/alerts"):
        yield f"/orgs/acme/{path}", {}
    ruleset = ask("GET", "/orgs/acme/rulesets").body[0]["id"]
    suite = ask("GET", "/orgs/acme/rulesets/rule-suites?time_period=month").body[0]["id"]
    for path in (f"rulesets/{ruleset}", f"rulesets/{ruleset}/history", f"rulesets/rule-suites/{suite}"):
        yield f"/orgs/acme/{path}", {}
    for name in ("service-00", "library-01", "app-02", "tool-03", "tool-07"):
        yield from read_repository(ask, name)


def read_repository(ask, name):
    for rest in ("", "/branches", "/branches/main", "/rules/branches/main", "/rulesets", "/rulesets/rule-suites?time_period=month", "/activity", "/collaborators",
                 "/collaborators/eng-02", "/collaborators/eng-02/permission", "/teams", "/keys", "/hooks", "/pulls?state=all", "/issues?state=all", "/commits",
                 "/commits/main", "/git/ref/heads/main", "/contents/README.md", "/contents/src", "/deployments", "/environments", "/actions/permissions",
                 "/actions/permissions/workflow", "/actions/workflows", "/actions/runs", "/automated-security-fixes", "/private-vulnerability-reporting",
                 "/vulnerability-alerts", "/code-scanning/default-setup", "/dependabot/alerts", "/secret-scanning/alerts", "/pulls/1", "/pulls/1/commits",
                 "/pulls/1/files", "/pulls/1/merge", "/pulls/1/reviews", "/pulls/1/requested_reviewers", "/issues/1/timeline", "/issues/1"):
        yield repo(name, rest), {}
    sha = ask("GET", repo(name, "/pulls/1")).body["head"]["sha"]
    for rest in ("pulls", "check-runs?filter=all", "check-suites", "status", "statuses"):
        yield repo(name, f"/commits/{sha}/{rest}"), {}
    run = ask("GET", repo(name, "/actions/runs")).body["workflow_runs"][0]["id"]
    yield repo(name, f"/actions/runs/{run}"), {}
    yield repo(name, f"/actions/runs/{run}/approvals"), {}
    check = ask("GET", repo(name, f"/commits/{sha}/check-runs")).body["check_runs"][0]["id"]
    yield repo(name, f"/check-runs/{check}"), {}


SOME = {  # what only some repositories have
    "service-00": ("/code-scanning/alerts", "/code-scanning/alerts/1", "/code-scanning/analyses", "/environments/production",
                   "/environments/production/deployment-branch-policies"),
    "library-01": ("/branches/main/protection",),
    "tool-03": ("/dependabot/alerts/1",),
    "tool-11": ("/secret-scanning/alerts/1",)}


def read_some(ask):
    for name, rests in SOME.items():
        for rest in rests:
            yield repo(name, rest), {}
    key = ask("GET", repo("service-00", "/keys")).body[0]["id"]
    yield repo("service-00", f"/keys/{key}"), {}
    deployment = ask("GET", repo("service-00", "/deployments")).body[0]["id"]
    yield repo("service-00", f"/deployments/{deployment}"), {}
    yield repo("service-00", f"/deployments/{deployment}/statuses"), {}
    ruleset = ask("GET", repo("app-02", "/rulesets?includes_parents=false")).body[0]["id"]
    yield repo("app-02", f"/rulesets/{ruleset}"), {}
    versions = ask("GET", repo("app-02", f"/rulesets/{ruleset}/history")).body
    yield repo("app-02", f"/rulesets/{ruleset}/history/{versions[0]['version_id']}"), {}
    suite = ask("GET", repo("app-02", "/rulesets/rule-suites?time_period=month")).body[0]["id"]
    yield repo("app-02", f"/rulesets/rule-suites/{suite}"), {}
    review = ask("GET", repo("app-02", "/pulls/1/reviews")).body[0]["id"]
    yield repo("app-02", f"/pulls/1/reviews/{review}"), {}


def write_everything(ask):
    """Every call that changes something, in an order in which GitHub would let it: (method, path, body, further words of the call)."""
    app, actions = {"token": ask.jwt()}, {"token": ask.github.actions_token}
    last = {}

    def call(method, path, body=None, expect=None, **more):
        answer = ask(method, path, body, **more)
        assert answer.status < 300 or answer.status == expect, (method, path, answer.status, answer.body)
        last.update(answer.body if isinstance(answer.body, dict) else {})
        return answer.body

    org = "/orgs/acme"
    call("PATCH", org, {"description": "changed"})
    call("PATCH", "/app/hook/config", {"content_type": "json"}, **app)
    delivery = call("GET", "/app/hook/deliveries", **app)[0]["id"]
    call("POST", f"/app/hook/deliveries/{delivery}/attempts", **app)
    call("POST", f"{org}/hooks", {"name": "web", "config": {"url": "https://hooks.example", "content_type": "json"}})
    call("POST", f"{org}/code-security/configurations", {"name": "usual", "description": "all on", "secret_scanning": "enabled"})
    call("POST", f"{org}/invitations", {"email": "new@people.example"})
    call("PUT", f"{org}/memberships/contractor-00", {"role": "member"})
    call("PATCH", "/user/memberships/orgs/acme", {"state": "active"}, by="contractor-00")
    call("DELETE", f"{org}/memberships/contractor-00")
    call("PUT", f"{org}/actions/permissions", {"enabled_repositories": "all", "allowed_actions": "selected"})
    call("PUT", f"{org}/actions/permissions/selected-actions", {"github_owned_allowed": True, "verified_allowed": True, "patterns_allowed": ["acme/*"]})
    call("GET", f"{org}/actions/permissions/selected-actions")
    call("PUT", f"{org}/actions/permissions/workflow", {"default_workflow_permissions": "read"})
    team = call("POST", f"{org}/teams", {"name": "passing", "privacy": "closed"})
    call("PATCH", f"{org}/teams/passing", {"description": "not for long", "parent_team_id": None})
    call("PUT", f"{org}/teams/passing/memberships/eng-05", {"role": "maintainer"})
    rules = codehost.ruleset("tools", repository_name={"include": ["tool-*"], "exclude": []}, enforcement="disabled")
    ruleset = call("POST", f"{org}/rulesets", rules)["id"]
    call("PUT", f"{org}/rulesets/{ruleset}", {"enforcement": "evaluate"})
    call("DELETE", f"{org}/rulesets/{ruleset}")

    call("POST", f"{org}/repos", {"name": "scratch", "private": True, "auto_init": True})
    call("PUT", f"{org}/teams/passing/repos/acme/scratch", {"permission": "maintain"})
    call("DELETE", f"{org}/teams/passing/repos/acme/scratch")
    call("PATCH", repo("scratch"), {"security_and_analysis": {"secret_scanning": {"status": "enabled"}}, "allow_auto_merge": True})
    for switch in ("vulnerability-alerts", "automated-security-fixes", "private-vulnerability-reporting"):
        call("DELETE", repo("scratch", f"/{switch}"))
        call("PUT", repo("scratch", f"/{switch}"))
    call("PUT", repo("scratch", "/actions/permissions"), {"enabled": True, "allowed_actions": "selected"})
    call("PUT", repo("scratch", "/actions/permissions/selected-actions"), {"github_owned_allowed": True})
    call("GET", repo("scratch", "/actions/permissions/selected-actions"))
    call("PUT", repo("scratch", "/actions/permissions/workflow"), {"default_workflow_permissions": "write"})
    call("POST", repo("scratch", "/hooks"), {"config": {"url": "https://hooks.example"}, "events": ["push"]})
    key = call("POST", repo("scratch", "/keys"), {"title": "k", "key": "ssh-ed25519 AAAA", "read_only": True})["id"]
    call("DELETE", repo("scratch", f"/keys/{key}"))
    call("PUT", repo("scratch", "/collaborators/contractor-00"), {"permission": "push"})
    call("DELETE", repo("scratch", "/collaborators/contractor-00"))
    call("PUT", repo("scratch", "/collaborators/contractor-00"), {"permission": "triage"})
    call("DELETE", f"{org}/outside_collaborators/contractor-00")
    write_code(ask, call, actions)
    call("DELETE", f"{org}/teams/passing/memberships/eng-05")
    call("DELETE", f"{org}/teams/passing")
    call("DELETE", repo("scratch"))
    call("DELETE", f"{org}/members/eng-24")
    return team


def write_code(ask, call, actions):
    """Everything between a branch and a deployment, in `scratch`."""
    text = lambda words: base64.b64encode(words.encode()).decode()  # noqa: E731
    head = call("GET", repo("scratch", "/git/ref/heads/main"))["object"]["sha"]
    call("POST", repo("scratch", "/git/refs"), {"ref": "refs/heads/topic", "sha": head})
    made = call("PUT", repo("scratch", "/contents/requirements.txt"), {"message": "pin", "branch": "topic", "content": text("jinja2==2.11.2\n")})
    call("POST", repo("scratch", "/git/refs"), {"ref": "refs/heads/spare", "sha": head})
    call("DELETE", repo("scratch", "/git/refs/heads/spare"))
    pull = call("POST", repo("scratch", "/pulls"), {"title": "Pin", "head": "topic", "base": "main"}, by="eng-01")["number"]
    commit = call("POST", repo("scratch", "/git/commits"), {"message": "pin, again", "tree": made["commit"]["tree"]["sha"], "parents": [head]})["sha"]
    call("PATCH", repo("scratch", "/git/refs/heads/topic"), {"sha": commit, "force": True})
    call("POST", repo("scratch", f"/pulls/{pull}/requested_reviewers"), {"reviewers": ["eng-00"], "team_reviewers": ["passing"]})
    call("PATCH", repo("scratch", f"/pulls/{pull}"), {"title": "Pin it"})
    review = call("POST", repo("scratch", f"/pulls/{pull}/reviews"), {"body": "fine"})["id"]
    call("POST", repo("scratch", f"/pulls/{pull}/reviews/{review}/events"), {"event": "APPROVE"})
    call("PUT", repo("scratch", f"/pulls/{pull}/reviews/{review}/dismissals"), {"message": "on second thoughts"})
    run = call("POST", repo("scratch", "/check-runs"), {"name": "build", "head_sha": commit, "status": "in_progress"}, **actions)["id"]
    call("PATCH", repo("scratch", f"/check-runs/{run}"), {"status": "completed", "conclusion": "success"}, **actions)
    call("POST", repo("scratch", f"/statuses/{commit}"), {"state": "success", "context": "lint"})
    call("GET", repo("scratch", f"/issues/{pull}/timeline"))
    call("PUT", repo("scratch", f"/pulls/{pull}/merge"), {"merge_method": "squash", "sha": commit})
    call("GET", repo("scratch", f"/issues/{pull}/timeline"))
    old = call("GET", repo("scratch", "/contents/README.md"))["sha"]
    call("DELETE", repo("scratch", "/contents/README.md"), {"message": "no need", "sha": old})
    call("PUT", repo("scratch", "/contents/.github/CODEOWNERS"), {"message": "owners", "content": text("* @acme/nobody @eng-00\n")})
    assert len(call("GET", repo("scratch", "/codeowners/errors"))["errors"]) == 1
    call("PUT", repo("scratch", "/contents/key.txt"), {"message": "oh", "content": text("AKIAIOSFODNN7EXAMPLF\n")})
    call("PATCH", repo("scratch", "/secret-scanning/alerts/1"), {"state": "resolved", "resolution": "revoked"})
    call("PATCH", repo("scratch", "/dependabot/alerts/1"), {"state": "dismissed", "dismissed_reason": "tolerable_risk", "dismissed_comment": "a test"})
    scan(call, "scratch")
    call("PATCH", repo("scratch", "/code-scanning/alerts/1"), {"state": "dismissed", "dismissed_reason": "false positive"})
    call("PATCH", repo("scratch", "/code-scanning/default-setup"), {"state": "configured"})
    number = call("POST", repo("scratch", "/issues"), {"title": "Broken", "labels": ["incident"], "assignees": ["eng-02"]})["number"]
    call("PATCH", repo("scratch", f"/issues/{number}"), {"state": "closed"})
    call("PUT", repo("scratch", "/branches/main/protection"), codehost.classic() | {"restrictions": {"users": ["eng-02"], "teams": ["passing"], "apps": []}})
    call("GET", repo("scratch", "/branches/main/protection"))
    call("DELETE", repo("scratch", "/branches/main/protection"))
    ruleset = call("POST", repo("scratch", "/rulesets"), codehost.ruleset("mine", enforcement="disabled"))["id"]
    call("PUT", repo("scratch", f"/rulesets/{ruleset}"), {"name": "ours"})
    call("DELETE", repo("scratch", f"/rulesets/{ruleset}"))
    user = call("GET", "/users/eng-00")["id"]
    environment = call("PUT", repo("scratch", "/environments/live"), {
        "wait_timer": 30, "reviewers": [{"type": "User", "id": user}], "deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": True}})["id"]
    call("POST", repo("scratch", "/environments/live/deployment-branch-policies"), {"name": "release/*"})
    made = call("POST", repo("scratch", "/deployments"), {"ref": commit, "environment": "live", "required_contexts": []}, **actions)["id"]
    call("POST", repo("scratch", f"/deployments/{made}/statuses"), {"state": "success"}, **actions)
    run = call("GET", repo("scratch", f"/actions/runs?head_sha={commit}"))["workflow_runs"][0]["id"]
    call("POST", repo("scratch", f"/actions/runs/{run}/pending_deployments"), {"environment_ids": [environment], "state": "approved", "comment": "go"})
    call("GET", repo("scratch", f"/actions/runs/{run}/approvals"))
    call("DELETE", repo("scratch", "/environments/live"))


def scan(call, name, rule="injection"):
    head = call("GET", repo(name, "/git/ref/heads/main"))["object"]["sha"]
    found = [{"ruleId": rule, "level": "error", "message": {"text": "oh"},
              "locations": [{"physicalLocation": {"artifactLocation": {"uri": "a.py"}, "region": {"startLine": 3}}}]}]
    document = {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "scanner", "rules": [{"id": rule, "properties": {"security-severity": "8.1"}}]}},
                                              "results": found}]}
    packed = base64.b64encode(gzip.compress(json.dumps(document).encode())).decode()
    call("POST", repo(name, "/code-scanning/sarifs"), {"commit_sha": head, "ref": "refs/heads/main", "sarif": packed})


def test_every_route_answers_in_a_shape_that_github_has(filled, ask):
    for path, words in [*read_everything(ask), *read_some(ask)]:
        answer = ask("GET", path, **words)
        assert answer.status in (200, 204, 404, 403, 409), (path, answer.status, answer.body)
        assert answer.status < 300 or path.endswith(("alerts", "selected-actions", "/src")), (path, answer.status, answer.body)
    write_everything(ask)
    assert filled[0].violations() == []
    answered = filled[0].requests()
    never = [f"{r.method} {r.path}" for r in ROUTES if not any(int(s) < 300 for s in answered.get(f"{r.method} {r.path}", {}))
             and r.resource != "graphql"]
    assert never == []


# ---- Paging, validators --------------------------------------------------------------------------------------------------------------


def test_pages_hold_a_hundred_at_most_and_link_by_opaque_urls(fresh):
    github, ask = fresh(repositories=250, validate=False)
    page = ask("GET", "/orgs/acme/repos?type=all&per_page=1000")
    assert len(page.body) == 100
    seen = [r["id"] for r in page.body]
    while page.next:
        assert page.next.startswith(f"{github.endpoint}/organizations/")
        page = ask("GET", page.next)
        seen += [r["id"] for r in page.body]
    assert len(seen) == len(set(seen)) == 250


def test_alerts_page_by_cursor(fresh):
    _, ask = fresh()
    ask("PATCH", "/orgs/acme", {"dependabot_alerts_enabled_for_new_repositories": True})
    ask("POST", "/orgs/acme/repos", {"name": "r", "private": True, "auto_init": True})
    content = base64.b64encode(b"pyyaml==5.3\nurllib3==1.26.4\njinja2==2.11.2\n").decode()
    ask("PUT", repo("r", "/contents/requirements.txt"), {"message": "pin", "content": content})
    page, numbers = ask("GET", repo("r", "/dependabot/alerts?per_page=2")), []
    while True:
        numbers += [a["number"] for a in page.body]
        if not page.next:
            break
        assert "after=" in page.next
        page = ask("GET", page.next)
    assert sorted(numbers) == [1, 2, 3]
    assert ask("GET", repo("r", "/dependabot/alerts?after=invented")).status == 400


def test_an_unchanged_answer_is_304_and_costs_nothing(fresh):
    github, ask = fresh()
    first = ask("GET", "/orgs/acme/members")
    again = ask("GET", "/orgs/acme/members", If_None_Match=first.headers["etag"])
    assert (again.status, again.raw) == (304, b"")
    assert again.headers["x-ratelimit-remaining"] == first.headers["x-ratelimit-remaining"]
    assert github.requests()["GET /orgs/{org}/members"] == {"200": 1, "304": 1}
    ask("DELETE", "/orgs/acme/members/eng-03")
    changed = ask("GET", "/orgs/acme/members", If_None_Match=first.headers["etag"])
    assert changed.status == 200 and changed.headers["etag"] != first.headers["etag"]


# ---- Limits ----------------------------------------------------------------------------------------------------------------------------


def test_the_primary_limit_refuses_until_the_hour_is_over(fresh):
    github, ask = fresh(limit=3)
    answers = [ask("GET", "/orgs/acme") for _ in range(4)]
    assert [a.status for a in answers] == [200, 200, 200, 403]
    assert [a.headers["x-ratelimit-remaining"] for a in answers] == ["2", "1", "0", "0"]
    assert ask("GET", "/rate_limit").body["rate"]["remaining"] == 0  # and asking is free
    reset = int(answers[-1].headers["x-ratelimit-reset"])
    assert reset == github.clock() + 3600
    github.clock("2026-02-25T07:00:00Z")
    assert ask("GET", "/orgs/acme").status == 200


def test_the_secondary_limit_says_when_to_come_back_or_does_not(fresh):
    github, ask = fresh(points_a_minute=2)
    assert [ask("GET", "/orgs/acme").status for _ in range(3)] == [200, 200, 403]
    refused = ask("GET", "/orgs/acme")
    assert refused.headers["retry-after"] == "60" and int(refused.headers["x-ratelimit-remaining"]) > 0
    github.clock("2026-02-25T06:01:00Z")
    github.limits(points_a_minute=1, silent=True)
    assert ask("GET", "/orgs/acme").status == 200
    assert "retry-after" not in ask("GET", "/orgs/acme").headers


# ---- Who may see what --------------------------------------------------------------------------------------------------------------------


def test_an_app_signs_in_by_jwt_and_its_token_lives_an_hour(fresh):
    github, ask = fresh()
    assert ask("GET", "/app", token=ask.jwt()).body["id"] == github.app_id
    assert ask("GET", "/app", token=ask.jwt(exp=int(github.clock()) + 3600)).status == 401
    assert ask("GET", "/app", token=ask.jwt()[:-6] + "AAAAAA").status == 401
    assert ask("GET", "/app", token=ask.jwt(iss="1")).status == 401
    token = ask.installation_token()
    assert ask("GET", "/orgs/acme/members", token=token).status == 200
    github.clock("2026-02-25T06:59:59Z")
    assert ask("GET", "/orgs/acme/members", token=token).status == 200
    github.clock("2026-02-25T07:00:00Z")
    assert ask("GET", "/orgs/acme/members", token=token).status == 401


def test_a_permission_that_is_missing_is_403_and_named(fresh):
    _, ask = fresh()
    token = ask.installation_token(permissions={"contents": "read"})
    refused = ask("GET", "/orgs/acme/members", token=token)
    assert (refused.status, refused.body["message"]) == (403, "Resource not accessible by integration")
    assert refused.headers["x-accepted-github-permissions"] == "members=read"
    assert ask("GET", "/orgs/acme/members", token=ask.github.narrow_token).body["message"] == "Resource not accessible by personal access token"
    assert ask("GET", "/orgs/acme/members", token="ghp_nobody").status == 401


def test_what_a_token_may_not_see_is_not_found(fresh):
    _, ask = fresh()
    ask("PATCH", "/orgs/acme", {"default_repository_permission": "none"})
    ask("POST", "/orgs/acme/repos", {"name": "hidden", "private": True, "auto_init": True})
    assert ask("GET", repo("hidden")).status == 200
    assert ask("GET", repo("hidden"), by="eng-03").status == 404
    assert ask("GET", repo("hidden", "/branches/main/protection"), by="contractor-00").status == 404


def test_who_lacks_a_second_factor_is_for_owners_to_know(fresh):
    github, ask = fresh(people=12)
    names = lambda **words: [m["login"] for m in ask("GET", "/orgs/acme/members?filter=2fa_disabled", **words).body]  # noqa: E731
    assert names() == ["eng-02", "eng-08"]
    for words in ({"by": "eng-03"}, {"token": ask.installation_token()}):
        assert ask("GET", "/orgs/acme/members?filter=2fa_disabled", **words).status == 422
    github.person("eng-02", two_factor=True)
    assert names() == ["eng-08"]


def test_the_audit_log_exists_on_enterprise_cloud_only(fresh, filled):
    _, ask = fresh()
    assert ask("GET", "/orgs/acme/audit-log").status == 404
    found = Client(filled[0])("GET", "/orgs/acme/audit-log?phrase=action:protected_branch&per_page=100").body
    assert {"protected_branch.create", "protected_branch.policy_override"} <= {e["action"] for e in found}


def test_callers_without_a_name_are_refused_and_other_versions_are_not_spoken(fresh):
    _, ask = fresh()
    assert ask("GET", "/orgs/acme", User_Agent=None, **{"User-Agent": None}).status == 403
    assert ask("GET", "/orgs/acme", X_GitHub_Api_Version="2026-03-10").status == 400
    assert ask("GET", "/orgs/acme", X_GitHub_Api_Version="2022-11-28").headers["x-github-api-version-selected"] == "2022-11-28"


def test_a_renamed_repository_is_found_under_its_old_name_by_redirect(fresh):
    github, ask = fresh()
    number = ask("POST", "/orgs/acme/repos", {"name": "old", "private": True, "auto_init": True}).body["id"]
    ask("PATCH", repo("old"), {"name": "new"})
    moved = ask("GET", repo("old", "/branches?per_page=5"))
    assert (moved.status, moved.headers["location"]) == (301, f"{github.endpoint}/repositories/{number}/branches?per_page=5")
    assert ask("GET", moved.headers["location"]).body[0]["name"] == "main"
    assert ask("PATCH", repo("old"), {"description": "x"}).status == 307


# ---- Rules --------------------------------------------------------------------------------------------------------------------------------


def proposal(ask, name="r"):
    """A repository with one open pull request by eng-02, its number and head."""
    ask("POST", "/orgs/acme/repos", {"name": name, "private": True, "auto_init": True})
    ask("PUT", repo(name, "/collaborators/eng-02"), {"permission": "push"})
    ask("PUT", repo(name, "/collaborators/eng-03"), {"permission": "push"})
    head = ask("GET", repo(name, "/git/ref/heads/main")).body["object"]["sha"]
    ask("POST", repo(name, "/git/refs"), {"ref": "refs/heads/topic", "sha": head}, by="eng-02")
    push(ask, name, "one.txt", by="eng-02")
    pull = ask("POST", repo(name, "/pulls"), {"title": "t", "head": "topic", "base": "main"}, by="eng-02").body
    return pull["number"], pull["head"]["sha"]


def push(ask, name, path, by, branch="topic"):
    return ask("PUT", repo(name, f"/contents/{path}"), {"message": "m", "content": "eA==", "branch": branch}, by=by)


def approve(ask, number, by, **words):
    return ask("POST", repo("r", f"/pulls/{number}/reviews"), {"event": "APPROVE"}, by=by, **words)


def merge(ask, number, by="eng-03"):
    return ask("PUT", repo("r", f"/pulls/{number}/merge"), {}, by=by)


def build(ask, sha, conclusion="success"):
    body = {"name": "build", "head_sha": sha, "status": "completed", "conclusion": conclusion}
    assert ask("POST", repo("r", "/check-runs"), body, token=ask.github.actions_token).status == 201


def test_a_ruleset_holds_a_merge_until_review_and_check_are_there(fresh):
    _, ask = fresh()
    number, sha = proposal(ask)
    assert ask("POST", repo("r", "/rulesets"), codehost.ruleset("main")).status == 201
    assert merge(ask, number).status == 405
    assert approve(ask, number, "eng-02").status == 422  # one's own
    assert approve(ask, number, "eng-03").status == 200
    assert "build" in merge(ask, number).body["message"]
    build(ask, sha, "failure")
    assert merge(ask, number).status == 405
    build(ask, sha)
    assert merge(ask, number).status == 200
    detail = ask("GET", repo("r", f"/pulls/{number}")).body
    assert detail["merged"] and detail["merged_by"]["login"] == "eng-03"
    suites = ask("GET", repo("r", "/rulesets/rule-suites?time_period=day")).body
    assert [s["result"] for s in suites] == ["pass", "fail", "fail", "fail"]
    assert [p["number"] for p in ask("GET", repo("r", f"/commits/{detail['merge_commit_sha']}/pulls")).body] == [number]
    assert push(ask, "r", "straight.txt", "eng-00", "main").status == 409
    assert {r["type"] for r in ask("GET", repo("r", "/rules/branches/main")).body} == {"deletion", "non_fast_forward", "pull_request", "required_status_checks"}
    assert ask("GET", repo("r", "/branches/main/protection")).status == 404


def test_a_bypass_merges_and_leaves_its_mark(fresh):
    _, ask = fresh()
    number, _ = proposal(ask)
    bypass = [{"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "pull_request"}]
    ask("POST", repo("r", "/rulesets"), codehost.ruleset("main", bypass=bypass))
    assert merge(ask, number, "eng-03").status == 405
    assert merge(ask, number, "eng-00").status == 200
    suite = ask("GET", repo("r", "/rulesets/rule-suites?rule_suite_result=bypass")).body[0]
    evaluations = ask("GET", repo("r", f"/rulesets/rule-suites/{suite['id']}")).body["rule_evaluations"]
    assert {e["rule_type"] for e in evaluations if e["result"] == "fail"} == {"pull_request", "required_status_checks"}
    assert push(ask, "r", "straight.txt", "eng-00", "main").status == 409  # through a pull request only


def test_classic_protection_binds_administrators_only_when_it_says_so(fresh):
    _, ask = fresh()
    number, _ = proposal(ask)
    ask("PUT", repo("r", "/branches/main/protection"), codehost.classic(admins=True))
    assert merge(ask, number, "eng-00").status == 405
    ask("PUT", repo("r", "/branches/main/protection"), codehost.classic(admins=False))
    assert merge(ask, number, "eng-03").status == 405
    assert merge(ask, number, "eng-00").status == 200
    assert ask("GET", repo("r", "/rules/branches/main")).body == []


def test_a_push_dismisses_approvals_where_the_rules_say_so_and_the_timeline_knows(fresh):
    _, ask = fresh()
    number, sha = proposal(ask)
    approve(ask, number, "eng-03")
    push(ask, "r", "two.txt", "eng-02")
    reviews = ask("GET", repo("r", f"/pulls/{number}/reviews")).body
    assert [(r["state"], r["commit_id"]) for r in reviews] == [("APPROVED", sha)]  # stale, and nothing says so but the hash
    ask("PUT", repo("r", "/branches/main/protection"), codehost.classic())
    push(ask, "r", "three.txt", "eng-02")
    assert [r["state"] for r in ask("GET", repo("r", f"/pulls/{number}/reviews")).body] == ["DISMISSED"]
    events = [e["event"] for e in ask("GET", repo("r", f"/issues/{number}/timeline")).body]
    assert events.count("committed") == 3 and "review_dismissed" in events


def test_a_forced_push_is_seen_in_timeline_and_activity(fresh):
    _, ask = fresh()
    number, sha = proposal(ask)
    first = ask("GET", repo("r", f"/pulls/{number}")).body["base"]["sha"]
    tree = ask("GET", repo("r", f"/commits/{sha}")).body["commit"]["tree"]["sha"]
    other = ask("POST", repo("r", "/git/commits"), {"message": "other", "tree": tree, "parents": [first]}, by="eng-02").body["sha"]
    assert ask("PATCH", repo("r", "/git/refs/heads/topic"), {"sha": other}, by="eng-02").status == 422
    assert ask("PATCH", repo("r", "/git/refs/heads/topic"), {"sha": other, "force": True}, by="eng-02").status == 200
    assert "head_ref_force_pushed" in [e["event"] for e in ask("GET", repo("r", f"/issues/{number}/timeline")).body]
    assert [a["after"] for a in ask("GET", repo("r", "/activity?activity_type=force_push")).body] == [other]


def test_actions_may_approve_only_where_it_is_allowed(fresh):
    github, ask = fresh()
    number, _ = proposal(ask)
    assert approve(ask, number, None, token=github.actions_token).status == 422
    ask("PUT", "/orgs/acme/actions/permissions/workflow", {"can_approve_pull_request_reviews": True})
    ask("PUT", repo("r", "/actions/permissions/workflow"), {"can_approve_pull_request_reviews": True})
    made = approve(ask, number, None, token=github.actions_token)
    assert (made.body["user"]["type"], made.body["state"]) == ("Bot", "APPROVED")


# ---- Webhooks -------------------------------------------------------------------------------------------------------------------------------


def test_deliveries_are_listed_for_three_days_and_can_be_had_again(fresh):
    github, ask = fresh()
    proposal(ask)
    page, seen = ask("GET", "/app/hook/deliveries?per_page=3", token=ask.jwt()), []
    while True:
        seen += page.body
        if not page.next:
            break
        page = ask("GET", page.next, token=ask.jwt())
    assert {"repository", "member", "push", "pull_request"} <= {d["event"] for d in seen}
    assert len({d["guid"] for d in seen}) == len(seen)
    opened = next(d for d in seen if (d["event"], d["action"]) == ("pull_request", "opened"))
    payload = ask("GET", f"/app/hook/deliveries/{opened['id']}", token=ask.jwt()).body["request"]["payload"]
    assert payload["pull_request"]["user"]["login"] == "eng-02"
    github.clock("2026-02-28T06:00:01Z")
    assert ask("GET", "/app/hook/deliveries", token=ask.jwt()).body == []


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append((self.headers, body))
        self.send_response(202)
        self.end_headers()

    def log_message(self, *_):
        pass


def test_an_address_gets_each_delivery_signed(fresh):
    _, ask = fresh()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        server.got = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        ask("PATCH", "/app/hook/config", {"url": f"http://127.0.0.1:{server.server_address[1]}/hooks", "secret": "planted"}, token=ask.jwt())
        ask("POST", "/orgs/acme/repos", {"name": "r", "private": True})
        deadline = time.monotonic() + 20
        while not server.got and time.monotonic() < deadline:
            time.sleep(0.02)
        server.shutdown()
    headers, body = server.got[0]
    assert headers["X-Hub-Signature-256"] == "sha256=" + hmac.new(b"planted", body, hashlib.sha256).hexdigest()
    assert (headers["X-GitHub-Event"], json.loads(body)["action"]) == ("repository", "created")
    assert "planted" not in json.dumps(ask("GET", "/app/hook/config", token=ask.jwt()).body)


# ---- GraphQL -----------------------------------------------------------------------------------------------------------------------------------

MERGES = """
query($repo: String!, $after: String, $size: Int = 2) {
  rateLimit { cost nodeCount remaining }
  repository(owner: "acme", name: $repo) {
    id
    pullRequests(first: $size, after: $after, states: MERGED, orderBy: {field: UPDATED_AT, direction: DESC}) {
      totalCount
      pageInfo { hasNextPage endCursor }
      nodes {
        id number updatedAt mergedAt headRefOid reviewDecision isDraft additions changedFiles
        author { __typename login ... on Node { id } }
        mergedBy { login }
        mergeCommit { oid committedViaWeb signature { isValid state } parents(first: 2) { totalCount } associatedPullRequests(first: 1) { nodes { number } } }
        reviews(first: 20) { nodes { state submittedAt authorAssociation author { __typename login } commit { oid } } }
        commits(last: 1) { nodes { commit { oid statusCheckRollup { state contexts(first: 10) { totalCount checkRunCount nodes {
          __typename ... on CheckRun { name conclusion checkSuite { app { slug } } } ... on StatusContext { context state } } } } } } }
        timelineItems(first: 50) { totalCount filteredCount nodes {
          __typename ... on ReviewDismissedEvent { previousReviewState } ... on MergedEvent { commit { oid } actor { login } } } }
      }
    }
  }
}"""

RULES = """
query($repo: String!) {
  organization(login: "acme") {
    requiresTwoFactorAuthentication
    membersWithRole(first: 100) { totalCount edges { role hasTwoFactorEnabled node { login id } } }
    teams(first: 10) { nodes { slug privacy parentTeam { slug } members(first: 50) { edges { role node { login } } }
                               repositories(first: 50) { edges { permission node { name } } } } }
    repositories(first: 100, isArchived: false) { totalCount nodes { name isEmpty visibility hasVulnerabilityAlertsEnabled isSecurityPolicyEnabled } }
    rulesets(first: 10) { nodes { name enforcement target source { __typename } } }
  }
  repository(owner: "acme", name: $repo) {
    viewerPermission
    defaultBranchRef { name target { ... on Commit { oid history(first: 5) { nodes { oid author { user { login } } } } } } branchProtectionRule { pattern } }
    branchProtectionRules(first: 5) { nodes { pattern isAdminEnforced requiredApprovingReviewCount dismissesStaleReviews requiredStatusCheckContexts
                                              requiredStatusChecks { context app { slug } } bypassPullRequestAllowances(first: 5) { totalCount } } }
    rulesets(first: 10) { nodes { databaseId name conditions { refName { include exclude } repositoryName { include } }
                                  bypassActors(first: 5) { nodes { bypassMode organizationAdmin repositoryRoleName actor { __typename } } }
                                  rules(first: 10) { nodes { type parameters { __typename ... on PullRequestParameters { requiredApprovingReviewCount }
                                    ... on RequiredStatusChecksParameters { requiredStatusChecks { context integrationId } } } } } } }
    collaborators(first: 50, affiliation: DIRECT) { edges { permission node { login } } }
    deployKeys(first: 5) { nodes { title readOnly } }
    environments(first: 5) { nodes { name protectionRules(first: 5) { nodes { type preventSelfReview timeout reviewers(first: 5) { nodes { __typename } } } } } }
    deployments(first: 5) { nodes { environment commitOid state creator { login } statuses(first: 5) { nodes { state createdAt } } } }
    vulnerabilityAlerts(first: 10, states: OPEN) { nodes { number createdAt securityVulnerability { severity package { name ecosystem } } } }
  }
}"""


def graph(ask, text, token=None, **variables):
    answer = ask("POST", "/graphql", {"query": text, "variables": variables}, token=token)
    assert answer.status == 200, answer.body
    return answer.body


def test_graphql_and_rest_tell_the_same_of_every_merge(filled, ask):
    after, numbers = None, []
    while True:
        body = graph(ask, MERGES, repo="tool-03", after=after)
        assert "errors" not in body, body["errors"]
        page = body["data"]["repository"]["pullRequests"]
        for node in page["nodes"]:
            numbers.append(node["number"])
            rest = ask("GET", repo("tool-03", f"/pulls/{node['number']}")).body
            assert (node["id"], node["mergedBy"]["login"], node["headRefOid"]) == (rest["node_id"], rest["merged_by"]["login"], rest["head"]["sha"])
            assert node["mergeCommit"]["oid"] == rest["merge_commit_sha"]
            assert [r["state"] for r in node["reviews"]["nodes"]] == [r["state"] for r in ask("GET", repo("tool-03", f"/pulls/{node['number']}/reviews")).body]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert len(numbers) == len(set(numbers)) == page["totalCount"]
    states = [node["commits"]["nodes"][0]["commit"]["statusCheckRollup"]["state"] for node in graph(ask, MERGES, repo="tool-03", size=50)
              ["data"]["repository"]["pullRequests"]["nodes"] if node["commits"]["nodes"][0]["commit"]["statusCheckRollup"]]
    assert {"SUCCESS", "FAILURE"} == set(states)


def test_graphql_serves_people_rules_and_alerts(filled, ask):
    for name in ("service-00", "library-01", "app-02", "tool-03"):
        body = graph(ask, RULES, repo=name)
        assert "errors" not in body, body["errors"]
    people = body["data"]["organization"]["membersWithRole"]
    assert {e["node"]["login"] for e in people["edges"] if not e["hasTwoFactorEnabled"]} >= {"eng-02", "eng-08"}
    alerts = body["data"]["repository"]["vulnerabilityAlerts"]["nodes"]
    assert {a["securityVulnerability"]["severity"] for a in alerts} == {"CRITICAL", "HIGH"}


def test_cursors_hold_when_something_newer_comes_before_them(fresh):
    _, ask = fresh()
    query = """query($after: String) { organization(login: "acme") { repositories(first: 1, after: $after, orderBy: {field: CREATED_AT, direction: DESC}) {
      pageInfo { endCursor hasNextPage } nodes { name } } } }"""
    for name in ("one", "two"):
        ask("POST", "/orgs/acme/repos", {"name": name, "private": True})
    first = graph(ask, query)["data"]["organization"]["repositories"]
    ask("POST", "/orgs/acme/repos", {"name": "three", "private": True})
    second = graph(ask, query, after=first["pageInfo"]["endCursor"])["data"]["organization"]["repositories"]
    assert [n["name"] for n in first["nodes"] + second["nodes"]] == ["two", "one"]
    assert graph(ask, query, after="bm90aGluZw==")["errors"][0]["type"] == "INVALID_CURSOR_ARGUMENTS"


def test_graphql_counts_points_and_refuses_too_much(fresh):
    github, ask = fresh(limit=4)
    nested = "{ rateLimit { cost nodeCount } organization(login: \"acme\") { repositories(first: %d) { nodes { pullRequests(first: %d) { nodes { reviews(first: %d) { nodes { id } } } } } } } }"
    # 1 + 100 + 100 x 50 requests are 51 points; 100 + 5,000 + 250,000 nodes: GitHub's own arithmetic
    assert graph(ask, nested % (100, 50, 60))["errors"][0]["type"] == "RATE_LIMITED"
    assert graph(ask, nested % (100, 100, 100))["errors"][0]["type"] == "MAX_NODE_LIMIT_EXCEEDED"
    assert graph(ask, nested % (101, 1, 1))["errors"][0]["type"] == "EXCESSIVE_PAGINATION"
    assert graph(ask, '{ organization(login: "acme") { repositories { nodes { id } } } }')["errors"][0]["type"] == "MISSING_PAGINATION_BOUNDARIES"
    github.limits(limit=100)
    assert graph(ask, nested % (100, 50, 60))["data"]["rateLimit"] == {"cost": 51, "nodeCount": 305_100}
    assert ask("GET", "/rate_limit").body["resources"]["graphql"]["used"] == 51


def test_graphql_refuses_what_github_would(fresh):
    _, ask = fresh()
    assert "nonsense" in graph(ask, '{ organization(login: "acme") { nonsense } }')["errors"][0]["message"]
    missing = graph(ask, '{ repository(owner: "acme", name: "none") { id } }')
    assert missing["data"] == {"repository": None} and missing["errors"][0]["type"] == "NOT_FOUND"
    token = ask.installation_token(permissions={"contents": "read"})
    denied = graph(ask, '{ organization(login: "acme") { membersWithRole(first: 1) { totalCount } } }', token=token)
    assert denied["errors"][0]["type"] == "FORBIDDEN"
    assert ask("POST", "/graphql", {"query": "{ viewer { login } }"}, Authorization=None).status == 401


# ---- Bench size --------------------------------------------------------------------------------------------------------------------------------


def test_generated_pull_requests_are_like_real_ones(fresh):
    _, ask = fresh(people=10, pulls=60)
    body = graph(ask, MERGES, repo="product-00", size=50)
    assert "errors" not in body, body["errors"]
    nodes = body["data"]["repository"]["pullRequests"]["nodes"]
    assert len(nodes) == 15 and sum(not n["reviews"]["nodes"] for n in nodes) in (0, 1, 2, 3)
    assert ask("GET", repo("product-00", "/pulls?state=all&sort=updated&direction=desc")).body[0]["node_id"] == nodes[0]["id"]
    for rest in ("/pulls/1", "/pulls/1/commits", "/pulls/1/reviews", "/pulls/1/files", "/issues/1/timeline", "/activity", "/actions/runs"):
        assert ask("GET", repo("product-00", rest)).status == 200
