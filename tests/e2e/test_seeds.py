"""Collections through a server that fails by seed. What was not seen is *unknown*, whatever went wrong: no verdict is another one than the truth.

A recorded company is served from memory. Each seed is a hand of faults, dealt so that all hands together bring every kind of fault to every operation, its
last page and single elements of a `for each` included. Half of the hands are the first collection of a home, half are the one after the company has changed:
what held before must not stand for what could not be read since.
"""
import collections
import concurrent.futures
import dataclasses
import random
import re
import shutil
import time

import codehost
import company
import duckdb
import pytest
import yaml
from cloud import Cloud
from conftest import ROOT
from github.standin import GitHub
from home import PASS, UNDECIDED, Home
from replay import ENDING, KINDS, OF_PAGES, PASSING, WAITING, Fault, Recorder, Replays, parent_of, sources

TINY = company.Size(buckets=7, users=7, roles=4, groups=3, keys=5, databases=3, volumes=4, instances=2, security_groups=8, log_groups=7, services=3)
PEOPLE, PAGE = 9, 3
ABOUT_RUNS = "collection-runs"  # tells how the run itself went
SEEDS, FEW = 500, 20

# How many items AWS is asked for at a time, where it is asked for pages at all and the simulated account has them.
PAGES = {"kms:ListKeys": {"Limit": 2}, "logs:DescribeLogGroups": {"limit": 2}, "secretsmanager:ListSecrets": {"MaxResults": 1}, "ecr:DescribeRepositories": {"maxResults": 1},
         "dynamodb:ListTables": {"Limit": 1}, "lambda:ListFunctions": {"MaxItems": 1}, "ec2:DescribeSecurityGroups": {"MaxResults": 5},
         "rds:DescribeDBInstances": {"MaxRecords": 20}, "sns:ListTopics": {}, "elbv2:DescribeLoadBalancers": {"PageSize": 1}}


def answers(home):
    """({(control, member's key): verdict}, {control: verdict}) as they stand in the home."""
    with duckdb.connect(str(home.path / "facts.duckdb"), read_only=True) as store:
        members = store.execute("select control, key, answer from vouch.verdict_member").fetchall()
        controls = store.execute("select id, answer from vouch.verdict_control").fetchall()
    return ({(control, key): answer for control, key, answer in members if control != ABOUT_RUNS},
            {control: answer for control, answer in controls if control != ABOUT_RUNS})


# ---- The companies -----------------------------------------------------------------------------------------------------------


def small_pages(home, github):
    """The home's own catalogue asks for less at a time, so that a small company has pages."""
    for file in (ROOT / "catalog" / "sources" / ("github" if github else "aws")).glob("*.yaml"):
        text = file.read_text()
        document = yaml.safe_load(text)
        document.pop("api", None)
        if github:
            operations = [yaml.safe_load(re.sub(r"first: \d+, after", f"first: {PAGE}, after", yaml.safe_dump(one).replace("per_page=100", f"per_page={PAGE}")))
                          for one in document["operations"]]
        else:
            operations = [one | {"params": one.get("params", {}) | PAGES[name]} for one in document["operations"]
                          if (name := f"{document['service']}:{one['operation']}") in PAGES]
        if operations:
            own = home.path / "catalog" / "sources" / file.parent.name / file.name
            own.parent.mkdir(parents=True, exist_ok=True)
            own.write_text(yaml.safe_dump(document | {"operations": operations}, sort_keys=False, width=10_000))


class KeylessHome(Home):
    """Whose credentials come from where a container asks for them."""

    def env(self):
        return {name: value for name, value in super().env().items() if not name.startswith(("AWS_ACCESS_KEY", "AWS_SECRET"))}


