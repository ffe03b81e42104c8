"""Repositories: settings, branches with classic protection, collaborators, deploy keys."""
import re

from .. import events, protection, render
from ..access import Refused, sees
from ..app import Page, route
from ..state import PERMISSIONS, DeployKey, iso, node_id
from .teams import WORDS, inherited


@route("GET", "/orgs/{org}/repos", "metadata:read")
def repositories(rq):
    words = [rq.query.get(name) for name in ("type", "sort", "direction")]
    found = rq.app.once(("repositories", rq.org.id, rq.token.value, *words), lambda: listed(rq, *words))
    return Page(found, lambda r: render.repository_minimal(rq.world, r, rq.permission(r)))


def listed(rq, chosen, sort, direction):
    """rest/repos/repos#list-organization-repositories"""
    found = [r for r in rq.org.repositories.values() if sees(rq.world, rq.token, r)]
    if chosen in ("public", "private"):
        found = [r for r in found if (r.visibility == "public") == (chosen == "public")]
    key = {"updated": lambda r: (r.updated_at, r.id), "pushed": lambda r: (r.pushed_at, r.id), "full_name": lambda r: r.full_name}.get(
        sort, lambda r: (r.created_at, r.id))
    found.sort(key=key, reverse=(direction or ("asc" if sort == "full_name" else "desc")) == "desc")
    return found


@route("GET", "/repos/{owner}/{repo}", "metadata:read", sign_in="anyone")
def repository(rq):
    return render.repository_full(rq.world, rq.repo, rq.permission())


@route("POST", "/orgs/{org}/repos", "administration:write", open_to_role=True)
def create_repository(rq):
    if rq.token.kind != "installation" and not (rq.owner() or rq.user.login in rq.org.members and rq.org.settings["members_can_create_repositories"]):
        raise Refused(403, "You need admin access to the organization before adding a repository to it.")
    name = rq.body["name"]
    if not re.fullmatch(r"[A-Za-z0-9._-]+", name) or name.lower() in rq.org.repositories:
        raise Refused(422, "Repository creation failed.", errors=[{"resource": "Repository", "code": "custom", "field": "name",
                                                                   "message": "name already exists on this account"}])
    visibility = rq.body.get("visibility", "private" if rq.body.get("private") else "public")
    made = rq.world.add_repository(rq.org, name, visibility, rq.now(), description=rq.body.get("description"))
    made.options |= {key: value for key, value in rq.body.items() if key in render.OPTIONS or key in render.SHOWN_TO_ALL}
    if rq.user.type == "User" and not rq.owner():
        made.collaborators[rq.user.login] = "admin"  # who creates it administers it
    if rq.org.settings["dependabot_alerts_enabled_for_new_repositories"]:
        made.flags["vulnerability_alerts"] = True
    for setting, feature in (("secret_scanning_enabled_for_new_repositories", "secret_scanning"),
                             ("secret_scanning_push_protection_enabled_for_new_repositories", "secret_scanning_push_protection"),
                             ("dependabot_security_updates_enabled_for_new_repositories", "dependabot_security_updates")):
        made.security[feature] = "enabled" if rq.org.settings[setting] else "disabled"
    if rq.body.get("auto_init"):
        sha = rq.world.commit(made, (), rq.user, "Initial commit", {"README.md": f"# {name}\n".encode()}, rq.now(), rq.world.user("github-web-flow"), True)
        rq.world.move(made, "main", sha, rq.user, "branch_creation", rq.now())
    events.audit(rq.world, rq.org, "repo.create", rq.user, made, visibility=visibility)
    events.emit(rq.world, "repository", "created", rq.org, rq.user, made)
    return 201, render.repository_full(rq.world, made, "admin")


