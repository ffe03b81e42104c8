"""Ages: a verdict changes at the microsecond at which it must, with no collection in between."""
import datetime
import time

import company
from home import PASS, USAGE, instant

UTC = datetime.timezone.utc
MICROSECOND = datetime.timedelta(microseconds=1)


def text(instant):
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def own_control(home, fails, name="own-key-age", **more):
    lines = {"id": name, "kind": "state", "statement": "Keys are younger than 90 days.", "severity": "high", "owner": "platform",
             "population": "select account, user_id, access_key_id from aws_iam_access_key", "fails": fails, "mend": "rotate", "remedy": "Rotate.", **more}
    folder = home.path / "catalog" / "controls" / "own"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.yaml").write_text("".join(f"{key}: {value}\n" for key, value in lines.items()))
    (folder / f"{name}.scenario").write_text(f"expect {name} empty  at 2026-01-01T00:00Z\n")


def key_made(cloud, created):
    iam = company.Account(cloud.endpoint)("iam")
    login = f"aging-{created:%M%S%f}"
    iam.create_user(UserName=login)
    key = iam.create_access_key(UserName=login)["AccessKey"]["AccessKeyId"]
    cloud.backdate("access_key", key, created)
    return key


SPELLINGS = ["created < as_of() - interval 90 day", "created + interval 90 day < as_of()", "as_of() - interval 90 day > created",
    "not (created >= now() - interval 90 day)", "as_of() > created + interval 60 day + interval 30 day"]


def test_a_key_fails_from_the_microsecond_in_which_it_becomes_too_old(cloud, new_home):
    home = new_home(cloud.endpoint, regions=(company.HOME,)).init()
    names = [f"own-key-age-{i}" for i in range(len(SPELLINGS))]
    for name, comparison in zip(names, SPELLINGS):
        own_control(home, f"select account, user_id, access_key_id, 'old' as reason from aws_iam_access_key where {comparison}", name)
    began = time.monotonic()
    home.collect()
    for name in names:
        home.members(name)
    # Far enough off to be seen young first, however slow this machine is today.
    turns = datetime.datetime.now(UTC) + datetime.timedelta(seconds=3 + 2 * (time.monotonic() - began))
    key = key_made(cloud, turns - datetime.timedelta(days=90))
    home.collect()
    size = home.json("status")["checkpoint"]["size"]
    young = [home.members(name)[key]["verdict"] for name in names]
    assert datetime.datetime.now(UTC) < turns, "the machine is too slow for this test: the key turned before it was seen young"
    assert young == ["pass"] * len(names)
    time.sleep(max(0.0, (turns - datetime.datetime.now(UTC)).total_seconds()) + 0.3)

    for name, comparison in zip(names, SPELLINGS):
        assert home.members(name)[key]["verdict"] == "fail", comparison
        assert home.status()[name]["fail"] >= 1, comparison
        assert home.members(name, "--as-of", text(turns))[key]["verdict"] == "pass", f"at 90 days exactly it is not older than 90 days: {comparison}"
        old = home.members(name, "--as-of", text(turns + MICROSECOND))[key]
        assert old["verdict"] == "fail", comparison
        assert instant(old["since"]) == turns + MICROSECOND, f"the clock dates it, to the microsecond: {comparison}"
        assert old["since_earliest"] is None, comparison
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


REFUSED = ["date_trunc('month', as_of()) > created", "year(as_of()) > year(created)", "extract(epoch from as_of()) * 2 > 0", "created < as_of() - (as_of() - created)",
    "as_of() - created > interval 90 day and random() < 0.5", "created < current_localtimestamp()", "created < localtimestamp - interval 90 day"]


def test_an_age_that_cannot_be_computed_is_refused_without_a_tick(cloud, new_home):
    home = new_home(cloud.endpoint).init()
    for i, comparison in enumerate(REFUSED):
        own_control(home, f"select account, user_id, access_key_id, 'old' as reason from aws_iam_access_key where {comparison}", f"own-key-age-{i}")
    done = home.run("catalog", "check", code=USAGE)
    for i, comparison in enumerate(REFUSED):
        assert f"own-key-age-{i}.yaml:7: `fails`" in done.out + done.err, (comparison, done.out)


def test_a_tick_makes_any_age_allowed(cloud, new_home):
    home = new_home(cloud.endpoint).init()
    own_control(home, "select account, user_id, access_key_id, 'old' as reason from aws_iam_access_key where date_trunc('month', as_of()) > created", tick="1d")
    home.run("catalog", "check", code=PASS)