@dataclasses.dataclass
class World:
    """A company in two states: what was recorded of each, the truth of each, and a home that has collected the first."""

    name: str
    vouch: object
    folder: object
    recordings: list
    app_key: str = ""
    truths: list = dataclasses.field(default_factory=list)
    before: Home = None
    tables: dict = None  # of each control

    def home(self, replays, replay, name, before=None):
        """A new one, or a copy of `before`, which asks `replay`."""
        github = self.name == "github"
        folder = self.folder / name
        folder.mkdir()
        home = KeylessHome(self.vouch, folder / "home", replays.endpoint, () if github else tuple(company.REGIONS),
                           {"AWS_CONTAINER_CREDENTIALS_FULL_URI": replay.credentials})
        if before:
            shutil.copytree(before.path, home.path)
        else:
            home.init()
            small_pages(home, github)
        if github:
            (home.path / "app.pem").write_text(self.app_key)
            (home.path / "app.pem").chmod(0o600)
            (home.path / "vouch.yaml").write_text(f"sources:\n  aws: {{on: false}}\n  github:\n    organisation: acme\n    endpoint: {replays.endpoint}\n"
                                                  f"    app: {{id: {replay.id}, key: {{file: app.pem}}}}\n")
        return home

    def learn(self, replays):
        """The truth, by collections in which nothing fails."""
        first = replays.open(self.recordings[0])
        self.before = self.home(replays, first, f"{self.name}-before")
        self.before.collect()
        second = replays.open(self.recordings[1])
        after = self.home(replays, second, f"{self.name}-after", self.before)
        after.collect()
        assert not first.strays + second.strays, (first.strays + second.strays)[:5]
        self.truths = [answers(self.before), answers(after)]
        self.tables = self.before.tables_of_controls()
        shutil.rmtree(after.path)
        return self


def record(world, port, collect, change, replays):
    """Both states of a company, each from an empty home."""
    for state in range(2):
        if state:
            change()
        with Recorder(port) as recorder:
            collect(recorder.endpoint, state)
        recorder.recording.close(replays.port)
        world.recordings.append(recorder.recording)
    return world.learn(replays)


@pytest.fixture(scope="module")
def replays():
    with Replays() as replays:
        yield replays


@pytest.fixture(scope="module")
def github(vouch, replays, tmp_path_factory):
    folder = tmp_path_factory.mktemp("github")
    with GitHub(people=PEOPLE, limit=1_000_000, plan="enterprise") as github:
        plan = codehost.fill(github, codehost.SMALL)

        def collect(endpoint, state):
            home = Home(vouch, folder / f"recorded-{state}", endpoint, regions=(), env={"GITHUB_TOKEN": github.token("eng-00")}).init()
            small_pages(home, github=True)
            (home.path / "vouch.yaml").write_text(f"sources:\n  aws: {{on: false}}\n  github:\n    organisation: {github.organisation}\n    endpoint: {endpoint}\n"
                                                  "    token: {env: GITHUB_TOKEN}\n")
            home.collect()

        world = World("github", vouch, folder, [], github.app_key)
        return record(world, github.port, collect, lambda: codehost.change(github, plan), replays)


@pytest.fixture(scope="module")
def aws(vouch, replays, tmp_path_factory):
    folder = tmp_path_factory.mktemp("aws")
    with Cloud() as cloud:
        plan = company.fill(cloud.endpoint, TINY, age=cloud.backdate, say=cloud.answer)

        def collect(endpoint, state):
            home = Home(vouch, folder / f"recorded-{state}", endpoint).init()
            small_pages(home, github=False)
            home.collect()

        return record(World("aws", vouch, folder, []), cloud.port, collect, lambda: company.change(cloud.endpoint, plan), replays)


# ---- The hands ---------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Hand:
    seed: int
    world: str
    state: int  # 0: the first collection of a home; 1: the one after the company has changed
    faults: tuple

    def __str__(self):
        return f"seed {self.seed} ({self.world}, {'after a change' if self.state else 'the first time'}): " + "; ".join(
            f"{fault.kind} {fault.name} {fault.group if fault.group is not None else '*'}.{fault.page if fault.page is not None else '*'}" for fault in self.faults)


def is_numbered(pages):
    return all(re.search(r"[?&]page=\d+", one.call.path + "?" + one.call.query) for one in pages[1:])


