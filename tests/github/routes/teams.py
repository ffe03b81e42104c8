"""Teams: members, parents, what they may do with repositories."""
import re

from .. import events, render
from ..access import Refused, sees
from ..app import Page, route
from ..state import PERMISSIONS, Team, iso

WORDS = {"pull": "read", "push": "write"}  # the API's older words for the two commonest permissions


def team_named(rq):
    found = rq.org.teams.get(rq.params["team_slug"].lower())
    if found is None:
        raise Refused(404, "Not Found")
    return found


def full(rq, team):
    """`team-full`"""
    org = render.organisation(rq.world, team.org)
    return render.team(team) | {"members_count": len(team.members), "repos_count": len(team.repositories), "created_at": iso(team.created_at),
                                "updated_at": iso(team.created_at), "organization": org}


@route("GET", "/orgs/{org}/teams", "members:read")
def teams(rq):
    return Page(list(rq.org.teams.values()), render.team)


@route("GET", "/orgs/{org}/teams/{team_slug}", "members:read")
def team(rq):
    return full(rq, team_named(rq))


@route("POST", "/orgs/{org}/teams", "members:write")
def create_team(rq):
    slug = re.sub(r"[^a-z0-9]+", "-", rq.body["name"].lower()).strip("-")
    if slug in rq.org.teams:
        raise Refused(422, "Validation Failed", errors=[{"resource": "Team", "code": "already_exists", "field": "name"}])
    parent = next((t for t in rq.org.teams.values() if t.id == rq.body.get("parent_team_id")), None)
    made = Team(rq.world.next_id("team"), rq.org, rq.body["name"], slug, rq.now(), rq.body.get("description"),
                rq.body.get("privacy", "closed" if parent else "secret"), parent)
    for login in rq.body.get("maintainers", []):
        made.members[login] = "maintainer"
    rq.org.teams[slug] = made
    events.audit(rq.world, rq.org, "team.create", rq.user, team=f"{rq.org.login}/{slug}")
    events.emit(rq.world, "team", "created", rq.org, rq.user, team=render.team(made))
    return 201, full(rq, made)


@route("PATCH", "/orgs/{org}/teams/{team_slug}", "members:write")
def change_team(rq):
    found = team_named(rq)
    found.name, found.description = rq.body.get("name", found.name), rq.body.get("description", found.description)
    found.privacy = rq.body.get("privacy", found.privacy)
    if "parent_team_id" in rq.body:
        found.parent = next((t for t in rq.org.teams.values() if t.id == rq.body["parent_team_id"]), None)
        events.audit(rq.world, rq.org, "team.change_parent_team", rq.user, team=f"{rq.org.login}/{found.slug}")
    return 200, full(rq, found)


@route("DELETE", "/orgs/{org}/teams/{team_slug}", "members:write")
def delete_team(rq):
    found = team_named(rq)
    doomed = [t for t in rq.org.teams.values() if t is found or t.parent is found]  # children go with it  (rest/teams/teams#delete-a-team)
    for each in doomed:
        del rq.org.teams[each.slug]
        events.audit(rq.world, rq.org, "team.destroy", rq.user, team=f"{rq.org.login}/{each.slug}")
    return 204, None


@route("GET", "/orgs/{org}/teams/{team_slug}/teams", "members:read")
def child_teams(rq):
    found = team_named(rq)
    return Page([t for t in rq.org.teams.values() if t.parent is found], render.team)


@route("GET", "/orgs/{org}/teams/{team_slug}/members", "members:read")
def team_members(rq):
    """Also the members of its child teams.  (rest/teams/members#list-team-members)"""
    found, role = team_named(rq), rq.query.get("role", "all")
    shown = dict(found.members)
    for child in rq.org.teams.values():
        above = child.parent
        while above:
            if above is found:
                shown = {login: "member" for login in child.members} | shown
            above = above.parent
    return Page([rq.world.user(login) for login, has in sorted(shown.items()) if role in ("all", has)], render.account)


