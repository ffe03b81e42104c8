"""Facts are a fold over the ledger: rebuilt the same, readable at any time, and nobody's door to the machine."""
import threading
import time

import company
import duckdb
import pytest
from home import PASS, USAGE, instant
from proxy import Slow


@pytest.fixture(scope="module")
def home(filled, module_home):
    """Three collections: all, a week's changes, some more."""
    cloud, plan = filled
    home = module_home(cloud.endpoint).init()
    home.collect()
    company.change(cloud.endpoint, plan)
    home.collect()
    iam = company.Account(cloud.endpoint)("iam")
    iam.delete_user_policy(UserName=plan.wrong["inline policy of a user"][0], PolicyName="by-hand")
    home.collect()
    return home


def dump(home):
    """Every row of every table, read with DuckDB's own client from an exported copy."""
    copy = home.path.parent / f"{home.path.name}-{time.monotonic_ns()}.duckdb"
    home.run("sql", "--export", copy, code=PASS)
    with duckdb.connect(str(copy), read_only=True) as opened:
        names = [row[0] for row in opened.sql("select table_name from information_schema.tables where table_type = 'BASE TABLE'").fetchall()]
        return {name: sorted(map(repr, opened.sql(f'select columns(*)::varchar from "{name}"').fetchall())) for name in names if name.startswith("aws_") or name == "coverage"}


def test_a_rebuild_gives_the_same_rows_as_the_runs_did(home):
    own = home.copy("rebuilt")
    before = dump(own)
    assert sum(map(len, before.values())) > 500 and any("aws_s3_bucket" == table for table in before)
    own.run("rebuild", code=PASS)
    after = dump(own)
    assert before.keys() == after.keys()
    for table in before:
        assert before[table] == after[table], table


def test_deleting_the_facts_costs_only_time(home):
    own = home.copy("deleted")
    control = next(iter(own.status()))
    before, members, rows = own.status(), own.members(control), dump(own)
    (own.path / "facts.duckdb").unlink()
    assert own.status() == before and own.members(control) == members
    assert dump(own) == rows


def test_the_past_stays_askable(home):
    leaves = [leaf["leaf"] for leaf in home.json("log", "show", code=PASS)["leaves"] if leaf["leaf"]["kind"] == "collection"]
    first, last = leaves[0]["ended"], leaves[-1]["ended"]
    volumes = "select count(*) as n from aws_ec2_volume"
    assert home.sql(volumes, "--as-of", last)[0]["n"] == home.sql(volumes, "--as-of", first)[0]["n"] + 1
    before, after = home.status("--as-of", first), home.status("--as-of", last)
    changed = {control for control in after if before[control]["fail"] != after[control]["fail"]}
    assert changed, "the week's changes show"


def test_since_brackets_the_change(home):
    """A group that was opened between two runs: failing since the second, last seen otherwise in the first."""
    leaves = [leaf["leaf"] for leaf in home.json("log", "show", code=PASS)["leaves"] if leaf["leaf"]["kind"] == "collection"]
    before, after = home.status("--as-of", leaves[0]["ended"]), home.status()
    changed = [control for control in after if after[control]["fail"] > before[control]["fail"]]
    found = [member for control in changed for member in home.members(control).values()
             if member["verdict"] == "fail" and member["since"] and member["since_earliest"]]
    assert found
    for member in found:
        assert instant(leaves[0]["started"]) <= instant(member["since_earliest"]) < instant(member["since"]) <= instant(leaves[-1]["ended"]), member


@pytest.mark.parametrize("query", [
    "delete from aws_s3_bucket", "drop table aws_s3_bucket", "update aws_s3_bucket set bucket = 'x'", "insert into aws_account select * from aws_account",
    "create table t as select 1", "create macro m() as 1", "select * from read_csv('/etc/passwd')", "select * from read_text('/etc/passwd')",
    "select * from read_blob('/etc/passwd')", "select * from '/etc/passwd'", "select * from glob('/etc/*')", "copy aws_s3_bucket to 'out.csv'",
    "copy (select 1) to 'out.csv'", "attach 'other.db' as other", "load httpfs", "install httpfs", "pragma database_list", "set memory_limit = '1GB'",
    "set enable_external_access = true", "export database 'out'", "call pragma_version()", "select getenv('AWS_SECRET_ACCESS_KEY')", "vacuum", "checkpoint",
    "select 1; delete from aws_s3_bucket", "with x as (select * from read_json('/etc/passwd')) select * from x",
    "select (select count(*) from read_csv_auto('/etc/passwd'))", "explain analyze delete from aws_s3_bucket", "select * from duckdb_secrets()", ""])
def test_sql_only_reads_facts(home, query):
    count = home.sql("select count(*) as n from aws_s3_bucket")
    done = home.run("sql", query)
    assert done.code == USAGE, f"{query}: exit {done.code}\n{done.out}"
    assert done.err.strip() and "root:" not in done.out + done.err and "example-of-a-secret-key" not in done.out
    assert not list(home.path.parent.glob("out*")) and not list(home.path.parent.glob("other.db*"))
    assert home.sql("select count(*) as n from aws_s3_bucket") == count


@pytest.mark.parametrize("form, begins", [("json", "{"), ("csv", "bucket"), ("table", "")])
def test_sql_answers_in_each_form(home, form, begins):
    done = home.run("sql", "select bucket from aws_s3_bucket order by 1 limit 3", "--format", form, code=PASS)
    assert done.out.lstrip().startswith(begins) and "data-000-sample-company" in done.out or "backup-003-sample-company" in done.out


def test_sql_has_limits(home):
    done = home.run("sql", "select count(*) from range(1000000000) a, range(1000000000) b", timeout=240)
    assert done.code != PASS and done.err.strip()


def test_readers_never_fail_and_never_see_half_a_run(filled, home, proxy):
    """While a run goes on and lands, every answer is that of the run before or of the run after."""
    cloud, _ = filled
    own = home.copy("read-while-written")
    own.endpoint = proxy.endpoint
    proxy.when(then=Slow(0.003))
    ec2, iam = company.Account(cloud.endpoint)("ec2"), company.Account(cloud.endpoint)("iam")
    pair = "select (select count(*) from aws_ec2_volume where valid_to = 'infinity') as v, (select count(*) from aws_iam_user where valid_to = 'infinity') as u"
    base = own.sql(pair)[0]
    faults, seen, done = [], set(), threading.Event()

    def read(words):
        while not done.is_set():
            result = own.run(*words)
            if result.code not in (0, 1, 3) or (result.code == 3 and words[0] == "sql"):
                faults.append((words, result.code, result.err))
            elif words[0] == "sql":
                row = result.json()["rows"][0]
                seen.add((row["v"], row["u"]))

    control = next(iter(own.status()))
    readers = [threading.Thread(target=read, args=(words,)) for words in (["status"], ["show", control], ["sql", pair, "--format", "json"])]
    for reader in readers:
        reader.start()
    try:
        for i in range(3):
            for j in range(2):
                ec2.create_volume(AvailabilityZone=f"{company.HOME}a", Size=1)
            iam.create_user(UserName=f"while-written-{i}")
            own.collect()
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert not faults, faults[:3]
    allowed = {(base["v"] + 2 * i, base["u"] + i) for i in range(4)}
    assert seen <= allowed, f"half a run was seen: {seen - allowed}"
    assert len(seen) >= 2
    own.verify()
