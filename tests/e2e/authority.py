"""Decides a collector's calls by a list of IAM actions, as IAM would by a policy that allows just these on everything.

Which operation a request is follows from the service models (botocore), which action it needs from the catalogue's source files: the two are
read here by themselves, so that what Vouch says of them is compared with something.
"""
import collections
import functools
import gzip
import json
import re
import urllib.parse

import yaml
from conftest import ROOT

MODELS = ROOT / ".deps" / "botocore" / "botocore" / "data"
FREE = {"sts:GetCallerIdentity"}  # AWS answers it whatever a policy says


@functools.cache
def model_of(service):
    version = sorted((MODELS / service).iterdir())[-1]
    plain = version / "service-2.json"
    return json.loads(plain.read_text() if plain.exists() else gzip.decompress((version / "service-2.json.gz").read_bytes()))


@functools.cache
def operations():
    """What the catalogue asks of AWS: [(service, operation, (action, …), the operation that it iterates over or None)]."""
    found = []
    for file in sorted((ROOT / "catalog" / "sources" / "aws").glob("*.yaml")):
        source = yaml.safe_load(file.read_text())
        service = source["service"]
        for one in source["operations"]:
            actions = one.get("action", f"{service}:{one['operation']}")
            parents = [text for text in (one.get("after"), one.get("for each", " in ").split(" in ", 1)[1].split(".")[0].removesuffix("[]")) if text]
            found.append((service, one["operation"], (actions,) if isinstance(actions, str) else tuple(actions),
                          tuple(parent if ":" in parent else f"{service}:{parent}" for parent in parents)))
    return found


@functools.cache
def known_as():
    """{signing name: [(service, operation, actions)]}: several services may sign as one (elb and elbv2)."""
    by = collections.defaultdict(list)
    for service, operation, actions, _ in operations():
        metadata = model_of(service)["metadata"]
        by[metadata.get("signingName", metadata["endpointPrefix"])].append((service, operation, actions))
    return by


def reads_as(call, service, operation):
    """How many literal parts of the operation's URL are in this request; 0: it is not this operation."""
    http = model_of(service)["operations"][operation]["http"]
    path, _, query = http["requestUri"].partition("?")
    pattern = "".join("(.+)" if part.startswith("{") and part.endswith("+}") else "([^/]+)" if part.startswith("{") else re.escape(part)
                      for part in re.split(r"(\{[^}]+\})", path.rstrip("/")))
    asked = dict(urllib.parse.parse_qsl(call.query, keep_blank_values=True))
    wanted = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
    if http["method"] != call.method or not re.fullmatch(pattern, call.path.rstrip("/")) or not wanted.keys() <= asked.keys():
        return 0
    return 1 + len(wanted) + sum(1 for part in path.split("/") if part and not part.startswith("{"))


def actions_of(call):
    """The actions that a request needs; None: it is no operation of the catalogue."""
    signing = {"cloudwatch": "monitoring", "s3control": "s3"}.get(call.service, call.service)
    candidates = known_as()[signing]
    if call.protocol in ("rest-json", "rest-xml"):
        rest = [one for one in candidates if model_of(one[0])["metadata"]["protocol"] == call.protocol
                and (one[0] == "s3control") == (call.service == "s3control")]
        ranked = sorted(((reads_as(call, service, operation), actions) for service, operation, actions in rest), reverse=True)
        return ranked[0][1] if ranked and ranked[0][0] else None
    return next((actions for _, operation, actions in candidates if operation == call.operation), None)


class Authority:
    """A rule for the proxy: `proxy.when(where=authority.refuses, then=Deny())`."""

    def __init__(self, allowed):
        self.allowed, self.refused = set(allowed) | FREE, collections.Counter()

    def refuses(self, call):
        needed = actions_of(call)
        if needed is not None and set(needed) <= self.allowed:
            return False
        self.refused[call.service, call.operation, call.path if needed is None else needed] += 1
        return True


def unheard(action):
    """The operations that bring nothing without this action: those that need it, and those that ask for each of what they list."""
    lost = {f"{service}:{operation}" for service, operation, actions, _ in operations() if action in actions}
    while True:
        more = {f"{service}:{operation}" for service, operation, _, parents in operations() if lost & set(parents)} - lost
        if not more:
            return lost
        lost |= more