def team_membership(rq, team, login):
    return {"url": f"{render.API}/organizations/{rq.org.id}/team/{team.id}/memberships/{login}", "role": team.members[login], "state": "active"}


@route("GET", "/orgs/{org}/teams/{team_slug}/memberships/{username}", "members:read")
def get_team_membership(rq):
    found, login = team_named(rq), rq.params["username"]
    if login not in found.members:
        raise Refused(404, "Not Found")
    return team_membership(rq, found, login)


@route("PUT", "/orgs/{org}/teams/{team_slug}/memberships/{username}", "members:write", open_to_role=True)
def add_to_team(rq):
    found, login = team_named(rq), rq.params["username"]
    if not rq.owner() and found.members.get(rq.user.login) != "maintainer":
        raise Refused(403, "Must have admin rights to the team.")
    if login not in rq.org.members:
        raise Refused(422, "Cannot add a user who is not a member of the organization.")
    new = login not in found.members
    found.members[login] = "maintainer" if rq.org.members[login] == "admin" else rq.body.get("role", "member")
    if new:
        user = rq.world.user(login)
        events.audit(rq.world, rq.org, "team.add_member", rq.user, team=f"{rq.org.login}/{found.slug}", user=login, user_id=user.id)
        events.emit(rq.world, "membership", "added", rq.org, rq.user, scope="team", member=render.account(user), team=render.team(found))
    return team_membership(rq, found, login)


@route("DELETE", "/orgs/{org}/teams/{team_slug}/memberships/{username}", "members:write")
def remove_from_team(rq):
    found, login = team_named(rq), rq.params["username"]
    if found.members.pop(login, None) is None:
        raise Refused(404, "Not Found")
    user = rq.world.user(login)
    events.audit(rq.world, rq.org, "team.remove_member", rq.user, team=f"{rq.org.login}/{found.slug}", user=login, user_id=user.id)
    events.emit(rq.world, "membership", "removed", rq.org, rq.user, scope="team", member=render.account(user), team=render.team(found))
    return 204, None


def inherited(team):
    """repository id -> permission, its parents' included."""
    found = {}
    while team:
        for repository, permission in team.repositories.items():
            if repository not in found or PERMISSIONS.index(permission) > PERMISSIONS.index(found[repository]):
                found[repository] = permission
        team = team.parent
    return found


@route("GET", "/orgs/{org}/teams/{team_slug}/repos", "members:read")
def team_repositories(rq):
    found = [(rq.world.repositories[number], permission) for number, permission in inherited(team_named(rq)).items()]
    found = [(r, p) for r, p in found if sees(rq.world, rq.token, r)]

    def show(pair):
        return render.repository_minimal(rq.world, pair[0], pair[1]) | {"role_name": pair[1]}

    return Page(found, show)


def repository_of_team(rq):
    found = rq.world.repository(rq.params["owner"], rq.params["repo"])
    if found is None or not sees(rq.world, rq.token, found):
        raise Refused(404, "Not Found")
    return found


@route("PUT", "/orgs/{org}/teams/{team_slug}/repos/{owner}/{repo}", "members:write")
def grant_team(rq):
    team, repository, asked = team_named(rq), repository_of_team(rq), rq.body.get("permission", "push")
    permission = WORDS.get(asked, asked)
    if permission not in PERMISSIONS:
        raise Refused(422, "Validation Failed", errors=[{"resource": "Team", "code": "invalid", "field": "permission"}])
    new = repository.id not in team.repositories
    team.repositories[repository.id] = permission
    events.audit(rq.world, rq.org, "team.add_repository" if new else "team.update_repository_permission", rq.user, repository,
                 team=f"{rq.org.login}/{team.slug}", data={"permission": permission})
    return 204, None


@route("DELETE", "/orgs/{org}/teams/{team_slug}/repos/{owner}/{repo}", "members:write")
def ungrant_team(rq):
    team, repository = team_named(rq), repository_of_team(rq)
    team.repositories.pop(repository.id, None)
    events.audit(rq.world, rq.org, "team.remove_repository", rq.user, repository, team=f"{rq.org.login}/{team.slug}")
    return 204, None
