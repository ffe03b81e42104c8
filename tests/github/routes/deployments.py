"""Deployments with their statuses, and environments with their rules."""
from .. import events, render
from ..access import Refused
from ..app import Page, route
from ..state import Deployment, Environment, Team, iso, node_id


def deployment(repo):
    def show(each):
        url = f"{render.repository_url(repo)}/deployments/{each.id}"
        return {"url": url, "id": each.id, "node_id": each.node_id, "task": each.task, "original_environment": each.environment, "environment": each.environment,
                "description": each.description, "created_at": iso(each.created_at), "updated_at": iso(each.updated_at), "statuses_url": f"{url}/statuses",
                "repository_url": render.repository_url(repo), "creator": render.account(each.creator), "sha": each.sha, "ref": each.ref,
                "payload": each.payload, "transient_environment": each.transient, "production_environment": each.production, "performed_via_github_app": None}

    return show


def deployment_status(repo, each):
    url = f"{render.repository_url(repo)}/deployments/{each.id}"

    def show(said):
        return {"url": f"{url}/statuses/{said['id']}", "id": said["id"], "node_id": node_id("DES", repo.id, said["id"]), "state": said["state"],
                "creator": render.account(said["creator"]), "description": said["description"], "environment": said["environment"],
                "target_url": said["target_url"], "created_at": iso(said["at"]), "updated_at": iso(said["at"]), "deployment_url": url,
                "repository_url": render.repository_url(repo), "environment_url": said["environment_url"], "log_url": said["log_url"],
                "performed_via_github_app": None}

    return show


@route("GET", "/repos/{owner}/{repo}/deployments", "deployments:read")
def deployments(rq):
    found, query = list(rq.repo.deployments.values())[::-1], rq.query
    for name in ("sha", "ref", "task", "environment"):
        if query.get(name) not in (None, "none"):
            found = [d for d in found if getattr(d, name) == query[name]]
    return Page(found, deployment(rq.repo))


def deployment_numbered(rq):
    text = rq.params["deployment_id"]
    found = rq.repo.deployments.get(int(text)) if text.isdigit() else None
    if found is None:
        raise Refused(404, "Not Found")
    return found


@route("GET", "/repos/{owner}/{repo}/deployments/{deployment_id}", "deployments:read")
def get_deployment(rq):
    return deployment(rq.repo)(deployment_numbered(rq))


@route("POST", "/repos/{owner}/{repo}/deployments", "deployments:write")
def create_deployment(rq):
    """409 while a commit status that is required is not there.  (rest/deployments/deployments#create-a-deployment)"""
    repo, body = rq.repo, rq.body
    sha, environment = repo.head(body["ref"]), body.get("environment", "production")
    if sha is None:
        raise Refused(422, f"No ref found for: {body['ref']}", errors=[])
    said = {s.context: s.state for s in repo.statuses.get(sha, [])}
    wanted = body.get("required_contexts", list(said))
    if any(said.get(context) != "success" for context in wanted):
        raise Refused(409, "Conflict: Commit status checks failed for " + body["ref"])
    made = Deployment(rq.world.next_id("deployment"), repo, sha, body["ref"], body.get("task", "deploy"), environment, rq.user, rq.now(), rq.now(),
                      body.get("payload", {}), body.get("description"), body.get("transient_environment", False),
                      body.get("production_environment", environment == "production"))
    repo.deployments[made.id] = made
    if environment not in repo.environments:  # …/managing-environments-for-deployment: a deployment makes the environment that it names
        repo.environments[environment] = Environment(rq.world.next_id("environment"), environment, rq.now(), rq.now())
    events.emit(rq.world, "deployment", "created", rq.org, rq.user, repo, deployment=deployment(repo)(made), workflow=None, workflow_run=None)
    return 201, deployment(repo)(made)


@route("GET", "/repos/{owner}/{repo}/deployments/{deployment_id}/statuses", "deployments:read")
def deployment_statuses(rq):
    found = deployment_numbered(rq)
    return Page(found.statuses[::-1], deployment_status(rq.repo, found))


@route("POST", "/repos/{owner}/{repo}/deployments/{deployment_id}/statuses", "deployments:write")
def create_deployment_status(rq):
    """A success makes earlier ones of the same environment inactive, unless told not to.  (rest/deployments/statuses#create-a-deployment-status)"""
    found, body = deployment_numbered(rq), rq.body
    add_status(rq, found, body["state"])
    if body["state"] == "success" and body.get("auto_inactive", True) and not found.transient:
        for other in rq.repo.deployments.values():
            if other is not found and other.environment == found.environment and other.statuses and other.statuses[-1]["state"] == "success":
                add_status(rq, other, "inactive")
    return 201, deployment_status(rq.repo, found)(found.statuses[-1])


