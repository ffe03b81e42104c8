"""What the catalogue reads of GitHub's answers stands in GitHub's published schemas, and is marked `?` exactly where it may be missing."""
import pathlib
import re

import pytest
import yaml

from fact_paths import KINDS, Call, Literal, Path, levels, parse
from github_schema import SCHEMAS, Graph, Place, Rest

CATALOG = pathlib.Path(__file__).resolve().parents[2] / "catalog"

# Columns that GitHub's description calls optional and that are demanded all the same: without them a verdict would be a guess, so an answer without
# them must be a hole. Why each may be missing stands beside it.
DEMANDED = {
    # Seen by owners, and Apps with the permission, only.
    "github_organization.two_factor_required",
    "github_organization.default_repository_permission",
    # The minimal form of a repository may come without, the list of an organisation's repositories never does.
    "github_repository.default_branch",
    "github_repository.visibility",
    "github_repository.archived",
    "github_repository.disabled",
    "github_repository.topics",
    "github_repository.language",
    "github_repository.created",
    "github_repository_origin.created",
    "github_team_repository.role",
    # Shown to admins of the repository and security managers only.
    "github_repository_security rows",
    # Shown to whoever may edit the ruleset only.
    "github_ruleset_bypass rows",
    "github_ruleset_bypass.bypass_mode",
    # Which ruleset lays a rule on the branch.
    "github_branch_rule.ruleset_id",
    "github_branch_rule.source_type",
    "github_branch_rule.source",
    "github_branch_rule_check.ruleset_id",
    "github_environment rows",
    "github_environment_rule rows",
    "github_environment_branch.branch_policy_id",
    "github_environment_branch.pattern",
    "github_collaborator.is_admin",
    "github_collaborator.can_push",
    # The query asks for this kind of event only.
    "github_review_dismissal rows",
    # The event itself.
    "github_audit_event.audit_event_id",
    "github_audit_event.happened",
    "github_audit_event.action",
    "github_rule_suite.rule_suite_id",
    "github_rule_suite.pushed",
    "github_rule_suite.result",
    "github_rule_suite.before_oid",
    "github_rule_suite.after_oid",
    "github_secret_scanning_alert.repository_id",
    "github_secret_scanning_alert.alert_number",
    "github_secret_scanning_alert.state",
    "github_secret_scanning_alert.secret_type",
    "github_secret_scanning_alert.created",
}


def read(kind):
    return [(path, yaml.safe_load(path.read_text())) for path in sorted((CATALOG / kind / "github").glob("*.yaml"))]


OPERATIONS = {operation["operation"]: operation for _, file in read("sources") for operation in file["operations"]}
API = next(file["api"] for _, file in read("sources") if "api" in file)
TABLES = {table["table"]: table for _, tables in read("facts") for table in tables}


class Published:
    def __init__(self):
        self.rest, self.cloud, self.graph = Rest("api.github.com.json"), Rest("ghec.json"), Graph()

    def call(self, operation):
        """REST: what is published of the call, and by whom."""
        path = operation["get"].split("?")[0]
        for rest in (self.rest, self.cloud):
            if found := rest.operation(path):
                return rest, found
        raise AssertionError(f"GitHub has no GET {path}")

    def answer(self, operation):
        if "graphql" in operation:
            return self.graph.answer(self.graph.parse(operation["graphql"])[0])
        rest, call = self.call(operation)
        return rest.answer(call)


@pytest.fixture(scope="module")
def published():
    assert SCHEMAS.exists(), "GitHub's schemas are missing: ./dev setup"
    return Published()


class Missing(Exception):
    """A path that GitHub's schema does not have."""


def walk(place, steps, text):
    """(where the path ends, whether it is always there)"""
    always = True
    for step in steps:
        if step == "[]" or isinstance(step, int):
            inner = place.element()
            if inner is None:
                raise Missing(f"{text}: no list at `{step}`")
            always = always and step == "[]"
        else:
            found = place.member(step)
            if found is None:
                raise Missing(f"{text}: no `{step}`")
            inner, there = found
            always = always and there
        place = inner
    return place, always


NOTHING = Place({"null"}, [], None)