@route("PATCH", "/repos/{owner}/{repo}", "administration:write")
def change_repository(rq):
    repo, body = rq.repo, rq.body
    if repo.archived and body.get("archived") is not False:
        raise Refused(403, "Repository was archived so is read-only.")
    if "name" in body and body["name"] != repo.name:
        rename(rq, body["name"])
    if "archived" in body and body["archived"] != repo.archived:
        repo.archived = body["archived"]
        action = "archived" if repo.archived else "unarchived"
        events.audit(rq.world, rq.org, f"repo.{action}", rq.user, repo)
        events.emit(rq.world, "repository", action, rq.org, rq.user, repo)
    visibility = body.get("visibility", {True: "private", False: "public"}.get(body.get("private"), repo.visibility))
    if visibility != repo.visibility:
        before, repo.visibility = repo.visibility, visibility
        events.audit(rq.world, rq.org, "repo.access", rq.user, repo, visibility=visibility, previous_visibility=before)
        events.emit(rq.world, "repository", "privatized" if visibility == "private" else "publicized", rq.org, rq.user, repo)
    if "default_branch" in body:
        if body["default_branch"] not in repo.branches:
            raise Refused(422, "Validation Failed", errors=[{"resource": "Repository", "field": "default_branch", "code": "invalid"}])
        repo.default_branch = body["default_branch"]
        events.audit(rq.world, rq.org, "repo.update_default_branch", rq.user, repo, name=repo.default_branch)
    for feature, chosen in (body.get("security_and_analysis") or {}).items():
        repo.security[feature] = chosen["status"]
        events.audit(rq.world, rq.org, f"repository_{feature}.{'enable' if chosen['status'] == 'enabled' else 'disable'}", rq.user, repo)
    repo.description = body.get("description", repo.description)
    repo.options |= {key: value for key, value in body.items() if key in render.OPTIONS or key in render.SHOWN_TO_ALL}
    repo.updated_at = rq.now()
    return render.repository_full(rq.world, repo, rq.permission())


def rename(rq, name):
    repo, before = rq.repo, rq.repo.name
    if name.lower() in rq.org.repositories and rq.org.repositories[name.lower()] is not repo:
        raise Refused(422, "Validation Failed", errors=[{"resource": "Repository", "code": "custom", "field": "name", "message": "name already exists on this account"}])
    del rq.org.repositories[before.lower()]
    rq.org.renamed[before.lower()] = rq.org.repositories[name.lower()] = repo
    rq.org.renamed.pop(name.lower(), None)
    repo.name = name
    events.audit(rq.world, rq.org, "repo.rename", rq.user, repo, data={"old_name": before})
    events.emit(rq.world, "repository", "renamed", rq.org, rq.user, repo, changes={"repository": {"name": {"from": before}}})


@route("DELETE", "/repos/{owner}/{repo}", "administration:write")
def delete_repository(rq):
    del rq.org.repositories[rq.repo.name.lower()], rq.world.repositories[rq.repo.id]
    for team in rq.org.teams.values():
        team.repositories.pop(rq.repo.id, None)
    events.audit(rq.world, rq.org, "repo.destroy", rq.user, rq.repo)
    events.emit(rq.world, "repository", "deleted", rq.org, rq.user, rq.repo)
    return 204, None


# ---- Switches ------------------------------------------------------------------------------------------------------------


@route("GET", "/repos/{owner}/{repo}/vulnerability-alerts", "administration:read")
def vulnerability_alerts(rq):
    if not rq.repo.flags.get("vulnerability_alerts"):
        raise Refused(404, "Vulnerability alerts are disabled.")
    return 204, None


@route("PUT", "/repos/{owner}/{repo}/vulnerability-alerts", "administration:write")
def enable_vulnerability_alerts(rq):
    rq.repo.flags["vulnerability_alerts"] = True
    events.audit(rq.world, rq.org, "repository_vulnerability_alerts.enable", rq.user, rq.repo)
    return 204, None


@route("DELETE", "/repos/{owner}/{repo}/vulnerability-alerts", "administration:write")
def disable_vulnerability_alerts(rq):
    rq.repo.flags["vulnerability_alerts"] = False
    events.audit(rq.world, rq.org, "repository_vulnerability_alerts.disable", rq.user, rq.repo)
    return 204, None


@route("GET", "/repos/{owner}/{repo}/automated-security-fixes", "administration:read")
def security_fixes(rq):
    return {"enabled": rq.repo.security.get("dependabot_security_updates") == "enabled", "paused": False}


@route("PUT", "/repos/{owner}/{repo}/automated-security-fixes", "administration:write")
def enable_security_fixes(rq):
    rq.repo.security["dependabot_security_updates"] = "enabled"
    return 204, None


@route("DELETE", "/repos/{owner}/{repo}/automated-security-fixes", "administration:write")
def disable_security_fixes(rq):
    rq.repo.security["dependabot_security_updates"] = "disabled"
    return 204, None


