"""What a newcomer does first: init, scan, status, show, next, log, catalog. On the sample company, all shipped controls."""
import base64
import json
import os
import pathlib
import stat
import subprocess
import time

import pytest
from home import BROKEN, FAILS, PASS, UNDECIDED, USAGE

VERDICTS = {"pass", "fail", "unknown", "waived", "empty"}


@pytest.fixture(scope="module")
def home(filled, module_home):
    cloud, _ = filled
    home = module_home(cloud.endpoint).init()
    home.collect()
    return home


def test_init_makes_a_home_that_keeps_its_keys_to_itself(new_home):
    home = new_home("http://127.0.0.1:1")
    home.run("init", code=PASS)
    assert "aws" in (home.path / "vouch.yaml").read_text()
    for key in (home.path / "keys").glob("*.key"):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600, key.name
    home.verify()


def test_init_takes_an_empty_folder_and_refuses_one_that_holds_a_home(new_home):
    home = new_home("http://127.0.0.1:1")
    home.path.mkdir()
    home.run("init", code=PASS)
    again = home.run("init", code=USAGE)
    assert "home" in again.err


def test_scan_needs_nothing_written_by_hand(filled, new_home):
    cloud, _ = filled
    home = new_home(cloud.endpoint, regions=None)
    done = home.run("scan", code=PASS)
    assert "SIMULATED" in done.out.upper()
    assert len(done.out.splitlines()) <= 60, "status fits a screen"


@pytest.mark.parametrize("words", [["frobnicate"], ["status", "--as-of", "yesterday-ish"], ["status", "--format", "yaml"], ["show"], ["show", "no-such-control"],
                                   ["verify", "--proof", "x"], ["collect", "--source", "nowhere"]])
def test_wrong_usage_exits_2_and_says_why(home, words):
    done = home.run(*words, code=USAGE)
    assert done.err.strip()


def test_a_folder_without_a_home_is_named(new_home):
    done = new_home("http://127.0.0.1:1").run("status", code=USAGE)
    assert "vouch init" in done.err


def test_a_reader_that_has_seen_enough_is_no_crash_and_a_full_disk_is_said(home):
    for words in (("catalog", "list", "--format", "json"), ("show", "s3-tls-only", "--format", "json")):
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(home.command(*words), env=home.env(), stdin=subprocess.DEVNULL, stdout=writing, stderr=subprocess.PIPE, timeout=60)
        os.close(writing)
        assert done.returncode in (FAILS, UNDECIDED) and done.stderr == b"", (words, done)
        with open("/dev/full", "wb") as full:
            done = subprocess.run(home.command(*words), env=home.env(), stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, timeout=60)
        assert done.returncode == UNDECIDED and b"cannot write" in done.stderr, (words, done)


def test_show_tells_how_the_population_was_come_by(home):
    shown = home.json("show", "s3-tls-only")
    [read] = shown["read"]
    assert (read["table"], read["operation"], read["requests"], read["reason"]) == ("aws_s3_bucket", "s3:ListBuckets", 1, None)
    assert read["pages"] == read["pages_there_are"] >= 1
    assert "by s3:ListBuckets: 1 request, " in home.run("show", "s3-tls-only", code=FAILS).out


def test_status_counts_add_up(home):
    answer = home.json("status", code=FAILS)
    assert answer["simulated"] is True
    assert answer["as_of"].endswith("Z")
    assert answer["checkpoint"]["size"] >= 2 and len(base64.b64decode(answer["checkpoint"]["root"])) == 32
    assert len(answer["controls"]) >= 30
    for control in answer["controls"]:
        assert control["verdict"] in VERDICTS
        assert control["population"] == control["pass"] + control["fail"] + control["unknown"] + control["waived"], control["id"]
        expected = ("fail" if control["fail"] else "unknown" if control["unknown"] else "waived" if control["waived"] else "pass" if control["population"] else "empty")
        assert control["verdict"] == expected, control["id"]
    assert {c["verdict"] for c in answer["controls"]} >= {"pass", "fail"}


def test_no_control_of_a_fully_read_account_is_unknown(home):
    unknown = {name: control for name, control in home.status().items() if control["unknown"]}
    assert not unknown


def test_status_of_some_criteria_is_part_of_the_whole(home):
    whole, part = home.status(), home.status("--criteria", "CC6")
    assert part and set(part) < set(whole)
    assert all(whole[name] == control for name, control in part.items())


def test_no_fail_turns_1_into_0(home):
    home.run("status", code=FAILS)
    home.run("status", "--no-fail", code=PASS)


@pytest.mark.parametrize("form", ["table", "csv", "md"])
def test_status_speaks_other_forms(home, form):
    done = home.run("status", "--format", form, code=FAILS)
    assert len(done.out.splitlines()) >= 5


