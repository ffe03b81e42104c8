"""The words in which resolvers are written: fields of a type, things inside a repository, connections, errors."""
import base64
import dataclasses
from typing import Any

from .. import access
from ..state import App, Organisation, Pull, Repository, Team, User

FIELDS = {}  # type -> field -> resolver(value, request, **arguments)


def fields(kind, **resolvers):
    FIELDS.setdefault(kind, {}).update(resolvers)


class GraphError(Exception):
    """An error that GitHub would give, with its `type`."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


@dataclasses.dataclass(slots=True, eq=False)
class In:
    """A value with the repository, pull request, … that it belongs to, and its GraphQL type."""

    kind: str
    home: Any
    it: Any


def kind_of(value):
    if isinstance(value, In):
        return value.kind
    if isinstance(value, User):
        return value.type
    return {Organisation: "Organization", Repository: "Repository", Pull: "PullRequest", Team: "Team", App: "App"}[type(value)]


def need(rq, *alternatives):
    """An App or fine-grained token without the permission gets FORBIDDEN, a classic one without the scope INSUFFICIENT_SCOPES."""
    if access.granted(rq.token, alternatives):
        return
    if rq.token.kind == "classic":
        raise GraphError("INSUFFICIENT_SCOPES", "Your token has not been granted the required scopes to execute this query.")
    what = "integration" if rq.token.kind == "installation" else "personal access token"
    raise GraphError("FORBIDDEN", f"Resource not accessible by {what}")


# ---- Connections -------------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(slots=True, eq=False)
class Connection:
    items: Any  # a sequence of values, or of (node, edge's own members)
    start: int
    stop: int
    paired: bool = False

    def shown(self):
        return self.items[self.start:self.stop]


def identity(item):
    item = item[0] if isinstance(item, tuple) else item
    item = item.it if isinstance(item, In) else item
    if isinstance(item, dict):
        return str(item.get("id") or item.get("number") or item.get("name"))
    return str(getattr(item, "id", None) or getattr(item, "sha", None) or getattr(item, "name", None) or item)


def cursor(index, item):
    return base64.b64encode(f"cursor:v2:{index}:{identity(item)}".encode()).decode()


def position(items, text):
    """Where a cursor's item stands now: at the same place, or wherever it moved to when others came before it."""
    try:
        _, _, index, name = base64.b64decode(text, validate=True).decode().split(":", 3)
        at = int(index)
    except ValueError:
        raise GraphError("INVALID_CURSOR_ARGUMENTS", f"`{text}` does not appear to be a valid cursor.") from None
    if at < len(items) and identity(items[at]) == name:
        return at
    found = next((i for i, item in enumerate(items) if identity(item) == name), None)
    if found is None:
        raise GraphError("INVALID_CURSOR_ARGUMENTS", f"`{text}` does not appear to be a valid cursor.")
    return found


def connect(items, first=None, last=None, after=None, before=None, paired=False, **_):
    start, stop = 0, len(items)
    if after:
        start = position(items, after) + 1
    if before:
        stop = position(items, before)
    if first is not None:
        stop = min(stop, start + first)
    elif last is not None:
        start = max(start, stop - last)
    return Connection(items, start, stop, paired)


fields("Connection",
       totalCount=lambda c, rq: len(c.items),
       nodes=lambda c, rq: [item[0] for item in c.shown()] if c.paired else list(c.shown()),
       edges=lambda c, rq: [(c.start + i, item, c.paired) for i, item in enumerate(c.shown())],
       pageInfo=lambda c, rq: c)
fields("Edge", cursor=lambda e, rq: cursor(e[0], e[1]), node=lambda e, rq: e[1][0] if e[2] else e[1])
fields("PageInfo",
       hasNextPage=lambda c, rq: c.stop < len(c.items), hasPreviousPage=lambda c, rq: c.start > 0,
       startCursor=lambda c, rq: cursor(c.start, c.items[c.start]) if c.stop > c.start else None,
       endCursor=lambda c, rq: cursor(c.stop - 1, c.items[c.stop - 1]) if c.stop > c.start else None)