@route("GET", "/repos/{owner}/{repo}/private-vulnerability-reporting", "administration:read")
def private_reporting(rq):
    return {"enabled": bool(rq.repo.flags.get("private_reporting"))}


@route("PUT", "/repos/{owner}/{repo}/private-vulnerability-reporting", "administration:write")
def enable_private_reporting(rq):
    rq.repo.flags["private_reporting"] = True
    return 204, None


@route("DELETE", "/repos/{owner}/{repo}/private-vulnerability-reporting", "administration:write")
def disable_private_reporting(rq):
    rq.repo.flags["private_reporting"] = False
    return 204, None


# ---- Branches ------------------------------------------------------------------------------------------------------------


def branch_named(rq):
    found = rq.repo.branches.get(rq.params["branch"])
    if found is None:
        raise Refused(404, "Branch not found")
    return found


def protection_url(repo, branch):
    return f"{render.repository_url(repo)}/branches/{branch.name}/protection"


def protection_brief(repo, branch):
    """What a branch itself says of its protection: classic only."""
    checks = (branch.protection or {}).get("required_status_checks") or {}
    contexts = [c["context"] for c in checks.get("checks") or []] or checks.get("contexts", [])
    level = "off" if not checks else "everyone" if branch.protection["enforce_admins"] else "non_admins"
    return {"enabled": branch.protection is not None, "required_status_checks": {
        "enforcement_level": level, "contexts": contexts, "checks": [{"context": c["context"], "app_id": c.get("app_id")} for c in all_checks(checks)]}}


def all_checks(checks):
    return checks.get("checks") or [{"context": c, "app_id": None} for c in checks.get("contexts", [])]


@route("GET", "/repos/{owner}/{repo}/branches", "contents:read")
def branches(rq):
    found = sorted(rq.repo.branches.values(), key=lambda b: b.name)
    if "protected" in rq.query:
        found = [b for b in found if protection.protected(rq.repo, b) == (rq.query["protected"] == "true")]

    def show(branch):
        return {"name": branch.name, "commit": {"sha": branch.sha, "url": f"{render.repository_url(rq.repo)}/commits/{branch.sha}"},
                "protected": protection.protected(rq.repo, branch), "protection": protection_brief(rq.repo, branch),
                "protection_url": protection_url(rq.repo, branch)}

    return Page(found, show)


@route("GET", "/repos/{owner}/{repo}/branches/{branch}", "contents:read")
def branch(rq):
    found = branch_named(rq)
    return {"name": found.name, "commit": render.commit(rq.repo, rq.repo.commits[found.sha]),
            "_links": {"self": f"{render.repository_url(rq.repo)}/branches/{found.name}", "html": f"{render.WEB}/{rq.repo.full_name}/tree/{found.name}"},
            "protected": protection.protected(rq.repo, found), "protection": protection_brief(rq.repo, found), "protection_url": protection_url(rq.repo, found)}


def actors(rq, chosen):
    chosen = chosen or {}
    return {"users": [render.account(rq.world.user(login)) for login in chosen.get("users", []) if rq.world.user(login)],
            "teams": [render.team(rq.org.teams[slug], rq.org.teams[slug].repositories.get(rq.repo.id, "read")) for slug in chosen.get("teams", [])
                      if slug in rq.org.teams],
            "apps": [render.app(a) for a in rq.world.apps.values() if a.slug in chosen.get("apps", [])]}


