"""What GitHub would know, as plain values. Times are whole seconds since 1970; ids are numbers that never come back.

Nothing here decides anything: who may do what is access.py's, what a rule says protection.py's, how it reads render.py's.
"""
import base64
import dataclasses
import datetime
import hashlib
import itertools
import struct
import time
from typing import Any

PERMISSIONS = ("none", "read", "triage", "write", "maintain", "admin")  # in order of strength


def stronger(*permissions):
    return max(permissions, key=PERMISSIONS.index, default="none")


def sha1(*parts):
    return hashlib.sha1("\0".join(map(str, parts)).encode()).hexdigest()


def node_id(prefix, *ids):
    """GitHub's global ids: a prefix, then a msgpack array of the ids of container and thing in base64."""
    packed = bytes([0x90 + 1 + len(ids), 0]) + b"".join(b"\xce" + struct.pack(">I", i) if i < 1 << 32 else b"\xcf" + struct.pack(">Q", i) for i in ids)
    return f"{prefix}_{base64.urlsafe_b64encode(packed).decode().rstrip('=')}"


def read_node_id(text):
    """The inverse: (prefix, ids), or None."""
    prefix, _, rest = text.partition("_")
    try:
        packed = base64.urlsafe_b64decode(rest + "=" * (-len(rest) % 4))
        ids, at = [], 2
        while at < len(packed):
            width, form = {0xCE: (4, ">I"), 0xCF: (8, ">Q")}[packed[at]]
            ids.append(struct.unpack_from(form, packed, at + 1)[0])
            at += 1 + width
        return prefix, ids
    except (KeyError, ValueError, struct.error):
        return None


class Clock:
    """Real time until a test says otherwise; from then on stopped, or running from the instant that it was given."""

    def __init__(self):
        self.base, self.since, self.stopped = None, 0.0, False

    def set(self, at, stopped=True):
        self.base, self.since, self.stopped = at, time.monotonic(), stopped

    def now(self):
        if self.base is None:
            return int(time.time())
        return int(self.base if self.stopped else self.base + time.monotonic() - self.since)


@dataclasses.dataclass(slots=True, eq=False)
class User:
    id: int
    login: str
    created_at: int
    type: str = "User"
    two_factor: bool = True
    two_factor_insecure: bool = False  # by SMS only

    @property
    def node_id(self):
        return node_id("BOT" if self.type == "Bot" else "U", self.id)


@dataclasses.dataclass(slots=True, eq=False)
class App:
    id: int
    slug: str
    client_id: str
    owner: Any
    created_at: int
    permissions: dict
    events: list
    bot: User
    public_key: Any = None
    hook: dict = dataclasses.field(default_factory=lambda: {"url": "", "content_type": "json", "insecure_ssl": "0"})

    @property
    def node_id(self):
        return node_id("A", self.id)


@dataclasses.dataclass(slots=True, eq=False)
class Installation:
    id: int
    app: App
    org: Any
    created_at: int
    permissions: dict
    selection: str = "all"
    repositories: set = dataclasses.field(default_factory=set)  # ids, when selected


@dataclasses.dataclass(slots=True, eq=False)
class Invitation:
    id: int
    login: str | None
    email: str | None
    role: str
    inviter: User
    created_at: int
    teams: list
    failed_at: int | None = None
    failed_reason: str | None = None


@dataclasses.dataclass(slots=True, eq=False)
class Team:
    id: int
    org: Any
    name: str
    slug: str
    created_at: int
    description: str | None = None
    privacy: str = "closed"
    parent: Any = None
    members: dict = dataclasses.field(default_factory=dict)  # login -> member | maintainer
    repositories: dict = dataclasses.field(default_factory=dict)  # repository id -> permission

    @property
    def node_id(self):
        return node_id("T", self.org.id, self.id)


ORGANISATION_SETTINGS = {
    "default_repository_permission": "read", "two_factor_requirement_enabled": False, "members_can_create_repositories": True,
    "members_can_create_public_repositories": True, "members_can_create_private_repositories": True, "members_can_create_internal_repositories": False,
    "members_allowed_repository_creation_type": "all", "members_can_create_pages": True, "members_can_create_public_pages": True,
    "members_can_create_private_pages": True, "members_can_fork_private_repositories": False, "web_commit_signoff_required": False,
    "deploy_keys_enabled_for_repositories": True, "advanced_security_enabled_for_new_repositories": False,
    "dependabot_alerts_enabled_for_new_repositories": False, "dependabot_security_updates_enabled_for_new_repositories": False,
    "dependency_graph_enabled_for_new_repositories": False, "secret_scanning_enabled_for_new_repositories": False,
    "secret_scanning_push_protection_enabled_for_new_repositories": False, "has_organization_projects": True, "has_repository_projects": True}


