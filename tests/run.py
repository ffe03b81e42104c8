"""Runs every test and counts: run.py [--full] [NAME…]     (after ./dev has built)

Two suites run at a time, the longest first. Without --full the properties are tried fewer times under ASan: the release build tries them all.

A suite is one program that writes a report: a GoogleTest program, pytest over tests/, or a Go module under tests/.
A program that dies before it reports counts as one failure, so that a crash never looks like fewer tests. The last
line is `N passed, N failed, N skipped`; before it stands each skipped test by name, with its reason.
"""
import argparse
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import time
import xml.etree.ElementTree as xml

ROOT = pathlib.Path(__file__).resolve().parent.parent
RESULTS = ROOT / "build" / "test-results"
HEAVY = "ShippedCatalog.*"  # a thousand databases: under a sanitizer only in full, the release build runs it always
THREADED = ("ledger", "wire", "collect", "portal")  # what ThreadSanitizer looks at


@dataclasses.dataclass
class Suite:
    name: str
    command: list
    report: pathlib.Path
    cwd: pathlib.Path = ROOT
    env: dict = dataclasses.field(default_factory=dict)
    seconds: int = 1500
    pytest_codes: bool = False  # pytest's exit 5: a filter chose no test
    left_out: list = dataclasses.field(default_factory=list)  # (name, reason)


@dataclasses.dataclass
class Tally:
    passed: int = 0
    failed: list = dataclasses.field(default_factory=list)
    skipped: list = dataclasses.field(default_factory=list)  # (name, reason)


def read_junit(path):
    """GoogleTest's and pytest's reports have the same elements."""
    tally = Tally()
    for case in xml.parse(path).getroot().iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            tally.failed.append(name)
        elif skipped is not None:
            reason = (skipped.get("message") or skipped.text or "no reason given").strip().splitlines()
            tally.skipped.append((name, reason[-1] if reason else "no reason given"))
        elif case.get("status") != "notrun":
            tally.passed += 1
    return tally


def read_go(path):
    tally, said = Tally(), {}
    for line in path.read_text().splitlines():
        if not line.startswith("{"):
            continue
        event = json.loads(line)
        name = event.get("Test")
        if not name:
            if event["Action"] == "fail" and not tally.failed:
                tally.failed.append(event.get("Package", "go"))
            continue
        if event["Action"] == "output":
            said[name] = event["Output"].strip()
        elif event["Action"] == "pass":
            tally.passed += 1
        elif event["Action"] == "fail":
            tally.failed.append(name)
        elif event["Action"] == "skip":
            tally.skipped.append((name, said.get(name, "no reason given")))
    return tally


def gtest(build, module, full):
    short = not full and build != "build"
    env = {"RC_PARAMS": "max_success=20"} if short else {}
    left_out = [(HEAVY, "under a sanitizer only with --full")] if short and module == "controls" else []
    tag = {"build": "release"}.get(build, build.removeprefix("build-"))
    report = RESULTS / f"{tag}-{module}.xml"
    return Suite(f"{tag} {module}", [str(ROOT / build / f"{module}_test"), f"--gtest_output=xml:{report}"] + ([f"--gtest_filter=-{HEAVY}"] if left_out else []), report,
                 env=env, left_out=left_out)


# Half of the work of all that pytest runs: it goes beside the other half.
FIRST_HALF = ["tests/e2e/test_complete.py", "tests/e2e/test_crash.py", "tests/e2e/test_facts.py", "tests/e2e/test_faults.py"]


def pytest(name, build, paths, words, full):
    report = RESULTS / f"{name.replace(',', '').replace(' ', '-')}.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-ra", "-p", "no:cacheprovider", f"--junitxml={report}", f"--vouch={ROOT / build / 'vouch'}"]
    command += ["--full"] if full else []
    command += ["-k", " or ".join(words)] if words else []
    return Suite(name, command + paths, report, seconds=3600 if full else 2100, pytest_codes=True)