def show_protection(rq, branch):
    """`branch-protection`, which the answer to the PUT is too."""
    said, url = branch.protection, protection_url(rq.repo, branch)
    made = {"url": url, "required_signatures": {"url": f"{url}/required_signatures", "enabled": bool(rq.repo.flags.get(("signatures", branch.name)))},
            "enforce_admins": {"url": f"{url}/enforce_admins", "enabled": bool(said.get("enforce_admins"))}}
    for name in ("required_linear_history", "allow_force_pushes", "allow_deletions", "block_creations", "required_conversation_resolution", "lock_branch",
                 "allow_fork_syncing"):
        made[name] = {"enabled": bool(said.get(name))}
    checks = said.get("required_status_checks")
    if checks is not None:
        own = f"{url}/required_status_checks"
        made["required_status_checks"] = {"url": own, "strict": checks["strict"], "contexts": [c["context"] for c in all_checks(checks)],
                                          "contexts_url": f"{own}/contexts",
                                          "checks": [{"context": c["context"], "app_id": c.get("app_id")} for c in all_checks(checks)]}
    reviews = said.get("required_pull_request_reviews")
    if reviews is not None:
        own = f"{url}/required_pull_request_reviews"
        made["required_pull_request_reviews"] = shown = {
            "url": own, "dismiss_stale_reviews": reviews.get("dismiss_stale_reviews", False),
            "require_code_owner_reviews": reviews.get("require_code_owner_reviews", False),
            "required_approving_review_count": reviews.get("required_approving_review_count", 1),
            "require_last_push_approval": reviews.get("require_last_push_approval", False)}
        if reviews.get("dismissal_restrictions"):
            where = f"{url}/dismissal_restrictions"
            shown["dismissal_restrictions"] = actors(rq, reviews["dismissal_restrictions"]) | {"url": where, "users_url": f"{where}/users",
                                                                                               "teams_url": f"{where}/teams"}
        if reviews.get("bypass_pull_request_allowances"):
            shown["bypass_pull_request_allowances"] = actors(rq, reviews["bypass_pull_request_allowances"])
    if said.get("restrictions") is not None:
        own = f"{url}/restrictions"
        made["restrictions"] = actors(rq, said["restrictions"]) | {"url": own, "users_url": f"{own}/users", "teams_url": f"{own}/teams", "apps_url": f"{own}/apps"}
    return made


@route("GET", "/repos/{owner}/{repo}/branches/{branch}/protection", "administration:read", hidden=True)
def get_protection(rq):
    found = branch_named(rq)
    if found.protection is None:
        raise Refused(404, "Branch not protected", page="/branches/branch-protection#get-branch-protection")
    return show_protection(rq, found)


@route("PUT", "/repos/{owner}/{repo}/branches/{branch}/protection", "administration:write")
def put_protection(rq):
    found = branch_named(rq)
    new, found.protection = found.protection is None, rq.body
    events.audit(rq.world, rq.org, "protected_branch.create" if new else "protected_branch.update", rq.user, rq.repo, name=found.name)
    emit_protection(rq, found, "created" if new else "edited")
    return show_protection(rq, found)


@route("DELETE", "/repos/{owner}/{repo}/branches/{branch}/protection", "administration:write")
def delete_protection(rq):
    found = branch_named(rq)
    if found.protection is None:
        raise Refused(404, "Branch not protected")
    emit_protection(rq, found, "deleted")
    found.protection = None
    events.audit(rq.world, rq.org, "protected_branch.destroy", rq.user, rq.repo, name=found.name)
    return 204, None


def emit_protection(rq, branch, action):
    said = branch.protection
    reviews, checks, level = said.get("required_pull_request_reviews"), said.get("required_status_checks"), "everyone" if said["enforce_admins"] else "non_admins"
    events.emit(rq.world, "branch_protection_rule", action, rq.org, rq.user, rq.repo, rule={
        "id": rq.repo.id % 1_000_000, "repository_id": rq.repo.id, "name": branch.name, "created_at": iso(rq.now()), "updated_at": iso(rq.now()),
        "pull_request_reviews_enforcement_level": level if reviews is not None else "off",
        "required_approving_review_count": (reviews or {}).get("required_approving_review_count", 0),
        "dismiss_stale_reviews_on_push": bool((reviews or {}).get("dismiss_stale_reviews")),
        "require_code_owner_review": bool((reviews or {}).get("require_code_owner_reviews")), "authorized_dismissal_actors_only": False,
        "ignore_approvals_from_contributors": False, "required_status_checks": [c["context"] for c in all_checks(checks or {})],
        "required_status_checks_enforcement_level": level if checks is not None else "off",
        "strict_required_status_checks_policy": bool((checks or {}).get("strict")), "signature_requirement_enforcement_level": "off",
        "linear_history_requirement_enforcement_level": "off", "admin_enforced": bool(said["enforce_admins"]), "allow_force_pushes_enforcement_level": "off",
        "allow_deletions_enforcement_level": "off", "create_protected": False,
        "require_last_push_approval": bool((reviews or {}).get("require_last_push_approval")), "merge_queue_enforcement_level": "off", "lock_branch_enforcement_level": "off", "required_deployments_enforcement_level": "off",
        "required_conversation_resolution_level": "off", "authorized_actors_only": False, "authorized_actor_names": []})


# ---- Who may do what -------------------------------------------------------------------------------------------------------


