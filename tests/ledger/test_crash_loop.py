"""A process is killed while it appends, again and again: whatever it had acknowledged is there afterwards, and sound."""
import pathlib
import random
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def tool(request):
    beside = pathlib.Path(request.config.getoption("--vouch")).parent / "ledger_tool"
    path = beside if beside.exists() else ROOT / "build" / "ledger_tool"
    assert path.exists(), f"{path} is not built (ninja test_tools)"

    def run(*words, code=0):
        done = subprocess.run([path, *map(str, words)], capture_output=True, text=True, timeout=300)
        assert done.returncode == code, f"{words}: {done.returncode} {done.stderr}"
        return done.stdout

    run.path = path
    return run


def killed_while_appending(tool, home, seed, seconds):
    """The last size that the process had acknowledged before it was killed; None when it had acknowledged nothing."""
    process = subprocess.Popen([tool.path, "run", home, str(seed)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(seconds)
    assert process.poll() is None, process.stderr.read().decode()
    process.kill()
    said = process.communicate()[0].decode()
    sizes = said[: said.rfind("\n") + 1].split()
    return int(sizes[-1]) if sizes else None


def test_what_was_acknowledged_survives_kill_9(tool, tmp_path, full):
    home, seed, kills = tmp_path / "home", random.randrange(1 << 30), 300 if full else 60
    print(f"seed {seed}")
    chance = random.Random(seed)
    tool("create", home, "vouch.example/crash")
    acknowledged, progressed = 0, 0
    for kill in range(kills):
        last = killed_while_appending(tool, home, seed + kill, chance.uniform(0.005, 0.25))
        if last is not None:
            assert last > acknowledged
            acknowledged, progressed = last, progressed + 1
        # Every other time the next writer has to finish what was left, not the check.
        if kill % 2 == 0:
            acknowledged = int(tool("check", home, acknowledged))
    assert int(tool("check", home, acknowledged)) >= acknowledged
    assert progressed > kills / 3, f"only {progressed} of {kills} processes had appended anything"
    # A pack that was cut off waits for the next writer of packs to clear it away; of the log nothing is left beside its folder.
    left = [p.name for p in home.iterdir() if not p.name.startswith("pack.tmp-")]
    assert sorted(left) == ["blobs", "keys", "ledger", "ledger.lock"]


def test_one_commit_costs_one_sync(tool, tmp_path):
    """The acknowledgement waits for one fdatasync; files are synced later, many commits at a time."""
    home, trace, count = tmp_path / "home", tmp_path / "trace", 2000
    tool("create", home, "vouch.example/syncs")
    calls = "fsync,fdatasync,syncfs,msync,sync"
    subprocess.run(["strace", "-f", "-qq", "-e", f"trace={calls}", "-o", trace, tool.path, "single", home, str(count)], check=True, timeout=600)
    syncs = sum("resumed" not in line and "(" in line for line in trace.read_text().splitlines())
    assert count <= syncs <= 1.2 * count, f"{syncs} syncs for {count} commits"
    assert tool("verify", home).startswith(f"{count} leaves")


def test_a_second_writer_is_refused_and_told_who_writes(tool, tmp_path):
    home = tmp_path / "home"
    tool("create", home, "vouch.example/busy")
    process = subprocess.Popen([tool.path, "run", home, "1"], stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline()
        done = subprocess.run([tool.path, "append", home, "1"], capture_output=True, text=True, timeout=60)
        assert done.returncode == 2 and "busy" in done.stderr and str(process.pid) in done.stderr, done.stderr
        assert tool("verify", home)
    finally:
        process.kill()
        process.wait()
