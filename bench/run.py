"""Runs the benchmarks: run.py [NAME…]     (`./dev bench` has built and installed what they need)

A benchmark is a folder of bench/ with an executable `run`. It prints ratios and decides nothing: a target that is missed is shown as
such, and the exit code tells only whether it could be measured.
"""
import os
import pathlib
import subprocess
import sys

BENCH = pathlib.Path(__file__).resolve().parent


def main():
    known = sorted(path.parent.name for path in BENCH.glob("*/run") if os.access(path, os.X_OK))
    names = sys.argv[1:] or known
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"bench: no benchmark {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    failed = []
    for name in names:
        print(f"\n== {name}", flush=True)
        if subprocess.run([BENCH / name / "run"], cwd=BENCH.parent, stdin=subprocess.DEVNULL).returncode:
            failed.append(name)
    if failed:
        print(f"could not be measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