def direct(rq, user):
    return user.login in rq.repo.collaborators


@route("GET", "/repos/{owner}/{repo}/collaborators", "metadata:read", open_to_role=True)
def collaborators(rq):
    """For who may push.  (rest/collaborators/collaborators#list-repository-collaborators)"""
    if rq.token.kind != "installation" and PERMISSIONS.index(rq.permission()) < PERMISSIONS.index("write"):
        raise Refused(403, "Must have push access to view repository collaborators.")
    affiliation = rq.query.get("affiliation", "all")
    everyone = sorted({*rq.org.members, *rq.repo.collaborators})
    found = []
    for login in everyone:
        user = rq.world.user(login)
        permission = rq.world.permission(user, rq.repo)
        if permission == "none" or affiliation == "outside" and login in rq.org.members or affiliation == "direct" and not direct(rq, user):
            continue
        found.append((user, permission))
    return Page(found, lambda pair: render.account(pair[0]) | {"permissions": render.role_members(pair[1]), "role_name": pair[1]})


@route("GET", "/repos/{owner}/{repo}/collaborators/{username}", "metadata:read")
def is_collaborator(rq):
    user = rq.world.user(rq.params["username"])
    if user is None or rq.world.permission(user, rq.repo) == "none":
        raise Refused(404, "Not Found")
    return 204, None


@route("GET", "/repos/{owner}/{repo}/collaborators/{username}/permission", "metadata:read")
def collaborator_permission(rq):
    user = rq.world.user(rq.params["username"])
    if user is None:
        raise Refused(404, "Not Found")
    role = rq.world.permission(user, rq.repo)
    basic = {"triage": "read", "maintain": "write"}.get(role, role)
    return {"permission": basic, "role_name": role, "user": render.account(user) | {"permissions": render.role_members(role), "role_name": role}}


@route("PUT", "/repos/{owner}/{repo}/collaborators/{username}", "administration:write")
def add_collaborator(rq):
    """Members get it at once; somebody from outside becomes an outside collaborator, without waiting for them to accept."""
    user, asked = rq.world.user(rq.params["username"]), rq.body.get("permission", "push")
    if user is None:
        raise Refused(404, "Not Found")
    permission = WORDS.get(asked, asked)
    if permission not in PERMISSIONS:
        raise Refused(422, "Validation Failed", errors=[{"resource": "Repository", "code": "invalid", "field": "permission"}])
    new = user.login not in rq.repo.collaborators
    rq.repo.collaborators[user.login] = permission
    if user.login not in rq.org.members:
        rq.org.outside[user.login] = user
    events.audit(rq.world, rq.org, "repo.add_member" if new else "repo.update_member", rq.user, rq.repo, user=user.login, user_id=user.id,
                 data={"permission": permission})
    events.emit(rq.world, "member", "added" if new else "edited", rq.org, rq.user, rq.repo, member=render.account(user))
    return 204, None


@route("DELETE", "/repos/{owner}/{repo}/collaborators/{username}", "administration:write")
def remove_collaborator(rq):
    user = rq.world.user(rq.params["username"])
    if user is None or rq.repo.collaborators.pop(user.login, None) is None:
        raise Refused(404, "Not Found")
    if not any(user.login in r.collaborators for r in rq.org.repositories.values()):
        rq.org.outside.pop(user.login, None)
    events.audit(rq.world, rq.org, "repo.remove_member", rq.user, rq.repo, user=user.login, user_id=user.id)
    events.emit(rq.world, "member", "removed", rq.org, rq.user, rq.repo, member=render.account(user))
    return 204, None


@route("GET", "/repos/{owner}/{repo}/teams", "administration:read")
def repository_teams(rq):
    found = [(t, inherited(t)[rq.repo.id]) for t in rq.org.teams.values() if rq.repo.id in inherited(t)]
    return Page(found, lambda pair: render.team(*pair))


# ---- Deploy keys and hooks -------------------------------------------------------------------------------------------------


def deploy_key(rq):
    def show(key):
        return {"id": key.id, "key": key.key, "url": f"{render.repository_url(rq.repo)}/keys/{key.id}", "title": key.title, "verified": True,
                "created_at": iso(key.created_at), "read_only": key.read_only, "added_by": key.added_by.login, "last_used": iso(key.last_used),
                "enabled": rq.org.settings["deploy_keys_enabled_for_repositories"]}

    return show


