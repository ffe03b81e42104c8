"""The rigs that are programs of their own, each a test here, so that one run counts them all."""
import subprocess
import sys

import pytest
from conftest import ROOT

MODELS = ROOT / ".deps" / "botocore" / "botocore" / "data"


def run(*command):
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=550)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    return done.stdout


@pytest.fixture(scope="session")
def wire_tool(vouch):
    path = vouch.parent / "wire_tool"
    if not path.exists() and "asan" in vouch.parent.name:
        pytest.skip("wire_tool is tested in the release build")
    return path


@pytest.mark.parametrize("part", ["serialise", "parse", "error", "sign", "endpoint", "page"])
def test_the_wire_agrees_with_botocore(wire_tool, part, full):
    run(sys.executable, "tests/wire/differential.py", wire_tool, MODELS, "--only", part, *(["--count", "20"] if full else []))


def test_the_wire_speaks_to_real_servers(wire_tool):
    run(sys.executable, "tests/wire/live.py", wire_tool, MODELS, ROOT / ".deps" / "go" / "bin" / "versitygw")
