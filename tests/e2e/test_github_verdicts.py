"""The sample company on GitHub: what was planted there is what fails, and what a credential cannot see is unknown."""
import datetime

import codehost
import pytest
from github.conftest import UNTIL
from github.standin import GitHub
from home import FAILS, PASS, UNDECIDED, Home


@pytest.fixture(scope="module")
def github():
    with GitHub(people=25, validate=True, limit=1_000_000) as server:
        server.plan = codehost.fill(server, codehost.SMALL, until=UNTIL)
        server.clock(datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), stopped=False)  # an App signs in by the time of day
        yield server
        assert server.violations() == []


def home_of(vouch, folder, github, sign_in, **env):
    home = Home(vouch, folder / "home", github.endpoint, regions=(), env=env).init()
    (home.path / "vouch.yaml").write_text(f"""\
sources:
  github:
    on: true
    organisation: {github.organisation}
    endpoint: {github.endpoint}
    {sign_in}
controls:
  on: [github-merge-no-failed-check]
""")
    return home


@pytest.fixture(scope="module")
def owner(vouch, github, tmp_path_factory):
    """The home of a company that lets Vouch read with an owner's token."""
    home = home_of(vouch, tmp_path_factory.mktemp("owner"), github, "token: {env: GITHUB_TOKEN}", GITHUB_TOKEN=github.token("eng-00"))
    home.collect()
    return home


@pytest.fixture(scope="module")
def app(vouch, github, tmp_path_factory):
    """The home of one that lets it read as an App."""
    folder = tmp_path_factory.mktemp("app")
    key = folder / "app.pem"
    key.write_text(github.app_key)
    key.chmod(0o600)
    home = home_of(vouch, folder, github, f"app: {{id: {github.app_id}, key: {{file: {key}}}}}")
    home.collect(code=(PASS, FAILS, UNDECIDED))
    return home


def failing(home, control):
    return {name for name, member in home.members(control).items() if member["verdict"] == "fail"}


def of_acme(names):
    return {f"acme/{name}" for name in names}


def test_exactly_the_merges_that_were_planted_are_not_approved(owner, github):
    wrong = github.plan.wrong
    planted = wrong["merge without review"] + wrong["merge with a stale approval"] + wrong["merge approved by a machine"]
    assert failing(owner, "github-merge-approved") == of_acme(planted)
    assert set(owner.members("github-merge-approved")) == of_acme(github.plan.made["merge"])


def test_exactly_the_merges_that_were_planted_went_past_a_failed_check(owner, github):
    wrong = github.plan.wrong
    # Whoever bypassed a ruleset did so because its check had failed.
    bypassed = [merge for merge in wrong["merge that bypassed the rules"] if merge.split("#")[0] in wrong["ruleset with bypass"]]
    assert failing(owner, "github-merge-no-failed-check") == of_acme(wrong["merge with a failed check"] + bypassed)


def test_rulesets_and_classic_protection_count_alike(owner, github):
    archived = {row["full_name"] for row in owner.sql("select full_name from github_repository where archived")}
    for control in ("github-branch-protected", "github-branch-review-required", "github-branch-no-force-push", "github-branch-checks-required"):
        assert failing(owner, control) == of_acme(github.plan.wrong["repository without protection"]) - archived, control
    assert failing(owner, "github-branch-no-bypass") == of_acme(github.plan.wrong["ruleset with bypass"] + github.plan.wrong["protection that admins escape"])


def test_people_and_keys_fail_as_planted(owner, github):
    assert failing(owner, "github-member-two-factor") == set(github.plan.wrong["member without 2FA"])
    assert {name.split()[1] for name in failing(owner, "github-outsider-not-admin")} == set(github.plan.wrong["outside collaborator with admin"])
    assert {name.removeprefix("acme/").replace(" ", "/") for name in failing(owner, "github-deploy-key-read-only")} == set(github.plan.wrong["deploy key that may write"])


def test_a_merge_before_the_first_collection_is_not_held_against_rules_that_nobody_saw(owner):
    members = owner.members("github-merge-checks").values()
    assert members and all(member["verdict"] == "unknown" and "before the first observation" in member["reason"] for member in members)


def test_controls_of_a_source_that_the_home_has_not_are_not_asked(owner):
    assert not [name for name in owner.status() if not name.startswith(("github-", "collection-"))]


def test_what_an_app_cannot_see_is_unknown_and_nothing_else_is(owner, app):
    def unknown(home):
        return {(control, name) for control, counts in home.status().items() if counts["unknown"] for name, member in home.members(control).items()
                if member["verdict"] == "unknown"}

    hidden = unknown(app) - unknown(owner)
    assert {control for control, _ in hidden} == {"github-member-two-factor", "github-outsider-two-factor", "github-branch-no-bypass"}
    ruled = {row["full_name"] for row in app.sql("select distinct r.full_name from github_repository r join github_ruleset s using (repository_id)")}
    assert {name for control, name in hidden if control == "github-branch-no-bypass"} <= ruled
    assert failing(app, "github-merge-approved") == failing(owner, "github-merge-approved")


def test_no_credential_is_left_anywhere_in_the_home(owner, app, github):
    secrets = (github.token("eng-00"), github.app_key.strip().splitlines()[1])
    for home in (owner, app):
        for path in home.files("."):
            content = path.read_bytes()
            assert not any(secret.encode() in content for secret in secrets), path