@route("GET", "/repos/{owner}/{repo}/keys", "administration:read", hidden=True)
def deploy_keys(rq):
    return Page(list(rq.repo.keys.values()), deploy_key(rq))


def key_named(rq):
    found = rq.repo.keys.get(int(rq.params["key_id"])) if rq.params["key_id"].isdigit() else None
    if found is None:
        raise Refused(404, "Not Found")
    return found


@route("GET", "/repos/{owner}/{repo}/keys/{key_id}", "administration:read", hidden=True)
def get_deploy_key(rq):
    return deploy_key(rq)(key_named(rq))


@route("POST", "/repos/{owner}/{repo}/keys", "administration:write", hidden=True)
def create_deploy_key(rq):
    if not rq.org.settings["deploy_keys_enabled_for_repositories"]:
        raise Refused(422, "Deploy keys are disabled for this repository.")
    made = DeployKey(rq.world.next_id("key"), rq.body.get("title", "key"), rq.body["key"], rq.body.get("read_only", False), rq.user, rq.now())
    rq.repo.keys[made.id] = made
    events.audit(rq.world, rq.org, "public_key.create", rq.user, rq.repo, name=made.title, read_only=made.read_only)
    return 201, deploy_key(rq)(made)


@route("DELETE", "/repos/{owner}/{repo}/keys/{key_id}", "administration:write", hidden=True)
def delete_deploy_key(rq):
    made = key_named(rq)
    del rq.repo.keys[made.id]
    events.audit(rq.world, rq.org, "public_key.delete", rq.user, rq.repo, name=made.title, read_only=made.read_only)
    return 204, None


@route("GET", "/repos/{owner}/{repo}/hooks", "repository_hooks:read", hidden=True)
def hooks(rq):
    return Page(list(rq.repo.hooks.values()), lambda each: each)


@route("POST", "/repos/{owner}/{repo}/hooks", "repository_hooks:write", hidden=True)
def create_hook(rq):
    made, config = rq.world.next_id("hook"), rq.body.get("config", {})
    url = f"{render.repository_url(rq.repo)}/hooks/{made}"
    shown = {"url": config.get("url", ""), "content_type": config.get("content_type", "form"), "insecure_ssl": str(config.get("insecure_ssl", "0"))}
    if config.get("secret"):
        shown["secret"] = "********"
    rq.repo.hooks[made] = {"type": "Repository", "id": made, "name": "web", "active": rq.body.get("active", True), "events": rq.body.get("events", ["push"]),
                           "config": shown, "updated_at": iso(rq.now()), "created_at": iso(rq.now()), "url": url, "test_url": f"{url}/test",
                           "ping_url": f"{url}/pings", "deliveries_url": f"{url}/deliveries", "last_response": {"code": None, "status": "unused", "message": None}}
    events.audit(rq.world, rq.org, "hook.create", rq.user, rq.repo, hook_id=made, name="webhook")
    return 201, rq.repo.hooks[made]


# ---- What moved the branches -----------------------------------------------------------------------------------------------

PERIODS = {"hour": 3600, "day": 86400, "week": 7 * 86400, "month": 30 * 86400, "quarter": 91 * 86400, "year": 365 * 86400}


@route("GET", "/repos/{owner}/{repo}/activity", "contents:read")
def activity(rq):
    """rest/repos/repos#list-repository-activities"""
    found, query = rq.repo.activity, rq.query
    if "ref" in query:
        found = [a for a in found if query["ref"] in (a["ref"], a["ref"].removeprefix("refs/heads/"))]
    if "actor" in query:
        found = [a for a in found if a["actor"].login == query["actor"]]
    if "activity_type" in query:
        found = [a for a in found if a["type"] == query["activity_type"]]
    if "time_period" in query:
        if query["time_period"] not in PERIODS:
            raise Refused(422, "Invalid time_period", errors=["time_period"])
        found = [a for a in found if a["at"] >= rq.now() - PERIODS[query["time_period"]]]
    found = found if query.get("direction", "desc") == "asc" else found[::-1]
    return Page(found, lambda a: {"id": a["id"], "node_id": node_id("PSH", rq.repo.id, a["id"]), "before": a["before"], "after": a["after"], "ref": a["ref"],
                                  "timestamp": iso(a["at"]), "activity_type": a["type"], "actor": render.account(a["actor"])}, cursor=True)