def test_members_have_names_that_people_use(home, filled):
    _, plan = filled
    names = set()
    controls = [control for control, tables in home.tables_of_controls().items() if tables & {"aws_iam_user", "aws_s3_bucket", "aws_iam_role", "aws_kms_key"}]
    for control in controls:
        for member in home.json("show", control)["members"]:
            assert set(member) >= {"key", "name", "verdict", "basis", "since", "since_earliest", "reason", "leaf"}
            assert member["verdict"] in VERDICTS and member["basis"] == "snapshots"
            assert (member["reason"] is None) == (member["verdict"] not in ("fail", "unknown")), (control, member)
            assert member["since"] is None or member["since"].endswith("Z")
            names.add(member["name"])
    assert names >= set(plan.made["user"]) and names >= set(plan.made["bucket"])
    assert names & set(plan.made["role"])


def test_a_verdict_goes_down_to_the_bytes_that_the_provider_sent(home, filled):
    _, plan = filled
    bucket = plan.wrong["bucket without TLS"][0]
    control = next(name for name, tables in home.tables_of_controls().items() if "aws_s3_bucket_policy" in tables or "aws_s3_bucket_policy_statement" in tables)
    shown = home.json("show", control, plan.made["bucket"][0])
    assert [m["name"] for m in shown["members"]] == [plan.made["bucket"][0]]
    bodies = [e for e in shown["members"][0]["evidence"] if e["operation"] == "s3:GetBucketPolicy"]
    assert bodies and bodies[0]["params"]["Bucket"] == plan.made["bucket"][0]
    body = home.run("log", "show", "--blob", bodies[0]["body"], code=PASS).out
    assert json.loads(body)["Statement"][0]["Sid"] == "TLS"
    absent = home.json("show", control, bucket)["members"][0]["evidence"]
    refusals = [e["body"] for e in absent if e["operation"] == "s3:GetBucketPolicy"]
    assert refusals and "NoSuchBucketPolicy" in home.run("log", "show", "--blob", refusals[0], code=PASS).out
    leaf = home.json("log", "show", bodies[0]["leaf"], code=PASS)["leaves"][0]["leaf"]
    assert leaf["kind"] == "collection" and leaf["tree"] == bodies[0]["tree"] and leaf["simulated"] is True


def test_next_names_at_most_ten_mends(home):
    done = home.run("next", code=PASS)
    assert 2 <= len(done.out.splitlines()) <= 16
    answer = home.json("next", code=PASS)
    fails = sum(control["fail"] for control in home.status().values())
    assert sum(mend["clears"] for mend in answer["mends"]) == fails == answer["failing"]
    mends = {control["mend"] or control["id"] for control in home.json("catalog", "list")["controls"]}
    assert {mend["mend"] for mend in answer["mends"]} <= mends


def test_a_proof_verifies_anywhere_and_a_changed_one_nowhere(home, tmp_path):
    checkpoint = home.json("log", "checkpoint", code=PASS)
    proof = tmp_path / "leaf.proof"
    home.run("log", "export", "--leaf", 0, "--leaf", 1, proof, code=PASS)
    stranger = type(home)(home.vouch, tmp_path / "nowhere" / "home", "http://127.0.0.1:1")
    (tmp_path / "nowhere").mkdir()
    answer = stranger.json("verify", "--proof", proof, "--key", checkpoint["key"], code=PASS)
    assert [leaf["index"] for leaf in answer["leaves"]] == [0, 1]
    good = proof.read_bytes()
    for at in range(0, len(good), max(1, len(good) // 40)):
        proof.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1:])
        done = stranger.run("verify", "--proof", proof, "--key", checkpoint["key"])
        assert done.code == BROKEN, f"bit 0 of byte {at} of {len(good)} changed ({good[max(0, at - 10):at + 10]!r}), exit {done.code}"
    proof.write_bytes(good)
    name, number, key = checkpoint["key"].split("+", 2)
    other = f"{name}+{number}+{key[:-4]}{'AAAA' if not key.endswith('AAAA') else 'BBBB'}"
    assert stranger.run("verify", "--proof", proof, "--key", other).code in (USAGE, BROKEN)


def test_log_proofs_have_the_length_that_the_tree_demands(home):
    size = home.json("log", "checkpoint", code=PASS)["checkpoint"]["size"]
    assert len(home.json("log", "proof", "--leaf", 0, code=PASS)["hashes"]) == (size - 1).bit_length()
    assert home.json("log", "proof", "--older", size, code=PASS)["hashes"] == []
    home.run("log", "proof", "--leaf", size, code=(USAGE, UNDECIDED))


def test_every_control_of_the_catalogue_is_sound(home):
    answer = home.json("catalog", "check", code=PASS)
    assert answer["problems"] == [] and answer["controls"] >= 30 and answer["expectations"] >= answer["controls"]
    listed = home.json("catalog", "list", code=PASS)["controls"]
    assert sum(len(control["tables"]) >= 2 for control in listed) >= 10, "ten controls join tables"
    assert all(control["statement"] and control["remedy"] and control["mend"] and control["kind"] in ("state", "event", "periodic") and control["shelf"] in ("soc2", "hardening") and control["criteria"] for control in listed)


