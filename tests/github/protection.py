"""Which rules apply to a branch, and what they say of a push or a merge.

Rulesets: repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets/{about-rulesets,available-rules-for-rulesets}.
Classic: …/managing-protected-branches/about-protected-branches. Both apply together; the stricter wins. A ruleset in `evaluate` only reports.
"""
import dataclasses
import fnmatch
from typing import Any

from .state import Organisation

PASSING = ("success", "neutral", "skipped")  # …/collaborating-with-pull-requests/collaborating-on-repositories-with-code-quality-features/about-status-checks
ROLE_IDS = {2: "maintain", 4: "write", 5: "admin"}  # bypass actors of type RepositoryRole  (rest/repos/rules)
STRENGTH = {"write": 3, "maintain": 4, "admin": 5}


@dataclasses.dataclass(slots=True)
class Evaluation:
    source: Any  # Ruleset, or None for classic protection
    enforcement: str
    rule: str
    passed: bool
    details: str | None
    bypassed: bool


# ---- Which rules apply -------------------------------------------------------------------------------------------------


def matches(pattern, ref, default):
    if pattern == "~ALL":
        return True
    if pattern == "~DEFAULT_BRANCH":
        return ref == f"refs/heads/{default}"
    return fnmatch.fnmatchcase(ref, pattern if pattern.startswith("refs/") else f"refs/heads/{pattern}")


def covers(ruleset, repository, branch):
    body, ref = ruleset.body, f"refs/heads/{branch}"
    if body.get("target", "branch") != "branch":
        return False
    conditions = body.get("conditions") or {}
    names = conditions.get("ref_name", {})
    if not any(matches(p, ref, repository.default_branch) for p in names.get("include", [])) \
            or any(matches(p, ref, repository.default_branch) for p in names.get("exclude", [])):
        return False
    return not isinstance(ruleset.source, Organisation) or covers_repository(conditions, repository)


def covers_repository(conditions, repository):
    if "repository_name" in conditions:
        chosen = conditions["repository_name"]
        hit = lambda patterns: any(p == "~ALL" or fnmatch.fnmatchcase(repository.name, p) for p in patterns)  # noqa: E731
        return hit(chosen.get("include", [])) and not hit(chosen.get("exclude", []))
    if "repository_id" in conditions:
        return repository.id in conditions["repository_id"].get("repository_ids", [])
    return False  # by property: no repository here has one


def rulesets(repository, branch, enforcement=("active",)):
    """The organisation's first, then the repository's own."""
    for ruleset in [*repository.org.rulesets.values(), *repository.rulesets.values()]:
        if ruleset.body["enforcement"] in enforcement and covers(ruleset, repository, branch):
            yield ruleset


def protected(repository, branch):
    return branch.protection is not None or any(rulesets(repository, branch.name))


# ---- What they say -----------------------------------------------------------------------------------------------------


def may_bypass(world, ruleset, actor, token, repository, merging):
    for each in ruleset.body.get("bypass_actors") or []:
        if each.get("bypass_mode", "always") == "pull_request" and not merging:
            continue
        kind, number = each["actor_type"], each.get("actor_id")
        if kind == "OrganizationAdmin" and repository.org.members.get(actor.login) == "admin":
            return True
        if kind == "User" and actor.id == number or kind == "Integration" and token.installation and token.installation.app.id == number:
            return True
        if kind == "Team" and any(team.id == number for team in world.teams_of(actor, repository.org)):
            return True
        if kind == "RepositoryRole" and number in ROLE_IDS and actor.type == "User":
            has = {"write": 3, "maintain": 4, "admin": 5}.get(world.permission(actor, repository), 0)
            if has >= STRENGTH[ROLE_IDS[number]]:
                return True
    return False


def latest_reviews(pull):
    """Per reviewer the last that counts: a comment never takes an approval back.  (…/reviewing-changes-in-pull-requests/about-pull-request-reviews)"""
    found = {}
    for review in pull.reviews:
        if review.user is not None and review.state in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED"):
            found[review.user.id] = review
    return found.values()


def approvals(world, pull):
    """Approvals of people with write access, and of Actions where that is allowed; never the author's own."""
    return [r for r in latest_reviews(pull) if r.state == "APPROVED" and r.user is not pull.author
            and (r.user.type == "Bot" or STRENGTH.get(world.permission(r.user, pull.repository), 0) >= 3)]


def reviewed(world, pull, count, last_push):
    if pull is None:
        return "Changes must be made through a pull request."
    if any(r.state == "CHANGES_REQUESTED" for r in latest_reviews(pull)):
        return "Changes have been requested."
    fresh = approvals(world, pull)
    if len(fresh) < count:
        return f"At least {count} approving review is required by reviewers with write access."
    if last_push:
        pusher = pull.repository.commits[pull.head_sha].committer
        if not any(r.user is not pusher and r.commit_id == pull.head_sha for r in fresh):
            return "New changes require approval from someone other than the last pusher."
    return None


