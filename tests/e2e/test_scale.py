"""Accounts of any size: memory does not grow with what there is."""
import pytest
import yaml

from conftest import ROOT
from github.standin import GitHub
from home import PASS
from peak import Peak
from scale import REGION, Scale, log_groups, repositories


@pytest.fixture(scope="module")
def answering(vouch):
    path = vouch.parent / "answering"
    if not path.exists():
        pytest.skip("memory is measured in the release build")
    return path


def peak(home, *words):
    """MiB that the command had resident at its peak, with all that it maps."""
    process = home.start(*words)
    watched = Peak(process.pid)
    said = process.stderr.read()
    assert process.wait() == PASS, said[-2000:]
    watched.join()
    return watched.kib / 1024


def only_repositories(home):
    """A source `hub` of its own: GitHub's organisation and its repositories, and the facts that are in them."""
    sources, facts = ROOT / "catalog" / "sources" / "github", ROOT / "catalog" / "facts" / "github"
    hub = yaml.safe_load((sources / "github.yaml").read_text()) | {"service": "hub"}
    asked = [*hub["operations"], *yaml.safe_load((sources / "repositories.yaml").read_text())["operations"]]
    hub["operations"] = [one for one in asked if one["operation"] in ("organisation", "repositories")]
    tables = [table | {"table": table["table"].replace("github", "hub"), "from": "hub:repositories"}
              for file in facts.glob("*.yaml") for table in yaml.safe_load(file.read_text()) if table["from"] == "github:repositories"]
    assert len(hub["operations"]) == 2 and tables
    for part, value in (("sources", hub), ("facts", tables)):
        folder = home.path / "catalog" / part / "hub"
        folder.mkdir(parents=True)
        (folder / "hub.yaml").write_text(yaml.safe_dump(value, sort_keys=False))


def test_log_groups_without_number_fit_into_little_memory(answering, new_home, full):
    count, limit, changed = (285_000, 300, 300) if full else (30_000, 150, 200)
    with Scale(answering, log_groups(count)) as aws, Scale(answering, log_groups(count, first=1)) as later:
        home = new_home(aws.endpoint, regions=(REGION,)).init()
        assert peak(home, "collect") <= limit
        assert home.sql("select count(*) as n from aws_cloudwatch_log_group") == [{"n": count}]
        status = home.status()
        assert status["log-group-retention"]["pass"] == count and status["log-group-encrypted"]["fail"] == count
        assert peak(home, "collect") <= limit  # the same again
        home.endpoint = later.endpoint  # one has gone, one is new, and every page shows others
        assert peak(home, "collect") <= changed
        assert home.sql("select count(*) as n from aws_cloudwatch_log_group where valid_to <> 'infinity'") == [{"n": 1}]
        assert home.sql("select count(*) as n from aws_cloudwatch_log_group") == [{"n": count + 1}]
        assert peak(home, "rebuild") <= changed
        home.verify()


def test_repositories_without_number_fit_into_little_memory(answering, new_home, full):
    count, limit = (50_000, 300) if full else (5_000, 130)
    with GitHub(people=3, repositories=2) as github:
        part = repositories(count, github)
    with Scale(answering, part) as hub:
        home = new_home("http://127.0.0.1:1", env={"HUB_TOKEN": "example"})
        home.run("init", code=PASS)
        only_repositories(home)
        (home.path / "vouch.yaml").write_text(
            f"sources:\n  aws: {{on: false}}\n  hub:\n    organisation: acme\n    endpoint: {hub.endpoint}\n    token: {{env: HUB_TOKEN}}\n")
        assert peak(home, "collect") <= limit
        assert home.sql("select count(*) as n from hub_repository") == [{"n": count}]
        home.verify()
