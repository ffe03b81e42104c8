"""Classic protection and rulesets."""
from .. import protection
from ..routes.repositories import all_checks
from ..routes.rulesets import may_change
from ..state import Organisation, iso, node_id
from .types import In, connect, fields, need


def branch_rules(repo, rq, **page):
    need(rq, "administration:read")
    return connect([In("BranchProtectionRule", repo, b) for b in repo.branches.values() if b.protection is not None], **page)


def said(name):
    return lambda o, rq: bool(o.it.protection.get(name))


def part(of, name, usual=False):
    return lambda o, rq: (o.it.protection.get(of) or {}).get(name, usual)


def allowances(of, name, kind):
    def found(o, rq, **page):
        chosen = (o.it.protection.get(of) if name is None else (o.it.protection.get(of) or {}).get(name)) or {}
        people = [rq.world.user(login) for login in chosen.get("users", [])] + [o.home.org.teams.get(slug) for slug in chosen.get("teams", [])]
        people += [app for app in rq.world.apps.values() if app.slug in chosen.get("apps", [])]
        return connect([In(kind, o, each) for each in people if each], **page)

    return found


REVIEWS, CHECKS = "required_pull_request_reviews", "required_status_checks"


def contexts(o, rq):
    return [c["context"] for c in all_checks(o.it.protection.get(CHECKS) or {})]


fields("Repository", branchProtectionRules=branch_rules)
fields("Ref", branchProtectionRule=lambda o, rq: In("BranchProtectionRule", o.home, o.it) if o.it.protection is not None else None)
fields("BranchProtectionRule", id=lambda o, rq: node_id("BPR", o.home.id, o.home.id), databaseId=lambda o, rq: o.home.id & 0x7FFFFFFF,
       pattern=lambda o, rq: o.it.name, repository=lambda o, rq: o.home, creator=lambda o, rq: None, isAdminEnforced=said("enforce_admins"),
       allowsDeletions=said("allow_deletions"), allowsForcePushes=said("allow_force_pushes"), blocksCreations=said("block_creations"),
       lockBranch=said("lock_branch"), lockAllowsFetchAndMerge=said("allow_fork_syncing"), requiresLinearHistory=said("required_linear_history"),
       requiresConversationResolution=said("required_conversation_resolution"), requiresDeployments=lambda o, rq: False,
       requiresCommitSignatures=lambda o, rq: False, requiredDeploymentEnvironments=lambda o, rq: [],
       requiresApprovingReviews=lambda o, rq: o.it.protection.get(REVIEWS) is not None, requiresStatusChecks=lambda o, rq: o.it.protection.get(CHECKS) is not None,
       requiredApprovingReviewCount=lambda o, rq: part(REVIEWS, "required_approving_review_count", 1)(o, rq) if o.it.protection.get(REVIEWS) is not None else None,
       dismissesStaleReviews=part(REVIEWS, "dismiss_stale_reviews"), requiresCodeOwnerReviews=part(REVIEWS, "require_code_owner_reviews"),
       requireLastPushApproval=part(REVIEWS, "require_last_push_approval"), requiresStrictStatusChecks=part(CHECKS, "strict"),
       requiredStatusCheckContexts=contexts, restrictsPushes=lambda o, rq: o.it.protection.get("restrictions") is not None,
       requiredStatusChecks=lambda o, rq: [In("RequiredStatusCheckDescription", o, c) for c in all_checks(o.it.protection.get(CHECKS) or {})],
       restrictsReviewDismissals=lambda o, rq: bool(part(REVIEWS, "dismissal_restrictions", None)(o, rq)),
       matchingRefs=lambda o, rq, query=None, **page: connect([In("Ref", o.home, o.it)], **page),
       bypassPullRequestAllowances=allowances(REVIEWS, "bypass_pull_request_allowances", "BypassPullRequestAllowance"),
       reviewDismissalAllowances=allowances(REVIEWS, "dismissal_restrictions", "ReviewDismissalAllowance"),
       bypassForcePushAllowances=lambda o, rq, **page: connect([], **page), pushAllowances=allowances("restrictions", None, "PushAllowance"))
fields("RequiredStatusCheckDescription", context=lambda o, rq: o.it["context"],
       app=lambda o, rq: rq.world.apps.get(o.it["app_id"]) if o.it.get("app_id") else None)
for _kind in ("BypassPullRequestAllowance", "ReviewDismissalAllowance", "PushAllowance"):
    fields(_kind, id=lambda o, rq: node_id("BPA", o.home.home.id, o.it.id), actor=lambda o, rq: o.it, branchProtectionRule=lambda o, rq: o.home)

# ---- Rulesets --------------------------------------------------------------------------------------------------------------------------------


def repository_rulesets(repo, rq, includeParents=True, targets=None, **page):
    above = [r for r in repo.org.rulesets.values() if protection.covers_repository(r.body.get("conditions") or {}, repo)] if includeParents else []
    return connect([In("RepositoryRuleset", repo, r) for r in [*above, *repo.rulesets.values()]], **page)


