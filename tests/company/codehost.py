"""The sample company on GitHub: the same people as in its AWS account, with things done well and things left undone.

    with GitHub(people=25) as github:
        plan = codehost.fill(github, codehost.DEMO)     # -> Plan: what was made, and which of it is wrong
        codehost.change(github, plan)                   # -> the list of changes of one ordinary week

Everything goes through GitHub's own calls, each by the person who would make it, at the hour at which they would: `fill` moves the stand-in's clock
through the months before `until` and leaves it there. The same size gives the same company each time.
"""
import base64
import dataclasses
import datetime
import gzip
import http.client
import json
import urllib.parse

from company import Plan, every

DAY = 86400


@dataclasses.dataclass(frozen=True)
class Size:
    repositories: int
    pulls: int  # for each active repository
    teams: int
    months: int


DEMO = Size(repositories=24, pulls=6, teams=5, months=3)
SMALL = Size(repositories=12, pulls=4, teams=3, months=2)
BENCH = Size(repositories=38, pulls=12, teams=8, months=6)
SIZES = {"demo": DEMO, "small": SMALL, "bench": BENCH}


class Caller:
    """GitHub's REST API as one person. A refusal that was not expected is a broken rig."""

    def __init__(self, github):
        self.github, self.connection = github, http.client.HTTPConnection("127.0.0.1", github.port)

    def __call__(self, method, path, body=None, by="eng-00", expect=(200, 201, 202, 204), token=None):
        headers = {"Authorization": f"Bearer {token or self.github.token(by)}", "User-Agent": "sample-company", "Accept": "application/vnd.github+json"}
        self.connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status not in (expect if isinstance(expect, tuple) else (expect,)):
            raise RuntimeError(f"{method} {path} by {by}: {answer.status} {text[:500]!r}")
        return json.loads(text) if text else None

    def machine(self, method, path, body=None, expect=(200, 201, 202, 204)):
        """As GitHub Actions."""
        return self(method, path, body, token=self.github.actions_token, expect=expect)


