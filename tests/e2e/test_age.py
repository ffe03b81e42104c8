"""Ages: a verdict changes at the microsecond at which it must, with no collection in between."""
import datetime
import time

import company
import pytest
from home import PASS, USAGE, instant

UTC = datetime.timezone.utc
MICROSECOND = datetime.timedelta(microseconds=1)


def text(instant):
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def own_control(home, fails, **more):
    lines = {"id": "own-key-age", "kind": "state", "statement": "Keys are younger than 90 days.", "severity": "high", "owner": "platform",
             "population": "select account, user_id, access_key_id from aws_iam_access_key", "fails": fails, "mend": "rotate", "remedy": "Rotate.", **more}
    folder = home.path / "catalog" / "controls" / "own"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "own-key-age.yaml").write_text("".join(f"{name}: {value}\n" for name, value in lines.items()))
    (folder / "own-key-age.scenario").write_text("expect own-key-age empty  at 2026-01-01T00:00Z\n")


def key_made(cloud, created):
    iam = company.Account(cloud.endpoint)("iam")
    login = f"aging-{created:%M%S%f}"
    iam.create_user(UserName=login)
    key = iam.create_access_key(UserName=login)["AccessKey"]["AccessKeyId"]
    cloud.backdate("access_key", key, created)
    return key


@pytest.mark.parametrize("comparison", [
    "created < as_of() - interval 90 day", "created + interval 90 day < as_of()", "as_of() - interval 90 day > created",
    "not (created >= now() - interval 90 day)", "as_of() > created + interval 60 day + interval 30 day"])
def test_a_key_fails_from_the_microsecond_in_which_it_becomes_too_old(cloud, new_home, comparison):
    home = new_home(cloud.endpoint, regions=(company.HOME,)).init()
    own_control(home, f"select account, user_id, access_key_id, 'old' as reason from aws_iam_access_key where {comparison}")
    began = time.monotonic()
    home.collect()
    home.members("own-key-age")
    # Far enough off to be seen young first, however slow this machine is today.
    turns = datetime.datetime.now(UTC) + datetime.timedelta(seconds=3 + 2 * (time.monotonic() - began))
    key = key_made(cloud, turns - datetime.timedelta(days=90))
    home.collect()
    size = home.json("status")["checkpoint"]["size"]
    young = home.members("own-key-age")[key]
    assert datetime.datetime.now(UTC) < turns, "the machine is too slow for this test: the key turned before it was seen young"
    assert young["verdict"] == "pass"
    time.sleep(max(0.0, (turns - datetime.datetime.now(UTC)).total_seconds()) + 0.3)

    assert home.members("own-key-age")[key]["verdict"] == "fail"
    assert home.status()["own-key-age"]["fail"] >= 1
    assert home.members("own-key-age", "--as-of", text(turns))[key]["verdict"] == "pass", "at 90 days exactly it is not older than 90 days"
    old = home.members("own-key-age", "--as-of", text(turns + MICROSECOND))[key]
    assert old["verdict"] == "fail"
    assert instant(old["since"]) == turns + MICROSECOND, "the clock dates it, to the microsecond"
    assert old["since_earliest"] is None
    assert home.json("status")["checkpoint"]["size"] == size, "no collection came between"


def test_a_shipped_control_judges_the_age_of_keys(cloud, new_home):
    old = key_made(cloud, datetime.datetime.now(UTC) - datetime.timedelta(days=400))
    young = key_made(cloud, datetime.datetime.now(UTC) - datetime.timedelta(days=1))
    home = new_home(cloud.endpoint, regions=(company.HOME,)).init()
    home.collect()
    told = []
    for control in (control for control, tables in home.tables_of_controls().items() if "aws_iam_access_key" in tables):
        by_key = {member["key"].get("access_key_id"): member["verdict"] for member in home.members(control).values()}
        told.append((by_key.get(old), by_key.get(young)))
    assert ("fail", "pass") in told, told


@pytest.mark.parametrize("comparison", [
    "date_trunc('month', as_of()) > created", "year(as_of()) > year(created)", "extract(epoch from as_of()) * 2 > 0", "created < as_of() - (as_of() - created)",
    "as_of() - created > interval 90 day and random() < 0.5", "created < current_localtimestamp()", "created < localtimestamp - interval 90 day"])
def test_an_age_that_cannot_be_computed_is_refused_without_a_tick(cloud, new_home, comparison):
    home = new_home(cloud.endpoint).init()
    own_control(home, f"select account, user_id, access_key_id, 'old' as reason from aws_iam_access_key where {comparison}")
    done = home.run("catalog", "check", code=USAGE)
    assert "own-key-age.yaml:7: `fails`" in done.out + done.err, done.out


def test_a_tick_makes_any_age_allowed(cloud, new_home):
    home = new_home(cloud.endpoint).init()
    own_control(home, "select account, user_id, access_key_id, 'old' as reason from aws_iam_access_key where date_trunc('month', as_of()) > created", tick="1d")
    home.run("catalog", "check", code=PASS)