def places_of(recording, name, kind, chance):
    """Where a fault of that kind may hit an operation: [(group, page)]."""
    groups = recording.groups[name]
    listings = [number for number, pages in enumerate(groups) if len(pages) > 1]
    if kind in OF_PAGES:
        # Whole answers that change places can be told apart only where pages have numbers. By opaque tokens they are another, shorter listing.
        if kind == "exchanged with its neighbour":
            listings = [number for number in listings if is_numbered(groups[number])]
        if not listings:
            return []
        listing = chance.choice(listings)
        if kind == "items in another order":
            return [(listing, None)]
        return [(listing, page) for page in {1, len(groups[listing]) - 1}]
    whole = len(groups) == 1 or chance.random() < 0.3
    if kind == "404" and "404" in sources()[name].get("absent", []):
        return []  # is the service's own word for "there is none"
    places = [(None if whole else chance.randrange(len(groups)), None)]
    if listings:
        listing = chance.choice(listings)
        places.append((listing, len(groups[listing]) - 1))
    return places


def kind_of_call(recording, name):
    """Operations of one kind are asked in the same way."""
    operation, call = sources()[name], recording.groups[name][0][0].call
    way = call.protocol if call.service else "graphql" if "graphql" in operation else "rest"
    return way, "for each" in operation, len(recording.groups[name][0]) > 1


def deal(worlds):
    """SEEDS hands, the same for the same recordings: first those that wait, then the quick ones. What waits, or ends a sign-in, hits each kind of call; all else
    hits each operation."""
    chance, quick, slow = random.Random(20261125), collections.defaultdict(list), collections.defaultdict(list)
    for world in worlds:
        names = sorted(name for name in world.recordings[0].groups if name in sources())
        kinds = collections.defaultdict(list)
        for name in chance.sample(names, len(names)):
            kinds[kind_of_call(world.recordings[0], name)].append(name)
        some = sorted(name for alike in kinds.values() for name in alike[:3])
        for kind in KINDS:
            for name in some if kind in WAITING + ENDING else names:
                state = chance.randrange(2)
                for place in places_of(world.recordings[state], name, kind, chance):
                    (slow if kind in WAITING else quick)[world.name, state].append(Fault(kind, name, *place))
    hands = []
    for (world, state), mine in sorted(slow.items()):
        chance.shuffle(mine)
        size = 2 if world == "github" else 6
        hands += [(world, state, mine[at:at + size]) for at in range(0, len(mine), size)]
    waiting, left = len(hands), SEEDS - len(hands)
    whole = sum(map(len, quick.values()))
    for number, ((world, state), mine) in enumerate(sorted(quick.items())):
        share = left * len(mine) // whole if number < len(quick) - 1 else SEEDS - len(hands)
        chance.shuffle(mine)
        hands += [(world, state, mine[at::share]) for at in range(share)]
    return [Hand(seed, world, state, tuple(faults)) for seed, (world, state, faults) in enumerate(hands)], waiting


# ---- The judge ---------------------------------------------------------------------------------------------------------------


def tables_by_operation():
    found = collections.defaultdict(set)
    for file in (ROOT / "catalog" / "facts").rglob("*.yaml"):
        for table in yaml.safe_load(file.read_text()):
            for operation in [table["from"]] if isinstance(table["from"], str) else table["from"]:
                found[operation].add(table["table"])
    return found


TABLES = tables_by_operation()
WHO = {"github:organisation", "sts:GetCallerIdentity"}


def ancestry(name):
    while name:
        yield name
        name = parent_of(name)


def touched(world, fired):
    """The controls that read what these faults hit, or what hangs on that; None: any."""
    hit = {fault.name for fault in fired}
    if hit & WHO or any(fault.kind == "expired for good" for fault in fired):
        return None
    services = {fault.name.split(":")[0] for fault in fired if fault.kind in WAITING}  # one that only waits is given up as a whole
    if "github" in services:
        return None
    operations = {name for name in sources() if hit & set(ancestry(name)) or services & {each.split(":")[0] for each in ancestry(name)}}
    tables = {table for operation in operations for table in TABLES[operation]}
    return {control for control, reads in world.tables.items() if reads & tables}


