"""A whole run (collect, keep, decide) beside Prowler's SOC 2 scan of the same account: run.py --vouch build/vouch --prowler PROGRAM

One simulated account of 300 buckets, 200 users and 100 roles; one region; the services that both know. Both are pointed at the same
server by AWS_ENDPOINT_URL. Vouch's numbers are the median of several fresh homes; Prowler runs once. CPU is user + system of the process
and its children, from wait4(2); memory is the kernel's peak (VmHWM) of the process: the server's own work is in neither. API calls are
counted by the server.
"""
import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "company"), str(ROOT / "tests" / "scale"), str(ROOT / "bench")]

import company  # noqa: E402
from cloud import Cloud  # noqa: E402
from peak import Peak  # noqa: E402
from ratio import Table  # noqa: E402

# Those of Prowler's services that the catalogue reads, by its names: log groups are its `cloudwatch`, functions its `awslambda`.
SERVICES = ("accessanalyzer", "acm", "apigateway", "apigatewayv2", "autoscaling", "awslambda", "backup", "cloudformation", "cloudfront", "cloudtrail", "cloudwatch",
            "config", "dynamodb", "ec2", "ecr", "ecs", "efs", "eks", "elasticache", "elb", "elbv2", "guardduty", "iam", "inspector2", "kms", "opensearch", "rds",
            "redshift", "route53", "s3", "secretsmanager", "securityhub", "ssm", "stepfunctions", "vpc", "wafv2")


def measure(command, env, cwd, log):
    """(seconds, cpu seconds, peak MiB, exit code) of a process."""
    began = time.monotonic()
    with open(log, "wb") as out:
        process = subprocess.Popen(command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        peak = Peak(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        peak.ended.set()
        peak.join()
    return seconds, usage.ru_utime + usage.ru_stime, peak.kib / 1024, process.returncode


def environment(endpoint, folder):
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", "AWS_ENDPOINT_URL": endpoint, "AWS_REGION": company.HOME,
            "AWS_DEFAULT_REGION": company.HOME, "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "not-a-real-secret",
            "AWS_EC2_METADATA_DISABLED": "true"}


def vouch_run(vouch, env, folder, name):
    """Everything a first run does, from an empty folder to printed verdicts."""
    home = folder / name
    subprocess.run([vouch, "--home", home, "init"], env=env, check=True, capture_output=True)
    settings = home / "vouch.yaml"
    settings.write_text(re.sub(r"# regions:.*", f"regions: [{company.HOME}]", settings.read_text()))
    return home, measure([vouch, "--home", home, "scan"], env, folder, folder / f"{name}.log")


def soc2_checks(prowler, env, folder):
    done = subprocess.run([prowler, "aws", "--list-checks", "--compliance", "soc2_aws", "--no-color"], env=env, cwd=folder, capture_output=True, text=True)
    checks = re.findall(r"^\[([a-z0-9_]+)\]", done.stdout, re.MULTILINE)
    return [check for check in checks if check.split("_")[0] in SERVICES]


def stored(home):
    return sum(path.stat().st_size for folder in ("ledger", "blobs") for path in (home / folder).rglob("*") if path.is_file())


def wall_ms(command, env, folder, times=15):
    return statistics.median(measure(command, env, folder, folder / "small.log")[0] for _ in range(times)) * 1000


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--vouch", type=pathlib.Path, required=True)
    parser.add_argument("--prowler", type=pathlib.Path, required=True)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--size", choices=company.SIZES, default="bench")
    options = parser.parse_args()
    vouch, prowler = options.vouch.resolve(), options.prowler.absolute()
    with tempfile.TemporaryDirectory(prefix="vouch-bench-") as scratch, Cloud() as cloud:
        folder = pathlib.Path(scratch)
        size = company.SIZES[options.size]
        print(f"filling an account: {size.buckets} buckets, {size.users} users, {size.roles} roles …", flush=True)
        company.fill(cloud.endpoint, size, age=cloud.backdate)
        env = environment(cloud.endpoint, folder)

        ours, calls = [], 0
        for i in range(options.runs):
            cloud.requests(reset=True)
            home, run = vouch_run(vouch, env, folder, f"home-{i}")
            calls = cloud.requests()
            if run[3] not in (0, 1, 3):
                raise SystemExit(f"vouch scan ended with {run[3]}:\n{(folder / f'home-{i}.log').read_text()[-3000:]}")
            ours.append(run)
        wall, cpu, memory = (statistics.median(run[i] for run in ours) for i in range(3))
        print(f"vouch:   {wall:.1f} s, {cpu:.2f} s CPU, {memory:.0f} MiB, {calls} API calls (median of {options.runs})", flush=True)

        before = stored(home)
        second = measure([vouch, "--home", home, "collect"], env, folder, folder / "second.log")
        added = stored(home) - before
        version_ms, status_ms = wall_ms([vouch, "--version"], env, folder), wall_ms([vouch, "--home", home, "status"], env, folder)

        checks = soc2_checks(prowler, env, folder)
        print(f"prowler: {len(checks)} SOC 2 checks of {len(SERVICES)} services …", flush=True)
        cloud.requests(reset=True)
        theirs = measure([prowler, "aws", "--checks", *checks, "--region", company.HOME, "--no-banner", "--ignore-exit-code-3", "--output-formats", "csv",
                          "--output-directory", folder / "prowler"], env, folder, folder / "prowler.log")
        their_calls = cloud.requests()
        if theirs[3] != 0 or their_calls == 0:
            raise SystemExit(f"prowler ended with {theirs[3]}:\n{(folder / 'prowler.log').read_text(errors='replace')[-3000:]}")
        print(f"prowler: {theirs[0]:.1f} s, {theirs[1]:.2f} s CPU, {theirs[2]:.0f} MiB, {their_calls} API calls\n")

    table = Table("whole run, Prowler = 1")
    table.at_most("wall clock", wall, theirs[0], "s", 1 / 5)
    table.at_most("own CPU", cpu, theirs[1], "s", 1 / 30)
    table.at_most("peak memory", memory, theirs[2], "MiB", 1 / 10)
    table.at_most("API calls", calls, their_calls, "", 0.6)
    table.at_most("vouch --version", version_ms, 50, "ms", 1)
    table.at_most("vouch status", status_ms, 50, "ms", 1)
    table.at_most("an unchanged run adds", added, 4096, "B", 1)
    table.print()
    print(f"an unchanged second run: {second[0]:.1f} s, {second[1]:.2f} s CPU")


if __name__ == "__main__":
    main()
