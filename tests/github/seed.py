"""What has no API: an organisation is founded, people sign up and turn 2FA on, an App is registered and installed. And repositories at bench size.

People are `eng-00` … as in the sample company's AWS account; every sixth, from `eng-02` on, has no second factor, as there.
"""
import cryptography.hazmat.primitives.serialization as serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from .access import ALL_SCOPES, Token, classic_token, secret
from .state import App, CheckRun, CheckSuite, Clock, Commit, Installation, Organisation, Pull, Review, User, World, sha1

ORGANISATION = "acme"
READ_PERMISSIONS = {name: "read" for name in (
    "actions", "administration", "checks", "contents", "deployments", "environments", "issues", "metadata", "pull_requests", "secret_scanning_alerts",
    "security_events", "statuses", "vulnerability_alerts", "members", "organization_administration", "organization_personal_access_tokens",
    "organization_hooks", "repository_hooks")}
EVENTS = ["branch_protection_rule", "check_run", "check_suite", "deployment", "deployment_status", "member", "membership", "organization", "pull_request",
          "pull_request_review", "push", "repository", "status", "team"]


def login(i):
    return f"eng-{i:02}"


def world(people, founded, plan="team", clock=None):
    """An organisation of `people`; `eng-00` owns it with `eng-01`. Returns (world, App's private key as PEM)."""
    made = World(clock or Clock())
    org = made.orgs[ORGANISATION] = Organisation(made.next_id("org"), ORGANISATION, founded, plan, "A sample company", founded)
    for i in range(people):
        user = made.add_user(login(i), founded, two_factor=i % 6 != 2, two_factor_insecure=i % 10 == 6)
        org.members[user.login] = "admin" if i < 2 else "member"
        made.tokens[classic_token(user.login)] = Token(classic_token(user.login), "classic", user, scopes=ALL_SCOPES)
    outsider = made.add_user("contractor-00", founded)
    made.tokens[classic_token(outsider.login)] = Token(classic_token(outsider.login), "classic", outsider, scopes=ALL_SCOPES)
    made.add_user("github-web-flow", founded)
    add_actions(made, org, founded)
    key = add_app(made, org, founded)
    owner = made.user(login(0))
    reader = secret("ghp_", "reader", owner.login)
    made.tokens[reader] = Token(reader, "classic", owner, scopes=("repo", "read:org", "read:audit_log"))
    narrow = secret("github_pat_", "narrow", owner.login)
    made.tokens[narrow] = Token(narrow, "fine", owner, permissions={"metadata": "read", "contents": "read"}, expires_at=founded + 10 * 365 * 86400)
    return made, key


def add_actions(made, org, founded):
    """GitHub Actions is an App like any other; its token acts as github-actions[bot]."""
    bot = made.users["github-actions[bot]"] = User(41898282, "github-actions[bot]", founded, "Bot")
    owner = User(9919, "github", founded, "Organization")
    app = made.apps[15368] = App(15368, "github-actions", "Iv1.05c79e9ad1f6bdfa", owner, founded, {"checks": "write", "contents": "write", "metadata": "read"},
                                 [], bot)
    installation = made.installations[15368] = Installation(15368, app, org, founded, dict(app.permissions))
    value = secret("ghs_", "actions", org.login)
    made.tokens[value] = Token(value, "installation", bot, installation, app, permissions={
        name: "write" for name in ("actions", "checks", "contents", "deployments", "issues", "pull_requests", "statuses", "security_events")})


def add_app(made, org, founded):
    """An App that may only read, as Vouch asks for it."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    bot = made.users["evidence[bot]"] = User(made.next_id("user"), "evidence[bot]", founded, "Bot")
    app = made.apps[777001] = App(777001, "evidence", "Iv23liSampleCompany1", org, founded, dict(READ_PERMISSIONS), list(EVENTS), bot, private.public_key())
    made.installations[5550001] = Installation(5550001, app, org, founded, dict(READ_PERMISSIONS))
    return private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()).decode()


# ---- Bench size --------------------------------------------------------------------------------------------------------


def generate_repositories(made, count):
    """`count` private repositories with a first commit and nothing else; every second one has classic protection."""
    org, at = made.orgs[ORGANISATION], made.orgs[ORGANISATION].created_at
    author = made.user(login(0))
    for i in range(count):
        repository = made.add_repository(org, f"service-{i:05}", "private", at + i)
        sha = sha1(repository.id, "first")
        repository.commits[sha] = Commit(sha, (), author, author, at + i, "first", {})
        made.move(repository, "main", sha, author, "branch_creation", at + i)
        if i % 2:
            repository.branches["main"].protection = {
                "required_status_checks": None, "enforce_admins": True, "restrictions": None,
                "required_pull_request_reviews": {"required_approving_review_count": 1, "dismiss_stale_reviews": True}}


def generate_pulls(made, count, repositories=4, every=600):
    """`count` merged pull requests over some repositories, each with two commits, a check and an approval; one in twenty without review."""
    org, authors = made.orgs[ORGANISATION], [made.user(login(i)) for i in range(len(made.orgs[ORGANISATION].members))]
    actions, at = made.apps[15368], org.created_at
    homes = []
    for i in range(repositories if count else 0):
        repository = made.add_repository(org, f"product-{i:02}", "private", at)
        sha = sha1(repository.id, "first")
        repository.commits[sha] = Commit(sha, (), authors[0], authors[0], at, "first", {})
        made.move(repository, "main", sha, authors[0], "branch_creation", at)
        homes.append(repository)
    for i in range(count):
        at += every
        repository, author, reviewer = homes[i % repositories], authors[i % len(authors)], authors[(i + 1) % len(authors)]
        base, shas = repository.branches["main"].sha, []
        for step in range(2):
            sha = sha1(repository.id, i, step)
            repository.commits[sha] = Commit(sha, (shas[-1] if shas else base,), author, author, at + step, f"change {i}.{step}", {f"src/{i % 97}.txt": b"x"})
            shas.append(sha)
        repository.last_number += 1
        pull = Pull(made.next_id("pull"), repository.last_number, repository, f"Change {i}", None, author, f"change-{i}", shas[-1], "main", base, at + 2,
                    at + every // 2, False, "closed", at + every // 2, at + every // 2, reviewer, sha1(repository.id, i, "merge"), shas)
        if i % 20:
            pull.reviews.append(Review(made.next_id("review"), reviewer, "APPROVED", "", shas[-1], at + every // 3))
        suite = CheckSuite(made.next_id("suite"), actions, shas[-1], pull.head_ref, at + 3, at + 60)
        suite.runs.append(CheckRun(made.next_id("run"), suite, "build", "completed", "success", at + 3, at + 60))
        repository.suites[shas[-1]] = [suite]
        repository.commits[pull.merge_sha] = Commit(pull.merge_sha, (base, shas[-1]), author, made.user("github-web-flow"), pull.merged_at,
                                                    f"Merge pull request #{pull.number}", {}, True)
        repository.pulls[pull.number] = pull
        for sha in (*shas, pull.merge_sha):
            repository.by_commit[sha] = [pull]
        made.move(repository, "main", pull.merge_sha, reviewer, "pr_merge", pull.merged_at)