def add_status(rq, each, state):
    body = rq.body
    each.statuses.append({"id": rq.world.next_id("deployment_status"), "state": state, "creator": rq.user, "description": body.get("description", ""),
                          "environment": each.environment, "target_url": body.get("target_url", ""), "log_url": body.get("log_url", ""),
                          "environment_url": body.get("environment_url", ""), "at": rq.now()})
    each.updated_at = rq.now()
    shown = deployment_status(rq.repo, each)(each.statuses[-1])
    events.emit(rq.world, "deployment_status", "created", rq.org, rq.user, rq.repo, deployment_status={k: v for k, v in shown.items() if v != "" or k not in ("log_url", "environment_url")},
                deployment=deployment(rq.repo)(each))


# ---- Environments ----------------------------------------------------------------------------------------------------------------


def environment(repo):
    def show(each):
        url, rules = f"{render.repository_url(repo)}/environments/{each.name}", []
        if each.wait_timer:
            rules.append({"id": each.id * 10 + 1, "node_id": node_id("GA", each.id * 10 + 1), "type": "wait_timer", "wait_timer": each.wait_timer})
        if each.reviewers:
            rules.append({"id": each.id * 10 + 2, "node_id": node_id("GA", each.id * 10 + 2), "type": "required_reviewers",
                          "prevent_self_review": each.prevent_self_review,
                          "reviewers": [{"type": "Team", "reviewer": render.team(r, "read")} if isinstance(r, Team) else {"type": "User", "reviewer": render.account(r)}
                                        for r in each.reviewers]})
        if each.branch_policy:
            rules.append({"id": each.id * 10 + 3, "node_id": node_id("GA", each.id * 10 + 3), "type": "branch_policy"})
        return {"id": each.id, "node_id": node_id("EN", repo.id, each.id), "name": each.name, "url": url,
                "html_url": f"{render.WEB}/{repo.full_name}/deployments/activity_log?environments_filter={each.name}", "created_at": iso(each.created_at),
                "updated_at": iso(each.updated_at), "protection_rules": rules, "deployment_branch_policy": each.branch_policy}

    return show


@route("GET", "/repos/{owner}/{repo}/environments", "actions:read")
def environments(rq):
    return Page(list(rq.repo.environments.values()), environment(rq.repo), lambda items, total: {"total_count": total, "environments": items})


def environment_named(rq):
    found = rq.repo.environments.get(rq.params["environment_name"])
    if found is None:
        raise Refused(404, "Not Found")
    return found


@route("GET", "/repos/{owner}/{repo}/environments/{environment_name}", "actions:read")
def get_environment(rq):
    return environment(rq.repo)(environment_named(rq))


@route("PUT", "/repos/{owner}/{repo}/environments/{environment_name}", "administration:write")
def put_environment(rq):
    """Leaving a part out takes it away.  (rest/deployments/environments#create-or-update-an-environment)"""
    name, body = rq.params["environment_name"], rq.body or {}
    found = rq.repo.environments.get(name)
    new = found is None
    if new:
        found = rq.repo.environments[name] = Environment(rq.world.next_id("environment"), name, rq.now(), rq.now())
    people, teams = {u.id: u for u in rq.world.users.values()}, {t.id: t for t in rq.org.teams.values()}
    found.reviewers = [(teams if r["type"] == "Team" else people).get(r["id"]) for r in body.get("reviewers") or []]
    if None in found.reviewers or len(found.reviewers) > 6:
        raise Refused(422, "Validation Failed")
    found.wait_timer, found.prevent_self_review = body.get("wait_timer", 0), body.get("prevent_self_review", False)
    found.branch_policy, found.updated_at = body.get("deployment_branch_policy"), rq.now()
    events.audit(rq.world, rq.org, "environment.create" if new else "environment.update_protection_rule", rq.user, rq.repo, name=name)
    return environment(rq.repo)(found)


@route("DELETE", "/repos/{owner}/{repo}/environments/{environment_name}", "administration:write")
def delete_environment(rq):
    del rq.repo.environments[environment_named(rq).name]
    events.audit(rq.world, rq.org, "environment.delete", rq.user, rq.repo, name=rq.params["environment_name"])
    return 204, None


@route("GET", "/repos/{owner}/{repo}/environments/{environment_name}/deployment-branch-policies", "actions:read")
def branch_policies(rq):
    return Page(environment_named(rq).patterns, lambda each: each, lambda items, total: {"total_count": total, "branch_policies": items})


@route("POST", "/repos/{owner}/{repo}/environments/{environment_name}/deployment-branch-policies", "administration:write")
def create_branch_policy(rq):
    found, number = environment_named(rq), rq.world.next_id("branch_policy")
    if not (found.branch_policy or {}).get("custom_branch_policies"):
        raise Refused(404, "Not Found")
    found.patterns.append({"id": number, "node_id": node_id("GBP", rq.repo.id, number), "name": rq.body["name"], "type": rq.body.get("type", "branch")})
    return found.patterns[-1]
