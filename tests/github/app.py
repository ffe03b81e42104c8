"""One request, from its bytes to its answer: sign-in, limits, route, rights, paging, validator, and the judge."""
import dataclasses
import datetime
import hashlib
import json
import re
import traceback
import urllib.parse
import uuid
from typing import Any

from . import access, limits
from .access import Refused
from .state import World

VERSION = "2022-11-28"
ROUTES = []  # filled by `route`


@dataclasses.dataclass(slots=True, eq=False)
class Route:
    method: str
    path: str
    permissions: list  # alternatives, each `name:level`
    handler: Any
    sign_in: str = "token"  # token | jwt | anyone
    hidden: bool = False  # without the role 404, not 403
    resource: str = "core"
    open_to_role: bool = False  # the handler looks at the role itself
    free: bool = False  # costs no rate limit


def route(method, path, *permissions, **more):
    """Declares a call. `permissions` are alternatives as GitHub documents them for Apps and fine-grained tokens
    (rest/authentication/permissions-required-for-github-apps)."""

    def declare(handler):
        ROUTES.append(Route(method, path, list(permissions), handler, **more))
        return handler

    return declare


GREEDY = {"{path}", "{ref}"}


class Router:
    def __init__(self, routes):
        self.root = {}
        for each in routes:
            node = self.root
            for segment in each.path.strip("/").split("/"):
                node = node.setdefault(segment if segment[:1] != "{" else "{}", {})
                if segment[:1] == "{":
                    node.setdefault("", set()).add(segment)
            node.setdefault("//", {})[each.method] = each

    def find(self, method, segments):
        """(route, parameters), or a refusal. Literal segments win over parameters."""
        node = self.walk(self.root, segments, 0)
        if node is None:
            raise Refused(404, "Not Found")
        found = node["//"].get(method)
        if found is None:
            raise Refused(404, "Not Found")
        names = found.path.strip("/").split("/")
        parameters = {name[1:-1]: urllib.parse.unquote(value) for name, value in zip(names, segments) if name[:1] == "{"}
        if len(segments) > len(names):
            parameters[names[-1][1:-1]] = urllib.parse.unquote("/".join(segments[len(names) - 1:]))
        return found, parameters

    def walk(self, node, segments, at):
        if at == len(segments):
            return node if "//" in node else None
        if segments[at] in node and segments[at] not in ("", "//", "{}"):
            found = self.walk(node[segments[at]], segments, at + 1)
            if found is not None:
                return found
        below = node.get("{}")
        if below is None:
            return None
        found = self.walk(below, segments, at + 1)
        if found is None and "//" in below and below[""] & GREEDY:
            return below  # the rest of the path is the value
        return found


@dataclasses.dataclass(slots=True, eq=False)
class Request:
    world: World
    method: str
    path: str
    query: dict
    headers: dict
    raw: bytes
    token: Any = None
    params: dict = dataclasses.field(default_factory=dict)
    route: Any = None
    org: Any = None
    repo: Any = None
    app: Any = None  # the App object of the server (`Site`)
    answer_headers: list = dataclasses.field(default_factory=list)
    host: str = ""
    nodes: int = 0  # of a GraphQL query, with what it costs
    cost: int = 0
    _body: Any = None

    @property
    def user(self):
        """Who acts: an App acts as its bot."""
        return self.token.user

    @property
    def body(self):
        if self._body is None:
            try:
                self._body = json.loads(self.raw) if self.raw else {}
            except ValueError:
                raise Refused(400, "Problems parsing JSON") from None
        return self._body

    def now(self):
        return self.world.now()

    def permission(self, repository=None):
        """What the asker may do with a repository, as its role."""
        if self.token.kind == "installation":
            level = self.token.permissions
            return "admin" if level.get("administration") else "write" if level.get("contents") == "write" else "read"
        return self.world.permission(self.user, repository or self.repo) if self.user else "read"

    def owner(self, org=None):
        return access.is_owner(self.token, org or self.org)


class Page:
    """One page of `items`, each rendered by `render`; `wrap(items, total)` where GitHub puts the list into an object. `after` pages by cursor, not number."""

    def __init__(self, items, render, wrap=None, cursor=False, maximum=None):
        self.items, self.render, self.wrap, self.cursor = items if maximum is None else items[:maximum], render, wrap, cursor