@dataclasses.dataclass(slots=True, eq=False)
class Organisation:
    id: int
    login: str
    created_at: int
    plan: str = "team"  # or `enterprise`: Enterprise Cloud
    description: str | None = None
    updated_at: int = 0
    settings: dict = dataclasses.field(default_factory=lambda: dict(ORGANISATION_SETTINGS))
    members: dict = dataclasses.field(default_factory=dict)  # login -> admin | member
    outside: dict = dataclasses.field(default_factory=dict)  # login -> User
    invitations: list = dataclasses.field(default_factory=list)
    teams: dict = dataclasses.field(default_factory=dict)  # by slug
    repositories: dict = dataclasses.field(default_factory=dict)  # by name in lower case
    renamed: dict = dataclasses.field(default_factory=dict)  # former name -> repository
    rulesets: dict = dataclasses.field(default_factory=dict)
    hooks: dict = dataclasses.field(default_factory=dict)
    configurations: dict = dataclasses.field(default_factory=dict)
    grants: list = dataclasses.field(default_factory=list)  # fine-grained tokens with access
    actions: dict = dataclasses.field(default_factory=lambda: {"enabled_repositories": "all", "allowed_actions": "all", "sha_pinning_required": False})
    workflow: dict = dataclasses.field(default_factory=lambda: {"default_workflow_permissions": "read", "can_approve_pull_request_reviews": False})
    selected_actions: dict = dataclasses.field(default_factory=lambda: {"github_owned_allowed": True, "verified_allowed": False, "patterns_allowed": []})
    audit: list = dataclasses.field(default_factory=list)

    type = "Organization"

    @property
    def node_id(self):
        return node_id("O", self.id)


@dataclasses.dataclass(slots=True, eq=False)
class Commit:
    sha: str
    parents: tuple
    author: User
    committer: User
    date: int
    message: str
    changes: dict  # path -> bytes, or None where it was removed
    verified: bool = False


@dataclasses.dataclass(slots=True, eq=False)
class Branch:
    name: str
    sha: str
    protection: dict | None = None  # classic: the body of the PUT


@dataclasses.dataclass(slots=True, eq=False)
class Ruleset:
    id: int
    source: Any  # Organisation or Repository
    created_at: int
    updated_at: int
    body: dict  # name, target, enforcement, bypass_actors, conditions, rules
    versions: list = dataclasses.field(default_factory=list)  # (version id, actor, instant, body)

    @property
    def node_id(self):
        return node_id("RRS", self.source.id, self.id)


@dataclasses.dataclass(slots=True, eq=False)
class Review:
    id: int
    user: User | None
    state: str
    body: str
    commit_id: str
    submitted_at: int


@dataclasses.dataclass(slots=True, eq=False)
class Pull:
    id: int
    number: int
    repository: Any
    title: str
    body: str | None
    author: User
    head_ref: str
    head_sha: str
    base_ref: str
    base_sha: str
    created_at: int
    updated_at: int
    draft: bool = False
    state: str = "open"
    closed_at: int | None = None
    merged_at: int | None = None
    merged_by: User | None = None
    merge_sha: str | None = None
    commits: list = dataclasses.field(default_factory=list)
    reviews: list = dataclasses.field(default_factory=list)
    requested: list = dataclasses.field(default_factory=list)
    requested_teams: list = dataclasses.field(default_factory=list)
    events: list = dataclasses.field(default_factory=list)  # (instant, kind, id, actor, details)

    @property
    def node_id(self):
        return node_id("PR", self.repository.id, self.id)


@dataclasses.dataclass(slots=True, eq=False)
class Issue:
    id: int
    number: int
    repository: Any
    title: str
    body: str | None
    author: User
    labels: list
    created_at: int
    updated_at: int
    state: str = "open"
    state_reason: str | None = None
    closed_at: int | None = None
    closed_by: User | None = None
    assignees: list = dataclasses.field(default_factory=list)

    @property
    def node_id(self):
        return node_id("I", self.repository.id, self.id)