def value_of(node, scope, text):
    """(place or None where the schema has no say, whether it is always there)"""
    if isinstance(node, Literal):
        return None, True
    if isinstance(node, Path):
        if node.root in ("key", "params", "account", "region", "partition"):
            return None, True
        if node.root in scope:
            if scope[node.root] is None:  # a level of another text of `rows`
                return NOTHING, False
            return walk(scope[node.root], node.steps, text)
        if node.root == "answer":
            return walk(scope["answer"], node.steps, text)
        return walk(scope["answer"], [node.root, *node.steps], text)
    values = [value_of(argument, scope, text) for argument in node.arguments]
    if node.name == "coalesce":
        places = [place for place, _ in values]
        literal = any(isinstance(argument, Literal) for argument in node.arguments)
        always = any(there for _, there in values) or literal or covers(node, scope, text)
        if None in places and not all(place is None for place in places):
            places = [place for place in places if place is not None]
        return merged(places), always
    if node.name == "array":  # a value as the list of itself; a null is no element
        place, always = values[0]
        element, rest = place, node.steps
        assert rest[:1] in ([], ["[]"]), text
        return Place(element.kinds - {"null"}, element.alternatives, element.world), always and "null" not in element.kinds
    if node.name in ("length", "concat", "equals", "contains", "lower", "split"):
        kind = {"length": "integer", "equals": "boolean", "contains": "boolean"}.get(node.name, "string")
        return Place({kind}, [], None), all(there for _, there in values)
    raise AssertionError(f"{text}: this test does not know {node.name}()")


def covers(node, scope, text):
    """coalesce over types of a union: whether each alternative has one of the paths."""
    roots = {argument.root for argument in node.arguments if isinstance(argument, Path)}
    if len(roots) != 1 or (root := roots.pop()) not in scope or scope[root] is None:
        # Of levels of which one is open in each text of `rows`: that one is always there.
        opened = [a for a in node.arguments if isinstance(a, Path) and scope.get(a.root) is not None]
        return len(opened) >= 1 and any(value_of(a, scope, text)[1] for a in opened)
    place = scope[root]
    for alternative in place.alternatives:
        one = Place(place.kinds, [alternative], place.world)
        if not any(_there(one, argument.steps) for argument in node.arguments):
            return False
    return True


def _there(place, steps):
    try:
        return walk(place, steps, "")[1]
    except Missing:
        return False


def merged(places):
    places = [place for place in places if place is not None]
    if not places:
        return None
    return Place(set().union(*(place.kinds for place in places)), [a for place in places for a in place.alternatives], places[0].world)


def texts_of(table):
    rows = table.get("rows", [])
    return [rows] if isinstance(rows, str) else rows


def scopes(table, answer):
    """For each text of `rows` the levels it opens, and the mistakes on the way."""
    names = {name for text in texts_of(table) for _, name, _ in levels(text)}
    for text in texts_of(table) or [None]:
        scope, mistakes = {"answer": answer, **{name: None for name in names}}, []
        for node, name, optional in levels(text) if text else []:
            place, always = value_of(node, scope, f"{table['table']} rows")
            if isinstance(node, Path) and "[]" not in node.steps and not always and not optional:
                mistakes.append("a level that may be missing has no `?`")
            if isinstance(node, Path) and node.steps and node.steps[-1] == "[]" and not optional and not always:
                mistakes.append("a list that may be missing has no `?`")
            if optional and always and isinstance(node, Path):
                mistakes.append("a list that is always there has a `?`")
            scope[name] = place
        yield scope, mistakes