def number(rq, name, usual, least=1, most=None):
    text = rq.query.get(name, "")
    value = int(text) if text.isdigit() else usual
    value = max(least, value)
    return value if most is None else min(most, value)


class Site:
    """GitHub as one object. Not for several threads: the server calls it from one."""

    def __init__(self, world, validator=None, limit=None, points_a_minute=None, silent=False):
        from . import routes  # declares every route
        from .graph import Graph

        self.world, self.validator = world, validator
        self.limits = limits.Limits(world.clock, limit, points_a_minute, silent)
        self.router, self.graph = Router(routes.ROUTES), Graph()
        self.violations, self.counts, self.etags, self.lists = [], {}, {}, {}
        if validator:
            world.judge = lambda *delivery: self.violations.extend(validator.judge_webhook(*delivery))

    def once(self, key, make):
        """A list that is the same for every page of it, as long as nothing changes."""
        found = self.lists.get(key)
        if found is None or found[0] != self.world.version:
            if len(self.lists) > 16:
                self.lists.clear()
            found = self.lists[key] = (self.world.version, make())
        return found[1]

    # ---- The way of a request

    def handle(self, method, target, headers, raw):
        """-> (status, [(name, value)], body)"""
        path, _, query = target.partition("?")
        rq = Request(self.world, method, path, dict(urllib.parse.parse_qsl(query, keep_blank_values=True)), headers, raw, app=self,
                     host=headers.get("host", "localhost"))
        kind, points = "refused", 0
        try:
            self.check_caller(rq)
            segments = self.segments(rq)
            rq.token = access.sign_in(self.world, headers.get("authorization"))
            rq.route, rq.params = self.router.find(method, segments)
            kind = f"{method} {rq.route.path}"
            if rq.route.resource == "graphql":  # its hour is judged by what the query costs
                self.limits.demand_minute(rq.token, 1)
            elif not rq.route.free:
                points = 1
                self.limits.demand(rq.token, rq.route.resource, 1 if method == "GET" or rq.route.resource == "graphql" else 5)
            self.admit(rq)
            status, body = self.answer(rq, target)
        except Refused as refused:
            status, body = refused.status, refused.body
            rq.answer_headers += refused.headers
        except Exception:
            self.violations.append(f"{method} {target}: {traceback.format_exc()}")
            status, body = 500, {"message": "Server Error", "documentation_url": access.DOCUMENTATION, "status": "500"}
        if method != "GET" and method != "HEAD":
            self.world.version += rq.route is not None and rq.route.resource != "graphql"
        status, body = self.judged(rq, status, body)
        return self.finish(rq, target, kind, status, body, points)

    def check_caller(self, rq):
        if not rq.headers.get("user-agent"):  # rest/using-the-rest-api/getting-started-with-the-rest-api#user-agent
            raise Refused(403, "Request forbidden by administrative rules. Please make sure your request has a User-Agent header.")
        asked = rq.headers.get("x-github-api-version", VERSION)
        if asked != VERSION:  # rest/about-the-rest-api/api-versions#specifying-an-api-version
            raise Refused(400, f"{asked} is not a supported version. This server speaks {VERSION} only.")

    def segments(self, rq):
        """Paths by id lead to the same places: next links and redirects are written with them."""
        segments = rq.path.strip("/").split("/")
        if segments[:2] == ["api", "v3"]:
            segments = segments[2:] or [""]
        if segments[0] == "repositories" and len(segments) > 1 and segments[1].isdigit():
            found = self.world.repositories.get(int(segments[1]))
            if found is None:
                raise Refused(404, "Not Found")
            return ["repos", found.org.login, found.name, *segments[2:]]
        if segments[0] == "organizations" and len(segments) > 1 and segments[1].isdigit():
            found = next((o for o in self.world.orgs.values() if o.id == int(segments[1])), None)
            if found is None:
                raise Refused(404, "Not Found")
            if len(segments) > 3 and segments[2] == "team":
                team = next((t for t in found.teams.values() if str(t.id) == segments[3]), None)
                if team is None:
                    raise Refused(404, "Not Found")
                return ["orgs", found.login, "teams", team.slug, *segments[4:]]
            return ["orgs", found.login, *segments[2:]]
        return segments

    def admit(self, rq):
        """Finds what the path names, and refuses whoever may not see or do it."""
        declared, token = rq.route, rq.token
        if declared.sign_in == "jwt":
            if token.kind != "jwt":
                raise Refused(401, "A JSON web token could not be decoded" if token.kind != "anonymous" else "Requires authentication")
            return
        if token.kind == "jwt" and declared.sign_in != "anyone":
            raise Refused(401, "Bad credentials")
        if "org" in rq.params:
            rq.org = self.world.orgs.get(rq.params["org"].lower())
            if rq.org is None or token.kind == "installation" and token.installation.org is not rq.org and declared.permissions:
                raise Refused(404, "Not Found")
        if "repo" in rq.params and "team_slug" not in rq.params:
            self.find_repository(rq)
        access.demand(token, declared.permissions)
        try:
            if not declared.open_to_role and declared.sign_in == "token" and token.kind != "anonymous":
                access.demand_role(self.world, token, declared.permissions, rq.repo, rq.org)
        except Refused:
            if declared.hidden:
                raise Refused(404, "Not Found") from None
            raise
        if rq.repo is not None and rq.repo.archived and rq.method != "GET" and declared.path != "/repos/{owner}/{repo}":
            raise Refused(403, "Repository was archived so is read-only.")
        if rq.method != "GET" and rq.raw and self.validator and declared.resource != "graphql":
            why = self.validator.refuse(rq.method, declared.path, rq.body)
            if why:
                raise Refused(422, f"Invalid request.\n\n{why}", errors=[])

    def find_repository(self, rq):
        owner, name = rq.params["owner"], rq.params["repo"]
        rq.repo = self.world.repository(owner, name)
        if rq.repo is None:
            org = self.world.orgs.get(owner.lower())
            renamed = org and org.renamed.get(name.lower())
            if renamed and access.sees(self.world, rq.token, renamed):
                # rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects
                rest = rq.path.strip("/").split("/", 3)[3:]
                where = f"http://{rq.host}/repositories/{renamed.id}" + "".join(f"/{r}" for r in rest)
                query = "?" + urllib.parse.urlencode(rq.query) if rq.query else ""
                moved = Refused(301 if rq.method == "GET" else 307, "Moved Permanently", headers=[("Location", where + query)])
                moved.body = {"message": "Moved Permanently", "url": where + query, "documentation_url": access.DOCUMENTATION + "/guides/best-practices"}
                raise moved
        if rq.repo is None or not access.sees(self.world, rq.token, rq.repo):
            raise Refused(404, "Not Found")
        rq.org = rq.repo.org

    def answer(self, rq, target):
        key = (target, rq.token.value) if rq.method == "GET" and rq.route.resource != "rate" else None
        asked = rq.headers.get("if-none-match")
        if key and asked and self.etags.get(key) == (self.world.version, asked) and self.world.clock.stopped:
            rq.answer_headers.append(("ETag", asked))
            return 304, None
        made = rq.route.handler(rq)
        status, body = made if isinstance(made, tuple) else (200, made)
        if isinstance(body, Page):
            body = self.paged(rq, body)
        return status, body

    def paged(self, rq, page):
        """rest/using-the-rest-api/using-pagination-in-the-rest-api: at most 100, and a Link whose URLs are to be followed as they are."""
        size = number(rq, "per_page", 30, 1, 100)
        total = len(page.items)
        if page.cursor:
            start = self.cursor_start(rq)
            shown = page.items[start:start + size]
            links = [("next", {"after": self.cursor(start + size)})] if start + size < total else []
            links += [("prev", {"after": self.cursor(max(0, start - size))})] if start > 0 else []
        else:
            at, last = number(rq, "page", 1), max(1, -(-total // size))
            shown = page.items[(at - 1) * size:at * size]
            links = [("prev", {"page": at - 1})] if at > 1 else []
            links += [("next", {"page": at + 1}), ("last", {"page": last})] if at < last else []
            links += [("first", {"page": 1})] if at > 1 else []
        if links:
            rq.answer_headers.append(("Link", ", ".join(f'<{self.link(rq, change)}>; rel="{rel}"' for rel, change in links)))
        items = [page.render(each) for each in shown]
        return page.wrap(items, total) if page.wrap else items

    @staticmethod
    def cursor(at):
        return "Y3Vyc29yOnYyOp" + hashlib.sha1(str(at).encode()).hexdigest()[:8] + format(at, "x")

    def cursor_start(self, rq):
        text = rq.query.get("after", "")
        if not text:
            return 0
        try:
            at = int(text[22:], 16)
        except ValueError:
            at = -1
        if at < 0 or self.cursor(at) != text:
            raise Refused(400, "Invalid cursor")
        return at

    def link(self, rq, change):
        path = rq.path
        if rq.repo is not None and "team_slug" not in rq.params:
            path = f"/repositories/{rq.repo.id}" + re.sub(r"^(?:/api/v3)?/(?:repos/[^/]+/[^/]+|repositories/\d+)", "", path)
        elif rq.org is not None:
            path = f"/organizations/{rq.org.id}" + re.sub(r"^(?:/api/v3)?/(?:orgs/[^/]+|organizations/\d+)", "", path)
        query = {k: v for k, v in rq.query.items() if k not in ("page", "after", "before")} | change
        return f"http://{rq.host}{path}?{urllib.parse.urlencode(query)}"

    def judged(self, rq, status, body):
        if self.validator is None or rq.route is None or status == 304 or rq.route.resource == "graphql":
            return status, body
        faults = self.validator.judge(rq.method, rq.route.path, status, body)
        if not faults or status == 500:
            return status, body
        self.violations += faults
        return 500, {"message": "An answer that GitHub would not give: " + "; ".join(faults[:3]), "documentation_url": access.DOCUMENTATION, "status": "500"}

    def finish(self, rq, target, kind, status, body, points):
        headers = rq.answer_headers
        raw = b"" if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        if rq.method == "GET" and status == 200 and rq.token is not None:
            etag = f'W/"{hashlib.sha256(raw).hexdigest()}"'
            if len(self.etags) > 200_000:
                self.etags.clear()
            self.etags[target, rq.token.value] = (self.world.version, etag)
            headers += [("ETag", etag), ("Cache-Control", "private, max-age=60, s-maxage=60"), ("Vary", "Accept, Authorization, Cookie, X-GitHub-OTP")]
            if rq.headers.get("if-none-match") == etag:
                status, raw = 304, b""
        resource = rq.route.resource if rq.route else "core"
        if points and (status != 304 or rq.token.kind == "anonymous"):  # a 304 is free when authorised
            self.limits.charge(rq.token, resource, points)
        if rq.token is not None and resource != "rate":
            headers += [(f"X-RateLimit-{name.title()}", str(value)) for name, value in self.limits.look(rq.token, resource).items()]
            headers.append(("X-RateLimit-Resource", resource))
        self.describe_token(rq, headers)
        headers += [("Content-Type", "application/json; charset=utf-8"), ("X-GitHub-Request-Id", uuid.uuid4().hex[:20].upper()),
                    ("X-GitHub-Media-Type", "github.v3; format=json"), ("X-GitHub-Api-Version-Selected", VERSION), ("Server", "github.com")]
        counted = self.counts.setdefault(kind, {})
        counted[str(status)] = counted.get(str(status), 0) + 1
        return status, headers, raw

    def describe_token(self, rq, headers):
        token, declared = rq.token, rq.route
        if token is None:
            return
        if token.kind == "classic":
            headers.append(("X-OAuth-Scopes", ", ".join(token.scopes)))
        if declared is not None and declared.permissions:
            headers.append(("X-Accepted-GitHub-Permissions", "; ".join(p.replace(":", "=") for p in declared.permissions)))
        if token.expires_at is not None and token.kind in ("classic", "fine"):
            when = datetime.datetime.fromtimestamp(token.expires_at, datetime.timezone.utc)
            headers.append(("GitHub-Authentication-Token-Expiration", when.strftime("%Y-%m-%d %H:%M:%S UTC")))
