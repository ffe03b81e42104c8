"""GitHub Actions: what may run, with which token, what ran, and who let it into an environment."""
from .. import events, render
from ..access import Refused
from ..app import Page, route
from ..state import iso, node_id
from .checks import pulls_at, state_of

ACTIONS_APP = 15368


def permissions(settings, url):
    made = dict(settings)
    if made.get("allowed_actions") == "selected":
        made["selected_actions_url"] = f"{url}/actions/permissions/selected-actions"
    return made


@route("GET", "/orgs/{org}/actions/permissions", "organization_administration:read")
def organisation_permissions(rq):
    return permissions(rq.org.actions, f"{render.API}/orgs/{rq.org.login}")


@route("PUT", "/orgs/{org}/actions/permissions", "organization_administration:write")
def set_organisation_permissions(rq):
    rq.org.actions |= {name: rq.body[name] for name in ("enabled_repositories", "allowed_actions", "sha_pinning_required") if name in rq.body}
    events.audit(rq.world, rq.org, "org.update_actions_settings", rq.user)
    return 204, None


@route("GET", "/orgs/{org}/actions/permissions/workflow", "organization_administration:read")
def organisation_workflow(rq):
    return rq.org.workflow


@route("PUT", "/orgs/{org}/actions/permissions/workflow", "organization_administration:write")
def set_organisation_workflow(rq):
    rq.org.workflow |= rq.body
    events.audit(rq.world, rq.org, "org.set_default_workflow_permissions", rq.user)
    return 204, None


@route("GET", "/orgs/{org}/actions/permissions/selected-actions", "organization_administration:read")
def organisation_selected(rq):
    if rq.org.actions.get("allowed_actions") != "selected":
        raise Refused(409, "The organization does not limit actions to selected ones.")
    return rq.org.selected_actions


@route("PUT", "/orgs/{org}/actions/permissions/selected-actions", "organization_administration:write")
def set_organisation_selected(rq):
    rq.org.selected_actions |= rq.body
    return 204, None


@route("GET", "/repos/{owner}/{repo}/actions/permissions", "administration:read")
def repository_permissions(rq):
    settings = rq.repo.actions
    return permissions(settings if settings["enabled"] else {"enabled": False}, render.repository_url(rq.repo))


@route("PUT", "/repos/{owner}/{repo}/actions/permissions", "administration:write")
def set_repository_permissions(rq):
    rq.repo.actions |= {name: rq.body[name] for name in ("enabled", "allowed_actions", "sha_pinning_required") if name in rq.body}
    events.audit(rq.world, rq.org, "repo.update_actions_settings", rq.user, rq.repo)
    return 204, None


@route("GET", "/repos/{owner}/{repo}/actions/permissions/workflow", "administration:read")
def repository_workflow(rq):
    return rq.repo.workflow


@route("PUT", "/repos/{owner}/{repo}/actions/permissions/workflow", "administration:write")
def set_repository_workflow(rq):
    """409 when the organisation is stricter.  (rest/actions/permissions#set-default-workflow-permissions-for-a-repository)"""
    if rq.body.get("can_approve_pull_request_reviews") and not rq.org.workflow["can_approve_pull_request_reviews"]:
        raise Refused(409, "The organization does not let Actions approve pull requests.")
    rq.repo.workflow |= rq.body
    events.audit(rq.world, rq.org, "repo.set_default_workflow_permissions", rq.user, rq.repo)
    return 204, None


@route("GET", "/repos/{owner}/{repo}/actions/permissions/selected-actions", "administration:read")
def repository_selected(rq):
    if rq.repo.actions["allowed_actions"] != "selected":
        raise Refused(409, "The repository does not limit actions to selected ones.")
    return rq.repo.selected_actions


@route("PUT", "/repos/{owner}/{repo}/actions/permissions/selected-actions", "administration:write")
def set_repository_selected(rq):
    rq.repo.selected_actions |= rq.body
    return 204, None


# ---- Workflows and their runs ------------------------------------------------------------------------------------------------------


def workflow_files(repo):
    sha = repo.head(repo.default_branch)
    files = repo.files(sha) if sha else {}
    return [path for path in sorted(files) if path.startswith(".github/workflows/") and path.endswith((".yml", ".yaml"))]


@route("GET", "/repos/{owner}/{repo}/actions/workflows", "actions:read")
def workflows(rq):
    url = render.repository_url(rq.repo)

    def show(path):
        number = int.from_bytes(path.encode()[-6:])
        return {"id": number, "node_id": node_id("W", rq.repo.id, number), "name": path.rsplit("/", 1)[1], "path": path, "state": "active",
                "created_at": iso(rq.repo.created_at), "updated_at": iso(rq.repo.updated_at), "url": f"{url}/actions/workflows/{number}",
                "html_url": f"{render.WEB}/{rq.repo.full_name}/blob/{rq.repo.default_branch}/{path}",
                "badge_url": f"{render.WEB}/{rq.repo.full_name}/workflows/{path}/badge.svg"}

    return Page(workflow_files(rq.repo), show, lambda items, total: {"total_count": total, "workflows": items})


