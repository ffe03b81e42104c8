"""kill -9 at any moment loses nothing that a checkpoint had promised, and the next run goes on by itself."""
import random
import re
import shutil
import subprocess
import time

import company
import pytest
from home import PASS


@pytest.fixture(scope="module")
def cloud_size(full):
    return company.SMALL if full else company.Size(buckets=12, users=8, roles=4, groups=2, keys=4, databases=2, volumes=4, instances=2,
                                                   security_groups=4, log_groups=4)


@pytest.fixture(scope="module")
def home(cloud, cloud_size, module_home):
    company.fill(cloud.endpoint, cloud_size)
    home = module_home(cloud.endpoint).init()
    home.collect()
    return home


def disturb(cloud, i):
    """A change, so that the next collection has something to commit."""
    company.Account(cloud.endpoint)("s3").put_bucket_tagging(Bucket=company.bucket_name(2), Tagging={"TagSet": [{"Key": "run", "Value": str(i)}]})


class Promise:
    """What a checkpoint has promised: its leaves stay, byte for byte, and it never shrinks."""

    def __init__(self, home):
        self.home, self.leaves = home, []

    def check(self):
        self.home.verify()
        leaves = self.home.json("log", "show", code=PASS)["leaves"]
        assert leaves[: len(self.leaves)] == self.leaves, "an entry under an earlier checkpoint is gone or changed"
        self.leaves = leaves


def test_kills_at_random_moments_of_a_collection_lose_nothing(cloud, home, full):
    own, chance = home.copy("killed"), random.Random(1)
    promise = Promise(own)
    promise.check()
    began = time.monotonic()
    own.collect()
    whole = time.monotonic() - began
    killed = 0
    for i in range(50 if full else 6):
        disturb(cloud, i)
        running = own.start("collect")
        try:
            running.wait(chance.uniform(0.0, 1.05 * whole))
        except subprocess.TimeoutExpired:
            running.kill()
            killed += 1
        running.communicate()
        promise.check()
    assert killed > 0
    own.collect()
    promise.check()
    assert own.status() == home_after(own).status(), "facts after the kills equal facts folded anew"


def home_after(home):
    """The same ledger with facts folded from nothing."""
    other = home.copy(f"{home.path.name}-folded-anew")
    (other.path / "facts.duckdb").unlink()
    return other


# Killed as the n-th of one of these is about to happen: each is a point at which what is on disk may be torn.
DURABLE = ["fsync", "fdatasync", "rename", "renameat", "renameat2", "ftruncate", "unlink", "pwrite64"]


def durable_steps(home, trace):
    """[(system call, n)] of one collection."""
    home.run("collect", code=PASS, prefix=["strace", "-f", "-qq", "-o", str(trace), "-e", f"trace={','.join(DURABLE)}"])
    calls = re.findall(r"^\d+ +(\w+)\(", trace.read_text(), re.MULTILINE)
    return [(call, n + 1) for call in DURABLE for n in range(calls.count(call))]


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_a_kill_before_each_durable_step_of_a_commit_loses_nothing(cloud, home, full, tmp_path):
    own = home.copy("killed-in-commit")
    disturb(cloud, "count")
    steps = durable_steps(own, tmp_path / "trace")
    assert {call for call, _ in steps} & {"fsync", "fdatasync"} and len(steps) >= 4, "a commit is made durable"
    if full:
        steps *= -(-60 // len(steps))
    else:
        steps = steps[:: max(1, len(steps) // 12)]
    promise = Promise(own)
    promise.check()
    killed = 0
    for i, (call, n) in enumerate(steps):
        disturb(cloud, f"commit-{i}")
        done = own.run("collect", prefix=["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={n}"])
        killed += done.code not in (0, 1, 2, 3, 4)
        promise.check()
    assert killed >= len(steps) * 3 // 4, f"only {killed} of {len(steps)} kills happened"
    before = len(promise.leaves)
    own.collect()
    promise.check()
    assert len(promise.leaves) == before + 1, "the run after the last kill adds one leaf"
    assert own.status() == home_after(own).status()
