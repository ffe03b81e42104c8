"""Checks and statuses of a commit, deployments, environments."""
from .. import render
from ..routes.checks import state_of as suite_state
from ..state import iso, node_id
from .types import In, connect, fields, need


def upper(text):
    return text and text.upper()


def newest(o):
    """The newest check run of each name and App, then the newest status of each context."""
    repo, sha = o.home, o.it.sha
    runs = [In("CheckRun", repo, run) for suite in repo.suites.get(sha, []) for run in {run.name: run for run in suite.runs}.values()]
    return runs, [In("StatusContext", repo, status) for status in {s.context: s for s in repo.statuses.get(sha, [])}.values()]


def rollup(o, rq):
    """None where nothing has reported."""
    need(rq, "checks:read", "statuses:read")
    if o is None:
        return None
    runs, statuses = newest(o)
    return In("StatusCheckRollup", o, (runs, statuses)) if runs or statuses else None


def rollup_state(o, rq):
    runs, statuses = o.it
    said = {upper(s.it.state) for s in statuses}
    for run in runs:
        good = run.it.conclusion in ("success", "neutral", "skipped")
        said.add("PENDING" if run.it.status != "completed" else "SUCCESS" if good else "FAILURE")
    return next(state for state in ("ERROR", "FAILURE", "PENDING", "SUCCESS") if state in said)


fields("Commit", statusCheckRollup=rollup,
       status=lambda o, rq: In("Status", o, newest(o)[1]) if newest(o)[1] else None,
       checkSuites=lambda o, rq, filterBy=None, **page: connect([In("CheckSuite", o.home, s) for s in o.home.suites.get(o.it.sha, [])], **page),
       deployments=lambda o, rq, environments=None, orderBy=None, **page: connect(
           [In("Deployment", o.home, d) for d in o.home.deployments.values() if d.sha == o.it.sha and (not environments or d.environment in environments)], **page))
fields("StatusCheckRollup", id=lambda o, rq: node_id("SCR", o.home.home.id, int(o.home.it.sha[:12], 16)), state=rollup_state, commit=lambda o, rq: o.home,
       contexts=lambda o, rq, **page: connect([*o.it[0], *o.it[1]], **page))
fields("StatusCheckRollupContextConnection", checkRunCount=lambda c, rq: sum(i.kind == "CheckRun" for i in c.items),
       statusContextCount=lambda c, rq: sum(i.kind == "StatusContext" for i in c.items))
fields("Status", id=lambda o, rq: node_id("SH", o.home.home.id, int(o.home.it.sha[:12], 16)), commit=lambda o, rq: o.home, contexts=lambda o, rq: o.it,
       state=lambda o, rq: rollup_state(In("StatusCheckRollup", o.home, ([], o.it)), rq))


def required(o, rq, pullRequestId=None, pullRequestNumber=None):
    from .. import protection

    pull = o.home.pulls.get(pullRequestNumber)
    name = o.it.name if o.kind == "CheckRun" else o.it.context
    branch = pull.base_ref if pull else o.home.default_branch
    return any(c["context"] == name for ruleset in protection.rulesets(o.home, branch) for rule in ruleset.body.get("rules") or []
               if rule["type"] == "required_status_checks" for c in rule["parameters"]["required_status_checks"])


fields("CheckRun", id=lambda o, rq: node_id("CR", o.home.id, o.it.id), databaseId=lambda o, rq: o.it.id & 0x7FFFFFFF, name=lambda o, rq: o.it.name,
       status=lambda o, rq: upper(o.it.status), conclusion=lambda o, rq: upper(o.it.conclusion), startedAt=lambda o, rq: iso(o.it.started_at),
       completedAt=lambda o, rq: iso(o.it.completed_at), checkSuite=lambda o, rq: In("CheckSuite", o.home, o.it.suite), externalId=lambda o, rq: o.it.external_id,
       detailsUrl=lambda o, rq: o.it.details_url or f"{render.WEB}/{o.home.full_name}/runs/{o.it.id}", isRequired=required, repository=lambda o, rq: o.home,
       title=lambda o, rq: (o.it.output or {}).get("title"), summary=lambda o, rq: (o.it.output or {}).get("summary"),
       url=lambda o, rq: f"{render.WEB}/{o.home.full_name}/runs/{o.it.id}", permalink=lambda o, rq: f"{render.WEB}/{o.home.full_name}/runs/{o.it.id}")
fields("CheckSuite", id=lambda o, rq: node_id("CS", o.home.id, o.it.id), databaseId=lambda o, rq: o.it.id & 0x7FFFFFFF, app=lambda o, rq: o.it.app,
       status=lambda o, rq: upper(suite_state(o.it)[0]), conclusion=lambda o, rq: upper(suite_state(o.it)[1]), createdAt=lambda o, rq: iso(o.it.created_at),
       updatedAt=lambda o, rq: iso(o.it.updated_at), commit=lambda o, rq: In("Commit", o.home, o.home.commits[o.it.sha]), repository=lambda o, rq: o.home,
       checkRuns=lambda o, rq, filterBy=None, **page: connect([In("CheckRun", o.home, run) for run in {run.name: run for run in o.it.runs}.values()], **page))