def ruleset(name, reviews=1, checks=("build",), bypass=(), enforcement="active", **conditions):
    rules = [{"type": "deletion"}, {"type": "non_fast_forward"},
             {"type": "pull_request", "parameters": {"required_approving_review_count": reviews, "dismiss_stale_reviews_on_push": True,
                                                     "require_code_owner_review": False, "require_last_push_approval": True,
                                                     "required_review_thread_resolution": False}}]
    if checks:
        rules.append({"type": "required_status_checks", "parameters": {"strict_required_status_checks_policy": False,
                                                                       "required_status_checks": [{"context": c} for c in checks]}})
    return {"name": name, "target": "branch", "enforcement": enforcement, "bypass_actors": list(bypass), "rules": rules,
            "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}, **conditions}}


def classic(reviews=1, checks=("build",), admins=True, stale=True):
    return {"required_status_checks": {"strict": False, "contexts": list(checks)} if checks else None, "enforce_admins": admins, "restrictions": None,
            "required_pull_request_reviews": {"required_approving_review_count": reviews, "dismiss_stale_reviews": stale, "require_last_push_approval": False}}


class Company:
    def __init__(self, github, size, until):
        self.call, self.github, self.size, self.plan = Caller(github), github, size, Plan()
        self.org, self.until = github.organisation, until
        self.at = until - size.months * 30 * DAY
        self.people = []

    def later(self, seconds):
        self.at = min(self.at + int(seconds), self.until)
        self.github.clock(datetime.datetime.fromtimestamp(self.at, datetime.timezone.utc).isoformat().replace("+00:00", "Z"))

    def repo(self, name, rest=""):
        return f"/repos/{self.org}/{name}{rest}"

    # ---- One act each

    def write(self, name, path, text, by, branch="main", message=None, expect=(200, 201)):
        """A commit on a branch, by the contents API."""
        query = urllib.parse.urlencode({"ref": branch})
        old = self.call("GET", self.repo(name, f"/contents/{path}?{query}"), by=by, expect=(200, 404))
        body = {"message": message or f"change {path}", "content": base64.b64encode(text.encode()).decode(), "branch": branch}
        if old and "sha" in old:
            body["sha"] = old["sha"]
        return self.call("PUT", self.repo(name, f"/contents/{path}"), body, by, expect)

    def branch(self, name, branch, by):
        head = self.call("GET", self.repo(name, "/git/ref/heads/main"), by=by)["object"]["sha"]
        self.call("POST", self.repo(name, "/git/refs"), {"ref": f"refs/heads/{branch}", "sha": head}, by)

    def propose(self, name, branch, by, title):
        """A branch with one commit, and a pull request from it."""
        self.branch(name, branch, by)
        self.write(name, f"src/{branch}.txt", f"{title}\n", by, branch)
        return self.call("POST", self.repo(name, "/pulls"), {"title": title, "head": branch, "base": "main"}, by)

    def check(self, name, sha, conclusion="success", context="build"):
        self.call.machine("POST", self.repo(name, "/check-runs"), {"name": context, "head_sha": sha, "status": "completed", "conclusion": conclusion})

    def approve(self, name, number, by):
        return self.call("POST", self.repo(name, f"/pulls/{number}/reviews"), {"event": "APPROVE"}, by)

    def merge(self, name, number, by, expect=(200,)):
        return self.call("PUT", self.repo(name, f"/pulls/{number}/merge"), {"merge_method": "merge"}, by, expect)

    # ---- The company

    def found(self):
        org, call = f"/orgs/{self.org}", self.call
        for page in (1, 2, 3):
            self.people += [m["login"] for m in call("GET", f"{org}/members?per_page=100&page={page}")]
        self.later(0)
        call("PATCH", org, {"default_repository_permission": "read", "members_can_create_public_repositories": False,
                            "dependabot_alerts_enabled_for_new_repositories": True, "secret_scanning_enabled_for_new_repositories": True})
        call("PUT", f"{org}/actions/permissions/workflow", {"default_workflow_permissions": "read", "can_approve_pull_request_reviews": True})
        self.plan.add("organisation", self.org, "organisation without required 2FA")
        for i, login in enumerate(self.people):
            number = int(login.rsplit("-", 1)[1])
            self.plan.add("member", login, *(["member without 2FA"] if number % 6 == 2 else []))
        parent = call("POST", f"{org}/teams", {"name": "engineering", "privacy": "closed"})
        for i in range(self.size.teams):
            team = call("POST", f"{org}/teams", {"name": f"team-{i:02}", "privacy": "closed", "parent_team_id": parent["id"]})
            self.plan.add("team", team["slug"])
            for login in self.people[i::self.size.teams]:
                call("PUT", f"{org}/teams/{team['slug']}/memberships/{login}", {"role": "member"})

    def rule(self):
        """One ruleset of the organisation that binds, and one that only reports."""
        org = f"/orgs/{self.org}"
        self.call("POST", f"{org}/rulesets", ruleset("services", repository_name={"include": ["service-*"], "exclude": []}))
        self.call("POST", f"{org}/rulesets", ruleset("two reviews, on trial", reviews=2, checks=(), enforcement="evaluate",
                                                     repository_name={"include": ["~ALL"], "exclude": []}))

    def make(self, i):
        """A third under the organisation's ruleset, a third under classic protection, some under a ruleset of their own, some under nothing."""
        kind = ("service", "library", "app", "tool")[i % 4]
        name, org, faults = f"{kind}-{i:02}", f"/orgs/{self.org}", []
        self.call("POST", f"{org}/repos", {"name": name, "private": True, "auto_init": True, "description": f"{kind} number {i}"})
        self.call("PUT", f"{org}/teams/team-{i % self.size.teams:02}/repos/{self.org}/{name}", {"permission": "push"})
        self.write(name, ".github/workflows/ci.yml", "on: pull_request\njobs: {build: {runs-on: ubuntu-latest, steps: [{run: make}]}}\n", "eng-00",
                   expect=(200, 201))
        if kind == "service":
            self.call("PUT", self.repo(name, "/environments/production"), {
                "prevent_self_review": True, "reviewers": [{"type": "Team", "id": self.team_id(f"team-{i % self.size.teams:02}")}],
                "deployment_branch_policy": {"protected_branches": True, "custom_branch_policies": False}})
        elif kind == "library":
            admins = i % 8 == 1
            self.call("PUT", self.repo(name, "/branches/main/protection"), classic(admins=admins, stale=i % 8 == 1))
            faults += [] if admins else ["protection that admins escape"]
        elif kind == "app":
            team = self.team_id(f"team-{i % self.size.teams:02}")
            bypass = [{"actor_id": team, "actor_type": "Team", "bypass_mode": "always"}] if i % 8 == 2 else []
            self.call("POST", self.repo(name, "/rulesets"), ruleset("main", bypass=bypass))
            faults += ["ruleset with bypass"] if bypass else []
        else:
            faults.append("repository without protection")
        self.plan.add("repository", name, *faults)
        return name, kind

    def team_id(self, slug):
        return self.call("GET", f"/orgs/{self.org}/teams/{slug}")["id"]

    def team_of(self, i):
        return self.people[i % self.size.teams::self.size.teams]

    def work(self, i, name, kind, n):
        """One pull request, mostly as it should be; `n` says what goes wrong with it where the rules of its kind let it."""
        team = [login for login in self.team_of(i) if login not in ("eng-00", "eng-01")]
        author, reviewer = team[n % len(team)], team[(n + 1) % len(team)]
        self.later(4 * 3600)
        pull = self.propose(name, f"change-{n}", author, f"Change {n}")
        number, sha, faults = pull["number"], pull["head"]["sha"], []
        key = f"{name}#{number}"
        self.later(1800)
        if kind == "tool" and n % 3 == 0:
            faults.append("merge without review")
            self.check(name, sha)
        elif kind == "tool" and n % 3 == 1:
            self.check(name, sha, "failure")
            self.approve(name, number, reviewer)
            faults.append("merge with a failed check")
        elif kind == "tool":
            self.check(name, sha)
            self.approve(name, number, reviewer)
            self.later(600)
            self.write(name, f"src/change-{n}.txt", "once more\n", author, f"change-{n}")
            faults.append("merge with a stale approval")
        elif kind == "app" and n % 4 == 3:
            self.check(name, sha)
            self.call("PUT", self.repo(name, "/actions/permissions/workflow"), {"can_approve_pull_request_reviews": True}, "eng-00")
            self.call.machine("POST", self.repo(name, f"/pulls/{number}/reviews"), {"event": "APPROVE"})
            faults.append("merge approved by a machine")
        elif kind == "app" and i % 8 == 2 and n % 4 == 1:
            self.check(name, sha, "failure")
            faults += ["merge that bypassed the rules", "merge without review"]
        elif kind == "library" and i % 8 == 5 and n % 4 == 2:
            self.later(600)
            self.check(name, sha)
            self.merge(name, number, "eng-00")
            self.plan.add("merge", key, "merge that bypassed the rules", "merge without review")
            return
        else:
            self.check(name, sha)
            self.approve(name, number, reviewer)
        self.later(1200)
        merged = self.merge(name, number, author if kind == "tool" or "merge that bypassed the rules" in faults else reviewer)
        self.plan.add("merge", key, *faults)
        if kind == "service":
            self.deploy(name, merged["sha"])

    def deploy(self, name, sha):
        self.later(600)
        made = self.call.machine("POST", self.repo(name, "/deployments"), {"ref": sha, "environment": "production", "required_contexts": [], "auto_merge": False})
        for state in ("in_progress", "success"):
            self.later(300)
            self.call.machine("POST", self.repo(name, f"/deployments/{made['id']}/statuses"), {"state": state, "log_url": "https://ci.example/log"})
        self.plan.add("deployment", f"{name}/{made['id']}")

    def leave_undone(self, names):
        """What is wrong and has nothing to do with merges."""
        tools = [n for n in names if n.startswith("tool")]
        services = [n for n in names if n.startswith("service")]
        self.later(3600)
        self.write(tools[0], "src/hotfix.txt", "quickly\n", self.team_of(3)[2 % len(self.team_of(3))], message="hotfix, straight to main")
        self.plan.add("push", tools[0], "direct push to the default branch")
        self.call("PUT", self.repo(tools[0], "/collaborators/contractor-00"), {"permission": "admin"})
        self.plan.add("outside collaborator", "contractor-00", "outside collaborator with admin")
        key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43
        self.call("POST", self.repo(services[0], "/keys"), {"title": "deploy", "key": key, "read_only": False})
        self.plan.add("deploy key", f"{services[0]}/deploy", "deploy key that may write")
        self.call("POST", self.repo(services[-1], "/keys"), {"title": "mirror", "key": key + "B", "read_only": True})
        self.plan.add("deploy key", f"{services[-1]}/mirror")
        self.write(tools[0], "requirements.txt", "pyyaml==5.3\nurllib3==1.26.4\nrequests==2.32.0\n", "eng-00", message="pin")
        self.plan.add("dependabot alert", f"{tools[0]}/pyyaml", "open critical alert")
        self.plan.add("dependabot alert", f"{tools[0]}/urllib3")
        self.write(tools[-1], "settings.ini", "key = AKIAIOSFODNN7EXAMPLE\n", "eng-00", message="settings")
        self.plan.add("secret alert", tools[-1], "open secret alert")
        self.scan(services[0], "error", "9.8")
        self.plan.add("code alert", services[0], "open critical alert")
        self.scan(services[-1], None, None)
        self.call("POST", f"/orgs/{self.org}/invitations", {"email": "someone@contractor.example", "role": "direct_member"})
        self.call("PATCH", self.repo(names[-1]), {"archived": True})

    def scan(self, name, level, score):
        head = self.call("GET", self.repo(name, "/git/ref/heads/main"))["object"]["sha"]
        results = [{"ruleId": "sql-injection", "level": level, "message": {"text": "Query built from input"},
                    "locations": [{"physicalLocation": {"artifactLocation": {"uri": "src/db.py"}, "region": {"startLine": 7}}}]}] if level else []
        document = {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "scanner", "version": "1.0", "rules": [
            {"id": "sql-injection", "name": "sql-injection", "shortDescription": {"text": "SQL injection"},
             "properties": {"security-severity": score or "9.8", "tags": ["security"]}}]}}, "results": results}]}
        packed = base64.b64encode(gzip.compress(json.dumps(document).encode(), mtime=0)).decode()
        self.call("POST", self.repo(name, "/code-scanning/sarifs"), {"commit_sha": head, "ref": "refs/heads/main", "sarif": packed})


