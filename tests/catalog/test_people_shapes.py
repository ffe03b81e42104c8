"""What the catalogue reads of the sources on people, devices and tickets stands in what their makers have published.

Their descriptions say of hardly any member that it is always there, so these tests ask whether a path exists and holds what the column takes; which members are
demanded and which are marked `?` is this catalogue's own judgement, by the providers' reference pages.
"""
import json
import pathlib
import re
import sys
import urllib.parse

import pytest
import yaml

from discovery import Discovery
from fact_paths import KINDS, Call, Literal, Path, levels, parse
from github_schema import Rest
from gostructs import Structs
from typescript import OneOf, Types

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests"))
from people import standin  # noqa: E402

CATALOG, DEPS = ROOT / "catalog", ROOT / ".deps"

GRAPH = DEPS / "microsoft-graph" / "microsoft-graph.d.ts"
ODATA = ("$select", "$top", "$expand", "$filter")
DESCRIPTIONS = {
    "entra": lambda: Types(GRAPH, {
        "/v1.0/organization": {"value": ["Organization"]},
        "/v1.0/users": {"value": ["User"]},
        "/v1.0/reports/authenticationMethods/userRegistrationDetails": {"value": ["UserRegistrationDetails"]},
        "/v1.0/roleManagement/directory/roleDefinitions": {"value": ["UnifiedRoleDefinition"]},
        "/v1.0/roleManagement/directory/roleAssignments": {"value": ["UnifiedRoleAssignment"]},
        "/v1.0/identity/conditionalAccess/policies": {"value": ["ConditionalAccessPolicy"]},
        "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy": "IdentitySecurityDefaultsEnforcementPolicy",
    }, ODATA),
    "pagerduty": lambda: Structs(DEPS / "pagerduty", {
        "/abilities": "ListAbilityResponse", "/users": "ListUsersResponse", "/services": "ListServiceResponse", "/escalation_policies": "ListEscalationPoliciesResponse",
        "/oncalls": "ListOnCallsResponse", "/incidents": "ListIncidentsResponse", "/incidents/{}/log_entries": "ListIncidentLogEntriesResponse",
    }, ("limit", "offset", "sort_by")),
    "jira": lambda: Types(DEPS / "jira" / "models.d.ts", {
        "/rest/api/3/myself": "User",
        "/rest/api/3/search/jql": "SearchAndReconcileResults",
        "/rest/api/3/changelog/bulkfetch": "BulkChangelog",
        "/rest/api/3/issue/{}/remotelink": ["RemoteIssueLink"],
    }, ("jql", "maxResults", "fields", "nextPageToken")),
    "intune": lambda: Types(GRAPH, {
        "/v1.0/organization": {"value": ["Organization"]},
        "/v1.0/deviceManagement/managedDevices": {"value": ["ManagedDevice"]},
        "/v1.0/deviceManagement/deviceCompliancePolicies": {"value": [OneOf(["Windows10CompliancePolicy", "MacOSCompliancePolicy", "IosCompliancePolicy",
                                                                             "AndroidWorkProfileCompliancePolicy"])]},
    }, ODATA),
    "okta": lambda: Rest(DEPS / "okta" / "management.json"),
    "google": lambda: Discovery(DEPS / "google" / "admin.directory_v1.json", DEPS / "google" / "admin.reports_v1.json"),
}

# Not in the description, but on the page that is named.
ELSEWHERE = {
    # developer.okta.com, "Policies" reference: verificationMethod of type AUTH_METHOD_CHAIN; later than the description.
    "okta_access_rule.chains",
    # learn.microsoft.com/graph, "Working with Intune": each object says its type in `@odata.type`.
    "intune_compliance_policy.kind",
}


def read(kind, source):
    return [one for path in sorted((CATALOG / kind / source).glob("*.yaml")) for one in [yaml.safe_load(path.read_text())]]


