"""Rate limits, who am I, people."""
from .. import render
from ..access import Refused
from ..app import route
from ..state import iso


@route("GET", "/rate_limit", sign_in="anyone", resource="rate", free=True)
def rate_limit(rq):
    """Costs nothing.  (rest/rate-limit/rate-limit)"""
    look = rq.app.limits.look(rq.token, "core")
    search = {"limit": 30, "used": 0, "remaining": 30, "reset": look["reset"]}
    return {"resources": {"core": look, "graphql": rq.app.limits.look(rq.token, "graphql"), "search": search}, "rate": look}


@route("GET", "/meta", sign_in="anyone")
def meta(rq):
    return {"verifiable_password_authentication": False, "hooks": ["127.0.0.0/8"], "web": ["127.0.0.0/8"], "api": ["127.0.0.0/8"], "git": ["127.0.0.0/8"],
            "actions": ["127.0.0.0/8"]}


def profile(world, user):
    """`public-user`"""
    return render.account(user) | {"name": None, "company": None, "blog": "", "location": None, "email": None, "hireable": None, "bio": None,
                                   "twitter_username": None, "public_repos": 0, "public_gists": 0, "followers": 0, "following": 0,
                                   "created_at": iso(user.created_at), "updated_at": iso(user.created_at)}


@route("GET", "/user")
def me(rq):
    if rq.token.kind == "anonymous":
        raise Refused(401, "Requires authentication")
    if rq.token.kind == "installation":
        raise Refused(403, "Resource not accessible by integration")
    made = profile(rq.world, rq.user)
    if rq.token.kind == "classic" and "user" in rq.token.scopes:
        made |= {"private_gists": 0, "total_private_repos": 0, "owned_private_repos": 0, "disk_usage": 0, "collaborators": 0,
                 "two_factor_authentication": rq.user.two_factor, "plan": {"name": "free", "space": 976562499, "collaborators": 0, "private_repos": 10000}}
    return made


@route("GET", "/users/{username}", sign_in="anyone")
def user(rq):
    found = rq.world.user(rq.params["username"])
    if found is None:
        raise Refused(404, "Not Found")
    return profile(rq.world, found)


@route("POST", "/graphql", resource="graphql", free=True)
@route("POST", "/api/graphql", resource="graphql", free=True)  # where an own server of GitHub has it
def graphql(rq):
    return rq.app.graph.answer(rq)