@dataclasses.dataclass(slots=True, eq=False)
class CheckRun:
    id: int
    suite: Any
    name: str
    status: str
    conclusion: str | None
    started_at: int | None
    completed_at: int | None
    external_id: str = ""
    details_url: str | None = None
    output: dict | None = None


@dataclasses.dataclass(slots=True, eq=False)
class CheckSuite:
    id: int
    app: App
    sha: str
    branch: str | None
    created_at: int
    updated_at: int
    runs: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass(slots=True, eq=False)
class Status:
    id: int
    sha: str
    context: str
    state: str
    creator: User
    created_at: int
    description: str | None = None
    target_url: str | None = None


@dataclasses.dataclass(slots=True, eq=False)
class Deployment:
    id: int
    repository: Any
    sha: str
    ref: str
    task: str
    environment: str
    creator: User
    created_at: int
    updated_at: int
    payload: Any = dataclasses.field(default_factory=dict)
    description: str | None = None
    transient: bool = False
    production: bool = False
    statuses: list = dataclasses.field(default_factory=list)  # dicts

    @property
    def node_id(self):
        return node_id("DE", self.repository.id, self.id)


@dataclasses.dataclass(slots=True, eq=False)
class Environment:
    id: int
    name: str
    created_at: int
    updated_at: int
    wait_timer: int = 0
    prevent_self_review: bool = False
    reviewers: list = dataclasses.field(default_factory=list)  # User or Team
    branch_policy: dict | None = None
    patterns: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass(slots=True, eq=False)
class DeployKey:
    id: int
    title: str
    key: str
    read_only: bool
    added_by: User
    created_at: int
    last_used: int | None = None


class Repository:
    """Of fifty thousand repositories most have nothing but a name: what `LAZY` names is made when it is first asked for."""

    LAZY = {"branches": dict, "commits": dict, "pulls": dict, "issues": dict, "rulesets": dict, "rule_suites": list, "statuses": dict, "suites": dict,
            "check_runs": dict, "activity": list, "deployments": dict, "environments": dict, "keys": dict, "collaborators": dict, "options": dict, "hooks": dict,
            "security": dict, "workflow_runs": list, "code_alerts": list, "code_analyses": list, "secret_alerts": list, "dependabot_alerts": list,
            "by_commit": dict, "flags": dict,
            "actions": lambda: {"enabled": True, "allowed_actions": "all", "sha_pinning_required": False},
            "workflow": lambda: {"default_workflow_permissions": "read", "can_approve_pull_request_reviews": False},
            "selected_actions": lambda: {"github_owned_allowed": True, "verified_allowed": False, "patterns_allowed": []}}
    __slots__ = ("id", "org", "name", "visibility", "default_branch", "description", "archived", "created_at", "updated_at", "pushed_at", "last_number",
                 *LAZY)

    def __init__(self, id, org, name, visibility, at, description=None, default_branch="main"):
        self.id, self.org, self.name, self.visibility, self.description, self.default_branch = id, org, name, visibility, description, default_branch
        self.created_at = self.updated_at = self.pushed_at = at
        self.archived, self.last_number = False, 0

    def __getattr__(self, name):
        made = Repository.LAZY[name]() if name in Repository.LAZY else None
        if made is None:
            raise AttributeError(name)
        setattr(self, name, made)
        return made

    @property
    def full_name(self):
        return f"{self.org.login}/{self.name}"

    @property
    def node_id(self):
        return node_id("R", self.id)

    @property
    def private(self):
        return self.visibility != "public"

    def head(self, ref):
        """A branch, `refs/heads/x`, or a commit's hash, as the hash; None where there is none."""
        name = ref.removeprefix("refs/").removeprefix("heads/")
        if name in self.branches:
            return self.branches[name].sha
        if ref in self.commits:
            return ref
        if name.startswith("pull/"):
            number = name.split("/")[1]
            pull = self.pulls.get(int(number)) if number.isdigit() else None
            return pull and (pull.merge_sha if name.endswith("/merge") and pull.merge_sha else pull.head_sha)
        return None

    def history(self, sha):
        """From `sha` back, every commit once, newest first."""
        todo, seen = [sha], set()
        while todo:
            todo.sort(key=lambda each: (self.commits[each].date, each))
            at = todo.pop()
            if at not in seen:
                seen.add(at)
                yield self.commits[at]
                todo += [p for p in self.commits[at].parents if p not in seen and p in self.commits]

    def first_parents(self, sha):
        while sha in self.commits:
            yield self.commits[sha]
            sha = self.commits[sha].parents[0] if self.commits[sha].parents else None

    def files(self, sha):
        """path -> bytes as of a commit."""
        found = {}
        for commit in self.first_parents(sha):
            for path, content in commit.changes.items():
                found.setdefault(path, content)
        return {path: content for path, content in found.items() if content is not None}

    def is_ancestor(self, sha, of):
        return sha == of or any(commit.sha == sha for commit in self.history(of))

    def open_issues(self):
        return sum(p.state == "open" for p in self.pulls.values()) + sum(i.state == "open" for i in self.issues.values())