SOURCES = {source: {operation["operation"]: operation for file in read("sources", source) for operation in file["operations"]} for source in DESCRIPTIONS}
DEFAULTS = {source: {name: text for file in read("sources", source) for setting in file.get("api", {}).get("settings", []) if isinstance(setting, dict)
                     for name, text in setting.items()} for source in DESCRIPTIONS}  # of settings
TABLES = [(source, table) for source in DESCRIPTIONS for tables in read("facts", source) for table in tables]
OPERATIONS = [(source, name) for source, operations in SOURCES.items() for name in sorted(operations)]


STANDINS = {"entra": "microsoft", "intune": "microsoft"}  # where it is not called as the source


@pytest.fixture(scope="module")
def published():
    return {source: make() for source, make in DESCRIPTIONS.items()}


class Missing(Exception):
    pass


def walk(place, steps, text):
    for step in steps:
        if place is None or not (place.kinds or place.alternatives):
            return None  # anything may stand here
        if step == "[]" or isinstance(step, int):
            inner = place.element()
        else:
            found = place.member(step)
            inner = found[0] if found else None
        if inner is None:
            raise Missing(f"{text}: nothing at `{step}`")
        place = inner
    return place


def value_of(node, scope, text):
    """Where a value stands; None where the description has no say."""
    if isinstance(node, Literal):
        return None
    if isinstance(node, Path):
        if node.root in ("key", "params", "account"):
            return None
        if node.root in scope:
            return walk(scope[node.root], node.steps, text)
        return walk(scope["answer"], [node.root, *node.steps], text)
    assert isinstance(node, Call)
    values = [value_of(argument, scope, text) for argument in node.arguments]
    return values[0] if node.name in ("coalesce", "array") else None


def url_of(operation):
    return operation.get("get") or operation["post"]


def answer_of(published, source, name):
    description, operation = published[source], SOURCES[source][name]
    call = description.operation(url_of(operation).split("?")[0])
    assert call is not None, f"{source} has no {url_of(operation)}"
    return call, description.answer(call)


@pytest.mark.parametrize("source, table", [pytest.param(source, table, id=table["table"]) for source, table in TABLES])
def test_every_path_of_a_table_is_published(published, source, table):
    _, answer = answer_of(published, source, table["from"].removeprefix(f"{source}:"))
    scope, mistakes = {"answer": answer}, []
    for node, name, _ in levels(table["rows"]) if "rows" in table else []:
        scope[name] = value_of(node, scope, f"{table['table']} rows")
    for column, text in table["columns"].items():
        kind, value = text.split(None, 1)
        if f"{table['table']}.{column}" in ELSEWHERE:
            continue
        try:
            place = value_of(parse(value), scope, f"{table['table']}.{column}")
        except Missing as missing:
            mistakes.append(str(missing))
            continue
        if place is not None and place.kinds and not place.kinds & KINDS[kind.rstrip("?")]:
            mistakes.append(f"{table['table']}.{column}: {kind} of {sorted(place.kinds)}")
    assert not mistakes, "\n".join(mistakes)


@pytest.mark.parametrize("source, name", OPERATIONS)
def test_every_operation_is_one_that_the_provider_has(published, source, name):
    operation = SOURCES[source][name]
    call, answer = answer_of(published, source, name)
    query = url_of(operation).partition("?")[2]
    given = {pair.split("=", 1)[0] for pair in query.split("&")} if query else set()
    assert given <= published[source].parameters(call), f"no parameters {given - published[source].parameters(call)} here"
    for key in ("volatile", "sets"):
        for text in operation.get(key, []):
            walk(answer, parse_path(text), f"{name} {key}")
    for text in operation.get("secret", []):
        walk(answer, parse_path(text), f"{name} secret") if text not in HIDDEN else None
    if increment := operation.get("increment"):
        walk(walk(answer, parse_path(increment["items"]), name), parse_path(increment["by"]), name)
    if variable := re.fullmatch(r"(\w+) in (\w+)(\S*)\[\]", operation.get("for each", "")):
        word, listing, path = variable.groups()
        _, listed = answer_of(published, source, listing)
        element = walk(listed, [*path.strip(".").split("."), "[]"] if path.strip(".") else ["[]"], name)
        for text in [*operation["params"].values(), *operation.get("key", {}).values()]:
            node = parse(text.lstrip("$"))
            if node.root == word:
                walk(element, node.steps, f"{name}: {text}")


