"""Vouch as its user runs it: the program, a home, an environment with nothing of this machine in it."""
import dataclasses
import datetime
import json
import os
import pathlib
import shutil
import subprocess

import company


def instant(text):
    """An instant of the JSON output. Texts do not sort: their fractions are as short as they can be."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


PASS, FAILS, USAGE, UNDECIDED, BROKEN = 0, 1, 2, 3, 4


@dataclasses.dataclass
class Done:
    code: int
    out: str
    err: str

    def json(self):
        return json.loads(self.out)


class Home:
    def __init__(self, vouch, path, endpoint, regions=tuple(company.REGIONS), env=None):
        self.vouch, self.path, self.endpoint, self.regions = pathlib.Path(vouch), pathlib.Path(path), endpoint, regions
        self.extra = env or {}

    def env(self):
        user = self.path.parent / "user"
        user.mkdir(exist_ok=True)
        return {"PATH": os.environ["PATH"], "HOME": str(user), "LANG": "C.UTF-8", "TZ": "Europe/Berlin",  # a zone that is not UTC, to find who forgets
                "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "example-of-a-secret-key", "AWS_REGION": company.HOME,
                "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL": self.endpoint,
                "ASAN_OPTIONS": "detect_leaks=0", **self.extra}

    def command(self, *words):
        return [str(self.vouch), "--home", str(self.path), *map(str, words)]

    def run(self, *words, code=None, timeout=300, prefix=()):
        """`code` is the exit code (or codes) that the test expects."""
        done = subprocess.run([*prefix, *self.command(*words)], env=self.env(), cwd=self.path.parent, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, errors="replace", timeout=timeout)
        result = Done(done.returncode, done.stdout, done.stderr)
        expected = (code,) if isinstance(code, int) else code
        assert expected is None or result.code in expected, f"vouch {' '.join(map(str, words))}: exit {result.code}, not {code}\n{result.out[-2000:]}\n{result.err[-4000:]}"
        return result

    def json(self, *words, code=(PASS, FAILS, UNDECIDED), **options):
        return self.run(*words, "--format", "json", code=code, **options).json()

    def start(self, *words, prefix=()):
        return subprocess.Popen([*prefix, *self.command(*words)], env=self.env(), cwd=self.path.parent, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace")

    # ---- Words that tests share ----

    def init(self):
        self.run("init", code=PASS)
        if self.regions:
            settings = self.path / "vouch.yaml"
            text = settings.read_text()
            line = f"    regions: [{', '.join(self.regions)}]\n"
            assert "# regions:" in text
            settings.write_text("".join(line if "# regions:" in old else old for old in text.splitlines(keepends=True)))
        return self

    def collect(self, code=PASS, **options):
        return self.run("collect", code=code, **options)

    def status(self, *words):
        """Controls by id."""
        return {control["id"]: control for control in self.json("status", *words)["controls"]}

    def members(self, control, *words):
        """Members of a control by name."""
        return {member["name"]: member for member in self.json("show", control, *words)["members"]}

    def sql(self, query, *words):
        return self.json("sql", query, *words, code=PASS)["rows"]

    def verify(self, code=PASS):
        return self.run("verify", code=code)

    def tables_of_controls(self):
        """Of those that are on."""
        return {control["id"]: set(control["tables"]) for control in self.json("catalog", "list")["controls"] if control["on"]}

    def files(self, *folders):
        return sorted(path for folder in folders for path in (self.path / folder).rglob("*") if path.is_file())

    def copy(self, name):
        other = Home(self.vouch, self.path.parent / name, self.endpoint, self.regions, self.extra)
        shutil.copytree(self.path, other.path)
        return other
