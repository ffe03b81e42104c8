"""What goes wrong between Vouch and a cloud, and what it may never be mistaken for."""
import os
import random
import subprocess

import company
import pytest
import yaml
from conftest import ROOT
from home import FAILS, PASS, UNDECIDED, Home
from proxy import Answer, Deny, Garbage, Hang, Html500, Reset, Throttle, Truncate


@pytest.fixture(scope="module")
def whole(filled, module_home):
    """A home that could read all: what every fault is compared with."""
    cloud, _ = filled
    home = module_home(cloud.endpoint).init()
    home.collect()
    return home


def tables_from(service, *operations):
    """The fact tables that the answers to these operations fill."""
    tables = set()
    for file in (ROOT / "catalog" / "facts").rglob("*.yaml"):
        for table in yaml.safe_load(file.read_text()):
            from_service, operation = table["from"].split(":")
            if from_service == service and (not operations or operation in operations):
                tables.add(table["table"])
    assert tables
    return tables


def reading(home, tables):
    """The controls that read one of these tables."""
    return {control for control, reads in home.tables_of_controls().items() if reads & tables}


def collect_through(proxy, new_home, code=PASS):
    home = new_home(proxy.endpoint).init()
    answer = home.json("collect", code=code, timeout=900)
    home.verify()
    return home, answer["runs"][0]


def check_hole(whole, home, hole):
    """`hole`: {control: names that must be unknown, or None for every member}. All else is as it is without the fault."""
    before, now = whole.status(), home.status()
    assert now.keys() == before.keys()
    for control in before.keys() - hole.keys():
        assert now[control] == before[control], f"{control} reads nothing that is missing"
    for control, lost in hole.items():
        members = home.members(control)
        if lost is None:
            assert all(member["verdict"] == "unknown" for member in members.values()), control
            assert now[control]["verdict"] == "unknown", f"{control}: nothing known must not look like nothing there"
            continue
        truth = whole.members(control)
        assert set(members) == set(truth), control
        for name, member in truth.items():
            expected = "unknown" if name in lost else member["verdict"]
            assert members[name]["verdict"] == expected, f"{control} of {name}: {members[name]['verdict']}, not {expected}"
            assert expected != "unknown" or members[name]["reason"], f"{control} of {name} does not say why"


# ---- A whole service ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault, outcome", [
    (Deny(), "denied"), (Html500(), "failed"), (Garbage(), "failed"), (Truncate(), "failed"), (Reset(), "failed"), (Throttle(), "failed"),
    (Answer(501, "NotImplemented"), "failed"), (Answer(404, "UnknownOperationException"), "failed")],
    ids=lambda value: type(value).__name__ + (str(value.status) if isinstance(value, Answer) else "") if not isinstance(value, str) else value)
@pytest.mark.parametrize("service", ["kms"])
def test_a_service_that_fails_is_unknown_in_what_reads_it_and_nowhere_else(whole, proxy, new_home, full, service, fault, outcome):
    if isinstance(fault, Throttle) and not full:
        pytest.skip("waits as long as a throttled client should: --full")
    proxy.when(service=service, then=fault)
    home, run = collect_through(proxy, new_home)
    assert run["outcome"] == "partial"
    lost = {entry["operation"]: entry for entry in run["incomplete"]}
    assert lost and all(operation.startswith(f"{service}:") for operation in lost)
    assert lost[f"{service}:ListKeys"]["outcome"] == outcome and lost[f"{service}:ListKeys"]["reason"]
    touched = reading(home, tables_from(service))
    assert touched
    check_hole(whole, home, {control: None for control in touched})
    assert home.run("status").code in (FAILS, UNDECIDED)


@pytest.mark.parametrize("service", ["iam", "ec2", "s3", "rds", "logs", "cloudtrail", "cloudwatch"])
def test_a_denied_service_is_never_taken_for_an_empty_one(whole, proxy, new_home, service):
    proxy.when(service=service, then=Deny())
    home, run = collect_through(proxy, new_home)
    assert run["counts"]["denied"] > 0
    unknown = {control: None for control in reading(home, tables_from(service))}
    assert unknown
    check_hole(whole, home, unknown)


def test_a_storm_of_throttling_is_waited_out(whole, proxy, new_home):
    """The first 20 calls of each of four services are refused once before they are answered."""
    for service in ("s3", "iam", "ec2", "kms"):
        proxy.when(service=service, then=Throttle(), each=1, times=20)
    home, run = collect_through(proxy, new_home)
    assert run["outcome"] == "complete", run
    assert run["counts"]["retried"] >= 50
    check_hole(whole, home, {})