def name_of(table):
    return table["from"].removeprefix("github:")


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_path_of_a_table_is_published_and_marked_where_it_may_be_missing(published, name):
    table = TABLES[name]
    answer = published.answer(OPERATIONS[name_of(table)])
    mistakes = []
    always_of = {}
    for scope, of_rows in scopes(table, answer):
        mistakes += [f"{name}: {mistake}" for mistake in of_rows if f"{name} rows" not in DEMANDED]
        for column, text in table["columns"].items():
            kind, value = text.split(None, 1)
            optional = kind.endswith("?")
            try:
                place, always = value_of(parse(value), scope, f"{name}.{column}")
            except Missing as missing:
                mistakes.append(str(missing))
                continue
            if place is not None and place.kinds and not place.kinds & KINDS[kind.rstrip("?")]:
                mistakes.append(f"{name}.{column}: {kind} of {sorted(place.kinds)}")
            demanded = f"{name}.{column}" in DEMANDED or f"{name} rows" in DEMANDED
            if not always and not optional and not demanded:
                mistakes.append(f"{name}.{column}: may be missing and has no `?`")
            always_of[column] = always_of.get(column, True) and always
    for column, text in table["columns"].items():
        if text.split(None, 1)[0].endswith("?") and always_of.get(column, False):
            mistakes.append(f"{name}.{column}: is always there and has a `?`")
    assert not mistakes, "\n".join(mistakes)


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_operation_is_one_that_github_has(published, name):
    operation = OPERATIONS[name]
    answer = published.answer(operation)
    if "graphql" in operation:
        _, mistakes = published.graph.parse(operation["graphql"])
        assert not mistakes, mistakes
    else:
        rest, call = published.call(operation)
        query = operation["get"].partition("?")[2]
        given = dict(pair.split("=", 1) for pair in query.split("&")) if query else {}
        assert set(given) <= rest.parameters(call), f"GitHub knows no {set(given) - rest.parameters(call)} here"
        assert int(given.get("per_page", 100)) == 100
    for key in ("volatile", "sets", "secret"):
        for text in operation.get(key, []):
            walk(answer, parse_path(text), f"{name} {key}")
    increment = operation.get("increment")
    if increment:
        items, _ = walk(answer, parse_path(increment["items"]), f"{name} increment")
        walk(items, parse_path(increment["by"]), f"{name} increment by")
    if isinstance(operation.get("paging"), dict):
        walk(answer, parse_path(operation["paging"]["page info"]) + ["endCursor"], f"{name} paging")
    if "total" in operation:
        _, sure = walk(answer, parse_path(operation["total"]["of"]), f"{name} total")
        place, always = walk(answer, parse_path(operation["total"]["path"]), f"{name} total")
        assert (always or not sure) and "integer" in place.kinds  # of `environments` GitHub promises neither list nor total, and gives both


def parse_path(text):
    node = parse(text)
    return node.steps if node.root == "answer" else [node.root, *node.steps]


@pytest.mark.parametrize("name", sorted(name for name, operation in OPERATIONS.items() if "for each" in operation))
def test_what_a_request_takes_from_a_listing_is_published(published, name):
    operation = OPERATIONS[name]
    variable, listing = re.fullmatch(r"(\w+) in (\S+)", operation["for each"]).groups()
    listing, _, path = listing.partition(".") if "[]" not in listing.split(".")[0] else (listing.removesuffix("[]"), "", "[]")
    element, _ = walk(published.answer(OPERATIONS[listing]), parse_path(path), name)
    for text in [*operation["params"].values(), *operation.get("key", {}).values()]:
        node = parse(text.lstrip("$"))
        if node.root == variable:
            walk(element, node.steps, f"{name}: {text}")
        elif node.root == "params":
            assert node.steps[0] in OPERATIONS[listing]["params"], f"{name}: {text}"
        elif node.root == "key":
            assert node.steps[0] in OPERATIONS[listing]["key"], f"{name}: {text}"


def test_every_action_is_a_permission_that_an_app_can_have(published):
    permissions = published.rest.document["components"]["schemas"]["app-permissions"]["properties"]
    for name, operation in OPERATIONS.items():
        actions = operation["action"] if isinstance(operation["action"], list) else [operation["action"]]
        for action in actions:
            permission, _, level = action.partition(":")
            assert permission in permissions, f"{name}: GitHub has no permission {permission}"
            assert level in permissions[permission]["enum"], f"{name}: {action}"


def test_no_call_asks_for_a_right_to_write():
    assert not [name for name, operation in OPERATIONS.items() if ":write" in str(operation["action"])]


@pytest.mark.parametrize("name", sorted(name for name, operation in OPERATIONS.items() if "graphql" in operation))
def test_a_query_stays_far_below_the_limits_of_github(published, name):
    nodes, points = published.graph.size(published.graph.parse(OPERATIONS[name]["graphql"])[0])
    assert nodes <= 50_000, "GitHub refuses 500,000, and answers slowly long before"
    assert points <= 15, "5,000 points an hour must do for the first collection"
    said = (CATALOG / "sources/github/changes.yaml").read_text()
    if name in ("pull_requests", "pull_request_checks"):
        assert f"{nodes:,} nodes" in said and f"{points} points" in said, f"{name} has {nodes:,} nodes and {points} points"


def test_the_api_version_is_the_one_that_the_shapes_were_read_from(published):
    assert API["headers"]["X-GitHub-Api-Version"] == "2022-11-28"
    pull = published.rest.document["components"]["schemas"]["pull-request"]["properties"]
    assert "merge_commit_sha" in pull, "the description is of a later version"