fields("StatusContext", id=lambda o, rq: node_id("SC", o.home.id, o.it.id), context=lambda o, rq: o.it.context, state=lambda o, rq: upper(o.it.state),
       createdAt=lambda o, rq: iso(o.it.created_at), creator=lambda o, rq: o.it.creator, description=lambda o, rq: o.it.description,
       targetUrl=lambda o, rq: o.it.target_url, isRequired=required, commit=lambda o, rq: In("Commit", o.home, o.home.commits[o.it.sha]))

# ---- Deployments -----------------------------------------------------------------------------------------------------------------------------


def deployments(repo, rq, environments=None, orderBy=None, **page):
    need(rq, "deployments:read")
    found = [In("Deployment", repo, d) for d in repo.deployments.values() if not environments or d.environment in environments]
    return connect(found[::-1] if orderBy and orderBy["direction"] == "DESC" else found, **page)


def deployment_state(o, rq):
    said = o.it.statuses[-1]["state"] if o.it.statuses else None
    return {None: "PENDING", "success": "ACTIVE"}.get(said, upper(said))


def status(o, said):
    return In("DeploymentStatus", o, said)


fields("Repository", deployments=deployments, environments=lambda r, rq, **page: connect(
    [In("Environment", r, e) for e in r.environments.values()], **{k: v for k, v in page.items() if k in ("first", "last", "after", "before")}),
    environment=lambda r, rq, name: In("Environment", r, r.environments[name]) if name in r.environments else None)
fields("Deployment", id=lambda o, rq: o.it.node_id, databaseId=lambda o, rq: o.it.id & 0x7FFFFFFF, environment=lambda o, rq: o.it.environment,
       originalEnvironment=lambda o, rq: o.it.environment, latestEnvironment=lambda o, rq: o.it.environment, commitOid=lambda o, rq: o.it.sha,
       commit=lambda o, rq: In("Commit", o.home, o.home.commits[o.it.sha]), createdAt=lambda o, rq: iso(o.it.created_at),
       updatedAt=lambda o, rq: iso(o.it.updated_at), creator=lambda o, rq: o.it.creator, description=lambda o, rq: o.it.description, task=lambda o, rq: o.it.task,
       repository=lambda o, rq: o.home, state=deployment_state, latestStatus=lambda o, rq: status(o, o.it.statuses[-1]) if o.it.statuses else None,
       ref=lambda o, rq: In("Ref", o.home, o.home.branches[o.it.ref]) if o.it.ref in o.home.branches else None,
       statuses=lambda o, rq, **page: connect([status(o, s) for s in o.it.statuses[::-1]], **page))
fields("DeploymentStatus", id=lambda o, rq: node_id("DES", o.home.home.id, o.it["id"]), state=lambda o, rq: upper(o.it["state"]),
       createdAt=lambda o, rq: iso(o.it["at"]), updatedAt=lambda o, rq: iso(o.it["at"]), creator=lambda o, rq: o.it["creator"],
       description=lambda o, rq: o.it["description"], environment=lambda o, rq: o.it["environment"], logUrl=lambda o, rq: o.it["log_url"] or None,
       environmentUrl=lambda o, rq: o.it["environment_url"] or None, deployment=lambda o, rq: o.home)


def protection_rules(o, rq, **page):
    found = [In("DeploymentProtectionRule", o.it, "WAIT_TIMER")] if o.it.wait_timer else []
    found += [In("DeploymentProtectionRule", o.it, "REQUIRED_REVIEWERS")] if o.it.reviewers else []
    return connect(found + ([In("DeploymentProtectionRule", o.it, "BRANCH_POLICY")] if o.it.branch_policy else []), **page)


fields("Environment", id=lambda o, rq: node_id("EN", o.home.id, o.it.id), databaseId=lambda o, rq: o.it.id & 0x7FFFFFFF, name=lambda o, rq: o.it.name,
       protectionRules=protection_rules)
fields("DeploymentProtectionRule", type=lambda o, rq: o.it, databaseId=lambda o, rq: o.home.id & 0x7FFFFFFF,
       timeout=lambda o, rq: o.home.wait_timer if o.it == "WAIT_TIMER" else 0,
       preventSelfReview=lambda o, rq: o.home.prevent_self_review if o.it == "REQUIRED_REVIEWERS" else None,
       reviewers=lambda o, rq, **page: connect(o.home.reviewers if o.it == "REQUIRED_REVIEWERS" else [], **page))
