"""`vouch init --org`: what is proposed of an organisation's units is what the next collection decides, and nothing is half-written."""
import signal
import time

import company
import pytest
from cloud import Cloud
from home import PASS, UNDECIDED, USAGE
from proxy import Answer, Deny, Hang, Proxy
from test_accounts import ROLE, assumed, client

# A name as no engineer would choose it, but AWS takes it: it ends no line, comment or text of what is written.
ODD = "a: \"b\"\\ # {c}\n      exclude: []\n/ d"
# Accounts in each unit; what is below a unit stands in a map, "" is what stands in the unit itself.
UNITS = {"Security": 1, "Workloads": {"Prod": 2, "SDLC": 1, "Lab": 1}, "Sandbox": {"": 1, "Team A": 1, "Customers": 1}, "DevPlayground": 1,
         "Payments": 1, ODD: {"Sandboxes": 1}}
IN = {"(own)": 1, "Security": 1, "Workloads/Prod": 2, "Sandbox/Customers": 1}
LOOK = {"(root)": 1, "Workloads/SDLC": 1, "Payments": 1}
OUT = {"Workloads/Lab": 1, "Sandbox": 1, "Sandbox/Team A": 1, "DevPlayground": 1, f"{ODD}/Sandboxes".replace("\n", " "): 1}


@pytest.fixture(scope="module")
def cloud():
    with Cloud(managed_policies=False) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def accounts(cloud):
    """{unit's path: [account, …]}"""
    organisation = client(cloud.endpoint, "organizations")
    organisation.create_organization(FeatureSet="ALL")
    root = organisation.list_roots()["Roots"][0]["Id"]
    found = {}

    def make(path, parent, count):
        for _ in range(count):
            number = sum(map(len, found.values()))
            account = organisation.create_account(Email=f"a-{number}@example.com", AccountName=f"a-{number}")["CreateAccountStatus"]["AccountId"]
            if parent != root:
                organisation.move_account(AccountId=account, SourceParentId=root, DestinationParentId=parent)
            found.setdefault(path, []).append(account)

    def grow(tree, path, parent):
        for name, below in tree.items():
            if not name:
                make(path, parent, below)
                continue
            unit = organisation.create_organizational_unit(ParentId=parent, Name=name)["OrganizationalUnit"]["Id"]
            deeper = f"{path}/{name}" if path else name
            grow(below if isinstance(below, dict) else {"": below}, deeper, unit)

    make("(root)", root, 1)
    grow(UNITS, "", root)
    make("closed", root, 1)
    organisation.close_account(AccountId=found["closed"][0])
    return found


def rows(out):
    """{unit: (scope, accounts, why)} of the table."""
    title, *lines = out[:out.index(" out. The whole reasons")].splitlines()[:-1]
    unit, why = title.index("unit"), title.index("why")
    found = {}
    for line in lines:
        scope, accounts = line[:unit].rsplit(maxsplit=1)
        found[line[unit:why].rstrip()] = (scope.rstrip(), int(accounts), line[why:])
    assert len(found) == len(lines)
    return found


@pytest.fixture(scope="module")
def proposed(cloud, accounts, module_home):
    with Proxy(cloud.port) as proxy:
        home = module_home(proxy.endpoint)
        home.table = home.run("init", "--org", "--role", ROLE, "--external-id", "acme-7f3a", code=PASS).out
        home.asked = dict(proxy.calls)
    home.endpoint = cloud.endpoint
    return home


def test_each_unit_is_proposed_with_its_accounts_and_a_reason(proposed, accounts):
    table = rows(proposed.table)
    assert {unit: count for unit, (scope, count, _) in table.items() if scope == "in"} == IN
    assert {unit: count for unit, (scope, count, _) in table.items() if scope == "in, look"} == LOOK
    (status,) = [unit for unit in table if unit.startswith("(") and unit not in IN | LOOK]
    assert status in ("(SUSPENDED)", "(PENDING_CLOSURE)") and table.pop(status)[:2] == ("out", 1)
    assert {unit: count for unit, (scope, count, _) in table.items() if scope == "out"} == OUT
    assert "the name says neither" in table["Payments"][2] and "change control" in table["Workloads/SDLC"][2]
    settings = (proposed.path / "vouch.yaml").read_text()
    assert f"    role: {ROLE}\n    external id: acme-7f3a\n" in settings
    for unit in IN | LOOK | OUT:
        assert f"  {unit}" in settings
    # No half collection stands at the beginning of the ledger, and no other account was entered.
    assert proposed.json("log", "checkpoint", code=PASS)["checkpoint"]["size"] == 0
    assert set(proposed.asked) == {("sts", "GetCallerIdentity")} | {("organizations", operation) for operation in (
        "DescribeOrganization", "ListAccounts", "ListRoots", "ListParents", "ListOrganizationalUnitsForParent")}


def test_the_next_collection_decides_as_it_was_printed(proposed, cloud, accounts):
    home = proposed.copy("collected")
    file = home.path / "vouch.yaml"
    file.write_text(file.read_text().replace("    # regions: ", f"    regions: [{company.HOME}]\n    # ", 1))
    with Proxy(cloud.port) as proxy:  # who is entered is the question, not what is found there
        proxy.when(service="sts", operation="AssumeRole", then=Deny())
        home.endpoint = proxy.endpoint
        answer = home.json("collect", code=UNDECIDED)
    table = rows(proposed.table)
    inside = {company.ACCOUNT} | {account for path in IN | LOOK for account in accounts.get(path, ())}
    assert {run["account"] for run in answer["runs"]} == inside and len(inside) == sum((IN | LOOK).values())
    reasons = {one["account"]: one["reason"] for one in answer["left_out"]}
    shown = {path.replace("\n", " "): found for path, found in accounts.items()}
    expected = {account: table[path][2] for path in OUT for account in shown[path]}
    closed = reasons.pop(accounts["closed"][0])
    assert closed in {why for _, _, why in table.values()} and reasons == expected and len(expected) == sum(OUT.values())
    home.verify()


