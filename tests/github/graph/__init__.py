"""GraphQL over the same state, for reading. GitHub's published schema is the executable one (graphql-core), so a query that GitHub would refuse is refused
here, and a value that the schema does not allow is an error that fails the test. A field that nobody asks for has no resolver: asking for it is a fault
of the stand-in, and says so.

Errors and limits: graphql/overview/{about-the-graphql-api,rate-limits-and-query-limits-for-the-graphql-api}.
"""
import functools
import gc
import traceback

import graphql

from ..access import Refused
from ..state import iso
from ..validation import SCHEMAS
from .cost import TooMuch, measure
from .types import FIELDS, GraphError, kind_of
from . import checks, people, pulls, repositories, rules, security  # noqa: F401  (declare the fields)


@functools.cache
def load():
    """GitHub's schema with our resolvers in it; takes a second, so on the first query only."""
    schema = graphql.build_schema((SCHEMAS / "schema.graphql").read_text(), assume_valid=True)
    unknown = [f"{kind}.{field}" for kind, known in FIELDS.items() if kind not in ("Connection", "Edge")
               for field in known if kind not in schema.type_map or field not in schema.type_map[kind].fields]
    assert not unknown, f"GitHub's schema has no {', '.join(unknown)}"
    for name, kind in schema.type_map.items():
        if not graphql.is_object_type(kind) or name.startswith("__"):
            continue
        known = FIELDS.get(name, {})
        connected = FIELDS["Connection"] if name.endswith("Connection") else FIELDS["Edge"] if name.endswith("Edge") else {}
        for field, definition in kind.fields.items():
            resolver = known.get(field) or connected.get(field)
            definition.resolve = with_request(resolver) if resolver else missing(name, field)
    gc.freeze()
    return schema


def with_request(resolver):
    def resolve(value, info, **arguments):
        return resolver(value, info.context, **arguments)

    return resolve


class NotServed(Exception):
    pass


def missing(kind, field):
    def resolve(value, info, **_):
        raise NotServed(f"{kind}.{field} is not served by this stand-in: give it a resolver in tests/github/graph/")

    return resolve


@functools.lru_cache(maxsize=256)
def prepare(text):
    """(document, errors): parsed and valid by GitHub's schema."""
    try:
        document = graphql.parse(text)
    except graphql.GraphQLError as error:
        return None, [error]
    return document, graphql.validate(load(), document)


class Graph:
    def __init__(self):
        self.violations = []

    def answer(self, rq):
        """-> (status, body)."""
        if rq.token.kind == "anonymous":
            raise Refused(401, "This endpoint requires you to be authenticated.")
        text, variables = rq.body.get("query"), rq.body.get("variables") or {}
        if not isinstance(text, str):
            raise Refused(400, "A query attribute must be specified and must be a string.")
        document, errors = prepare(text)
        if errors:
            return 200, {"errors": [shown(error) for error in errors]}
        try:
            rq.nodes, rq.cost = measure(load(), document, variables, rq.body.get("operationName"))
        except TooMuch as error:
            return 200, {"errors": [{"type": error.kind, "message": str(error)}]}
        if rq.app.limits.look(rq.token, "graphql")["remaining"] < rq.cost:
            who = f"user ID {rq.token.user.id}" if rq.token.user else "this installation"
            return 200, {"errors": [{"type": "RATE_LIMITED", "message": f"API rate limit exceeded for {who}."}]}
        rq.app.limits.charge(rq.token, "graphql", rq.cost)
        result = graphql.execute_sync(load(), document, context_value=rq, variable_values=variables, operation_name=rq.body.get("operationName"),
                                      type_resolver=lambda value, info, kind: kind_of(value), check_sync=False)
        faults = [e for e in result.errors or [] if not isinstance(e.original_error, GraphError) and not wrong_variable(e)]
        if faults:
            for fault in faults:
                inner = fault.original_error or fault
                self.violations.append(f"GraphQL at {fault.path}: {''.join(traceback.format_exception(inner))[-1500:]}")
            return 500, {"errors": [shown(fault) for fault in faults]}
        made = {"data": result.data} if result.data is not None or not result.errors else {}
        if result.errors:
            made["errors"] = [shown(error) for error in result.errors]
        return 200, made


def wrong_variable(error):
    return error.path is None and error.original_error is None


def shown(error):
    made = {"type": error.original_error.kind} if isinstance(error.original_error, GraphError) else {}
    if error.path:
        made["path"] = error.path
    if error.locations:
        made["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    return made | {"message": error.message}


def rate_limit(rq):
    look = rq.app.limits.look(rq.token, "graphql")
    return look | {"cost": rq.cost, "nodeCount": rq.nodes, "resetAt": iso(look["reset"])}
