"""`vouch verify` finds a changed, missing or added byte in any file under ledger/ and blobs/, says where, and exits 4."""
import random

import company
import pytest
from home import BROKEN, PASS


@pytest.fixture(scope="module")
def home(filled, module_home):
    """A ledger of some entries, with evidence of two runs that differ."""
    cloud, plan = filled
    home = module_home(cloud.endpoint).init()
    home.collect()
    company.change(cloud.endpoint, plan)
    home.collect()
    home.collect()
    return home


def positions(size, full, chance):
    """Every byte of a small file in the full form; else the ends and some between."""
    if full and size <= 2048:
        return range(size)
    return sorted({0, size - 1, size // 2} | {chance.randrange(size) for _ in range(40 if full else 6)})


def test_an_untouched_home_verifies(home):
    answer = home.json("verify", code=PASS)
    assert answer["verified"] is True and answer["leaves"] >= 4 and answer["blobs"] > 100
    assert answer["blobs"] <= answer["blob_bytes"]


def test_a_flipped_bit_in_any_file_is_found_and_named(home, full):
    own, chance = home.copy("flipped"), random.Random(3)
    files = own.files("ledger", "blobs")
    assert len(files) >= 5
    for file in files:
        good = file.read_bytes()
        if not good:
            continue  # a lock file
        for at in positions(len(good), full, chance):
            bit = 1 << chance.randrange(8)
            file.write_bytes(good[:at] + bytes([good[at] ^ bit]) + good[at + 1:])
            done = own.run("verify")
            assert done.code == BROKEN, f"bit {bit:#x} of byte {at} of {len(good)} in {file.relative_to(own.path)}: exit {done.code}\n{done.out}{done.err}"
            assert file.name in done.err, f"{file.relative_to(own.path)} was changed, and verify says: {done.err}"
        file.write_bytes(good)
    own.verify()


@pytest.mark.parametrize("harm", ["cut", "grown", "emptied", "removed"])
def test_a_file_that_is_cut_grown_emptied_or_removed_is_found(home, harm):
    own = home.copy(harm)
    for file in own.files("ledger", "blobs"):
        good = file.read_bytes()
        if not good:
            continue
        if harm == "cut":
            file.write_bytes(good[:-1])
        elif harm == "grown":
            file.write_bytes(good + b"\0")
        elif harm == "emptied":
            file.write_bytes(b"")
        else:
            file.unlink()
        done = own.run("verify")
        assert done.code == BROKEN, f"{file.relative_to(own.path)} {harm}: exit {done.code}\n{done.out}{done.err}"
        file.write_bytes(good)
    own.verify()


def test_a_rolled_back_ledger_still_verifies_but_cannot_hide_from_an_older_proof(home, tmp_path):
    """A ledger alone cannot show that its end was cut off with its checkpoint; whoever kept a proof can."""
    checkpoint = home.json("log", "checkpoint", code=PASS)
    proof = tmp_path / "kept.proof"
    last = checkpoint["checkpoint"]["size"] - 1
    home.run("log", "export", "--leaf", last, proof, code=PASS)
    assert home.json("verify", "--proof", proof, "--key", checkpoint["key"], code=PASS)["checkpoint"] == checkpoint["checkpoint"]


def test_a_changed_ledger_is_refused_by_whoever_reads_it(home):
    own = home.copy("read")
    bundle = next(file for file in own.files("ledger") if "entries" in file.parts)
    good = bundle.read_bytes()
    bundle.write_bytes(good.replace(b'"kind":"collection"', b'"kind":"colLection"', 1))
    assert bundle.read_bytes() != good
    (own.path / "facts.duckdb").unlink()
    assert own.run("status").code == BROKEN