def test_without_org_a_home_is_as_ever(cloud, accounts, new_home):
    home = new_home(cloud.endpoint)
    cloud.requests(reset=True)
    home.run("init", code=PASS)
    assert cloud.requests() == 0 and "    # organisation:\n" in (home.path / "vouch.yaml").read_text()
    assert "--org" in new_home(cloud.endpoint).run("init", "--role", ROLE, code=USAGE).err


def nothing_of(home):
    return not home.path.exists()


def test_what_keeps_the_list_from_us_is_said_and_nothing_is_written(cloud, accounts, new_home):
    cases = [(Answer(400, "AccessDeniedException"), "ListAccounts", "organizations:ListAccounts denied (AccessDeniedException). Allow organizations:ListAccounts there"),
             (Answer(400, "AccessDeniedException"), "ListParents", "Allow organizations:ListParents there"),
             (Answer(400, "AccessDeniedException"), "DescribeOrganization", "Allow organizations:DescribeOrganization there"),
             (Answer(400, "AWSOrganizationsNotInUseException"), "DescribeOrganization", "belongs to no organisation"),
             (Deny(), "GetCallerIdentity", "Give Vouch credentials")]
    with Proxy(cloud.port) as proxy:
        for then, operation, says in cases:
            proxy.when(operation=operation, then=then)
            home = new_home(proxy.endpoint)
            done = home.run("init", "--org", code=USAGE if "NotInUse" in then.code else UNDECIDED)
            assert done.err.startswith("vouch: nothing was made: ") and says in done.err and not done.out, done.err
            assert nothing_of(home)
            proxy.rules.clear()
    without = new_home(cloud.endpoint, env={"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""})
    assert "Give Vouch credentials" in without.run("init", "--org", code=UNDECIDED).err and nothing_of(without)
    for words, says in [(("--role", "arn:aws:iam::1:role/x"), "--role: `arn"), (("--external-id", "a b"), "--external-id: an external id has")]:
        wrong = new_home(cloud.endpoint)
        assert says in wrong.run("init", "--org", *words, code=USAGE).err and nothing_of(wrong)


def test_interrupted_it_leaves_nothing_behind(cloud, accounts, new_home, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with Proxy(cloud.port) as proxy:
        proxy.when(operation="ListParents", then=Hang())
        home = new_home(proxy.endpoint, env={"TMPDIR": str(scratch)})
        running = home.start("init", "--org")
        while not proxy.calls["organizations", "ListParents"]:
            assert running.poll() is None
            time.sleep(0.02)
        assert list(scratch.iterdir())
        running.send_signal(signal.SIGINT)
        said = running.communicate(timeout=60)[1]
    assert running.returncode == USAGE and "cancelled" in said and nothing_of(home) and not list(scratch.iterdir())


def test_from_another_account_the_list_is_read_by_the_role_in_the_managing_one(cloud, accounts, new_home):
    member = accounts["Workloads/Prod"][0]
    given = assumed(cloud.endpoint, member)
    env = {"AWS_ACCESS_KEY_ID": given["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"], "AWS_SESSION_TOKEN": given["SessionToken"]}
    table = rows(new_home(cloud.endpoint, env=env).run("init", "--org", "--role", ROLE, code=PASS).out)
    assert table["(own)"][1] == 2 and table["Workloads/Prod"][1] == 1 and table["Sandbox"][0] == "out"
    with Proxy(cloud.port) as proxy:
        proxy.when(service="sts", operation="AssumeRole", then=Deny())
        home = new_home(proxy.endpoint, env=env)
        done = home.run("init", "--org", "--role", ROLE, code=UNDECIDED)
        assert f"account {company.ACCOUNT} manages the organisation, and {member} cannot enter it" in done.err and f"Let the role `{ROLE}`" in done.err
        assert nothing_of(home)


def test_a_folder_that_holds_something_is_refused_before_anybody_is_asked(cloud, accounts, new_home, proposed):
    cloud.requests(reset=True)
    before = {file: file.read_bytes() for file in proposed.files(".")}
    assert "holds a home already" in proposed.run("init", "--org", code=USAGE).err
    assert {file: file.read_bytes() for file in proposed.files(".")} == before
    other = new_home(cloud.endpoint)
    other.path.mkdir()
    (other.path / "thesis.txt").write_text("mine")
    assert "is not an empty folder" in other.run("init", "--org", code=USAGE).err
    assert cloud.requests() == 0 and [file.name for file in other.files(".")] == ["thesis.txt"]


def test_a_catalogue_of_the_homes_own_says_what_names_mean_here(cloud, accounts, new_home):
    home = new_home(cloud.endpoint)
    file = home.path / "catalog" / "scope" / "own.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("units:\n  - names: [Payments]\n    scope: out\n    reason: sold in May\n"
                    "  - names: [Lab]\n    scope: in\n    reason: customers try things here\n"
                    "  - names: [Sandbox]\n    scope: perhaps\n    reason: who knows\n")
    done = home.run("init", "--org", "--role", ROLE, code=PASS)
    table = rows(done.out)
    assert table["Payments"] == ("out", 1, "sold in May") and table["Workloads/Lab"] == ("in", 1, "customers try things here")
    assert f"{file}:9: `perhaps` is no scope" in done.err
    assert table["Sandbox"][0] == "out"
