"""The rules of the house that a compiler does not know: rules.py

* shell scripts parse;
* nothing names a package registry's host, nor points a package client at one: clients use what the machine is set up with;
* requirements are pinned with hashes.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Each name in two pieces, so that this file keeps the rule it checks.
HOSTS = ["pypi" + ".org", "python" + "hosted.org", "npm" + "js.", "yarn" + "pkg.com", "proxy." + "golang.org", "sum." + "golang.org",
         "crates" + ".io", "repo1." + "maven", "repo." + "maven", "deb." + "debian.org", "security." + "debian.org",
         "archive." + "ubuntu.com", "docker" + ".io", "ghcr" + ".io", "rubygems" + ".org"]
FLAGS = ["--index" + "-url", "--extra-index" + "-url", "--reg" + "istry", "GO" + "PROXY=", "--trusted" + "-host", "--find" + "-links"]


def tracked():
    names = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in names.stdout.splitlines() if (ROOT / name).is_file()]


def text_of(path):
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        return None


def registry_names(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        for word in HOSTS + FLAGS:
            if word in line and not (word.startswith("--") and "pip-compile" in line or "--no-emit" in line):
                yield f"{path}:{number}: names a package registry (`{word}`): leave that to the machine's own set-up"


def unpinned(path, text):
    if path.name != "requirements.txt":
        return
    wanted = re.findall(r"^([A-Za-z0-9_.\[\]-]+)(==\S+)?", text, re.MULTILINE)
    hashes = len(re.findall(r"^\S+==\S+ \\\n\s+--hash=sha256:", text, re.MULTILINE))
    if hashes != len(wanted):
        yield f"{path}:1: {len(wanted) - hashes} of {len(wanted)} packages have no exact version with hashes: run ./dev pin"


def broken_shell(path, text):
    if text.startswith("#!") and "bash" in text.splitlines()[0]:
        done = subprocess.run(["bash", "-n", path], capture_output=True, text=True)
        if done.returncode:
            yield done.stderr.strip()


def main():
    faults = []
    for path in tracked():
        text = text_of(path)
        if text is None:
            continue
        for rule in (registry_names, unpinned, broken_shell):
            faults += rule(path, text)
    for fault in faults:
        print(str(fault).replace(f"{ROOT}/", ""), file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