def test_resets_and_errors_that_pass_are_tried_again(whole, proxy, new_home):
    proxy.when(service="s3", operation="ListBuckets", then=Reset(), times=2)
    proxy.when(service="kms", then=Html500(), times=3)
    proxy.when(service="rds", then=Truncate(), times=1)
    home, run = collect_through(proxy, new_home)
    assert run["outcome"] == "complete" and run["counts"]["retried"] >= 4, run
    check_hole(whole, home, {})


def test_a_server_that_hangs_costs_its_own_answers_only(whole, proxy, new_home, full):
    if not full:
        pytest.skip("waits for time-outs: --full")
    proxy.when(service="rds", operation="DescribeDBInstances", then=Hang())
    home, run = collect_through(proxy, new_home)
    assert {entry["operation"] for entry in run["incomplete"]} == {"rds:DescribeDBInstances"}
    check_hole(whole, home, {control: None for control in reading(home, tables_from("rds", "DescribeDBInstances"))})


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9", "http://127.0.0.1:1"])
def test_an_account_that_cannot_be_reached_ends_undecided(new_home, endpoint):
    home = new_home(endpoint).init()
    done = home.run("collect", code=UNDECIDED, timeout=900)
    assert "127.0.0.1" in done.out + done.err
    home.verify()


def test_refused_credentials_end_undecided_and_name_the_call(proxy, new_home):
    proxy.when(then=Answer(403, "InvalidClientTokenId"))
    home = new_home(proxy.endpoint).init()
    done = home.run("collect", code=UNDECIDED)
    assert "InvalidClientTokenId" in done.out + done.err and "example-of-a-secret-key" not in done.out + done.err
    home.verify()


def test_what_cannot_be_read_any_more_is_unknown_and_not_what_it_was(whole, proxy, new_home):
    home, _ = collect_through(proxy, new_home)
    assert home.status()[next(iter(reading(home, tables_from("kms"))))]["unknown"] == 0
    proxy.when(service="kms", then=Deny())
    home.collect()
    for control in reading(home, tables_from("kms")):
        status = home.status()[control]
        assert status["unknown"] == status["population"] and status["verdict"] == "unknown", (control, status)


# ---- One bucket of many ------------------------------------------------------------------------------------------------

OWN = {
    "outer": "select b.account, b.bucket, 'no rule' as reason from aws_s3_bucket b left join aws_s3_bucket_encryption e using (account, bucket) where e.key_arn is null",
    "inner": "select b.account, b.bucket, 'not ours' as reason from aws_s3_bucket b join aws_s3_bucket_encryption e using (account, bucket) where e.algorithm <> 'aws:kms'",
    "anti": "select b.account, b.bucket, 'nothing' as reason from aws_s3_bucket b where not exists (select 1 from aws_s3_bucket_encryption e where e.bucket = b.bucket and e.account = b.account)",
    "not-in": "select account, bucket, 'no policy' as reason from aws_s3_bucket where bucket not in (select bucket from aws_s3_bucket_policy)",
    "policy-inner": "select b.account, b.bucket, 'has one' as reason from aws_s3_bucket b join aws_s3_bucket_policy p using (account, bucket)",
    "tags-anti": "select b.account, b.bucket, 'no owner' as reason from aws_s3_bucket b where not exists (select 1 from aws_s3_bucket_tag t where t.bucket = b.bucket and t.tag = 'owner')",
    "tags-outer": "select b.account, b.bucket, 'no owner' as reason from aws_s3_bucket b left join aws_s3_bucket_tag t on t.bucket = b.bucket and t.account = b.account and t.tag = 'owner' where t.tag is null",
}


def with_own_controls(home):
    folder = home.path / "catalog" / "controls" / "own"
    folder.mkdir(parents=True)
    for name, fails in OWN.items():
        (folder / f"own-{name}.yaml").write_text(yaml.safe_dump({
            "id": f"own-{name}", "kind": "state", "statement": "A test.", "severity": "low", "owner": "platform",
            "population": "select account, bucket from aws_s3_bucket", "fails": fails, "mend": f"own-{name}", "remedy": "None."}))
    return home


@pytest.fixture(scope="module")
def whole_with_own(filled, module_home):
    cloud, _ = filled
    home = with_own_controls(module_home(cloud.endpoint).init())
    home.collect()
    for name in OWN:
        found = {member["verdict"] for member in home.members(f"own-{name}").values()}
        # A bucket without any rule is what real S3 no longer has, and some stand-ins neither: then nobody fails the anti join.
        assert found == {"pass", "fail"} or (name == "anti" and found == {"pass"}), f"own-{name} tells nothing apart: {found}"
    return home


ONE = [("GetBucketEncryption", "ServerSideEncryptionConfigurationNotFoundError"), ("GetBucketPolicy", "NoSuchBucketPolicy"), ("GetBucketTagging", "NoSuchTagSet")]