def go(directory):
    report = RESULTS / f"go-{directory.name}.json"
    return Suite(f"go {directory.name}", ["go", "test", "-json", "-count=1", "./..."], report, cwd=directory,
                 env={"GOPATH": str(ROOT / ".deps/gopath"), "VOUCH": str(ROOT / "build/vouch"), "VOUCH_BUILD": str(ROOT / "build")})


def suites(names, full):
    modules = sorted(p.name.removesuffix("_test") for p in (ROOT / "build").glob("*_test") if p.is_file())
    chosen = [m for m in modules if not names or m in names]
    words = [n for n in names if n not in modules and n not in ("e2e", "go")]
    if not names or "e2e" in names or words:
        halves = {"end to end, facts": FIRST_HALF, "end to end, rest": ["tests", *(f"--ignore={path}" for path in FIRST_HALF)]}
        yield from (pytest(name, "build", paths, words, full) for name, paths in halves.items())
        if full:
            yield from (pytest(f"{name} under asan", "build-asan", paths, words, False) for name, paths in halves.items())
    for build in ["build-asan", "build"]:
        yield from (gtest(build, module, full) for module in chosen)
    if full:
        yield from (gtest("build-tsan", module, full) for module in chosen if module in THREADED)
    if not names or "go" in names:
        yield from (go(p.parent) for p in sorted((ROOT / "tests").rglob("go.mod")))
    if full and not names:
        report = RESULTS / "fuzz.xml"
        yield Suite("fuzz", [sys.executable, "tests/fuzz.py", "--seconds", "5", "--report", str(report)], report)


def run(suite, full):
    suite.report.unlink(missing_ok=True)
    log = RESULTS / f"{suite.name.replace(',', '').replace(' ', '-')}.log"
    env = os.environ | {"VOUCH_FULL": "1" if full else "", "UBSAN_OPTIONS": "print_stacktrace=1"} | suite.env
    began = time.monotonic()
    with open(log, "wb") as out:
        stdout = open(suite.report, "wb") if suite.report.suffix == ".json" else out
        try:
            code = subprocess.run(suite.command, cwd=suite.cwd, env=env, stdin=subprocess.DEVNULL, stdout=stdout, stderr=out,
                                  timeout=suite.seconds).returncode
        except (subprocess.TimeoutExpired, OSError) as error:
            out.write(f"\n{error}\n".encode())
            code = -1
    tally = Tally()
    if suite.report.exists():
        try:
            tally = read_go(suite.report) if suite.report.suffix == ".json" else read_junit(suite.report)
        except (xml.ParseError, json.JSONDecodeError):
            pass  # cut off in the middle: the exit code tells
    if suite.pytest_codes and code == 5:
        code = 0
    if code != 0 and not tally.failed:
        tally.failed.append(f"{suite.name}: ended with {code} and no failed test in its report")
    print(f"{suite.name:<24} {tally.passed:>5} passed {len(tally.failed):>3} failed {len(tally.skipped):>3} skipped"
          f" {time.monotonic() - began:>7.1f} s", flush=True)
    if tally.failed:
        text = log.read_text(errors="replace") + (suite.report.read_text(errors="replace") if suite.report.suffix == ".json" else "")
        print("\n".join(text.splitlines()[-200:]), flush=True)
    return tally


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", action="store_true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    RESULTS.mkdir(parents=True, exist_ok=True)
    total = Tally()
    chosen = list(suites(options.names, options.full))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        tallies = list(pool.map(lambda suite: run(suite, options.full), chosen))
    for suite, tally in zip(chosen, tallies):
        total.skipped += [(f"{suite.name}: {name}", reason) for name, reason in suite.left_out]
        total.passed += tally.passed
        total.failed += [f"{suite.name}: {name}" for name in tally.failed]
        total.skipped += [(f"{suite.name}: {name}", reason) for name, reason in tally.skipped]
    for name, reason in total.skipped:
        print(f"skipped  {name}: {reason}")
    for name in total.failed:
        print(f"FAILED   {name}")
    print(f"{total.passed} passed, {len(total.failed)} failed, {len(total.skipped)} skipped")
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
