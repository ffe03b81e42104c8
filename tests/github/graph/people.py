"""The root, organisations, people, teams, Apps."""
from .. import access, render
from ..state import PERMISSIONS, iso, read_node_id
from .types import GraphError, connect, fields, need


def name_of(user):
    """A bot's login without `[bot]`, which only REST has."""
    return user.login.removesuffix("[bot]")


def not_found(what, name):
    return GraphError("NOT_FOUND", f"Could not resolve to {what} with the {name}.")


def organisation(_, rq, login):
    found = rq.world.orgs.get(login.lower())
    if found is None:
        raise not_found("an Organization", f"login of '{login}'")
    return found


def repository(_, rq, owner, name, followRenames=True):
    found = rq.world.repository(owner, name)
    if found is None and followRenames and owner.lower() in rq.world.orgs:
        found = rq.world.orgs[owner.lower()].renamed.get(name.lower())
    if found is None or not access.sees(rq.world, rq.token, found):
        raise not_found("a Repository", f"name '{owner}/{name}'")
    return found


def user(_, rq, login):
    found = rq.world.user(login)
    if found is None or found.type != "User":
        raise not_found("a User", f"login of '{login}'")
    return found


def node(_, rq, id):
    """Repositories, pull requests, people, organisations and teams."""
    prefix, ids = read_node_id(id) or ("", [])
    found = None
    if prefix == "R" and rq.world.repositories.get(ids[0]) is not None:
        found = rq.world.repositories[ids[0]]
    elif prefix == "PR" and rq.world.repositories.get(ids[0]) is not None:
        found = next((p for p in rq.world.repositories[ids[0]].pulls.values() if p.id == ids[1]), None)
    elif prefix in ("U", "BOT"):
        found = next((u for u in rq.world.users.values() if u.id == ids[0]), None)
    elif prefix == "O":
        found = next((o for o in rq.world.orgs.values() if o.id == ids[0]), None)
    elif prefix == "T":
        found = next((t for o in rq.world.orgs.values() for t in o.teams.values() if t.id == ids[1]), None)
    home = found if prefix == "R" else found.repository if prefix == "PR" and found else None
    if found is None or home is not None and not access.sees(rq.world, rq.token, home):
        raise GraphError("NOT_FOUND", f"Could not resolve to a node with the global id of '{id}'.")
    return found


def limit(_, rq, dryRun=False):
    from . import rate_limit

    return rate_limit(rq)


fields("Query", repository=repository, organization=organisation, repositoryOwner=organisation, user=user, viewer=lambda _, rq: rq.user, rateLimit=limit,
       node=node, nodes=lambda _, rq, ids: [node(_, rq, each) for each in ids])
fields("RateLimit", **{name: (lambda name: lambda look, rq: look[name])(name) for name in ("limit", "cost", "remaining", "used", "resetAt", "nodeCount")})

ACTOR = {"id": lambda u, rq: u.node_id, "databaseId": lambda u, rq: u.id, "login": lambda u, rq: name_of(u), "createdAt": lambda u, rq: iso(u.created_at),
         "updatedAt": lambda u, rq: iso(u.created_at), "avatarUrl": lambda u, rq, size=None: f"https://avatars.githubusercontent.com/u/{u.id}?v=4",
         "url": lambda u, rq: f"{render.WEB}/{name_of(u)}", "resourcePath": lambda u, rq: f"/{name_of(u)}"}
fields("User", **ACTOR, name=lambda u, rq: None, email=lambda u, rq: "", isSiteAdmin=lambda u, rq: False, isEmployee=lambda u, rq: False,
       organizationVerifiedDomainEmails=lambda u, rq, login: [],
       organizations=lambda u, rq, **page: connect([o for o in rq.world.orgs.values() if u.login in o.members], **page))
fields("Bot", **ACTOR)
fields("Mannequin", **ACTOR)
fields("App", id=lambda a, rq: a.node_id, databaseId=lambda a, rq: a.id, slug=lambda a, rq: a.slug, name=lambda a, rq: a.slug, clientId=lambda a, rq: a.client_id,
       description=lambda a, rq: "", createdAt=lambda a, rq: iso(a.created_at), updatedAt=lambda a, rq: iso(a.created_at),
       url=lambda a, rq: f"{render.WEB}/apps/{a.slug}")


# ---- Organisations -------------------------------------------------------------------------------------------------------------------


def members(org, rq, **page):
    need(rq, "members:read")
    return connect([(rq.world.user(login), {"role": role}) for login, role in org.members.items()], paired=True, **page)


def repositories(org, rq, isArchived=None, isFork=None, privacy=None, visibility=None, orderBy=None, **page):
    chosen = (isArchived, isFork, privacy, visibility, *(orderBy or {}).values())
    key = ("graph repositories", org.id, rq.token.value, *chosen)
    return connect(rq.app.once(key, lambda: listed(org, rq, isArchived, isFork, privacy, visibility, orderBy)), **page)