class World:
    """Everything, and the one place that hands out ids."""

    def __init__(self, clock):
        self.clock = clock
        self.users, self.orgs, self.repositories, self.apps, self.installations, self.tokens = {}, {}, {}, {}, {}, {}
        self.deliveries = []
        self.version = 0  # grows with every change: what was rendered at an older one may be stale
        self.counters = {}
        self.judge = None  # of webhook payloads, when answers are judged: judge(event, action, payload)

    def now(self):
        return self.clock.now()

    STARTS = {"user": 1_000_001, "org": 900_001, "repository": 400_000_001, "pull": 1_500_000_001, "review": 1_900_000_001, "commit": 1,
              "suite": 20_000_000_001, "run": 30_000_000_001, "status": 24_000_000_001, "deployment": 1_200_000_001, "deployment_status": 3_100_000_001,
              "team": 8_000_001, "ruleset": 3_000_001, "suite_of_rules": 1_100_000_001, "key": 90_000_001, "environment": 700_000_001,
              "activity": 15_000_000_001, "event": 13_000_000_001, "workflow_run": 9_000_000_001}

    def next_id(self, kind):
        if kind not in self.counters:
            self.counters[kind] = itertools.count(self.STARTS.get(kind, 1_000_001))
        return next(self.counters[kind])

    def user(self, login):
        return self.users.get(login.lower())

    def repository(self, owner, name):
        org = self.orgs.get(owner.lower())
        return org and org.repositories.get(name.lower())

    def add_user(self, login, at, **more):
        user = self.users[login.lower()] = User(self.next_id("user"), login, at, **more)
        return user

    def add_repository(self, org, name, visibility, at, **more):
        repository = Repository(self.next_id("repository"), org, name, visibility, at, **more)
        org.repositories[name.lower()] = self.repositories[repository.id] = repository
        return repository

    def commit(self, repository, parents, author, message, changes, at, committer=None, verified=False):
        sha = sha1(repository.id, *parents, author.login, message, at, self.next_id("commit"))
        repository.commits[sha] = Commit(sha, tuple(parents), author, committer or author, at, message, changes, verified)
        return sha

    def move(self, repository, name, sha, actor, kind, at):
        """A branch points to `sha` from now on: kept as GitHub's activity of the repository."""
        branch = repository.branches.get(name)
        before = branch.sha if branch else "0" * 40
        if branch is None:
            branch = repository.branches[name] = Branch(name, sha)
        branch.sha = sha
        repository.activity.append({"id": self.next_id("activity"), "before": before, "after": sha, "ref": f"refs/heads/{name}", "at": at, "type": kind,
                                    "actor": actor})
        repository.pushed_at = repository.updated_at = max(at, repository.pushed_at)

    def teams_of(self, user, org):
        """Also the parents': members of a child team are members of its parents.  (organizations/organizing-members-into-teams/about-teams)"""
        for team in org.teams.values():
            if user.login in team.members:
                while team:
                    yield team
                    team = team.parent

    def permission(self, user, repository):
        """The strongest of ownership, the organisation's base permission, direct grants and teams."""
        org = repository.org
        role = org.members.get(user.login)
        if role == "admin":
            return "admin"
        found = ["read" if repository.visibility == "public" else "none", repository.collaborators.get(user.login, "none")]
        if role and repository.visibility != "public" or role and org.settings["default_repository_permission"] != "none":
            found.append(org.settings["default_repository_permission"])
        if role:
            found += [team.repositories[repository.id] for team in self.teams_of(user, org) if repository.id in team.repositories]
        return stronger(*found)


def iso(at):
    return None if at is None else datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(text):
    """RFC 3339, or a date."""
    parsed = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return int((parsed if parsed.tzinfo else parsed.replace(tzinfo=datetime.timezone.utc)).timestamp())