def one_bucket(whole, proxy, new_home, operation, fault, bucket):
    """Collects while one bucket's answer to one operation is `fault`, and checks that exactly that is unknown."""
    proxy.when(service="s3", operation=operation, resource=bucket, then=fault)
    home = with_own_controls(new_home(proxy.endpoint).init())
    run = home.json("collect", code=PASS)["runs"][0]
    home.verify()
    hole = {}
    for control in reading(home, tables_from("s3", operation)):
        named = any("bucket" in member["key"] and member["key"]["bucket"] == bucket for member in home.members(control).values())
        # A control whose members are no buckets cannot be told for whoever the missing answer might concern: all its members.
        hole[control] = {bucket} if named else set(whole.members(control))
    own = {f"own-{name}" for name, sql in OWN.items() if any(table in sql for table in tables_from("s3", operation))}
    assert own and own <= set(hole)
    check_hole(whole, home, hole)
    return run


@pytest.mark.parametrize("operation, absent", ONE)
def test_one_bucket_of_many_that_may_not_be_read_is_unknown_in_exactly_what_reads_it(whole_with_own, filled, proxy, new_home, operation, absent):
    _, plan = filled
    bucket = random.Random(operation).choice(plan.made["bucket"])
    run = one_bucket(whole_with_own, proxy, new_home, operation, Deny(), bucket)
    assert run["counts"]["denied"] == 1
    assert [(entry["operation"], entry["outcome"]) for entry in run["incomplete"]] == [(f"s3:{operation}", "partial")]
    assert f"1 of {len(plan.made['bucket'])}" in run["incomplete"][0]["reason"]


@pytest.mark.parametrize("operation, absent", ONE)
def test_the_test_above_catches_a_program_that_takes_403_for_empty(whole_with_own, filled, proxy, new_home, operation, absent):
    """A mutant that reads "denied" as "there is none" sees, in effect, this world: the check must fail on it."""
    _, plan = filled
    bucket = random.Random(operation).choice(plan.made["bucket"])
    with pytest.raises(AssertionError):
        one_bucket(whole_with_own, proxy, new_home, operation, Answer(404, absent), bucket)


@pytest.mark.parametrize("fault", [Html500(), Truncate(), Garbage(), Reset(), Throttle()], ids=lambda fault: type(fault).__name__)
def test_one_bucket_whose_answer_is_broken_is_unknown_too(whole_with_own, filled, proxy, new_home, full, fault):
    if isinstance(fault, Throttle) and not full:
        pytest.skip("waits as long as a throttled client should: --full")
    one_bucket(whole_with_own, proxy, new_home, "GetBucketPolicy", fault, filled[1].made["bucket"][4])


def test_a_bucket_that_vanishes_between_its_listing_and_its_own_call_is_no_hole(whole_with_own, proxy, new_home):
    proxy.when(service="s3", operation="GetBucketPolicy", resource=company.bucket_name(4), then=Answer(404, "NoSuchBucket"))
    home = with_own_controls(new_home(proxy.endpoint).init())
    run = home.json("collect", code=PASS)["runs"][0]
    assert run["outcome"] == "complete" and run["counts"]["denied"] == run["counts"]["failed"] == 0
    assert home.status()["own-policy-inner"]["unknown"] == 0


# ---- The disk ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def tiny_disk(tmp_path):
    """tiny_disk(bytes) -> a folder on a file system of that size."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(size):
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
        return folder

    yield mount
    subprocess.run(["umount", folder], capture_output=True)


@pytest.mark.parametrize("room_kib", [0, 12, 64])
def test_a_full_disk_is_named_and_the_ledger_stays_whole(filled, vouch, tiny_disk, room_kib):
    cloud, _ = filled
    disk = tiny_disk("64m")
    home = Home(vouch, disk / "home", cloud.endpoint).init()
    home.collect()
    company.Account(cloud.endpoint)("iam").create_user(UserName=f"new-{room_kib}")
    free = os.statvfs(disk)
    with open(disk / "filler", "wb") as filler:
        filler.write(b"\0" * max(0, free.f_bavail * free.f_frsize - room_kib * 1024))
    before = home.json("log", "checkpoint", code=PASS)["checkpoint"]
    done = home.run("collect")
    if done.code != PASS:
        assert done.code == UNDECIDED, done
        assert "No space left" in done.err and str(disk) in done.err, done.err
    home.verify()
    assert home.json("log", "checkpoint", code=PASS)["checkpoint"]["size"] >= before["size"]
    (disk / "filler").unlink()
    home.collect()
    home.verify()
    assert home.sql(f"select count(*) as n from aws_iam_user where user_name = 'new-{room_kib}'") == [{"n": 1}]