def checked(repository, sha, wanted):
    """`wanted`: (context, app id or None). The newest result of each context on the very commit."""
    results = {}
    for status in repository.statuses.get(sha, []):
        results[status.context, None] = status.state
    for suite in repository.suites.get(sha, []):
        for run in suite.runs:
            results[run.name, None] = results[run.name, suite.app.id] = run.conclusion if run.status == "completed" else "pending"
    missing = [context for context, app in wanted if results.get((context, app if app and app > 0 else None)) not in PASSING]
    return f'Required status check "{missing[0]}" is expected.' if missing else None


def rule_says(world, rule, repository, pull, sha, change):
    """Why a ruleset's rule is broken; None if it is kept. `change`: push, force, create, delete or merge."""
    kind, parameters = rule["type"], rule.get("parameters") or {}
    if kind == "pull_request" and change in ("push", "force", "merge"):
        return reviewed(world, pull, parameters["required_approving_review_count"], parameters["require_last_push_approval"])
    if kind == "required_status_checks" and change in ("push", "force", "merge"):
        return checked(repository, sha, [(c["context"], c.get("integration_id")) for c in parameters["required_status_checks"]])
    if kind == "required_signatures" and change in ("push", "force", "merge"):
        return None if repository.commits[sha].verified or change == "merge" else "Commits must have verified signatures."
    broken = {"non_fast_forward": "force", "deletion": "delete", "creation": "create"}
    if kind == "update" and change in ("push", "force", "merge"):
        return "Cannot update this protected ref."
    return f"Cannot {change} this protected ref." if broken.get(kind) == change else None


def classic_says(world, protection, repository, pull, sha, change, actor):
    """(rule type, why broken or None, bypassed by an allowance) of each part of classic protection."""
    reviews = protection.get("required_pull_request_reviews")
    if reviews is not None and change in ("push", "force", "merge"):
        allowed = actor.login in (reviews.get("bypass_pull_request_allowances") or {}).get("users", [])
        yield "pull_request", reviewed(world, pull, reviews.get("required_approving_review_count", 1), reviews.get("require_last_push_approval", False)), allowed
    checks = protection.get("required_status_checks")
    if checks is not None and change in ("push", "force", "merge"):
        wanted = [(c["context"], c.get("app_id")) for c in checks.get("checks") or [{"context": c} for c in checks.get("contexts", [])]]
        yield "required_status_checks", checked(repository, sha, wanted), False
    if change == "force":
        yield "non_fast_forward", None if protection.get("allow_force_pushes") else "Cannot force-push to this branch", False
    if change == "delete":
        yield "deletion", None if protection.get("allow_deletions") else "Cannot delete this branch", False
    if protection.get("lock_branch") and change in ("push", "force", "merge"):
        yield "update", "This branch is read-only", False


def evaluate(rq, repository, branch, change, sha, pull=None):
    """Every rule that has a say, with its result for this actor."""
    world, actor, found = rq.world, rq.user, []
    for ruleset in rulesets(repository, branch, ("active", "evaluate")):
        bypass = may_bypass(world, ruleset, actor, rq.token, repository, pull is not None)
        for rule in ruleset.body.get("rules") or []:
            why = rule_says(world, rule, repository, pull, sha, change)
            found.append(Evaluation(ruleset, ruleset.body["enforcement"], rule["type"], why is None, why, bypass))
    at = repository.branches.get(branch)
    if at is not None and at.protection is not None:
        admin = not at.protection.get("enforce_admins") and rq.permission(repository) == "admin"
        for kind, why, allowed in classic_says(world, at.protection, repository, pull, sha, change, actor):
            found.append(Evaluation(None, "active", kind, why is None, why, allowed or admin and kind != "update"))
    return found


def conclude(rq, repository, branch, before, after, evaluations):
    """Keeps the rule suite (rest/repos/rule-suites) and returns why the change is refused, or None."""
    if not evaluations:
        return None
    world = rq.world
    broken = [e for e in evaluations if not e.passed and e.enforcement == "active"]
    refused = [e for e in broken if not e.bypassed]
    trial = any(not e.passed and e.enforcement == "evaluate" for e in evaluations)
    result = "fail" if refused else "bypass" if broken else "pass"
    repository.rule_suites.append({
        "id": world.next_id("suite_of_rules"), "actor": rq.user, "before": before, "after": after, "ref": f"refs/heads/{branch}", "at": world.now(),
        "result": result, "evaluation_result": "fail" if trial else None, "evaluations": evaluations})
    if result == "bypass":
        from .events import audit

        audit(world, repository.org, "protected_branch.policy_override", rq.user, repository, name=f"refs/heads/{branch}")
    return refused[0].details if refused else None