def judge(world, hand, fired, home):
    """What is neither true nor unknown for a reason, in words."""
    members, controls = answers(home)
    truth, verdicts = world.truths[hand.state]
    may = touched(world, fired)
    passing = all(fault.kind in PASSING for fault in fired)
    wrong = []
    for (control, key), verdict in members.items():
        expected = truth.get((control, key))
        if verdict == expected:
            continue
        if verdict != "unknown":
            wrong.append(f"{control} of {key} is {verdict}, not {expected}")
        elif passing:
            wrong.append(f"{control} of {key} is unknown, and all that failed was there when it was asked again")
        elif may is not None and control not in may:
            wrong.append(f"{control} of {key} is unknown, and nothing that it reads failed")
    unsure = {control for (control, _), verdict in members.items() if verdict == "unknown"}
    for control, key in truth.keys() - members.keys():
        if control not in unsure and controls.get(control) != "unknown":
            wrong.append(f"{control} has lost {key}, and is {controls.get(control)}")
    for control, verdict in controls.items():
        if verdict in ("pass", "empty") and verdict != verdicts[control]:
            wrong.append(f"{control} is {verdict}, not {verdicts[control]}")
    return wrong


@dataclasses.dataclass
class Played:
    hand: Hand
    fired: set
    wrong: list
    seconds: float
    unknown: int = 0
    requests: int = 0


def play(worlds, replays, hand):
    world = worlds[hand.world]
    replay = replays.open(world.recordings[hand.state], hand.faults)
    home = world.home(replays, replay, f"seed-{hand.seed}", world.before if hand.state else None)
    began, wrong = time.monotonic(), []
    done = home.run("collect", timeout=1500)
    seconds = time.monotonic() - began
    if done.code not in (PASS, UNDECIDED):
        wrong.append(f"collect ended with {done.code}: {done.err[-500:]}")
    checked = home.run("verify")
    if checked.code != PASS:
        wrong.append(f"verify ended with {checked.code}: {checked.err[-500:]}")
    if done.code == UNDECIDED and not (home.path / "facts.duckdb").exists():
        unknown = 0
    else:
        wrong += judge(world, hand, replay.fired, home)
        unknown = sum(verdict == "unknown" for verdict in answers(home)[0].values())
    shutil.rmtree(home.path.parent)
    return Played(hand, replay.fired, wrong, seconds, unknown, replay.requests)


def tell(played):
    """Numbers for people, and the hands that went wrong."""
    by_kind = collections.Counter(fault.kind for one in played for fault in one.fired)
    print(f"{len(played)} seeds, {sum(len(one.fired) for one in played)} of {sum(len(one.hand.faults) for one in played)} faults came up in {sum(one.requests for one in played)} requests; "
          f"{sum(one.unknown for one in played)} verdicts unknown, {sum(not one.unknown for one in played)} runs without one; "
          f"the longest took {max(one.seconds for one in played):.0f} s")
    print(", ".join(f"{kind}: {count}" for kind, count in sorted(by_kind.items())))
    bad = [one for one in played if one.wrong]
    return "\n".join(f"{one.hand}\n    " + "\n    ".join(one.wrong[:6]) + (f"\n    and {len(one.wrong) - 6} more" if len(one.wrong) > 6 else "") for one in bad)


def play_all(worlds, replays, hands, at_once):
    by_name = {world.name: world for world in worlds}
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(lambda hand: play(by_name, replays, hand), hands))


@pytest.mark.timeout(7200)
def test_whatever_fails_every_verdict_is_true_or_unknown(github, aws, replays, full):
    worlds = [github, aws]
    hands, waiting = deal(worlds)
    quick = hands[waiting:]
    if not full:
        quick = quick[:: len(quick) // FEW + 1]
    bad = tell(play_all(worlds, replays, quick, 2))
    assert not bad, f"\n{bad}"


@pytest.mark.timeout(7200)
def test_whoever_only_waits_is_given_up_in_time(github, aws, replays, full):
    if not full:
        pytest.skip("waits as long as a client should that is told to, or told nothing: --full")
    worlds = [github, aws]
    hands, waiting = deal(worlds)
    bad = tell(play_all(worlds, replays, hands[:waiting], 12))
    assert not bad, f"\n{bad}"


def test_the_truth_does_not_change_while_it_is_looked_for(github, aws, replays):
    """Verdicts hang on the hour: what was true at the beginning is true at the end."""
    for world in (github, aws):
        home = world.home(replays, replays.open(world.recordings[0]), f"{world.name}-again")
        home.collect()
        assert answers(home) == world.truths[0]
