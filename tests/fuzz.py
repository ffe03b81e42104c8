"""Runs every fuzzer of build-fuzz for a while: fuzz.py [--seconds N] [--report JUNIT.xml]

Each grows a corpus of its own under build-fuzz/corpus/<program>, seeded from tests/fuzz-seeds/<program> where that exists. An
input that breaks a parser is kept as build-fuzz/corpus/<program>.crash-…; the exit code is 1 then.
"""
import argparse
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build-fuzz"


def fuzz(program, seconds):
    corpus = BUILD / "corpus" / program.name
    corpus.mkdir(parents=True, exist_ok=True)
    seeds = ROOT / "tests" / "fuzz-seeds" / program.name
    command = [str(program), f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1",
               f"-artifact_prefix={corpus}.", str(corpus)] + ([str(seeds)] if seeds.is_dir() else [])
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, timeout=seconds + 120)
    runs = next((line.split()[-1] for line in done.stderr.splitlines() if "number_of_executed_units" in line), "0")
    return done.returncode, int(runs), done.stderr


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--report", type=pathlib.Path)
    options = parser.parse_args()
    programs = sorted(p for p in BUILD.glob("*_fuzz") if os.access(p, os.X_OK))
    cases, failed = [], 0
    for program in programs:
        code, runs, log = fuzz(program, options.seconds)
        clean = code == 0 and runs > 0
        failed += not clean
        print(f"{program.name:<32} {'clean' if clean else 'BROKEN'}  {runs:>10} inputs in {options.seconds} s", flush=True)
        if not clean:
            print("\n".join(log.splitlines()[-60:]), flush=True)
        cases.append(f'<testcase classname="fuzz" name="{program.name}">' + ("" if clean else "<failure/>") + "</testcase>")
    if options.report:
        options.report.write_text(f"<testsuite>{''.join(cases)}</testsuite>")
    print(f"{len(programs) - failed} passed, {failed} failed")
    return 1 if failed or not programs else 0


if __name__ == "__main__":
    sys.exit(main())
