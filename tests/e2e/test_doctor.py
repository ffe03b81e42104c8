"""`vouch doctor` finds what is not well before a collection does, asks little for it, and writes nothing."""
import pytest
from home import FAILS, PASS, USAGE
from proxy import Answer, Deny


@pytest.fixture
def home(filled, proxy, new_home):
    return new_home(proxy.endpoint).init()


def bad(findings):
    return [finding for finding in findings["findings"] if finding["health"] == "bad"]


def test_a_home_that_is_well_is_told_so_for_a_few_requests(home, proxy):
    before = {path: path.stat().st_mtime_ns for path in home.files("ledger", "blobs")}
    done = home.run("doctor", code=PASS)
    assert "signed in as arn:aws" in done.out and "clock and ours agree" in done.out and "basis:" in done.out
    assert {path: path.stat().st_mtime_ns for path in home.files("ledger", "blobs")} == before
    asked = sum(proxy.calls.values())
    proxy.clear()
    home.collect()
    assert asked < sum(proxy.calls.values()) / 3


def test_a_denied_call_is_named_with_the_action_that_it_needs(home, proxy):
    proxy.when(service="s3", operation="GetBucketEncryption", then=Deny())
    [found] = bad(home.json("doctor", code=FAILS))
    assert found["about"] == "aws"
    assert "s3:GetBucketEncryption" in found["says"] and "unknown in" in found["says"] and "unknown in 0" not in found["says"]
    assert "Allow s3:GetEncryptionConfiguration" in found["mend"]


def test_an_account_that_refuses_us_is_one_finding(home, proxy):
    proxy.when(service="sts", then=Answer(403, "InvalidClientTokenId"))
    [found] = bad(home.json("doctor", code=FAILS))
    assert "InvalidClientTokenId" in found["says"] and "aws sts get-caller-identity" in found["mend"]


def test_a_source_that_is_set_up_wrongly_is_a_finding_and_hides_no_other(home):
    settings = home.path / "vouch.yaml"
    settings.write_text(settings.read_text() + "\n  github:\n    organisation: acme\n    token: {env: NOT_SET_ANYWHERE}\n    endpoint: http://127.0.0.1:9\n")
    findings = home.json("doctor", code=FAILS)
    assert any(finding["about"] == "aws" and "signed in" in finding["says"] for finding in findings["findings"])
    [found] = bad(findings)
    assert found["about"] == "github" and "NOT_SET_ANYWHERE" in found["says"]


def test_settings_that_cannot_be_read_are_a_finding(home):
    (home.path / "vouch.yaml").write_text("sources: {aws: {regions: 7}}\nnonsense: 1\n")
    findings = home.json("doctor", code=FAILS)
    [found] = bad(findings)
    assert "vouch.yaml:" in found["says"] and findings["checkpoint"]["size"] == 0 and len(findings["findings"]) > 1


def test_offline_it_looks_at_the_home_alone(home, proxy):
    home.run("doctor", "--offline", code=PASS)
    assert not proxy.calls
    (home.path / "keys" / "ledger.key").chmod(0o644)
    assert "chmod 600" in home.run("doctor", "--offline", code=FAILS).out
    assert "no source `azure`" in home.run("doctor", "--source", "azure", code=USAGE).err