def organisation_rulesets(org, rq, includeParents=True, targets=None, **page):
    return connect([In("RepositoryRuleset", org, r) for r in org.rulesets.values()], **page)


def bypass_actors(o, rq, **page):
    """Only for who may change the ruleset."""
    if not may_change(rq, o.it):
        return None
    return connect([In("RepositoryRulesetBypassActor", o, a) for a in o.it.body.get("bypass_actors") or []], **page)


def bypass_actor(o, rq):
    number, org = o.it.get("actor_id"), o.home.it.source if isinstance(o.home.it.source, Organisation) else o.home.it.source.org
    if o.it["actor_type"] == "Team":
        return next((t for t in org.teams.values() if t.id == number), None)
    return rq.world.apps.get(number) if o.it["actor_type"] == "Integration" else None


def rules(o, rq, type=None, **page):
    found = [(i, rule) for i, rule in enumerate(o.it.body.get("rules") or []) if type in (None, rule["type"].upper())]
    return connect([In("RepositoryRule", o, pair) for pair in found], **page)


def conditions(name):
    return lambda o, rq: (o.it.body.get("conditions") or {}).get(name)


fields("Repository", rulesets=repository_rulesets, ruleset=lambda r, rq, databaseId, includeParents=True: next(
    (In("RepositoryRuleset", r, s) for s in [*r.rulesets.values(), *r.org.rulesets.values()] if s.id == databaseId), None))
fields("Organization", rulesets=organisation_rulesets, ruleset=lambda o, rq, databaseId, includeParents=True: next(
    (In("RepositoryRuleset", o, s) for s in o.rulesets.values() if s.id == databaseId), None))
fields("RepositoryRuleset", id=lambda o, rq: o.it.node_id, databaseId=lambda o, rq: o.it.id, name=lambda o, rq: o.it.body["name"],
       target=lambda o, rq: o.it.body.get("target", "branch").upper(), enforcement=lambda o, rq: o.it.body["enforcement"].upper(), source=lambda o, rq: o.it.source,
       createdAt=lambda o, rq: iso(o.it.created_at), updatedAt=lambda o, rq: iso(o.it.updated_at), bypassActors=bypass_actors, rules=rules, conditions=lambda o, rq: o)
fields("RepositoryRuleConditions", refName=conditions("ref_name"), repositoryName=conditions("repository_name"), repositoryId=lambda o, rq: None,
       repositoryProperty=lambda o, rq: None)
fields("RefNameConditionTarget", include=lambda c, rq: c.get("include", []), exclude=lambda c, rq: c.get("exclude", []))
fields("RepositoryNameConditionTarget", include=lambda c, rq: c.get("include", []), exclude=lambda c, rq: c.get("exclude", []),
       protected=lambda c, rq: bool(c.get("protected")))
fields("RepositoryRulesetBypassActor", id=lambda o, rq: node_id("RRBA", o.home.it.id, o.it.get("actor_id") or 0), actor=bypass_actor,
       bypassMode=lambda o, rq: o.it.get("bypass_mode", "always").upper(), deployKey=lambda o, rq: o.it["actor_type"] == "DeployKey",
       enterpriseOwner=lambda o, rq: False, organizationAdmin=lambda o, rq: o.it["actor_type"] == "OrganizationAdmin",
       repositoryRoleDatabaseId=lambda o, rq: o.it["actor_id"] if o.it["actor_type"] == "RepositoryRole" else None,
       repositoryRoleName=lambda o, rq: protection.ROLE_IDS.get(o.it.get("actor_id")) if o.it["actor_type"] == "RepositoryRole" else None,
       repositoryRuleset=lambda o, rq: o.home)
PARAMETERS = {"pull_request": "PullRequestParameters", "required_status_checks": "RequiredStatusChecksParameters"}
fields("RepositoryRule", id=lambda o, rq: node_id("RR", o.home.it.id, o.it[0]), type=lambda o, rq: o.it[1]["type"].upper(), repositoryRuleset=lambda o, rq: o.home,
       parameters=lambda o, rq: In(PARAMETERS[o.it[1]["type"]], o, o.it[1]["parameters"]) if o.it[1]["type"] in PARAMETERS else None)


def parameter(name, usual=None):
    return lambda o, rq: o.it.get(name, usual)


fields("PullRequestParameters", dismissStaleReviewsOnPush=parameter("dismiss_stale_reviews_on_push"), requireCodeOwnerReview=parameter("require_code_owner_review"),
       requireLastPushApproval=parameter("require_last_push_approval"), requiredApprovingReviewCount=parameter("required_approving_review_count"),
       requiredReviewThreadResolution=parameter("required_review_thread_resolution"), allowedMergeMethods=parameter("allowed_merge_methods"))
fields("RequiredStatusChecksParameters", requiredStatusChecks=parameter("required_status_checks"), doNotEnforceOnCreate=parameter("do_not_enforce_on_create", False),
       strictRequiredStatusChecksPolicy=parameter("strict_required_status_checks_policy"))
fields("StatusCheckConfiguration", context=lambda c, rq: c["context"], integrationId=lambda c, rq: c.get("integration_id"))