def test_the_readme_counts_what_the_catalogue_holds(home):
    checked = home.json("catalog", "check", code=PASS)
    shelves = [control["shelf"] for control in home.json("catalog", "list", code=PASS)["controls"]]
    root = pathlib.Path(__file__).resolve().parents[2]
    on, more = shelves.count("soc2"), shelves.count("hardening")
    readme = " ".join((root / "README.md").read_text().split())
    assert f"{checked['operations']} operations, {checked['tables']} fact tables and {checked['controls']} controls ({on} that" in readme
    assert f"; {more} more for hardening" in readme
    assert f"which of {checked['controls']} controls hold ({on} of them" in (root / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("name, text, line, rest", [
    ("controls/own/own-sql.yaml", "id: own-sql\nkind: state\nstatement: s\nseverity: low\nowner: o\npopulation: select account, bucket from aws_s3_bucket\nfails: select acount, bucket, 'x' as reason from aws_s3_bucket\nmend: m\nremedy: r\n", 7, 1),
    ("controls/own/own-table.yaml", "id: own-table\nkind: state\nstatement: s\nseverity: low\nowner: o\npopulation: select account from aws_no_such_thing\nfails: select account, 'x' as reason from aws_account\nmend: m\nremedy: r\n", 6, 1),
    ("controls/own/own-key.yaml", "id: own-key\nkind: state\nstatment: s\n", 3, 1),
    ("frameworks/own.yaml", None, None, 1),
])
def test_a_broken_catalogue_file_is_named_by_line_and_the_rest_goes_on(home, name, text, line, rest):
    own = home.copy(f"own-{name.replace('/', '-')}")
    file = own.path / "catalog" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text or "this is: [no yaml\n")
    done = own.run("catalog", "check", code=USAGE)
    where = f"{os.path.basename(name)}:{line}" if line else os.path.basename(name) + ":"
    assert where in done.out + done.err, done.out + done.err
    shipped, still = home.status(), own.status()
    assert {name: c["verdict"] for name, c in shipped.items()}.items() <= {name: c["verdict"] for name, c in still.items()}.items()


def test_a_home_may_add_a_control_and_override_a_shipped_one(home):
    own = home.copy("own-control")
    folder = own.path / "catalog" / "controls" / "own"
    folder.mkdir(parents=True)
    (folder / "own-bucket-name.yaml").write_text("""id: own-bucket-name
kind: state
statement: Every bucket's name tells the company.
severity: low
owner: platform
population: select account, bucket from aws_s3_bucket
fails: select account, bucket, 'nameless' as reason from aws_s3_bucket where bucket not like '%-sample-company'
mend: rename
remedy: Rename it.
""")
    (folder / "own-bucket-name.scenario").write_text("expect own-bucket-name empty  at 2026-01-01T00:00Z\n")
    own.run("catalog", "check", code=PASS)
    control = own.status()["own-bucket-name"]
    assert control["verdict"] == "pass" and control["population"] == home.sql("select count(*) as n from aws_s3_bucket")[0]["n"]


def test_an_unchanged_collection_adds_one_leaf_and_hardly_a_byte(home):
    own = home.copy("unchanged")
    own.collect()  # a report that dates itself may differ once
    before, checkpoint = sum(f.stat().st_size for f in own.files("ledger", "blobs")), own.json("status")["checkpoint"]
    answer = own.json("collect", code=PASS)
    run = answer["runs"][0]
    assert run["unchanged"] is True and run["counts"]["new_bodies"] == 0 and answer["facts"] == {"opened": 0, "closed": 0}, answer
    assert answer["checkpoint"]["size"] == checkpoint["size"] + 1
    added = sum(f.stat().st_size for f in own.files("ledger", "blobs")) - before
    assert added <= 4096, f"{added} bytes were added"
    own.verify()


def test_a_second_writer_is_refused_with_the_holders_pid(filled, home, proxy):
    from proxy import Slow

    own = home.copy("two-writers")
    own.endpoint = proxy.endpoint
    proxy.when(then=Slow(0.05))
    first = own.start("collect")
    while not proxy.calls and first.poll() is None:
        time.sleep(0.01)
    second = own.run("collect", timeout=400)
    first.communicate(timeout=300)
    assert first.returncode == PASS
    assert second.code == PASS or str(first.pid) in second.err, "it waits its turn, or says who holds the ledger"
    own.verify()


def test_no_secret_is_written_anywhere(home):
    for path in home.files("ledger", "blobs"):
        assert b"example-of-a-secret-key" not in path.read_bytes()
    everything = home.run("log", "show", code=PASS)
    assert "example-of-a-secret-key" not in everything.out + everything.err