def fill(github, size=DEMO, until=None):
    until = int(until or datetime.datetime.now(datetime.timezone.utc).timestamp())
    company = Company(github, size, until)
    company.found()
    made = []
    for i in range(size.repositories):
        company.later(DAY / 8)
        made.append(company.make(i))
    company.rule()
    active = [(i, *each) for i, each in enumerate(made)]
    steps = size.pulls * len(active)
    rest = max(0, until - company.at - steps * 9 * 3600 - 7 * DAY)
    for n in range(size.pulls):
        for i, name, kind in active:
            company.later(rest / steps)
            company.work(i, name, kind, n)
    company.at = max(company.at, until - 2 * DAY)
    company.leave_undone([name for name, _ in made])
    company.later(until)
    github.clock(stopped=False)
    return company.plan


def change(github, plan):
    """One ordinary week: an approval is forgotten, protection is weakened for an hour, somebody leaves, a vulnerable package is mended."""
    company = Company(github, SMALL, github.clock() + 7 * DAY)
    company.at = company.until - 7 * DAY
    company.people = plan.made["member"]
    library = next(n for n in plan.made["repository"] if n.startswith("library"))
    tools = [n for n in plan.made["repository"] if n.startswith("tool")]
    company.later(DAY)
    company.call("PUT", company.repo(library, "/branches/main/protection"), classic(reviews=0, checks=(), admins=False))
    company.later(1800)
    pull = company.propose(library, "in-a-hurry", "eng-00", "In a hurry")
    company.merge(library, pull["number"], "eng-00")
    company.later(1800)
    company.call("PUT", company.repo(library, "/branches/main/protection"), classic())
    company.later(DAY)
    leaver = plan.made["member"][-1]
    company.call("DELETE", f"/orgs/{company.org}/members/{leaver}")
    company.later(DAY)
    company.write(tools[0], "requirements.txt", "pyyaml==6.0.2\nurllib3==1.26.4\nrequests==2.32.0\n", "eng-00", message="mend pyyaml")
    company.later(4 * DAY)
    github.clock(stopped=False)
    return [f"{library} was unprotected for an hour, and #{pull['number']} merged without review", f"{leaver} left", f"{tools[0]} has a mended pyyaml"]
