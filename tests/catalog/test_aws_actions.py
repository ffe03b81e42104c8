"""What the collector's policy will allow is what AWS knows: every action of a source file is in AWS's service authorisation data."""
import functools
import json
import pathlib

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
ACTIONS = ROOT / ".deps" / "iam-data" / "data" / "actions"
READS = {"Read", "List"}

# Actions that AWS calls writing and that change nothing in the account: they have a report made.
REPORTS = {"iam:GenerateCredentialReport"}


@functools.cache
def actions_of(service):
    file = ACTIONS / f"{service}.json"
    return {action["name"]: action for action in json.loads(file.read_text()).values()} if file.exists() else {}


def operations():
    for file in sorted((ROOT / "catalog" / "sources" / "aws").glob("*.yaml")):
        source = yaml.safe_load(file.read_text())
        for operation in source["operations"]:
            name = f"{source['service']}:{operation['operation']}"
            actions = operation.get("action", name)
            yield pytest.param([actions] if isinstance(actions, str) else actions, id=name)


@pytest.mark.parametrize("actions", list(operations()))
def test_every_operation_names_actions_that_exist_and_only_read(actions):
    for name in actions:
        service, action = name.split(":")
        known = actions_of(service)
        assert action in known, f"AWS knows no action `{name}`"
        assert known[action]["accessLevel"] in READS or name in REPORTS, f"`{name}` does not only read: {known[action]['accessLevel']}"
