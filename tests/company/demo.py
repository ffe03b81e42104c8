"""The demo: Vouch against a sample company in a simulated AWS and GitHub, from the first collection to a forged byte.

    demo.py --vouch build/vouch

Everything lives in a temporary folder and two child processes; all are gone at the end, however it ends.
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import codehost
import company
from cloud import Cloud

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from github.standin import GitHub  # noqa: E402

INTEGRITY_BROKEN = 4
WEEK = 7 * 24 * 3600

GITHUB_ON = """
  github:
    organisation: {organisation}
    endpoint: {endpoint}
    token: {{env: GITHUB_TOKEN}}
"""


class Demo:
    def __init__(self, vouch, folder, cloud, github):
        self.vouch, self.folder, self.home = vouch.resolve(), folder, folder / "home"
        self.env = {"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": os.environ.get("TERM", "dumb"), "LANG": os.environ.get("LANG", "C.UTF-8"),
                    "VOUCH_HOME": str(self.home), "AWS_ENDPOINT_URL": cloud.endpoint, "AWS_REGION": company.HOME, "AWS_EC2_METADATA_DISABLED": "true",
                    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "not-a-real-secret", "GITHUB_TOKEN": github.token("eng-00")}

    def say(self, title, *lines):
        bold, plain = ("\033[1;36m", "\033[0m") if sys.stdout.isatty() else ("", "")
        print(f"\n{bold}== {title}{plain}", *lines, sep="\n", flush=True)

    def run(self, *words, expect=(0, 1, 3), quiet=False, env=None):
        """Shows the command and its output. An exit code that was not expected ends the demo."""
        if not quiet:
            print(f"\n$ vouch {' '.join(words)}", flush=True)
        done = subprocess.run([self.vouch, *words], env=self.env | (env or {}), cwd=self.folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE if quiet else None, text=True)
        if done.returncode not in expect:
            raise SystemExit(f"demo: vouch {words[0]} ended with {done.returncode}")
        return done

    def verdicts(self):
        answer = json.loads(self.run("status", "--format", "json", quiet=True).stdout)
        return {control["id"]: control for control in answer["controls"]}

    def show_changes(self, before):
        """The controls whose numbers moved, and since when the first of their new failures stands."""
        after, moved = self.verdicts(), []
        for name, control in after.items():
            if control["fail"] != before[name]["fail"]:
                moved.append(name)
                print(f"  {name}: {before[name]['fail']} failing before, {control['fail']} now")
        return moved

    def flip_a_bit(self):
        """In a copy: the home itself stays whole."""
        forged = self.folder / "forged"
        shutil.copytree(self.home, forged)
        bundle = sorted(path for path in (forged / "ledger").rglob("*") if path.is_file() and "entries" in path.parts)[0]
        data = bytearray(bundle.read_bytes())
        at = data.index(b'"outcome"') + 12
        print(f"  {bundle.relative_to(forged)}, byte {at}: {chr(data[at])!r} becomes {chr(data[at] ^ 1)!r}")
        data[at] ^= 1
        bundle.write_bytes(data)
        return forged


def play(vouch, folder, cloud, github):
    demo = Demo(vouch, folder, cloud, github)
    demo.say("A sample company", "A simulated AWS and GitHub on this machine, filled with good and bad resources. Vouch is told two endpoints, nothing else.")
    cloud_plan = company.fill(cloud.endpoint, company.DEMO, age=cloud.backdate, say=cloud.answer)
    code_plan = codehost.fill(github, codehost.DEMO, until=time.time() - WEEK)
    for plan in cloud_plan, code_plan:
        print("  " + ", ".join(counted(len(names), kind) for kind, names in plan.made.items()))

    demo.say("A home", "`init` writes its settings and keys. AWS is on; GitHub is switched on by four lines that name a token and do not hold it:")
    demo.run("init", str(demo.home))
    lines = GITHUB_ON.format(organisation=github.organisation, endpoint=github.endpoint)
    with open(demo.home / "vouch.yaml", "a") as settings:
        settings.write(lines)
    print(lines, end="")

    demo.say("First sight", "`scan` asks every service of the catalogue, keeps each answer in the ledger, and decides.")
    demo.run("scan")
    before = demo.verdicts()

    demo.say("What to do first", "Failures grouped by the one act that clears them.")
    demo.run("next")

    demo.say("A week goes by")
    for line in company.change(cloud.endpoint, cloud_plan) + codehost.change(github, code_plan):
        print(f"  {line}")
    time.sleep(1)

    demo.say("Second sight", "Only what changed is stored.")
    demo.run("collect")

    demo.say("What changed")
    moved = demo.show_changes(before)
    if not moved:
        raise SystemExit("demo: the changes did not show")

    demo.say("Since when, and on what evidence", "Each verdict goes down to the bytes that the provider sent.")
    demo.run("show", *newest_failure(demo, moved))

    demo.say("Every byte is what was written")
    demo.run("verify", expect=(0,))

    demo.say("Somebody improves the record", "One bit of one entry, in a copy of the home:")
    forged = demo.flip_a_bit()
    demo.run("--home", str(forged), "verify", expect=(INTEGRITY_BROKEN,))
    print("  caught: exit code 4")


def counted(count, noun):
    return f"{count} {noun if count == 1 else noun[:-1] + 'ies' if noun.endswith(('cy', 'ty', 'ry')) else noun + 's'}"


def newest_failure(demo, moved):
    """The control and the member that began to fail last."""
    failures = []
    for control in moved:
        members = json.loads(demo.run("show", control, "--format", "json", quiet=True).stdout)["members"]
        failures += [(member["since"], control, member["name"]) for member in members if member["verdict"] == "fail" and member["since_earliest"]]
    if not failures:
        raise SystemExit("demo: no new failure tells since when it stands")
    return max(failures)[1:]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--vouch", type=pathlib.Path, required=True)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="vouch-demo-") as folder, Cloud() as cloud, GitHub(people=25) as github:
        play(options.vouch, pathlib.Path(folder), cloud, github)
    print(f"\nThat was the whole line: collect, keep, decide, prove ({time.monotonic() - began:.0f} s). Nothing of it is left on this machine.")


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    main()