def listed(org, rq, isArchived, isFork, privacy, visibility, orderBy):
    found = [r for r in org.repositories.values() if access.sees(rq.world, rq.token, r) and isFork is not True
             and isArchived in (None, r.archived) and privacy in (None, "PRIVATE" if r.private else "PUBLIC") and visibility in (None, r.visibility.upper())]
    if orderBy:
        key = {"CREATED_AT": lambda r: (r.created_at, r.id), "UPDATED_AT": lambda r: (r.updated_at, r.id), "PUSHED_AT": lambda r: (r.pushed_at, r.id),
               "NAME": lambda r: r.name.lower(), "STARGAZERS": lambda r: r.id}[orderBy["field"]]
        found.sort(key=key, reverse=orderBy["direction"] == "DESC")
    return found


def teams(org, rq, rootTeamsOnly=False, privacy=None, userLogins=None, **page):
    need(rq, "members:read")
    found = [t for t in org.teams.values() if (not rootTeamsOnly or t.parent is None) and (not userLogins or set(userLogins) & set(t.members))]
    return connect(found, **page)


def owners_see(name):
    """A setting that only owners, and Apps that may read settings, are told."""
    def see(org, rq):
        app = rq.token.kind == "installation" and "organization_administration" in rq.token.permissions
        return org.settings[name] if app or rq.owner(org) else None

    return see


fields("Organization", **ACTOR | {"url": lambda o, rq: f"{render.WEB}/{o.login}"}, name=lambda o, rq: o.login, description=lambda o, rq: o.description,
       membersWithRole=members, repositories=repositories, teams=teams, repository=lambda o, rq, name, followRenames=True: repository(None, rq, o.login, name),
       team=lambda o, rq, slug: o.teams.get(slug), requiresTwoFactorAuthentication=owners_see("two_factor_requirement_enabled"),
       membersCanForkPrivateRepositories=lambda o, rq: o.settings["members_can_fork_private_repositories"],
       webCommitSignoffRequired=lambda o, rq: o.settings["web_commit_signoff_required"], samlIdentityProvider=lambda o, rq: None, isVerified=lambda o, rq: False,
       archivedAt=lambda o, rq: None, viewerCanAdminister=lambda o, rq: rq.owner(o), viewerIsAMember=lambda o, rq: bool(rq.user and rq.user.login in o.members))
fields("OrganizationMemberEdge", role=lambda e, rq: e[1][1]["role"].upper(),
       hasTwoFactorEnabled=lambda e, rq: e[1][0].two_factor if any(rq.owner(o) for o in rq.world.orgs.values()) else None)


# ---- Teams ---------------------------------------------------------------------------------------------------------------------------


def below(team, rq):
    found, todo = [], [team]
    while todo:
        children = [t for t in team.org.teams.values() if t.parent is todo[0]]
        found, todo = found + children, todo[1:] + children
    return found


def team_members(team, rq, membership="ALL", role=None, **page):
    found = {login: "MEMBER" for child in below(team, rq) for login in child.members} if membership in ("ALL", "CHILD_TEAM") else {}
    if membership in ("ALL", "IMMEDIATE"):
        found |= {login: has.upper() for login, has in team.members.items()}
    return connect([(rq.world.user(login), {"role": has}) for login, has in found.items() if role in (None, has)], paired=True, **page)


def team_repositories(team, rq, **page):
    from ..routes.teams import inherited

    found = [(rq.world.repositories[number], {"permission": permission.upper()}) for number, permission in inherited(team).items()]
    return connect([pair for pair in found if access.sees(rq.world, rq.token, pair[0])], paired=True, **page)


fields("Team", id=lambda t, rq: t.node_id, databaseId=lambda t, rq: t.id, name=lambda t, rq: t.name, slug=lambda t, rq: t.slug,
       combinedSlug=lambda t, rq: f"{t.org.login}/{t.slug}", description=lambda t, rq: t.description, organization=lambda t, rq: t.org,
       privacy=lambda t, rq: {"closed": "VISIBLE", "secret": "SECRET"}[t.privacy], parentTeam=lambda t, rq: t.parent, createdAt=lambda t, rq: iso(t.created_at),
       updatedAt=lambda t, rq: iso(t.created_at), members=team_members, repositories=team_repositories,
       childTeams=lambda t, rq, immediateOnly=True, **page: connect([c for c in below(t, rq) if not immediateOnly or c.parent is t], **page),
       url=lambda t, rq: f"{render.WEB}/orgs/{t.org.login}/teams/{t.slug}")
fields("TeamMemberEdge", role=lambda e, rq: e[1][1]["role"])
fields("TeamRepositoryEdge", permission=lambda e, rq: e[1][1]["permission"])


def collaborators(repo, rq, affiliation="ALL", **page):
    if PERMISSIONS.index(rq.permission(repo)) < PERMISSIONS.index("write") and rq.token.kind != "installation":
        raise GraphError("FORBIDDEN", "You do not have permission to view repository collaborators.")
    found = []
    for login in sorted({*repo.org.members, *repo.collaborators}):
        permission = rq.world.permission(rq.world.user(login), repo)
        if permission != "none" and (affiliation != "OUTSIDE" or login not in repo.org.members) and (affiliation != "DIRECT" or login in repo.collaborators):
            found.append((rq.world.user(login), {"permission": permission.upper()}))
    return connect(found, paired=True, **page)


fields("RepositoryCollaboratorEdge", permission=lambda e, rq: e[1][1]["permission"])
