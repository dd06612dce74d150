"""`--exceptions` on the command line."""

import json

import pytest

from bfaudit.snapshot import encode
from tests.cli.harness import bfaudit, entry, manifest
from tests.evaluate.fleets import scanned, snapshot

TEXT = """\
apiVersion: bfaudit/v1
kind: Exceptions
exceptions:
  - id: EXC-1
    rules: [ip-restricted]
    select: {connection: MEXC Spot Main}
    type: risk-accepted
    reason: vendor egress has no fixed address
    ticket: SEC-412
    requested_by: alice
    approved_by: [bob]
    created: 2026-11-01
    expires: 2099-12-01
"""


@pytest.fixture
def place(tmp_path):
    """A snapshot with one finding, judged whenever the test runs."""
    path = tmp_path / "snapshot.json"
    path.write_bytes(encode(snapshot(scanned(known={"network.ip_restricted": False}))))
    return path


def test_check(tmp_path, place):
    """An exception is applied or told, in every run and from the environment too."""
    file = tmp_path / "exceptions.yaml"
    file.write_text(TEXT + "\n", "utf-8")
    limits = "limits: {days: {high: 3650}}\nexceptions:"
    ran = bfaudit("check", place, "--exceptions", file, "--format", "json")
    told = [row["rule"] for row in ran.json["results"] if row["rule"].startswith("exception-")]
    file.write_text(TEXT.replace("exceptions:", limits, 1).replace("2099-12-01", "2036-01-01"), "utf-8")  # fmt: skip
    kept = bfaudit("check", place, "--format", "json", BFAUDIT_EXCEPTIONS=str(file))

    assert ["exception-too-long"] == told
    assert 1 == ran.code
    assert 1 == kept.json["summary"]["excepted"]
    assert ["EXC-1"] == [row["id"] for row in kept.json["exceptions"]]
    assert ["EXC-1"] == [row["exception"] for row in kept.json["results"] if row["exception"]]


def test_a_missing_or_broken_file_is_2(tmp_path, place):
    """A file that is not there excuses nothing: nothing is judged."""
    broken = tmp_path / "broken.yaml"
    broken.write_text(TEXT.replace("ip-restricted", "ip-restrictd"), "utf-8")

    for arguments in (["--exceptions", tmp_path / "nope.yaml"], ["--exceptions", broken]):
        ran = bfaudit("check", place, *arguments)
        assert 2 == ran.code
        assert "Traceback" not in ran.err
    assert 'did you mean "ip-restricted"?' in ran.err
    assert f"{broken}:5:13" in ran.err


def test_validate(tmp_path):
    """Exceptions are checked with the manifests; rule ids too where a policy is given."""
    fleet = manifest(tmp_path, entry("KuCoin Spot One", "kucoin", "ONE"))
    file = tmp_path / "exceptions.yaml"
    file.write_text(TEXT.replace("ip-restricted", "our-own"), "utf-8")

    assert 0 == bfaudit("validate", fleet, "--exceptions", file).code
    assert 2 == bfaudit("validate", fleet, "--exceptions", file, "--policy", "baseline").code
    file.write_text(json.dumps({"apiVersion": "bfaudit/v1", "kind": "Exceptions"}), "utf-8")
    assert 2 == bfaudit("validate", fleet, "--exceptions", file).code