def runs_of(repo):
    """Each check suite of Actions is one run of a workflow; the run has the number of its suite."""
    return [s for suites in repo.suites.values() for s in suites if s.app.id == ACTIONS_APP]


def workflow_run(rq):
    repo, url = rq.repo, render.repository_url(rq.repo)
    repository = render.repository(rq.world, repo) | {"custom_properties": {}}

    def show(suite):
        (status, conclusion), commit, own = state_of(suite), repo.commits[suite.sha], f"{url}/actions/runs/{suite.id}"
        return {"id": suite.id, "name": "ci", "node_id": node_id("WFR", repo.id, suite.id), "check_suite_id": suite.id,
                "check_suite_node_id": node_id("CS", repo.id, suite.id), "head_branch": suite.branch, "head_sha": suite.sha, "path": ".github/workflows/ci.yml",
                "run_number": suite.id % 100_000, "run_attempt": 1, "referenced_workflows": [], "event": "pull_request" if repo.by_commit.get(suite.sha) else "push",
                "status": status, "conclusion": conclusion, "workflow_id": 1, "url": own, "html_url": f"{render.WEB}/{repo.full_name}/actions/runs/{suite.id}",
                "pull_requests": pulls_at(repo, suite.sha), "created_at": iso(suite.created_at), "updated_at": iso(suite.updated_at),
                "actor": render.account(commit.committer), "triggering_actor": render.account(commit.committer), "run_started_at": iso(suite.created_at),
                "jobs_url": f"{own}/jobs", "logs_url": f"{own}/logs", "check_suite_url": f"{url}/check-suites/{suite.id}", "artifacts_url": f"{own}/artifacts",
                "cancel_url": f"{own}/cancel", "rerun_url": f"{own}/rerun", "previous_attempt_url": None, "workflow_url": f"{url}/actions/workflows/1",
                "head_commit": render.commit_simple(commit), "repository": repository, "head_repository": repository, "display_title": commit.message}

    return show


@route("GET", "/repos/{owner}/{repo}/actions/runs", "actions:read")
def runs(rq):
    found, query = runs_of(rq.repo), rq.query
    if query.get("head_sha"):
        found = [s for s in found if s.sha == query["head_sha"]]
    if query.get("branch"):
        found = [s for s in found if s.branch == query["branch"]]
    if query.get("status"):
        found = [s for s in found if query["status"] in state_of(s)]
    found.sort(key=lambda s: s.id, reverse=True)
    return Page(found, workflow_run(rq), lambda items, total: {"total_count": total, "workflow_runs": items})


def run_numbered(rq):
    found = next((s for s in runs_of(rq.repo) if str(s.id) == rq.params["run_id"]), None)
    if found is None:
        raise Refused(404, "Not Found")
    return found


@route("GET", "/repos/{owner}/{repo}/actions/runs/{run_id}", "actions:read")
def run(rq):
    return workflow_run(rq)(run_numbered(rq))


@route("GET", "/repos/{owner}/{repo}/actions/runs/{run_id}/approvals", "actions:read")
def approvals(rq):
    """Who let the run into an environment, or did not.  (rest/actions/workflow-runs#get-the-review-history-for-a-workflow-run)"""
    from .deployments import environment

    suite = run_numbered(rq)

    def show(each):
        shown = [{k: v for k, v in environment(rq.repo)(e).items() if k not in ("protection_rules", "deployment_branch_policy")} for e in each["environments"]]
        return {"environments": shown, "state": each["state"], "user": render.account(each["user"]), "comment": each["comment"]}

    return [show(each) for each in rq.repo.flags.get(("approvals", suite.id), [])]


@route("POST", "/repos/{owner}/{repo}/actions/runs/{run_id}/pending_deployments", "deployments:write", open_to_role=True)
def review_deployments(rq):
    """Only reviewers that the environment names.  (rest/actions/workflow-runs#review-pending-deployments-for-a-workflow-run)"""
    from .deployments import deployment

    suite, chosen = run_numbered(rq), [e for e in rq.repo.environments.values() if e.id in rq.body["environment_ids"]]
    for each in chosen:
        teams = {t for t in rq.world.teams_of(rq.user, rq.org)}
        if rq.user not in each.reviewers and not teams & {r for r in each.reviewers if hasattr(r, "slug")}:
            raise Refused(422, "You are not a reviewer of this environment.", errors=[])
        if each.prevent_self_review and rq.repo.commits[suite.sha].committer is rq.user:
            raise Refused(422, "You may not review your own deployment.", errors=[])
    rq.repo.flags.setdefault(("approvals", suite.id), []).append(
        {"environments": chosen, "state": rq.body["state"], "user": rq.user, "comment": rq.body["comment"]})
    names = {e.name for e in chosen}
    return [deployment(rq.repo)(d) for d in rq.repo.deployments.values() if d.sha == suite.sha and d.environment in names]
