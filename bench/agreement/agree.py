"""Verdicts beside Prowler's, resource by resource: agree.py --vouch build/vouch --prowler PROGRAM [--size demo] [--table FILE]

Both read one simulated account (the sample company): Vouch with every control of both shelves on, Prowler with the checks that it maps
to SOC 2 and those that a control names under `equivalents`. A check and a control are compared over the resources that both judged; a
check ran where it judged at least one. A resource is found by what its key and Prowler's row share: an id or an ARN, and the region.

A difference ends the run with 1 unless docs/prowler.md names its check: there each is explained.
"""
import argparse
import collections
import csv
import dataclasses
import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench" / "prowler"), str(ROOT / "tests" / "company"), str(ROOT / "bench")]

import company  # noqa: E402
from cloud import Cloud  # noqa: E402
from ratio import Table  # noqa: E402
from run import environment, measure  # noqa: E402

EXPLAINED = ROOT / "docs" / "prowler.md"


@dataclasses.dataclass
class Pair:
    check: str
    control: str
    agreed: int = 0
    differ: list = dataclasses.field(default_factory=list)  # (resource, Prowler's status, our verdict)
    alone: list = dataclasses.field(default_factory=list)  # resources that only one of both judged


def ask(vouch, home, env, *words):
    done = subprocess.run([vouch, "--home", home, *words, "--format", "json"], env=env, capture_output=True, text=True)
    if done.returncode not in (0, 1, 3):
        raise SystemExit(f"vouch {' '.join(words)} ended with {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)


def soc2_checks(prowler, env, folder):
    done = subprocess.run([prowler, "aws", "--list-checks", "--compliance", "soc2_aws", "--no-color"], env=env, cwd=folder, capture_output=True, text=True)
    return set(re.findall(r"^\[([a-z0-9_]+)\]", done.stdout, re.MULTILINE))


def our_verdicts(vouch, env, folder):
    """(controls by id, members by control) with all controls on that the account can answer."""
    home = folder / "home"
    subprocess.run([vouch, "--home", home, "init"], env=env, check=True, capture_output=True)
    settings = home / "vouch.yaml"
    listed = ask(vouch, home, env, "catalog", "list")["controls"]
    hardening = [control["id"] for control in listed if control["shelf"] == "hardening" and not control["unread"]]
    text = re.sub(r"# regions:.*", f"regions: [{company.HOME}]", settings.read_text())
    settings.write_text(text + f"\ncontrols: {{on: [{', '.join(hardening)}]}}\n")
    ended = measure([vouch, "--home", home, "scan"], env, folder, folder / "vouch.log")[3]
    if ended not in (0, 1, 3):
        raise SystemExit(f"vouch scan ended with {ended}:\n{(folder / 'vouch.log').read_text()[-3000:]}")
    controls = {control["id"]: control for control in listed if control["equivalents"].get("prowler") and not control["unread"]}
    return controls, {control: ask(vouch, home, env, "show", control)["members"] for control in controls}


def their_findings(prowler, checks, env, folder):
    """Rows by check id."""
    ended = measure([prowler, "aws", "--checks", *sorted(checks), "--region", company.HOME, "--no-banner", "--ignore-exit-code-3", "--output-formats", "csv",
                     "--output-directory", folder / "prowler"], env, folder, folder / "prowler.log")[3]
    if ended:
        raise SystemExit(f"prowler ended with {ended}:\n{(folder / 'prowler.log').read_text(errors='replace')[-3000:]}")
    rows = collections.defaultdict(list)
    for path in (folder / "prowler").glob("*.csv"):
        with open(path, newline="") as file:
            for row in csv.DictReader(file, delimiter=";"):
                rows[row["CHECK_ID"]].append(row)
    return rows


def words_of(row):
    """What may name the resource in a row: the whole ids, and the parts of an ARN."""
    ids = [row["RESOURCE_UID"], row["RESOURCE_NAME"]]
    return {word for name in ids for word in [name, *re.split(r"[:/]", name)] if word}


def find(members, row):
    """The members that a row speaks of: by their whole key, as it stands or as the end of it; else by name; else by a part of the key (the
    API of a stage). A key that has no more than the account, or the account and the region, is a setting of these."""
    words, there = words_of(row), []
    for member in members:
        key = {column: str(value) for column, value in member["key"].items() if column != "account"}
        if key.pop("region", row["REGION"]) in (row["REGION"], "global"):
            there.append((member, key.values()))

    def ends(value):
        return {value, value.rpartition("/")[2], value.rpartition(":")[2]}

    for fits in (lambda member, key: all(value in words for value in key), lambda member, key: all(value.rpartition("/")[2] in words for value in key),
                 lambda member, key: member["name"] in words, lambda member, key: all(ends(value) & words for value in key),
                 lambda member, key: any(ends(value) & words for value in key)):
        found = [member for member, key in there if fits(member, key)]
        if found:
            return found
    return []


def compare(check, controls, members, rows):
    """`controls`: those that claim the check, each for its own kind of resource."""
    pair, met = Pair(check, ", ".join(controls)), set()
    for row in rows:
        found = find(members, row)
        name = row["RESOURCE_UID"] or row["RESOURCE_NAME"]
        if not found:
            pair.alone.append(f"{name}: Prowler alone, {row['STATUS']}")
            continue
        for member in found:
            met.add(json.dumps(member["key"]))
        theirs = row["STATUS"].lower()
        ours = "fail" if any(member["verdict"] == "fail" for member in found) else found[0]["verdict"]
        if theirs == ours:
            pair.agreed += 1
        else:
            pair.differ.append((name, theirs, ours))
    pair.alone += [f"{json.dumps(member['key'])}: Vouch alone, {member['verdict']}" for member in members if json.dumps(member["key"]) not in met]
    return pair


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--vouch", type=pathlib.Path, required=True)
    parser.add_argument("--prowler", type=pathlib.Path, required=True)
    parser.add_argument("--size", choices=company.SIZES, default="bench")
    parser.add_argument("--table", type=pathlib.Path, help="write every pair and every difference here, as JSON")
    options = parser.parse_args()
    vouch, prowler = options.vouch.resolve(), options.prowler.absolute()
    with tempfile.TemporaryDirectory(prefix="vouch-agree-") as scratch, Cloud() as cloud:
        folder = pathlib.Path(scratch)
        company.fill(cloud.endpoint, company.SIZES[options.size], age=cloud.backdate, say=cloud.answer)
        env = environment(cloud.endpoint, folder)
        controls, members = our_verdicts(vouch, env, folder)
        soc2 = soc2_checks(prowler, env, folder)
        claimed = collections.defaultdict(list)
        for control in sorted(controls):
            for check in controls[control]["equivalents"]["prowler"]:
                claimed[check].append(control)
        rows = their_findings(prowler, soc2 | set(claimed), env, folder)
        pairs = [compare(check, claimed[check], [member for control in claimed[check] for member in members[control]], rows[check])
                 for check in sorted(claimed) if rows[check]]

    explained = EXPLAINED.read_text() if EXPLAINED.exists() else ""
    agreed, differ = sum(pair.agreed for pair in pairs), sum(len(pair.differ) for pair in pairs)
    ran = {check for check in soc2 if rows[check]}
    covered = {check for check in ran if check in claimed}
    unexplained = [pair for pair in pairs if pair.differ and f"`{pair.check}`" not in explained]
    if options.table:
        options.table.write_text(json.dumps({"pairs": [dataclasses.asdict(pair) for pair in pairs], "ran_without_equivalent": sorted(ran - covered),
                                             "did_not_run": sorted((soc2 | set(claimed)) - {check for check in rows if rows[check]})}, indent=1))
    for pair in pairs:
        for name, theirs, ours in pair.differ:
            print(f"{pair.check}: {name}: Prowler {theirs}, {pair.control} {ours}")
    table = Table(f"verdicts of {len(pairs)} checks that have an equivalent and judged something")
    table.at_least("resources that agree", agreed, agreed + differ, "", 0.99)
    table.at_least("SOC 2 checks that ran and have an equivalent", len(covered), len(ran), "", 0.5)
    table.print()
    if unexplained:
        raise SystemExit(f"not explained in docs/prowler.md: {', '.join(pair.check for pair in unexplained)}")


if __name__ == "__main__":
    main()