# Members that are hashed where they come, in answers whose description does not have them.
HIDDEN = {"[].credentials.sharedPassword", "[].credentials.password", "[].profile.phoneNumber", "[].profile.email", "[].credentials.oauthClient.client_secret"}


def parse_path(text):
    node = parse(text)
    return node.steps if node.root == "answer" else [node.root, *node.steps]


@pytest.mark.parametrize("name", sorted(SOURCES["okta"]))
def test_okta_every_action_is_the_scope_that_the_call_needs(published, name):
    call, _ = answer_of(published, "okta", name)
    scopes = {scope for way in call["security"] for scope in way.get("oauth2", [])}
    action = SOURCES["okta"][name]["action"]
    assert scopes == {action} and action.endswith(".read")


@pytest.mark.parametrize("name", sorted(SOURCES["google"]))
def test_google_every_action_is_a_scope_that_allows_the_call_and_changes_nothing(published, name):
    call, _ = answer_of(published, "google", name)
    action = SOURCES["google"][name]["action"]
    assert action in Discovery.scopes(call) and action.endswith(".readonly")


def test_google_the_service_account_asks_for_the_scopes_of_its_calls_and_no_other():
    api = next(file["api"] for file in read("sources", "google") if "api" in file)
    assert set(api["sign in"][0]["google service account"]["scopes"]) == {operation["action"] for operation in SOURCES["google"].values()}


def asked(source, world, name):
    """The first answer that the stand-in gives to an operation."""
    operation = SOURCES[source][name]
    params = {name: DEFAULTS[source][text.removeprefix("$settings.")] for name, text in operation.get("params", {}).items() if text.startswith("$settings.")}
    if variable := re.fullmatch(r"(\w+) in (\w+)(\S*)\[\]", operation.get("for each", "")):
        word, listing, path = variable.groups()
        element = asked(source, world, listing)
        for step in [step for step in path.split(".") if step]:
            element = element[step]
        for param, text in operation["params"].items():
            value = element[0]
            for step in parse(text.lstrip("$")).steps:
                value = value[step]
            params[param] = value
    url = re.sub(r"\{(\w+)\}", lambda found: urllib.parse.quote(str(params[found.group(1)]), safe=""), url_of(operation))
    path, _, query = url.partition("?")
    said = re.sub(r'"\{(\w+)\}"', lambda found: json.dumps(params[found.group(1)]), json.dumps(operation.get("body"))).encode()
    status, body, _ = world.answer("http://here", path, dict(urllib.parse.parse_qsl(query)), said)
    assert status == 200, (url, body)
    return body


def strangers(place, value, at="answer"):
    """Members of a value that the description does not have, or has of another kind."""
    if place is None or value is None or not (place.kinds or place.alternatives):
        return []
    kind = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}[type(value)]
    if place.kinds and not place.kinds & {kind, "number" if kind == "integer" else kind}:
        return [f"{at} is {kind}, not {sorted(place.kinds)}"]
    if kind == "array":
        return [one for number, item in enumerate(value) for one in strangers(place.element(), item, f"{at}[{number}]")]
    if kind != "object" or not any("properties" in schema for way in place.alternatives for schema in way):
        return []
    found = []
    for name, inner in value.items():
        if name.startswith("@odata."):  # control information that any answer may have
            continue
        if (member := place.member(name)) is not None:
            found += strangers(member[0], inner, f"{at}.{name}")
        elif not any("additionalProperties" in schema for way in place.alternatives for schema in way):
            found.append(f"{at}.{name}")
    return found


@pytest.mark.parametrize("source, name", OPERATIONS)
def test_the_standin_answers_only_what_the_provider_could(published, source, name):
    _, answer = answer_of(published, source, name)
    assert not strangers(answer, asked(source, standin.PROVIDERS[STANDINS.get(source, source)].World(), name))
