"""docs/tutorial, word by word: its files are written, its commands run, and what it shows must be what comes (`…` stands for anything)."""
import json
import os
import pathlib
import re
import socket
import subprocess
import time
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "tutorial" / "README.md"
PORT, TOKEN = "8480", "example-of-a-token"
BLOCK = re.compile(r"(?:^`(?P<path>[^`\n]+)`\n\n)?^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def expected(lines):
    """A pattern: `…` alone is any lines, within a line any text; blanks at a line's end don't count."""
    pattern = "".join(r"(?:.*\n)*?" if line == "…" else re.escape(line.rstrip()).replace("…", ".*") + r"[ \t]*\n" for line in lines)
    return re.compile(pattern + r"\s*")


class Reader:
    """Someone who types what the page says, in a folder of his own."""

    def __init__(self, folder, vouch, port):
        self.folder, self.port, self.server = folder, port, None
        self.env = {"PATH": f"{vouch.parent}:{os.environ['PATH']}", "HOME": str(folder), "LANG": "C.UTF-8"}

    def write(self, path, text):
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def type(self, command):
        """What it prints, without what stderr tells a person at a terminal."""
        if command.startswith("export "):
            name, value = command.removeprefix("export ").split("=")
            self.env[name] = value
            return ""
        if command.endswith("&"):
            self.server = subprocess.Popen(command.removesuffix("&").split(), cwd=ROOT)
            wait_for(self.port)
            return ""
        done = subprocess.run(["bash", "-c", command], cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=120)
        assert done.returncode in (0, 1, 2, 3), done.stderr
        return done.stdout


def wait_for(port):
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", int(port))) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("vpn.py does not listen")


@pytest.fixture
def reader(tmp_path, vouch):
    reader = Reader(tmp_path, vouch, free_port())
    yield reader
    if reader.server:
        reader.server.kill()
        reader.server.wait()


def commands(text):
    """(command, lines of output) of a console block."""
    found = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line.removeprefix("$ "), []))
        else:
            found[-1][1].append(line)
    return found


def test_the_tutorial_does_what_it_says(reader):
    page = PAGE.read_text().replace(PORT, reader.port)
    ran = written = 0
    for block in BLOCK.finditer(page):
        if block["path"]:
            reader.write(block["path"], block["text"])
            written += 1
        elif block["kind"] == "json":
            asked = urllib.request.Request(f"http://127.0.0.1:{reader.port}/api/peers", headers={"Authorization": f"Bearer {TOKEN}"})
            with urllib.request.urlopen(asked) as answer:
                assert json.load(answer) == json.loads(block["text"])
        else:
            for command, lines in commands(block["text"]):
                came = reader.type(command)
                assert expected(lines).fullmatch(came), f"$ {command}\n{came}\nbut the page says\n" + "\n".join(lines)
                ran += 1
    assert (written, ran) == (6, 9)
